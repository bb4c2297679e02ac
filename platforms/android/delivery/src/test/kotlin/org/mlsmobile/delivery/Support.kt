package org.mlsmobile.delivery

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.mlsmobile.*
import java.io.File
import java.io.InputStream
import java.net.ServerSocket
import java.nio.file.Files
import java.util.concurrent.CopyOnWriteArrayList
import javax.net.ssl.SSLServerSocket
import kotlin.concurrent.thread
import kotlin.time.Duration.Companion.seconds

/** A test with a folder of its own; it ends, whatever hangs, and what it opened and started ends with it. */
fun test(block: suspend Place.() -> Unit): Unit =
    runBlocking(Dispatchers.Default) {
        val place = Place(Files.createTempDirectory("mls").toFile(), this)
        try {
            withTimeout(120.seconds) { place.block() }
        } finally {
            place.clients.forEach { it.close() }
            place.started.forEach { it.close() }
            place.folder.deleteRecursively()
        }
    }

class Place(val folder: File, val scope: CoroutineScope) {
    val clients = mutableListOf<MlsClient>()
    val started = mutableListOf<AutoCloseable>()

    /** The real service, on a database of its own: test.sh names it, once its part `service` has built it. */
    suspend fun service(): Service {
        val binary = System.getProperty("mls.delivery.service").orEmpty()
        assumeTrue(binary.isNotEmpty(), "skipped: no delivery service was named")
        val database = "sqlite:" + File(folder, "delivery.db")
        val command = listOf(binary, "--listen", "127.0.0.1:0", "--stranger-rate", "1000", "--database", database)
        val program = Program(command).also { started += it }
        return Service(program, program.line().removePrefix("listening on "))
    }

    /** A registered device. */
    suspend fun device(name: String, service: DeliveryClient): Device {
        val config = ClientConfig(File(folder, "$name.db").path, ByteArray(32))
        val client = MlsClient.open(config, CredentialValidator { true })
        clients += client
        val identity = client.createIdentity(Credential.Basic(name.toByteArray())).id
        return Device(client, identity, register(client, identity, service), service)
    }
}

class Service(private val program: Program, val address: String) {
    fun stop() = program.close()
}

/** A program with its standard streams. */
class Program(command: List<String>) : AutoCloseable {
    private val process = ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start()
    private val output = process.inputStream.bufferedReader()
    private val input = process.outputStream.bufferedWriter()

    suspend fun line(): String = withContext(Dispatchers.IO) { checkNotNull(output.readLine()) { "it has ended" } }

    /** Tells it a line, and gives its answer. */
    suspend fun tell(line: String): String {
        withContext(Dispatchers.IO) {
            input.write(line + "\n")
            input.flush()
        }
        return line()
    }

    /** Tells it nothing more, and waits for it to end. */
    suspend fun end(): Int =
        withContext(Dispatchers.IO) {
            input.close()
            process.waitFor()
        }

    override fun close() {
        process.destroyForcibly().waitFor()
    }
}

class Device(val client: MlsClient, val identity: IdentityId, val registered: Registered, service: DeliveryClient) {
    val delivery = service.with(registered.token)
    val id = registered.device

    /** A group of this device and another. */
    suspend fun group(other: Device, joinSecret: ByteArray? = null): Pair<MlsGroup, MlsGroup> {
        val group = client.createGroup(identity)
        delivery.createGroup(group.id.bytes, joinSecret = joinSecret)
        other.delivery.publishKeyPackages(other.client.createKeyPackages(other.identity, 1u).map { it.bytes })
        val bundle = group.addMembers(listOf(delivery.claimKeyPackage(other.id, 3u)))
        val nobody = DeviceId(ByteArray(32))
        val outcome = delivery.submit(group.id.bytes, bundle.commit, bundle.welcome, listOf(other.id, nobody))
        assertAccepted(outcome, 1u, unknown = listOf(nobody))
        group.mergePendingCommit()
        return group to other.client.joinFromWelcome(other.take(Delivery.Kind.WELCOME).single())
    }

    /** What the queue has, which must be of this kind; acknowledged. */
    suspend fun take(kind: Delivery.Kind): List<ByteArray> {
        val page = delivery.readQueue()
        assertTrue(page.deliveries.all { it.kind == kind } && page.missed == 0L)
        delivery.acknowledge(page.cursor)
        return page.deliveries.map { it.bytes }
    }
}

/** Something that listens on this machine and is not the service: it answers every request with the same bytes. */
class AnotherServer(answer: String, private val socket: ServerSocket = ServerSocket(0)) : AutoCloseable {
    val address = "${if (socket is SSLServerSocket) "https" else "http"}://localhost:${socket.localPort}"

    /** What was asked, up to the body. */
    val heads = CopyOnWriteArrayList<String>()

    init {
        thread(isDaemon = true) {
            while (!socket.isClosed) {
                // Who has heard enough closes.
                runCatching {
                    socket.accept().use { connection ->
                        heads += connection.getInputStream().head()
                        connection.getOutputStream().write(answer.toByteArray())
                    }
                }
            }
        }
    }

    /** Takes the body too: who closes before it has all would cut its own answer off. */
    private fun InputStream.head(): String {
        val lines = mutableListOf<String>()
        do {
            lines += generateSequence { read().toChar() }.takeWhile { it != '\n' }.joinToString("").trim()
        } while (lines.last().isNotEmpty())
        val length = lines.find { it.startsWith("Content-Length: ") }?.substringAfter(": ")?.toInt() ?: 0
        repeat(length) { read() }
        return lines.joinToString("\n").trim()
    }

    override fun close() = socket.close()
}

fun assertAccepted(
    outcome: SendOutcome,
    epoch: ULong,
    duplicate: Boolean = false,
    unknown: List<DeviceId> = emptyList(),
) {
    val accepted = outcome as SendOutcome.Accepted
    assertEquals(Triple(epoch, duplicate, unknown), Triple(accepted.epoch, accepted.duplicate, accepted.unknownDevices))
}

suspend fun assertAgreement(vararg groups: MlsGroup) {
    assertEquals(1, groups.map { it.epochAuthenticator().toList() }.toSet().size, "authenticators differ")
}

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

suspend fun assertRefused(code: String, call: suspend () -> Unit) {
    assertEquals(code, refused<DeliveryException.Refused> { call() }.code)
}
