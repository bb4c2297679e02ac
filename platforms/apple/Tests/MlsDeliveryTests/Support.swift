import Foundation
import MlsDelivery
import MlsMobile
import Testing

/// What the tests talk to: test.sh names it, once its part `service` has built it.
let serviceProgram = ProcessInfo.processInfo.environment["MLS_DELIVERY_SERVICE"] ?? ""
let withService = ConditionTrait.enabled(if: !serviceProgram.isEmpty, "MLS_DELIVERY_SERVICE names no service")

/// For the tests that read its files.
let repository = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

/// A temporary folder that goes with the test.
final class Folder: Sendable {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("mls-" + UUID().uuidString)

    init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: url) }

    subscript(name: String) -> URL { url.appendingPathComponent(name) }
}

/// A program with its standard streams, ended with the test.
final class Program: @unchecked Sendable {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    /// Blocks, which Swift's own threads must not.
    private let queue = DispatchQueue(label: "program")
    private var read = Data()

    init(_ program: URL, _ arguments: [String]) throws {
        process.executableURL = program
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = output
        try process.run()
    }

    deinit { stop() }

    func stop() {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    func line() async throws -> String {
        try await withCheckedThrowingContinuation { waiting in
            queue.async { waiting.resume(with: Result { try self.nextLine() }) }
        }
    }

    /// Tells it a line, and gives its answer.
    func tell(_ line: String) async throws -> String {
        input.fileHandleForWriting.write(Data((line + "\n").utf8))
        return try await self.line()
    }

    /// Tells it nothing more, and waits for it to end.
    func end() async -> Int32 {
        try? input.fileHandleForWriting.close()
        return await withCheckedContinuation { waiting in
            queue.async {
                self.process.waitUntilExit()
                waiting.resume(returning: self.process.terminationStatus)
            }
        }
    }

    private func nextLine() throws -> String {
        while true {
            if let end = read.firstIndex(of: UInt8(ascii: "\n")) {
                defer { read = Data(read[(end + 1)...]) }
                return String(decoding: read[..<end], as: UTF8.self)
            }
            let more = output.fileHandleForReading.availableData
            guard !more.isEmpty else { throw Ended() }
            read.append(more)
        }
    }

    private struct Ended: Error {}
}

/// The real service, on a database of its own.
final class Service: Sendable {
    let address: URL
    private let folder: Folder
    private let program: Program

    init() async throws {
        folder = try Folder()
        let database = "sqlite:" + folder["delivery.db"].path
        program = try Program(
            URL(fileURLWithPath: serviceProgram),
            ["--listen", "127.0.0.1:0", "--stranger-rate", "1000", "--database", database])
        let line = try await program.line()
        address = try #require(URL(string: String(line.dropFirst("listening on ".count))))
    }

    func stop() { program.stop() }
}

/// A registered device.
struct Phone {
    let client: MlsClient
    let identity: IdentityId
    let registered: Registered
    let delivery: DeliveryClient

    init(_ name: String, in folder: Folder, at service: DeliveryClient) async throws {
        client = try await MlsClient.open(
            config: ClientConfig(database: folder[name + ".db"], databaseKey: Data(0..<32)), validator: Accepts())
        identity = try await client.createIdentity(
            credential: .basic(identity: Data(name.utf8)),
            ciphersuite: .mls128Dhkemx25519Chacha20poly1305Sha256Ed25519
        ).id
        registered = try await register(identity, of: client, at: service)
        delivery = service.with(registered.token)
    }

    /// A group of this device and another.
    func group(with other: Phone, joinSecret: Data? = nil) async throws -> (own: MlsGroup, others: MlsGroup) {
        let group = try await client.createGroup(identity: identity)
        try await delivery.createGroup(group.id.bytes, joinSecret: joinSecret)
        let published = try await other.client.createKeyPackages(identity: other.identity, count: 1)
        _ = try await other.delivery.publishKeyPackages(published.map(\.bytes))
        let claimed = try await delivery.claimKeyPackage(of: other.registered.device, ciphersuite: 3)
        let bundle = try await group.addMembers([claimed])
        let added = [other.registered.device, DeviceId(Data(count: 32))]
        let outcome = try await delivery.submit(
            bundle.commit, to: group.id.bytes, welcome: bundle.welcome, added: added)
        #expect(outcome == .accepted(epoch: 1, duplicate: false, unknownDevices: [DeviceId(Data(count: 32))]))
        _ = try await group.mergePendingCommit()
        let welcome = try #require(try await other.take(.welcome).first)
        return (group, try await other.client.joinFromWelcome(welcome))
    }

    /// What the queue has, which must be of this kind; acknowledged.
    func take(_ kind: Delivery.Kind) async throws -> [Data] {
        let page = try await delivery.readQueue()
        #expect(page.deliveries.allSatisfy { $0.kind == kind } && page.missed == 0)
        try await delivery.acknowledge(page.cursor)
        return page.deliveries.map(\.bytes)
    }
}

func register(
    _ identity: IdentityId, of client: MlsClient, at service: DeliveryClient
) async throws -> Registered {
    try await service.register(proof: proof(of: identity, of: client, challenge: service.challenge()))
}

func proof(of identity: IdentityId, of client: MlsClient, challenge: Data) async throws -> Data {
    let options = KeyPackageOptions(leafNode: LeafNodeOptions(applicationId: challenge))
    let made = try #require(
        try await client.createKeyPackages(identity: identity, count: 1, options: options).first)
    try await client.deleteKeyPackage(made.reference)
    return made.bytes
}

func agree(_ groups: MlsGroup...) async throws {
    var authenticators: Set<Data> = []
    for group in groups { authenticators.insert(try await group.epochAuthenticator()) }
    #expect(authenticators.count == 1)
}

private final class Accepts: CredentialValidator {
    func validate(request: ValidationRequest) -> Bool { true }
}
