//! Opening the file: settings with their reasons, format check, key check, migration.

use std::{
    io::ErrorKind,
    path::{self, Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior, config::DbConfig};

use super::{
    error::{PathProblem, StorageError},
    header,
    migrations::{self, SCHEMA_VERSION},
    seal::Sealer,
};
use crate::secret::Secret;

/// Prepared statements kept for reuse; more than the library has.
const STATEMENT_CACHE: usize = 128;

/// What [`open`] needs.
pub(crate) struct Settings<'a> {
    pub(crate) path: &'a Path,
    pub(crate) database_key: &'a Secret<32>,
    pub(crate) busy_timeout: Duration,
    /// The lowest generation that the app accepts.
    pub(crate) minimum_generation: Option<u64>,
}

/// An open file with its unlocked keys.
pub(crate) struct Database {
    pub(crate) connection: Connection,
    pub(crate) sealer: Sealer,
}

/// The path from the root, whose folder exists. SQLite takes `:memory:` and `file:` for something else than
/// a file;
/// nothing that starts at the root is either, and the file stays the same when the working folder changes.
pub(crate) fn locate(path: &Path) -> Result<PathBuf, StorageError> {
    if path.as_os_str().is_empty() {
        return Err(StorageError::Path(PathProblem::Empty));
    }
    if path.as_os_str().as_encoded_bytes().contains(&0) {
        return Err(StorageError::Path(PathProblem::Impossible));
    }
    let path = path::absolute(path).map_err(|_| StorageError::Path(PathProblem::Impossible))?;
    // A folder that may not be looked into is not missing: opening will say what is wrong with it.
    if path.metadata().is_ok_and(|found| !found.is_file()) {
        return Err(StorageError::Path(PathProblem::NotAFile));
    }
    let is_folder = |folder: &Path| match folder.metadata() {
        Ok(found) => found.is_dir(),
        Err(error) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
    };
    if !path.parent().is_some_and(is_folder) {
        return Err(StorageError::Path(PathProblem::FolderMissing));
    }
    Ok(path)
}

/// Opens or creates the database. A file that is refused is left as it was.
pub(crate) fn open(settings: &Settings<'_>) -> Result<Database, StorageError> {
    create_private(settings.path)?;
    let mut connection = Connection::open_with_flags(
        settings.path,
        // Access is serialised by the store's own lock, so SQLite's mutexes would only cost time.
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(settings.busy_timeout)?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    configure(&connection)?;
    // A file that is refused keeps its log: closing it must not write the log's pages into it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;

    if migrations::version(&connection)? == 0 {
        create(&mut connection, settings.database_key)?;
    }
    let sealer = header::unlock(&connection, settings.database_key)?;
    migrate(&mut connection)?;
    check_generation(&connection, settings.minimum_generation)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    Ok(Database { connection, sealer })
}

fn configure(connection: &Connection) -> Result<(), StorageError> {
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
    // WAL: one fsync a commit instead of three, and readers of another process do not wait for a writer. The mode is
    // stored in the file.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    let tx = immediate(connection)?;
    // Another process may have created the database between the first look and the lock.
    if migrations::version(&tx)? == 0 {
        migrations::migrate(&tx, 0)?;
        header::create(&tx, database_key)?;
    }
    tx.commit().map_err(Into::into)
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

fn check_generation(connection: &Connection, minimum: Option<u64>) -> Result<(), StorageError> {
    let Some(minimum) = minimum else { return Ok(()) };
    let found: u64 =
        connection.query_row("SELECT generation FROM header WHERE id = 1", [], |row| row.get(0))?;
    if found < minimum {
        Err(StorageError::TooOld { found, minimum })
    } else {
        Ok(())
    }
}

fn immediate(connection: &mut Connection) -> Result<Transaction<'_>, StorageError> {
    connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(Into::into)
}

/// SQLite would create the file readable for everyone; its -wal and -shm take over the mode of the main file.
fn create_private(path: &Path) -> Result<(), StorageError> {
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
