//! Sealing: every value is an AEAD ciphertext bound to its place, every name a keyed hash.
//!
//! A sealed value is `format (1 byte, clear) || nonce (24) || ciphertext || tag (16)`. The associated data is the
//! format byte, the table, the part and the row, so that no value can be moved. Nonces are random: a counter would
//! repeat after a rollback or in a copied file.

use libcrux_chacha20poly1305::xchacha20_poly1305 as xchacha;
use openmls_traits::{crypto::OpenMlsCrypto, types::HashType};

use super::{
    error::StorageError,
    fault,
    nonces::{Nonce, Nonces},
};
use crate::{
    crypto::{crypto, random_array},
    secret::{Secret, SecretBytes},
};

/// The only value format there is: MessagePack, sealed with XChaCha20-Poly1305.
const FORMAT: u8 = 1;
/// What a test that switched sealing off writes; refused everywhere else.
const UNSEALED: u8 = 0;
const HEADER: usize = 1 + xchacha::NONCE_LEN;
/// What sealing adds to a plaintext.
pub(crate) const OVERHEAD: usize = HEADER + xchacha::TAG_LEN;

/// Bytes of a keyed hash in the file. 128 bits under a secret key: no two names of a database collide.
pub(crate) const INDEX_LEN: usize = 16;
/// A keyed hash that stands for a name (a group id, a reference, a public key).
pub(crate) type Index = [u8; INDEX_LEN];

/// Where a value lives; part of what its seal authenticates.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) table: &'static str,
    /// The row's key, as it stands in the file.
    pub(crate) row: &'a [u8],
    /// Which of several values of the row: a kind, a position, a column.
    pub(crate) part: u64,
}

impl Place<'_> {
    fn associated_data(&self) -> Vec<u8> {
        let mut data = Vec::with_capacity(10 + self.table.len() + self.row.len());
        data.push(FORMAT);
        // Table names are constants shorter than 256 bytes, so one byte delimits them.
        data.push(self.table.len() as u8);
        data.extend_from_slice(self.table.as_bytes());
        data.extend_from_slice(&self.part.to_be_bytes());
        data.extend_from_slice(self.row);
        data
    }
}

/// Seals values and hashes names.
pub(crate) struct Sealer {
    seal_key: Secret<32>,
    /// Not derived from the data key: names cannot be hashed again when the data key changes.
    index_key: Secret<32>,
    nonces: Nonces,
}

impl Sealer {
    /// `index_key` is as [`Self::seal_index_key`] made it.
    pub(crate) fn new(data_key: &Secret<32>, index_key: &[u8]) -> Result<Self, StorageError> {
        let seal_key = seal_key(data_key)?;
        let index_key = open(&seal_key, &INDEX_KEY.associated_data(), index_key)
            .and_then(|bytes| Secret::from_slice(&bytes))
            .ok_or(StorageError::Corrupt)?;
        Ok(Self {
            seal_key,
            index_key,
            nonces: Nonces::default(),
        })
    }

    /// Seals an index key for the header.
    pub(crate) fn seal_index_key(
        data_key: &Secret<32>,
        index_key: &Secret<32>,
    ) -> Result<Vec<u8>, StorageError> {
        seal(
            &seal_key(data_key)?,
            &INDEX_KEY.associated_data(),
            index_key.expose(),
        )
    }

    /// The same names under another data key, and the index key sealed for it.
    pub(crate) fn with_data_key(&self, data_key: &Secret<32>) -> Result<(Self, Vec<u8>), StorageError> {
        let sealed = Self::seal_index_key(data_key, &self.index_key)?;
        Ok((
            Self {
                seal_key: seal_key(data_key)?,
                index_key: self.index_key.clone(),
                nonces: Nonces::default(),
            },
            sealed,
        ))
    }

    pub(crate) fn seal(&self, place: Place<'_>, plaintext: &[u8]) -> Result<Vec<u8>, StorageError> {
        if fault::unsealed() {
            return Ok([&[UNSEALED], plaintext].concat());
        }
        let nonce = self.nonces.next()?;
        seal_with(&self.seal_key, &nonce, &place.associated_data(), plaintext)
    }

    /// A value that does not authenticate was damaged or moved: [`StorageError::Corrupt`].
    pub(crate) fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<SecretBytes, StorageError> {
        match sealed.split_first() {
            Some((&UNSEALED, plaintext)) if fault::unsealed() => Ok(SecretBytes::new(plaintext.to_vec())),
            _ => open(&self.seal_key, &place.associated_data(), sealed).ok_or(StorageError::Corrupt),
        }
    }

    /// The keyed hash of `name` within `domain`.
    pub(crate) fn index(&self, domain: &'static str, name: &[u8]) -> Result<Index, StorageError> {
        let mut input = Vec::with_capacity(1 + domain.len() + name.len());
        input.push(domain.len() as u8);
        input.extend_from_slice(domain.as_bytes());
        input.extend_from_slice(name);
        let hash = hmac(self.index_key.expose(), &input)?;
        let mut index = [0; INDEX_LEN];
        index
            .iter_mut()
            .zip(hash.expose())
            .for_each(|(to, from)| *to = *from);
        Ok(index)
    }
}

/// Wraps or seals `plaintext` under `key`.
pub(crate) fn seal(
    key: &Secret<32>,
    associated_data: &[u8],
    plaintext: &[u8],
) -> Result<Vec<u8>, StorageError> {
    let nonce = random_array().map_err(|_| StorageError::Crypto)?;
    seal_with(key, &nonce, associated_data, plaintext)
}

fn seal_with(
    key: &Secret<32>,
    nonce: &Nonce,
    associated_data: &[u8],
    plaintext: &[u8],
) -> Result<Vec<u8>, StorageError> {
    let mut sealed = vec![0; OVERHEAD + plaintext.len()];
    let (header, body) = sealed.split_at_mut(HEADER);
    header.copy_from_slice(&[&[FORMAT][..], nonce].concat());
    xchacha::encrypt(key.expose(), plaintext, body, associated_data, nonce)
        .map_err(|_| StorageError::TooLarge)?;
    Ok(sealed)
}

/// `None` when `sealed` was not made by [`seal`] with this key and associated data.
pub(crate) fn open(key: &Secret<32>, associated_data: &[u8], sealed: &[u8]) -> Option<SecretBytes> {
    let (header, body) = sealed.split_at_checked(HEADER)?;
    let (format, nonce) = header.split_first()?;
    if *format != FORMAT || body.len() < xchacha::TAG_LEN {
        return None;
    }
    let mut plaintext = SecretBytes::new(vec![0; body.len() - xchacha::TAG_LEN]);
    xchacha::decrypt(
        key.expose(),
        &mut plaintext,
        body,
        associated_data,
        nonce.try_into().ok()?,
    )
    .ok()?;
    Some(plaintext)
}

const INDEX_KEY: Place<'_> = Place {
    table: "header",
    row: b"index_key",
    part: 0,
};

/// The data key itself seals nothing but this derivation, so that it can serve another purpose one day.
fn seal_key(data_key: &Secret<32>) -> Result<Secret<32>, StorageError> {
    hmac(data_key.expose(), b"mls-mobile seal")
}

/// HMAC-SHA-256.
pub(super) fn hmac(key: &[u8], input: &[u8]) -> Result<Secret<32>, StorageError> {
    let output = crypto()
        .map_err(|_| StorageError::Crypto)?
        .hmac(HashType::Sha2_256, key, input)
        .map_err(|_| StorageError::Crypto)?;
    Secret::from_slice(output.as_slice()).ok_or(StorageError::Crypto)
}

#[cfg(test)]
mod tests {
    use super::{OVERHEAD, Place, Sealer};
    use crate::{secret::Secret, storage::StorageError};

    fn sealer() -> Sealer {
        with_keys([9; 32], [5; 32])
    }

    fn with_keys(data_key: [u8; 32], index_key: [u8; 32]) -> Sealer {
        let data_key = Secret::new(data_key);
        let index_key = Sealer::seal_index_key(&data_key, &Secret::new(index_key)).unwrap();
        Sealer::new(&data_key, &index_key).unwrap()
    }

    const HERE: Place<'_> = Place {
        table: "t",
        row: b"row",
        part: 1,
    };

    #[test]
    fn what_was_sealed_opens_in_its_place_only() {
        let sealed = sealer().seal(HERE, b"value").unwrap();
        assert_eq!(sealed.len(), OVERHEAD + 5);
        assert_eq!(sealer().open(HERE, &sealed).unwrap().as_slice(), b"value");
        for elsewhere in [
            Place { table: "u", ..HERE },
            Place {
                row: b"other",
                ..HERE
            },
            Place { part: 2, ..HERE },
        ] {
            assert!(matches!(
                sealer().open(elsewhere, &sealed),
                Err(StorageError::Corrupt)
            ));
        }
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let sealed = sealer().seal(HERE, b"value").unwrap();
        for byte in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[byte] ^= 1;
            assert!(sealer().open(HERE, &damaged).is_err(), "byte {byte}");
            assert!(sealer().open(HERE, &sealed[..byte]).is_err(), "cut at {byte}");
        }
    }

    #[test]
    fn the_same_value_never_looks_the_same_twice() {
        assert_ne!(
            sealer().seal(HERE, b"value").unwrap(),
            sealer().seal(HERE, b"value").unwrap()
        );
    }

    #[test]
    fn a_name_hashes_by_its_domain_and_key() {
        let other = with_keys([9; 32], [8; 32]);
        let index = sealer().index("group", b"id").unwrap();
        assert_eq!(index, sealer().index("group", b"id").unwrap());
        assert_ne!(index, sealer().index("proposal", b"id").unwrap());
        assert_ne!(index, other.index("group", b"id").unwrap());
    }

    #[test]
    fn another_data_key_keeps_the_names_and_opens_none_of_the_values() {
        let (other, index_key) = sealer().with_data_key(&Secret::new([1; 32])).unwrap();
        assert_eq!(
            other.index("group", b"id").unwrap(),
            sealer().index("group", b"id").unwrap()
        );
        assert!(other.open(HERE, &sealer().seal(HERE, b"value").unwrap()).is_err());
        let reopened = Sealer::new(&Secret::new([1; 32]), &index_key).unwrap();
        let sealed = other.seal(HERE, b"value").unwrap();
        assert_eq!(reopened.open(HERE, &sealed).unwrap().as_slice(), b"value");
    }

    #[test]
    fn xchacha20_poly1305_matches_its_draft() {
        // draft-irtf-cfrg-xchacha-03, A.3.1
        let key: Vec<u8> = (0x80..=0x9f).collect();
        let nonce: Vec<u8> = (0x40..=0x57).collect();
        let aad = [
            0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7,
        ];
        let plaintext = b"Ladies and Gentlemen of the class of '99: If I could offer you \
only one tip for the future, sunscreen would be it.";
        let mut out = vec![0; plaintext.len() + 16];
        super::xchacha::encrypt(
            key.as_slice().try_into().unwrap(),
            plaintext,
            &mut out,
            &aad,
            nonce.as_slice().try_into().unwrap(),
        )
        .unwrap();
        assert_eq!(out[..8], [0xbd, 0x6d, 0x17, 0x9d, 0x3e, 0x83, 0xd4, 0x3b]);
        assert_eq!(
            out[out.len() - 16..],
            [
                0xc0, 0x87, 0x59, 0x24, 0xc1, 0xc7, 0x98, 0x79, 0x47, 0xde, 0xaf, 0xd8, 0x78, 0x0a, 0xcf,
                0x49
            ]
        );
    }
}
