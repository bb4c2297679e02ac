//! What an app lists of its key packages. The private half is OpenMLS's, in the same rows.

use std::collections::BTreeSet;

use rusqlite::params;
use serde::{Deserialize, Serialize};

use super::{
    error::StorageError,
    identities,
    openmls::key_package_key,
    seal::{Index, Place},
    tx::{ReadTx, WriteTx},
};
use ::openmls::prelude::KeyPackageRef;

/// A key package as it is listed.
#[derive(Serialize, Deserialize)]
pub(crate) struct KeyPackageRecord {
    pub(crate) reference: KeyPackageRef,
    /// The signature key of its identity.
    #[serde(with = "serde_bytes")]
    pub(crate) identity: Vec<u8>,
    /// The MLSMessage to publish.
    #[serde(with = "serde_bytes")]
    pub(crate) message: Vec<u8>,
    /// Seconds since 1970.
    pub(crate) not_before: u64,
    /// Seconds since 1970.
    pub(crate) not_after: u64,
    pub(crate) last_resort: bool,
}

/// Bytes of a reference: every suite of ours has SHA-256 (RFC 9420, section 5.2).
const REFERENCE: usize = 32;

/// The listing is the row's second sealed column.
fn place(reference: &Index) -> Place<'_> {
    Place {
        table: "key_package",
        row: reference,
        part: 1,
    }
}

/// Completes the row that OpenMLS wrote for the bundle.
pub(crate) fn describe(tx: &WriteTx<'_>, record: &KeyPackageRecord) -> Result<(), StorageError> {
    let key = key_package_key(tx, &record.reference)?;
    tx.execute(
        "UPDATE key_package SET identity_key = ?2, not_after = ?3, last_resort = ?4, value = ?5
         WHERE reference_key = ?1",
        params![
            key,
            identities::key(tx, &record.identity)?,
            // A time beyond SQLite's integers never passes.
            i64::try_from(record.not_after).unwrap_or(i64::MAX),
            record.last_resort,
            tx.seal(place(&key), record)?
        ],
    )
    .map(drop)
}

/// The first of these that is here. In one statement, because a Welcome may name a million.
pub(crate) fn first_here(
    tx: &ReadTx<'_>,
    references: impl IntoIterator<Item = KeyPackageRef>,
) -> Result<Option<KeyPackageRef>, StorageError> {
    let here: BTreeSet<Index> = tx
        .rows("SELECT reference_key FROM key_package", [], |row| row.get(0))?
        .into_iter()
        .collect();
    for reference in references {
        if reference.as_slice().len() == REFERENCE && here.contains(&key_package_key(tx, &reference)?) {
            return Ok(Some(reference));
        }
    }
    Ok(None)
}

pub(crate) fn list(tx: &ReadTx<'_>) -> Result<Vec<KeyPackageRecord>, StorageError> {
    tx.rows(
        "SELECT reference_key, value FROM key_package WHERE value IS NOT NULL ORDER BY rowid",
        [],
        |row| Ok((row.get::<_, Index>(0)?, row.get::<_, Vec<u8>>(1)?)),
    )?
    .iter()
    .map(|(key, sealed)| tx.open(place(key), sealed))
    .collect()
}

/// How many unexpired key packages an identity has that are used only once.
pub(crate) fn count_single_use(tx: &ReadTx<'_>, identity: &[u8], now: u64) -> Result<u64, StorageError> {
    tx.row(
        "SELECT count(*) FROM key_package WHERE identity_key = ?1 AND last_resort = 0 AND not_after > ?2",
        params![identities::key(tx, identity)?, now as i64],
        |row| row.get(0),
    )?
    .ok_or(StorageError::Corrupt)
}

pub(crate) fn delete(tx: &WriteTx<'_>, reference: &KeyPackageRef) -> Result<bool, StorageError> {
    let key = key_package_key(tx, reference)?;
    Ok(tx.execute("DELETE FROM key_package WHERE reference_key = ?1", params![key])? > 0)
}

pub(crate) fn delete_expired(tx: &WriteTx<'_>, now: u64) -> Result<u64, StorageError> {
    Ok(tx.execute(
        "DELETE FROM key_package WHERE not_after <= ?1",
        params![now as i64],
    )? as u64)
}
