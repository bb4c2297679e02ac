package org.example

import kotlinx.coroutines.runBlocking
import org.mlsmobile.*
import java.nio.file.Files

/** A conversation, with a callback and an error, in an app that was shrunk. */
fun main(): Unit = runBlocking {
    val folder = Files.createTempDirectory("mls")
    val suite = Ciphersuite.MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_ED25519
    var asked = 0
    val accepts = CredentialValidator {
        asked += 1
        true
    }
    val (alice, bob) = listOf("alice", "bob").map {
        MlsClient.open(ClientConfig(folder.resolve("$it.db").toString(), ByteArray(32)), accepts)
    }
    val group = alice.createGroup(alice.createIdentity(Credential.Basic("alice".toByteArray()), suite).id)
    val identity = bob.createIdentity(Credential.Basic("bob".toByteArray()), suite)
    val bundle = group.addMembers(bob.createKeyPackages(identity.id, 1u).map { it.bytes })
    group.mergePendingCommit()
    val bobs = bob.joinFromWelcome(checkNotNull(bundle.welcome))
    val heard = bobs.processMessage(group.createMessage("hello".toByteArray())) as ProcessedMessage.Application
    check(String(heard.plaintext) == "hello" && asked == 2)
    try {
        bobs.processMessage(ByteArray(3))
        error("no error")
    } catch (error: MlsException.MessageMalformed) {
        check(error.code == 152u)
    }
    alice.close()
    bob.close()
    folder.toFile().deleteRecursively()
    // The name is put together here, so that it does not count as a use.
    check(runCatching { Class.forName(listOf("org", "example", "Unused").joinToString(".")) }.isFailure) { "not shrunk" }
    println("a shrunk app talked")
}

/** Nobody needs it, so it must be gone. */
class Unused
