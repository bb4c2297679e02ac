//! The own Commit that waits for the delivery service's answer.

use ::openmls::group::GroupId;
use rusqlite::params;
use serde::{Deserialize, Serialize};

use super::{
    error::StorageError,
    openmls::group_key,
    seal::{Index, Place},
    tx::{ReadTx, WriteTx},
};

/// All that is needed to send the Commit again, and to know it when it comes back.
#[derive(Serialize, Deserialize)]
pub(crate) struct PendingCommitRecord {
    #[serde(with = "serde_bytes")]
    pub(crate) commit: Vec<u8>,
    #[serde(with = "serde_bytes")]
    pub(crate) welcome: Option<Vec<u8>>,
    #[serde(with = "serde_bytes")]
    pub(crate) group_info: Option<Vec<u8>>,
    /// The epoch that the Commit ends.
    pub(crate) epoch: u64,
    /// The signature key of the identity that signs after the merge, when the Commit changes it.
    #[serde(with = "serde_bytes")]
    pub(crate) new_identity: Option<Vec<u8>>,
}

fn place(group: &Index) -> Place<'_> {
    Place {
        table: "pending_commit",
        row: group,
        part: 0,
    }
}

pub(crate) fn put(tx: &WriteTx<'_>, id: &GroupId, record: &PendingCommitRecord) -> Result<(), StorageError> {
    let key = group_key(tx, id)?;
    tx.execute(
        "INSERT INTO pending_commit (group_key, value) VALUES (?1, ?2)
         ON CONFLICT (group_key) DO UPDATE SET value = excluded.value",
        params![key, tx.seal(place(&key), record)?],
    )
    .map(drop)
}

pub(crate) fn get(tx: &ReadTx<'_>, id: &GroupId) -> Result<Option<PendingCommitRecord>, StorageError> {
    let key = group_key(tx, id)?;
    tx.row(
        "SELECT value FROM pending_commit WHERE group_key = ?1",
        params![key],
        |row| row.get::<_, Vec<u8>>(0),
    )?
    .map(|sealed| tx.open(place(&key), &sealed))
    .transpose()
}

/// Whether a pending Commit makes its group sign with this identity once it is merged.
pub(crate) fn any_moves_to(tx: &ReadTx<'_>, signature_key: &[u8]) -> Result<bool, StorageError> {
    let rows = tx.rows("SELECT group_key, value FROM pending_commit", [], |row| {
        Ok((row.get::<_, Index>(0)?, row.get::<_, Vec<u8>>(1)?))
    })?;
    for (key, sealed) in rows {
        let record: PendingCommitRecord = tx.open(place(&key), &sealed)?;
        if record.new_identity.as_deref() == Some(signature_key) {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(crate) fn delete(tx: &WriteTx<'_>, id: &GroupId) -> Result<(), StorageError> {
    let key = group_key(tx, id)?;
    tx.execute("DELETE FROM pending_commit WHERE group_key = ?1", params![key])
        .map(drop)
}
