//! External joins that wait for the delivery service's answer, each with the rows of the group that it makes.

use ::openmls::group::GroupId;
use rusqlite::params;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    error::StorageError,
    identities,
    openmls::group_key,
    per_group::PerGroup,
    seal::{Index, Place},
    tx::{ReadTx, WriteTx},
};

/// An external join. `R` is [`GroupRows`], or `IgnoredAny` for who does not need them.
#[derive(Serialize, Deserialize)]
pub(crate) struct ExternalJoinRecord<R> {
    pub(crate) group_id: GroupId,
    /// The signature key of the identity that joins.
    #[serde(with = "serde_bytes")]
    pub(crate) identity: Vec<u8>,
    #[serde(with = "serde_bytes")]
    pub(crate) commit: Vec<u8>,
    #[serde(with = "serde_bytes")]
    pub(crate) group_info: Option<Vec<u8>>,
    /// The epoch that the Commit ends.
    pub(crate) epoch: u64,
    /// Whether the old membership had not seen that epoch end: if it does, another Commit has won.
    pub(crate) in_race: bool,
    pub(crate) rows: R,
    /// The leaf of a lost device that the Commit has left in the tree.
    #[serde(default)]
    pub(crate) old_leaf_remains: Option<u32>,
}

/// OpenMLS's rows of a group, opened. Their names are keyed hashes, which stay the same.
#[derive(Serialize, Deserialize)]
pub(crate) struct GroupRows(Vec<Row>);

#[derive(Serialize, Deserialize)]
struct Row {
    /// Where in [`TABLES`]: part of the file format.
    table: usize,
    key: Key,
    value: Plain,
}

/// What tells a group's rows of one table apart.
#[derive(Serialize, Deserialize)]
enum Key {
    Number(u64),
    Name(Index),
}

/// State of a group on its way from one seal to another.
#[derive(Serialize, Deserialize, zeroize::Zeroize, zeroize::ZeroizeOnDrop)]
struct Plain(#[serde(with = "serde_bytes")] Vec<u8>);

/// Tables of which a group that was just joined has rows, and their key columns. It has queued no proposal, so it has
/// no row in the others.
const TABLES: [(&str, &str); 4] = [
    ("group_state", "kind"),
    ("epoch_key_pairs", "epoch_key"),
    ("message_secrets", "part"),
    ("tree_part", "part"),
];

impl Key {
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        match row.get(0) {
            Ok(number) => Ok(Self::Number(number)),
            Err(_) => row.get(0).map(Self::Name),
        }
    }

    /// As the modules of the tables seal: a number is the seal's part, a name belongs to its row.
    fn row_and_part(&self, group: &Index) -> (Vec<u8>, u64) {
        match self {
            Self::Number(number) => (group.to_vec(), *number),
            Self::Name(name) => ([group.as_slice(), name].concat(), 0),
        }
    }
}

impl GroupRows {
    pub(crate) fn read(tx: &ReadTx<'_>, id: &GroupId) -> Result<Self, StorageError> {
        let group = group_key(tx, id)?;
        let mut rows = Vec::new();
        for (number, (table, key)) in TABLES.into_iter().enumerate() {
            let sql = format!("SELECT {key}, value FROM {table} WHERE group_key = ?1 ORDER BY rowid");
            let found = tx.rows(&sql, params![group], |row| {
                Ok((Key::read(row)?, row.get::<_, Vec<u8>>(1)?))
            })?;
            for (key, sealed) in found {
                let (row, part) = key.row_and_part(&group);
                let place = Place {
                    table,
                    row: &row,
                    part,
                };
                let mut plain = tx.open_secret(place, &sealed)?;
                rows.push(Row {
                    table: number,
                    key,
                    value: Plain(std::mem::take(&mut *plain)),
                });
            }
        }
        Ok(Self(rows))
    }

    /// Writes them back for a group that has none.
    pub(crate) fn write(&self, tx: &WriteTx<'_>, id: &GroupId) -> Result<(), StorageError> {
        let group = group_key(tx, id)?;
        for Row { table, key, value } in &self.0 {
            let (table, column) = TABLES.get(*table).ok_or(StorageError::Corrupt)?;
            let (row, part) = key.row_and_part(&group);
            let place = Place {
                table,
                row: &row,
                part,
            };
            let sealed = tx.seal_bytes(place, &value.0)?;
            let sql = format!("INSERT INTO {table} (group_key, {column}, value) VALUES (?1, ?2, ?3)");
            match key {
                Key::Number(number) => tx.execute(&sql, params![group, number, sealed]),
                Key::Name(name) => tx.execute(&sql, params![group, name, sealed]),
            }?;
        }
        Ok(())
    }
}

/// Stores the join, in place of one that waits for the same group.
pub(crate) fn put(tx: &WriteTx<'_>, record: &ExternalJoinRecord<GroupRows>) -> Result<(), StorageError> {
    let group = group_key(tx, &record.group_id)?;
    tx.execute(
        "INSERT INTO external_join (group_key, identity_key, value) VALUES (?1, ?2, ?3)
         ON CONFLICT (group_key) DO UPDATE SET identity_key = excluded.identity_key, value = excluded.value",
        params![
            group,
            identities::key(tx, &record.identity)?,
            tx.seal(PerGroup::ExternalJoin.place(&group), record)?
        ],
    )
    .map(drop)
}

pub(crate) fn get<R: DeserializeOwned>(
    tx: &ReadTx<'_>,
    id: &GroupId,
) -> Result<Option<ExternalJoinRecord<R>>, StorageError> {
    PerGroup::ExternalJoin.get(tx, id)
}

/// Whether a join waits, without opening it.
pub(crate) fn exists(tx: &ReadTx<'_>, id: &GroupId) -> Result<bool, StorageError> {
    PerGroup::ExternalJoin.exists(tx, id)
}

/// Whether one of them joins with this identity.
pub(crate) fn any_signs_with(tx: &ReadTx<'_>, signature_key: &[u8]) -> Result<bool, StorageError> {
    let found = tx.row(
        "SELECT 1 FROM external_join WHERE identity_key = ?1",
        params![identities::key(tx, signature_key)?],
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

pub(crate) fn delete(tx: &WriteTx<'_>, id: &GroupId) -> Result<bool, StorageError> {
    PerGroup::ExternalJoin.delete(tx, id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::TABLES;
    use crate::storage::migrations::MIGRATIONS;

    /// Tables of a group's rows in which a group that was just joined has none.
    const EMPTY: &[&str] = &[
        "cleared_commit",
        "handled_commit",
        "merged_commit",
        "own_leaf_node",
        "past_epoch",
        "pending_commit",
        "proposal",
        "staged_commit",
    ];

    #[test]
    fn every_table_of_a_groups_rows_is_captured_or_empty_after_a_join() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        connection.execute_batch(&MIGRATIONS.concat()).unwrap();
        let mut statement = connection
            .prepare(
                "SELECT m.name FROM sqlite_schema m, pragma_foreign_key_list(m.name) f
                 WHERE m.type = 'table' AND f.\"table\" = 'mls_group'",
            )
            .unwrap();
        let found: BTreeSet<String> = statement
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let known = TABLES.iter().map(|(table, _)| table).chain(EMPTY);
        assert_eq!(found, known.map(|table| (*table).to_owned()).collect());
    }
}
