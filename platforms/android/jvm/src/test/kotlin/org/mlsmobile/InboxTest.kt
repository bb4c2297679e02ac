package org.mlsmobile

import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class InboxTest {
    @Test
    fun `S40 entries stay until they are acknowledged`() = test {
        val pair = pair()
        repeat(3) { pair.bobs.hear(pair.alices.say("$it")) }
        val bob = pair.bob.reopened("bob")
        val entries = bob.inbox(10u)
        assertEquals(listOf("0", "1", "2"), entries.texts())
        bob.acknowledge(entries.take(2).map { it.id })
        bob.acknowledge(entries.take(2).map { it.id })
        assertEquals(listOf("2"), bob.inbox(10u).texts())
    }

    @Test
    fun `S41 the flow emits the whole list on its start and after each change`() = test {
        val pair = pair()
        val lists = collect(pair.bob)
        assertEquals(emptyList<String>(), lists.receive())
        pair.bobs.hear(pair.alices.say("one"))
        lists.awaits("one")
        pair.bobs.hear(pair.alices.say("two"))
        lists.awaits("one", "two")
        pair.bob.acknowledge(pair.bob.inbox(1u).map { it.id })
        lists.awaits("two")
    }

    @Test
    fun `S42 the flow rests while suspended and ends on close`() = test {
        val pair = pair()
        pair.bobs.hear(pair.alices.say("one"))
        val lists = Channel<List<String>>(Channel.UNLIMITED)
        val collector = scope.launch { pair.bob.inboxUpdates().collect { lists.send(it.texts()) } }
        lists.awaits("one")
        pair.bob.suspend(1.seconds)
        pair.bob.refresh()
        delay(100.milliseconds)
        while (lists.tryReceive().isSuccess) continue
        pair.bob.refresh()
        delay(100.milliseconds)
        assertTrue(lists.tryReceive().isFailure, "it emitted while suspended")
        pair.bob.resume()
        lists.awaits("one")
        pair.bob.close()
        collector.join()
        assertTrue(!collector.isCancelled, "it ended with an error")
    }

    @Test
    fun `S43 what another process did is seen after refresh`() = test {
        val pair = pair()
        val extension = open("bob")
        val lists = collect(pair.bob)
        assertEquals(emptyList<String>(), lists.receive())
        extension.processMessages(listOf(IncomingMessage(pair.alices.say("pushed"))))
        delay(100.milliseconds)
        assertTrue(lists.tryReceive().isFailure, "it emitted before refresh")
        pair.bob.refresh()
        lists.awaits("pushed")
        assertEquals(listOf("pushed"), pair.bob.inboxUpdates().first().texts())
    }

    private fun Devices.collect(client: MlsClient): Channel<List<String>> {
        val lists = Channel<List<String>>(Channel.UNLIMITED)
        scope.launch { client.inboxUpdates().collect { lists.send(it.texts()) } }
        return lists
    }

    /** Emissions may repeat or come together; this list must be among them. */
    private suspend fun Channel<List<String>>.awaits(vararg texts: String) {
        while (receive() != texts.toList()) continue
    }
}
