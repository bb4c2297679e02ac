//! Identities: a credential and its signature key (RFC 9420, section 5.3).

use openmls::prelude::{Credential, CredentialWithKey, SignaturePublicKey};
use openmls_traits::{crypto::OpenMlsCrypto, types::Ciphersuite};
use tls_codec::{DeserializeBytes as _, Serialize as _};

use super::signer::Ed25519Signer;
use crate::{
    crypto::crypto,
    error::Error,
    policy,
    secret::Secret,
    storage::{
        Call, ReadTx, StorageError, WriteTx, cleared_commits, external_joins, groups_to_rejoin,
        identities::{self, IdentityRecord, PrivateKey},
        openmls::leaf_nodes,
        pending,
    },
};

/// An identity that can sign.
pub(crate) struct Identity {
    pub(crate) credential: Credential,
    pub(crate) ciphersuite: Ciphersuite,
    /// Also the identity's id.
    pub(crate) signature_key: Vec<u8>,
    pub(crate) signer: Ed25519Signer,
}

impl Identity {
    pub(crate) fn credential_with_key(&self) -> CredentialWithKey {
        CredentialWithKey {
            credential: self.credential.clone(),
            signature_key: SignaturePublicKey::from(self.signature_key.clone()),
        }
    }
}

/// Makes a signature key and stores it with the credential.
pub(crate) fn create(
    call: &mut Call<'_, WriteTx<'_>>,
    credential: Credential,
    ciphersuite: Ciphersuite,
) -> Result<Identity, Error> {
    if !policy::CIPHERSUITES.contains(&ciphersuite) {
        return Err(Error::UnsupportedCiphersuite(ciphersuite.into()));
    }
    let (private_key, signature_key) = crypto()?.signature_key_gen(ciphersuite.signature_algorithm())?;
    let record = IdentityRecord {
        credential: credential.tls_serialize_detached()?,
        ciphersuite: ciphersuite.into(),
        signature_key,
        private_key: Some(PrivateKey(private_key)),
    };
    identities::insert(&call.tx, &record)?;
    from_record(record)
}

pub(crate) fn get(tx: &ReadTx<'_>, id: &[u8]) -> Result<Identity, Error> {
    identities::get(tx, id)?
        .ok_or(Error::IdentityNotFound)
        .and_then(from_record)
}

pub(crate) fn list(tx: &ReadTx<'_>) -> Result<Vec<Identity>, Error> {
    identities::list(tx)?.into_iter().map(from_record).collect()
}

/// Deletes the identity with its key packages; refused while a group signs with it, or will after its pending
/// Commit, its Update or its external join, which the others may have merged already.
pub(crate) fn delete(call: &mut Call<'_, WriteTx<'_>>, id: &[u8]) -> Result<(), Error> {
    let in_use = identities::group_count(&call.tx, id)? > 0
        || pending::any_moves_to(&call.tx, id)?
        || cleared_commits::any_moves_to(&call.tx, id)?
        || external_joins::any_signs_with(&call.tx, id)?
        || groups_to_rejoin::any_signed_with(&call.tx, id)?
        || leaf_nodes::any_signs_with(&call.tx, id)?;
    if in_use {
        return Err(Error::IdentityInUse);
    }
    call.tx.erase();
    if identities::delete(&call.tx, id)? {
        Ok(())
    } else {
        Err(Error::IdentityNotFound)
    }
}

/// A stored identity that does not parse was damaged: its seal was valid.
fn from_record(record: IdentityRecord) -> Result<Identity, Error> {
    let parse = || {
        let private_key = record.private_key.as_ref()?;
        Some(Identity {
            credential: Credential::tls_deserialize_exact_bytes(&record.credential).ok()?,
            ciphersuite: Ciphersuite::try_from(record.ciphersuite).ok()?,
            signature_key: record.signature_key.clone(),
            signer: Ed25519Signer::new(Secret::from_slice(&private_key.0)?),
        })
    };
    parse().ok_or(StorageError::Corrupt.into())
}
