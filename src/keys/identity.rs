//! Identities: a credential and its signature key (RFC 9420, section 5.3).

use openmls::prelude::{Credential, CredentialWithKey, SignaturePublicKey};
use openmls_traits::{crypto::OpenMlsCrypto, types::Ciphersuite};
use tls_codec::{DeserializeBytes as _, Serialize as _};

use super::signer::{self, Ed25519Signer, ExternalSigner, IdentitySigner};
use crate::{
    crypto::crypto,
    error::{ArgumentProblem, Error},
    policy,
    secret::Secret,
    signing::AttachedSigner,
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
    pub(crate) signer: IdentitySigner,
}

impl Identity {
    /// Whether the app signs for it.
    pub(crate) fn has_external_signer(&self) -> bool {
        matches!(self.signer, IdentitySigner::External(_))
    }

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
    check_ciphersuite(ciphersuite)?;
    let (private_key, signature_key) = crypto()?.signature_key_gen(ciphersuite.signature_algorithm())?;
    let record = IdentityRecord {
        credential: credential.tls_serialize_detached()?,
        ciphersuite: ciphersuite.into(),
        signature_key,
        private_key: Some(PrivateKey(private_key)),
    };
    identities::insert(&call.tx, &record)?;
    from_record(&call.tx, record)
}

fn check_ciphersuite(ciphersuite: Ciphersuite) -> Result<(), Error> {
    if policy::CIPHERSUITES.contains(&ciphersuite) {
        Ok(())
    } else {
        Err(Error::UnsupportedCiphersuite(ciphersuite.into()))
    }
}

/// Stores a credential whose signature key is the app's, after `signer` has shown that it signs with it.
pub(crate) fn create_with_signer(
    call: &mut Call<'_, WriteTx<'_>>,
    credential: Credential,
    ciphersuite: Ciphersuite,
    public_key: &[u8],
    signer: &AttachedSigner,
) -> Result<Identity, Error> {
    check_ciphersuite(ciphersuite)?;
    if public_key.len() != signer::PUBLIC_KEY {
        return Err(Error::Argument {
            argument: "public_key",
            problem: ArgumentProblem::WrongLength,
        });
    }
    if identities::get(&call.tx, public_key)?.is_some() {
        return Err(Error::IdentityAlreadyExists);
    }
    signer::challenge(public_key, signer)?;
    let record = IdentityRecord {
        credential: credential.tls_serialize_detached()?,
        ciphersuite: ciphersuite.into(),
        signature_key: public_key.to_vec(),
        private_key: None,
    };
    identities::insert(&call.tx, &record)?;
    from_record(&call.tx, record)
}

/// Gives the identity another credential for the key that it has.
pub(crate) fn replace_credential(
    call: &mut Call<'_, WriteTx<'_>>,
    id: &[u8],
    credential: Credential,
) -> Result<Identity, Error> {
    let record = identities::get(&call.tx, id)?.ok_or(Error::IdentityNotFound)?;
    let record = IdentityRecord {
        credential: credential.tls_serialize_detached()?,
        ..record
    };
    identities::update(&call.tx, &record)?;
    from_record(&call.tx, record)
}

/// Whether `signer` can sign for this identity, whose key the library does not hold.
pub(crate) fn check_signer(tx: &ReadTx<'_>, id: &[u8], signer: &AttachedSigner) -> Result<(), Error> {
    let identity = get(tx, id)?;
    if !identity.has_external_signer() {
        return Err(Error::Argument {
            argument: "identity",
            problem: ArgumentProblem::OutOfRange,
        });
    }
    signer::challenge(id, signer)
}

pub(crate) fn get(tx: &ReadTx<'_>, id: &[u8]) -> Result<Identity, Error> {
    identities::get(tx, id)?
        .ok_or(Error::IdentityNotFound)
        .and_then(|record| from_record(tx, record))
}

pub(crate) fn list(tx: &ReadTx<'_>) -> Result<Vec<Identity>, Error> {
    identities::list(tx)?
        .into_iter()
        .map(|record| from_record(tx, record))
        .collect()
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
fn from_record(tx: &ReadTx<'_>, record: IdentityRecord) -> Result<Identity, Error> {
    let parse = || {
        let signer = match &record.private_key {
            Some(private_key) => {
                IdentitySigner::Held(Ed25519Signer::new(Secret::from_slice(&private_key.0)?))
            }
            None => IdentitySigner::External(ExternalSigner {
                public_key: record.signature_key.clone(),
                attached: tx.signers().get(&record.signature_key),
                failure: tx.signing_failure().clone(),
            }),
        };
        Some(Identity {
            credential: Credential::tls_deserialize_exact_bytes(&record.credential).ok()?,
            ciphersuite: Ciphersuite::try_from(record.ciphersuite).ok()?,
            signature_key: record.signature_key.clone(),
            signer,
        })
    };
    parse().ok_or(StorageError::Corrupt.into())
}
