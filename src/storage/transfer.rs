//! Moving a database to another device: moved, not copied, because two copies would use the same keys.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags, Transaction};

use super::{
    error::{PathProblem, StorageError},
    fault::{self, Point},
    header::{self, Transfer},
    key_slots, migrations,
    open::{self, Database},
    store::Store,
    tx::check_interrupted,
};
use crate::{crypto::random_array, error::Error, secret::Secret};

/// The ending of a copy that is not finished.
pub(super) const PARTIAL: &str = ".partial";

impl Store {
    /// Freezes this database for ever and writes a copy of it to `target`, under `transfer_key`. Killed in between,
    /// it can be repeated: the copy is made again from the frozen database.
    pub(crate) fn export_for_transfer(&self, target: &Path, transfer_key: &Secret<32>) -> Result<(), Error> {
        let target = &open::locate("path", target)?;
        let mut entered = self.entered(self.gate.enter()?);
        entered.state.groups.clear();
        let database_key = entered.state.database_key.clone();
        let Database { connection, .. } = entered.state.phase.database()?;
        self.freeze(connection, target, &database_key)?;
        entered.state.transfer = Transfer::Transferring;
        fault::hit(Point::AfterCommit)?;

        let Database { connection, .. } = entered.state.phase.database()?;
        remove_partials(target)?;
        // A name of its own: another process may be exporting to the same place.
        let number = u32::from_be_bytes(random_array().map_err(|_| StorageError::Crypto)?);
        let partial = beside(target, &format!("{PARTIAL}-{number:08x}"));
        fault::hit(Point::BeforeStatement)?;
        copy(connection, &partial)?;
        fault::hit(Point::AfterStatement)?;
        check_interrupted(&self.interrupted)?;
        rewrap(&partial, &database_key, transfer_key)?;
        fault::hit(Point::AfterStatement)?;
        check_interrupted(&self.interrupted)?;

        // Another process may have exported meanwhile: only who finds the database not yet moved publishes a copy.
        let tx = self.frozen(connection)?;
        publish(&partial, target)?;
        header::set_transfer(&tx, Transfer::Transferred)?;
        fault::hit(Point::BeforeCommit)?;
        tx.commit().map_err(StorageError::from)?;
        entered.state.transfer = Transfer::Transferred;
        fault::hit(Point::AfterCommit)?;
        Ok(())
    }

    /// Lets nobody use the database any more.
    fn freeze(
        &self,
        connection: &Connection,
        target: &Path,
        database_key: &Secret<32>,
    ) -> Result<(), StorageError> {
        let tx = self.frozen(connection)?;
        // A key that another process has replaced could not make the copy.
        key_slots::slot_of(&tx, database_key)?;
        check_target(&tx, &self.path, target)?;
        header::set_transfer(&tx, Transfer::Transferring)?;
        fault::hit(Point::BeforeCommit)?;
        tx.commit().map_err(Into::into)
    }

    /// A transaction on a database that was not moved yet.
    fn frozen<'c>(&self, connection: &'c Connection) -> Result<Transaction<'c>, StorageError> {
        fault::hit(Point::BeforeBegin)?;
        let tx = self.immediate(connection)?;
        migrations::version(&tx)?;
        if header::read(&tx)?.transfer == Transfer::Transferred {
            return Err(StorageError::Transferred);
        }
        Ok(tx)
    }
}

/// Takes the file at `source` over as the database at `target`, which must not exist, and removes it.
///
/// The file is marked before the database appears, so that it cannot be taken over a second time. Killed after that,
/// the finished copy beside `target` is what a repeated call goes on with.
pub(crate) fn import(
    source: &Path,
    transfer_key: &Secret<32>,
    target: &Path,
    database_key: &Secret<32>,
) -> Result<(), StorageError> {
    let source = &open::locate("path", source)?;
    let target = &open::locate("database_path", target)?;
    let _alone = lock_folder(target)?;
    if target.exists() {
        return Err(already_exists("database_path"));
    }
    let original = open_copy(source, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    if migrations::version(&original)? == 0 {
        return Err(StorageError::NotOurs);
    }
    key_slots::unlock(&original, transfer_key)?;
    let partial = beside(target, PARTIAL);
    match header::read(&original)?.transfer {
        Transfer::InUse => {
            remove(&partial)?;
            fault::hit(Point::BeforeStatement)?;
            copy(&original, &partial)?;
            fault::hit(Point::AfterStatement)?;
            rewrap(&partial, transfer_key, database_key)?;
            use_wal(&partial)?;
            sync_file(&partial)?;
            sync_folder(&partial)?;
            fault::hit(Point::BeforeStatement)?;
            if !header::take_over(&original)? {
                return Err(StorageError::Transferred);
            }
            fault::hit(Point::AfterStatement)?;
        }
        Transfer::Transferring => return Err(StorageError::NotOurs),
        Transfer::Transferred => check_taken_over(&original, &partial, database_key)?,
    }
    drop(original);
    fault::hit(Point::BeforeCommit)?;
    publish(&partial, target)?;
    fault::hit(Point::AfterCommit)?;
    // Killed before this, the app finds its database; the file that is left cannot be taken over again.
    remove(source)?;
    sync_folder(source)?;
    fault::hit(Point::AfterCommit)
}

/// The file was taken over before: by an import into this place, which was killed, or by another.
fn check_taken_over(
    original: &Connection,
    partial: &Path,
    database_key: &Secret<32>,
) -> Result<(), StorageError> {
    if !partial.exists() {
        return Err(StorageError::Transferred);
    }
    let copy = open_copy(partial, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    if header::read(&copy)?.database_id != header::read(original)?.database_id {
        return Err(StorageError::Transferred);
    }
    key_slots::unlock(&copy, database_key).map(drop)
}

/// A copy of an earlier, killed export of this database may be replaced; anything else may not.
fn check_target(connection: &Connection, own: &Path, target: &Path) -> Result<(), StorageError> {
    if !target.exists() {
        return Ok(());
    }
    let same_file = fs::canonicalize(own).ok() == fs::canonicalize(target).ok();
    let earlier = open_copy(target, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .and_then(|copy| header::read(&copy))
        .is_ok_and(|copy| header::read(connection).is_ok_and(|own| own.database_id == copy.database_id));
    if same_file || !earlier {
        Err(already_exists("path"))
    } else {
        Ok(())
    }
}

fn already_exists(argument: &'static str) -> StorageError {
    StorageError::Path {
        argument,
        problem: PathProblem::AlreadyExists,
    }
}

/// Writes a compact copy, without anything that was deleted.
fn copy(connection: &Connection, to: &Path) -> Result<(), StorageError> {
    let path = to.to_str().ok_or(StorageError::Locked)?;
    open::create_private(to)?;
    connection
        .execute("VACUUM INTO ?1", [path])
        .map(drop)
        .map_err(Into::into)
}

/// Makes the copy usable by the next key only.
fn rewrap(path: &Path, old: &Secret<32>, new: &Secret<32>) -> Result<(), StorageError> {
    let mut copy = open_copy(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    copy.pragma_update(None, "secure_delete", true)?;
    copy.pragma_update(None, "synchronous", "FULL")?;
    let tx = copy.transaction()?;
    key_slots::replace(&tx, old, new)?;
    header::set_transfer(&tx, Transfer::InUse)?;
    tx.commit()?;
    copy.close().map_err(|(_, error)| error.into())
}

/// A copy is no longer in WAL mode, on which the erasure and the sharing of the database rest.
fn use_wal(path: &Path) -> Result<(), StorageError> {
    let copy = open_copy(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    open::use_wal(&copy)?;
    copy.close().map_err(|(_, error)| error.into())
}

fn open_copy(path: &Path, flags: OpenFlags) -> Result<Connection, StorageError> {
    Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(Into::into)
}

/// Renames the finished copy into place, so that a file under that name is always whole. What is left of a file of
/// the same name goes first: SQLite would take an old log for the new file's.
pub(super) fn publish(partial: &Path, target: &Path) -> Result<(), StorageError> {
    sync_file(partial)?;
    for ending in ["-wal", "-shm", "-journal"] {
        remove(&beside(target, ending))?;
    }
    fs::rename(partial, target).map_err(from_io)?;
    sync_folder(target)
}

fn sync_file(path: &Path) -> Result<(), StorageError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(from_io)
}

/// Removes unfinished copies that a killed export or import left beside the file.
pub(super) fn remove_partials(path: &Path) -> Result<(), StorageError> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Ok(());
    };
    let prefix = format!("{name}{PARTIAL}");
    for entry in fs::read_dir(folder).map_err(from_io)? {
        let entry = entry.map_err(from_io)?;
        if entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.starts_with(&prefix))
        {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

/// A rename or removal lasts only once the folder is on disk.
pub(super) fn sync_folder(path: &Path) -> Result<(), StorageError> {
    folder_of(path)
        .and_then(|folder| folder.sync_all())
        .map_err(from_io)
}

/// Lets one call at a time make a database in the folder of `path`, whatever process it comes from: each would remove
/// the other's unfinished file, or publish it. The lock goes with the file that is returned.
pub(super) fn lock_folder(path: &Path) -> Result<File, StorageError> {
    let folder = folder_of(path).map_err(from_io)?;
    match folder.try_lock() {
        Ok(()) => Ok(folder),
        Err(TryLockError::WouldBlock) => Err(StorageError::Busy),
        Err(TryLockError::Error(error)) => Err(from_io(error)),
    }
}

fn folder_of(path: &Path) -> io::Result<File> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))
}

fn remove(path: &Path) -> Result<(), StorageError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(from_io(error)),
        _ => Ok(()),
    }
}

pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.to_path_buf().into_os_string();
    name.push(suffix);
    name.into()
}

fn from_io(error: io::Error) -> StorageError {
    match error.kind() {
        io::ErrorKind::StorageFull => StorageError::Full,
        io::ErrorKind::ReadOnlyFilesystem => StorageError::ReadOnly,
        _ => StorageError::Locked,
    }
}
