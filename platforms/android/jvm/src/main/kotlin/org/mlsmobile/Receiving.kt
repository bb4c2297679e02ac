package org.mlsmobile

import kotlin.time.Duration

/**
 * Reads what a message says about itself. It needs no state and proves nothing: use it to route.
 *
 * Errors: `MessageMalformed`, `InvalidArgument`.
 */
public suspend fun MlsClient.messageInfo(message: ByteArray): MessageInfo = read { it.messageInfo(message) }

/**
 * Processes messages of any groups in order, as [processMessage] does each: for catching up after a start, or in a
 * notification extension.
 *
 * Stored: as for each message, in transactions that aim at 200 ms, so that another process gets its turn; a message's
 * [cursor] is stored together with what the message changed. A batch that was handled to its end, an empty one too,
 * also deletes past epochs' keys that have expired, in a few groups that nothing else has used. It stops when
 * [budget] is spent, before a message that there is no room to keep (`EarlyBufferFull`), before one that the
 * validator could not judge because it failed (`CredentialRejected`), and at a failure of storage; `stoppedAt` says
 * where, and `error` why if it was not the budget. What came before is kept; go on there. A message that is refused
 * for itself does not stop it, and neither does one that the validator decided against, or one for a group that is not
 * here (join from Welcomes first): its outcome carries the error. A Commit that the validator decided against is kept
 * and named in the inbox (`EarlyRefused`), because the cursor goes past it: [releaseEarlyMessages] asks again.
 * After a crash: continue at [cursor], and read the inbox.
 */
public suspend fun MlsClient.processMessages(messages: List<IncomingMessage>, budget: Duration? = null): Batch =
    session.batch { it.processMessages(messages, budget?.let { time -> ProcessOptions(time.milliseconds()) }).typed() }

/** The [cursor] of the last message that a batch handled, never of one that it did not reach. */
public suspend fun MlsClient.cursor(): ByteArray? = read { it.cursor() }
