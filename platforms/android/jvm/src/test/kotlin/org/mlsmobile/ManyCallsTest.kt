package org.mlsmobile

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.milliseconds

class ManyCallsTest {
    @Test
    fun `S60 ten thousand calls leak nothing`() = test {
        val client = open("alice")
        val group = client.createGroup(client.identity("alice"))
        val message = group.createMessage(ByteArray(10_000))
        val absent = GroupId(ByteArray(10_000))

        suspend fun calls(count: Int) =
            repeat(count / 4) {
                client.messageInfo(message)
                client.group(group.id)
                group.members()
                refused<MlsException.GroupNotFound> { client.group(absent) }
            }
        calls(10_000)
        val before = memory("VmRSS")
        calls(10_000)
        val grown = memory("VmRSS") - before
        // A message or an id that is leaked by each of its calls would be 25,000 KB.
        assertTrue(grown < 20_000, "grew by $grown KB")
        println("ten thousand calls: memory grew by $grown KB")
    }

    @Test
    fun `S61 eight coroutines use four groups at once`() = test {
        val pair = pair()
        val identity = pair.alice.identities().single().id
        val groups = List(4) { index ->
            val group = pair.alice.createGroup(identity)
            group to group.add(pair.bob, "bob$index")
        }
        val heard = AtomicInteger()
        List(8) { index ->
            scope.async {
                val (alices, bobs) = groups[index % 4]
                repeat(25) {
                    assertEquals("$index/$it", bobs.hear(alices.say("$index/$it")))
                    heard.incrementAndGet()
                }
            }
        }.awaitAll()
        assertEquals(200, heard.get())
        assertEquals(200, pair.bob.inbox(1000u).texts().toSet().size)
    }

    @Test
    fun `S62 a call that is cancelled before it has a thread does nothing`() = test {
        val hold = Hold()
        val pair = pair(bobsValidator = hold.validator)
        hold.active = true
        val late = pair.alices.say("late")
        val commit = pair.alices.selfUpdate().commit
        val batch = scope.async { pair.bob.processMessages(listOf(IncomingMessage(commit))) }
        hold.awaitAsked()
        var thrown: Throwable? = null
        val waiting = scope.launch(start = CoroutineStart.UNDISPATCHED) {
            try {
                pair.bob.processMessages(listOf(IncomingMessage(late)))
            } catch (error: CancellationException) {
                thrown = error
                throw error
            }
        }
        waiting.cancel()
        hold.release()
        assertEquals(1, batch.await().outcomes.size)
        waiting.join()
        assertNotNull(thrown)
        assertEquals("late", pair.bobs.hear(late), "it was processed")
    }

    @Test
    fun `S63 a call that is cancelled while it runs completes and gives its result`() = test {
        val hold = Hold()
        val alice = open("alice", hold.validator)
        val group = alice.createGroup(alice.identity("alice"))
        val keyPackage = open("bob").keyPackage("bob")
        hold.active = true
        var bundle: CommitBundle? = null
        val job = scope.launch { bundle = group.addMembers(listOf(keyPackage)) }
        hold.awaitAsked()
        job.cancel()
        hold.release()
        job.join()
        assertTrue(job.isCancelled)
        assertArrayEquals(group.pendingCommit()!!.commit, bundle!!.commit)
    }

    @Test
    fun `S64 a cancelled batch ends by its budget`() = test {
        val pair = pair(bobsValidator = SLOW)
        val commits = pair.commits(50)
        var batch: Batch? = null
        val job = scope.launch { batch = pair.bob.processMessages(commits, 500.milliseconds) }
        while (pair.bobs.info().epoch == 1uL) delay(1)
        job.cancelAndJoin()
        val handled = batch!!.outcomes.size
        assertEquals(handled, batch.stoppedAt?.toInt(), "it went on")
        assertEquals(1uL + handled.toUInt(), pair.bobs.info().epoch)
    }

    @Test
    fun `S65 ids are keys of maps`() {
        val bytes = byteArrayOf(0, 15, -1)
        val pairs = listOf<(ByteArray) -> Id>(::GroupId, ::IdentityId, ::KeyPackageRef, ::ProposalRef).map { make ->
            assertEquals(make(bytes), make(bytes.copyOf()))
            assertEquals("000fff", make(bytes).toString())
            make(bytes) to make(byteArrayOf(1))
        }
        val map = pairs.flatMap { listOf(it.first, it.second) }.associateWith { it.toString() }
        assertEquals(8, map.size, "ids of different kinds are different")
        val id = GroupId(bytes)
        bytes[0] = 1
        id.bytes[0] = 1
        assertEquals("000fff", id.toString(), "an id cannot be changed")
    }
}

/** A line of what Linux tells about this process, in KB. */
fun memory(name: String): Long {
    System.gc()
    val line = java.io.File("/proc/self/status").readLines().single { it.startsWith("$name:") }
    return line.filter { it.isDigit() }.toLong()
}
