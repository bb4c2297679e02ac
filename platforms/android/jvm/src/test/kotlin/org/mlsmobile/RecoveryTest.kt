package org.mlsmobile

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Test
import java.nio.file.Files

class RecoveryTest {
    private val recoveryKey = ByteArray(32) { 3 }

    @Test
    fun `S94 a lost phone is recovered and joins its group again`() = test {
        val pair = pair()
        val revision = pair.alice.recoveryRevision()
        val archive = pair.alice.exportRecoveryArchive(recoveryKey)
        pair.bobsCommit()
        assertEquals(revision, pair.alice.recoveryRevision(), "epochs need no new archive")

        val alice = recover(pair.alice, archive)
        val waiting = alice.groupsToRejoin().single()
        assertEquals(pair.alices.id to 1uL, waiting.groupId to waiting.epoch)
        assertEquals(alice.identities().single().id, waiting.identity)
        refused<MlsException.GroupNotRejoined> { alice.group(waiting.groupId) }
        val join = alice.joinByExternalCommit(waiting.identity, pair.bobs.exportGroupInfo(true))
        assertNull(join.oldLeafRemains)
        pair.bobs.processMessage(join.commit)
        alice.confirmExternalJoin(waiting.groupId)
        assertEquals(emptyList<GroupToRejoin>(), alice.groupsToRejoin())
        assertEquals(2, pair.bobs.members().size)
        val alices = alice.group(waiting.groupId)
        assertAgreement(alices, pair.bobs)
        assertEquals("back again", pair.bobs.hear(alices.say("back again")))
        alice.createGroup(waiting.identity)
        assertNotEquals(revision, alice.recoveryRevision())
    }

    @Test
    fun `S95 an archive that cannot be used leaves no file, and a group can be given up`() = test {
        val pair = pair()
        val archive = pair.alice.exportRecoveryArchive(recoveryKey)
        val config = ClientConfig(path("recovered"), KEY)
        val otherKey = refused<MlsException.RecoveryArchiveInvalid> { MlsClient.recover(archive, ByteArray(32), config) }
        assertEquals(RecoveryArchiveReason.WRONG_KEY, otherKey.reason)
        val changed = archive.copyOf().also { it[it.size / 2] = (it[it.size / 2] + 1).toByte() }
        val damaged = refused<MlsException.RecoveryArchiveInvalid> { MlsClient.recover(changed, recoveryKey, config) }
        assertEquals(RecoveryArchiveReason.DAMAGED, damaged.reason)
        assertEquals(false, Files.exists(folder.resolve("recovered.db")))
        val existing = refused<MlsException.InvalidArgument> {
            MlsClient.recover(archive, recoveryKey, ClientConfig(path("bob"), KEY))
        }
        assertEquals(ArgumentReason.ALREADY_EXISTS, existing.reason)

        val alice = recover(pair.alice, archive)
        alice.forgetGroupToRejoin(pair.alices.id)
        alice.forgetGroupToRejoin(pair.alices.id)
        assertEquals(emptyList<GroupToRejoin>(), alice.groupsToRejoin())
        refused<MlsException.GroupNotFound> { alice.group(pair.alices.id) }
    }

    @Test
    fun `S96 an old leaf of a newer identity is named and removed`() = test {
        val pair = pair()
        val archive = pair.alice.exportRecoveryArchive(recoveryKey)
        val commit = pair.alices.selfUpdate(pair.alice.identity("alice")).commit
        pair.alices.mergePendingCommit()
        pair.bobs.processMessage(commit)

        val alice = recover(pair.alice, archive)
        val waiting = alice.groupsToRejoin().single()
        val join = alice.joinByExternalCommit(waiting.identity, pair.bobs.exportGroupInfo(true))
        assertEquals(0u, join.oldLeafRemains)
        pair.bobs.processMessage(join.commit)
        alice.confirmExternalJoin(waiting.groupId)
        val alices = alice.group(waiting.groupId)
        assertEquals(3, alices.members().size)
        val removal = alices.removeMembers(listOf(join.oldLeafRemains!!)).commit
        alices.mergePendingCommit()
        pair.bobs.processMessage(removal)
        assertEquals(2, pair.bobs.members().size)
        assertAgreement(alices, pair.bobs)
    }

    private suspend fun Pair.bobsCommit() {
        val commit = bobs.selfUpdate().commit
        bobs.mergePendingCommit()
        alices.processMessage(commit)
    }

    /** The phone is gone with its file, and another takes its place. */
    private suspend fun Devices.recover(lost: MlsClient, archive: ByteArray): MlsClient {
        lost.wipe()
        return MlsClient.recover(archive, recoveryKey, ClientConfig(path("recovered"), KEY), ACCEPTS).also { opened += it }
    }
}
