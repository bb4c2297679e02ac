package org.mlsmobile

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import java.io.File
import java.nio.file.Files
import java.security.SecureRandom

/** What the README shows, compiled and run. */
class Samples {
    @Test
    fun `the shortest conversation`() = runBlocking {
        val folder = Files.createTempDirectory("mls").toFile()
        // On Android: DatabaseKey(context).load() and DatabaseKey.folder(context).
        val key = ByteArray(32).also { SecureRandom().nextBytes(it) }
        val suite = Ciphersuite.MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_ED25519

        // A device is a database file. The validator decides whose credentials are genuine.
        val validator = CredentialValidator { request -> request !is ValidationRequest.ExternalJoin }
        val alice = MlsClient.open(ClientConfig(File(folder, "alice.db").path, key), validator)
        val bob = MlsClient.open(ClientConfig(File(folder, "bob.db").path, key), validator)
        val alicesIdentity = alice.createIdentity(Credential.Basic("alice".toByteArray()), suite)
        val bobsIdentity = bob.createIdentity(Credential.Basic("bob".toByteArray()), suite)

        // Bob publishes key packages; Alice takes one and invites him.
        val keyPackage = bob.createKeyPackages(bobsIdentity.id, 1u).first().bytes
        val group = alice.createGroup(alicesIdentity.id)
        val bundle = group.addMembers(listOf(keyPackage))
        // Once the delivery service has accepted bundle.commit: send the Welcome, then merge.
        val bobsGroup = bob.joinFromWelcome(checkNotNull(bundle.welcome))
        group.mergePendingCommit()

        val message = group.createMessage("hello".toByteArray())
        try {
            when (val outcome = bobsGroup.processMessage(message)) {
                is ProcessedMessage.Application -> assertEquals("hello", String(outcome.plaintext))
                else -> error("unexpected: $outcome")
            }
        } catch (error: MlsException.GroupDiverged) {
            error("join again: epoch ${error.rejectedEpoch} was rejected here")
        } catch (error: MlsException) {
            error("${error.code}: ${error.message}")
        }

        // What was received stays in the inbox until the app has saved it.
        val entries = bob.inbox(limit = 100u)
        bob.acknowledge(entries.map { it.id })
        alice.close()
        bob.close()
        folder.deleteRecursively()
        Unit
    }
}
