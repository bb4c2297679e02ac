import Foundation
import MlsDelivery
import MlsMobile

/// What an app writes around the library and the delivery service's client.
struct Phone {
    /// 0x0003.
    static let suite = Ciphersuite.mls128Dhkemx25519Chacha20poly1305Sha256Ed25519

    let client: MlsClient
    let delivery: DeliveryClient

    /// A device that the service does not know yet proves that it has its signature key. The app keeps the token like a
    /// password; after `DeliveryError.unauthorized` it does this again.
    static func register(
        _ identity: IdentityId, of client: MlsClient, at service: DeliveryClient
    ) async throws -> Registered {
        let leafNode = LeafNodeOptions(applicationId: try await service.challenge())
        let options = KeyPackageOptions(leafNode: leafNode)
        let proofs = try await client.createKeyPackages(identity: identity, count: 1, options: options)
        // Nobody is added with it.
        try await client.deleteKeyPackage(try required(proofs.first).reference)
        return try await service.register(proof: try required(proofs.first).bytes)
    }

    /// Ten that are given out once each, and one for when they are gone. Later: as many as `keyPackageStock` lacks.
    func publishKeyPackages(of identity: IdentityId) async throws {
        let single = try await client.createKeyPackages(identity: identity, count: 10)
        let last = try await client.createKeyPackages(
            identity: identity, count: 1, options: KeyPackageOptions(lastResort: true))
        _ = try await delivery.publishKeyPackages((single + last).map(\.bytes))
    }

    func createGroup(of identity: IdentityId) async throws -> MlsGroup {
        let group = try await client.createGroup(identity: identity)
        try await delivery.createGroup(group.id.bytes)
        return group
    }

    func invite(_ device: DeviceId, to group: MlsGroup) async throws {
        let keyPackage = try await delivery.claimKeyPackage(of: device, ciphersuite: 3)
        _ = try await commit(to: group, adding: [device]) { try await group.addMembers([keyPackage]) }
    }

    /// Makes the Commit until it is the first of its epoch, and returns how often another member was faster.
    func commit(
        to group: MlsGroup, adding devices: [DeviceId] = [], _ make: () async throws -> CommitBundle
    ) async throws -> Int {
        var lost = 0
        while true {
            let bundle = try await make()
            let outcome = try await delivery.submit(
                bundle.commit, to: group.id.bytes, welcome: bundle.welcome, added: devices)
            switch outcome {
            case .accepted:
                _ = try await group.mergePendingCommit()
                return lost
            case .wrongEpoch:
                try await group.clearPendingCommit()
                _ = try await receive()
                lost += 1
            }
        }
    }

    func say(_ text: String, in group: MlsGroup) async throws {
        let message = try await group.createMessage(Data(text.utf8))
        _ = try await delivery.sendMessage(message, to: group.id.bytes)
    }

    /// Takes what is in the queue, or waits for it, and returns how much that was.
    func receive(wait: Duration = .zero) async throws -> Int {
        let page = try await delivery.readQueue(wait: wait)
        // Lost to this device: it has to join its groups again.
        guard page.missed == 0 else { throw Unexpected.missed }
        var messages: [IncomingMessage] = []
        for delivered in page.deliveries {
            guard delivered.kind == .welcome else {
                messages.append(IncomingMessage(bytes: delivered.bytes))
                continue
            }
            try await process(&messages)
            do {
                _ = try await client.joinFromWelcome(delivered.bytes)
            } catch MlsError.groupAlreadyExists {
                // It came before, and the acknowledgement was lost.
            }
        }
        try await process(&messages)
        // All is on this device's disk now.
        try await delivery.acknowledge(page.cursor)
        return page.deliveries.count
    }

    private func process(_ messages: inout [IncomingMessage]) async throws {
        let batch = try await client.processMessages(messages)
        guard batch.stoppedAt == nil else { throw Unexpected.stopped }
        messages = []
    }
}

enum Unexpected: Error {
    case missed, stopped, absent
}

func required<Value>(_ value: Value?) throws -> Value {
    guard let value else { throw Unexpected.absent }
    return value
}
