import Foundation
import MlsMobile
import Testing

let suite = Ciphersuite.mls128Dhkemx25519Chacha20poly1305Sha256Ed25519
let key = Data(0..<32)

/// The repository, for the tests that read its files.
let repository = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

/// A temporary folder that goes with the test.
final class Folder: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("mls-" + UUID().uuidString)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    subscript(name: String) -> URL { url.appendingPathComponent(name) }

    /// Files in it that this process holds open. By the folder's own name: the way to it may have symbolic links.
    func held() throws -> [String] {
        try openFiles().filter { $0.contains(url.lastPathComponent) }
    }
}

/// A value that callbacks on other threads change.
final class Shared<Value>: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Value

    init(_ value: Value) { self.value = value }

    func callAsFunction() -> Value { lock.withLock { value } }
    func change(_ body: (inout Value) -> Void) { lock.withLock { body(&value) } }
}

/// A validator that the test writes where it is used; it remembers what it was asked.
final class Judge: CredentialValidator {
    let asked = Shared<[ValidationRequest]>([])
    private let answer: @Sendable (ValidationRequest) throws -> Bool

    init(_ answer: @escaping @Sendable (ValidationRequest) throws -> Bool = { _ in true }) {
        self.answer = answer
    }

    func validate(request: ValidationRequest) throws -> Bool {
        asked.change { $0.append(request) }
        return try answer(request)
    }

    /// One that takes its time over Commits, so that a batch of them takes long.
    static func slow(_ milliseconds: UInt32) -> Judge {
        Judge { request in
            if case .commit = request { usleep(milliseconds * 1000) }
            return true
        }
    }
}

/// Holds a call inside the native code, at its question about a Commit, until the test lets it go on.
final class Held: Sendable {
    let judge: Judge
    private let entered: AsyncStream<Void>
    private let gate = DispatchSemaphore(value: 0)

    init() {
        let (entered, signal) = AsyncStream.makeStream(of: Void.self)
        self.entered = entered
        judge = Judge { [gate] request in
            if case .commit = request {
                signal.yield()
                gate.wait()
            }
            return true
        }
    }

    func untilInside() async {
        for await _ in entered { return }
    }

    func letGo() { gate.signal() }
}

func config(_ folder: Folder, _ name: String, key: Data = key) -> ClientConfig {
    ClientConfig(database: folder[name + ".db"], databaseKey: key)
}

func open(_ folder: Folder, _ name: String, _ validator: Judge? = Judge()) async throws -> MlsClient {
    try await MlsClient.open(config: config(folder, name), validator: validator)
}

func identity(_ client: MlsClient, _ name: String) async throws -> IdentityId {
    try await client.createIdentity(credential: .basic(identity: Data(name.utf8)), ciphersuite: suite).id
}

func named(_ name: String) -> Credential { .basic(identity: Data(name.utf8)) }

func keyPackage(_ client: MlsClient, _ name: String, leafNode: LeafNodeOptions? = nil) async throws -> Data {
    let owner = try await identity(client, name)
    let packages = try await client.createKeyPackages(
        identity: owner, count: 1, options: KeyPackageOptions(leafNode: leafNode))
    return try #require(packages.first).bytes
}

/// Two devices with a group of both.
struct Pair {
    let folder: Folder
    let alice: MlsClient
    let bob: MlsClient
    let alices: MlsGroup
    let bobs: MlsGroup
    /// Bob's validator.
    let judge: Judge?

    /// With `leafNode` both leaves say so.
    init(bob validator: Judge? = Judge(), leafNode: LeafNodeOptions? = nil) async throws {
        judge = validator
        folder = try Folder()
        alice = try await open(folder, "alice")
        bob = try await open(folder, "bob", validator)
        alices = try await alice.createGroup(
            identity: try await identity(alice, "alice"), config: GroupConfig(leafNode: leafNode))
        bobs = try await invite(bob, "bob", to: alices, leafNode: leafNode)
    }

    /// Commits that Alice makes and merges, one after the other.
    func commits(_ count: Int) async throws -> [Data] {
        var commits: [Data] = []
        for _ in 0..<count {
            commits.append(try await alices.selfUpdate().commit)
            _ = try await alices.mergePendingCommit()
        }
        return commits
    }

    func messages(_ texts: [String]) async throws -> [Data] {
        var messages: [Data] = []
        for text in texts { messages.append(try await alices.createMessage(Data(text.utf8))) }
        return messages
    }
}

/// Adds a device to a group; of the other members only `others` hear of it.
func invite(
    _ client: MlsClient, _ name: String, to group: MlsGroup, leafNode: LeafNodeOptions? = nil,
    others: [MlsGroup] = []
) async throws -> MlsGroup {
    let bundle = try await group.addMembers([try await keyPackage(client, name, leafNode: leafNode)])
    let welcome = try #require(bundle.welcome)
    _ = try await group.mergePendingCommit()
    for other in others { _ = try await other.processMessage(bundle.commit) }
    return try await client.joinFromWelcome(welcome)
}

func incoming(_ messages: [Data]) -> [IncomingMessage] {
    messages.enumerated().map { index, bytes in
        IncomingMessage(bytes: bytes, cursor: Data(String(index + 1).utf8))
    }
}

func agree(_ groups: MlsGroup...) async throws {
    var authenticators: Set<Data> = []
    for group in groups { authenticators.insert(try await group.epochAuthenticator()) }
    #expect(authenticators.count == 1)
}

func text(_ outcome: ProcessedMessage) -> String? {
    guard case .application(_, _, _, let plaintext, _) = outcome else { return nil }
    return String(decoding: plaintext, as: UTF8.self)
}

/// What another member's Commit changed, if it was merged.
func summary(_ outcome: ProcessedMessage) -> CommitSummary? {
    guard case .commit(_, let summary, .merged, _, _) = outcome else { return nil }
    return summary
}

func texts(_ entries: [InboxEntry]) -> [String] {
    entries.compactMap { text($0.outcome) }
}

/// Runs a program of this package beside the test, and returns what it printed.
func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = programs.appendingPathComponent(program)
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let bytes = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: bytes, as: UTF8.self))
}

/// Where SwiftPM has built the package. On Apple's systems the test runs in Xcode's own program.
private var programs: URL {
    #if os(Linux)
        URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    #else
        Bundle(for: Folder.self).bundleURL.deletingLastPathComponent()
    #endif
}
