//! Making a database with something in it: it appears whole, or not at all.

use std::path::Path;

use rusqlite::Connection;

use super::{
    error::{PathProblem, StorageError},
    fault::{self, Point},
    open::{self, Database, Settings},
    transfer::{self, PARTIAL},
    tx::WriteTx,
};
use crate::{secret::Secret, signing::Signers};

/// Makes the database at `target`, which must not exist, with what `fill` puts into it. Killed before it is there, it
/// leaves a partial file beside it, which the next attempt or `wipe` removes.
pub(crate) fn create(
    target: &Path,
    database_key: &Secret<32>,
    minimum_generation: Option<u64>,
    fill: impl FnOnce(&WriteTx<'_>) -> Result<(), StorageError>,
) -> Result<(), StorageError> {
    let target = &open::locate("database_path", target)?;
    let _alone = transfer::lock_folder(target)?;
    check_free(target)?;
    transfer::remove_partials(target)?;
    let partial = transfer::beside(target, PARTIAL);
    let settings = Settings {
        path: &partial,
        database_key,
        minimum_generation,
    };
    let made = write(&settings, fill).and_then(|()| {
        fault::hit(Point::BeforeCommit)?;
        // Another process may have opened a new database there meanwhile.
        check_free(target)?;
        transfer::publish(&partial, target)
    });
    if made.is_err() {
        // The failure itself is what the app must hear.
        drop(transfer::remove_partials(target));
    }
    made?;
    fault::hit(Point::AfterCommit)
}

fn check_free(target: &Path) -> Result<(), StorageError> {
    if target.exists() {
        return Err(StorageError::Path {
            argument: "database_path",
            problem: PathProblem::AlreadyExists,
        });
    }
    Ok(())
}

fn write(
    settings: &Settings<'_>,
    fill: impl FnOnce(&WriteTx<'_>) -> Result<(), StorageError>,
) -> Result<(), StorageError> {
    let Database { connection, keys, .. } = open::open(settings)?;
    fault::hit(Point::BeforeBegin)?;
    let transaction = connection.unchecked_transaction()?;
    fill(&WriteTx::new(
        &connection,
        &keys.sealer,
        &false.into(),
        &Signers::default(),
    ))?;
    fault::hit(Point::BeforeStatement)?;
    transaction.commit()?;
    fold_log(&connection)?;
    connection.close().map_err(|(_, error)| error.into())
}

/// Brings everything into the main file, which alone gets its name.
fn fold_log(connection: &Connection) -> Result<(), StorageError> {
    let busy: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    if busy == 0 {
        Ok(())
    } else {
        Err(StorageError::Busy)
    }
}
