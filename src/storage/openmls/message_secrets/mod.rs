//! A group's message secrets, in rows of their own: a message writes only those that it changed (docs/adr/0032).

mod shape;
mod split;
#[cfg(test)]
mod tests;

use rusqlite::params;
use serde::{Serialize, de::DeserializeOwned};

use self::split::{Unsplit, split};
use super::group_state::{self, Kind};
use crate::storage::{
    ReadTx, StorageError, WriteTx, codec,
    seal::{Index, Place},
    secret_parts::{HEAD, StoredSecrets},
};

fn place(group: &Index, part: u64) -> Place<'_> {
    Place {
        table: "message_secrets",
        row: group,
        part,
    }
}

/// Writes what has changed, or everything if nobody knows what the rows hold.
pub(super) fn write<T: Serialize>(tx: &WriteTx<'_>, group: &Index, secrets: &T) -> Result<(), StorageError> {
    let stored = tx.take_secrets().filter(|stored| stored.group == *group);
    let change = match split(secrets, stored.as_ref(), tx.touched()) {
        Ok(change) => change,
        Err(Unsplit::UnknownShape) => return write_whole(tx, group, secrets),
        Err(Unsplit::Encode(error)) => return Err(StorageError::Encode(error)),
    };
    let stored = match stored {
        Some(stored) => stored,
        None => {
            delete(tx, group)?;
            StoredSecrets::none(*group)
        }
    };
    for part in &change.removed {
        tx.execute(
            "DELETE FROM message_secrets WHERE group_key = ?1 AND part = ?2",
            params![group, part],
        )?;
    }
    for (part, bytes) in &change.changed {
        put(tx, group, *part, bytes)?;
    }
    let (stored, head_changed) = stored.after(change);
    if head_changed {
        put(tx, group, HEAD, &codec::encode(&stored.head)?)?;
    }
    tx.lend_secrets(Some(stored));
    Ok(())
}

fn put(tx: &WriteTx<'_>, group: &Index, part: u64, bytes: &[u8]) -> Result<(), StorageError> {
    tx.execute(
        "INSERT INTO message_secrets (group_key, part, value) VALUES (?1, ?2, ?3)
         ON CONFLICT (group_key, part) DO UPDATE SET value = excluded.value",
        params![group, part, tx.seal_bytes(place(group, part), bytes)?],
    )
    .map(drop)
}

/// A store that OpenMLS has given another shape is stored as it comes.
fn write_whole<T: Serialize>(tx: &WriteTx<'_>, group: &Index, secrets: &T) -> Result<(), StorageError> {
    delete_parts(tx, group)?;
    group_state::write(tx, group, Kind::MessageSecrets, secrets)
}

pub(super) fn read<T: DeserializeOwned>(tx: &ReadTx<'_>, group: &Index) -> Result<Option<T>, StorageError> {
    tx.lend_secrets(None);
    let rows = tx.rows(
        "SELECT part, value FROM message_secrets WHERE group_key = ?1 ORDER BY part",
        params![group],
        |row| Ok((row.get::<_, u64>(0)?, row.get::<_, Vec<u8>>(1)?)),
    )?;
    if rows.is_empty() {
        return group_state::read(tx, group, Kind::MessageSecrets);
    }
    let parts = rows
        .into_iter()
        .map(|(part, sealed)| Ok((part, tx.open_secret(place(group, part), &sealed)?)))
        .collect::<Result<_, StorageError>>()?;
    let (whole, stored) = StoredSecrets::read(*group, parts)?;
    let secrets = codec::decode(&whole)?;
    tx.lend_secrets(Some(stored));
    Ok(Some(secrets))
}

pub(super) fn delete(tx: &WriteTx<'_>, group: &Index) -> Result<(), StorageError> {
    tx.lend_secrets(None);
    delete_parts(tx, group)?;
    group_state::delete(tx, group, Kind::MessageSecrets)
}

fn delete_parts(tx: &WriteTx<'_>, group: &Index) -> Result<(), StorageError> {
    tx.execute("DELETE FROM message_secrets WHERE group_key = ?1", params![group])
        .map(drop)
}
