//! Identities: a credential with its signature key.

use rusqlite::params;
use serde::{Deserialize, Serialize};

use super::{
    error::StorageError,
    seal::{Index, Place},
    tx::{ReadTx, WriteTx},
};

/// An identity as it is stored.
#[derive(Serialize, Deserialize)]
pub(crate) struct IdentityRecord {
    /// TLS-encoded `Credential` (RFC 9420, section 5.3).
    #[serde(with = "serde_bytes")]
    pub(crate) credential: Vec<u8>,
    pub(crate) ciphersuite: u16,
    /// Also the identity's id.
    #[serde(with = "serde_bytes")]
    pub(crate) signature_key: Vec<u8>,
    /// Absent when the key lives outside the library.
    pub(crate) private_key: Option<PrivateKey>,
}

/// 32 secret bytes on their way through the codec.
#[derive(Serialize, Deserialize, zeroize::Zeroize, zeroize::ZeroizeOnDrop)]
pub(crate) struct PrivateKey(#[serde(with = "serde_bytes")] pub(crate) Vec<u8>);

fn place(key: &Index) -> Place<'_> {
    Place {
        table: "identity",
        row: key,
        part: 0,
    }
}

/// The keyed hash of a signature key: what the tables call `identity_key`.
pub(super) fn key(tx: &ReadTx<'_>, signature_key: &[u8]) -> Result<Index, StorageError> {
    tx.index("identity", signature_key)
}

pub(crate) fn insert(tx: &WriteTx<'_>, record: &IdentityRecord) -> Result<(), StorageError> {
    let key = key(tx, &record.signature_key)?;
    tx.execute(
        "INSERT INTO identity (identity_key, position, value)
         VALUES (?1, (SELECT coalesce(max(position), 0) + 1 FROM identity), ?2)",
        params![key, tx.seal(place(&key), record)?],
    )
    .map(drop)
}

/// Writes an identity that is there, under the same key.
pub(crate) fn update(tx: &WriteTx<'_>, record: &IdentityRecord) -> Result<(), StorageError> {
    let key = key(tx, &record.signature_key)?;
    tx.execute(
        "UPDATE identity SET value = ?2 WHERE identity_key = ?1",
        params![key, tx.seal(place(&key), record)?],
    )
    .map(drop)
}

pub(crate) fn get(tx: &ReadTx<'_>, signature_key: &[u8]) -> Result<Option<IdentityRecord>, StorageError> {
    let key = key(tx, signature_key)?;
    tx.row(
        "SELECT value FROM identity WHERE identity_key = ?1",
        params![key],
        |row| row.get::<_, Vec<u8>>(0),
    )?
    .map(|sealed| tx.open(place(&key), &sealed))
    .transpose()
}

pub(crate) fn list(tx: &ReadTx<'_>) -> Result<Vec<IdentityRecord>, StorageError> {
    tx.rows(
        "SELECT identity_key, value FROM identity ORDER BY position",
        [],
        |row| Ok((row.get::<_, Index>(0)?, row.get::<_, Vec<u8>>(1)?)),
    )?
    .iter()
    .map(|(key, sealed)| tx.open(place(key), sealed))
    .collect()
}

/// Groups that sign with this identity; it cannot be deleted while there are any.
pub(crate) fn group_count(tx: &ReadTx<'_>, signature_key: &[u8]) -> Result<u64, StorageError> {
    let key = key(tx, signature_key)?;
    tx.row(
        "SELECT count(*) FROM mls_group WHERE identity_key = ?1",
        params![key],
        |row| row.get(0),
    )?
    .ok_or(StorageError::Corrupt)
}

/// Deletes the identity and its key packages, which nobody could use without it.
pub(crate) fn delete(tx: &WriteTx<'_>, signature_key: &[u8]) -> Result<bool, StorageError> {
    let key = key(tx, signature_key)?;
    tx.execute("DELETE FROM key_package WHERE identity_key = ?1", params![key])?;
    Ok(tx.execute("DELETE FROM identity WHERE identity_key = ?1", params![key])? > 0)
}
