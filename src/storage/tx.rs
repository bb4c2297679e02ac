//! Transactions: the only way to a statement. A reader takes [`ReadTx`], a writer [`WriteTx`].

use std::{cell::RefCell, ops::Deref};

use rusqlite::{Connection, Params, Row};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    codec,
    error::StorageError,
    fault::{self, Point},
    openmls::OpenMlsStorage,
    seal::{Index, Place, Sealer},
};

/// What both kinds of transaction can do: read, and be OpenMLS's storage.
pub(crate) trait Transaction {
    fn read(&self) -> &ReadTx<'_>;
    fn storage(&self) -> OpenMlsStorage<'_>;
}

impl Transaction for ReadTx<'_> {
    fn read(&self) -> &ReadTx<'_> {
        self
    }

    fn storage(&self) -> OpenMlsStorage<'_> {
        self.into()
    }
}

impl Transaction for WriteTx<'_> {
    fn read(&self) -> &ReadTx<'_> {
        self
    }

    fn storage(&self) -> OpenMlsStorage<'_> {
        self.into()
    }
}

/// A transaction that reads. Remembers the first failure, because OpenMLS replaces some by a bare `LibraryError`.
pub(crate) struct ReadTx<'c> {
    connection: &'c Connection,
    sealer: &'c Sealer,
    failure: RefCell<Option<StorageError>>,
}

impl<'c> ReadTx<'c> {
    pub(crate) fn new(connection: &'c Connection, sealer: &'c Sealer) -> Self {
        Self {
            connection,
            sealer,
            failure: RefCell::new(None),
        }
    }

    /// The row that `sql` selects, if there is one.
    pub(crate) fn row<T>(
        &self,
        sql: &str,
        params: impl Params,
        map: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StorageError> {
        statement(|| {
            let mut statement = self.connection.prepare_cached(sql)?;
            let mut rows = statement.query(params)?;
            rows.next()?.map(map).transpose()
        })
    }

    /// All rows that `sql` selects, in its order.
    pub(crate) fn rows<T>(
        &self,
        sql: &str,
        params: impl Params,
        map: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StorageError> {
        statement(|| {
            self.connection
                .prepare_cached(sql)?
                .query_map(params, map)?
                .collect()
        })
    }

    pub(crate) fn index(&self, domain: &'static str, name: &[u8]) -> Result<Index, StorageError> {
        self.sealer.index(domain, name)
    }

    /// Opens and decodes a sealed column.
    pub(crate) fn open<T: DeserializeOwned>(
        &self,
        place: Place<'_>,
        sealed: &[u8],
    ) -> Result<T, StorageError> {
        codec::decode(&self.sealer.open(place, sealed)?)
    }

    /// Keeps the first failure of the transaction and hands OpenMLS a sign that there was one.
    pub(crate) fn keep(&self, error: StorageError) -> KeptFailure {
        self.failure.borrow_mut().get_or_insert(error);
        KeptFailure
    }

    pub(crate) fn take_failure(&self) -> Option<StorageError> {
        self.failure.take()
    }
}

/// A transaction that also writes: `BEGIN IMMEDIATE`, so that it never has to upgrade a lock.
pub(crate) struct WriteTx<'c>(ReadTx<'c>);

impl<'c> WriteTx<'c> {
    pub(crate) fn new(connection: &'c Connection, sealer: &'c Sealer) -> Self {
        Self(ReadTx::new(connection, sealer))
    }

    /// Runs `sql` and tells how many rows it changed.
    pub(crate) fn execute(&self, sql: &str, params: impl Params) -> Result<usize, StorageError> {
        statement(|| self.0.connection.prepare_cached(sql)?.execute(params))
    }

    /// Encodes and seals a value for a column.
    pub(crate) fn seal<T: Serialize + ?Sized>(
        &self,
        place: Place<'_>,
        value: &T,
    ) -> Result<Vec<u8>, StorageError> {
        self.0.sealer.seal(place, &codec::encode(value)?)
    }
}

impl<'c> Deref for WriteTx<'c> {
    type Target = ReadTx<'c>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

fn statement<T>(run: impl FnOnce() -> rusqlite::Result<T>) -> Result<T, StorageError> {
    fault::hit(Point::BeforeStatement)?;
    let value = run()?;
    fault::hit(Point::AfterStatement)?;
    Ok(value)
}

/// What OpenMLS sees of a storage failure; the failure itself stays in the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("storage failed")]
pub(crate) struct KeptFailure;
