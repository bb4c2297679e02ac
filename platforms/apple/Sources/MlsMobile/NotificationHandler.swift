import Foundation

/// The work of a notification extension, which has seconds of time and little memory, beside an app that may have the
/// same database open.
public struct NotificationHandler: Sendable {
    /// What a run of the handler brought.
    public struct Result: Hashable, Sendable {
        /// What became of the messages.
        public let batch: Batch
        /// The oldest entries that nobody has acknowledged, those of earlier runs too. The app acknowledges them.
        public let inbox: [InboxEntry]
    }

    /// How to open the app's database.
    public let config: ClientConfig
    /// Without one received Commits wait for the app.
    public let validator: (any CredentialValidator)?
    /// At most how many entries of the inbox are returned, so that a full one does not fill the extension's memory.
    public let inboxLimit: UInt32

    /// Nothing is opened before ``handle(_:budget:)``.
    public init(config: ClientConfig, validator: (any CredentialValidator)? = nil, inboxLimit: UInt32 = 64) {
        self.config = config
        self.validator = validator
        self.inboxLimit = inboxLimit
    }

    /// Opens the database, processes messages until the budget is spent, reads the inbox, and lets go of the file.
    ///
    /// Stored: as for ``MlsClient/processMessages(_:options:)``. Errors: as there and for `open`; the file is let go of
    /// after them too. After a crash: what was processed is in the inbox.
    public func handle(_ messages: [IncomingMessage], budget: Duration) async throws -> Result {
        let client = try await MlsClient.open(config: config, validator: validator)
        let result: Result
        do {
            let batch = try await client.processMessages(messages, options: ProcessOptions(budget: budget))
            result = Result(batch: batch, inbox: try await client.inbox(limit: inboxLimit))
            // Erases what was deleted before the process is stopped.
            try await client.suspend(deadline: .seconds(1))
        } catch {
            await client.close()
            throw error
        }
        await client.close()
        return result
    }
}
