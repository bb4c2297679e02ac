//! Key package bundles: the private half that a Welcome needs. What an app lists of them is in
//! [`crate::storage::key_packages`], in the same rows.

use rusqlite::params;
use serde::{Serialize, de::DeserializeOwned};

use crate::storage::{
    ReadTx, StorageError, WriteTx,
    seal::{Index, Place},
};

/// The bundle is the row's first sealed column; the listing is the second.
fn place(reference: &Index) -> Place<'_> {
    Place {
        table: "key_package",
        row: reference,
        part: 0,
    }
}

pub(super) fn write<T: Serialize>(
    tx: &WriteTx<'_>,
    reference: &Index,
    bundle: &T,
) -> Result<(), StorageError> {
    tx.execute(
        "INSERT INTO key_package (reference_key, bundle) VALUES (?1, ?2)
         ON CONFLICT (reference_key) DO UPDATE SET bundle = excluded.bundle",
        params![reference, tx.seal(place(reference), bundle)?],
    )
    .map(drop)
}

pub(super) fn read<T: DeserializeOwned>(
    tx: &ReadTx<'_>,
    reference: &Index,
) -> Result<Option<T>, StorageError> {
    tx.row(
        "SELECT bundle FROM key_package WHERE reference_key = ?1",
        params![reference],
        |row| row.get::<_, Vec<u8>>(0),
    )?
    .map(|sealed| tx.open(place(reference), &sealed))
    .transpose()
}

pub(super) fn delete(tx: &WriteTx<'_>, reference: &Index) -> Result<(), StorageError> {
    tx.execute(
        "DELETE FROM key_package WHERE reference_key = ?1",
        params![reference],
    )
    .map(drop)
}
