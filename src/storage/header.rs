//! The header row: which database this is, how far it has come, and whether it may be used.
//!
//! How far it has come is its generation, which every transaction that changes a row raises. An inbox entry does so by its
//! id, which is the generation that it made; everything else does by the header. So a message that is received writes a
//! page less, and an id never comes again: what deletes entries raises the header above them.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{
    error::StorageError,
    fault::{self, Point},
    seal::Place,
    tx::{ReadTx, WriteTx},
};

/// Whether the database may be used here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transfer {
    InUse = 0,
    /// Frozen: a copy for another device is being made, or was made before a crash.
    Transferring = 1,
    /// Another device has it. Using both would use keys twice.
    Transferred = 2,
}

/// Makes the header of a new database.
pub(super) fn create(tx: &Transaction<'_>, database_id: &[u8], index_key: &[u8]) -> Result<(), StorageError> {
    tx.execute(
        "INSERT INTO header (id, database_id, index_key, generation, key_epoch, transfer)
         VALUES (1, ?1, ?2, 1, 1, 0)",
        params![database_id, index_key],
    )?;
    Ok(())
}

/// The parts of the header that are read before anything can be opened.
pub(crate) struct Clear {
    pub(crate) database_id: Vec<u8>,
    pub(crate) index_key: Vec<u8>,
    pub(crate) generation: u64,
    pub(crate) key_epoch: u64,
    pub(crate) transfer: Transfer,
}

pub(crate) fn read(connection: &Connection) -> Result<Clear, StorageError> {
    fault::hit(Point::BeforeStatement)?;
    connection
        .prepare_cached(
            "SELECT database_id, index_key, max(generation, (SELECT coalesce(max(id), 0) FROM inbox)), key_epoch, transfer
             FROM header WHERE id = 1",
        )?
        .query_row([], |row| {
            Ok(Clear {
                database_id: row.get(0)?,
                index_key: row.get(1)?,
                generation: row.get(2)?,
                key_epoch: row.get(3)?,
                transfer: match row.get(4)? {
                    0 => Transfer::InUse,
                    1 => Transfer::Transferring,
                    _ => Transfer::Transferred,
                },
            })
        })
        .optional()?
        .ok_or(StorageError::Corrupt)
}

/// The generation of a file that was not migrated yet, in which ids may have run ahead of it.
pub(crate) fn generation_before_migration(connection: &Connection) -> Result<u64, StorageError> {
    if connection.column_exists(Some("main"), "header", "next_inbox_id")? {
        connection
            .query_row("SELECT generation FROM header WHERE id = 1", [], |row| row.get(0))
            .map_err(Into::into)
    } else {
        read(connection).map(|header| header.generation)
    }
}

/// The generation after the last one, and the id of the inbox entry that makes it.
pub(crate) fn next_generation(tx: &WriteTx<'_>) -> Result<u64, StorageError> {
    let last = match tx.raised() {
        Some(generation) => generation,
        None => tx
            .row(
                "SELECT max(generation, (SELECT coalesce(max(id), 0) FROM inbox)) FROM header WHERE id = 1",
                [],
                |row| row.get(0),
            )?
            .ok_or(StorageError::Corrupt)?,
    };
    Ok(last + 1)
}

/// Raises the generation to what [`next_generation`] told before entries were deleted.
pub(crate) fn raise_to(tx: &WriteTx<'_>, generation: u64) -> Result<(), StorageError> {
    tx.execute(
        "UPDATE header SET generation = ?1 WHERE id = 1",
        params![generation],
    )?;
    tx.raised_to(generation);
    Ok(())
}

const RAISE: &str =
    "UPDATE header SET generation = 1 + max(generation, (SELECT coalesce(max(id), 0) FROM inbox))
     WHERE id = 1";

/// Raises the generation at the end of a transaction that changed a row, if nothing in it did.
pub(crate) fn raise(tx: &WriteTx<'_>) -> Result<(), StorageError> {
    match tx.raised() {
        Some(_) => Ok(()),
        None => tx.execute(RAISE, []).map(drop),
    }
}

/// The same for who changes keys or moves the database.
pub(crate) fn raise_in(connection: &Connection) -> Result<(), StorageError> {
    connection.execute(RAISE, []).map(drop).map_err(Into::into)
}

const CURSOR: Place<'_> = Place {
    table: "header",
    row: b"cursor",
    part: 0,
};

/// Stores the app's resume point.
pub(crate) fn set_cursor(tx: &WriteTx<'_>, cursor: &[u8]) -> Result<(), StorageError> {
    let sealed = tx.seal_bytes(CURSOR, cursor)?;
    tx.execute("UPDATE header SET cursor = ?1 WHERE id = 1", params![sealed])
        .map(drop)
}

pub(crate) fn cursor(tx: &ReadTx<'_>) -> Result<Option<Vec<u8>>, StorageError> {
    tx.row("SELECT cursor FROM header WHERE id = 1", [], |row| {
        row.get::<_, Option<Vec<u8>>>(0)
    })?
    .flatten()
    .map(|sealed| tx.open_bytes(CURSOR, &sealed))
    .transpose()
}

pub(crate) fn set_transfer(connection: &Connection, transfer: Transfer) -> Result<(), StorageError> {
    connection.execute(
        "UPDATE header SET transfer = ?1 WHERE id = 1",
        params![transfer as i64],
    )?;
    raise_in(connection)
}

/// Marks a file of a transfer as taken over, and tells whether nobody had done so before.
pub(crate) fn take_over(connection: &Connection) -> Result<bool, StorageError> {
    let changed = connection.execute(
        "UPDATE header SET transfer = ?1 WHERE id = 1 AND transfer = ?2",
        params![Transfer::Transferred as i64, Transfer::InUse as i64],
    )?;
    Ok(changed == 1)
}
