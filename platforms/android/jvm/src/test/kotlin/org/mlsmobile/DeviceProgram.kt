package org.mlsmobile

import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.StandardCopyOption
import kotlin.system.exitProcess
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** One device that talks with another process through files: see tests/scenarios.md. */
fun main(arguments: Array<String>) {
    val (folder, role, name, peer) = arguments
    val device = Device(Path.of(folder), name, peer)
    val authenticator = runCatching {
        runBlocking {
            when (role) {
                "create" -> device.create()
                "join" -> device.join()
                else -> error("no such role: $role")
            }
        }
    }
    authenticator.onFailure {
        it.printStackTrace()
        exitProcess(1)
    }
    println("authenticator ${authenticator.getOrThrow()}")
}

private class Device(
    private val folder: Path,
    private val name: String,
    private val peer: String,
) {
    private var sent = 0
    private var received = 0

    suspend fun create(): String {
        var client = open(ACCEPTS)
        val identity = client.identity(name)
        val keyPackage = receive("keypackage")
        var group = client.createGroup(identity)
        val welcome = group.addMembers(listOf(keyPackage)).welcome!!
        group.mergePendingCommit()
        send("welcome", welcome)
        hearGreeting(group)
        greet(group)
        val outcome = group.processMessage(receive("commit")) as ProcessedMessage.Commit
        check(outcome.state == CommitState.MERGED)
        send("accepted", ByteArray(0))
        val commit = group.selfUpdate().commit
        group.mergePendingCommit()
        send("commit", commit)
        val messages = List(20) { receive("message") }
        client.close()
        client = open(ACCEPTS)
        group = client.group(group.id)
        catchUp(client, messages)
        talk(group)
        return end(client, group)
    }

    suspend fun join(): String {
        var client = open(null)
        send("keypackage", client.keyPackage(name))
        var group = client.joinFromWelcome(receive("welcome"))
        greet(group)
        hearGreeting(group)
        send("commit", group.selfUpdate().commit)
        receive("accepted")
        group.mergePendingCommit()
        val outcome = group.processMessage(receive("commit")) as ProcessedMessage.Commit
        check(outcome.state == CommitState.STAGED)
        client.close()
        client = open(null)
        group = client.group(group.id)
        group.mergeStagedCommit()
        talk(group)
        val messages = List(20) { receive("message") }
        client.close()
        client = open(null)
        group = client.group(group.id)
        catchUp(client, messages)
        return end(client, group)
    }

    private suspend fun open(validator: CredentialValidator?) =
        MlsClient.open(ClientConfig(folder.resolve("$name.db").toString(), KEY), validator)

    private suspend fun greet(group: MlsGroup) =
        send("message", group.createMessage("hello from $name".toByteArray(), name.toByteArray()))

    private suspend fun hearGreeting(group: MlsGroup) {
        val greeting = group.processMessage(receive("message")) as ProcessedMessage.Application
        check(greeting.text() == "hello from $peer" && String(greeting.authenticatedData) == peer)
    }

    private suspend fun talk(group: MlsGroup) = repeat(20) { send("message", group.say("message ${it + 1} from $name")) }

    private suspend fun catchUp(client: MlsClient, messages: List<ByteArray>) {
        val batch = client.processMessages(messages.mapIndexed { index, it -> IncomingMessage(it, "${index + 1}".toByteArray()) })
        check(batch.stoppedAt == null && String(client.cursor()!!) == "20")
        val inbox = client.inbox(1000u)
        val texts = inbox.map { it.outcome }.filterIsInstance<ProcessedMessage.Application>().map { it.text() }
        check(texts.takeLast(20) == List(20) { "message ${it + 1} from $peer" }) { "$texts" }
        client.acknowledge(inbox.map { it.id })
        check(client.inbox(1000u).isEmpty())
    }

    private suspend fun end(client: MlsClient, group: MlsGroup): String {
        val state = group.info()
        send("authenticator", "${state.epoch} ${state.epochAuthenticator.hex()}".toByteArray())
        val (epoch, authenticator) = String(receive("authenticator")).split(' ')
        val bytes = authenticator.chunked(2).map { it.toInt(16).toByte() }.toByteArray()
        check(group.compareAuthenticator(epoch.toULong(), bytes) == AuthenticatorComparison.SAME)
        client.close()
        return authenticator
    }

    private fun send(kind: String, bytes: ByteArray) {
        sent += 1
        val target = Files.createDirectories(folder.resolve(peer)).resolve("%04d.$kind".format(sent))
        val draft = Files.write(folder.resolve("$name.draft"), bytes)
        Files.move(draft, target, StandardCopyOption.ATOMIC_MOVE)
    }

    private suspend fun receive(kind: String): ByteArray {
        received += 1
        val file = folder.resolve(name).resolve("%04d.$kind".format(received))
        withTimeout(60.seconds) { while (!Files.exists(file)) delay(20.milliseconds) }
        return Files.readAllBytes(file)
    }
}
