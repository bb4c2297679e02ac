//! Opening the file: settings with their reasons, format check, key check, migration.

use std::{
    io::ErrorKind,
    path::{self, Path, PathBuf},
};

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior, config::DbConfig};

use super::{
    busy,
    error::{PathProblem, StorageError},
    header,
    key_slots::{self, Unlocked},
    log_pages::LogPages,
    migrations::{self, SCHEMA_VERSION},
};
use crate::secret::Secret;

/// Prepared statements kept for reuse; more than the library has.
const STATEMENT_CACHE: usize = 128;
/// Bytes of a page of a new file (docs/adr/0036): a message writes pages of which it changes a few hundred bytes.
const PAGE_SIZE: u32 = 2048;

/// What [`open`] needs.
pub(crate) struct Settings<'a> {
    pub(crate) path: &'a Path,
    pub(crate) database_key: &'a Secret<32>,
    /// The lowest generation that the app accepts.
    pub(crate) minimum_generation: Option<u64>,
}

/// An open file with its unlocked keys.
pub(crate) struct Database {
    pub(crate) connection: Connection,
    pub(crate) keys: Unlocked,
    pub(super) log: LogPages,
}

/// The path from the root, whose folder exists. SQLite takes `:memory:` and `file:` for something else than
/// a file;
/// nothing that starts at the root is either, and the file stays the same when the working folder changes.
pub(crate) fn locate(argument: &'static str, path: &Path) -> Result<PathBuf, StorageError> {
    let refuse = |problem| Err(StorageError::Path { argument, problem });
    if path.as_os_str().is_empty() {
        return refuse(PathProblem::Empty);
    }
    if path.as_os_str().as_encoded_bytes().contains(&0) {
        return refuse(PathProblem::Impossible);
    }
    let Ok(path) = path::absolute(path) else {
        return refuse(PathProblem::Impossible);
    };
    // A folder that may not be looked into is not missing: opening will say what is wrong with it.
    if path.metadata().is_ok_and(|found| !found.is_file()) {
        return refuse(PathProblem::NotAFile);
    }
    let is_folder = |folder: &Path| match folder.metadata() {
        Ok(found) => found.is_dir(),
        Err(error) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
    };
    if !path.parent().is_some_and(is_folder) {
        return refuse(PathProblem::FolderMissing);
    }
    Ok(path)
}

/// Opens or creates the database. A file that is refused is left as it was.
pub(crate) fn open(settings: &Settings<'_>) -> Result<Database, StorageError> {
    let missing = settings.path.metadata().map_or(true, |file| file.len() == 0);
    if let (true, Some(minimum @ 2..)) = (missing, settings.minimum_generation) {
        // The app remembers a database: a new one must not take its place.
        return Err(StorageError::TooOld { found: 0, minimum });
    }
    create_private(settings.path)?;
    let (mut connection, log) = connect(settings.path)?;
    if migrations::version(&connection)? == 0 {
        create(&mut connection, settings.database_key)?;
    }
    unlock(connection, log, settings)
}

/// Opens the database after a suspension: if its file is gone, no new one takes its place.
pub(crate) fn open_existing(settings: &Settings<'_>) -> Result<Database, StorageError> {
    let (connection, log) = connect(settings.path)?;
    if migrations::version(&connection)? == 0 {
        return Err(StorageError::Corrupt);
    }
    unlock(connection, log, settings)
}

fn connect(path: &Path) -> Result<(Connection, LogPages), StorageError> {
    let mut connection = Connection::open_with_flags(
        path,
        // Access is serialised by the store's gate, so SQLite's mutexes would only cost time.
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_handler(Some(busy::handler))?;
    // A message meets no checkpoint that nobody stated: erasure points truncate the log and bound it too.
    let log = LogPages::of(&mut connection)?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    configure(&connection)?;
    // A file that is refused keeps its log: closing it must not write the log's pages into it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok((connection, log))
}

/// Key and generation are checked before anything is changed.
fn unlock(
    mut connection: Connection,
    log: LogPages,
    settings: &Settings<'_>,
) -> Result<Database, StorageError> {
    let keys = key_slots::unlock(&connection, settings.database_key)?;
    if let Some(minimum) = settings.minimum_generation {
        let found = header::generation_before_migration(&connection)?;
        if found < minimum {
            return Err(StorageError::TooOld { found, minimum });
        }
    }
    // The mode is stored in the file, but a database that was moved comes without it.
    use_wal(&connection)?;
    migrate(&mut connection)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    Ok(Database {
        connection,
        keys,
        log,
    })
}

fn configure(connection: &Connection) -> Result<(), StorageError> {
    // Only a file that has no page yet takes it, and a copy that VACUUM INTO makes; others keep theirs.
    connection.pragma_update(None, "page_size", PAGE_SIZE)?;
    // A Commit or a ratchet step that the app has sent must be on disk: NORMAL may lose it at a power cut, and the
    // next message would use the same key again.
    connection.pragma_update(None, "synchronous", "FULL")?;
    #[cfg(target_vendor = "apple")]
    {
        // Apple's fsync leaves data in the drive's cache; only F_FULLFSYNC flushes it.
        connection.pragma_update(None, "fullfsync", true)?;
        connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    }
    // Deleted keys are overwritten with zeros in the pages that held them.
    connection.pragma_update(None, "secure_delete", true)?;
    // Sorting and statement journals stay out of temporary files, which secure_delete does not reach.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // A schema planted in the file must not be able to call SQL functions.
    connection.pragma_update(None, "trusted_schema", false)?;
    // A group takes all its rows with it, and no row stays behind without its group.
    connection.pragma_update(None, "foreign_keys", true)?;
    // A damaged page is an error at once, not a wrong answer later.
    connection.pragma_update(None, "cell_size_check", true)?;
    Ok(())
}

fn create(connection: &mut Connection, database_key: &Secret<32>) -> Result<(), StorageError> {
    use_wal(connection)?;
    let tx = immediate(connection)?;
    // Another process may have created the database between the first look and the lock.
    if migrations::version(&tx)? == 0 {
        migrations::migrate(&tx, 0)?;
        key_slots::create(&tx, database_key)?;
    }
    tx.commit().map_err(Into::into)
}

/// WAL: one fsync a commit instead of three, and readers of another process do not wait for a writer. Waits for other
/// processes by itself, because SQLite asks no busy handler before it changes the mode.
pub(super) fn use_wal(connection: &Connection) -> Result<(), StorageError> {
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && busy::handler(0) => {}
            result => return result.map_err(Into::into),
        }
    }
}

fn migrate(connection: &mut Connection) -> Result<(), StorageError> {
    if migrations::version(connection)? < SCHEMA_VERSION {
        let tx = immediate(connection)?;
        let from = migrations::version(&tx)?;
        migrations::migrate(&tx, from)?;
        tx.commit()?;
    }
    Ok(())
}

fn immediate(connection: &mut Connection) -> Result<Transaction<'_>, StorageError> {
    connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(Into::into)
}

/// SQLite would create the file readable for everyone; its -wal and -shm take over the mode of the main file.
pub(super) fn create_private(path: &Path) -> Result<(), StorageError> {
    #[cfg(unix)]
    {
        use std::{fs::OpenOptions, os::unix::fs::OpenOptionsExt};

        match OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
        {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            Err(error) if error.kind() == ErrorKind::StorageFull => Err(StorageError::Full),
            Err(error) if error.kind() == ErrorKind::ReadOnlyFilesystem => Err(StorageError::ReadOnly),
            Err(_) => Err(StorageError::Locked),
        }
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        Ok(())
    }
}
