//! Messages that came before their group could read them.

use ::openmls::group::GroupId;
use rusqlite::params;
use serde::{Deserialize, Serialize};

use super::{
    error::StorageError,
    openmls::group_key,
    seal::{Index, Place},
    tx::{ReadTx, WriteTx},
};

/// What stands sealed: the bytes, and the group's id, of which the row has only the hash.
#[derive(Serialize, Deserialize)]
struct Value {
    #[serde(with = "serde_bytes")]
    group_id: Vec<u8>,
    #[serde(with = "serde_bytes")]
    bytes: Vec<u8>,
}

/// A message to keep.
pub(crate) struct NewEarlyMessage<'m> {
    pub(crate) epoch: u64,
    pub(crate) is_commit: bool,
    pub(crate) bytes: &'m [u8],
    /// Seconds since 1970.
    pub(crate) received: u64,
}

/// A message that was kept.
pub(crate) struct EarlyMessage {
    pub(crate) position: Position,
    pub(crate) group_id: Vec<u8>,
    pub(crate) bytes: Vec<u8>,
}

/// The order of replay: by epoch, and within one its Commits last, each kind in the order in which it came.
#[derive(Clone, Copy, Default)]
pub(crate) struct Position {
    pub(crate) epoch: u64,
    is_commit: bool,
    id: i64,
}

/// How much is kept.
pub(crate) struct Usage {
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
}

const COLUMNS: &str = "epoch, is_commit, id, group_key, message_key, value";

type Row = (Position, Index, Index, Vec<u8>);

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    let position = Position {
        epoch: row.get(0)?,
        is_commit: row.get(1)?,
        id: row.get(2)?,
    };
    Ok((position, row.get(3)?, row.get(4)?, row.get(5)?))
}

fn open(tx: &ReadTx<'_>, (position, group, message, sealed): Row) -> Result<EarlyMessage, StorageError> {
    let Value { group_id, bytes } = tx.open(place(&[group, message].concat()), &sealed)?;
    Ok(EarlyMessage {
        position,
        group_id,
        bytes,
    })
}

fn place(row: &[u8]) -> Place<'_> {
    Place {
        table: "early_message",
        row,
        part: 0,
    }
}

fn message_key(tx: &ReadTx<'_>, bytes: &[u8]) -> Result<Index, StorageError> {
    tx.index("early message", bytes)
}

pub(crate) fn insert(tx: &WriteTx<'_>, id: &GroupId, new: &NewEarlyMessage<'_>) -> Result<(), StorageError> {
    let (group, message) = (group_key(tx, id)?, message_key(tx, new.bytes)?);
    let value = Value {
        group_id: id.to_vec(),
        bytes: new.bytes.to_vec(),
    };
    tx.execute(
        "INSERT INTO early_message (group_key, message_key, epoch, is_commit, received, value)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            group,
            message,
            new.epoch,
            new.is_commit,
            new.received,
            tx.seal(place(&[group, message].concat()), &value)?
        ],
    )
    .map(drop)
}

pub(crate) fn contains(tx: &ReadTx<'_>, id: &GroupId, bytes: &[u8]) -> Result<bool, StorageError> {
    let found = tx.row(
        "SELECT 1 FROM early_message WHERE group_key = ?1 AND message_key = ?2",
        params![group_key(tx, id)?, message_key(tx, bytes)?],
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// What this group has, or all groups together.
pub(crate) fn usage(tx: &ReadTx<'_>, id: Option<&GroupId>) -> Result<Usage, StorageError> {
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Usage {
            messages: row.get(0)?,
            bytes: row.get(1)?,
        })
    };
    let sum = "SELECT count(*), coalesce(sum(length(value)), 0) FROM early_message";
    match id {
        Some(id) => tx.row(
            &format!("{sum} WHERE group_key = ?1"),
            params![group_key(tx, id)?],
            read,
        ),
        None => tx.row(sum, [], read),
    }?
    .ok_or(StorageError::Corrupt)
}

/// The first message of this group behind `after` that is of `epoch` or an earlier one.
pub(crate) fn next(
    tx: &ReadTx<'_>,
    id: &GroupId,
    epoch: u64,
    after: Position,
) -> Result<Option<EarlyMessage>, StorageError> {
    tx.row(
        &format!(
            "SELECT {COLUMNS} FROM early_message
             WHERE group_key = ?1 AND epoch <= ?2 AND (epoch, is_commit, id) > (?3, ?4, ?5)
             ORDER BY epoch, is_commit, id LIMIT 1"
        ),
        params![group_key(tx, id)?, epoch, after.epoch, after.is_commit, after.id],
        read,
    )?
    .map(|row| open(tx, row))
    .transpose()
}

/// Takes the oldest message that came before `time`, of any group.
pub(crate) fn take_older_than(tx: &WriteTx<'_>, time: u64) -> Result<Option<EarlyMessage>, StorageError> {
    let found = tx.row(
        &format!("SELECT {COLUMNS} FROM early_message WHERE received < ?1 ORDER BY received, id LIMIT 1"),
        params![time],
        read,
    )?;
    let Some(row) = found else { return Ok(None) };
    let message = open(tx, row)?;
    delete(tx, message.position)?;
    Ok(Some(message))
}

pub(crate) fn delete(tx: &WriteTx<'_>, position: Position) -> Result<(), StorageError> {
    tx.execute("DELETE FROM early_message WHERE id = ?1", params![position.id])
        .map(drop)
}

/// Notes that the validator rejected it; tells whether that is new.
pub(crate) fn mark_rejected(tx: &WriteTx<'_>, id: &GroupId, bytes: &[u8]) -> Result<bool, StorageError> {
    let changed = tx.execute(
        "UPDATE early_message SET rejected = 1 WHERE group_key = ?1 AND message_key = ?2 AND rejected = 0",
        params![group_key(tx, id)?, message_key(tx, bytes)?],
    )?;
    Ok(changed > 0)
}

/// Deletes the message with these bytes, if it is kept.
pub(crate) fn delete_bytes(tx: &WriteTx<'_>, id: &GroupId, bytes: &[u8]) -> Result<(), StorageError> {
    tx.execute(
        "DELETE FROM early_message WHERE group_key = ?1 AND message_key = ?2",
        params![group_key(tx, id)?, message_key(tx, bytes)?],
    )
    .map(drop)
}

/// Deletes all of this group's.
pub(crate) fn clear(tx: &WriteTx<'_>, id: &GroupId) -> Result<(), StorageError> {
    tx.execute(
        "DELETE FROM early_message WHERE group_key = ?1",
        params![group_key(tx, id)?],
    )
    .map(drop)
}
