//! Tree hashes (RFC 9420, section 7.8) that need not be computed again (docs/adr/0038).
//!
//! For a Commit OpenMLS hashes the whole tree three times, and nearly all nodes are as they were in the epoch before. A
//! hash is a function of its input, so that of an input that was met before is remembered instead.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{Mutex, PoisonError},
};

use openmls_traits::types::CryptoError;

/// The hashes of one group's nodes, in memory only.
#[derive(Default)]
pub(crate) struct TreeHashes {
    /// Keys of this process that nobody else knows: who does not know them cannot find two inputs with one fingerprint.
    keys: [RandomState; 2],
    known: Mutex<Known>,
}

/// What was asked for in this epoch, and what was in the one before.
#[derive(Default)]
struct Known {
    now: HashMap<Fingerprint, Hash>,
    before: HashMap<Fingerprint, Hash>,
}

/// 128 bits of the input under secret keys; the input itself is not kept.
type Fingerprint = [u64; 2];
/// SHA-256, which is that of all suites here.
type Hash = [u8; 32];

/// `NodeType`, with which the input of a tree hash begins.
const LEAF: u8 = 1;
const PARENT: u8 = 2;

impl TreeHashes {
    /// The hash of `input`, which `compute` computes if it is not known.
    pub(crate) fn hash(
        &self,
        input: &[u8],
        compute: impl FnOnce() -> Result<Vec<u8>, CryptoError>,
    ) -> Result<Vec<u8>, CryptoError> {
        if !matches!(input.first(), Some(&(LEAF | PARENT))) {
            return compute();
        }
        let fingerprint = self.keys.each_ref().map(|key| key.hash_one(input));
        if let Some(hash) = self.known().get(&fingerprint) {
            return Ok(hash.to_vec());
        }
        let hash = compute()?;
        if let Ok(hash) = hash.as_slice().try_into() {
            self.known().now.insert(fingerprint, hash);
        }
        Ok(hash)
    }

    /// An epoch has ended: what was not asked for in it is forgotten, so that memory follows the size of the tree.
    pub(crate) fn end_epoch(&self) {
        let mut known = self.known();
        known.before = std::mem::take(&mut known.now);
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        // Nothing that panics is called with the lock held, and each entry is whole.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn get(&mut self, fingerprint: &Fingerprint) -> Option<Hash> {
        if let Some(hash) = self.now.get(fingerprint) {
            return Some(*hash);
        }
        let hash = self.before.remove(fingerprint)?;
        self.now.insert(*fingerprint, hash);
        Some(hash)
    }
}

#[cfg(test)]
mod tests {
    use openmls_traits::{crypto::OpenMlsCrypto, types::HashType};

    use super::{LEAF, PARENT, TreeHashes};
    use crate::crypto::crypto;

    fn libcrux(input: &[u8]) -> Vec<u8> {
        crypto().unwrap().hash(HashType::Sha2_256, input).unwrap()
    }

    /// Whether the hash had to be computed. It must be libcrux's in any case.
    fn computes(hashes: &TreeHashes, input: &[u8]) -> bool {
        let mut computed = false;
        let hash = hashes.hash(input, || {
            computed = true;
            Ok(libcrux(input))
        });
        assert_eq!(hash.unwrap(), libcrux(input));
        computed
    }

    #[test]
    fn a_node_that_was_met_is_not_hashed_again_and_every_other_is() {
        let hashes = TreeHashes::default();
        for kind in [LEAF, PARENT] {
            let node: Vec<u8> = [&[kind][..], &[7; 200]].concat();
            assert!(computes(&hashes, &node));
            assert!(!computes(&hashes, &node));
            for byte in 1..node.len() {
                let mut other = node.clone();
                other[byte] ^= 1;
                assert!(computes(&hashes, &other), "byte {byte}");
                assert!(computes(&hashes, &node[..byte]), "cut at {byte}");
            }
        }
    }

    #[test]
    fn what_is_no_node_is_never_remembered() {
        let hashes = TreeHashes::default();
        for input in [&[][..], &[0; 100], &[3; 100], &[0x20; 100]] {
            assert!(computes(&hashes, input));
            assert!(computes(&hashes, input));
        }
    }

    #[test]
    fn a_node_that_an_epoch_did_without_is_forgotten_with_it() {
        let hashes = TreeHashes::default();
        let [kept, left] = [[LEAF; 50], [PARENT; 50]];
        assert!(computes(&hashes, &kept) && computes(&hashes, &left));
        hashes.end_epoch();
        assert!(!computes(&hashes, &kept));
        hashes.end_epoch();
        assert!(!computes(&hashes, &kept) && computes(&hashes, &left));
    }

    #[test]
    fn a_failure_is_not_remembered() {
        use openmls_traits::types::CryptoError::CryptoLibraryError;
        let hashes = TreeHashes::default();
        let failed = hashes.hash(&[LEAF; 50], || Err(CryptoLibraryError));
        assert_eq!(failed, Err(CryptoLibraryError));
        assert!(computes(&hashes, &[LEAF; 50]));
    }
}
