// The program of tests/scenarios.md: one device, which talks with a device of another language through files.

import Foundation
import MlsMobile

@main
struct Device {
    static func main() async {
        let arguments = CommandLine.arguments
        guard arguments.count == 5, ["create", "join"].contains(arguments[2]) else {
            return stop("usage: device FOLDER create|join NAME PEER")
        }
        do {
            let post = Post(
                folder: URL(fileURLWithPath: arguments[1]), own: arguments[3], peer: arguments[4])
            var device = try await Device(
                post: post, name: arguments[3], peer: arguments[4], creates: arguments[2] == "create")
            let authenticator = try await device.run()
            print("authenticator", authenticator)
        } catch {
            stop("\(error)")
        }
    }

    private static func stop(_ reason: String) {
        FileHandle.standardError.write(Data((reason + "\n").utf8))
        exit(1)
    }

    private let name: String
    private let peer: String
    private let creates: Bool
    private var post: Post
    private var client: MlsClient

    private init(post: Post, name: String, peer: String, creates: Bool) async throws {
        (self.post, self.name, self.peer, self.creates) = (post, name, peer, creates)
        client = try await Self.open(post, name, creates)
    }

    private static func open(_ post: Post, _ name: String, _ creates: Bool) async throws -> MlsClient {
        let file = post.folder.appendingPathComponent(name + ".db")
        let key = Data(repeating: 5, count: 32)
        let validator = creates ? Accepts() : nil
        return try await MlsClient.open(config: ClientConfig(database: file, databaseKey: key), validator: validator)
    }

    private mutating func run() async throws -> String {
        let suite = Ciphersuite.mls128Dhkemx25519Chacha20poly1305Sha256Ed25519
        let identity = try await client.createIdentity(
            credential: .basic(identity: Data(name.utf8)), ciphersuite: suite
        ).id
        let group = creates ? try await create(identity) : try await join(identity)
        return try await compare(group)
    }

    private mutating func create(_ identity: IdentityId) async throws -> GroupId {
        let keyPackage = try await post.receive("keypackage")
        let group = try await client.createGroup(identity: identity)
        let welcome = try await group.addMembers([keyPackage]).welcome
        _ = try await group.mergePendingCommit()
        try post.send("welcome", try required(welcome))

        try await hear(hello(of: peer), in: group)
        try await post.send(
            "message", group.createMessage(hello(of: name).text, authenticatedData: hello(of: name).data))

        guard case .commit(_, _, .merged, _, _) = try await group.processMessage(try await post.receive("commit"))
        else { throw Unexpected.outcome }
        try post.send("accepted", Data())

        let commit = try await group.selfUpdate().commit
        _ = try await group.mergePendingCommit()
        try post.send("commit", commit)

        try await catchUp(in: group.id)
        try await sendMany(in: group.id)
        return group.id
    }

    private mutating func join(_ identity: IdentityId) async throws -> GroupId {
        let packages = try await client.createKeyPackages(identity: identity, count: 1)
        try post.send("keypackage", try required(packages.first).bytes)
        var group = try await client.joinFromWelcome(try await post.receive("welcome"))

        try await post.send(
            "message", group.createMessage(hello(of: name).text, authenticatedData: hello(of: name).data))
        try await hear(hello(of: peer), in: group)

        try await post.send("commit", group.selfUpdate().commit)
        _ = try await post.receive("accepted")
        _ = try await group.mergePendingCommit()

        guard case .commit(_, _, .staged, _, _) = try await group.processMessage(try await post.receive("commit"))
        else { throw Unexpected.outcome }
        try await restart()
        group = try await client.group(group.id)
        _ = try await group.mergeStagedCommit()

        try await sendMany(in: group.id)
        try await catchUp(in: group.id)
        return group.id
    }

    private mutating func compare(_ id: GroupId) async throws -> String {
        let group = try await client.group(id)
        let (epoch, own) = (try await group.info().epoch, try await group.epochAuthenticator())
        let hex = hexadecimal(own)
        try post.send("authenticator", Data("\(epoch) \(hex)".utf8))
        let theirs = String(decoding: try await post.receive("authenticator"), as: UTF8.self).split(separator: " ")
        guard theirs.count == 2, let theirEpoch = UInt64(theirs[0]), let bytes = bytes(theirs[1]),
            try await group.compareAuthenticator(epoch: theirEpoch, authenticator: bytes) == .same
        else { throw Unexpected.authenticator }
        await client.close()
        return hex
    }

    private mutating func restart() async throws {
        await client.close()
        client = try await Self.open(post, name, creates)
    }

    private mutating func sendMany(in id: GroupId) async throws {
        let group = try await client.group(id)
        for text in many(from: name) { try await post.send("message", group.createMessage(text)) }
    }

    private mutating func catchUp(in id: GroupId) async throws {
        var messages: [IncomingMessage] = []
        for number in 1...20 {
            messages.append(
                IncomingMessage(bytes: try await post.receive("message"), cursor: Data(String(number).utf8)))
        }
        try await restart()
        let batch = try await client.processMessages(messages)
        let entries = try await client.inbox(limit: 1000)
        let texts = entries.compactMap { entry -> Data? in
            guard case .application(_, _, _, let plaintext, _) = entry.outcome else { return nil }
            return plaintext
        }
        guard batch.outcomes.count == 20, texts.suffix(20) == many(from: peer)[...],
            try await client.cursor() == Data("20".utf8)
        else { throw Unexpected.batch }
        try await client.acknowledge(entries.map(\.id))
        guard try await client.inbox(limit: 1).isEmpty else { throw Unexpected.batch }
    }

    private mutating func hear(_ expected: (text: Data, data: Data), in group: MlsGroup) async throws {
        guard
            case .application(_, _, _, expected.text, expected.data) = try await group.processMessage(
                try await post.receive("message"))
        else { throw Unexpected.outcome }
    }

    private func hello(of name: String) -> (text: Data, data: Data) {
        (Data("hello from \(name)".utf8), Data(name.utf8))
    }

    private func many(from name: String) -> [Data] {
        (1...20).map { Data("message \($0) from \(name)".utf8) }
    }
}

final class Accepts: CredentialValidator {
    func validate(request: ValidationRequest) -> Bool { true }
}

enum Unexpected: Error {
    case outcome, batch, authenticator, absent
    case tooLate(String)
}

func required<Value>(_ value: Value?) throws -> Value {
    guard let value else { throw Unexpected.absent }
    return value
}

func hexadecimal(_ data: Data) -> String {
    data.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

func bytes(_ hex: Substring) -> Data? {
    guard hex.utf8.count.isMultiple(of: 2) else { return nil }
    var rest = hex
    var data = Data()
    while !rest.isEmpty {
        guard let byte = UInt8(rest.prefix(2), radix: 16) else { return nil }
        data.append(byte)
        rest = rest.dropFirst(2)
    }
    return data
}
