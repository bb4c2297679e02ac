package org.mlsmobile

import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * What a process does that the system starts for a push message and ends soon: opens the database, processes what has
 * come within a budget, reads the inbox, and lets go of the file. It knows nothing of any platform. The app may have
 * the same database open; entries stay in the inbox until it acknowledges them.
 */
public class NotificationHandler(
    private val config: ClientConfig,
    private val validator: CredentialValidator? = null,
    private val logSink: LogSink? = null,
) {
    /** What there is to show. */
    public data class Result(
        /** What became of the messages; those from `stoppedAt` on are left for the app. */
        public val batch: Batch,
        /** The newest state of the inbox, which may hold entries of earlier runs. */
        public val inbox: List<InboxEntry>,
    )

    /**
     * Handles [messages], stops when [budget] is spent, and reads at most [limit] entries of the inbox. When it returns,
     * with a result or an error, no file is open and no lock is held.
     *
     * Stored and errors: as for [MlsClient.open] and [processMessages].
     * After a crash: what was processed is stored with its cursor; continue there.
     */
    public suspend fun handle(
        messages: List<IncomingMessage>,
        budget: Duration = 10.seconds,
        limit: UInt = 100u,
    ): Result =
        MlsClient.open(config, validator, logSink).use { client ->
            val batch = client.processMessages(messages, budget)
            val inbox = client.inbox(limit)
            client.suspend(GRACE)
            Result(batch, inbox)
        }

    private companion object {
        /** Nothing else runs, so the suspension only erases what was deleted. */
        val GRACE = 1.seconds
    }
}
