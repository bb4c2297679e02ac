//! Own Commits of the current epoch that were cleared, found by their bytes when one comes back all the same.

use ::openmls::group::GroupId;
use rusqlite::params;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    error::StorageError,
    identities,
    openmls::group_key,
    seal::{Index, Place},
    tx::{ReadTx, WriteTx},
};

/// Kept for each group: an app that tries again and again in one epoch must not fill the disk.
const KEPT: u32 = 8;

fn row(group: &Index, commit: &Index) -> Vec<u8> {
    [group.as_slice(), commit].concat()
}

fn place(row: &[u8]) -> Place<'_> {
    Place {
        table: "cleared_commit",
        row,
        part: 0,
    }
}

pub(crate) fn insert<T: Serialize>(
    tx: &WriteTx<'_>,
    id: &GroupId,
    commit: &[u8],
    new_identity: Option<&[u8]>,
    value: &T,
) -> Result<(), StorageError> {
    let (group, commit) = (group_key(tx, id)?, tx.index("commit", commit)?);
    let identity = new_identity.map(|key| identities::key(tx, key)).transpose()?;
    tx.execute(
        "INSERT OR REPLACE INTO cleared_commit (group_key, commit_key, identity_key, value)
         VALUES (?1, ?2, ?3, ?4)",
        params![
            group,
            commit,
            identity,
            tx.seal(place(&row(&group, &commit)), value)?
        ],
    )?;
    tx.execute(
        "DELETE FROM cleared_commit WHERE group_key = ?1 AND id NOT IN
         (SELECT id FROM cleared_commit WHERE group_key = ?1 ORDER BY id DESC LIMIT ?2)",
        params![group, KEPT],
    )
    .map(drop)
}

pub(crate) fn get<T: DeserializeOwned>(
    tx: &ReadTx<'_>,
    id: &GroupId,
    commit: &[u8],
) -> Result<Option<T>, StorageError> {
    let (group, commit) = (group_key(tx, id)?, tx.index("commit", commit)?);
    tx.row(
        "SELECT value FROM cleared_commit WHERE group_key = ?1 AND commit_key = ?2",
        params![group, commit],
        |found| found.get::<_, Vec<u8>>(0),
    )?
    .map(|sealed| tx.open(place(&row(&group, &commit)), &sealed))
    .transpose()
}

/// Whether one of them would make its group sign with this identity.
pub(crate) fn any_moves_to(tx: &ReadTx<'_>, signature_key: &[u8]) -> Result<bool, StorageError> {
    let found = tx.row(
        "SELECT 1 FROM cleared_commit WHERE identity_key = ?1",
        params![identities::key(tx, signature_key)?],
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// Their epoch is over: none can be accepted any more.
pub(crate) fn clear(tx: &WriteTx<'_>, id: &GroupId) -> Result<(), StorageError> {
    let group = group_key(tx, id)?;
    tx.execute("DELETE FROM cleared_commit WHERE group_key = ?1", params![group])
        .map(drop)
}
