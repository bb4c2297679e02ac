package org.mlsmobile

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.transformWhile

/**
 * The oldest `limit` outcomes that were not acknowledged, oldest first: read them after every start, because a
 * notification extension may have processed messages that the app has not seen.
 */
public suspend fun MlsClient.inbox(limit: UInt): List<InboxEntry> = read { it.inbox(limit) }

/** Deletes entries that the app has saved. Ids that are gone already are no error, so it can be repeated. */
public suspend fun MlsClient.acknowledge(ids: List<ULong>): Unit = write { it.acknowledge(ids) }

/**
 * The oldest [limit] entries of the inbox, as they are now and then after every change that this client makes, after
 * [resume], and after [refresh]. Each emission is the whole list, so that a collector that was busy misses nothing; who
 * acknowledges what it has saved gets the rest. While the client is suspended nothing is emitted. The flow ends on
 * [MlsClient.close], and fails with any other error of [inbox].
 *
 * What another process has changed is not noticed by itself: call [refresh] when the app comes to the foreground, or
 * when the other process says so.
 */
public fun MlsClient.inboxUpdates(limit: UInt = 100u): Flow<List<InboxEntry>> =
    session.changes.transformWhile {
        val entries =
            try {
                inbox(limit)
            } catch (_: MlsException.Suspended) {
                return@transformWhile true
            } catch (_: MlsException.Closed) {
                return@transformWhile false
            }
        emit(entries)
        true
    }

/** Makes [inboxUpdates] read the inbox again, because another process may have changed it. */
public fun MlsClient.refresh(): Unit = session.changed()
