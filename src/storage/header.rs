//! The header row and the key slots: which database this is, how far it has come, and its wrapped data key.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{
    error::StorageError,
    seal::{self, Sealer},
    tx::{ReadTx, WriteTx},
};
use crate::{crypto::random_array, secret::Secret};

/// Makes a database id and a data key, and wraps the data key for the app's key.
pub(crate) fn create(tx: &Transaction<'_>, database_key: &Secret<32>) -> Result<(), StorageError> {
    let database_id: [u8; 16] = random_array().map_err(|_| StorageError::Crypto)?;
    let data_key = Secret::new(random_array::<32>().map_err(|_| StorageError::Crypto)?);
    let wrapped = seal::seal(database_key, &slot_data(&database_id), data_key.expose())?;
    tx.execute(
        "INSERT INTO header (id, database_id, generation, next_inbox_id) VALUES (1, ?1, 1, 1)",
        params![database_id],
    )?;
    tx.execute(
        "INSERT INTO key_slot (slot, wrapped) VALUES (0, ?1)",
        params![wrapped],
    )?;
    Ok(())
}

/// Unwraps the data key with whichever slot the app's key opens.
pub(crate) fn unlock(connection: &Connection, database_key: &Secret<32>) -> Result<Sealer, StorageError> {
    let database_id: Vec<u8> = connection
        .query_row("SELECT database_id FROM header WHERE id = 1", [], |row| {
            row.get(0)
        })
        .optional()?
        .ok_or(StorageError::Corrupt)?;
    let slots: Vec<Vec<u8>> = connection
        .prepare("SELECT wrapped FROM key_slot ORDER BY slot")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let data_key = slots
        .iter()
        .find_map(|wrapped| seal::open(database_key, &slot_data(&database_id), wrapped))
        .and_then(|bytes| Secret::from_slice(&bytes))
        .ok_or(StorageError::WrongKey)?;
    Sealer::new(&data_key)
}

fn slot_data(database_id: &[u8]) -> Vec<u8> {
    [b"mls-mobile key slot", database_id].concat()
}

pub(crate) fn generation(tx: &ReadTx<'_>) -> Result<u64, StorageError> {
    tx.row("SELECT generation FROM header WHERE id = 1", [], |row| row.get(0))?
        .ok_or(StorageError::Corrupt)
}

pub(crate) fn bump_generation(tx: &WriteTx<'_>) -> Result<(), StorageError> {
    tx.execute("UPDATE header SET generation = generation + 1 WHERE id = 1", [])
        .map(drop)
}

/// Takes the next inbox id; ids are never used twice, so that an old acknowledgement hits nothing new.
pub(crate) fn take_inbox_id(tx: &WriteTx<'_>) -> Result<u64, StorageError> {
    tx.row(
        "UPDATE header SET next_inbox_id = next_inbox_id + 1 WHERE id = 1 RETURNING next_inbox_id - 1",
        [],
        |row| row.get(0),
    )?
    .ok_or(StorageError::Corrupt)
}
