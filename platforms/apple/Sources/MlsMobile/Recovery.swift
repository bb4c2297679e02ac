import Foundation
import MlsMobileFFI

// A lost phone: an archive without keys of any epoch, and coming back with it.

extension MlsClient {
    /// Makes a new database at `config.databasePath`, which must not exist, from an archive of
    /// `exportRecoveryArchive`, and opens it. `config.databaseKey` is a new key; leave `minimumGeneration` out: a new
    /// database begins to count anew.
    ///
    /// Stored: the identities and pre-shared keys, and the groups, which wait to be rejoined: for each of
    /// `groupsToRejoin` call `joinByExternalCommit`. Nothing else is left of the lost device: its key packages
    /// do not work here, so have the delivery service drop them and publish new ones; messages that were not
    /// processed cannot be read. An identity whose key is outside the library needs its signer attached.
    /// If somebody else may have the lost phone, he can still sign as its identities: create new ones, and move each
    /// group to one with `selfUpdate` once it is rejoined.
    ///
    /// Restored on two phones, the archive makes two devices of which the members keep the one that joins last: its
    /// Commit removes the other, which is then told so (`groupInactive`).
    /// Errors: `recoveryArchiveInvalid` (another key; changed, cut or no archive; of a newer version), `invalidArgument`
    /// (a key that is not 32 bytes; the path; `alreadyExists`), `storageRolledBack`, and as `open`. An archive or argument
    /// that is refused leaves nothing on the disk. After an error of storage or a crash: if there is a database, it is
    /// whole, so open it; else repeat the call.
    public static func recover(
        archive: Data, recoveryKey: Data, config: ClientConfig, validator: CredentialValidator? = nil,
        logSink: LogSink? = nil
    ) async throws -> MlsClient {
        let core = try await Core.open {
            try MlsMobileFFI.MlsClient.recover(
                archive: archive, recoveryKey: recoveryKey, config: config, validator: validator, logSink: logSink)
        }
        return MlsClient(core)
    }

    /// Makes an archive from which `recover` makes a new database when this phone is lost: identities with their private
    /// keys, registered pre-shared keys, and of each group its id, epoch, identity, leaf index and configuration. No
    /// ratchet or epoch secret, no key package, no message and nothing that is pending is in it, so that it may be kept
    /// in a file or any cloud, and restored any number of times. A copy of the whole state is not offered: it would use
    /// keys twice.
    ///
    /// `recoveryKey` is 32 random bytes, for this purpose only. A passphrase is not a key: make one at random, show it
    /// to the user as words or groups of digits to be written down, or keep it where the user's other devices find it,
    /// but not beside the archive: who has both can join as this device. The archive's size is 16 KiB or a larger power
    /// of two, and 78 bytes; it says little about the number of groups.
    /// Export again when a group was joined, left or deleted, an identity was made or changed in a group, or a
    /// pre-shared key or a configuration changed: `recoveryRevision` tells. Epochs that pass need no new archive.
    ///
    /// Stored and sent: nothing. Errors: `invalidArgument` (not 32 bytes), `recoveryArchiveInvalid` (`tooLarge`: over
    /// 64 MiB), those of storage.
    public func exportRecoveryArchive(recoveryKey: Data) async throws -> Data {
        try await core.read { try $0.exportRecoveryArchive(recoveryKey: recoveryKey) }
    }

    /// Gives up a group that waits to be rejoined, with an external join that waits for it. The others are not told: the
    /// lost device's leaf stays until a member removes it. For any other group nothing happens, so that it can be called
    /// again after a crash.
    ///
    /// Stored: that the group is gone. Errors: those of storage.
    public func forgetGroupToRejoin(_ groupId: GroupId) async throws {
        try await core.write { try $0.forgetGroupToRejoin(groupId: groupId) }
    }

    /// The groups of the archive that this database was recovered from and that wait to be rejoined, in the order in
    /// which the lost device had them. `group` and messages for them answer `groupNotRejoined`. Get the GroupInfo of
    /// each and call `joinByExternalCommit` with its `identity`, or have a member invite this device: a Welcome for
    /// the group settles it too. The group gets back its configuration, except what is chosen when a group is joined.
    ///
    /// A group leaves this list when it is joined (`confirmExternalJoin` or the Commit's echo, `joinFromWelcome`) or
    /// forgotten. Archives that are made here name it until then. Nothing is stored. Errors: those of storage.
    public func groupsToRejoin() async throws -> [GroupToRejoin] {
        try await core.read { try $0.groupsToRejoin() }
    }

    /// A number that is another one when an archive made now would have other content, epochs apart. Ask for it right
    /// before `exportRecoveryArchive`, keep it with the archive, and compare after groups or identities have changed:
    /// if it differs, export again. It costs a few times as much as `groups`, and says nothing about the content. A new
    /// version of the library may give another number for the same content.
    ///
    /// Nothing is stored. Errors: those of storage.
    public func recoveryRevision() async throws -> UInt64 {
        try await core.read { try $0.recoveryRevision() }
    }
}
