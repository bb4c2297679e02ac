//! Signing with an identity's key.

use openmls_traits::{
    crypto::OpenMlsCrypto,
    signatures::{Signer, SignerError},
    types::SignatureScheme,
};

use crate::{crypto::crypto, secret::Secret};

/// An Ed25519 key that the library holds: the signature scheme of every suite that libcrux has.
#[derive(Debug)]
pub(crate) struct Ed25519Signer(Secret<32>);

impl Ed25519Signer {
    pub(crate) fn new(private_key: Secret<32>) -> Self {
        Self(private_key)
    }
}

impl Signer for Ed25519Signer {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        crypto()
            .and_then(|crypto| crypto.sign(SignatureScheme::ED25519, payload, self.0.expose()))
            .map_err(SignerError::CryptoError)
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}
