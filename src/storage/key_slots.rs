//! Key slots: the data key, wrapped for the app's key, and for the next one while it changes.

use rusqlite::{Connection, Transaction, params};

use super::{
    error::StorageError,
    fault::{self, Point},
    header, seal,
    seal::Sealer,
};
use crate::{crypto::random_array, secret::Secret};

/// What the app's key opened.
pub(crate) struct Unlocked {
    pub(crate) sealer: Sealer,
    pub(crate) key_epoch: u64,
}

/// Makes the header and the keys of a new database, and wraps the data key for the app's key.
pub(super) fn create(tx: &Transaction<'_>, database_key: &Secret<32>) -> Result<(), StorageError> {
    let database_id: [u8; 16] = random_array().map_err(|_| StorageError::Crypto)?;
    let data_key = random_key()?;
    let index_key = Sealer::seal_index_key(&data_key, &random_key()?)?;
    header::create(tx, &database_id, &index_key)?;
    put(tx, 0, &wrap(&database_id, database_key, &data_key)?)
}

fn random_key() -> Result<Secret<32>, StorageError> {
    random_array().map(Secret::new).map_err(|_| StorageError::Crypto)
}

/// Unwraps the data key with whichever slot the app's key opens.
pub(crate) fn unlock(connection: &Connection, database_key: &Secret<32>) -> Result<Unlocked, StorageError> {
    let header = header::read(connection)?;
    let (_, data_key) = find(connection, &header.database_id, database_key)?;
    let sealer = Sealer::new(&data_key, &header.index_key)?;
    Ok(Unlocked {
        sealer,
        key_epoch: header.key_epoch,
    })
}

/// Wraps the data key for `new`, beside the slot `keep`; both open until [`keep_only`]. Numbers only grow, so that the
/// newest slot is always the one with the largest.
pub(crate) fn add(
    tx: &Connection,
    own: &Secret<32>,
    new: &Secret<32>,
    keep: i64,
) -> Result<i64, StorageError> {
    let database_id = header::read(tx)?.database_id;
    let (_, data_key) = find(tx, &database_id, own)?;
    let newest = list(tx)?.last().copied().ok_or(StorageError::Corrupt)?;
    keep_only(tx, keep)?;
    put(tx, newest + 1, &wrap(&database_id, new, &data_key)?)?;
    Ok(newest + 1)
}

/// The newest slot that this key opens: looked up in the file, because other processes change keys too.
pub(crate) fn slot_of(tx: &Connection, key: &Secret<32>) -> Result<i64, StorageError> {
    find(tx, &header::read(tx)?.database_id, key).map(|(slot, _)| slot)
}

/// The slots in use, oldest first.
pub(crate) fn list(connection: &Connection) -> Result<Vec<i64>, StorageError> {
    connection
        .prepare_cached("SELECT slot FROM key_slot ORDER BY slot")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()
        .map_err(Into::into)
}

/// Erases every wrap but this one.
pub(crate) fn keep_only(tx: &Connection, slot: i64) -> Result<(), StorageError> {
    fault::hit(Point::BeforeStatement)?;
    tx.execute("DELETE FROM key_slot WHERE slot <> ?1", params![slot])?;
    fault::hit(Point::AfterStatement)
}

/// Replaces every wrap by one for `new`.
pub(crate) fn replace(tx: &Connection, old: &Secret<32>, new: &Secret<32>) -> Result<(), StorageError> {
    let own = slot_of(tx, old)?;
    let slot = add(tx, old, new, own)?;
    keep_only(tx, slot)
}

/// Makes a new data key, wrapped for `database_key` only, and the sealer that goes with it.
pub(crate) fn renew(
    tx: &Connection,
    old: &Sealer,
    database_key: &Secret<32>,
    slot: i64,
) -> Result<Sealer, StorageError> {
    let data_key = random_key()?;
    let (sealer, index_key) = old.with_data_key(&data_key)?;
    let database_id = header::read(tx)?.database_id;
    put(tx, slot, &wrap(&database_id, database_key, &data_key)?)?;
    keep_only(tx, slot)?;
    tx.execute(
        "UPDATE header SET index_key = ?1, key_epoch = key_epoch + 1 WHERE id = 1",
        params![index_key],
    )?;
    Ok(sealer)
}

fn find(
    connection: &Connection,
    database_id: &[u8],
    database_key: &Secret<32>,
) -> Result<(i64, Secret<32>), StorageError> {
    let slots: Vec<(i64, Vec<u8>)> = connection
        .prepare_cached("SELECT slot, wrapped FROM key_slot ORDER BY slot DESC")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    slots
        .iter()
        .find_map(|(slot, wrapped)| {
            let data_key = seal::open(database_key, &associated_data(database_id), wrapped)?;
            Some((*slot, Secret::from_slice(&data_key)?))
        })
        .ok_or(StorageError::WrongKey)
}

fn put(tx: &Connection, slot: i64, wrapped: &[u8]) -> Result<(), StorageError> {
    fault::hit(Point::BeforeStatement)?;
    tx.execute(
        "INSERT INTO key_slot (slot, wrapped) VALUES (?1, ?2)
         ON CONFLICT (slot) DO UPDATE SET wrapped = excluded.wrapped",
        params![slot, wrapped],
    )?;
    fault::hit(Point::AfterStatement)
}

fn wrap(
    database_id: &[u8],
    database_key: &Secret<32>,
    data_key: &Secret<32>,
) -> Result<Vec<u8>, StorageError> {
    seal::seal(database_key, &associated_data(database_id), data_key.expose())
}

fn associated_data(database_id: &[u8]) -> Vec<u8> {
    [b"mls-mobile key slot", database_id].concat()
}
