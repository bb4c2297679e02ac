//! The store: one connection behind one lock, one transaction a call, and the rule for what stays in memory.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    thread::{self, ThreadId},
    time::Duration,
};

use openmls::group::GroupId;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::{
    cache::{GroupCache, LiveGroup},
    error::StorageError,
    fault::{self, Point},
    header,
    migrations::SCHEMA_VERSION,
    open::{self, Database, Settings},
    tx::{ReadTx, WriteTx},
};
use crate::{error::Error, secret::Secret};

pub(crate) struct Store {
    path: PathBuf,
    state: Mutex<State>,
    /// The thread inside a call: a callback that calls back in would wait for itself.
    holder: Mutex<Option<ThreadId>>,
}

struct State {
    /// `None` after `wipe`.
    database: Option<Database>,
    groups: GroupCache,
}

/// A call within its transaction: the transaction, and the live groups that go with it.
pub(crate) struct Call<'c, Tx> {
    pub(crate) tx: Tx,
    groups: &'c mut GroupCache,
}

impl<Tx> Call<'_, Tx> {
    pub(crate) fn take_group(&mut self, id: &GroupId) -> Option<LiveGroup> {
        self.groups.take(id)
    }

    pub(crate) fn keep_group(&mut self, group: LiveGroup) {
        self.groups.put(group);
    }
}

impl Store {
    pub(crate) fn open(
        path: &Path,
        database_key: &Secret<32>,
        busy_timeout: Duration,
        minimum_generation: Option<u64>,
    ) -> Result<Self, Error> {
        let path = open::locate(path)?;
        let database = open::open(&Settings {
            path: &path,
            database_key,
            busy_timeout,
            minimum_generation,
        })?;
        let state = State {
            database: Some(database),
            groups: GroupCache::new(),
        };
        Ok(Self {
            path,
            state: Mutex::new(state),
            holder: Mutex::new(None),
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
        let mut guard = self.enter()?;
        let State { database, groups } = &mut *guard.state;
        let Database { connection, sealer } = database.as_ref().ok_or(Error::Wiped)?;
        let transaction = begin(connection, TransactionBehavior::Deferred)?;
        groups.revalidate(data_version(connection)?);
        let mut call = Call {
            tx: ReadTx::new(connection, sealer),
            groups,
        };
        let result = work(&mut call);
        let failure = call.tx.take_failure();
        drop(transaction);
        settle(result, failure).inspect_err(|_| groups.clear())
    }

    fn run_write<T>(
        &self,
        work: impl FnOnce(&mut Call<'_, WriteTx<'_>>) -> Result<T, Error>,
        commit: Commit,
    ) -> Result<T, Error> {
        let mut guard = self.enter()?;
        let State { database, groups } = &mut *guard.state;
        let Database { connection, sealer } = database.as_ref().ok_or(Error::Wiped)?;
        fault::hit(Point::BeforeBegin)?;
        let transaction = begin(connection, TransactionBehavior::Immediate)?;
        groups.revalidate(data_version(connection)?);
        let changes_before = connection.total_changes();
        let mut call = Call {
            tx: WriteTx::new(connection, sealer),
            groups,
        };
        let result = work(&mut call);
        let failure = call.tx.take_failure();
        let result = settle(result, failure).and_then(|value| {
            if matches!(commit, Commit::No) {
                call.groups.clear();
                return Ok(value);
            }
            if connection.total_changes() != changes_before {
                header::bump_generation(&call.tx)?;
            }
            fault::hit(Point::BeforeCommit)?;
            transaction.commit().map_err(StorageError::from)?;
            fault::hit(Point::AfterCommit)?;
            Ok(value)
        });
        result.inspect_err(|_| groups.clear())
    }

    /// Generation and sizes.
    pub(crate) fn info(&self) -> Result<Info, Error> {
        let generation = self.read(|call| header::generation(&call.tx).map_err(Into::into))?;
        let [main, wal, _] = self.files();
        let bytes = |path: &Path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        Ok(Info {
            generation,
            schema_version: SCHEMA_VERSION,
            sqlite_version: rusqlite::version(),
            database_bytes: bytes(&main),
            wal_bytes: bytes(&wal),
        })
    }

    /// Closes the file and removes it with its -wal and -shm. Every later call answers [`Error::Wiped`].
    pub(crate) fn wipe(&self) -> Result<(), Error> {
        let mut guard = self.enter()?;
        guard.state.groups.clear();
        if let Some(database) = guard.state.database.take() {
            // A connection that cannot close (it never can fail with all statements finalised) is dropped.
            drop(database.connection.close());
        }
        for file in self.files() {
            match std::fs::remove_file(&file) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(StorageError::Locked.into());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The main file, its write-ahead log and its shared memory, in the order in which they must be removed: without
    /// the main file the others are nothing.
    pub(crate) fn files(&self) -> [PathBuf; 3] {
        ["", "-wal", "-shm"].map(|suffix| {
            let mut path = self.path.clone().into_os_string();
            path.push(suffix);
            path.into()
        })
    }

    fn enter(&self) -> Result<Guard<'_>, Error> {
        let me = thread::current().id();
        if *recover(&self.holder) == Some(me) {
            return Err(Error::Reentrant);
        }
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
        *recover(&self.holder) = Some(me);
        Ok(Guard {
            state,
            holder: &self.holder,
        })
    }
}

/// What can be told about the file.
pub(crate) struct Info {
    pub(crate) generation: u64,
    pub(crate) schema_version: u32,
    pub(crate) sqlite_version: &'static str,
    pub(crate) database_bytes: u64,
    pub(crate) wal_bytes: u64,
}

enum Commit {
    Yes,
    No,
}

struct Guard<'s> {
    state: MutexGuard<'s, State>,
    holder: &'s Mutex<Option<ThreadId>>,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        *recover(self.holder) = None;
    }
}

fn recover<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Dropped without `commit`, it rolls back, in a panic too.
fn begin(connection: &Connection, behavior: TransactionBehavior) -> Result<Transaction<'_>, StorageError> {
    if !connection.is_autocommit() {
        // The last transaction could not roll back, on a failing disk perhaps. Nothing may build on it.
        connection.execute_batch("ROLLBACK")?;
    }
    Transaction::new_unchecked(connection, behavior).map_err(Into::into)
}

fn data_version(connection: &Connection) -> Result<i64, StorageError> {
    connection
        .prepare_cached("PRAGMA data_version")
        .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
        .map_err(Into::into)
}

/// OpenMLS reports some storage failures as its own errors: the one that the transaction kept is the true one.
fn settle<T>(result: Result<T, Error>, failure: Option<StorageError>) -> Result<T, Error> {
    match failure {
        Some(failure) => Err(failure.into()),
        None => result,
    }
}
