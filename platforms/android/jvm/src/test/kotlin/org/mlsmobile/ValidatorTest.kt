package org.mlsmobile

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.File
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.atomic.AtomicReference

class ValidatorTest {
    @Test
    fun `S20 without a validator a Commit waits across a restart`() = test {
        val pair = pair(bobsValidator = null)
        val commit = pair.alices.selfUpdate().commit
        pair.alices.mergePendingCommit()
        val outcome = pair.bobs.processMessage(commit) as ProcessedMessage.Commit
        assertEquals(CommitState.STAGED, outcome.state)
        val bobs = pair.bob.reopened("bob", null).group(pair.bobs.id)
        assertEquals(outcome.summary.toEpoch, bobs.info().stagedCommit!!.toEpoch)
        assertEquals(outcome.summary.toEpoch, bobs.mergeStagedCommit().summary.toEpoch)
        assertAgreement(pair.alices, bobs)
    }

    @Test
    fun `S21 who discards a Commit has left the others' way`() = test {
        val pair = pair(bobsValidator = null)
        val commit = pair.alices.selfUpdate().commit
        pair.bobs.processMessage(commit)
        pair.bobs.discardStagedCommit()
        val error = refused<MlsException.GroupDiverged> { pair.bobs.say("alone") }
        assertEquals(2uL, error.rejectedEpoch)
        assertEquals(2uL, pair.bobs.info().rejectedEpoch)
    }

    @Test
    fun `S22 a validator refuses and then accepts the same Commit`() = test {
        var answer = true
        val seen = CopyOnWriteArrayList<ValidationRequest>()
        val pair = pair(bobsValidator = CredentialValidator {
            seen += it
            answer
        })
        assertTrue(seen.single() is ValidationRequest.Welcome)
        val commit = pair.alices.selfUpdate().commit
        pair.alices.mergePendingCommit()
        answer = false
        refused<MlsException.CredentialRejected> { pair.bobs.processMessage(commit) }
        assertEquals(1uL, pair.bobs.info().epoch)
        answer = true
        pair.bobs.processMessage(commit)
        assertEquals(pair.bobs.id, (seen.last() as ValidationRequest.Commit).groupId)
        assertAgreement(pair.alices, pair.bobs)
    }

    @Test
    fun `S23 a validator that throws refuses`() = test {
        for (thrown in listOf(IllegalStateException("no opinion"), NotImplementedError(), StackOverflowError())) {
            val alice = MlsClient.open(ClientConfig(path(thrown.javaClass.simpleName), KEY), CredentialValidator { throw thrown })
            alice.use {
                val group = alice.createGroup(alice.identity("alice"))
                val keyPackage = open(thrown.javaClass.simpleName + "2").keyPackage("bob")
                refused<MlsException.CredentialRejected> { group.addMembers(listOf(keyPackage)) }
                assertEquals(null, group.pendingCommit())
                group.say("goes on")
            }
        }
    }

    @Test
    fun `S24 a validator that calls its client gets Reentrant`() = test {
        val client = AtomicReference<MlsClient>()
        val inside = AtomicReference<Throwable>()
        val alice = open("alice", CredentialValidator {
            inside.set(runCatching { runBlocking { client.get().groups() } }.exceptionOrNull())
            true
        })
        client.set(alice)
        alice.createGroup(alice.identity("alice")).add(open("bob"), "bob")
        assertEquals(161u, (inside.get() as MlsException.Reentrant).code)
    }

    @Test
    fun `S25 a log sink gets names and numbers, and disturbs nothing`() = test {
        val lines = CopyOnWriteArrayList<String>()
        val client = open("alice", logSink = LogSink { level, event, fields ->
            lines += "$level $event " + fields.joinToString { "${it.name}=${it.value}" }
            error("the log is full")
        })
        refused<MlsException.GroupNotFound> { client.group(GroupId(byteArrayOf(1))) }
        assertEquals(listOf("INFO opened ", "ERROR group code=100"), lines)
    }

    @Test
    fun `S26 certificates are checked before the app's own validator`() = test {
        for (roots in listOf(emptyList(), listOf("no certificate".toByteArray()))) {
            assertEquals("roots", refused<MlsException.InvalidArgument> { x509Validator(roots) }.argument)
            refused<MlsException.InvalidArgument> { x509ValidatorWithOthers(roots, ACCEPTS) }
        }
        val roots = listOf(File("../../../tests/fixtures/root.der").readBytes())
        val keyPackage = open("bob").keyPackage("bob")
        val asked = AtomicReference<ValidationRequest>()
        val client = AtomicReference<MlsClient>()
        val inside = AtomicReference<Throwable>()
        var next: (ValidationRequest) -> Boolean = { true }
        val others = CredentialValidator {
            asked.set(it)
            next(it)
        }
        val strict = open("strict", x509Validator(roots, others))
        val strictly = strict.createGroup(strict.identity("strict"))
        refused<MlsException.CredentialRejected> { strictly.addMembers(listOf(keyPackage)) }
        assertNull(asked.get())

        client.set(open("alice", x509ValidatorWithOthers(roots, others)))
        val alices = client.get().createGroup(client.get().identity("alice"))
        for (failure in listOf(IllegalStateException("no opinion"), NotImplementedError())) {
            next = { throw failure }
            refused<MlsException.CredentialRejected> { alices.addMembers(listOf(keyPackage)) }
        }
        next = {
            inside.set(runCatching { runBlocking { client.get().groups() } }.exceptionOrNull())
            true
        }
        alices.addMembers(listOf(keyPackage))
        assertTrue(asked.get() is ValidationRequest.KeyPackage)
        assertTrue(inside.get() is MlsException.Reentrant)
    }

    @Test
    fun `S27 the servers that may propose are judged too`() = test {
        var acceptsServers = false
        val seen = CopyOnWriteArrayList<ValidationRequest>()
        val bob = open("bob", CredentialValidator {
            seen += it
            acceptsServers || it !is ValidationRequest.ExternalSenders
        })
        val key = OutsideKey().public
        val server = ExternalSender(key, Credential.Basic("server".toByteArray()))
        val alice = open("alice")
        val alices = alice.createGroup(alice.identity("alice"), GroupConfig(externalSenders = listOf(server)))
        val welcome = alices.addMembers(listOf(bob.keyPackage("bob"))).welcome!!
        alices.mergePendingCommit()
        refused<MlsException.CredentialRejected> { bob.joinFromWelcome(welcome) }
        assertTrue(seen.first() is ValidationRequest.Welcome && seen.size == 2)
        val judged = (seen.last() as ValidationRequest.ExternalSenders).senders.single()
        assertEquals("server", judged.credential.name())
        assertArrayEquals(key, judged.signatureKey)
        acceptsServers = true
        assertAgreement(alices, bob.joinFromWelcome(welcome))
    }
}
