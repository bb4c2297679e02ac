// What the tests need a process of its own for: an app's extension beside the app, and memory that only it uses.

import Foundation
import MlsMobile

@main
struct TestProcess {
    static func main() async throws {
        let arguments = CommandLine.arguments
        switch arguments[1] {
        case "notify": try await notify(folder: URL(fileURLWithPath: arguments[2]))
        case "calls": try await calls(folder: URL(fileURLWithPath: arguments[2]))
        default: fatalError("unknown part \(arguments[1])")
        }
    }

    /// Handles FOLDER/0, FOLDER/1, … for the database FOLDER/bob.db, as an extension would.
    private static func notify(folder: URL) async throws {
        var messages: [IncomingMessage] = []
        while let bytes = try? Data(contentsOf: folder.appendingPathComponent("\(messages.count)")) {
            messages.append(IncomingMessage(bytes: bytes))
        }
        let before = Memory().now
        let handler = NotificationHandler(config: config(folder, "bob"))
        let result = try await handler.handle(messages, budget: .seconds(20))
        let growth = Memory().peak - before
        print("handled \(result.batch.outcomes.count) inbox \(result.inbox.count) peak growth \(growth) KiB")
    }

    /// Calls with handles, records and errors; the memory after the first part, which fills caches, and at the end.
    private static func calls(folder: URL) async throws {
        let client = try await MlsClient.open(config: config(folder, "calls"))
        let suite = Ciphersuite.mls128Dhkemx25519Chacha20poly1305Sha256Ed25519
        let identity = try await client.createIdentity(credential: .basic(identity: Data()), ciphersuite: suite)
        let id = try await client.createGroup(identity: identity.id).id
        var (count, warm) = (0, 0)
        while count < 10_000 {
            let group = try await client.group(id)
            _ = try await group.info()
            let message = try await group.createMessage(Data(repeating: 1, count: 1000))
            _ = try await group.processMessage(message)
            do {
                _ = try await client.group(GroupId(message))
            } catch MlsError.groupNotFound {
                count += 5
            }
            if count == 2_000 { warm = Memory().now }
        }
        print("calls \(count) growth \(Memory().now - warm) KiB")
    }

    private static func config(_ folder: URL, _ name: String) -> ClientConfig {
        ClientConfig(database: folder.appendingPathComponent(name + ".db"), databaseKey: Data(0..<32))
    }
}
