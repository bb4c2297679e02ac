//! Transactions: the only way to a statement. A reader takes [`ReadTx`], a writer [`WriteTx`].

use std::{
    cell::{Cell, RefCell},
    ops::Deref,
    sync::atomic::{AtomicBool, Ordering},
};

use rusqlite::{Connection, Params, Row};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    codec,
    error::StorageError,
    fault::{self, Point},
    seal::{Index, Place, Sealer},
    secret_parts::{Epochs, HeldSecrets, Touched},
    tree_parts::StoredTree,
};
use crate::{
    error::Error,
    secret::SecretBytes,
    signing::{FirstFailure, Signers},
};

/// A transaction that reads. Remembers the first failure, because OpenMLS replaces some by a bare `LibraryError`.
pub(crate) struct ReadTx<'c> {
    connection: &'c Connection,
    sealer: &'c Sealer,
    /// Set by a suspension whose deadline has passed.
    interrupted: &'c AtomicBool,
    failure: RefCell<Option<StorageError>>,
    /// How the group in hand stands to the rows of its message secrets.
    secrets: RefCell<HeldSecrets>,
    /// What the rows hold of its ratchet tree, if that is known.
    tree: RefCell<Option<StoredTree>>,
    /// The epochs whose message secrets are read when a group is loaded.
    loads: Cell<Epochs>,
    /// The app's signers, and the first failure of one, which OpenMLS replaces too.
    signers: &'c Signers,
    signing_failure: FirstFailure,
}

impl<'c> ReadTx<'c> {
    pub(crate) fn new(
        connection: &'c Connection,
        sealer: &'c Sealer,
        interrupted: &'c AtomicBool,
        signers: &'c Signers,
    ) -> Self {
        Self {
            connection,
            sealer,
            interrupted,
            failure: RefCell::new(None),
            secrets: RefCell::default(),
            tree: RefCell::default(),
            loads: Cell::default(),
            signers,
            signing_failure: FirstFailure::default(),
        }
    }

    pub(crate) fn signers(&self) -> &Signers {
        self.signers
    }

    pub(crate) fn signing_failure(&self) -> &FirstFailure {
        &self.signing_failure
    }

    /// Tells how a group stands to the rows of its message secrets. Without it they are all written again.
    pub(crate) fn lend_secrets(&self, secrets: HeldSecrets) {
        self.secrets.replace(secrets);
    }

    /// Takes back what was lent, as it is now.
    pub(crate) fn take_secrets(&self) -> HeldSecrets {
        self.secrets.take()
    }

    /// As [`Self::lend_secrets`], of its ratchet tree. What is not known is written again.
    pub(crate) fn lend_tree(&self, tree: Option<StoredTree>) {
        self.tree.replace(tree);
    }

    /// Takes back what was lent, as the rows are now.
    pub(crate) fn take_tree(&self) -> Option<StoredTree> {
        self.tree.take()
    }

    pub(super) fn secrets(&self) -> &RefCell<HeldSecrets> {
        &self.secrets
    }

    /// Rows may have changed behind the back of what is lent.
    pub(super) fn forget_rows(&self) {
        self.forget_secret_rows();
        self.lend_tree(None);
    }

    pub(super) fn forget_secret_rows(&self) {
        self.secrets.borrow_mut().rows = None;
    }

    /// Runs `load`, which may leave the message secrets of all but these epochs on disk.
    pub(crate) fn loading<T>(&self, epochs: Epochs, load: impl FnOnce() -> T) -> T {
        self.loads.set(epochs);
        let result = load();
        self.loads.set(Epochs::All);
        result
    }

    pub(super) fn loads(&self) -> Epochs {
        self.loads.get()
    }

    pub(super) fn check_interrupted(&self) -> Result<(), StorageError> {
        check_interrupted(self.interrupted)
    }

    fn statement<T>(&self, run: impl FnOnce() -> rusqlite::Result<T>) -> Result<T, StorageError> {
        self.check_interrupted()?;
        fault::hit(Point::BeforeStatement)?;
        let value = run()?;
        fault::hit(Point::AfterStatement)?;
        Ok(value)
    }

    /// The row that `sql` selects, if there is one.
    pub(crate) fn row<T>(
        &self,
        sql: &str,
        params: impl Params,
        map: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StorageError> {
        self.statement(|| {
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
        self.statement(|| {
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

    /// Opens a sealed column that holds plain bytes.
    pub(crate) fn open_bytes(&self, place: Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, StorageError> {
        self.sealer
            .open(place, sealed)
            .map(|mut bytes| std::mem::take(&mut *bytes))
    }

    /// Opens a sealed column and leaves it encoded, on its way into another seal.
    pub(crate) fn open_secret(&self, place: Place<'_>, sealed: &[u8]) -> Result<SecretBytes, StorageError> {
        self.sealer.open(place, sealed)
    }

    /// Keeps the first failure of the transaction and hands OpenMLS a sign that there was one.
    pub(crate) fn keep(&self, error: StorageError) -> KeptFailure {
        self.failure.borrow_mut().get_or_insert(error);
        KeptFailure
    }

    /// What truly failed, whatever OpenMLS made of it. Storage comes first: after its failure nothing can go on.
    pub(crate) fn take_failure(&self) -> Option<Error> {
        let signing = self.signing_failure.take();
        self.failure
            .take()
            .map(Into::into)
            .or_else(|| signing.map(Into::into))
    }
}

/// A transaction that also writes: `BEGIN IMMEDIATE`, so that it never has to upgrade a lock.
pub(crate) struct WriteTx<'c> {
    read: ReadTx<'c>,
    /// Whether keys or plaintexts were deleted that must leave the files now.
    erases: Cell<bool>,
    /// Whether message secrets are held back, and whether some were (`group/deferred.rs`).
    defers_message_secrets: Cell<bool>,
    deferred_message_secrets: Cell<bool>,
    /// The epoch whose message secrets alone can have changed, if that is known.
    touched: Cell<Option<Touched>>,
    /// The file's generation, if this transaction has raised it (`header.rs`).
    raised: Cell<Option<u64>>,
}

impl<'c> WriteTx<'c> {
    pub(crate) fn new(
        connection: &'c Connection,
        sealer: &'c Sealer,
        interrupted: &'c AtomicBool,
        signers: &'c Signers,
    ) -> Self {
        Self {
            read: ReadTx::new(connection, sealer, interrupted, signers),
            erases: Cell::new(false),
            defers_message_secrets: Cell::new(false),
            deferred_message_secrets: Cell::new(false),
            touched: Cell::new(None),
            raised: Cell::new(None),
        }
    }

    pub(super) fn raised(&self) -> Option<u64> {
        self.raised.get()
    }

    pub(super) fn raised_to(&self, generation: u64) {
        self.raised.set(Some(generation));
    }

    /// Makes the commit an erasure point: afterwards what this call deleted is in none of the files.
    pub(crate) fn erase(&self) {
        self.erases.set(true);
    }

    pub(super) fn erases(&self) -> bool {
        self.erases.get()
    }

    /// From here on OpenMLS's message secrets are held back, or written again.
    pub(crate) fn defer_message_secrets(&self, defer: bool) {
        self.defers_message_secrets.set(defer);
    }

    pub(crate) fn is_deferring(&self) -> bool {
        self.defers_message_secrets.get()
    }

    /// Asked by storage before it writes message secrets: true if it must not.
    pub(super) fn defers_message_secrets(&self) -> bool {
        let defers = self.defers_message_secrets.get();
        if defers {
            self.deferred_message_secrets.set(true);
        }
        defers
    }

    /// Whether message secrets were held back since this was last asked.
    pub(super) fn take_deferred_message_secrets(&self) -> bool {
        self.deferred_message_secrets.take()
    }

    /// Runs `work`, which changes message secrets of one epoch only: the others are not looked at.
    pub(crate) fn touching<T>(&self, epoch: Touched, work: impl FnOnce() -> T) -> T {
        self.touched.set(Some(epoch));
        let result = work();
        self.touched.set(None);
        result
    }

    pub(super) fn touched(&self) -> Option<Touched> {
        self.touched.get()
    }

    /// Begins, keeps or undoes what is kept or undone as one. Savepoints nest.
    pub(super) fn savepoint(&self, step: Savepoint) -> Result<(), StorageError> {
        if matches!(step, Savepoint::Undo) {
            self.forget_rows();
            // What raised it may be undone.
            self.raised.set(None);
        }
        let statements: &[&str] = match step {
            Savepoint::Begin => &["SAVEPOINT step"],
            Savepoint::Keep => &["RELEASE step"],
            Savepoint::Undo => &["ROLLBACK TO step", "RELEASE step"],
        };
        statements
            .iter()
            .try_for_each(|sql| self.execute(sql, []).map(drop))
    }

    /// Runs `sql` and tells how many rows it changed.
    pub(crate) fn execute(&self, sql: &str, params: impl Params) -> Result<usize, StorageError> {
        self.statement(|| self.read.connection.prepare_cached(sql)?.execute(params))
    }

    /// Seals plain bytes for a column.
    pub(crate) fn seal_bytes(&self, place: Place<'_>, bytes: &[u8]) -> Result<Vec<u8>, StorageError> {
        self.read.sealer.seal(place, bytes)
    }

    /// Encodes and seals a value for a column.
    pub(crate) fn seal<T: Serialize + ?Sized>(
        &self,
        place: Place<'_>,
        value: &T,
    ) -> Result<Vec<u8>, StorageError> {
        self.read.sealer.seal(place, &codec::encode(value)?)
    }
}

impl<'c> Deref for WriteTx<'c> {
    type Target = ReadTx<'c>;

    fn deref(&self) -> &Self::Target {
        &self.read
    }
}

/// A step of a savepoint.
#[derive(Clone, Copy)]
pub(super) enum Savepoint {
    Begin,
    Keep,
    Undo,
}

/// Refuses to go on after the deadline of a suspension.
pub(super) fn check_interrupted(interrupted: &AtomicBool) -> Result<(), StorageError> {
    if interrupted.load(Ordering::Acquire) {
        Err(StorageError::Interrupted)
    } else {
        Ok(())
    }
}

/// What OpenMLS sees of a storage failure; the failure itself stays in the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("storage failed")]
pub(crate) struct KeptFailure;
