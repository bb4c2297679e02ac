import Foundation

/// Why a call did nothing. Every error leaves groups and database as they were before the call.
///
/// Each case has a stable number, ``code``, for logs and for support; docs/errors.md says what to do. No case carries a
/// key, a plaintext, an identifier or the text of a dependency.
public enum MlsError: Error, Hashable, Sendable {
    /// No group with this id is in the database. It was never joined here, or it was deleted.
    case groupNotFound
    /// The group came with a recovery archive and waits to be rejoined: `joinByExternalCommit`, or a Welcome. Or give it
    /// up: `forgetGroupToRejoin`.
    case groupNotRejoined
    /// A group with this id exists already. Delete it first, or keep using it.
    case groupAlreadyExists
    /// This device was removed from the group. What is there can be read; the group can be deleted or joined again. A
    /// message that comes after the removal is not read any more, even if it was sent before it.
    case groupInactive
    /// No identity with this id is in the database.
    case identityNotFound
    /// An identity with this public key exists already. Attach its signer instead, or use another key.
    case identityAlreadyExists
    /// Groups still sign with this identity, or wait to be rejoined with it. Change their identity or delete them first.
    case identityInUse
    /// No key package with this reference is in the database: it was used, deleted, or is another device's.
    case keyPackageNotFound
    /// A key package cannot be used. Ask its owner's delivery service for another.
    case keyPackageInvalid(reason: KeyPackageReason)
    /// A Welcome cannot be used.
    case welcomeInvalid(reason: WelcomeReason)
    /// A GroupInfo cannot be joined with. Get another from the delivery service or a member.
    case groupInfoInvalid(reason: GroupInfoReason)
    /// The group has an own Commit that waits. Merge it or clear it first.
    case pendingCommitExists
    /// The group has no own Commit that waits.
    case noPendingCommit
    /// A received Commit waits for a decision. Merge it or discard it first.
    case stagedCommitExists
    /// No received Commit waits for a decision.
    case noStagedCommit
    /// No external join waits for this group: it was abandoned, replaced by a Welcome, or the group has moved on since.
    case noExternalJoin
    /// This device discarded a Commit that the others follow. The group can only be read, deleted, or joined again.
    case groupDiverged(rejectedEpoch: UInt64)
    /// There is no room to keep another message that came too early. It was not taken: give it again when the group
    /// has moved on.
    case earlyBufferFull
    /// No proposal with this reference is queued: it was committed, dropped, or is of another epoch.
    case proposalNotFound
    /// Queued proposals must be committed before a message can be sent (RFC 9420, section 12.4). Commit first.
    case pendingProposalsExist
    /// A pre-shared key is not here: the external one was never registered or was deleted, or the resumption secret of
    /// that epoch is not kept. Register it, or do without.
    case pskNotFound
    /// A Commit would add members and mix in a resumption PSK, which new members cannot have (docs/adr/0017). Make two
    /// Commits: remove one of the proposals, or commit the queue first.
    case resumptionPskWithAdds
    /// The component's secret of this epoch was exported before. Each exists once (forward secrecy): keep what it gave,
    /// or wait for the next epoch.
    case secretAlreadyExported
    /// A message of an epoch so far ahead that it is no message of the group's near future. Skip it.
    case wrongEpoch(current: UInt64, received: UInt64)
    /// A message that decodes, but that this group must not accept. Skip it.
    case messageInvalid(reason: MessageReason)
    /// The bytes are no MLS message: damaged, cut short, or something else. Skip them.
    case messageMalformed
    /// The app's `CredentialValidator` refused, or it failed.
    case credentialRejected
    /// The identity's key is outside the library, and no signer was attached since `open`. Call `attachSigner`.
    case signerMissing
    /// The app's `Signer` failed, or what it returned is no signature by the identity's key.
    case signerFailed
    /// A callback called back into the library. Let it answer first.
    case reentrant
    /// No member of the group has this leaf index.
    case memberNotFound(leafIndex: UInt32)
    /// This library does not compute the ciphersuite.
    case unsupportedCiphersuite(ciphersuite: UInt16)
    /// An argument is out of its bounds.
    case invalidArgument(argument: String, reason: ArgumentReason)
    /// `wipe` has removed the database. Open a new client.
    case wiped
    /// The client is suspended, or was suspended while the call ran: it did nothing. Call `resume` first.
    case suspended
    /// The database was moved to another device, or is on its way. It never works here again.
    case transferred
    /// A recovery archive cannot be used, or not be made.
    case recoveryArchiveInvalid(reason: RecoveryArchiveReason)
    /// `rekey` was not confirmed. Confirm it, or call `rekey` again, first.
    case rekeyPending
    /// Another process held the database for longer than `busyTimeoutMs`. Try again.
    case storageBusy
    /// The operating system does not let the file be opened: the device has not been unlocked since it started, or the
    /// app may not write there.
    case storageLocked
    /// No space is left. Free some and try again.
    case storageFull
    /// The file, or its folder, cannot be written.
    case storageReadOnly
    /// The disk failed. Try again; if it stays, the device is failing.
    case storageIo
    /// The key does not open this database. The file is untouched.
    case wrongDatabaseKey
    /// The file is damaged. Nothing was deleted; restore the membership from other devices.
    case storageCorrupt
    /// The file is another program's, or no database at all. It is untouched.
    case storageForeign
    /// A newer version of the library wrote this file. Update the app; from a client that was open, end this process: the
    /// app was updated while it ran.
    case storageTooNew(found: UInt32, supported: UInt32)
    /// The file is older than `minimumGeneration`: an old copy was put back. Using it would reuse keys.
    case storageRolledBack(found: UInt64, minimum: UInt64)
    /// A fault of the library. Report the code.
    case `internal`(code: UInt32)
    /// The client is closed. Open another.
    case closed
}

extension MlsError: LocalizedError, CustomStringConvertible {
    /// The case's stable number, the same in every version and language.
    public var code: UInt32 {
        switch self {
        case .closed: 300
        default: generated?.errorCode() ?? Self.bindingsFailed
        }
    }

    /// What happened, in words.
    public var description: String {
        switch self {
        case .closed: "the client is closed"
        default: generated?.description ?? "internal error \(code)"
        }
    }

    /// As ``description``.
    public var errorDescription: String? { description }

    /// The generated code failed, not the library: see docs/errors.md.
    static let bindingsFailed: UInt32 = 1000
}
