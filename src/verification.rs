//! Signatures that are verified ahead, on all cores (docs/adr/0034).
//!
//! OpenMLS verifies the leaves of a tree and a list of key packages one after the other. Here it does so twice: first with a
//! crypto provider that only notes which signatures there are, and the result is thrown away; then, as always, with one that
//! remembers which of them were found to be right. What is not remembered is verified there and then, so that a forged
//! one is refused by OpenMLS, with its own error.

use std::{
    collections::HashSet,
    num::NonZero,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use openmls::{
    group::GroupId,
    prelude::{KeyPackageIn, ProtocolVersion, RatchetTreeIn},
};
use openmls_libcrux_crypto::CryptoProvider;
use openmls_traits::{
    crypto::OpenMlsCrypto,
    types::{Ciphersuite, CryptoError, HashType, SignatureScheme},
};

use crate::{
    crypto::crypto,
    provider_crypto::{Claim, Crypto, Signatures},
};

/// Signatures from which on it is worth it, and that a thread has at least: beginning one costs about as much as
/// verifying one.
const SHARE: usize = 8;
/// Signatures that are noted before they are verified, each with what it signs: they are in memory beside the tree.
const AT_ONCE: usize = 1024;

type Fingerprint = [u8; 32];

/// No two claims have the same.
fn fingerprint(claim: &Claim<'_>, libcrux: &CryptoProvider) -> Result<Fingerprint, CryptoError> {
    let mut input =
        Vec::with_capacity(18 + claim.public_key.len() + claim.signature.len() + claim.data.len());
    input.extend_from_slice(&(claim.scheme as u16).to_be_bytes());
    for part in [claim.public_key, claim.signature] {
        input.extend_from_slice(&part.len().to_be_bytes());
        input.extend_from_slice(part);
    }
    input.extend_from_slice(claim.data);
    let hash = libcrux.hash(HashType::Sha2_256, &input)?;
    hash.try_into().map_err(|_| CryptoError::InvalidLength)
}

/// Claims that were verified in this call. All others are verified when OpenMLS asks.
#[derive(Default)]
pub(crate) struct Verified(HashSet<Fingerprint>);

impl Signatures for Verified {
    fn verify(&self, libcrux: &CryptoProvider, claim: Claim<'_>) -> Result<(), CryptoError> {
        if !self.0.is_empty() && self.0.contains(&fingerprint(&claim, libcrux)?) {
            return Ok(());
        }
        claim.verify(libcrux)
    }
}

/// Says yes to every claim and notes it. What OpenMLS makes of that must not be used.
struct Noting(Mutex<Noted>);

struct Noted {
    cores: usize,
    waiting: Vec<OwnedClaim>,
    verified: HashSet<Fingerprint>,
}

struct OwnedClaim {
    scheme: SignatureScheme,
    public_key: Vec<u8>,
    signature: Vec<u8>,
    data: Vec<u8>,
}

impl OwnedClaim {
    fn borrowed(&self) -> Claim<'_> {
        Claim {
            scheme: self.scheme,
            public_key: &self.public_key,
            signature: &self.signature,
            data: &self.data,
        }
    }
}

impl Signatures for Noting {
    fn verify(&self, libcrux: &CryptoProvider, claim: Claim<'_>) -> Result<(), CryptoError> {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.waiting.push(OwnedClaim {
            scheme: claim.scheme,
            public_key: claim.public_key.to_vec(),
            signature: claim.signature.to_vec(),
            data: claim.data.to_vec(),
        });
        if noted.waiting.len() == AT_ONCE {
            noted.verify(libcrux);
        }
        Ok(())
    }
}

impl Noted {
    /// Verifies what is waiting, on all cores.
    fn verify(&mut self, libcrux: &CryptoProvider) {
        let waiting = std::mem::take(&mut self.waiting);
        let threads = self.cores.min(waiting.len() / SHARE).max(1);
        let verify = |claims: &[OwnedClaim]| -> Vec<Fingerprint> {
            claims
                .iter()
                .map(OwnedClaim::borrowed)
                .filter(|claim| claim.verify(libcrux).is_ok())
                .filter_map(|claim| fingerprint(&claim, libcrux).ok())
                .collect()
        };
        let mut shares = waiting.chunks(waiting.len().div_ceil(threads).max(1));
        let own = shares.next().unwrap_or_default();
        thread::scope(|scope| {
            // A thread that the system refuses is no loss: its share is verified when OpenMLS asks.
            let others: Vec<_> = shares
                .filter_map(|share| {
                    thread::Builder::new()
                        .spawn_scoped(scope, move || verify(share))
                        .ok()
                })
                .collect();
            self.verified.extend(verify(own));
            for other in others {
                self.verified.extend(other.join().unwrap_or_default());
            }
        });
    }
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// Lets OpenMLS ask for `count` signatures and verifies what it asks for.
fn ahead(count: usize, cores: usize, ask: impl FnOnce(&Crypto<Noting>)) -> Result<Verified, CryptoError> {
    if count < 2 * SHARE || cores == 1 {
        return Ok(Verified::default());
    }
    let noted = Noted {
        cores,
        waiting: Vec::new(),
        verified: HashSet::with_capacity(count),
    };
    let noting = Crypto::new(Noting(Mutex::new(noted)), Arc::default())?;
    ask(&noting);
    let noted = noting.signatures.0.into_inner();
    let mut noted = noted.unwrap_or_else(PoisonError::into_inner);
    noted.verify(crypto()?);
    Ok(Verified(noted.verified))
}

/// The leaves of a tree that OpenMLS is about to verify.
pub(crate) fn of_tree(
    tree: &RatchetTreeIn,
    ciphersuite: Ciphersuite,
    group_id: &GroupId,
) -> Result<Verified, CryptoError> {
    ahead(tree.leaves().count(), cores(), |crypto| {
        drop(tree.clone().into_verified(ciphersuite, crypto, group_id));
    })
}

/// Key packages that OpenMLS is about to verify: each has two signatures.
pub(crate) fn of_key_packages(key_packages: &[&KeyPackageIn]) -> Result<Verified, CryptoError> {
    ahead(2 * key_packages.len(), cores(), |crypto| {
        for &key_package in key_packages {
            drop(key_package.clone().validate(crypto, ProtocolVersion::Mls10));
        }
    })
}

#[cfg(test)]
mod tests;
