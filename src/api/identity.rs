//! Identities of a client.

use std::sync::Arc;

use super::{
    Ciphersuite, Core, Credential, Identity, IdentityId, MlsClient, MlsError, Signer, call,
    callbacks::ForeignSigner,
};
use crate::{keys::identity, signing::AttachedSigner};

#[uniffi::export]
impl MlsClient {
    /// Makes a signature key for the credential (RFC 9420, section 5.3). The app's key outside the library:
    /// `create_identity_with_signer`; a certificate for the key that this makes: `replace_credential`.
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

    /// Makes an identity whose private key the library never sees: `signer` signs with it (an HSM, the system's key
    /// store). `public_key` is the Ed25519 public key, 32 bytes.
    ///
    /// The signer signs a challenge first, so that one of another key is noticed at once; see `Signer`. It stays attached
    /// until the client is closed, through `suspend` and `resume`; after each `open` call `attach_signer`. Whatever signs
    /// for the identity answers `SignerMissing` without a signer, and `SignerFailed` if it fails; the group is then as it
    /// was. Receiving, merging and reading need none.
    /// Stored: the identity without a private key. Nothing is sent.
    /// Errors: `InvalidArgument` (a credential over 64 KiB, a key that is not 32 bytes), `IdentityAlreadyExists`,
    /// `SignerFailed` (also for a key that is no point of the curve: it verifies nothing), `UnsupportedCiphersuite`.
    /// After a crash: the identity is there, and needs `attach_signer`, or it is not.
    pub fn create_identity_with_signer(
        &self,
        credential: Credential,
        ciphersuite: Ciphersuite,
        public_key: Vec<u8>,
        signer: Arc<dyn Signer>,
    ) -> Result<Identity, MlsError> {
        let identity = call(&self.core, "create_identity_with_signer", || {
            let credential = credential.into_mls()?;
            let signer = self.attachable(signer);
            let identity = self.core.store.write(|call| {
                identity::create_with_signer(call, credential, ciphersuite.into(), &public_key, &signer)
            })?;
            self.core.store.signers.attach(public_key, signer);
            Ok(identity)
        })?;
        identity.try_into()
    }

    /// Attaches the signer of an identity that was made with `create_identity_with_signer`: after each `open`, and after
    /// the move to another device. It signs a challenge first, and takes the place of one that was attached.
    ///
    /// Stored: nothing. Errors: `IdentityNotFound`, `SignerFailed` (it failed, or signs with another key; one that was
    /// attached stays), `InvalidArgument` (an identity whose key the library holds).
    pub fn attach_signer(&self, identity: IdentityId, signer: Arc<dyn Signer>) -> Result<(), MlsError> {
        call(&self.core, "attach_signer", || {
            let Core { store, .. } = &*self.core;
            let signer = self.attachable(signer);
            store.read(|call| identity::check_signer(&call.tx, &identity.0, &signer))?;
            store.signers.attach(identity.0, signer);
            Ok(())
        })
    }

    /// Gives an identity another credential for the key that it has: a certificate that was issued for it, which is its
    /// `id`, or a renewed one. To begin with certificates, make the identity with a basic credential, have the authority
    /// certify its `id`, and call this before anything else is made with it.
    ///
    /// Stored: the credential. Nothing is sent. Key packages that are there keep the old one: make new ones and delete
    /// those. Groups keep the old one too, until `self_update(new_identity = identity)` in each.
    /// Errors: `IdentityNotFound`, `InvalidArgument` (a credential over 64 KiB).
    pub fn replace_credential(
        &self,
        identity: IdentityId,
        credential: Credential,
    ) -> Result<Identity, MlsError> {
        let identity = call(&self.core, "replace_credential", || {
            let credential = credential.into_mls()?;
            self.core
                .store
                .write(|call| identity::replace_credential(call, &identity.0, credential))
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

    /// Deletes an identity, its private key, or its signer, and its key packages.
    ///
    /// Errors: `IdentityNotFound`; `IdentityInUse` while a group signs with it, or will once its pending Commit is
    /// merged, or an external join that waits is confirmed, or waits to be rejoined with it.
    pub fn delete_identity(&self, id: IdentityId) -> Result<(), MlsError> {
        call(&self.core, "delete_identity", || {
            self.core.store.write(|call| identity::delete(call, &id.0))?;
            self.core.store.signers.detach(&id.0);
            Ok(())
        })
    }
}

impl MlsClient {
    fn attachable(&self, signer: Arc<dyn Signer>) -> AttachedSigner {
        AttachedSigner::new(Arc::new(ForeignSigner(signer)), self.core.context.log.clone())
    }
}
