//! The groups that the app knows: what listing them needs without loading any.

use ::openmls::group::GroupId;
use rusqlite::params;
use serde::{Deserialize, Serialize};

use super::{
    error::StorageError,
    identities,
    openmls::{group_key, leaf_nodes},
    past_keys::PastKeys,
    seal::{Index, Place},
    tx::{ReadTx, WriteTx},
};

/// A group as it is listed.
#[derive(Serialize, Deserialize)]
pub(crate) struct GroupRecord {
    pub(crate) group_id: GroupId,
    /// The signature key of the identity that signs in this group.
    #[serde(with = "serde_bytes")]
    pub(crate) identity: Vec<u8>,
    pub(crate) epoch: u64,
    /// Whether this device is still a member.
    pub(crate) is_active: bool,
    /// The epoch that a Commit began which this device discarded.
    #[serde(default)]
    pub(crate) rejected_epoch: Option<u64>,
    /// Whether a message in the current epoch could not be read as if its sender had other keys.
    #[serde(default)]
    pub(crate) fork_suspected: bool,
    /// Which past epochs' message keys there are, and for how long.
    #[serde(default)]
    pub(crate) past_keys: PastKeys,
    /// The epoch that an external join of this device began.
    #[serde(default)]
    pub(crate) joined_epoch: Option<u64>,
    /// Whether application messages are padded to buckets, instead of the multiple in OpenMLS's configuration.
    #[serde(default)]
    pub(crate) pads_to_buckets: bool,
}

impl GroupRecord {
    /// A group that begins on this device.
    pub(crate) fn new(group_id: GroupId, identity: Vec<u8>, epoch: u64, past_epoch_lifetime: u64) -> Self {
        Self {
            group_id,
            identity,
            epoch,
            is_active: true,
            rejected_epoch: None,
            fork_suspected: false,
            past_keys: PastKeys::new(past_epoch_lifetime),
            joined_epoch: None,
            pads_to_buckets: false,
        }
    }
}

fn place(key: &Index) -> Place<'_> {
    Place {
        table: "mls_group",
        row: key,
        part: 0,
    }
}

/// As SQLite's integers hold it.
fn past_keys_due_at(record: &GroupRecord) -> Option<i64> {
    let due = record.past_keys.due()?;
    Some(i64::try_from(due).unwrap_or(i64::MAX))
}

pub(crate) fn insert(tx: &WriteTx<'_>, record: &GroupRecord) -> Result<(), StorageError> {
    insert_at(tx, record, None)
}

/// Puts the group in the place of the one with the same id, of which every row goes. Without one it comes last.
pub(crate) fn replace(tx: &WriteTx<'_>, record: &GroupRecord) -> Result<(), StorageError> {
    let position = tx.row(
        "SELECT position FROM mls_group WHERE group_key = ?1",
        params![group_key(tx, &record.group_id)?],
        |row| row.get(0),
    )?;
    delete(tx, &record.group_id)?;
    insert_at(tx, record, position)
}

fn insert_at(tx: &WriteTx<'_>, record: &GroupRecord, position: Option<i64>) -> Result<(), StorageError> {
    let key = group_key(tx, &record.group_id)?;
    tx.execute(
        "INSERT INTO mls_group (group_key, identity_key, position, value, past_keys_due)
         VALUES (?1, ?2, coalesce(?5, (SELECT coalesce(max(position), 0) + 1 FROM mls_group)), ?3, ?4)",
        params![
            key,
            identities::key(tx, &record.identity)?,
            tx.seal(place(&key), record)?,
            past_keys_due_at(record),
            position
        ],
    )
    .map(drop)
}

pub(crate) fn update(tx: &WriteTx<'_>, record: &GroupRecord) -> Result<(), StorageError> {
    let key = group_key(tx, &record.group_id)?;
    tx.execute(
        "UPDATE mls_group SET identity_key = ?2, value = ?3, past_keys_due = ?4 WHERE group_key = ?1",
        params![
            key,
            identities::key(tx, &record.identity)?,
            tx.seal(place(&key), record)?,
            past_keys_due_at(record)
        ],
    )
    .map(drop)
}

pub(crate) fn get(tx: &ReadTx<'_>, id: &GroupId) -> Result<Option<GroupRecord>, StorageError> {
    let key = group_key(tx, id)?;
    tx.row(
        "SELECT value FROM mls_group WHERE group_key = ?1",
        params![key],
        |row| row.get::<_, Vec<u8>>(0),
    )?
    .map(|sealed| tx.open(place(&key), &sealed))
    .transpose()
}

pub(crate) fn list(tx: &ReadTx<'_>) -> Result<Vec<GroupRecord>, StorageError> {
    tx.rows(
        "SELECT group_key, value FROM mls_group ORDER BY position",
        [],
        |row| Ok((row.get::<_, Index>(0)?, row.get::<_, Vec<u8>>(1)?)),
    )?
    .iter()
    .map(|(key, sealed)| tx.open(place(key), sealed))
    .collect()
}

/// The first `limit` groups with keys of past epochs that were due to be deleted at `now`.
pub(crate) fn past_keys_due(tx: &ReadTx<'_>, now: u64, limit: u32) -> Result<Vec<GroupId>, StorageError> {
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    tx.rows(
        "SELECT group_key, value FROM mls_group WHERE past_keys_due <= ?1 ORDER BY past_keys_due LIMIT ?2",
        params![now, limit],
        |row| Ok((row.get::<_, Index>(0)?, row.get::<_, Vec<u8>>(1)?)),
    )?
    .iter()
    .map(|(key, sealed)| {
        let record: GroupRecord = tx.open(place(key), sealed)?;
        Ok(record.group_id)
    })
    .collect()
}

/// Deletes the group and, by its foreign keys, every row that belongs to it.
pub(crate) fn delete(tx: &WriteTx<'_>, id: &GroupId) -> Result<bool, StorageError> {
    let key = group_key(tx, id)?;
    tx.forget_rows();
    // Their key pairs are found by public key only.
    leaf_nodes::clear(tx, &key)?;
    Ok(tx.execute("DELETE FROM mls_group WHERE group_key = ?1", params![key])? > 0)
}
