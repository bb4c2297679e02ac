//! Queued proposals, in the order in which they came.

use rusqlite::params;
use serde::{Serialize, de::DeserializeOwned};

use crate::storage::{
    ReadTx, StorageError, WriteTx,
    seal::{Index, Place},
};

fn row(group: &Index, reference: &Index) -> Vec<u8> {
    [group.as_slice(), reference].concat()
}

fn place(row: &[u8]) -> Place<'_> {
    Place {
        table: "proposal",
        row,
        part: 0,
    }
}

/// `entry` is the reference and the proposal: both are needed to load the queue.
pub(super) fn queue<T: Serialize>(
    tx: &WriteTx<'_>,
    group: &Index,
    reference: &Index,
    entry: &T,
) -> Result<(), StorageError> {
    tx.execute(
        "INSERT INTO proposal (group_key, reference_key, value) VALUES (?1, ?2, ?3)
         ON CONFLICT (group_key, reference_key) DO UPDATE SET value = excluded.value",
        params![group, reference, tx.seal(place(&row(group, reference)), entry)?],
    )
    .map(drop)
}

pub(super) fn list<T: DeserializeOwned>(tx: &ReadTx<'_>, group: &Index) -> Result<Vec<T>, StorageError> {
    tx.rows(
        "SELECT reference_key, value FROM proposal WHERE group_key = ?1 ORDER BY id",
        params![group],
        |row| Ok((row.get::<_, Index>(0)?, row.get::<_, Vec<u8>>(1)?)),
    )?
    .iter()
    .map(|(reference, sealed)| tx.open(place(&row(group, reference)), sealed))
    .collect()
}

pub(super) fn remove(tx: &WriteTx<'_>, group: &Index, reference: &Index) -> Result<(), StorageError> {
    tx.execute(
        "DELETE FROM proposal WHERE group_key = ?1 AND reference_key = ?2",
        params![group, reference],
    )
    .map(drop)
}

pub(super) fn clear(tx: &WriteTx<'_>, group: &Index) -> Result<(), StorageError> {
    tx.execute("DELETE FROM proposal WHERE group_key = ?1", params![group])
        .map(drop)
}
