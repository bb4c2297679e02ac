//! Key packages that were made elsewhere, with their private keys: only the official test vectors have such.

use openmls::prelude::{
    HpkePrivateKey, KeyPackageBundle, KeyPackageIn, KeyPackageVerifyError, ProtocolVersion,
};
use openmls_traits::{OpenMlsProvider, storage::StorageProvider as _};
use serde::Serialize;
use tls_codec::Serialize as _;

use super::key_package;
use crate::{
    error::{Error, KeyPackageError},
    provider::Provider,
    secret::Secret,
    storage::{
        Call, StorageError, WriteTx, codec,
        identities::{self, IdentityRecord, PrivateKey},
        key_packages::KeyPackageRecord,
    },
};

/// The private halves of a key package's three keys.
pub(crate) struct PrivateKeys {
    pub(crate) init: Secret<32>,
    pub(crate) encryption: Secret<32>,
    pub(crate) signature: Secret<32>,
}

/// Stores a key package and its identity in the rows that `create` writes. What RFC 9420, section 10.1, asks is checked,
/// but that its lifetime has ended: vectors are old. A private key that is not the public one's shows when it is used.
pub(crate) fn import(
    call: &mut Call<'_, WriteTx<'_>>,
    key_package: &[u8],
    private: &PrivateKeys,
) -> Result<KeyPackageRecord, Error> {
    let provider = Provider::new(&call.tx)?;
    let unchecked = key_package::parse(key_package)?;
    key_package::check_ciphersuite(&unchecked)?;
    let bundle = bundle(&unchecked, private)?;
    check(unchecked, &provider)?;
    let leaf_node = bundle.key_package().leaf_node();
    let identity = IdentityRecord {
        credential: leaf_node.credential().tls_serialize_detached()?,
        ciphersuite: bundle.key_package().ciphersuite().into(),
        signature_key: leaf_node.signature_key().as_slice().to_vec(),
        private_key: Some(PrivateKey(private.signature.expose().to_vec())),
    };
    identities::insert(&call.tx, &identity)?;
    let reference = bundle.key_package().hash_ref(provider.crypto())?;
    provider.storage().write_key_package(&reference, &bundle)?;
    key_package::describe(&call.tx, &provider, bundle.into_key_package())
}

/// OpenMLS looks at the lifetime last: all else holds where only that is wrong.
fn check(key_package: KeyPackageIn, provider: &Provider<'_>) -> Result<(), Error> {
    match key_package.validate(provider.crypto(), ProtocolVersion::Mls10) {
        Ok(_) | Err(KeyPackageVerifyError::LifetimeError(_)) => Ok(()),
        Err(error) => Err(KeyPackageError::from(error).into()),
    }
}

/// OpenMLS makes such a bundle of no foreign keys, but reads one from storage: these are its fields.
#[derive(Serialize)]
struct StoredBundle<'k> {
    key_package: &'k KeyPackageIn,
    private_init_key: HpkePrivateKey,
    private_encryption_key: StoredEncryptionKey,
}

#[derive(Serialize)]
struct StoredEncryptionKey {
    key: HpkePrivateKey,
}

fn bundle(key_package: &KeyPackageIn, private: &PrivateKeys) -> Result<KeyPackageBundle, StorageError> {
    let stored = StoredBundle {
        key_package,
        private_init_key: private.init.expose().as_slice().into(),
        private_encryption_key: StoredEncryptionKey {
            key: private.encryption.expose().as_slice().into(),
        },
    };
    codec::decode(&codec::encode(&stored)?)
}
