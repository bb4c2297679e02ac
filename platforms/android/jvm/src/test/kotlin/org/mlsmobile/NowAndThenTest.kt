package org.mlsmobile

import kotlinx.coroutines.delay
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import kotlin.time.Duration.Companion.seconds

class NowAndThenTest {
    @Test
    fun `S111 a device that nobody invited asks to be added`() = test {
        val pair = pair()
        val carol = open("carol")
        val options = KeyPackageOptions(leafNode = LeafNodeOptions(applicationId = "tablet".toByteArray()))
        val (proposal, keyPackage) = carol.proposeExternalJoin(carol.identity("carol"), pair.alices.id, 1u, options)
        assertEquals(keyPackage, carol.keyPackages().single().reference)
        for (group in listOf(pair.alices, pair.bobs)) {
            val asked = group.processMessage(proposal) as ProcessedMessage.ExternalJoinProposal
            assertEquals("carol", (asked.summary.sender as Sender.NewMember).credential.name())
            assertEquals("carol", (asked.summary.kind as ProposalKind.Add).member.credential.name())
            assertEquals(listOf(asked.reference), group.queue())
        }
        val bundle = pair.alices.commitToPendingProposals()
        pair.alices.accepted(bundle, pair.bobs)
        val carols = carol.joinFromWelcome(bundle.welcome!!)
        assertEquals(emptyList<KeyPackage>(), carol.keyPackages())
        assertEquals("tablet", String(pair.bobs.leafNodes()[2].leafNode.applicationId!!))
        assertAgreement(pair.alices, pair.bobs, carols)
    }

    @Test
    fun `S112 each kind of proposal is carried out or taken back`() = test {
        val alice = open("alice")
        val dave = open("dave")
        val (alices, bobs, carols) = trio(alice)
        val carol = carols.info().ownLeafIndex
        val proposed = listOf(
            alices.proposeAdd(dave.listingKeyPackage("dave")),
            alices.proposeRemove(carol),
            alices.proposeSelfUpdate(alice.identity("alice, renamed")),
            alices.proposeGroupContextExtensions(REQUIRED + Extension(OURS, "content".toByteArray())),
            alices.proposeCustom(OURS, "vote".toByteArray()),
        )
        for (bundle in proposed) {
            for (group in listOf(bobs, carols)) {
                assertTrue(group.processMessage(bundle.proposal) is ProcessedMessage.Proposal)
            }
        }
        for (group in listOf(alices, bobs)) {
            assertEquals(proposed.map { it.reference }, group.queue())
            val kinds = group.pendingProposals().map { it.kind }
            assertEquals("dave", (kinds[0] as ProposalKind.Add).member.credential.name())
            assertEquals(carol, (kinds[1] as ProposalKind.Remove).member!!.leafIndex)
            assertEquals("alice, renamed", (kinds[2] as ProposalKind.Update).member.credential.name())
            assertEquals(ProposalKind.GroupContextExtensions, kinds[3])
            val custom = kinds[4] as ProposalKind.Custom
            assertEquals(OURS to "vote", custom.proposalType to String(custom.payload))
        }

        val bundle = bobs.commitToPendingProposals()
        val (alicesSummary, carolsSummary) = bobs.accepted(bundle, alices, carols)
        val daves = dave.joinFromWelcome(bundle.welcome!!)
        assertEquals(listOf("dave"), alicesSummary.added.map { it.credential.name() })
        assertEquals(listOf(carol), alicesSummary.removed.map { it.leafIndex })
        val names = alicesSummary.updated.map { it.before.credential.name() to it.after.credential.name() }
        assertTrue("alice" to "alice, renamed" in names, "$names")
        assertTrue(alicesSummary.extensionsChanged)
        val custom = alicesSummary.custom.single()
        assertEquals(Triple(0u, OURS, "vote"), Triple(custom.leafIndex, custom.proposalType, String(custom.payload)))
        assertTrue(carolsSummary.selfRemoved)
        assertEquals("content", alices.content())
        assertEquals(emptyList<ProposalRef>(), alices.queue())
        assertAgreement(alices, bobs, daves)

        val takenBack = alices.proposeRemove(bobs.info().ownLeafIndex).reference
        val cleared = alices.proposeCustom(OURS, "another vote".toByteArray()).reference
        assertEquals(listOf(takenBack, cleared), alices.queue())
        alices.removePendingProposal(takenBack)
        refused<MlsException.ProposalNotFound> { alices.removePendingProposal(takenBack) }
        assertEquals(listOf(cleared), alices.queue())
        alices.clearPendingProposals()
        assertEquals(emptyList<ProposalRef>(), alices.queue())
        assertEquals("nothing more", bobs.hear(alices.say("nothing more")))
        assertAgreement(alices, bobs, daves)
    }

    @Test
    fun `S113 pre-shared keys are mixed in by Commits and external joins`() = test {
        val pair = pair()
        val carol = open("carol")
        val id = "meeting".toByteArray()
        for (client in listOf(pair.alice, pair.bob, carol)) client.registerPsk(id, ByteArray(32) { 5 })
        val proposal = pair.alices.proposePsk(PskId.External(id)).proposal
        assertTrue(pair.bobs.processMessage(proposal) is ProcessedMessage.Proposal)
        val (summary) = pair.alices.accepted(pair.alices.commitToPendingProposals(), pair.bobs)
        assertEquals(listOf("meeting"), summary.pskNames())
        assertAgreement(pair.alices, pair.bobs)

        val secrets = listOf(1uL, 2uL).map { epoch ->
            val secret = pair.alices.resumptionPsk(epoch)!!
            assertArrayEquals(secret, pair.bobs.resumptionPsk(epoch))
            secret.hex()
        }
        assertNotEquals(secrets[0], secrets[1])
        assertNull(pair.bobs.resumptionPsk(0u), "he was not in it")

        val (info, tree) = pair.alices.exportGroupInfo(false) to pair.alices.exportRatchetTree()
        val join = carol.joinByExternalCommitWithPsks(carol.identity("carol"), info, tree, listOf(id))
        for (group in listOf(pair.alices, pair.bobs)) {
            val joined = (group.processMessage(join.commit) as ProcessedMessage.Commit).summary
            assertEquals(listOf("carol"), joined.externalJoins.map { it.credential.name() })
            assertEquals(listOf("meeting"), joined.pskNames())
        }
        carol.confirmExternalJoin(join.groupId)
        assertAgreement(pair.alices, pair.bobs, carol.group(join.groupId))

        pair.alice.deletePsk(id)
        refused<MlsException.PskNotFound> { pair.alices.proposePsk(PskId.External(id)) }
        assertEquals(emptyList<ProposalRef>(), pair.alices.queue())
    }

    @Test
    fun `S114 a group changes and old secrets go`() = test {
        val (alices, bobs, carols) = trio(open("alice"))
        val old = List(3) { alices.say("old $it") }
        val dave = open("dave")
        val carol = carols.info().ownLeafIndex
        val swap = alices.swapMembers(listOf(carol), listOf(dave.listingKeyPackage("dave")))
        val (bobsSummary, carolsSummary) = alices.accepted(swap, bobs, carols)
        val daves = dave.joinFromWelcome(swap.welcome!!)
        assertEquals(listOf("carol"), bobsSummary.removed.map { it.credential.name() })
        assertTrue(carolsSummary.selfRemoved)
        assertEquals(listOf("alice", "bob", "dave"), bobs.members().map { it.credential.name() })

        val server = ExternalSender(ByteArray(32) { 1 }, Credential.Basic("server".toByteArray()))
        val servers = externalSendersExtension(listOf(server))
        val extensions = REQUIRED + servers + Extension(OURS, "content".toByteArray())
        val (changed) = alices.accepted(alices.updateGroupContextExtensions(extensions), bobs, daves)
        assertTrue(changed.extensionsChanged)
        assertEquals("content", daves.content())
        assertArrayEquals(byteArrayOf(2, 0xf0.toByte(), 0xa1.toByte(), 0, 0), REQUIRED.single().data)
        assertArrayEquals(server.signatureKey, daves.externalSenders().single().signatureKey)

        val proposal = bobs.proposeSelfUpdate().proposal
        for (group in listOf(alices, daves)) group.processMessage(proposal)
        refused<MlsException.PendingProposalsExist> { alices.say("not yet") }
        val commit = alices.commitAndCreateMessage("with the Commit".toByteArray(), "public".toByteArray()).commit
        val created = alices.mergePendingCommit().released.single() as ProcessedMessage.MessageCreated
        for (group in listOf(bobs, daves)) {
            val summary = (group.processMessage(commit) as ProcessedMessage.Commit).summary
            assertTrue("bob" in summary.updated.map { it.after.credential.name() })
            val heard = group.processMessage(created.bytes) as ProcessedMessage.Application
            assertEquals("with the Commit" to "public", heard.text() to String(heard.authenticatedData))
        }
        assertAgreement(alices, bobs, daves)

        val secrets = listOf<UShort>(1u, 2u).map { component ->
            val secret = alices.safeExportSecret(component)
            assertArrayEquals(secret, bobs.safeExportSecret(component))
            for (group in listOf(alices, bobs)) {
                refused<MlsException.SecretAlreadyExported> { group.safeExportSecret(component) }
            }
            secret.hex()
        }
        assertNotEquals(secrets[0], secrets[1])

        assertEquals("old 0", bobs.hear(old[0]))
        bobs.deletePastEpochSecrets(PastEpochDeletion.AllButNewest(3u))
        assertEquals("old 1", bobs.hear(old[1]))
        bobs.deletePastEpochSecrets(PastEpochDeletion.All)
        for (group in listOf(bobs, daves)) assertEquals(ProcessedMessage.Stale(1u), group.processMessage(old[2]))
        refused<MlsException.GroupInactive> { carols.processMessage(old[2]) }
        assertAgreement(alices, bobs, daves)
    }

    @Test
    fun `S115 early messages are dropped or released`() = test {
        var unwanted: ULong? = null
        val validator = CredentialValidator { !(it is ValidationRequest.Commit && it.summary.fromEpoch == unwanted) }
        val pair = pair(bobsValidator = validator)
        val commit = pair.commits(1).single().bytes
        val messages = listOf("one", "two").map { pair.alices.say(it) }
        pair.bobs.comeEarly(messages)
        val dropped = pair.bobs.dropEarlyMessages().map { it as ProcessedMessage.EarlyRefused }
        assertEquals(List(2) { 2uL to EarlyRefusal.DROPPED }, dropped.map { it.epoch to it.reason })
        assertEquals(0u, pair.bobs.info().earlyMessages)
        pair.bobs.comeEarly(messages)
        assertEquals(emptyList<ProcessedMessage>(), pair.bobs.releaseEarlyMessages())
        assertEquals(2u, pair.bobs.info().earlyMessages, "they still wait")
        val outcome = pair.bobs.processMessage(commit) as ProcessedMessage.Commit
        assertEquals(listOf("one", "two"), outcome.released.map { it.text() })
        assertEquals(emptyList<ProcessedMessage>(), pair.bobs.releaseEarlyMessages())
        assertAgreement(pair.alices, pair.bobs)

        val (next, last) = pair.commits(2).map { it.bytes }
        pair.bobs.processMessage(last)
        unwanted = 3u
        val refusal = (pair.bobs.processMessage(next) as ProcessedMessage.Commit).released.single()
        assertEquals(EarlyRefusal.REJECTED, (refusal as ProcessedMessage.EarlyRefused).reason)
        unwanted = null
        val released = pair.bobs.releaseEarlyMessages().single() as ProcessedMessage.Commit
        assertEquals(4uL, released.summary.toEpoch)
        assertEquals(emptyList<ProcessedMessage>(), pair.bobs.releaseEarlyMessages())
        assertAgreement(pair.alices, pair.bobs)
    }

    @Test
    fun `S116 a device looks after what it has`() = test {
        val alices = open("alice").run { createGroup(identity("alice")) }
        var bob = open("bob")
        val identity = bob.identity("bob")
        val expired = bob.replenishKeyPackages(identity, 2u, KeyPackageOptions(lifetimeSeconds = 1u))
        delay(2.seconds)
        val made = bob.replenishKeyPackages(identity, 3u)
        assertEquals(2 to 3, expired.size to made.size)
        assertEquals((expired + made).map { it.reference }, bob.keyPackages().map { it.reference })
        assertEquals(2uL, bob.deleteExpiredKeyPackages())
        bob.deleteKeyPackage(made[0].reference)
        val kept = made.drop(1) + bob.replenishKeyPackages(identity, 3u)
        assertEquals(3, kept.size)
        assertEquals(kept.map { it.reference }, bob.keyPackages().map { it.reference })

        alices.configure(GroupConfig(ratchetTreeInWelcome = false))
        val welcome = alices.addMembers(listOf(kept[0].bytes)).welcome!!
        alices.mergePendingCommit()
        val tree = alices.exportRatchetTree()
        val invitation = bob.inspectWelcome(welcome, tree)
        assertEquals(emptyList<GroupSummary>(), bob.groups())
        var bobs = bob.joinFromWelcome(welcome, tree)
        val state = bobs.info()
        assertEquals(bobs.id to state.epoch, invitation.groupId to invitation.epoch)
        assertEquals(state.ciphersuite to state.ownLeafIndex, invitation.ciphersuite to invitation.ownLeafIndex)
        assertEquals("alice", invitation.sender!!.credential.name())
        assertEquals(bobs.members().map { it.signatureKey.hex() }, invitation.members.map { it.signatureKey.hex() })

        val message = alices.say("hello")
        val seen = bob.messageInfo(message)
        val expected = MessageInfo(alices.id, 1u, MessageKind.APPLICATION, WireFormat.PRIVATE_MESSAGE)
        assertEquals(expected, seen)
        assertEquals("hello", bobs.hear(message))

        bob.joinByExternalCommit(identity, alices.exportGroupInfo(true))
        assertNotNull(bob.pendingExternalJoin(bobs.id))
        bob.abandonExternalJoin(bobs.id)
        assertNull(bob.pendingExternalJoin(bobs.id))
        refused<MlsException.NoExternalJoin> { bob.confirmExternalJoin(bobs.id) }
        assertAgreement(alices, bobs)

        val newKey = ByteArray(32) { 8 }
        bob.rekey(newKey)
        refused<MlsException.RekeyPending> { bob.rotateDataKey() }
        bob.confirmRekey()
        bob.rotateDataKey()
        bob.close()
        bob = MlsClient.open(ClientConfig(path("bob"), newKey), ACCEPTS).also { opened += it }
        bobs = bob.group(bobs.id)
        assertEquals(kept.drop(1).map { it.reference }, bob.keyPackages().map { it.reference })
        assertEquals(listOf("hello"), bob.inbox(9u).texts())
        assertEquals("still here", alices.hear(bobs.say("still here")))
        assertAgreement(alices, bobs)

        refused<MlsException.IdentityInUse> { bob.deleteIdentity(identity) }
        bobs.delete()
        bob.deleteIdentity(identity)
        assertEquals(emptyList<Identity>(), bob.identities())
        assertEquals(emptyList<KeyPackage>(), bob.keyPackages())
    }

    /** Alice, Bob and Carol, whose leaves list what the app understands. */
    private suspend fun Devices.trio(alice: MlsClient): List<MlsGroup> {
        val alices = alice.createGroup(alice.identity("alice"), GroupConfig(leafNode = LISTING))
        val others = listOf("bob", "carol").associateWith { open(it) }
        val bundle = alices.addMembers(others.map { (name, client) -> client.listingKeyPackage(name) })
        alices.mergePendingCommit()
        return listOf(alices) + others.values.map { it.joinFromWelcome(bundle.welcome!!) }
    }

    private suspend fun MlsClient.listingKeyPackage(name: String): ByteArray =
        createKeyPackages(identity(name), 1u, KeyPackageOptions(leafNode = LISTING)).single().bytes

    /** The delivery service accepts this group's Commit: the others follow. */
    private suspend fun MlsGroup.accepted(bundle: CommitBundle, vararg others: MlsGroup): List<CommitSummary> {
        mergePendingCommit()
        return others.map { (it.processMessage(bundle.commit) as ProcessedMessage.Commit).summary }
    }

    private suspend fun MlsGroup.queue(): List<ProposalRef> = pendingProposals().map { it.reference }

    /** What the app has put into the GroupContext. */
    private suspend fun MlsGroup.content(): String = String(info().extensions.single { it.extensionType == OURS }.data)

    private suspend fun MlsGroup.comeEarly(messages: List<ByteArray>) {
        for ((index, message) in messages.withIndex()) {
            assertEquals(ProcessedMessage.Early(2u), processMessage(message))
            assertEquals(index + 1, info().earlyMessages.toInt())
        }
    }

    private fun CommitSummary.pskNames(): List<String> = psks.map { String((it as PskId.External).id) }

    private companion object {
        /** A type for private use, of extensions and of proposals. */
        const val OURS: UShort = 0xf0a1u

        val LISTING = LeafNodeOptions(supportedExtensions = listOf(OURS), supportedProposals = listOf(OURS))

        /** The required capabilities, in a list of their own: that extension, no proposal, no credential. */
        val REQUIRED = listOf(requiredCapabilitiesExtension(RequiredCapabilities(extensions = listOf(OURS))))
    }
}
