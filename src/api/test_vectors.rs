//! What the official test vectors need and no app may have; not exported through uniffi. Only with "test-vectors".

use tls_codec::Serialize as _;

use super::{KeyPackage, MlsClient, MlsError, call, client::secret};
use crate::{
    keys::import::{self, PrivateKeys},
    message,
};

impl MlsClient {
    /// Stores a key package that was made elsewhere, with its identity and private keys, as if it had been made here. Its
    /// lifetime may have ended.
    ///
    /// Errors: `KeyPackageInvalid`, `MessageMalformed`, `UnsupportedCiphersuite`, `InvalidArgument` (a key that is not
    /// 32 bytes).
    pub fn import_key_package(
        &self,
        key_package: &[u8],
        init_key: Vec<u8>,
        encryption_key: Vec<u8>,
        signature_key: Vec<u8>,
    ) -> Result<KeyPackage, MlsError> {
        let record = call(&self.core, "import_key_package", || {
            let private = PrivateKeys {
                init: secret("init_key", init_key)?,
                encryption: secret("encryption_key", encryption_key)?,
                signature: secret("signature_key", signature_key)?,
            };
            self.core
                .store
                .write(|call| import::import(call, key_package, &private))
        })?;
        Ok(record.into())
    }
}

/// Decodes an MLSMessage as every call does, and encodes what that made of it.
pub fn decode_and_encode(message: &[u8]) -> Result<Vec<u8>, MlsError> {
    let encode = || Ok(message::parse(message)?.tls_serialize_detached()?);
    encode().map_err(|error: crate::error::Error| error.into())
}
