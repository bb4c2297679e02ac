//! Pre-shared keys, found by their id.

use rusqlite::params;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::storage::{
    ReadTx, StorageError, WriteTx,
    seal::{Index, Place},
};

/// What is sealed: the bundle is OpenMLS's. The id goes with it, because its hash in the index cannot be turned back.
#[derive(Serialize, Deserialize)]
struct PskRecord<B> {
    #[serde(with = "serde_bytes")]
    id: Vec<u8>,
    bundle: B,
}

fn place(psk: &Index) -> Place<'_> {
    Place {
        table: "psk",
        row: psk,
        part: 0,
    }
}

pub(super) fn write<T: Serialize>(
    tx: &WriteTx<'_>,
    psk: &Index,
    id: &[u8],
    bundle: &T,
) -> Result<(), StorageError> {
    let record = PskRecord {
        id: id.to_vec(),
        bundle,
    };
    tx.execute(
        "INSERT INTO psk (psk_key, value) VALUES (?1, ?2)
         ON CONFLICT (psk_key) DO UPDATE SET value = excluded.value",
        params![psk, tx.seal(place(psk), &record)?],
    )
    .map(drop)
}

pub(super) fn read<T: DeserializeOwned>(tx: &ReadTx<'_>, psk: &Index) -> Result<Option<T>, StorageError> {
    tx.row("SELECT value FROM psk WHERE psk_key = ?1", params![psk], |row| {
        row.get::<_, Vec<u8>>(0)
    })?
    .map(|sealed| {
        tx.open::<PskRecord<T>>(place(psk), &sealed)
            .map(|record| record.bundle)
    })
    .transpose()
}

pub(super) fn exists(tx: &ReadTx<'_>, psk: &Index) -> Result<bool, StorageError> {
    tx.row("SELECT 1 FROM psk WHERE psk_key = ?1", params![psk], |_| Ok(()))
        .map(|row| row.is_some())
}

pub(super) fn delete(tx: &WriteTx<'_>, psk: &Index) -> Result<(), StorageError> {
    tx.execute("DELETE FROM psk WHERE psk_key = ?1", params![psk])
        .map(drop)
}
