import Foundation
import MlsMobileFFI

extension MlsGroup {
    /// Changes how the group behaves on this device. Nothing is sent.
    ///
    /// Stored: the configuration; fewer past epochs, or a shorter lifetime, delete their keys at once.
    /// Errors: `invalidArgument` (a value out of its bounds; `onlyAtCreation` for what must be left out here: `groupId`,
    /// `leafNode`, `lifetimeSeconds`, `requiredCapabilities`, `extensions`, `externalSenders`), `groupNotFound`.
    public func configure(_ config: GroupConfig) async throws {
        try await write { try $0.configure(config: config) }
    }

    /// Deletes everything of the group from this device. The others are not told: leave first, or have this device
    /// removed. An external join that waits is dropped too. Inbox entries stay until they are acknowledged. Errors:
    /// `groupNotFound`.
    public func delete() async throws {
        try await write { try $0.delete() }
    }

    /// The servers that may propose to the group from outside (RFC 9420, section 12.1.8.1), in the order of their
    /// index, which is what `Sender.external` names. `updateGroupContextExtensions` changes them. Errors:
    /// `groupNotFound`.
    public func externalSenders() async throws -> [ExternalSender] {
        try await read { try $0.externalSenders() }
    }

    /// The group at this moment. Errors: `groupNotFound` after it was deleted.
    public func info() async throws -> GroupState {
        try await read { try $0.info() }
    }

    /// The members in leaf order. After this device was removed: as they were before that.
    public func members() async throws -> [Member] {
        try await read { try $0.members() }
    }
}
