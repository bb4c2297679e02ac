//! Commits that ended an epoch, so that the same bytes again are known for a duplicate.

use ::openmls::group::GroupId;
use rusqlite::params;

use super::{
    error::StorageError,
    openmls::group_key,
    tx::{ReadTx, WriteTx},
};

/// Commits remembered for each group. Older ones are stale by their epoch, which says nearly as much.
const REMEMBERED: u32 = 16;

pub(crate) fn insert(tx: &WriteTx<'_>, id: &GroupId, commit: &[u8]) -> Result<(), StorageError> {
    let (group, commit) = (group_key(tx, id)?, tx.index("commit", commit)?);
    tx.execute(
        "INSERT OR IGNORE INTO handled_commit (group_key, commit_key) VALUES (?1, ?2)",
        params![group, commit],
    )?;
    tx.execute(
        "DELETE FROM handled_commit WHERE group_key = ?1 AND id NOT IN
         (SELECT id FROM handled_commit WHERE group_key = ?1 ORDER BY id DESC LIMIT ?2)",
        params![group, REMEMBERED],
    )
    .map(drop)
}

pub(crate) fn contains(tx: &ReadTx<'_>, id: &GroupId, commit: &[u8]) -> Result<bool, StorageError> {
    let (group, commit) = (group_key(tx, id)?, tx.index("commit", commit)?);
    Ok(tx
        .row(
            "SELECT 1 FROM handled_commit WHERE group_key = ?1 AND commit_key = ?2",
            params![group, commit],
            |_| Ok(()),
        )?
        .is_some())
}
