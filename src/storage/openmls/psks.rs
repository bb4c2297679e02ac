//! Pre-shared keys, found by their id.

use rusqlite::params;
use serde::{
    Deserialize, Serialize,
    de::{DeserializeOwned, IgnoredAny},
};

use crate::{
    secret::SecretBytes,
    storage::{
        ReadTx, StorageError, WriteTx, codec,
        seal::{Index, Place},
    },
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

/// Every registered PSK as it is stored, opened.
pub(crate) fn list(tx: &ReadTx<'_>) -> Result<Vec<SecretBytes>, StorageError> {
    tx.rows("SELECT psk_key, value FROM psk ORDER BY psk_key", [], |row| {
        Ok((row.get::<_, Index>(0)?, row.get::<_, Vec<u8>>(1)?))
    })?
    .iter()
    .map(|(psk, sealed)| tx.open_secret(place(psk), sealed))
    .collect()
}

/// Stores what [`list`] gave, in another database perhaps.
pub(crate) fn restore(tx: &WriteTx<'_>, stored: &[u8]) -> Result<(), StorageError> {
    let PskRecord::<IgnoredAny> { id, .. } = codec::decode(stored)?;
    let psk = tx.index("psk", &id)?;
    tx.execute(
        "INSERT INTO psk (psk_key, value) VALUES (?1, ?2)",
        params![psk, tx.seal_bytes(place(&psk), stored)?],
    )
    .map(drop)
}

pub(super) fn exists(tx: &ReadTx<'_>, psk: &Index) -> Result<bool, StorageError> {
    tx.row("SELECT 1 FROM psk WHERE psk_key = ?1", params![psk], |_| Ok(()))
        .map(|row| row.is_some())
}

pub(super) fn delete(tx: &WriteTx<'_>, psk: &Index) -> Result<(), StorageError> {
    tx.execute("DELETE FROM psk WHERE psk_key = ?1", params![psk])
        .map(drop)
}
