package org.mlsmobile.delivery

import org.mlsmobile.*
import kotlin.time.Duration

/** What an app writes around the library and the delivery service's client. */
class Phone(
    val client: MlsClient,
    val delivery: DeliveryClient,
) {
    /** Ten that are given out once each, and one for when they are gone. Later: as many as `keyPackageStock` lacks. */
    suspend fun publishKeyPackages(identity: IdentityId) {
        val single = client.createKeyPackages(identity, 10u)
        val last = client.createKeyPackages(identity, 1u, KeyPackageOptions(lastResort = true))
        delivery.publishKeyPackages((single + last).map { it.bytes })
    }

    suspend fun createGroup(identity: IdentityId): MlsGroup {
        val group = client.createGroup(identity)
        delivery.createGroup(group.id.bytes)
        return group
    }

    suspend fun invite(device: DeviceId, group: MlsGroup) {
        val keyPackage = delivery.claimKeyPackage(device, 3u)
        commit(group, listOf(device)) { group.addMembers(listOf(keyPackage)) }
    }

    /** Makes the Commit until it is the first of its epoch, and returns how often another member was faster. */
    suspend fun commit(
        group: MlsGroup,
        added: List<DeviceId> = emptyList(),
        make: suspend () -> CommitBundle,
    ): Int {
        var lost = 0
        while (true) {
            val bundle = make()
            when (delivery.submit(group.id.bytes, bundle.commit, bundle.welcome, added)) {
                is SendOutcome.Accepted -> {
                    group.mergePendingCommit()
                    return lost
                }
                is SendOutcome.WrongEpoch -> {
                    group.clearPendingCommit()
                    receive()
                    lost += 1
                }
            }
        }
    }

    suspend fun say(text: String, group: MlsGroup) {
        delivery.sendMessage(group.id.bytes, group.createMessage(text.toByteArray()))
    }

    /** Takes what is in the queue, or waits for it, and returns how much that was. */
    suspend fun receive(wait: Duration = Duration.ZERO): Int {
        val page = delivery.readQueue(wait = wait)
        check(page.missed == 0L) { "lost to this device: it has to join its groups again" }
        val messages = mutableListOf<IncomingMessage>()
        for (delivered in page.deliveries) {
            if (delivered.kind != Delivery.Kind.WELCOME) {
                messages += IncomingMessage(delivered.bytes)
                continue
            }
            process(messages)
            try {
                client.joinFromWelcome(delivered.bytes)
            } catch (_: MlsException.GroupAlreadyExists) {
                // It came before, and the acknowledgement was lost.
            }
        }
        process(messages)
        // All is on this device's disk now.
        delivery.acknowledge(page.cursor)
        return page.deliveries.size
    }

    private suspend fun process(messages: MutableList<IncomingMessage>) {
        val batch = client.processMessages(messages)
        check(batch.stoppedAt == null) { "not all was processed: ${batch.error}" }
        messages.clear()
    }
}

/**
 * A device that the service does not know yet proves that it has its signature key. The app keeps the token like a
 * password; after [DeliveryException.Unauthorized] it does this again.
 */
suspend fun register(client: MlsClient, identity: IdentityId, service: DeliveryClient): Registered {
    val leafNode = LeafNodeOptions(applicationId = service.challenge())
    val proof = client.createKeyPackages(identity, 1u, KeyPackageOptions(leafNode = leafNode)).single()
    // Nobody is added with it.
    client.deleteKeyPackage(proof.reference)
    return service.register(proof.bytes)
}
