//! The one libcrux provider of this process: stateless but for its random generator.

use once_cell::sync::OnceCell;
use openmls_libcrux_crypto::CryptoProvider;
use openmls_traits::{random::OpenMlsRand, types::CryptoError};

static CRYPTO: OnceCell<CryptoProvider> = OnceCell::new();

/// Fails only while the operating system has no randomness to seed it; the next call tries again.
pub(crate) fn crypto() -> Result<&'static CryptoProvider, CryptoError> {
    CRYPTO.get_or_try_init(CryptoProvider::new)
}

pub(crate) fn random_array<const N: usize>() -> Result<[u8; N], CryptoError> {
    crypto()?
        .random_array()
        .map_err(|_| CryptoError::InsufficientRandomness)
}
