//! The database file: suspending, keys, moving, wiping.

use std::{path::Path, sync::Arc, time::Duration};

use super::{
    ClientConfig, CredentialValidator, LogSink, MlsClient, MlsError, StorageInfo, call, client::secret,
};
use crate::storage::transfer;

#[uniffi::export]
impl MlsClient {
    /// Tells generation, state and sizes. Nothing is stored. Errors: those of storage.
    pub fn storage_info(&self) -> Result<StorageInfo, MlsError> {
        call(&self.core, "storage_info", || {
            self.core.store.info().map(Into::into)
        })
    }

    /// Before the operating system suspends the app: lets no call in any more, waits up to `deadline_ms` for the one
    /// that runs, interrupts it then, erases what was deleted, and closes the file. Afterwards no handle and no lock
    /// is held, and calls answer `Suspended`. From any thread; suspended already, nothing happens.
    ///
    /// A call that is interrupted answers `Suspended` and did nothing. A callback cannot be interrupted: while a
    /// validator or a signer runs, this waits for it, whatever the deadline.
    /// Errors: `Reentrant`, `Wiped`.
    pub fn suspend(&self, deadline_ms: u32) -> Result<(), MlsError> {
        call(&self.core, "suspend", || {
            self.core.store.suspend(Duration::from_millis(deadline_ms.into()))
        })
    }

    /// Opens the file again after `suspend`. In use already, nothing happens.
    ///
    /// Errors: as `open`; the client stays suspended then.
    pub fn resume(&self) -> Result<(), MlsError> {
        call(&self.core, "resume", || self.core.store.resume())
    }

    /// Makes `new_key` open the database too, without rewriting it. Save the new key in Keychain or Keystore, then
    /// call `confirm_rekey`: until then both keys open, so that a crash in between locks nobody out. Calling it again
    /// replaces a new key that was not confirmed.
    ///
    /// Errors: `InvalidArgument` (not 32 bytes), those of storage.
    pub fn rekey(&self, new_key: Vec<u8>) -> Result<(), MlsError> {
        call(&self.core, "rekey", || {
            self.core.store.rekey(&secret("new_key", new_key)?)
        })
    }

    /// Erases the old key's wrap: from now on only the new key opens the database. Without a change under way
    /// nothing happens.
    ///
    /// Errors: `WrongDatabaseKey` if this client was opened with the old key after another one had changed it.
    pub fn confirm_rekey(&self) -> Result<(), MlsError> {
        call(&self.core, "confirm_rekey", || self.core.store.confirm_rekey())
    }

    /// Seals every value anew under another data key. `rekey` changes who opens the file; this makes an old copy of
    /// the file, with its key, useless for the present one. It takes as long as rewriting the database.
    ///
    /// Errors: `RekeyPending`; those of storage.
    pub fn rotate_data_key(&self) -> Result<(), MlsError> {
        call(&self.core, "rotate_data_key", || {
            self.core.store.rotate_data_key()
        })
    }

    /// Moves the database to another device: writes it to `path`, which must not exist, under `transfer_key`, 32
    /// random bytes that the app brings over in another way. From the first moment on this database answers
    /// `Transferred` for ever, because two copies in use would use the same keys; `wipe` it when the other device has
    /// imported the file. The app must see to it that the file itself is imported once only.
    ///
    /// Errors: `InvalidArgument` (the key, or the file exists), `Transferred`, those of storage. After an error or a
    /// crash, repeat it: the copy is made again, until a call has returned.
    pub fn export_for_transfer(&self, path: String, transfer_key: Vec<u8>) -> Result<(), MlsError> {
        call(&self.core, "export_for_transfer", || {
            let transfer_key = secret("transfer_key", transfer_key)?;
            self.core
                .store
                .export_for_transfer(Path::new(&path), &transfer_key)
        })
    }

    /// Takes a file of `export_for_transfer` over as the database at `config.database_path`, which must not exist,
    /// under `config.database_key`, removes the file, and opens the database.
    ///
    /// Errors: `WrongDatabaseKey` (the transfer key), `InvalidArgument`, `StorageForeign`, `Transferred` (the file was
    /// imported before), `StorageBusy` (another call makes a database in this folder), and as `open`. After an error or
    /// a crash: if there is a database, open it, else repeat the call, with the same keys and path. The file cannot be
    /// imported a second time elsewhere.
    #[uniffi::constructor(default(validator = None, log_sink = None))]
    pub fn import_transfer(
        path: String,
        transfer_key: Vec<u8>,
        config: ClientConfig,
        validator: Option<Arc<dyn CredentialValidator>>,
        log_sink: Option<Arc<dyn LogSink>>,
    ) -> Result<Arc<Self>, MlsError> {
        let target = config.database_path.clone();
        Self::start("import_transfer", config, validator, log_sink, |database_key| {
            let transfer_key = secret("transfer_key", transfer_key)?;
            let target = Path::new(&target);
            transfer::import(Path::new(&path), &transfer_key, target, database_key).map_err(Into::into)
        })
    }

    /// Removes every file of the database, suspended or not. Afterwards this client and its groups answer `Wiped`;
    /// another process that has the file open keeps working on a file that no longer has a name, so close it there
    /// first. Errors: `StorageLocked` when a file cannot be removed; call again.
    pub fn wipe(&self) -> Result<(), MlsError> {
        call(&self.core, "wipe", || self.core.store.wipe())
    }
}
