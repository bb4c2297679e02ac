//! A group's ratchet tree. A large one is in rows of its own: a Commit writes only what it changed (docs/adr/0037).

use rusqlite::params;
use serde::{Serialize, de::DeserializeOwned};

use super::group_state::{self, Kind};
use crate::storage::{
    ReadTx, StorageError, WriteTx, codec,
    seal::{Index, Place},
    tree_parts::{self, Change, HEAD, StoredTree},
};

fn place(group: &Index, part: u64) -> Place<'_> {
    Place {
        table: "tree_part",
        row: group,
        part,
    }
}

/// Writes what has changed, or everything if nobody knows what the rows hold.
pub(super) fn write<T: Serialize>(tx: &WriteTx<'_>, group: &Index, tree: &T) -> Result<(), StorageError> {
    let stored = tx.take_tree().filter(|stored| stored.group == *group);
    let value = codec::encode_about(tree, stored.as_ref().map_or(0, StoredTree::length))?;
    let lists = tree_parts::lists(&value);
    let was_split = stored.as_ref().is_none_or(StoredTree::has_rows);
    if lists.is_empty() {
        if was_split {
            delete_parts(tx, group)?;
        }
        group_state::write_encoded(tx, group, Kind::Tree, &value)?;
        tx.lend_tree(Some(StoredTree::none(*group)));
        return Ok(());
    }
    let mut stored = match stored {
        Some(stored) => stored,
        None => {
            delete_parts(tx, group)?;
            StoredTree::none(*group)
        }
    };
    if !stored.has_rows() {
        group_state::delete(tx, group, Kind::Tree)?;
    }
    let Change {
        head,
        changed,
        removed,
    } = stored.follow(&value, &lists)?;
    for part in removed {
        tx.execute(
            "DELETE FROM tree_part WHERE group_key = ?1 AND part = ?2",
            params![group, part],
        )?;
    }
    for part in changed {
        put(tx, group, part, stored.piece(part))?;
    }
    if let Some(head) = head {
        put(tx, group, HEAD, &head)?;
    }
    tx.lend_tree(Some(stored));
    Ok(())
}

fn put(tx: &WriteTx<'_>, group: &Index, part: u64, bytes: &[u8]) -> Result<(), StorageError> {
    tx.execute(
        "INSERT INTO tree_part (group_key, part, value) VALUES (?1, ?2, ?3)
         ON CONFLICT (group_key, part) DO UPDATE SET value = excluded.value",
        params![group, part, tx.seal_bytes(place(group, part), bytes)?],
    )
    .map(drop)
}

pub(super) fn read<T: DeserializeOwned>(tx: &ReadTx<'_>, group: &Index) -> Result<Option<T>, StorageError> {
    tx.lend_tree(None);
    let rows = tx.rows(
        "SELECT part, value FROM tree_part WHERE group_key = ?1 ORDER BY part",
        params![group],
        |row| Ok((row.get::<_, u64>(0)?, row.get::<_, Vec<u8>>(1)?)),
    )?;
    if rows.is_empty() {
        let tree = group_state::read(tx, group, Kind::Tree)?;
        tx.lend_tree(Some(StoredTree::none(*group)));
        return Ok(tree);
    }
    let rows = rows
        .into_iter()
        .map(|(part, sealed)| Ok((part, tx.open_bytes(place(group, part), &sealed)?)))
        .collect::<Result<_, StorageError>>()?;
    let (whole, stored) = StoredTree::read(*group, rows)?;
    let tree = codec::decode(&whole)?;
    tx.lend_tree(Some(stored));
    Ok(Some(tree))
}

pub(super) fn delete(tx: &WriteTx<'_>, group: &Index) -> Result<(), StorageError> {
    tx.lend_tree(None);
    delete_parts(tx, group)?;
    group_state::delete(tx, group, Kind::Tree)
}

fn delete_parts(tx: &WriteTx<'_>, group: &Index) -> Result<(), StorageError> {
    tx.execute("DELETE FROM tree_part WHERE group_key = ?1", params![group])
        .map(drop)
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
