package org.mlsmobile

import kotlinx.coroutines.async
import kotlinx.coroutines.delay
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

class CatchUpTest {
    @Test
    fun `S30 a batch of two groups is processed in order and ends at the last cursor`() = test {
        val pair = pair()
        val second = pair.alice.createGroup(pair.alice.identities().single().id)
        second.add(pair.bob, "bob2")
        val messages = List(100) { IncomingMessage((if (it % 2 == 0) pair.alices else second).say("$it"), "$it".toByteArray()) }
        val bob = pair.bob.reopened("bob")
        val batch = bob.processMessages(messages)
        assertNull(batch.stoppedAt)
        assertEquals(List(100) { "$it" }, batch.outcomes.map { (it as BatchOutcome.Processed).outcome.text() })
        assertEquals(second.id, (batch.outcomes[1] as BatchOutcome.Processed).groupId)
        assertEquals("99", String(bob.cursor()!!))
    }

    @Test
    fun `S31 damaged and foreign messages carry their errors and stop nothing`() = test {
        val pair = pair()
        val foreign = pair.alice.createGroup(pair.alice.identities().single().id)
        val damaged = pair.alices.say("damaged").also { it[it.size - 1] = (it[it.size - 1] + 1).toByte() }
        val messages = listOf(pair.alices.say("good"), damaged, foreign.say("foreign"), byteArrayOf(1, 2), pair.alices.say("last"))
        val outcomes = pair.bob.processMessages(messages.map { IncomingMessage(it) }).outcomes
        assertEquals("good", (outcomes[0] as BatchOutcome.Processed).outcome.text())
        val invalid = (outcomes[1] as BatchOutcome.Failed).error as MlsException.MessageInvalid
        assertEquals(MessageReason.DECRYPTION_FAILED, invalid.reason)
        val unknown = outcomes[2] as BatchOutcome.Failed
        assertEquals(foreign.id, unknown.groupId)
        assertTrue(unknown.error is MlsException.GroupNotFound)
        assertTrue((outcomes[3] as BatchOutcome.Failed).error is MlsException.MessageMalformed)
        assertEquals("last", (outcomes[4] as BatchOutcome.Processed).outcome.text())
    }

    @Test
    fun `S32 a batch with a budget goes on where it stopped`() = test {
        val pair = pair(bobsValidator = SLOW)
        val commits = pair.commits(12)
        var next = 0
        var rounds = 0
        while (next < commits.size) {
            val batch = pair.bob.processMessages(commits.drop(next), 50.milliseconds)
            assertNull(batch.error)
            assertEquals(batch.outcomes.size, batch.stoppedAt?.toInt() ?: (commits.size - next))
            assertTrue(batch.outcomes.all { (it as BatchOutcome.Processed).outcome is ProcessedMessage.Commit })
            next += batch.outcomes.size
            rounds += 1
            if (next > 0) assertEquals("${next - 1}", String(pair.bob.cursor()!!))
        }
        assertTrue(rounds > 1, "the budget was enough for all")
        assertAgreement(pair.alices, pair.bobs)
    }

    @Test
    fun `S33 a read does not wait for the end of a batch`() = test {
        val pair = pair(bobsValidator = SLOW)
        val commits = pair.commits(50)
        val batch = scope.async { pair.bob.processMessages(commits) }
        while (pair.bobs.info().epoch == 1uL) delay(1)
        assertFalse(batch.isCompleted, "the read came after the batch")
        assertNull(batch.await().stoppedAt)
    }

    @Test
    fun `durations become milliseconds within bounds`() {
        assertEquals(0u, (-5).milliseconds.milliseconds())
        assertEquals(1500u, 1500.milliseconds.milliseconds())
        assertEquals(UInt.MAX_VALUE, Duration.INFINITE.milliseconds())
    }
}
