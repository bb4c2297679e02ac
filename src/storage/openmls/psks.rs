//! Pre-shared keys, found by their id.

use rusqlite::params;
use serde::{Serialize, de::DeserializeOwned};

use crate::storage::{
    ReadTx, StorageError, WriteTx,
    seal::{Index, Place},
};

fn place(psk: &Index) -> Place<'_> {
    Place {
        table: "psk",
        row: psk,
        part: 0,
    }
}

pub(super) fn write<T: Serialize>(tx: &WriteTx<'_>, psk: &Index, bundle: &T) -> Result<(), StorageError> {
    tx.execute(
        "INSERT INTO psk (psk_key, value) VALUES (?1, ?2)
         ON CONFLICT (psk_key) DO UPDATE SET value = excluded.value",
        params![psk, tx.seal(place(psk), bundle)?],
    )
    .map(drop)
}

pub(super) fn read<T: DeserializeOwned>(tx: &ReadTx<'_>, psk: &Index) -> Result<Option<T>, StorageError> {
    tx.row("SELECT value FROM psk WHERE psk_key = ?1", params![psk], |row| {
        row.get::<_, Vec<u8>>(0)
    })?
    .map(|sealed| tx.open(place(psk), &sealed))
    .transpose()
}

pub(super) fn delete(tx: &WriteTx<'_>, psk: &Index) -> Result<(), StorageError> {
    tx.execute("DELETE FROM psk WHERE psk_key = ?1", params![psk])
        .map(drop)
}
