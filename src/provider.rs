//! What OpenMLS works with in one call: libcrux, and storage over the call's transaction.

use std::sync::Arc;

use openmls_libcrux_crypto::CryptoProvider;
use openmls_traits::OpenMlsProvider;

use crate::{
    crypto::crypto, error::Error, provider_crypto::Crypto, storage::openmls::OpenMlsStorage,
    tree_hashes::TreeHashes, verification::Verified,
};

pub(crate) struct Provider<'t> {
    crypto: Crypto<Verified>,
    rand: &'static CryptoProvider,
    storage: OpenMlsStorage<'t>,
}

impl<'t> Provider<'t> {
    pub(crate) fn new(storage: impl Into<OpenMlsStorage<'t>>) -> Result<Self, Error> {
        Self::knowing(storage, Verified::default())
    }

    /// The same for a group whose nodes were hashed before.
    pub(crate) fn of_group(
        storage: impl Into<OpenMlsStorage<'t>>,
        tree_hashes: Arc<TreeHashes>,
    ) -> Result<Self, Error> {
        Self::with(storage, Crypto::new(Verified::default(), tree_hashes)?)
    }

    /// The same, for who has verified signatures ahead.
    pub(crate) fn knowing(storage: impl Into<OpenMlsStorage<'t>>, verified: Verified) -> Result<Self, Error> {
        Self::with(storage, Crypto::new(verified, Arc::default())?)
    }

    fn with(storage: impl Into<OpenMlsStorage<'t>>, crypto_of_call: Crypto<Verified>) -> Result<Self, Error> {
        Ok(Self {
            crypto: crypto_of_call,
            rand: crypto()?,
            storage: storage.into(),
        })
    }
}

impl<'t> OpenMlsProvider for Provider<'t> {
    type CryptoProvider = Crypto<Verified>;
    type RandProvider = CryptoProvider;
    type StorageProvider = OpenMlsStorage<'t>;

    fn storage(&self) -> &Self::StorageProvider {
        &self.storage
    }

    fn crypto(&self) -> &Self::CryptoProvider {
        &self.crypto
    }

    fn rand(&self) -> &Self::RandProvider {
        self.rand
    }
}
