package org.mlsmobile.delivery

import kotlinx.coroutines.runBlocking
import org.mlsmobile.*
import java.io.File
import kotlin.system.exitProcess

/** A phone that does what it is told, line by line, through the delivery service: see tests/scenarios.md. */
fun main(arguments: Array<String>) {
    val (folder, name, address) = arguments
    val told = runCatching {
        runBlocking {
            val phone = start(File(folder), name, address)
            for (line in generateSequence(::readLine)) println(phone.obey(line))
            phone.close()
        }
    }
    told.onFailure {
        it.printStackTrace()
        exitProcess(1)
    }
    // The threads of coroutines end by themselves, but later.
    exitProcess(0)
}

/** On its first start it registers and publishes key packages. */
private suspend fun start(folder: File, name: String, address: String): ToldPhone {
    val config = ClientConfig(File(folder, "$name.db").path, ByteArray(32) { 5 })
    val client = MlsClient.open(config, CredentialValidator { true })
    val service = DeliveryClient(address)
    // An app seals it with a key of the Android Keystore.
    val token = File(folder, "$name.token")
    val known = client.identities().firstOrNull()?.id
    val identity = known ?: client.createIdentity(Credential.Basic(name.toByteArray())).id
    if (known == null) token.writeText(register(client, identity, service).token.text)
    val phone = Phone(client, service.with(AccessToken(token.readText())))
    if (known == null) phone.publishKeyPackages(identity)
    println("device ${DeviceId.ofSignatureKey(identity.bytes)}")
    return ToldPhone(phone, identity)
}

private class ToldPhone(
    private val phone: Phone,
    private val identity: IdentityId,
) {
    suspend fun obey(line: String): String {
        val word = line.substringBefore(' ')
        val rest = line.substringAfter(' ', "")
        return when (word) {
            "create" -> "created".also { phone.createGroup(identity) }
            "invite" -> "invited".also { phone.invite(DeviceId.ofText(rest)!!, group()) }
            "update" -> group().let { group -> "lost ${phone.commit(group) { group.selfUpdate() }}" }
            "say" -> "said".also { phone.say(rest, group()) }
            "hear" -> "heard ${hear().joinToString()}"
            "authenticator" -> "authenticator " + group().epochAuthenticator().joinToString("") { "%02x".format(it) }
            else -> error("no such command: $line")
        }
    }

    suspend fun close() = phone.client.close()

    private suspend fun group(): MlsGroup = phone.client.group(phone.client.groups().first().groupId)

    /** Waits until something comes, and takes all that is there. */
    private suspend fun hear(): List<String> {
        while (phone.receive(DeliveryClient.LONGEST_WAIT) == 0) continue
        while (phone.receive() > 0) continue
        val entries = phone.client.inbox(1000u)
        phone.client.acknowledge(entries.map { it.id })
        return entries.mapNotNull { entry -> (entry.outcome as? ProcessedMessage.Application)?.plaintext?.let { String(it) } }
    }
}
