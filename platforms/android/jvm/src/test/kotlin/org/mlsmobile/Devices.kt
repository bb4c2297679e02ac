package org.mlsmobile

import com.sun.jna.Native
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import kotlin.time.Duration.Companion.seconds

val SUITE = Ciphersuite.MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_ED25519
val KEY = ByteArray(32) { 7 }
val ACCEPTS = CredentialValidator { true }

/** One that takes its time over Commits: a batch of them takes long on any machine. */
val SLOW = CredentialValidator { request ->
    if (request is ValidationRequest.Commit) Thread.sleep(20)
    true
}

/** What the app's callbacks let through to the native side, which is left without an answer: always empty. */
private val escaped = ConcurrentLinkedQueue<Throwable>().also { escaped ->
    Native.setCallbackExceptionHandler { _, thrown -> escaped += thrown }
}

/** A test with a folder of its own, in which it opens devices; it ends, whatever hangs. */
fun test(block: suspend Devices.() -> Unit): Unit =
    runBlocking(Dispatchers.Default) {
        val folder = Files.createTempDirectory("mls")
        val devices = Devices(folder, this)
        try {
            withTimeout(60.seconds) { devices.block() }
            assertEquals(emptyList<Throwable>(), escaped.toList(), "thrown out of a callback")
        } finally {
            escaped.clear()
            devices.opened.forEach { it.close() }
            folder.toFile().deleteRecursively()
        }
    }

class Devices(
    val folder: Path,
    val scope: CoroutineScope,
) {
    val opened = mutableListOf<MlsClient>()

    fun path(name: String): String = folder.resolve("$name.db").toString()

    suspend fun open(
        name: String,
        validator: CredentialValidator? = ACCEPTS,
        logSink: LogSink? = null,
    ): MlsClient = MlsClient.open(ClientConfig(path(name), KEY), validator, logSink).also { opened += it }

    /** The app is started again. */
    suspend fun MlsClient.reopened(
        name: String,
        validator: CredentialValidator? = ACCEPTS,
    ): MlsClient {
        close()
        return open(name, validator)
    }
}

suspend fun MlsClient.identity(name: String): IdentityId =
    createIdentity(Credential.Basic(name.toByteArray()), SUITE).id

suspend fun MlsClient.keyPackage(name: String): ByteArray = createKeyPackages(identity(name), 1u).single().bytes

/** Two devices in one group. */
class Pair(
    val alice: MlsClient,
    val bob: MlsClient,
    val alices: MlsGroup,
    val bobs: MlsGroup,
)

/** Commits that Alice makes and merges, each with its number as cursor. */
suspend fun Pair.commits(count: Int): List<IncomingMessage> =
    List(count) {
        val commit = alices.selfUpdate().commit
        alices.mergePendingCommit()
        IncomingMessage(commit, "$it".toByteArray())
    }

suspend fun Devices.pair(
    alicesValidator: CredentialValidator? = ACCEPTS,
    bobsValidator: CredentialValidator? = ACCEPTS,
): Pair {
    val alice = open("alice", alicesValidator)
    val bob = open("bob", bobsValidator)
    val alices = alice.createGroup(alice.identity("alice"))
    return Pair(alice, bob, alices, alices.add(bob, "bob"))
}

/** A validator that accepts when it is let go on, and tells when it was asked: it holds the call that asks. */
class Hold {
    private val asked = CountDownLatch(1)
    private val released = CountDownLatch(1)

    /** Requests that are let through before. */
    @Volatile
    var active = false

    val validator = CredentialValidator {
        if (active) {
            asked.countDown()
            released.await(30, TimeUnit.SECONDS)
        }
        true
    }

    suspend fun awaitAsked() {
        while (asked.count > 0) delay(1)
    }

    fun release() = released.countDown()
}

/** A device that this group adds; it joins. */
suspend fun MlsGroup.add(
    client: MlsClient,
    name: String,
): MlsGroup {
    val bundle = addMembers(listOf(client.keyPackage(name)))
    mergePendingCommit()
    return client.joinFromWelcome(bundle.welcome!!)
}

suspend fun MlsGroup.say(text: String): ByteArray = createMessage(text.toByteArray())

suspend fun MlsGroup.hear(message: ByteArray): String = processMessage(message).text()

fun ProcessedMessage.text(): String = String((this as ProcessedMessage.Application).plaintext)

fun List<InboxEntry>.texts(): List<String> = map { it.outcome.text() }

/** All are in the same epoch with the same secrets. */
suspend fun assertAgreement(vararg groups: MlsGroup) {
    val states = groups.map { it.info() }
    assertEquals(1, states.map { it.epoch }.toSet().size, "epochs differ")
    assertEquals(1, states.map { it.epochAuthenticator.hex() }.toSet().size, "authenticators differ")
}

fun ByteArray.hex(): String = joinToString("") { "%02x".format(it) }

/** The error that the call throws, which must be of this type. */
suspend inline fun <reified E : Throwable> refused(crossinline call: suspend () -> Unit): E {
    try {
        call()
    } catch (error: Throwable) {
        if (error is E) return error
        throw AssertionError("expected ${E::class.simpleName}, got $error", error)
    }
    throw AssertionError("expected ${E::class.simpleName}, and nothing was thrown")
}
