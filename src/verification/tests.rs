//! What OpenMLS asks about is what was verified ahead, and nothing else is believed.

use std::sync::Arc;

use openmls::{
    group::{GroupId, MlsGroup, MlsGroupCreateConfig},
    prelude::{
        BasicCredential, Ciphersuite, CredentialWithKey, KeyPackage, KeyPackageIn, OpenMlsProvider as _,
        ProtocolVersion, RatchetTreeIn,
    },
};
use openmls_libcrux_crypto::{CryptoProvider, Provider};
use openmls_traits::{
    crypto::OpenMlsCrypto,
    signatures::{Signer, SignerError},
    types::{CryptoError, SignatureScheme},
};
use tls_codec::{Deserialize as _, Serialize as _};

use super::{AT_ONCE, Claim, Crypto, SHARE, Signatures, Verified, ahead, fingerprint};
use crate::crypto::crypto;

const SUITE: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519;

/// Believes what was verified ahead and verifies nothing itself.
struct OnlyAhead(Verified);

impl Signatures for OnlyAhead {
    fn verify(&self, libcrux: &CryptoProvider, claim: Claim<'_>) -> Result<(), CryptoError> {
        let known = self.0.0.contains(&fingerprint(&claim, libcrux)?);
        known.then_some(()).ok_or(CryptoError::InvalidSignature)
    }
}

fn only_ahead(verified: Verified) -> Crypto<OnlyAhead> {
    Crypto::new(OnlyAhead(verified), Arc::default()).unwrap()
}

struct Key(Vec<u8>);

impl Signer for Key {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        let signature = crypto().unwrap().sign(self.signature_scheme(), payload, &self.0);
        signature.map_err(SignerError::CryptoError)
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

fn member(number: usize) -> (Key, CredentialWithKey) {
    let (private, public) = crypto()
        .unwrap()
        .signature_key_gen(SignatureScheme::ED25519)
        .unwrap();
    let credential = BasicCredential::new(number.to_be_bytes().to_vec());
    let credential = CredentialWithKey {
        credential: credential.into(),
        signature_key: public.into(),
    };
    (Key(private), credential)
}

fn key_packages(count: usize) -> Vec<KeyPackage> {
    let provider = Provider::new().unwrap();
    let made = (0..count).map(|number| {
        let (key, credential) = member(number);
        let bundle = KeyPackage::builder().build(SUITE, &provider, &key, credential);
        bundle.unwrap().key_package().clone()
    });
    made.collect()
}

fn tree(members: usize) -> (RatchetTreeIn, GroupId) {
    let provider = Provider::new().unwrap();
    let (key, credential) = member(members);
    let config = MlsGroupCreateConfig::builder().ciphersuite(SUITE).build();
    let mut group = MlsGroup::new(&provider, &key, &config, credential).unwrap();
    group
        .add_members(&provider, &key, &key_packages(members - 1))
        .unwrap();
    group.merge_pending_commit(&provider).unwrap();
    // A leaf of a Commit signs its place in the tree too.
    (group.export_ratchet_tree().into(), group.group_id().clone())
}

/// As [`super::of_tree`] on a machine with four cores.
fn verified(tree: &RatchetTreeIn, id: &GroupId) -> Verified {
    let count = tree.leaves().count();
    ahead(count, 4, |crypto| {
        drop(tree.clone().into_verified(SUITE, crypto, id))
    })
    .unwrap()
}

/// The same tree with another bit in the signature of the last leaf, which is its end.
fn forged(tree: &RatchetTreeIn) -> RatchetTreeIn {
    let mut bytes = tree.tls_serialize_detached().unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    RatchetTreeIn::tls_deserialize_exact(bytes).unwrap()
}

#[test]
fn all_that_openmls_asks_about_a_tree_was_verified_ahead() {
    let (tree, id) = tree(40);
    let verified = verified(&tree, &id);
    assert_eq!(verified.0.len(), 40);
    assert!(tree.into_verified(SUITE, &only_ahead(verified), &id).is_ok());
}

#[test]
fn a_tree_of_more_leaves_than_are_noted_at_once_is_verified_too() {
    let (tree, id) = tree(20);
    // OpenMLS asks again and again; the answers are the same.
    let verified = ahead(AT_ONCE + 20, 4, |crypto| {
        for _ in 0..AT_ONCE / 20 + 1 {
            drop(tree.clone().into_verified(SUITE, crypto, &id));
        }
    });
    assert_eq!(verified.unwrap().0.len(), 20);
}

#[test]
fn all_that_openmls_asks_about_key_packages_was_verified_ahead() {
    let key_packages: Vec<KeyPackageIn> = key_packages(20).into_iter().map(Into::into).collect();
    let verified = ahead(40, 4, |crypto| {
        for key_package in &key_packages {
            drop(key_package.clone().validate(crypto, ProtocolVersion::Mls10));
        }
    });
    let crypto = only_ahead(verified.unwrap());
    assert_eq!(crypto.signatures.0.0.len(), 40);
    for key_package in key_packages {
        assert!(key_package.validate(&crypto, ProtocolVersion::Mls10).is_ok());
    }
}

#[test]
fn a_forged_leaf_is_not_believed_and_has_the_error_that_it_always_had() {
    let (tree, id) = tree(40);
    let forged = forged(&tree);
    let verified = verified(&forged, &id);
    assert_eq!(verified.0.len(), 39);
    let crypto = Crypto::new(verified, Arc::default()).unwrap();
    let error = forged.clone().into_verified(SUITE, &crypto, &id).unwrap_err();
    let provider = Provider::new().unwrap();
    let usual = forged.into_verified(SUITE, provider.crypto(), &id).unwrap_err();
    assert_eq!(error, usual);
}

#[test]
fn what_was_verified_is_believed_for_the_same_key_signature_and_data_only() {
    let libcrux = crypto().unwrap();
    let (Key(private), credential) = member(0);
    let other = member(1).1.signature_key;
    let public = credential.signature_key;
    let sign = |data: &[u8]| libcrux.sign(SignatureScheme::ED25519, data, &private).unwrap();
    let data: Vec<[u8; 4]> = (0..2 * SHARE as u32).map(u32::to_be_bytes).collect();
    let verified = ahead(data.len(), 4, |crypto| {
        for data in &data {
            let claim = (public.as_slice(), sign(data));
            crypto
                .verify_signature(SignatureScheme::ED25519, data, claim.0, &claim.1)
                .unwrap();
        }
    });
    let crypto = only_ahead(verified.unwrap());
    let known = |data: &[u8], key: &[u8], signature: &[u8]| {
        crypto
            .verify_signature(SignatureScheme::ED25519, data, key, signature)
            .is_ok()
    };
    let (public, other) = (public.as_slice(), other.as_slice());
    assert!(known(&data[3], public, &sign(&data[3])));
    assert!(!known(&data[3], public, &sign(&data[4])));
    assert!(!known(&data[3], other, &sign(&data[3])));
    assert!(!known(b"else", public, &sign(b"else")));
    let moved = [public, &sign(&data[3])[..1]].concat();
    assert!(!known(&data[3], &moved, &sign(&data[3])[1..]));
}
