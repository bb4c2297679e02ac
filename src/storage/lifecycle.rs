//! Suspending, resuming and wiping: what happens to the open file.

use std::{path::Path, sync::atomic::Ordering, time::Duration};

use super::{
    busy,
    error::StorageError,
    header, key_slots, migrations,
    open::{self, Database, Settings},
    store::{Phase, State, Store, lock},
    transfer,
};
use crate::error::Error;

/// What can be told about the file.
pub(crate) struct Info {
    pub(crate) generation: u64,
    pub(crate) schema_version: u32,
    pub(crate) sqlite_version: &'static str,
    pub(crate) erasure_pending: bool,
    pub(crate) rekey_pending: bool,
    pub(crate) database_bytes: u64,
    pub(crate) wal_bytes: u64,
}

impl Store {
    /// Lets no call in any more, waits until `deadline` for the running one, then interrupts it; erases, and closes
    /// the file with every handle and lock. Suspended already, there is nothing to do.
    pub(crate) fn suspend(&self, deadline: Duration) -> Result<(), Error> {
        let pass = self.gate.suspend(deadline, || {
            self.interrupted.store(true, Ordering::Release);
            if let Some(handle) = &*lock(&self.interrupt_handle) {
                handle.interrupt();
            }
        })?;
        self.interrupted.store(false, Ordering::Release);
        let mut entered = self.entered(pass);
        let State {
            phase,
            groups,
            erasure,
            ..
        } = &mut *entered.state;
        if matches!(phase, Phase::Wiped) {
            // Calls must go on to hear that.
            self.gate.resume();
            return Err(Error::Wiped);
        }
        if let Phase::Open(database) = phase {
            erasure.erase(&database.connection);
            groups.reset();
            self.close(phase, Phase::Suspended);
        }
        Ok(())
    }

    /// Opens the file again. In use already, there is nothing to do.
    pub(crate) fn resume(&self) -> Result<(), Error> {
        let mut entered = self.entered(self.gate.enter_suspended()?);
        let State {
            phase,
            groups,
            database_key,
            ..
        } = &mut *entered.state;
        match phase {
            Phase::Open(_) => {}
            Phase::Wiped => return Err(Error::Wiped),
            Phase::Suspended => {
                let settings = Settings {
                    path: &self.path,
                    database_key,
                    minimum_generation: None,
                };
                let database = busy::with_patience(self.busy_timeout, &self.interrupted, || {
                    open::open_existing(&settings)
                })?;
                *lock(&self.interrupt_handle) = Some(database.connection.get_interrupt_handle());
                groups.reset();
                *phase = Phase::Open(Box::new(database));
            }
        }
        self.gate.resume();
        Ok(())
    }

    /// Generation, state and sizes.
    pub(crate) fn info(&self) -> Result<Info, Error> {
        let mut entered = self.entered(self.gate.enter()?);
        let erasure_pending = entered.state.erasure.is_pending();
        let Database { connection, .. } = entered.state.phase.database()?;
        let (schema_version, header, slots) =
            busy::with_patience(self.busy_timeout, &self.interrupted, || {
                let schema_version = migrations::version(connection)?;
                Ok::<_, StorageError>((
                    schema_version,
                    header::read(connection)?,
                    key_slots::list(connection)?,
                ))
            })?;
        let [main, wal, _] = self.files();
        let bytes = |path: &Path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        Ok(Info {
            generation: header.generation,
            schema_version,
            sqlite_version: rusqlite::version(),
            erasure_pending,
            rekey_pending: slots.len() > 1,
            database_bytes: bytes(&main),
            wal_bytes: bytes(&wal),
        })
    }

    /// Closes the file and removes it with its -wal and -shm, suspended or not. Every later call answers
    /// [`Error::Wiped`].
    pub(crate) fn wipe(&self) -> Result<(), Error> {
        let mut entered = self.entered(self.gate.enter_suspended()?);
        let State { phase, groups, .. } = &mut *entered.state;
        groups.reset();
        self.signers.detach_all();
        self.close(phase, Phase::Wiped);
        for file in self.files() {
            match std::fs::remove_file(&file) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(StorageError::Locked.into());
                }
                _ => {}
            }
        }
        transfer::remove_partials(&self.path)?;
        transfer::sync_folder(&self.path)?;
        self.gate.resume();
        Ok(())
    }

    fn close(&self, phase: &mut Phase, next: Phase) {
        *lock(&self.interrupt_handle) = None;
        if let Phase::Open(database) = std::mem::replace(phase, next) {
            // It cannot fail with all statements finalised; dropped, it closes all the same.
            drop(database.connection.close());
        }
    }
}
