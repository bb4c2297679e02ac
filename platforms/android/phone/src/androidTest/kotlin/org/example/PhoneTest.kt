package org.example

import androidx.test.ext.junit.runners.AndroidJUnit4
import androidx.test.platform.app.InstrumentationRegistry
import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Test
import org.junit.runner.RunWith
import org.mlsmobile.Ciphersuite
import org.mlsmobile.ClientConfig
import org.mlsmobile.Credential
import org.mlsmobile.CredentialValidator
import org.mlsmobile.MlsClient
import org.mlsmobile.MlsException
import org.mlsmobile.ProcessedMessage
import org.mlsmobile.android.DatabaseKey
import java.io.File

/** What only a phone can show: the Keystore, the libraries in the APK, and R8. */
@RunWith(AndroidJUnit4::class)
class PhoneTest {
    private val context = InstrumentationRegistry.getInstrumentation().targetContext
    private val suite = Ciphersuite.MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_ED25519

    private suspend fun device(name: String): MlsClient {
        File(context.noBackupFilesDir, name).deleteRecursively()
        val key = DatabaseKey(context, name)
        return MlsClient.open(ClientConfig(key.databasePath, key.load()), CredentialValidator { true })
    }

    @Test
    fun theKeystoreGivesTheSameKeyAgain() {
        File(context.noBackupFilesDir, "again").deleteRecursively()
        val first = DatabaseKey(context, "again").load()
        assertEquals(32, first.size)
        assertArrayEquals(first, DatabaseKey(context, "again").load())
    }

    @Test
    fun twoDevicesTalk() = runBlocking {
        val alice = device("alice")
        val bob = device("bob")
        val alicesIdentity = alice.createIdentity(Credential.Basic("alice".toByteArray()), suite)
        val bobsIdentity = bob.createIdentity(Credential.Basic("bob".toByteArray()), suite)
        val group = alice.createGroup(alicesIdentity.id)
        val bundle = group.addMembers(listOf(bob.createKeyPackages(bobsIdentity.id, 1u).first().bytes))
        val bobsGroup = bob.joinFromWelcome(checkNotNull(bundle.welcome))
        group.mergePendingCommit()
        val outcome = bobsGroup.processMessage(group.createMessage("hello".toByteArray()))
        assertEquals("hello", String((outcome as ProcessedMessage.Application).plaintext))
        alice.close()
        bob.close()
    }

    @Test
    fun errorsKeepTheirClassesAndData() = runBlocking {
        val client = device("errors")
        val identity = client.createIdentity(Credential.Basic("one".toByteArray()), suite)
        val group = client.createGroup(identity.id)
        val thrown = runCatching { group.removeMembers(listOf(77u)) }.exceptionOrNull()
        check(thrown is MlsException.MemberNotFound) { "$thrown" }
        client.close()
    }
}
