//! Where a call's transaction begins and ends. SQLite keeps these statements as it keeps all others of a call.

use rusqlite::Connection;

use super::error::StorageError;

/// What a transaction may do.
#[derive(Clone, Copy)]
pub(super) enum Access {
    /// One snapshot.
    Read,
    /// The lock is taken at once, so that it never has to be upgraded.
    Write,
}

/// A transaction that has begun. Dropped without `commit`, it rolls back, in a panic too.
pub(super) struct Transaction<'c>(&'c Connection);

impl<'c> Transaction<'c> {
    pub(super) fn begin(connection: &'c Connection, access: Access) -> rusqlite::Result<Self> {
        let begin = match access {
            Access::Read => "BEGIN",
            Access::Write => "BEGIN IMMEDIATE",
        };
        run(connection, begin)?;
        Ok(Self(connection))
    }

    /// If it fails, everything rolls back.
    pub(super) fn commit(self) -> Result<(), StorageError> {
        run(self.0, "COMMIT").map_err(Into::into)
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if !self.0.is_autocommit() {
            // Where it fails, the next call refuses to build on it.
            drop(run(self.0, "ROLLBACK"));
        }
    }
}

fn run(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}
