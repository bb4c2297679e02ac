//! Numbered migrations. They only grow: a released file is never edited, a change is a new file.

use rusqlite::{Connection, Transaction};

use super::error::StorageError;

/// `application_id` of the file format: the letters "MLSm".
pub(crate) const APPLICATION_ID: i32 = i32::from_be_bytes(*b"MLSm");

pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("sql/0001_initial.sql"),
    include_str!("sql/0002_receiving.sql"),
    include_str!("sql/0003_recovery.sql"),
    include_str!("sql/0004_message_secrets.sql"),
    include_str!("sql/0005_tree_parts.sql"),
    include_str!("sql/0006_inbox_generation.sql"),
];

/// The schema that this library writes.
pub(crate) const SCHEMA_VERSION: u32 = MIGRATIONS.len() as u32;

/// Reads the schema version of a file of ours; 0 for an empty file.
pub(crate) fn version(connection: &Connection) -> Result<u32, StorageError> {
    // One look at the file: another process may be creating the database between two.
    let _snapshot = connection
        .is_autocommit()
        .then(|| connection.unchecked_transaction())
        .transpose()?;
    let application_id: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let version: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let tables: u32 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    // We have none: somebody who can write to the file could have one keep what is deleted.
    let triggers: u32 = connection.query_row(
        "SELECT count(*) FROM sqlite_schema WHERE type NOT IN ('table', 'index')",
        [],
        |row| row.get(0),
    )?;
    if application_id == APPLICATION_ID && triggers > 0 {
        return Err(StorageError::Corrupt);
    }
    match (application_id, version, tables) {
        (0, 0, 0) => Ok(0),
        (APPLICATION_ID, found, _) if found > SCHEMA_VERSION => Err(StorageError::TooNew {
            found,
            supported: SCHEMA_VERSION,
        }),
        (APPLICATION_ID, found, _) if found > 0 => Ok(found),
        _ => Err(StorageError::NotOurs),
    }
}

/// Brings a file at `from` to [`SCHEMA_VERSION`] within the caller's transaction.
pub(crate) fn migrate(tx: &Transaction<'_>, from: u32) -> Result<(), StorageError> {
    migrate_to(tx, from, SCHEMA_VERSION)
}

fn migrate_to(tx: &Transaction<'_>, from: u32, to: u32) -> Result<(), StorageError> {
    for sql in MIGRATIONS.iter().take(to as usize).skip(from as usize) {
        tx.execute_batch(sql)?;
    }
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.pragma_update(None, "user_version", to)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::{MIGRATIONS, SCHEMA_VERSION, migrate_to, version};
    use crate::storage::StorageError;

    /// The schema as a reader sees it; a change of it must show in this file too.
    const SCHEMA: &str = include_str!("../../tests/fixtures/schema.txt");

    fn schema(connection: &Connection) -> String {
        connection
            .prepare("SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema ORDER BY type, name")
            .unwrap()
            .query_map([], |row| row.get::<_, String>(0))
            .unwrap()
            .map(|line| line.unwrap() + "\n")
            .collect()
    }

    fn migrated(steps: &[u32]) -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        for &step in steps {
            let from = version(&connection).unwrap();
            let tx = connection.transaction().unwrap();
            migrate_to(&tx, from, step).unwrap();
            tx.commit().unwrap();
        }
        connection
    }

    #[test]
    fn a_database_migrated_step_by_step_equals_a_fresh_one() {
        let fresh = migrated(&[SCHEMA_VERSION]);
        let steps: Vec<u32> = (1..=SCHEMA_VERSION).collect();
        assert_eq!(schema(&migrated(&steps)), schema(&fresh));
        assert_eq!(version(&fresh).unwrap(), MIGRATIONS.len() as u32);
    }

    #[test]
    fn the_schema_is_the_recorded_one() {
        assert_eq!(schema(&migrated(&[SCHEMA_VERSION])), SCHEMA);
    }

    #[test]
    fn a_newer_schema_and_a_foreign_file_are_refused() {
        let newer = migrated(&[SCHEMA_VERSION]);
        newer.pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(
            version(&newer),
            Err(StorageError::TooNew {
                found: 99,
                supported: SCHEMA_VERSION
            })
        ));
        let foreign = Connection::open_in_memory().unwrap();
        foreign.execute_batch("CREATE TABLE t (x)").unwrap();
        assert!(matches!(version(&foreign), Err(StorageError::NotOurs)));
    }
}
