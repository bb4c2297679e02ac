package org.mlsmobile

import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.File
import kotlin.time.Duration.Companion.seconds

class LifecycleTest {
    @Test
    fun `S01 what a client made is there when it is opened again`() = test {
        val first = open("alice")
        val identity = first.identity("alice")
        val id = first.createGroup(identity).id
        val again = first.reopened("alice")
        assertEquals(listOf(identity), again.identities().map { it.id })
        assertEquals(listOf(id), again.groups().map { it.groupId })
        assertEquals(0uL, again.group(id).info().epoch)
    }

    @Test
    fun `S02 after close every call throws Closed and the file is free`() = test {
        val client = open("alice")
        val group = client.createGroup(client.identity("alice"))
        client.close()
        client.close()
        refused<MlsException.Closed> { client.groups() }
        refused<MlsException.Closed> { client.suspend(1.seconds) }
        refused<MlsException.Closed> { client.processMessages(emptyList()) }
        refused<MlsException.Closed> { group.info() }
        refused<MlsException.Closed> { group.createMessage(ByteArray(1)) }
        assertFalse(openFiles().any { it.startsWith(folder.toString()) }, "the file is still open")
        assertEquals(1, open("alice").groups().size)
    }

    @Test
    fun `S03 close waits for a batch, which completes`() = test {
        val hold = Hold()
        val pair = pair(bobsValidator = hold.validator)
        hold.active = true
        val commit = pair.alices.selfUpdate().commit
        val batch = scope.async { pair.bob.processMessages(listOf(IncomingMessage(commit), IncomingMessage(commit))) }
        hold.awaitAsked()
        val closing = scope.async(start = CoroutineStart.UNDISPATCHED) { pair.bob.close() }
        refused<MlsException.Closed> { pair.bobs.info() }
        delay(50)
        assertFalse(closing.isCompleted, "close did not wait")
        hold.release()
        closing.await()
        assertEquals(2, batch.await().outcomes.size)
        refused<MlsException.Closed> { pair.bobs.info() }
    }

    @Test
    fun `S04 a suspended client answers Suspended until it is resumed`() = test {
        val client = open("alice")
        client.suspend(1.seconds)
        client.suspend(1.seconds)
        refused<MlsException.Suspended> { client.groups() }
        assertFalse(openFiles().any { it.startsWith(folder.toString()) }, "a file is held while suspended")
        client.resume()
        client.resume()
        assertEquals(0, client.groups().size)
    }

    @Test
    fun `S05 suspend comes through while a batch runs and others wait for a thread`() = test {
        val hold = Hold()
        val pair = pair(bobsValidator = hold.validator)
        val commit = pair.alices.selfUpdate().commit
        pair.alices.mergePendingCommit()
        val messages = (listOf(commit) + List(300) { pair.alices.say("$it") }).map { IncomingMessage(it) }
        // The batch stands at its first message, a Commit, until the suspension is on its way.
        hold.active = true
        val batch = scope.async { runCatching { pair.bob.processMessages(messages) } }
        hold.awaitAsked()
        val readers = List(20) { scope.launch { runCatching { repeat(50) { pair.bob.inbox(1u) } } } }
        val suspension = scope.launch(start = CoroutineStart.UNDISPATCHED) { pair.bob.suspend(0.seconds) }
        delay(50)
        hold.release()
        suspension.join()
        refused<MlsException.Suspended> { pair.bob.groups() }
        readers.forEach { it.join() }
        val handled = batch.await().fold({ it.stoppedAt?.toInt() ?: it.outcomes.size }, { 0 })
        assertTrue(handled < messages.size, "the batch was over before it was suspended")
        pair.bob.resume()
        val entries = pair.bob.inbox(1000u).count { it.outcome is ProcessedMessage.Application }
        // Those that were processed before the suspension are duplicates, or too old to be looked at.
        val rest = pair.bob.processMessages(messages)
        val application = rest.outcomes.count { (it as? BatchOutcome.Processed)?.outcome is ProcessedMessage.Application }
        assertEquals(300, entries + application, "each message is processed once")
    }

    @Test
    fun `S06 after a confirmed change only the new key opens`() = test {
        val client = open("alice")
        val other = ByteArray(32) { 9 }
        client.rekey(other)
        MlsClient.open(ClientConfig(path("alice"), KEY)).close()
        MlsClient.open(ClientConfig(path("alice"), other)).close()
        client.confirmRekey()
        client.close()
        MlsClient.open(ClientConfig(path("alice"), other)).close()
        val error = refused<MlsException.WrongDatabaseKey> { MlsClient.open(ClientConfig(path("alice"), KEY)) }
        assertEquals(205u, error.code)
    }

    @Test
    fun `S07 a database is moved and never copied`() = test {
        val client = open("old")
        val id = client.createGroup(client.identity("alice")).id
        val file = folder.resolve("transfer").toString()
        client.exportForTransfer(file, ByteArray(32) { 3 })
        refused<MlsException.Transferred> { client.groups() }
        val moved = MlsClient.importTransfer(file, ByteArray(32) { 3 }, ClientConfig(path("new"), ByteArray(32)), ACCEPTS)
        assertEquals(listOf(id), moved.use { it.groups().map { group -> group.groupId } })
    }

    @Test
    fun `S08 wipe removes the files`() = test {
        val client = open("alice")
        client.wipe()
        refused<MlsException.Wiped> { client.groups() }
        assertEquals(emptyList<String>(), File(folder.toString()).list()!!.toList())
    }

    /** What this process has open, on Linux. */
    private fun openFiles(): List<String> =
        File("/proc/self/fd").listFiles().orEmpty().mapNotNull { runCatching { it.canonicalPath }.getOrNull() }
}
