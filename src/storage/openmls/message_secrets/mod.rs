//! A group's message secrets, in rows of their own: a message writes only those that it changed (docs/adr/0032).

mod members;
mod serializer;
mod shape;
mod split;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, ops::Range};

use rusqlite::params;
use serde::{Serialize, de::DeserializeOwned};

use self::split::{Unsplit, split};
use super::group_state::{self, Kind};
use crate::{
    secret::SecretBytes,
    storage::{
        ReadTx, StorageError, WriteTx, codec,
        seal::{Index, Place},
        secret_parts::{Epochs, HEAD, Head, StoredSecrets, Touched},
    },
};

fn place(group: &Index, part: u64) -> Place<'_> {
    Place {
        table: "message_secrets",
        row: group,
        part,
    }
}

/// Writes what has changed, or everything if nobody knows what the rows hold. Of a group whose past epochs are on disk
/// only, nothing but the current epoch's secrets can be written.
pub(super) fn write<T: Serialize>(tx: &WriteTx<'_>, group: &Index, secrets: &T) -> Result<(), StorageError> {
    let held = tx.secrets().take();
    let lacks_past_epochs = held.lacks_past_epochs == Some(*group);
    tx.secrets().borrow_mut().lacks_past_epochs = held.lacks_past_epochs;
    let mut stored = held.rows.filter(|stored| stored.group == *group);
    if lacks_past_epochs {
        if tx.touched() != Some(Touched::Current) {
            return Err(StorageError::LacksPastEpochs);
        }
        stored = stored.filter(|stored| stored.unread.is_some());
        if stored.is_none() {
            let (_, current) = read_current(tx, group)?.ok_or(StorageError::LacksPastEpochs)?;
            stored = Some(current);
        }
    }
    let change = match split(secrets, stored.as_ref(), tx.touched()) {
        Ok(change) => change,
        Err(Unsplit::Encode(error)) => return Err(StorageError::Encode(error)),
        Err(Unsplit::UnknownShape) if !lacks_past_epochs => return write_whole(tx, group, secrets),
        Err(Unsplit::UnknownShape | Unsplit::LacksPastEpochs) => return Err(StorageError::LacksPastEpochs),
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
    tx.secrets().borrow_mut().rows = Some(stored);
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

/// Reads a group's secrets as OpenMLS wrote them, or with those of the current epoch only ([`ReadTx::loading`]).
pub(super) fn read<T: DeserializeOwned>(tx: &ReadTx<'_>, group: &Index) -> Result<Option<T>, StorageError> {
    tx.forget_secret_rows();
    let current = match tx.loads() {
        Epochs::Current => read_current(tx, group)?,
        Epochs::All => None,
    };
    let lacks_past_epochs = current.is_some();
    let Some((encoded, stored)) = (match current {
        Some(current) => Some(current),
        None => read_all(tx, group)?,
    }) else {
        return group_state::read(tx, group, Kind::MessageSecrets);
    };
    let secrets = codec::decode(&encoded)?;
    let mut held = tx.secrets().borrow_mut();
    held.rows = Some(stored);
    if lacks_past_epochs {
        held.lacks_past_epochs = Some(*group);
    } else if held.lacks_past_epochs == Some(*group) {
        held.lacks_past_epochs = None;
    }
    Ok(Some(secrets))
}

/// Nothing if the group has no rows here.
fn read_all(tx: &ReadTx<'_>, group: &Index) -> Result<Option<(SecretBytes, StoredSecrets)>, StorageError> {
    let rows = parts(tx, group, HEAD..u64::MAX >> 1)?;
    if rows.is_empty() {
        return Ok(None);
    }
    StoredSecrets::read(*group, rows).map(Some)
}

/// Nothing if there are no rows, no past epochs, or no count of each epoch's rows.
fn read_current(
    tx: &ReadTx<'_>,
    group: &Index,
) -> Result<Option<(SecretBytes, StoredSecrets)>, StorageError> {
    let Some(head) = parts(tx, group, HEAD..HEAD + 1)?.remove(&HEAD) else {
        return Ok(None);
    };
    let head: Head = codec::decode(&head)?;
    let Some(range) = head.current_parts() else {
        return Ok(None);
    };
    let rows = parts(tx, group, range)?;
    StoredSecrets::read_current(*group, head, rows).map(Some)
}

fn parts(
    tx: &ReadTx<'_>,
    group: &Index,
    range: Range<u64>,
) -> Result<BTreeMap<u64, SecretBytes>, StorageError> {
    tx.rows(
        "SELECT part, value FROM message_secrets
         WHERE group_key = ?1 AND part >= ?2 AND part < ?3 ORDER BY part",
        params![group, range.start, range.end],
        |row| Ok((row.get::<_, u64>(0)?, row.get::<_, Vec<u8>>(1)?)),
    )?
    .into_iter()
    .map(|(part, sealed)| Ok((part, tx.open_secret(place(group, part), &sealed)?)))
    .collect()
}

pub(super) fn delete(tx: &WriteTx<'_>, group: &Index) -> Result<(), StorageError> {
    tx.forget_secret_rows();
    delete_parts(tx, group)?;
    group_state::delete(tx, group, Kind::MessageSecrets)
}

fn delete_parts(tx: &WriteTx<'_>, group: &Index) -> Result<(), StorageError> {
    tx.execute("DELETE FROM message_secrets WHERE group_key = ?1", params![group])
        .map(drop)
}
