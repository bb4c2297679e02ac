package org.mlsmobile

import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.time.Duration
import java.time.Instant

class ConfigurationTest {
    @Test
    fun `S97 a group tells how it was configured`() = test {
        val server = ExternalSender(OutsideKey().public, Credential.Basic("server".toByteArray()))
        val config = GroupConfig(
            groupId = GroupId("the app's own".toByteArray()),
            leafNode = LeafNodeOptions("phone".toByteArray(), supportedExtensions = listOf(OURS), supportedProposals = listOf(OURS)),
            requiredCapabilities = RequiredCapabilities(proposals = listOf(OURS)),
            extensions = listOf(Extension(OURS, "content".toByteArray())),
            externalSenders = listOf(server),
        )
        val alice = open("alice")
        assertEquals(config.groupId, alice.createGroup(alice.identity("alice"), config).id)

        val group = alice.reopened("alice").group(config.groupId!!)
        val extension = group.info().extensions.single { it.extensionType == OURS }
        assertEquals("content", String(extension.data))
        assertArrayEquals(server.signatureKey, group.externalSenders().single().signatureKey)
        assertEquals("server", group.externalSenders().single().credential.name())
        assertEquals(listOf("phone"), group.applicationIds())
        val supported = group.supportedByAll()
        assertTrue(OURS in supported.extensions && OURS in supported.proposals)

        val atCreation = mapOf(
            "group_id" to GroupConfig(groupId = config.groupId),
            "leaf_node" to GroupConfig(leafNode = config.leafNode),
            "required_capabilities" to GroupConfig(requiredCapabilities = config.requiredCapabilities),
            "extensions" to GroupConfig(extensions = config.extensions),
            "external_senders" to GroupConfig(externalSenders = config.externalSenders),
        )
        for ((argument, late) in atCreation) {
            val error = refused<MlsException.InvalidArgument> { group.configure(late) }
            assertEquals(argument to ArgumentReason.ONLY_AT_CREATION, error.argument to error.reason)
        }
        group.configure(GroupConfig(maxPastEpochs = 1u))
    }

    @Test
    fun `S98 what a leaf says reaches the others by a Commit`() = test {
        val pair = pair()
        val commit = pair.alices.updateLeafNode(named("tablet")).commit
        pair.alices.mergePendingCommit()
        pair.bobs.processMessage(commit)
        assertEquals(listOf("tablet", null), pair.bobs.applicationIds())

        pair.alices.processMessage(pair.bobs.proposeLeafNode(named("watch")).proposal)
        val carriedOut = pair.alices.commitToPendingProposals().commit
        pair.alices.mergePendingCommit()
        pair.bobs.processMessage(carriedOut)
        assertEquals(listOf("tablet", "watch"), pair.bobs.applicationIds())

        val carol = open("carol")
        val groupInfo = pair.alices.exportGroupInfo(true)
        val join = carol.joinByExternalCommitWithLeafNode(carol.identity("carol"), groupInfo, named("car"))
        pair.alices.processMessage(join.commit)
        pair.bobs.processMessage(join.commit)
        carol.confirmExternalJoin(pair.alices.id)
        for (group in listOf(pair.alices, pair.bobs, carol.group(pair.alices.id))) {
            assertEquals(listOf("tablet", "watch", "car"), group.applicationIds())
        }
    }

    @Test
    fun `S99 padding makes short messages equally long`() = test {
        val pair = pair()
        val lengths = mutableMapOf<Padding, List<Int>>()
        for (padding in listOf(Padding.Off, Padding.Block(1024u), Padding.Buckets)) {
            pair.alices.configure(GroupConfig(padding = padding))
            lengths[padding] = listOf("a", "b".repeat(100)).map { text ->
                val message = pair.alices.say(text)
                assertEquals(text, pair.bobs.hear(message))
                message.size
            }
        }
        assertEquals(2, lengths.getValue(Padding.Off).toSet().size, "$lengths")
        for (padding in listOf(Padding.Block(1024u), Padding.Buckets)) {
            assertEquals(1, lengths.getValue(padding).toSet().size, "$lengths")
        }
        assertNotEquals(lengths[Padding.Buckets], lengths[Padding.Block(1024u)])
    }

    @Test
    fun `S100 lifetimes are held to the client's longest`() = test {
        val halfADay = Duration.ofHours(12)
        fun lifetimes(seconds: ULong) = ClientConfig(path("alice"), KEY, lifetimes = Lifetimes(maximumLifetimeSeconds = seconds))

        fun options(lifetime: Duration) = KeyPackageOptions(lifetimeSeconds = lifetime.seconds.toULong())
        MlsClient.open(lifetimes(86_400u)).use { alice ->
            val identity = alice.createIdentity(Credential.Basic("alice".toByteArray())).id
            assertEquals(SUITE, alice.identities().single().ciphersuite, "the default")
            val keyPackage = alice.createKeyPackages(identity, 1u, options(halfADay)).single()
            val now = Instant.now()
            assertTrue(now > keyPackage.validFrom && now < keyPackage.validUntil)
            assertTrue(keyPackage.validUntil <= now + halfADay, "${keyPackage.validUntil}")
            val error = refused<MlsException.InvalidArgument> {
                alice.createKeyPackages(identity, 1u, options(Duration.ofDays(2)))
            }
            assertEquals("lifetime_seconds", error.argument)
        }
        for (impossible in listOf(0uL, ULong.MAX_VALUE)) {
            refused<MlsException.InvalidArgument> { MlsClient.open(lifetimes(impossible)) }
        }
    }

    private fun named(name: String) = LeafNodeOptions(applicationId = name.toByteArray())

    private suspend fun MlsGroup.applicationIds(): List<String?> = leafNodes().map { it.leafNode.applicationId?.let(::String) }

    private companion object {
        /** A type for private use, of extensions and of proposals. */
        const val OURS: UShort = 0xf0a1u
    }
}
