//! Key packages of a client.

use super::{
    Core, IdentityId, KeyPackage, KeyPackageInfo, KeyPackageOptions, KeyPackageRef, MlsClient, MlsError, call,
};
use crate::{
    crypto::crypto,
    keys::{key_package, leaf_node::LeafNodeView},
    storage::key_packages,
};

#[uniffi::export]
impl MlsClient {
    /// Makes `count` key packages, at most 1000 (RFC 9420, section 10).
    ///
    /// Stored: each with its private keys, until it is used, deleted or expired. Send each one's `bytes` to the
    /// delivery service, which gives each to one inviter only.
    /// Errors: `IdentityNotFound`, `InvalidArgument` (`count`, `lifetime_seconds`, or a field of `LeafNodeOptions`).
    #[uniffi::method(default(options = None))]
    pub fn create_key_packages(
        &self,
        identity: IdentityId,
        count: u32,
        options: Option<KeyPackageOptions>,
    ) -> Result<Vec<KeyPackage>, MlsError> {
        call(&self.core, "create_key_packages", || {
            let Core { store, context } = &*self.core;
            let options = options.unwrap_or_default().resolve(context);
            let records = store
                .write(|call| key_package::create(call, &context.lifetimes, &identity.0, count, &options))?;
            Ok(records.into_iter().map(Into::into).collect())
        })
    }

    /// Makes as many key packages as are missing to have `target` unexpired ones, those of last resort not counted,
    /// and returns the new ones. Errors: as `create_key_packages`.
    #[uniffi::method(default(options = None))]
    pub fn replenish_key_packages(
        &self,
        identity: IdentityId,
        target: u32,
        options: Option<KeyPackageOptions>,
    ) -> Result<Vec<KeyPackage>, MlsError> {
        call(&self.core, "replenish_key_packages", || {
            let Core { store, context } = &*self.core;
            let options = options.unwrap_or_default().resolve(context);
            let records = store.write(|call| {
                key_package::replenish(call, &context.lifetimes, &identity.0, target, &options)
            })?;
            Ok(records.into_iter().map(Into::into).collect())
        })
    }

    /// All key packages of this device, oldest first, expired ones included.
    pub fn key_packages(&self) -> Result<Vec<KeyPackage>, MlsError> {
        call(&self.core, "key_packages", || {
            let records = self
                .core
                .store
                .read(|call| key_packages::list(&call.tx).map_err(Into::into))?;
            Ok(records.into_iter().map(Into::into).collect())
        })
    }

    /// Deletes a key package with its private keys; a Welcome for it can no longer be read.
    /// Errors: `KeyPackageNotFound`.
    pub fn delete_key_package(&self, reference: KeyPackageRef) -> Result<(), MlsError> {
        call(&self.core, "delete_key_package", || {
            let reference = reference.into_mls()?;
            self.core
                .store
                .write(|call| key_package::delete(call, &reference))
        })
    }

    /// Deletes what nobody may use any more, and tells how many that were.
    pub fn delete_expired_key_packages(&self) -> Result<u64, MlsError> {
        call(&self.core, "delete_expired_key_packages", || {
            self.core.store.write(key_package::delete_expired)
        })
    }

    /// Checks a key package from elsewhere: signatures, the rules of RFC 9420, section 10.1, a lifetime that covers
    /// the present and is not longer than the client's `maximum_lifetime_seconds`, and a suite that this library computes.
    /// Nothing is stored.
    ///
    /// Errors: `KeyPackageInvalid`, `MessageMalformed`, `UnsupportedCiphersuite`, `InvalidArgument` (over 256 KiB).
    pub fn inspect_key_package(&self, key_package: Vec<u8>) -> Result<KeyPackageInfo, MlsError> {
        let (reference, key_package, view) = call(&self.core, "inspect_key_package", || {
            let key_package = key_package::validate(&key_package, &self.core.context.lifetimes)?;
            let view = LeafNodeView::try_from(key_package.leaf_node())?;
            Ok((key_package.hash_ref(crypto()?)?, key_package, view))
        })?;
        let (leaf_node, lifetime) = (key_package.leaf_node(), key_package.life_time());
        Ok(KeyPackageInfo {
            reference: KeyPackageRef(reference.as_slice().to_vec()),
            credential: leaf_node.credential().into(),
            signature_key: leaf_node.signature_key().as_slice().to_vec(),
            ciphersuite: u16::from(key_package.ciphersuite()).try_into()?,
            not_before: lifetime.not_before(),
            not_after: lifetime.not_after(),
            last_resort: key_package.last_resort(),
            leaf_node: view.into(),
        })
    }
}
