import Foundation
import MlsMobileFFI

extension MlsClient {
    /// Erases the old key's wrap: from now on only the new key opens the database. Without a change under way
    /// nothing happens.
    ///
    /// Errors: `wrongDatabaseKey` if this client was opened with the old key after another one had changed it.
    public func confirmRekey() async throws {
        try await core.write { try $0.confirmRekey() }
    }

    /// Makes `newKey` open the database too, without rewriting it. Save the new key in the Keychain, then
    /// call `confirmRekey`: until then both keys open, so that a crash in between locks nobody out. Calling it again
    /// replaces a new key that was not confirmed.
    ///
    /// Errors: `invalidArgument` (not 32 bytes), those of storage.
    public func rekey(newKey: Data) async throws {
        try await core.write { try $0.rekey(newKey: newKey) }
    }

    /// Seals every value anew under another data key. `rekey` changes who opens the file; this makes an old copy of
    /// the file, with its key, useless for the present one. It takes as long as rewriting the database.
    ///
    /// Errors: `rekeyPending`; those of storage.
    public func rotateDataKey() async throws {
        try await core.write { try $0.rotateDataKey() }
    }

    /// Tells generation, state and sizes. Nothing is stored. Errors: those of storage.
    public func storageInfo() async throws -> StorageInfo {
        try await core.read { try $0.storageInfo() }
    }

    /// Removes every file of the database, suspended or not. Afterwards this client and its groups answer `wiped`;
    /// another process that has the file open keeps working on a file that no longer has a name, so close it there
    /// first. Errors: `storageLocked` when a file cannot be removed; call again.
    public func wipe() async throws {
        try await core.control { try $0.wipe() }
    }

    /// Moves the database to another device: writes it to `file`, which must not exist, under `transferKey`, 32 random
    /// bytes that the app brings over in another way. From the first moment on this database answers `transferred` for
    /// ever, because two copies in use would use the same keys; `wipe` it when the other device has imported the file.
    /// The app must see to it that the file itself is imported once only.
    ///
    /// Errors: `invalidArgument` (the key, or the file exists), `transferred`, those of storage. After an error or a
    /// crash, repeat it: the copy is made again, until a call has returned.
    public func exportForTransfer(to file: URL, transferKey: Data) async throws {
        try await core.write { try $0.exportForTransfer(path: file.path, transferKey: transferKey) }
    }

    /// Before the operating system suspends the app: lets no call in any more, waits up to `deadline` for the one that
    /// runs, interrupts it then, erases what was deleted, and closes the file. Afterwards no handle and no lock is
    /// held, and calls answer `suspended`. Suspended already, nothing happens.
    ///
    /// A call that is interrupted answers `suspended` and did nothing.
    /// Errors: `reentrant`, `wiped`.
    public func suspend(deadline: Duration) async throws {
        try await core.control { try $0.suspend(deadlineMs: deadline.milliseconds) }
    }

    /// Opens the file again after `suspend`. In use already, nothing happens.
    ///
    /// Errors: as `open`; the client stays suspended then.
    public func resume() async throws {
        try await core.control { try $0.resume() }
        await core.inboxChanges.signal(demanded: true)
    }
}
