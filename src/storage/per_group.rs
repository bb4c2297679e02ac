//! Values that a group has at most once, each kind in a table of its own.

use ::openmls::group::GroupId;
use rusqlite::params;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    error::StorageError,
    openmls::group_key,
    seal::{Index, Place},
    tx::{ReadTx, WriteTx},
};

/// A table with one row a group.
#[derive(Clone, Copy)]
pub(crate) enum PerGroup {
    /// The own Commit that waits for the delivery service's answer.
    Pending,
    /// The received Commit that waits for the app's decision.
    Staged,
    /// What the own Commit changed whose echo began the current epoch.
    Merged,
    /// The own external Commit that waits for the delivery service's answer.
    ExternalJoin,
    /// What a recovery archive says of a group that was not rejoined yet.
    ToRejoin,
}

impl PerGroup {
    fn table(self) -> &'static str {
        match self {
            Self::Pending => "pending_commit",
            Self::Staged => "staged_commit",
            Self::Merged => "merged_commit",
            Self::ExternalJoin => "external_join",
            Self::ToRejoin => "group_to_rejoin",
        }
    }

    pub(super) fn place(self, group: &Index) -> Place<'_> {
        Place {
            table: self.table(),
            row: group,
            part: 0,
        }
    }

    pub(crate) fn put<T: Serialize>(
        self,
        tx: &WriteTx<'_>,
        id: &GroupId,
        value: &T,
    ) -> Result<(), StorageError> {
        let key = group_key(tx, id)?;
        let sql = format!(
            "INSERT INTO {} (group_key, value) VALUES (?1, ?2)
             ON CONFLICT (group_key) DO UPDATE SET value = excluded.value",
            self.table()
        );
        tx.execute(&sql, params![key, tx.seal(self.place(&key), value)?])
            .map(drop)
    }

    pub(crate) fn get<T: DeserializeOwned>(
        self,
        tx: &ReadTx<'_>,
        id: &GroupId,
    ) -> Result<Option<T>, StorageError> {
        let key = group_key(tx, id)?;
        let sql = format!("SELECT value FROM {} WHERE group_key = ?1", self.table());
        tx.row(&sql, params![key], |row| row.get::<_, Vec<u8>>(0))?
            .map(|sealed| tx.open(self.place(&key), &sealed))
            .transpose()
    }

    /// Whether the group has one, without opening it.
    pub(crate) fn exists(self, tx: &ReadTx<'_>, id: &GroupId) -> Result<bool, StorageError> {
        let key = group_key(tx, id)?;
        let sql = format!("SELECT 1 FROM {} WHERE group_key = ?1", self.table());
        Ok(tx.row(&sql, params![key], |_| Ok(()))?.is_some())
    }

    /// The values of all groups.
    pub(crate) fn all<T: DeserializeOwned>(self, tx: &ReadTx<'_>) -> Result<Vec<T>, StorageError> {
        let sql = format!("SELECT group_key, value FROM {}", self.table());
        tx.rows(&sql, [], |row| {
            Ok((row.get::<_, Index>(0)?, row.get::<_, Vec<u8>>(1)?))
        })?
        .iter()
        .map(|(key, sealed)| tx.open(self.place(key), sealed))
        .collect()
    }

    /// Whether there was one.
    pub(crate) fn delete(self, tx: &WriteTx<'_>, id: &GroupId) -> Result<bool, StorageError> {
        let key = group_key(tx, id)?;
        let sql = format!("DELETE FROM {} WHERE group_key = ?1", self.table());
        Ok(tx.execute(&sql, params![key])? > 0)
    }
}
