//! The inbox: what a user would see, kept until the app says that it has it.

use rusqlite::params;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    error::StorageError,
    header,
    seal::Place,
    tx::{ReadTx, WriteTx},
};

fn place(id: u64) -> Place<'static> {
    Place {
        table: "inbox",
        row: &[],
        part: id,
    }
}

/// Adds an entry and tells its id. Ids grow and are never used twice.
pub(crate) fn append<T: Serialize + ?Sized>(tx: &WriteTx<'_>, entry: &T) -> Result<u64, StorageError> {
    let id = header::next_generation(tx)?;
    tx.execute(
        "INSERT INTO inbox (id, value) VALUES (?1, ?2)",
        params![id, tx.seal(place(id), entry)?],
    )?;
    tx.raised_to(id);
    Ok(id)
}

/// The oldest `limit` entries, oldest first.
pub(crate) fn list<T: DeserializeOwned>(tx: &ReadTx<'_>, limit: u32) -> Result<Vec<(u64, T)>, StorageError> {
    tx.rows(
        "SELECT id, value FROM inbox ORDER BY id LIMIT ?1",
        params![limit],
        |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?)),
    )?
    .into_iter()
    .map(|(id, sealed)| Ok((id, tx.open(place(id), &sealed)?)))
    .collect()
}

/// Deletes entries; ids that are not there are not an error, so that an acknowledgement can be repeated.
pub(crate) fn delete(tx: &WriteTx<'_>, ids: &[u64]) -> Result<(), StorageError> {
    // Asked before those are gone that may have made the last one.
    let generation = header::next_generation(tx)?;
    let mut deleted = 0;
    // SQLite's integers are signed; no entry ever has an id beyond them.
    for id in ids.iter().filter_map(|id| i64::try_from(*id).ok()) {
        deleted += tx.execute("DELETE FROM inbox WHERE id = ?1", params![id])?;
    }
    if deleted > 0 {
        header::raise_to(tx, generation)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use rusqlite::Connection;

    use super::{append, delete};
    use crate::{
        secret::Secret,
        signing::Signers,
        storage::{
            header, key_slots,
            migrations::{self, MIGRATIONS},
            tx::{Savepoint, WriteTx},
        },
    };

    fn key() -> Secret<32> {
        Secret::new([7; 32])
    }

    fn database() -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        let tx = connection.transaction().unwrap();
        migrations::migrate(&tx, 0).unwrap();
        key_slots::create(&tx, &key()).unwrap();
        tx.commit().unwrap();
        connection
    }

    /// A call that does `work` and changes a row. Tells the generation and what the header holds of it.
    fn call(connection: &Connection, work: impl FnOnce(&WriteTx<'_>)) -> (u64, u64) {
        let sealer = key_slots::unlock(connection, &key()).unwrap().sealer;
        let (interrupted, signers) = (AtomicBool::new(false), Signers::default());
        let tx = WriteTx::new(connection, &sealer, &interrupted, &signers);
        work(&tx);
        header::raise(&tx).unwrap();
        let stored = connection.query_row("SELECT generation FROM header", [], |row| row.get(0));
        (header::read(connection).unwrap().generation, stored.unwrap())
    }

    #[test]
    fn an_entry_makes_the_generation_and_leaves_the_header_alone() {
        let connection = database();
        let entries = call(&connection, |tx| {
            assert_eq!(append(tx, "first").unwrap(), 2);
            assert_eq!(append(tx, "second").unwrap(), 3);
        });
        assert_eq!(entries, (3, 1));
        assert_eq!(call(&connection, |_| ()), (4, 4));
        call(&connection, |tx| assert_eq!(append(tx, "third").unwrap(), 5));
    }

    #[test]
    fn the_id_of_a_deleted_entry_never_comes_again() {
        let connection = database();
        call(&connection, |tx| assert_eq!(append(tx, "first").unwrap(), 2));
        assert_eq!(call(&connection, |tx| delete(tx, &[2, 9]).unwrap()), (3, 3));
        call(&connection, |tx| assert_eq!(append(tx, "second").unwrap(), 4));
        // One that this transaction itself has made.
        let both = call(&connection, |tx| {
            assert_eq!(append(tx, "third").unwrap(), 5);
            delete(tx, &[4, 5]).unwrap();
            assert_eq!(append(tx, "fourth").unwrap(), 7);
        });
        assert_eq!(both, (7, 6));
    }

    #[test]
    fn an_entry_that_is_undone_does_not_count() {
        let connection = database();
        connection.execute_batch("BEGIN").unwrap();
        let undone = call(&connection, |tx| {
            tx.savepoint(Savepoint::Begin).unwrap();
            append(tx, "undone").unwrap();
            tx.savepoint(Savepoint::Undo).unwrap();
        });
        assert_eq!(undone, (2, 2));
    }

    #[test]
    fn nothing_deleted_is_no_change() {
        let connection = database();
        let before = connection.total_changes();
        let sealer = key_slots::unlock(&connection, &key()).unwrap().sealer;
        let (interrupted, signers) = (AtomicBool::new(false), Signers::default());
        delete(
            &WriteTx::new(&connection, &sealer, &interrupted, &signers),
            &[1, 2],
        )
        .unwrap();
        assert_eq!(connection.total_changes(), before);
    }

    #[test]
    fn a_file_of_an_older_schema_gives_no_id_again() {
        let mut connection = Connection::open_in_memory().unwrap();
        let tx = connection.transaction().unwrap();
        let drops = |sql: &&str| sql.contains("DROP COLUMN next_inbox_id");
        let (earlier, later) = MIGRATIONS.split_at(MIGRATIONS.iter().position(drops).unwrap());
        tx.execute_batch(&earlier.concat()).unwrap();
        let old = "INSERT INTO header VALUES (1, x'00', x'00', 5, 1, 0, 20, NULL);
                   INSERT INTO inbox VALUES (19, x'00');";
        tx.execute_batch(old).unwrap();
        assert_eq!(header::generation_before_migration(&tx).unwrap(), 5);
        tx.execute_batch(&later.concat()).unwrap();
        assert_eq!(header::generation_before_migration(&tx).unwrap(), 20);
    }
}
