//! Epoch authenticators of past epochs (RFC 9420, section 8.7), to compare with those of other members.

use ::openmls::group::GroupId;
use rusqlite::params;
use serde_bytes::{ByteBuf, Bytes};

use super::{
    error::StorageError,
    openmls::group_key,
    seal::{Index, Place},
    tx::{ReadTx, WriteTx},
};

/// Past epochs remembered for each group.
const REMEMBERED: u32 = 64;

fn place(group: &Index, epoch: u64) -> Place<'_> {
    Place {
        table: "past_epoch",
        row: group,
        part: epoch,
    }
}

/// Remembers an epoch that ends, and forgets the one that this makes too many.
pub(crate) fn insert(
    tx: &WriteTx<'_>,
    id: &GroupId,
    epoch: u64,
    authenticator: &[u8],
) -> Result<(), StorageError> {
    let group = group_key(tx, id)?;
    let value = tx.seal(place(&group, epoch), Bytes::new(authenticator))?;
    tx.execute(
        "INSERT INTO past_epoch (group_key, epoch, value) VALUES (?1, ?2, ?3)
         ON CONFLICT (group_key, epoch) DO UPDATE SET value = excluded.value",
        params![group, epoch, value],
    )?;
    tx.execute(
        "DELETE FROM past_epoch WHERE group_key = ?1 AND epoch <=
         (SELECT epoch FROM past_epoch WHERE group_key = ?1 ORDER BY epoch DESC LIMIT 1 OFFSET ?2)",
        params![group, REMEMBERED],
    )
    .map(drop)
}

pub(crate) fn get(tx: &ReadTx<'_>, id: &GroupId, epoch: u64) -> Result<Option<Vec<u8>>, StorageError> {
    let group = group_key(tx, id)?;
    tx.row(
        "SELECT value FROM past_epoch WHERE group_key = ?1 AND epoch = ?2",
        params![group, epoch],
        |row| row.get::<_, Vec<u8>>(0),
    )?
    .map(|sealed| tx.open::<ByteBuf>(place(&group, epoch), &sealed))
    .transpose()
    .map(|value| value.map(ByteBuf::into_vec))
}
