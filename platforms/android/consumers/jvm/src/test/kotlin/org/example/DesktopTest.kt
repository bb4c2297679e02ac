package org.example

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import org.mlsmobile.*
import org.mlsmobile.delivery.AccessToken
import org.mlsmobile.delivery.DeliveryClient
import org.mlsmobile.delivery.DeliveryException
import java.io.File

class DesktopTest {
    @TempDir
    lateinit var folder: File

    @Test
    fun `a program with the two artifacts talks`() = runBlocking {
        val client = MlsClient.open(ClientConfig(File(folder, "mls.db").path, ByteArray(32)))
        client.use {
            val suite = Ciphersuite.MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_ED25519
            val identity = client.createIdentity(Credential.Basic("alice".toByteArray()), suite)
            val group = client.createGroup(identity.id)
            assertEquals(ProcessedMessage.OwnMessage, group.processMessage(group.createMessage(ByteArray(3))))
        }
    }

    @Test
    fun `the delivery service's client is an artifact of its own`() = runBlocking {
        val nowhere = DeliveryClient("http://127.0.0.1:1", AccessToken("token"))
        val answer = runCatching { nowhere.readQueue() }
        assertEquals(DeliveryException.NoAnswer::class, answer.exceptionOrNull()?.let { it::class })
    }

    @Test
    fun `the generated module is inside, and not a dependency`() {
        val place = { name: String -> Class.forName(name).protectionDomain.codeSource.location.path.substringAfterLast('/') }
        assertEquals("mls-mobile-0.1.0.jar", place("org.mlsmobile.FfiClient"))
        assertEquals("mls-mobile-0.1.0.jar", place("org.mlsmobile.GroupId"))
        assertThrows(ClassNotFoundException::class.java) { Class.forName("org.junit.jupiter.absent") }
    }
}
