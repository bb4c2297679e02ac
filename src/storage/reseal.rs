//! Sealing every value again, for a new data key.

use std::sync::atomic::AtomicBool;

use rusqlite::{Connection, params};

use super::{
    error::StorageError,
    fault::{self, Point},
    seal::{Place, Sealer},
    tx::check_interrupted,
};

/// A sealed column: how its row's key and part are read, as the module of its table seals them.
struct Column {
    table: &'static str,
    column: &'static str,
    /// Up to two key columns; their bytes one after the other are the row in the seal.
    row: [&'static str; 2],
    part: &'static str,
}

const NOTHING: &str = "x''";

/// The `value` of a table whose rows belong to a group, and to a second key if there is one.
const fn of_group(table: &'static str, second: &'static str, part: &'static str) -> Column {
    Column {
        table,
        column: "value",
        row: ["group_key", second],
        part,
    }
}

/// Every sealed column but the header's index key, which the key slots renew. A test holds it against the schema.
const COLUMNS: &[Column] = &[
    Column {
        table: "header",
        column: "cursor",
        row: ["'cursor'", NOTHING],
        part: "0",
    },
    Column {
        table: "identity",
        column: "value",
        row: ["identity_key", NOTHING],
        part: "0",
    },
    Column {
        table: "key_package",
        column: "bundle",
        row: ["reference_key", NOTHING],
        part: "0",
    },
    Column {
        table: "key_package",
        column: "value",
        row: ["reference_key", NOTHING],
        part: "1",
    },
    of_group("mls_group", NOTHING, "0"),
    of_group("group_state", NOTHING, "kind"),
    of_group("message_secrets", NOTHING, "part"),
    of_group("tree_part", NOTHING, "part"),
    of_group("proposal", "reference_key", "0"),
    of_group("own_leaf_node", NOTHING, "id"),
    of_group("epoch_key_pairs", "epoch_key", "0"),
    Column {
        table: "encryption_key_pair",
        column: "value",
        row: ["public_key_key", NOTHING],
        part: "0",
    },
    Column {
        table: "signature_key_pair",
        column: "value",
        row: ["public_key_key", NOTHING],
        part: "0",
    },
    Column {
        table: "psk",
        column: "value",
        row: ["psk_key", NOTHING],
        part: "0",
    },
    of_group("pending_commit", NOTHING, "0"),
    of_group("staged_commit", NOTHING, "0"),
    of_group("cleared_commit", "commit_key", "0"),
    of_group("merged_commit", NOTHING, "0"),
    of_group("early_message", "message_key", "0"),
    of_group("external_join", NOTHING, "0"),
    of_group("past_epoch", NOTHING, "epoch"),
    of_group("group_to_rejoin", NOTHING, "0"),
    Column {
        table: "inbox",
        column: "value",
        row: [NOTHING, NOTHING],
        part: "id",
    },
];

/// Opens each value with `old` and seals it with `new`, in the caller's transaction. A suspension can end it between
/// two values: the time goes into the cryptography, which SQLite's own interrupt does not reach.
pub(super) fn all(
    tx: &Connection,
    old: &Sealer,
    new: &Sealer,
    interrupted: &AtomicBool,
) -> Result<(), StorageError> {
    COLUMNS
        .iter()
        .try_for_each(|column| one(tx, column, old, new, interrupted))
}

fn one(
    tx: &Connection,
    column: &Column,
    old: &Sealer,
    new: &Sealer,
    interrupted: &AtomicBool,
) -> Result<(), StorageError> {
    let Column {
        table,
        column,
        row: [first, second],
        part,
    } = column;
    // One row at a time, by rowid: a database may be larger than the memory of an extension.
    let mut next = tx.prepare(&format!(
        "SELECT rowid, CAST({first} AS BLOB), {second}, {part}, {column} FROM {table}
         WHERE rowid > ?1 AND {column} IS NOT NULL ORDER BY rowid LIMIT 1"
    ))?;
    let mut update = tx.prepare(&format!("UPDATE {table} SET {column} = ?2 WHERE rowid = ?1"))?;
    let mut last = i64::MIN;
    loop {
        check_interrupted(interrupted)?;
        let mut rows = next.query([last])?;
        let Some(found) = rows.next()? else { return Ok(()) };
        let (rowid, part): (i64, u64) = (found.get(0)?, found.get(3)?);
        let row = [found.get::<_, Vec<u8>>(1)?, found.get(2)?].concat();
        let sealed: Vec<u8> = found.get(4)?;
        drop(rows);
        let place = Place {
            table,
            row: &row,
            part,
        };
        fault::hit(Point::BeforeStatement)?;
        update.execute(params![rowid, new.seal(place, &old.open(place, &sealed)?)?])?;
        last = rowid;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::COLUMNS;
    use crate::storage::migrations::MIGRATIONS;

    /// BLOB columns that are not sealed under the data key, and why.
    const NOT_SEALED: &[(&str, &str)] = &[
        ("header", "database_id"), // random and public
        ("header", "index_key"),   // sealed, but renewed by the key slots
        ("key_slot", "wrapped"),   // sealed under the app's key
    ];

    #[test]
    fn every_blob_of_the_schema_is_a_keyed_hash_or_sealed_again() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        connection.execute_batch(&MIGRATIONS.concat()).unwrap();
        let mut statement = connection
            .prepare(
                "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c
                 WHERE m.type = 'table' AND c.type = 'BLOB' AND c.name NOT LIKE '%\\_key' ESCAPE '\\'",
            )
            .unwrap();
        let blobs: BTreeSet<(String, String)> = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let known: BTreeSet<(String, String)> = COLUMNS
            .iter()
            .map(|column| (column.table, column.column))
            .chain(
                NOT_SEALED
                    .iter()
                    .copied()
                    .filter(|(_, column)| !column.ends_with("_key")),
            )
            .map(|(table, column)| (table.to_owned(), column.to_owned()))
            .collect();
        assert_eq!(blobs, known);
    }
}
