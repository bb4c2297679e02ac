//! The store: one connection behind one gate, one transaction a call, and the rule for what stays in memory.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
    time::Duration,
};

use rusqlite::{Connection, InterruptHandle, TransactionBehavior};

use super::{
    busy,
    cache::GroupCache,
    call::{Call, settle},
    erasure::Erasure,
    error::StorageError,
    fault::{self, Point},
    gate::{Gate, Pass, Refusal},
    header::{self, Transfer},
    key_slots, migrations,
    open::{self, Database, Settings},
    seal::Sealer,
    transaction::{Access, Transaction},
    tx::{ReadTx, WriteTx},
};
use crate::{error::Error, secret::Secret, signing::Signers};

pub(crate) struct Store {
    pub(super) path: PathBuf,
    pub(super) busy_timeout: Duration,
    pub(super) gate: Gate,
    state: Mutex<State>,
    /// Set while a suspension wants the running call to end.
    pub(super) interrupted: Arc<AtomicBool>,
    pub(super) interrupt_handle: Mutex<Option<InterruptHandle>>,
    /// Those that the app has attached since it opened the database.
    pub(crate) signers: Signers,
}

pub(super) struct State {
    pub(super) phase: Phase,
    pub(super) groups: GroupCache,
    /// For opening again after a suspension, and for following another process's new data key.
    pub(super) database_key: Secret<32>,
    /// Whether `rekey` was called here and not confirmed.
    pub(super) rekeyed: bool,
    pub(super) transfer: Transfer,
    pub(super) erasure: Erasure,
}

pub(super) enum Phase {
    Open(Box<Database>),
    Suspended,
    Wiped,
}

impl Phase {
    pub(super) fn database(&mut self) -> Result<&mut Database, Error> {
        match self {
            Self::Open(database) => Ok(database),
            Self::Suspended => Err(Error::Suspended),
            Self::Wiped => Err(Error::Wiped),
        }
    }
}

/// A transaction that has begun, and what a call works with in it.
struct Begun<'s> {
    transaction: Transaction<'s>,
    connection: &'s Connection,
    groups: &'s mut GroupCache,
    sealer: &'s Sealer,
}

/// Inside the gate, with the state in hand.
pub(super) struct Entered<'s> {
    pub(super) state: MutexGuard<'s, State>,
    /// Dropped after the guard: who comes next finds the state free.
    _pass: Pass<'s>,
}

impl Store {
    pub(crate) fn open(
        path: &Path,
        database_key: &Secret<32>,
        busy_timeout: Duration,
        minimum_generation: Option<u64>,
    ) -> Result<Self, Error> {
        let path = open::locate("database_path", path)?;
        let interrupted = Arc::new(AtomicBool::new(false));
        let settings = Settings {
            path: &path,
            database_key,
            minimum_generation,
        };
        let database = busy::with_patience(busy_timeout, &interrupted, || open::open(&settings))?;
        let interrupt_handle = database.connection.get_interrupt_handle();
        let erasure = Erasure::after_open(&database.connection);
        let state = State {
            phase: Phase::Open(Box::new(database)),
            groups: GroupCache::new(),
            database_key: database_key.clone(),
            rekeyed: false,
            transfer: Transfer::InUse,
            erasure,
        };
        Ok(Self {
            path,
            busy_timeout,
            gate: Gate::default(),
            state: Mutex::new(state),
            interrupted,
            interrupt_handle: Mutex::new(Some(interrupt_handle)),
            signers: Signers::default(),
        })
    }

    /// Runs `work` in one `BEGIN IMMEDIATE` transaction and commits it before anything is returned. On an error
    /// everything rolls back, and so do the live groups: they are loaded again by the next call.
    pub(crate) fn write<T>(
        &self,
        work: impl FnOnce(&mut Call<'_, WriteTx<'_>>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.run_write(work, Commit::Yes)
    }

    /// Runs `work` and rolls everything back, whatever it answers: for looking at what a call would do.
    pub(crate) fn dry_run<T>(
        &self,
        work: impl FnOnce(&mut Call<'_, WriteTx<'_>>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.run_write(work, Commit::No)
    }

    /// Runs `work` over one snapshot of the file.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&mut Call<'_, ReadTx<'_>>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut entered = self.enter()?;
        let state = &mut *entered.state;
        let begun = self.begin(state, Access::Read)?;
        let tx = ReadTx::new(begun.connection, begun.sealer, &self.interrupted, &self.signers);
        let mut call = Call::new(tx, begun.groups);
        let result = work(&mut call);
        call.make_room();
        settle(result, call.tx.take_failure())
    }

    fn run_write<T>(
        &self,
        work: impl FnOnce(&mut Call<'_, WriteTx<'_>>) -> Result<T, Error>,
        commit: Commit,
    ) -> Result<T, Error> {
        let mut entered = self.enter()?;
        let state = &mut *entered.state;
        fault::hit(Point::BeforeBegin)?;
        let Begun {
            transaction,
            connection,
            groups,
            sealer,
        } = self.begin(state, Access::Write)?;
        let changes_before = connection.total_changes();
        let tx = WriteTx::new(connection, sealer, &self.interrupted, &self.signers);
        let mut call = Call::new(tx, groups);
        let result = work(&mut call);
        let result = settle(result, call.tx.take_failure()).and_then(|value| {
            if matches!(commit, Commit::No) {
                call.forget_kept();
                return Ok((value, None));
            }
            let changed = connection.total_changes() != changes_before;
            if changed {
                header::raise(&call.tx)?;
            }
            call.tx.check_interrupted()?;
            self.commit(transaction)?;
            call.make_room();
            Ok((value, changed.then(|| call.tx.erases())))
        });
        // Rolled back, by the transaction's end or by a COMMIT that failed.
        let (value, changed) = result.inspect_err(|_| {
            call.forget_kept();
        })?;
        if let Phase::Open(database) = &state.phase {
            state
                .erasure
                .after_commit(&database.connection, &database.log, changed);
            fault::hit(Point::AfterCommit)?;
        }
        Ok(value)
    }

    fn commit(&self, transaction: Transaction<'_>) -> Result<(), StorageError> {
        fault::hit(Point::BeforeCommit)?;
        transaction.commit()?;
        fault::hit(Point::AfterCommit)
    }

    /// Begins a transaction and looks what other processes did since the last one: wrote, changed the data key, or
    /// moved the database away.
    fn begin<'s>(&self, state: &'s mut State, access: Access) -> Result<Begun<'s>, Error> {
        let State {
            phase,
            groups,
            database_key,
            transfer,
            ..
        } = state;
        let Database { connection, keys, .. } = phase.database()?;
        let connection: &Connection = connection;
        let (transaction, data_version) = self.with_lock(connection, |connection| {
            let transaction = Transaction::begin(connection, access)?;
            let data_version = data_version(connection)?;
            Ok((transaction, data_version))
        })?;
        if groups.is_outdated(data_version) {
            groups.clear();
            // A newer library may have changed the schema under an open connection, which would write in the old way.
            migrations::version(connection)?;
            let header = header::read(connection)?;
            if header.key_epoch != keys.key_epoch {
                *keys = key_slots::unlock(connection, database_key)?;
            }
            *transfer = header.transfer;
            // Only now: if the look failed, the next call must look again.
            groups.set_data_version(data_version);
        }
        if *transfer != Transfer::InUse {
            return Err(StorageError::Transferred.into());
        }
        Ok(Begun {
            transaction,
            connection,
            groups,
            sealer: &keys.sealer,
        })
    }

    /// A transaction that writes, for those who change keys or move the database.
    pub(super) fn immediate<'c>(
        &self,
        connection: &'c Connection,
    ) -> Result<rusqlite::Transaction<'c>, StorageError> {
        self.with_lock(connection, |connection| {
            rusqlite::Transaction::new_unchecked(connection, TransactionBehavior::Immediate)
                .map_err(Into::into)
        })
    }

    /// Begins what `begin` begins, waiting for other processes as long as the app configured.
    fn with_lock<'c, T>(
        &self,
        connection: &'c Connection,
        begin: impl FnOnce(&'c Connection) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        if !connection.is_autocommit() {
            // The last transaction could not roll back, on a failing disk perhaps. Nothing may build on it.
            connection.execute_batch("ROLLBACK")?;
        }
        busy::with_patience(self.busy_timeout, &self.interrupted, || begin(connection))
    }

    /// Makes sure that what was deleted has left the files, as far as other processes let it.
    pub(crate) fn erase(&self) -> Result<(), Error> {
        let mut entered = self.enter()?;
        let State { phase, erasure, .. } = &mut *entered.state;
        if erasure.is_due() {
            erasure.erase(&phase.database()?.connection);
        }
        Ok(())
    }

    /// The main file, its write-ahead log and its shared memory, in the order in which they must be removed: a log
    /// without its file is nothing, a file without its log may be a wrong one.
    pub(crate) fn files(&self) -> [PathBuf; 3] {
        ["", "-wal", "-shm"].map(|suffix| {
            let mut path = self.path.clone().into_os_string();
            path.push(suffix);
            path.into()
        })
    }

    fn enter(&self) -> Result<Entered<'_>, Error> {
        Ok(self.entered(self.gate.enter()?))
    }

    pub(super) fn entered<'s>(&'s self, pass: Pass<'s>) -> Entered<'s> {
        let state = match self.state.lock() {
            Ok(state) => state,
            Err(poisoned) => {
                // A panic inside a call: its transaction has rolled back, its groups may not match the file.
                let mut state = poisoned.into_inner();
                state.groups.clear();
                self.state.clear_poison();
                state
            }
        };
        Entered { state, _pass: pass }
    }
}

#[derive(Clone, Copy)]
enum Commit {
    Yes,
    No,
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Reentrant => Self::Reentrant,
            Refusal::Suspended => Self::Suspended,
        }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn data_version(connection: &Connection) -> Result<i64, StorageError> {
    connection
        .prepare_cached("PRAGMA data_version")
        .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
        .map_err(Into::into)
}
