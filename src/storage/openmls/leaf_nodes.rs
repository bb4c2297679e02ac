//! Own leaf nodes of update proposals that have not been committed yet.

use ::openmls::prelude::LeafNode;
use rusqlite::params;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    index,
    key_pairs::{self, ByPublicKey},
};
use crate::storage::{
    ReadTx, StorageError, WriteTx,
    seal::{Index, Place},
};

fn place(group: &Index, id: u64) -> Place<'_> {
    Place {
        table: "own_leaf_node",
        row: group,
        part: id,
    }
}

pub(super) fn append<T: Serialize>(
    tx: &WriteTx<'_>,
    group: &Index,
    leaf_node: &T,
) -> Result<(), StorageError> {
    // The id is part of the seal, so it is taken before the row exists.
    let id = tx
        .row("SELECT coalesce(max(id), 0) + 1 FROM own_leaf_node", [], |row| {
            row.get(0)
        })?
        .ok_or(StorageError::Corrupt)?;
    tx.execute(
        "INSERT INTO own_leaf_node (id, group_key, value) VALUES (?1, ?2, ?3)",
        params![id, group, tx.seal(place(group, id), leaf_node)?],
    )
    .map(drop)
}

pub(super) fn list<T: DeserializeOwned>(tx: &ReadTx<'_>, group: &Index) -> Result<Vec<T>, StorageError> {
    tx.rows(
        "SELECT id, value FROM own_leaf_node WHERE group_key = ?1 ORDER BY id",
        params![group],
        |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?)),
    )?
    .iter()
    .map(|(id, sealed)| tx.open(place(group, *id), sealed))
    .collect()
}

/// Whether a leaf node that this device proposed for itself, in any group, has this signature key. One that was
/// dropped from the queue counts until its epoch ends: another member may still commit it.
pub(crate) fn any_signs_with(tx: &ReadTx<'_>, signature_key: &[u8]) -> Result<bool, StorageError> {
    let leaf_nodes = tx.rows("SELECT group_key, id, value FROM own_leaf_node", [], |row| {
        Ok((row.get::<_, Index>(0)?, row.get(1)?, row.get::<_, Vec<u8>>(2)?))
    })?;
    for (group, id, sealed) in leaf_nodes {
        let leaf_node: LeafNode = tx.open(place(&group, id), &sealed)?;
        if leaf_node.signature_key().as_slice() == signature_key {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Their key pairs go too: OpenMLS deletes none of an Update that was not committed.
pub(crate) fn clear(tx: &WriteTx<'_>, group: &Index) -> Result<(), StorageError> {
    for leaf_node in list::<LeafNode>(tx, group)? {
        let public_key = index(tx, "public key", leaf_node.encryption_key())?;
        key_pairs::delete(tx, ByPublicKey::Encryption, &public_key)?;
    }
    tx.execute("DELETE FROM own_leaf_node WHERE group_key = ?1", params![group])
        .map(drop)
}
