//! How long the write-ahead log is. SQLite checkpoints after 1000 pages by itself, in whichever call that is; here a long
//! log is an erasure point, which also truncates it.

use std::sync::{
    Arc,
    atomic::{AtomicI32, Ordering},
};

use rusqlite::Connection;

use super::error::StorageError;

/// 4 MB, as much as SQLite allows with pages of 4 KB.
const MANY: i32 = 2000;

/// The pages in the log, whoever wrote them, after the last commit of a connection.
pub(crate) struct LogPages(Arc<AtomicI32>);

impl LogPages {
    /// SQLite tells this to one listener only. Its automatic checkpoint is another, and ends with this.
    pub(super) fn of(connection: &mut Connection) -> Result<Self, StorageError> {
        let pages = Arc::new(AtomicI32::new(0));
        let told = Arc::clone(&pages);
        connection.wal_hook(Some(move |_: &mut _, pages| {
            told.store(pages, Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(Self(pages))
    }

    pub(super) fn are_many(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= MANY
    }
}
