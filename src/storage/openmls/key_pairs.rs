//! Key pairs: those of a group's epoch, those of leaf nodes in flight, and signature keys.

use rusqlite::params;
use serde::{Serialize, de::DeserializeOwned};

use crate::storage::{
    ReadTx, StorageError, WriteTx,
    seal::{Index, Place},
};

fn epoch_row(group: &Index, epoch: &Index) -> Vec<u8> {
    [group.as_slice(), epoch].concat()
}

fn epoch_place(row: &[u8]) -> Place<'_> {
    Place {
        table: "epoch_key_pairs",
        row,
        part: 0,
    }
}

pub(super) fn write_epoch<T: Serialize>(
    tx: &WriteTx<'_>,
    group: &Index,
    epoch: &Index,
    key_pairs: &[T],
) -> Result<(), StorageError> {
    tx.execute(
        "INSERT INTO epoch_key_pairs (group_key, epoch_key, value) VALUES (?1, ?2, ?3)
         ON CONFLICT (group_key, epoch_key) DO UPDATE SET value = excluded.value",
        params![
            group,
            epoch,
            tx.seal(epoch_place(&epoch_row(group, epoch)), key_pairs)?
        ],
    )
    .map(drop)
}

/// An epoch without key pairs has an empty list: the trait has no other word for it.
pub(super) fn read_epoch<T: DeserializeOwned>(
    tx: &ReadTx<'_>,
    group: &Index,
    epoch: &Index,
) -> Result<Vec<T>, StorageError> {
    tx.row(
        "SELECT value FROM epoch_key_pairs WHERE group_key = ?1 AND epoch_key = ?2",
        params![group, epoch],
        |row| row.get::<_, Vec<u8>>(0),
    )?
    .map_or(Ok(Vec::new()), |sealed| {
        tx.open(epoch_place(&epoch_row(group, epoch)), &sealed)
    })
}

pub(super) fn delete_epoch(tx: &WriteTx<'_>, group: &Index, epoch: &Index) -> Result<(), StorageError> {
    tx.execute(
        "DELETE FROM epoch_key_pairs WHERE group_key = ?1 AND epoch_key = ?2",
        params![group, epoch],
    )
    .map(drop)
}

/// A table of key pairs that are found by their public key.
#[derive(Clone, Copy)]
pub(super) enum ByPublicKey {
    Encryption,
    Signature,
}

impl ByPublicKey {
    fn place(self, public_key: &Index) -> Place<'_> {
        let table = match self {
            Self::Encryption => "encryption_key_pair",
            Self::Signature => "signature_key_pair",
        };
        Place {
            table,
            row: public_key,
            part: 0,
        }
    }
}

pub(super) fn write<T: Serialize>(
    tx: &WriteTx<'_>,
    table: ByPublicKey,
    public_key: &Index,
    key_pair: &T,
) -> Result<(), StorageError> {
    let sql = match table {
        ByPublicKey::Encryption => {
            "INSERT INTO encryption_key_pair (public_key_key, value) VALUES (?1, ?2)
             ON CONFLICT (public_key_key) DO UPDATE SET value = excluded.value"
        }
        ByPublicKey::Signature => {
            "INSERT INTO signature_key_pair (public_key_key, value) VALUES (?1, ?2)
             ON CONFLICT (public_key_key) DO UPDATE SET value = excluded.value"
        }
    };
    tx.execute(
        sql,
        params![public_key, tx.seal(table.place(public_key), key_pair)?],
    )
    .map(drop)
}

pub(super) fn read<T: DeserializeOwned>(
    tx: &ReadTx<'_>,
    table: ByPublicKey,
    public_key: &Index,
) -> Result<Option<T>, StorageError> {
    let sql = match table {
        ByPublicKey::Encryption => "SELECT value FROM encryption_key_pair WHERE public_key_key = ?1",
        ByPublicKey::Signature => "SELECT value FROM signature_key_pair WHERE public_key_key = ?1",
    };
    tx.row(sql, params![public_key], |row| row.get::<_, Vec<u8>>(0))?
        .map(|sealed| tx.open(table.place(public_key), &sealed))
        .transpose()
}

pub(super) fn delete(tx: &WriteTx<'_>, table: ByPublicKey, public_key: &Index) -> Result<(), StorageError> {
    let sql = match table {
        ByPublicKey::Encryption => "DELETE FROM encryption_key_pair WHERE public_key_key = ?1",
        ByPublicKey::Signature => "DELETE FROM signature_key_pair WHERE public_key_key = ?1",
    };
    tx.execute(sql, params![public_key]).map(drop)
}
