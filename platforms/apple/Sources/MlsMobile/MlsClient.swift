import Foundation
import MlsMobileFFI

/// A device: one database file with its identities, key packages and groups.
///
/// Every call is one transaction: when it returns, what it did is on disk; when it fails, nothing happened. Calls may
/// come from any task and from several processes that have the same file open; they wait for each other, and reads do
/// not wait for a batch to end.
///
/// Calls throw ``MlsError``, and nothing else but `CancellationError`: a call whose task is cancelled before it begins
/// throws that and did nothing. Once it runs, it completes and returns its result; a long batch ends early by its
/// budget only.
public final class MlsClient: Sendable {
    let core: Core

    init(_ core: Core) {
        self.core = core
    }

    /// Opens the database, or creates it if the file does not exist or is empty.
    ///
    /// Stored: nothing in an existing file, unless it is of an older schema, which is brought up to date.
    /// Errors: `invalidArgument` (a key that is not 32 bytes, a path that is a folder or in none), `wrongDatabaseKey`,
    /// `storageForeign`, `storageTooNew`, `storageRolledBack`, `storageCorrupt`, `storageLocked`, `storageReadOnly`,
    /// `storageFull`, `storageBusy`; each leaves the file as it was.
    /// After a crash: whatever calls had returned is there; a call that had not is there whole or not at all.
    public static func open(
        config: ClientConfig, validator: CredentialValidator? = nil, logSink: LogSink? = nil
    ) async throws -> MlsClient {
        let core = try await Core.open {
            try MlsMobileFFI.MlsClient.open(config: config, validator: validator, logSink: logSink)
        }
        return MlsClient(core)
    }

    /// Takes a file of ``exportForTransfer(to:transferKey:)`` over as the database of `config`, which must not exist,
    /// under `config.databaseKey`, removes the file, and opens the database.
    ///
    /// Errors: `wrongDatabaseKey` (the transfer key), `invalidArgument`, `storageForeign`, `transferred` (the file was
    /// imported before), and as `open`. After an error or a crash: if there is a database, open it, else repeat the
    /// call, with the same keys and path. The file cannot be imported a second time elsewhere.
    public static func importTransfer(
        from file: URL, transferKey: Data, config: ClientConfig, validator: CredentialValidator? = nil,
        logSink: LogSink? = nil
    ) async throws -> MlsClient {
        let core = try await Core.open {
            try MlsMobileFFI.MlsClient.importTransfer(
                path: file.path, transferKey: transferKey, config: config, validator: validator,
                logSink: logSink)
        }
        return MlsClient(core)
    }

    /// Waits for the calls that were made before, closes the file and frees everything. Afterwards every call of this
    /// client and its groups throws ``MlsError/closed``. Closed already, nothing happens.
    ///
    /// A client that is let go without `close` is closed when its last group and call are.
    public func close() async {
        await core.close()
    }
}
