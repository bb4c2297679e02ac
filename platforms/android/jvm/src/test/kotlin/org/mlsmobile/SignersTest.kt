package org.mlsmobile

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.security.KeyPairGenerator
import java.security.Signature
import java.util.concurrent.atomic.AtomicReference

class SignersTest {
    @Test
    fun `S90 an identity signs with a key outside the library`() = test {
        val key = OutsideKey()
        val alice = open("alice")
        val identity = alice.identity(key, key.signer)
        assertTrue(alice.identities().single().externalSigner)
        assertArrayEquals(key.public, identity.bytes)
        val bobs = alice.createGroup(identity).add(open("bob"), "bob")

        val again = alice.reopened("alice")
        val alices = again.group(bobs.id)
        refused<MlsException.SignerMissing> { alices.say("unsigned") }
        refused<MlsException.SignerMissing> { alices.selfUpdate() }
        again.attachSigner(identity, key.signer)
        assertEquals("signed", bobs.hear(alices.say("signed")))
        val commit = alices.selfUpdate().commit
        alices.mergePendingCommit()
        bobs.processMessage(commit)
        assertAgreement(alices, bobs)
    }

    @Test
    fun `S91 a signer that fails changes nothing`() = test {
        val key = OutsideKey()
        var signer = key.signer
        val alice = open("alice")
        val identity = alice.identity(key, Signer { signer.sign(it) })
        val alices = alice.createGroup(identity)
        val bobs = alices.add(open("bob"), "bob")
        val failing = listOf(
            Signer { throw NotImplementedError("locked") },
            Signer { error("locked") },
            Signer { ByteArray(3) },
            OutsideKey().signer,
        )
        for (broken in failing) {
            refused<MlsException.SignerFailed> { alice.attachSigner(identity, broken) }
            signer = broken
            refused<MlsException.SignerFailed> { alices.say("unsigned") }
            refused<MlsException.SignerFailed> { alices.selfUpdate() }
            assertFalse(alices.info().hasPendingCommit)
            signer = key.signer
            assertEquals("signed", bobs.hear(alices.say("signed")))
        }
        refused<MlsException.IdentityAlreadyExists> { alice.identity(key, key.signer) }
        assertAgreement(alices, bobs)
    }

    @Test
    fun `S92 a signer that calls its client gets Reentrant`() = test {
        val key = OutsideKey()
        val inside = AtomicReference<Throwable>()
        val alice = open("alice")
        val calling = Signer {
            inside.set(runCatching { runBlocking { alice.groups() } }.exceptionOrNull())
            key.signer.sign(it)
        }
        val identity = alice.identity(key, calling)
        assertTrue(inside.getAndSet(null) is MlsException.Reentrant)
        alice.attachSigner(identity, calling)
        assertTrue(inside.getAndSet(null) is MlsException.Reentrant)
        alice.createGroup(identity).say("signed")
        assertTrue(inside.get() is MlsException.Reentrant)
    }

    @Test
    fun `S93 a replaced credential reaches the others by a Commit`() = test {
        val pair = pair()
        val identity = pair.alice.identities().single()
        val replaced = pair.alice.replaceCredential(identity.id, Credential.Basic("alice, renamed".toByteArray()))
        assertEquals(identity.id, replaced.id)
        val commit = pair.alices.selfUpdate(identity.id).commit
        pair.alices.mergePendingCommit()
        val outcome = pair.bobs.processMessage(commit) as ProcessedMessage.Commit
        val updated = outcome.summary.updated.single()
        assertEquals("alice" to "alice, renamed", updated.before.credential.name() to updated.after.credential.name())
        assertAgreement(pair.alices, pair.bobs)
    }

    private suspend fun MlsClient.identity(key: OutsideKey, signer: Signer): IdentityId =
        createIdentityWithSigner(Credential.Basic("alice".toByteArray()), SUITE, key.public, signer).id
}

/** An Ed25519 key that the library never sees. */
class OutsideKey {
    private val pair = KeyPairGenerator.getInstance("Ed25519").generateKeyPair()

    /** The last 32 bytes of what the JDK calls encoded (RFC 8410, section 4). */
    val public: ByteArray = pair.public.encoded.takeLast(32).toByteArray()

    val signer = Signer { bytes ->
        Signature.getInstance("Ed25519").run {
            initSign(pair.private)
            update(bytes)
            sign()
        }
    }
}

fun Credential.name(): String = String((this as Credential.Basic).identity)
