import Foundation
import MlsMobile

/// What app and extension share: the place of the database, its key, and what a notification becomes.
enum Phone {
    static func config() throws -> ClientConfig {
        let folder = try DatabaseDirectory.inAppGroup("group.org.example.chat")
        let database = folder.appendingPathComponent("mls.db")
        let keychain = Keychain(service: "org.example.chat", accessGroup: "TEAMID.group.org.example.chat")
        return ClientConfig(database: database, databaseKey: try databaseKey(for: database, in: keychain))
    }

    /// Fetches and processes what is new, and says what to show.
    static func handleNotification() async throws -> String? {
        let messages = try await fetch()
        let result = try await NotificationHandler(config: config()).handle(messages, budget: .seconds(20))
        guard case .application(_, _, _, let plaintext, _)? = result.inbox.last?.outcome else { return nil }
        return String(decoding: plaintext, as: UTF8.self)
    }

    /// The app's own network code.
    static func fetch() async throws -> [IncomingMessage] { [] }
}
