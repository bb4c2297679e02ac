//! OpenMLS's `StorageProvider` over a transaction: no statement of OpenMLS runs outside the call's transaction.
//!
//! One file for each kind of entity; [`provider`] ties them to the trait.

mod group_state;
mod key_packages;
mod key_pairs;
pub(crate) mod leaf_nodes;
mod message_secrets;
mod proposals;
mod provider;
pub(crate) mod psks;
mod tree;

use openmls_traits::storage::{CURRENT_VERSION, Key};

use super::{
    codec,
    error::StorageError,
    seal::Index,
    tx::{KeptFailure, ReadTx, WriteTx},
};

/// The storage of one call. A read transaction has no `write`, and OpenMLS's writes fail in it.
#[derive(Clone, Copy)]
pub(crate) struct OpenMlsStorage<'t> {
    read: &'t ReadTx<'t>,
    write: Option<&'t WriteTx<'t>>,
    /// Whether a group's configuration is for memory only (`group/send.rs`).
    forgets_configuration: bool,
}

impl<'t> From<&'t ReadTx<'t>> for OpenMlsStorage<'t> {
    fn from(tx: &'t ReadTx<'t>) -> Self {
        Self {
            read: tx,
            write: None,
            forgets_configuration: false,
        }
    }
}

impl<'t> From<&'t WriteTx<'t>> for OpenMlsStorage<'t> {
    fn from(tx: &'t WriteTx<'t>) -> Self {
        Self {
            read: tx,
            write: Some(tx),
            forgets_configuration: false,
        }
    }
}

/// What both kinds of transaction can do: read, and be OpenMLS's storage.
pub(crate) trait Transaction {
    fn read(&self) -> &ReadTx<'_>;
    fn storage(&self) -> OpenMlsStorage<'_>;
    /// Whether message secrets were held back since this was last asked (`group/deferred.rs`).
    fn take_deferred(&self) -> bool;
}

impl Transaction for ReadTx<'_> {
    fn read(&self) -> &ReadTx<'_> {
        self
    }

    fn storage(&self) -> OpenMlsStorage<'_> {
        self.into()
    }

    fn take_deferred(&self) -> bool {
        false
    }
}

impl Transaction for WriteTx<'_> {
    fn read(&self) -> &ReadTx<'_> {
        self
    }

    fn storage(&self) -> OpenMlsStorage<'_> {
        self.into()
    }

    fn take_deferred(&self) -> bool {
        self.take_deferred_message_secrets()
    }
}

impl<'t> OpenMlsStorage<'t> {
    /// The same, but a group's configuration is not written.
    pub(crate) fn forgetting_configuration(self) -> Self {
        Self {
            forgets_configuration: true,
            ..self
        }
    }

    fn reading<T>(&self, run: impl FnOnce(&ReadTx<'t>) -> Result<T, StorageError>) -> Result<T, KeptFailure> {
        run(self.read).map_err(|error| self.read.keep(error))
    }

    fn writing<T>(
        &self,
        run: impl FnOnce(&WriteTx<'t>) -> Result<T, StorageError>,
    ) -> Result<T, KeptFailure> {
        self.write
            .ok_or(StorageError::WriteInRead)
            .and_then(run)
            .map_err(|error| self.read.keep(error))
    }
}

/// The keyed hash of one of OpenMLS's keys, which storage only knows in their serialised form.
fn index(
    tx: &ReadTx<'_>,
    domain: &'static str,
    key: &impl Key<CURRENT_VERSION>,
) -> Result<Index, StorageError> {
    tx.index(domain, &codec::encode(key)?)
}

/// The keyed hash of a group id: what the tables call `group_key`.
pub(crate) fn group_key(tx: &ReadTx<'_>, id: &impl Key<CURRENT_VERSION>) -> Result<Index, StorageError> {
    index(tx, "group", id)
}

/// Whether this PSK is registered; what it is stays sealed.
pub(crate) fn has_psk(tx: &ReadTx<'_>, id: &impl Key<CURRENT_VERSION>) -> Result<bool, StorageError> {
    psks::exists(tx, &index(tx, "psk", id)?)
}

/// The keyed hash of a key package reference: what the tables call `reference_key`.
pub(crate) fn key_package_key(
    tx: &ReadTx<'_>,
    reference: &impl Key<CURRENT_VERSION>,
) -> Result<Index, StorageError> {
    index(tx, "key package", reference)
}
