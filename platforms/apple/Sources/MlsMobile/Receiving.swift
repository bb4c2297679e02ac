import Foundation
import MlsMobileFFI

extension MlsClient {
    /// Deletes entries that the app has saved. Ids that are gone already are no error, so it can be repeated.
    public func acknowledge(_ ids: [UInt64]) async throws {
        try await core.write { try $0.acknowledge(ids: ids) }
    }

    /// The `cursor` of the last message that a batch handled, never of one that it did not reach.
    public func cursor() async throws -> Data? {
        try await core.read { try $0.cursor() }
    }

    /// The oldest `limit` outcomes that were not acknowledged, oldest first: read them after every start, because a
    /// notification extension may have processed messages that the app has not seen.
    public func inbox(limit: UInt32) async throws -> [InboxEntry] {
        try await core.read { try $0.inbox(limit: limit) }
    }

    /// Reads what a message says about itself. It needs no state and proves nothing: use it to route.
    ///
    /// Errors: `messageMalformed`, `invalidArgument`.
    public func messageInfo(_ message: Data) async throws -> MessageInfo {
        try await core.read { try $0.messageInfo(message: message) }
    }

    /// Processes messages of any groups in order, as `MlsGroup.processMessage` does each: for catching up after a
    /// start, or in a notification extension.
    ///
    /// Stored: as for each message, in transactions that aim at 200 ms, so that another process gets its turn; a
    /// message's `cursor` is stored together with what the message changed. A batch that was handled to its end, an
    /// empty one too, also deletes past epochs' keys that have expired, in a few groups that nothing else has used.
    /// It stops when `budgetMs` is spent, before a message that there is no room to keep (`earlyBufferFull`), before
    /// one that the validator could not judge because it failed (`credentialRejected`), and at a failure of storage;
    /// `stoppedAt` says where, and `error` why if it was not the budget. What came before is kept; go on there.
    /// A message that is refused for itself does not stop it, and neither does one that the validator decided against,
    /// or one for a group that is not here (join from Welcomes first): its outcome carries the error. A Commit that the
    /// validator decided against is kept and named in the inbox (`earlyRefused`), because the cursor goes past it:
    /// `releaseEarlyMessages` asks again.
    /// After a crash: continue at `cursor`, and read the inbox.
    public func processMessages(
        _ messages: [IncomingMessage], options: ProcessOptions? = nil
    ) async throws -> Batch {
        Batch(try await core.write { try $0.processMessages(messages: messages, options: options) })
    }

    /// The oldest `limit` entries of the inbox, as they are now and after each change that this client makes: `for try
    /// await entries in client.inboxUpdates()`. Each list is whole, so that who was busy misses nothing; who
    /// acknowledges what it has saved gets the rest. While the client is suspended nothing comes, and `resume` gives
    /// the list again; `close` ends it. Changes of other processes show after ``refresh()``.
    public func inboxUpdates(limit: UInt32 = 100) -> InboxUpdates {
        InboxUpdates(core: core, limit: limit)
    }

    /// Another process has told that it used the database: those who watch the inbox look again.
    public func refresh() async {
        await core.inboxChanges.signal(demanded: true)
    }
}
