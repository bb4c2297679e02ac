//! Identities of a client.

use super::{Ciphersuite, Credential, Identity, IdentityId, MlsClient, MlsError, call};
use crate::keys::identity;

#[uniffi::export]
impl MlsClient {
    /// Makes a signature key for the credential (RFC 9420, section 5.3).
    ///
    /// Stored: the identity with its private key. Nothing is sent; publish key packages to be found.
    /// Errors: `InvalidArgument` (a credential over 64 KiB), `UnsupportedCiphersuite`.
    pub fn create_identity(
        &self,
        credential: Credential,
        ciphersuite: Ciphersuite,
    ) -> Result<Identity, MlsError> {
        let identity = call(&self.core, "create_identity", || {
            let credential = credential.into_mls()?;
            self.core
                .store
                .write(|call| identity::create(call, credential, ciphersuite.into()))
        })?;
        identity.try_into()
    }

    /// All identities in the order in which they were created.
    pub fn identities(&self) -> Result<Vec<Identity>, MlsError> {
        let identities = call(&self.core, "identities", || {
            self.core.store.read(|call| identity::list(&call.tx))
        })?;
        identities.into_iter().map(TryInto::try_into).collect()
    }

    /// Deletes an identity, its private key and its key packages.
    ///
    /// Errors: `IdentityNotFound`; `IdentityInUse` while a group signs with it, or will once its pending Commit is
    /// merged, or an external join that waits is confirmed, or waits to be rejoined with it.
    pub fn delete_identity(&self, id: IdentityId) -> Result<(), MlsError> {
        call(&self.core, "delete_identity", || {
            self.core.store.write(|call| identity::delete(call, &id.0))
        })
    }
}
