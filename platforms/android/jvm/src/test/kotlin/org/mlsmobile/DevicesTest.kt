package org.mlsmobile

import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

class DevicesTest {
    @Test
    fun `S10 two devices talk`() = test {
        val pair = pair()
        val message = pair.alices.createMessage("hello".toByteArray(), "public".toByteArray())
        val bob = pair.bob.reopened("bob")
        val bobs = bob.group(pair.bobs.id)
        val heard = bobs.processMessage(message) as ProcessedMessage.Application
        assertEquals("hello", heard.text())
        assertEquals("public", String(heard.authenticatedData))
        assertEquals("alice", String(((heard.sender as Sender.Member).credential as Credential.Basic).identity))
        assertEquals("hi", pair.alices.hear(bobs.say("hi")))
        assertEquals(ProcessedMessage.Duplicate, bobs.processMessage(message))
        assertEquals(ProcessedMessage.OwnMessage, pair.alices.processMessage(message))
        assertAgreement(pair.alices, bobs)
    }

    @Test
    fun `S11 a removed device cannot send`() = test {
        val pair = pair()
        val carol = open("carol")
        val bundle = pair.alices.addMembers(listOf(carol.keyPackage("carol")))
        pair.alices.mergePendingCommit()
        pair.bobs.processMessage(bundle.commit)
        val carols = carol.joinFromWelcome(bundle.welcome!!)
        assertAgreement(pair.alices, pair.bobs, carols)

        val leaf = carols.info().ownLeafIndex
        val removal = pair.bobs.removeMembers(listOf(leaf)).commit
        pair.bobs.mergePendingCommit()
        pair.alices.processMessage(removal)
        assertTrue((carols.processMessage(removal) as ProcessedMessage.Commit).summary.selfRemoved)
        assertFalse(carols.info().isActive)
        refused<MlsException.GroupInactive> { carols.say("still here?") }
        assertAgreement(pair.alices, pair.bobs)
    }

    @Test
    fun `S12 leaving needs another member's Commit`() = test {
        val pair = pair()
        val proposal = pair.bobs.leave().proposal
        assertTrue(pair.alices.processMessage(proposal) is ProcessedMessage.Proposal)
        assertEquals(1, pair.alices.pendingProposals().size)
        refused<MlsException.PendingProposalsExist> { pair.alices.say("too early") }
        val commit = pair.alices.commitToPendingProposals().commit
        pair.alices.mergePendingCommit()
        pair.alices.say("now")
        assertTrue((pair.bobs.processMessage(commit) as ProcessedMessage.Commit).summary.selfRemoved)
        assertFalse(pair.bobs.info().isActive)
    }

    @Test
    fun `S13 when Commits cross the first one wins`() = test {
        val pair = pair()
        pair.alices.selfUpdate()
        val winner = pair.bobs.selfUpdate().commit
        pair.bobs.mergePendingCommit()
        val outcome = pair.alices.processMessage(winner) as ProcessedMessage.Commit
        assertEquals(CommitState.MERGED, outcome.state)
        assertNotNull(outcome.superseded)
        refused<MlsException.NoPendingCommit> { pair.alices.mergePendingCommit() }
        assertAgreement(pair.alices, pair.bobs)
    }

    @Test
    fun `S14 a device joins by an external Commit`() = test {
        val pair = pair()
        val carol = open("carol")
        val groupInfo = pair.alices.exportGroupInfo(true)
        val join = carol.joinByExternalCommit(carol.identity("carol"), groupInfo)
        assertArrayEquals(join.commit, carol.pendingExternalJoin(join.groupId)!!.commit)
        pair.alices.processMessage(join.commit)
        pair.bobs.processMessage(join.commit)
        val again = carol.reopened("carol")
        again.confirmExternalJoin(join.groupId)
        assertAgreement(pair.alices, pair.bobs, again.group(join.groupId))
    }

    @Test
    fun `S15 members export the same and compare authenticators`() = test {
        val pair = pair()
        val context = "call 1".toByteArray()
        assertArrayEquals(
            pair.alices.exportSecret("media", context, 32u),
            pair.bobs.exportSecret("media", context, 32u),
        )
        val (epoch, authenticator) = pair.alices.info().let { it.epoch to it.epochAuthenticator }
        assertEquals(AuthenticatorComparison.SAME, pair.bobs.compareAuthenticator(epoch, authenticator))
        assertEquals(AuthenticatorComparison.DIFFERENT, pair.bobs.compareAuthenticator(epoch, ByteArray(32)))
        assertEquals(AuthenticatorComparison.UNKNOWN, pair.bobs.compareAuthenticator(epoch + 9u, authenticator))
    }
}
