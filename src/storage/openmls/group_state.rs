//! The values of a group that exist once: its tree, context, secrets, state and settings.

use rusqlite::params;
use serde::{Serialize, de::DeserializeOwned};

use crate::storage::{
    ReadTx, StorageError, WriteTx, codec,
    seal::{Index, Place},
};

/// What a row of `group_state` holds. The numbers are part of the file format and never change.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    JoinConfig = 1,
    /// Whole; `tree` has a large one in parts.
    Tree = 2,
    InterimTranscriptHash = 3,
    Context = 4,
    ConfirmationTag = 5,
    GroupState = 6,
    /// Whole; `message_secrets` has them in parts.
    MessageSecrets = 7,
    ResumptionPskStore = 8,
    OwnLeafIndex = 9,
    GroupEpochSecrets = 10,
    ApplicationExportTree = 11,
}

fn place(group: &Index, kind: Kind) -> Place<'_> {
    Place {
        table: "group_state",
        row: group,
        part: kind as u64,
    }
}

pub(super) fn write<T: Serialize>(
    tx: &WriteTx<'_>,
    group: &Index,
    kind: Kind,
    value: &T,
) -> Result<(), StorageError> {
    write_encoded(tx, group, kind, &codec::encode(value)?)
}

pub(super) fn write_encoded(
    tx: &WriteTx<'_>,
    group: &Index,
    kind: Kind,
    value: &[u8],
) -> Result<(), StorageError> {
    // An upsert keeps the row in place, so that pages that did not change are not written.
    tx.execute(
        "INSERT INTO group_state (group_key, kind, value) VALUES (?1, ?2, ?3)
         ON CONFLICT (group_key, kind) DO UPDATE SET value = excluded.value",
        params![group, kind as i64, tx.seal_bytes(place(group, kind), value)?],
    )
    .map(drop)
}

pub(super) fn read<T: DeserializeOwned>(
    tx: &ReadTx<'_>,
    group: &Index,
    kind: Kind,
) -> Result<Option<T>, StorageError> {
    tx.row(
        "SELECT value FROM group_state WHERE group_key = ?1 AND kind = ?2",
        params![group, kind as i64],
        |row| row.get::<_, Vec<u8>>(0),
    )?
    .map(|sealed| tx.open(place(group, kind), &sealed))
    .transpose()
}

pub(super) fn delete(tx: &WriteTx<'_>, group: &Index, kind: Kind) -> Result<(), StorageError> {
    tx.execute(
        "DELETE FROM group_state WHERE group_key = ?1 AND kind = ?2",
        params![group, kind as i64],
    )
    .map(drop)
}
