//! Deleted is gone: when and how old bytes leave the files.
//!
//! `secure_delete` zeroes what a page no longer holds, but the write-ahead log keeps older versions of the page until
//! it is truncated. That costs fsyncs, so it is done at erasure points: where a call says so, and at the latest after
//! a number of calls that did not, or when the log is large. SQLite's automatic checkpoint is off.

use rusqlite::Connection;

use super::log_pages::LogPages;

/// Changes without an erasure point after which there is one: a stolen file shows at most this many deleted steps.
const LATEST: u32 = 64;

pub(crate) struct Erasure {
    changes: u32,
    pending: bool,
}

impl Erasure {
    /// Erases what an earlier process that was killed may have left in the log.
    pub(super) fn after_open(connection: &Connection) -> Self {
        let mut erasure = Self {
            changes: 0,
            pending: false,
        };
        erasure.erase(connection);
        erasure
    }

    /// Whether anything was changed since the last erasure.
    pub(super) fn is_due(&self) -> bool {
        self.pending || self.changes > 0
    }

    /// Whether an erasure is due that another process's reading or writing has held up.
    pub(crate) fn is_pending(&self) -> bool {
        self.pending
    }

    /// `changed` tells whether the call changed anything, and if so whether it is an erasure point.
    pub(super) fn after_commit(&mut self, connection: &Connection, log: &LogPages, changed: Option<bool>) {
        let Some(erases) = changed else { return };
        self.changes += 1;
        if erases || self.pending || self.changes >= LATEST || log.are_many() {
            self.erase(connection);
        }
    }

    /// Truncates the log now. The call has committed already, so a failure is not its failure: it stays pending.
    pub(super) fn erase(&mut self, connection: &Connection) {
        // Without patience for locks: another process's reader would hold up this call for nothing.
        let busy = connection
            .prepare_cached("PRAGMA wal_checkpoint(TRUNCATE)")
            .and_then(|mut statement| statement.query_row([], |row| row.get::<_, i64>(0)));
        self.pending = !matches!(busy, Ok(0));
        if !self.pending {
            self.changes = 0;
        }
    }
}
