package org.mlsmobile

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.io.File
import java.security.SecureRandom
import kotlin.time.Duration.Companion.seconds

/** What the README shows, compiled and run. */
class SamplesTest {
    @TempDir
    lateinit var folder: File

    // On Android: val database = DatabaseKey(context); database.load() and database.databasePath.
    private val key = ByteArray(32).also { SecureRandom().nextBytes(it) }
    private val config
        get() = ClientConfig(File(folder, "bob.db").path, key)

    private fun isKnown(credential: Credential) = credential is Credential.Basic

    /** Decides who is let in: everybody whom a request brings must be known to the app. */
    private val validator =
        CredentialValidator { request ->
            when (request) {
                is ValidationRequest.KeyPackage -> isKnown(request.member.credential)
                is ValidationRequest.Welcome -> request.members.all { isKnown(it.credential) }
                is ValidationRequest.ExternalJoin -> request.members.all { isKnown(it.credential) }
                is ValidationRequest.Commit ->
                    // `before` of an updated member tells whether it has changed its name.
                    (request.summary.added + request.summary.externalJoins).all { isKnown(it.credential) } &&
                        request.summary.updated.all { isKnown(it.after.credential) }
                is ValidationRequest.Proposal ->
                    when (val kind = request.summary.kind) {
                        is ProposalKind.Add -> isKnown(kind.member.credential)
                        is ProposalKind.Update -> isKnown(kind.member.credential)
                        else -> true
                    }
                is ValidationRequest.ExternalSenders -> false
            }
        }

    @Test
    fun `the shortest conversation`() = runBlocking {
        // A device is a database file; open one client for each.
        val alice = MlsClient.open(ClientConfig(File(folder, "alice.db").path, key), validator)
        val bob = MlsClient.open(config, validator)
        val alicesIdentity = alice.createIdentity(Credential.Basic("alice".toByteArray()))
        val bobsIdentity = bob.createIdentity(Credential.Basic("bob".toByteArray()))

        // Bob publishes key packages; Alice takes one and invites him.
        val keyPackage = bob.createKeyPackages(bobsIdentity.id, 1u).first().bytes
        val group = alice.createGroup(alicesIdentity.id)
        val bundle = group.addMembers(listOf(keyPackage))
        // Once the delivery service has accepted bundle.commit: send the Welcome, then merge.
        val bobsGroup = bob.joinFromWelcome(checkNotNull(bundle.welcome))
        group.mergePendingCommit()

        val message = group.createMessage("hello".toByteArray())
        when (val outcome = bobsGroup.processMessage(message)) {
            is ProcessedMessage.Application -> assertEquals("hello", String(outcome.plaintext))
            else -> error("unexpected: $outcome")
        }
        assertEquals("hello", String(receive(bob, group.createMessage("hello".toByteArray())).last()))

        val pushed = group.createMessage("pushed".toByteArray())
        inTheBackground(bob)
        assertEquals("pushed", String(whenAPushComes(pushed).last()))
        inTheForeground(bob)
        assertEquals("an own Commit waits", whatABeginnerMeets(group))
        alice.close()
        bob.close()
    }

    /** What was received stays in the inbox until the app has saved it. */
    private suspend fun receive(client: MlsClient, message: ByteArray): List<ByteArray> {
        client.processMessages(listOf(IncomingMessage(message)))
        val entries = client.inbox(limit = 100u)
        val texts = entries.mapNotNull { (it.outcome as? ProcessedMessage.Application)?.plaintext }
        client.acknowledge(entries.map { it.id })
        return texts
    }

    /** In a CoroutineWorker, which the app's FirebaseMessagingService has enqueued: see adapters/. */
    private suspend fun whenAPushComes(message: ByteArray): List<ByteArray> {
        val handled = NotificationHandler(config, validator).handle(listOf(IncomingMessage(message)), budget = 20.seconds)
        return handled.inbox.mapNotNull { (it.outcome as? ProcessedMessage.Application)?.plaintext }
    }

    /** From ProcessLifecycleOwner's onStop: no file and no lock is held then. */
    private suspend fun inTheBackground(client: MlsClient) = client.suspend(deadline = 2.seconds)

    /** From its onStart. Collectors of inboxUpdates see what a worker has received meanwhile. */
    private suspend fun inTheForeground(client: MlsClient) = client.resume()

    private suspend fun whatABeginnerMeets(group: MlsGroup): String {
        group.selfUpdate()
        return try {
            group.selfUpdate()
            "two Commits at once"
        } catch (_: MlsException.PendingCommitExists) {
            group.clearPendingCommit()
            "an own Commit waits"
        } catch (_: MlsException.PendingProposalsExist) {
            "commitToPendingProposals first"
        } catch (error: MlsException.GroupDiverged) {
            "join again: epoch ${error.rejectedEpoch} was rejected here"
        } catch (_: MlsException.WrongDatabaseKey) {
            "another key than the one of this file, which is never to be replaced by a new one"
        } catch (_: MlsException.Suspended) {
            "resume first"
        } catch (error: MlsException) {
            "${error.code}: ${error.message}"
        }
    }
}
