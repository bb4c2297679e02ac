//! Moving a database to another device: moved, not copied, because two copies would use the same keys.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags};

use super::{
    busy,
    error::{PathProblem, StorageError},
    fault::{self, Point},
    header::{self, Transfer},
    key_slots, migrations,
    open::{self, Database},
    store::Store,
};
use crate::{error::Error, secret::Secret};

impl Store {
    /// Freezes this database for ever and writes a copy of it to `target`, under `transfer_key`. Killed in between,
    /// it can be repeated: the copy is made again from the frozen database.
    pub(crate) fn export_for_transfer(&self, target: &Path, transfer_key: &Secret<32>) -> Result<(), Error> {
        let target = &open::locate("path", target)?;
        let mut entered = self.entered(self.gate.enter()?);
        entered.state.groups.clear();
        let database_key = entered.state.database_key.clone();
        let Database { connection, .. } = entered.state.phase.database()?;
        let transfer = busy::with_patience(self.busy_timeout, &self.interrupted, || {
            if header::read(connection)?.transfer == Transfer::Transferred {
                return Err(StorageError::Transferred);
            }
            check_target(connection, &self.path, target)?;
            header::set_transfer(connection, Transfer::Transferring)?;
            Ok(Transfer::Transferring)
        })?;
        entered.state.transfer = transfer;
        fault::hit(Point::AfterCommit)?;

        let Database { connection, .. } = entered.state.phase.database()?;
        let partial = beside(target, ".partial");
        remove(&partial)?;
        copy(connection, &partial)?;
        fault::hit(Point::AfterStatement)?;
        rewrap(&partial, &database_key, transfer_key)?;
        fault::hit(Point::AfterStatement)?;
        publish(&partial, target)?;
        fault::hit(Point::BeforeCommit)?;

        busy::with_patience(self.busy_timeout, &self.interrupted, || {
            header::set_transfer(connection, Transfer::Transferred)
        })?;
        entered.state.transfer = Transfer::Transferred;
        fault::hit(Point::AfterCommit)?;
        Ok(())
    }
}

/// Takes the file at `source` over as the database at `target`, which must not exist, and removes it.
pub(crate) fn import(
    source: &Path,
    transfer_key: &Secret<32>,
    target: &Path,
    database_key: &Secret<32>,
) -> Result<(), StorageError> {
    let source = &open::locate("path", source)?;
    let target = &open::locate("database_path", target)?;
    if target.exists() {
        return Err(already_exists("database_path"));
    }
    let original = open_copy(source, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    if migrations::version(&original)? == 0 || header::read(&original)?.transfer != Transfer::InUse {
        return Err(StorageError::NotOurs);
    }
    key_slots::unlock(&original, transfer_key)?;
    let partial = beside(target, ".partial");
    remove(&partial)?;
    copy(&original, &partial)?;
    drop(original);
    rewrap(&partial, transfer_key, database_key)?;
    fault::hit(Point::BeforeCommit)?;
    publish(&partial, target)?;
    fault::hit(Point::AfterCommit)?;
    // Killed before this, both files exist: the app finds its database and removes what is left of the transfer.
    remove(source)?;
    sync_folder(source)
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

fn open_copy(path: &Path, flags: OpenFlags) -> Result<Connection, StorageError> {
    Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(Into::into)
}

/// Renames the finished copy into place, so that a file under that name is always whole.
fn publish(partial: &Path, target: &Path) -> Result<(), StorageError> {
    File::open(partial)
        .and_then(|file| file.sync_all())
        .map_err(from_io)?;
    fs::rename(partial, target).map_err(from_io)?;
    sync_folder(target)
}

/// A rename or removal lasts only once the folder is on disk.
fn sync_folder(path: &Path) -> Result<(), StorageError> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(from_io)
}

fn remove(path: &Path) -> Result<(), StorageError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(from_io(error)),
        _ => Ok(()),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
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
