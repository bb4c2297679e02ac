//! What OpenMLS works with in one call: libcrux, and storage over the call's transaction.

use openmls_libcrux_crypto::CryptoProvider;
use openmls_traits::OpenMlsProvider;

use crate::{crypto::crypto, error::Error, storage::openmls::OpenMlsStorage};

pub(crate) struct Provider<'t> {
    crypto: &'static CryptoProvider,
    storage: OpenMlsStorage<'t>,
}

impl<'t> Provider<'t> {
    pub(crate) fn new(storage: impl Into<OpenMlsStorage<'t>>) -> Result<Self, Error> {
        Ok(Self {
            crypto: crypto()?,
            storage: storage.into(),
        })
    }
}

impl<'t> OpenMlsProvider for Provider<'t> {
    type CryptoProvider = CryptoProvider;
    type RandProvider = CryptoProvider;
    type StorageProvider = OpenMlsStorage<'t>;

    fn storage(&self) -> &Self::StorageProvider {
        &self.storage
    }

    fn crypto(&self) -> &Self::CryptoProvider {
        self.crypto
    }

    fn rand(&self) -> &Self::RandProvider {
        self.crypto
    }
}
