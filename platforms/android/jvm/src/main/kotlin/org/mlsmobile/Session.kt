package org.mlsmobile

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext
import java.util.concurrent.ConcurrentHashMap

/** What a client and its groups share: the native client, who may call it, and on which threads. */
internal class Session(private val client: FfiClient, val callbacks: Callbacks) {
    // Batches have a thread of their own and go one after the other, as they do inside, so that reads find another one
    // free; and a suspension must never wait for a thread behind the calls that it is to stop.
    private val calls = threads(4)
    private val batches = threads(1)
    private val lifecycle = threads(1)

    private val admission = Admission()
    private val groups = ConcurrentHashMap<GroupId, FfiGroup>()
    private val freeing = Mutex()

    /** Counts what may have changed the inbox. */
    val changes = MutableStateFlow(0L)

    suspend fun <T> read(block: (FfiClient) -> T): T = call(calls) { block(client) }

    suspend fun <T> write(block: (FfiClient) -> T): T = call(calls) { block(client) }.also { changed() }

    suspend fun <T> batch(block: (FfiClient) -> T): T = call(batches) { block(client) }.also { changed() }

    suspend fun <T> lifecycle(block: (FfiClient) -> T): T = call(lifecycle) { block(client) }.also { changed() }

    /** The native handle of a group. It is kept until the end: it is small, and who has just got it may still call it. */
    fun group(id: GroupId): FfiGroup = groups.computeIfAbsent(id) { client.group(it) }

    /** The group that a native call made, by its id only: the handle comes back from [group]. */
    fun adopt(group: FfiGroup): MlsGroup {
        val id = group.use { it.id() }
        return MlsGroup(this, id)
    }

    fun changed() = changes.update { it + 1 }

    suspend fun close() = withContext(NonCancellable) {
        admission.close()
        freeing.withLock {
            withContext(lifecycle) {
                groups.values.forEach { it.destroy() }
                client.destroy()
            }
        }
        changed()
    }

    /**
     * Cancelled before it has a thread, it does nothing. From then on it runs to its end and gives its result, because
     * what it did is stored: hence the two contexts, of which the outer one is never cancelled, so that the inner one
     * does not throw its result away when it comes back from its thread.
     */
    private suspend fun <T> call(lane: CoroutineDispatcher, block: () -> T): T {
        callbacks.refuseReentry()
        val caller = currentCoroutineContext()
        caller.ensureActive()
        return admission.during {
            withContext(NonCancellable) {
                withContext(lane) {
                    caller.ensureActive()
                    typed(block)
                }
            }
        }
    }

    companion object {
        /** Opens a client: blocking, and as every call not to be cancelled once it runs. */
        suspend fun open(callbacks: Callbacks, block: () -> FfiClient): Session {
            val caller = currentCoroutineContext()
            caller.ensureActive()
            return withContext(NonCancellable) {
                withContext(Dispatchers.IO) {
                    caller.ensureActive()
                    Session(typed(block), callbacks)
                }
            }
        }

        /** Threads beyond those of [Dispatchers.IO] itself, which end when they are idle. */
        private fun threads(count: Int) = Dispatchers.IO.limitedParallelism(count)
    }
}

/** Lets calls in until it is closed, and knows when the last one has left. */
internal class Admission {
    private val drained = CompletableDeferred<Unit>()
    private var running = 0
    private var closed = false

    inline fun <T> during(block: () -> T): T {
        enter()
        try {
            return block()
        } finally {
            leave()
        }
    }

    suspend fun close() {
        shut()
        drained.await()
    }

    @Synchronized
    private fun enter() {
        if (closed) throw MlsException.Closed()
        running += 1
    }

    @Synchronized
    private fun leave() {
        running -= 1
        if (closed && running == 0) drained.complete(Unit)
    }

    @Synchronized
    private fun shut() {
        closed = true
        if (running == 0) drained.complete(Unit)
    }
}
