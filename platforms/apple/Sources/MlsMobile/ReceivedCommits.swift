import Foundation
import MlsMobileFFI

extension MlsGroup {
    /// Drops the received Commit that waits, for good: its keys are used up, so it can never be processed again, and
    /// the other members go on without this device. Messages of the current and past epochs can still be read;
    /// everything else answers `groupDiverged`. Join the group again, or delete it.
    ///
    /// Stored: that the group went its own way. Own Commits that wait and early messages are dropped; the inbox names
    /// the latter (`earlyRefused`), and gives a message that waited for an own Commit back (`messageNotCreated`).
    /// Errors: `noStagedCommit`, `groupNotFound`.
    public func discardStagedCommit() async throws {
        try await write { try $0.discardStagedCommit() }
    }

    /// Gives up all messages that came too early, for good: when `earlyBufferFull` comes again and again, because
    /// somebody sends forged ones, or because the Commit that they wait for is lost. Fetch what is missing afterwards,
    /// or join the group again.
    ///
    /// Stored: that they are gone; each is named (`earlyRefused`), here and in the inbox.
    public func dropEarlyMessages() async throws -> [ProcessedMessage] {
        try await write { try $0.dropEarlyMessages() }
    }

    /// Merges the received Commit that waits (`CommitState.staged`), because the app accepts what it changes;
    /// `info().stagedCommit` tells it. The group enters the next epoch.
    ///
    /// Stored: the new epoch, and the outcomes of early messages that it makes readable. An own Commit that waits is
    /// cleared; `superseded` then says what it would have done.
    /// Errors: `noStagedCommit`, `groupInactive`, `groupNotFound`.
    /// After a crash: it still waits, or it is merged.
    public func mergeStagedCommit() async throws -> Merged {
        try await write { try $0.mergeStagedCommit() }
    }

    /// Replays early messages that the group can read. Every merge does so by itself, and a join if there is an inbox;
    /// this is for a Commit among them that the validator refused (`EarlyRefusal.rejected`) or that lacked a
    /// pre-shared key, once it would be accepted. One that is refused again stays and is not named again.
    ///
    /// Stored: what the messages change, and their outcomes in the inbox.
    /// Errors: `groupNotFound`.
    public func releaseEarlyMessages() async throws -> [ProcessedMessage] {
        try await write { try $0.releaseEarlyMessages() }
    }
}
