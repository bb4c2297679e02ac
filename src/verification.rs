//! Signatures that are verified ahead, on all cores (docs/adr/0034).
//!
//! OpenMLS verifies the leaves of a tree and a list of key packages one after the other. Here it does so twice: first with a
//! crypto provider that only notes which signatures there are, and the result is thrown away; then, as always, with one that
//! remembers which of them were found to be right. What is not remembered is verified there and then, so that a forged
//! one is refused by OpenMLS, with its own error.

use std::{
    collections::HashSet,
    num::NonZero,
    sync::{Mutex, PoisonError},
    thread,
};

use openmls::{
    group::GroupId,
    prelude::{KeyPackageIn, ProtocolVersion, RatchetTreeIn},
};
use openmls_libcrux_crypto::CryptoProvider;
use openmls_traits::{
    crypto::OpenMlsCrypto,
    types::{
        AeadType, Ciphersuite, CryptoError, ExporterSecret, HashType, HpkeCiphertext, HpkeConfig,
        HpkeKeyPair, KemOutput, SignatureScheme,
    },
};
use tls_codec::SecretVLBytes;

use crate::crypto::crypto;

/// Signatures from which on it is worth it, and that a thread has at least: beginning one costs about as much as
/// verifying one.
const SHARE: usize = 8;
/// Signatures that are noted before they are verified, each with what it signs: they are in memory beside the tree.
const AT_ONCE: usize = 1024;

/// libcrux, but for how it verifies signatures.
pub(crate) struct Crypto<S> {
    libcrux: &'static CryptoProvider,
    signatures: S,
}

/// What becomes of a signature that OpenMLS asks about.
pub(crate) trait Signatures: Send + Sync {
    fn verify(&self, libcrux: &CryptoProvider, claim: Claim<'_>) -> Result<(), CryptoError>;
}

/// That `signature` is of the owner of `public_key`.
#[derive(Clone, Copy)]
pub(crate) struct Claim<'a> {
    scheme: SignatureScheme,
    public_key: &'a [u8],
    signature: &'a [u8],
    data: &'a [u8],
}

impl Claim<'_> {
    fn verify(&self, libcrux: &CryptoProvider) -> Result<(), CryptoError> {
        libcrux.verify_signature(self.scheme, self.data, self.public_key, self.signature)
    }

    /// No two claims have the same.
    fn fingerprint(&self, libcrux: &CryptoProvider) -> Result<Fingerprint, CryptoError> {
        let mut input =
            Vec::with_capacity(18 + self.public_key.len() + self.signature.len() + self.data.len());
        input.extend_from_slice(&(self.scheme as u16).to_be_bytes());
        for part in [self.public_key, self.signature] {
            input.extend_from_slice(&part.len().to_be_bytes());
            input.extend_from_slice(part);
        }
        input.extend_from_slice(self.data);
        let hash = libcrux.hash(HashType::Sha2_256, &input)?;
        hash.try_into().map_err(|_| CryptoError::InvalidLength)
    }
}

type Fingerprint = [u8; 32];

/// Claims that were verified in this call. All others are verified when OpenMLS asks.
#[derive(Default)]
pub(crate) struct Verified(HashSet<Fingerprint>);

impl Signatures for Verified {
    fn verify(&self, libcrux: &CryptoProvider, claim: Claim<'_>) -> Result<(), CryptoError> {
        if !self.0.is_empty() && self.0.contains(&claim.fingerprint(libcrux)?) {
            return Ok(());
        }
        claim.verify(libcrux)
    }
}

impl Crypto<Verified> {
    pub(crate) fn new(verified: Verified) -> Result<Self, CryptoError> {
        Ok(Self {
            libcrux: crypto()?,
            signatures: verified,
        })
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
                .filter_map(|claim| claim.fingerprint(libcrux).ok())
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
    let libcrux = crypto()?;
    let noted = Noted {
        cores,
        waiting: Vec::new(),
        verified: HashSet::with_capacity(count),
    };
    let crypto = Crypto {
        libcrux,
        signatures: Noting(Mutex::new(noted)),
    };
    ask(&crypto);
    let noted = crypto.signatures.0.into_inner();
    let mut noted = noted.unwrap_or_else(PoisonError::into_inner);
    noted.verify(libcrux);
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

impl<S: Signatures> OpenMlsCrypto for Crypto<S> {
    fn verify_signature(
        &self,
        alg: SignatureScheme,
        data: &[u8],
        pk: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        let claim = Claim {
            scheme: alg,
            public_key: pk,
            signature,
            data,
        };
        self.signatures.verify(self.libcrux, claim)
    }

    fn supports(&self, ciphersuite: Ciphersuite) -> Result<(), CryptoError> {
        self.libcrux.supports(ciphersuite)
    }

    fn supported_ciphersuites(&self) -> Vec<Ciphersuite> {
        self.libcrux.supported_ciphersuites()
    }

    fn hkdf_extract(
        &self,
        hash_type: HashType,
        salt: &[u8],
        ikm: &[u8],
    ) -> Result<SecretVLBytes, CryptoError> {
        self.libcrux.hkdf_extract(hash_type, salt, ikm)
    }

    fn hmac(&self, hash_type: HashType, key: &[u8], message: &[u8]) -> Result<SecretVLBytes, CryptoError> {
        self.libcrux.hmac(hash_type, key, message)
    }

    fn hkdf_expand(
        &self,
        hash_type: HashType,
        prk: &[u8],
        info: &[u8],
        okm_len: usize,
    ) -> Result<SecretVLBytes, CryptoError> {
        self.libcrux.hkdf_expand(hash_type, prk, info, okm_len)
    }

    fn hash(&self, hash_type: HashType, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.libcrux.hash(hash_type, data)
    }

    fn aead_encrypt(
        &self,
        alg: AeadType,
        key: &[u8],
        data: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.libcrux.aead_encrypt(alg, key, data, nonce, aad)
    }

    fn aead_decrypt(
        &self,
        alg: AeadType,
        key: &[u8],
        ct_tag: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.libcrux.aead_decrypt(alg, key, ct_tag, nonce, aad)
    }

    fn signature_key_gen(&self, alg: SignatureScheme) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
        self.libcrux.signature_key_gen(alg)
    }

    fn sign(&self, alg: SignatureScheme, data: &[u8], key: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.libcrux.sign(alg, data, key)
    }

    fn hpke_seal(
        &self,
        config: HpkeConfig,
        pk_r: &[u8],
        info: &[u8],
        aad: &[u8],
        ptxt: &[u8],
    ) -> Result<HpkeCiphertext, CryptoError> {
        self.libcrux.hpke_seal(config, pk_r, info, aad, ptxt)
    }

    fn hpke_open(
        &self,
        config: HpkeConfig,
        input: &HpkeCiphertext,
        sk_r: &[u8],
        info: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.libcrux.hpke_open(config, input, sk_r, info, aad)
    }

    fn hpke_setup_sender_and_export(
        &self,
        config: HpkeConfig,
        pk_r: &[u8],
        info: &[u8],
        exporter_context: &[u8],
        exporter_length: usize,
    ) -> Result<(KemOutput, ExporterSecret), CryptoError> {
        self.libcrux
            .hpke_setup_sender_and_export(config, pk_r, info, exporter_context, exporter_length)
    }

    fn hpke_setup_receiver_and_export(
        &self,
        config: HpkeConfig,
        enc: &[u8],
        sk_r: &[u8],
        info: &[u8],
        exporter_context: &[u8],
        exporter_length: usize,
    ) -> Result<ExporterSecret, CryptoError> {
        self.libcrux.hpke_setup_receiver_and_export(
            config,
            enc,
            sk_r,
            info,
            exporter_context,
            exporter_length,
        )
    }

    fn derive_hpke_keypair(&self, config: HpkeConfig, ikm: &[u8]) -> Result<HpkeKeyPair, CryptoError> {
        self.libcrux.derive_hpke_keypair(config, ikm)
    }
}
