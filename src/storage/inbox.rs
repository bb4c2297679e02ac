//! The inbox: what a user would see, kept until the app says that it has it.

use rusqlite::params;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    error::StorageError,
    header,
    seal::Place,
    tx::{ReadTx, WriteTx},
};

fn place(id: u64) -> Place<'static> {
    Place {
        table: "inbox",
        row: &[],
        part: id,
    }
}

/// Adds an entry and tells its id. Ids grow and are never used twice.
pub(crate) fn append<T: Serialize>(tx: &WriteTx<'_>, entry: &T) -> Result<u64, StorageError> {
    let id = header::take_inbox_id(tx)?;
    tx.execute(
        "INSERT INTO inbox (id, value) VALUES (?1, ?2)",
        params![id, tx.seal(place(id), entry)?],
    )?;
    Ok(id)
}

/// The oldest `limit` entries, oldest first.
pub(crate) fn list<T: DeserializeOwned>(tx: &ReadTx<'_>, limit: u32) -> Result<Vec<(u64, T)>, StorageError> {
    tx.rows(
        "SELECT id, value FROM inbox ORDER BY id LIMIT ?1",
        params![limit],
        |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?)),
    )?
    .into_iter()
    .map(|(id, sealed)| Ok((id, tx.open(place(id), &sealed)?)))
    .collect()
}

/// Deletes entries; ids that are not there are not an error, so that an acknowledgement can be repeated.
pub(crate) fn delete(tx: &WriteTx<'_>, ids: &[u64]) -> Result<(), StorageError> {
    // SQLite's integers are signed; no entry ever has an id beyond them.
    ids.iter()
        .filter_map(|id| i64::try_from(*id).ok())
        .try_for_each(|id| {
            tx.execute("DELETE FROM inbox WHERE id = ?1", params![id])
                .map(drop)
        })
}
