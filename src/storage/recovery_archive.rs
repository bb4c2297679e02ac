//! The bytes of a recovery archive: a header in clear, and its content, padded and sealed.
//!
//! `magic (4) || version (1) || salt (16) || check (16) || sealed content`. Key and check are derived from the recovery
//! key and the salt; the check tells a wrong key from a damaged archive, which an AEAD alone does not.

use subtle::ConstantTimeEq as _;

use super::{
    error::{ArchiveProblem, StorageError},
    seal,
};
use crate::{
    crypto::random_array,
    secret::{Secret, SecretBytes},
};

const MAGIC: [u8; 4] = *b"MLSr";
/// The only version there is: MessagePack, padded, sealed with XChaCha20-Poly1305.
const VERSION: u8 = 1;
const SALT: usize = 16;
const CHECK: usize = 16;
const HEADER: usize = MAGIC.len() + 1 + SALT + CHECK;
/// In front of the content, because padding follows it.
const LENGTH: usize = size_of::<u32>();

/// The smallest plaintext: most archives have this size and say nothing about their number of groups.
const SMALLEST: usize = 16 << 10;
/// The largest plaintext, which recovering has in memory.
const LARGEST: usize = 64 << 20;

/// Seals `content` under a key derived from `recovery_key`.
pub(crate) fn seal(recovery_key: &Secret<32>, content: &[u8]) -> Result<Vec<u8>, StorageError> {
    let plaintext = pad(content)?;
    let salt: [u8; SALT] = random_array().map_err(|_| StorageError::Crypto)?;
    let Keys { key, check } = Keys::derive(recovery_key, &salt)?;
    let header = [&MAGIC[..], &[VERSION], &salt, &check].concat();
    let sealed = seal::seal(&key, &associated_data(&header), &plaintext)?;
    Ok([header, sealed].concat())
}

/// The content of an archive that [`seal`] made with this key.
pub(crate) fn open(recovery_key: &Secret<32>, archive: &[u8]) -> Result<SecretBytes, StorageError> {
    let after_magic = archive.strip_prefix(&MAGIC).ok_or(ArchiveProblem::NotAnArchive)?;
    match after_magic.first() {
        Some(&VERSION) => {}
        Some(0) | None => return Err(ArchiveProblem::Damaged.into()),
        Some(_) => return Err(ArchiveProblem::TooNew.into()),
    }
    // Before anything is allocated for it.
    if archive.len() > HEADER + seal::OVERHEAD + LARGEST {
        return Err(ArchiveProblem::TooLarge.into());
    }
    let (header, sealed) = archive.split_at_checked(HEADER).ok_or(ArchiveProblem::Damaged)?;
    let (salt, found) = header
        .split_at(MAGIC.len() + 1)
        .1
        .split_at_checked(SALT)
        .ok_or(ArchiveProblem::Damaged)?;
    let Keys { key, check } = Keys::derive(recovery_key, salt)?;
    if !bool::from(check.ct_eq(found)) {
        return Err(ArchiveProblem::WrongKey.into());
    }
    seal::open(&key, &associated_data(header), sealed)
        .and_then(|plaintext| unpad(&plaintext))
        .ok_or_else(|| ArchiveProblem::Damaged.into())
}

/// What a recovery key and a salt make.
struct Keys {
    key: Secret<32>,
    check: [u8; CHECK],
}

impl Keys {
    fn derive(recovery_key: &Secret<32>, salt: &[u8]) -> Result<Self, StorageError> {
        let derive = |label: &[u8]| seal::hmac(recovery_key.expose(), &[label, salt].concat());
        let mut check = [0; CHECK];
        // Public: it stands in the header.
        check
            .iter_mut()
            .zip(derive(b"mls-mobile recovery check")?.expose())
            .for_each(|(to, from)| *to = *from);
        Ok(Self {
            key: derive(b"mls-mobile recovery seal")?,
            check,
        })
    }
}

fn associated_data(header: &[u8]) -> Vec<u8> {
    [b"mls-mobile recovery archive", header].concat()
}

/// The content behind its length, filled with zeros to the next power of two.
fn pad(content: &[u8]) -> Result<SecretBytes, StorageError> {
    let length = LENGTH + content.len();
    if length > LARGEST {
        return Err(ArchiveProblem::TooLarge.into());
    }
    // Below 2^26, so it fits.
    let prefix = (content.len() as u32).to_be_bytes();
    let mut padded = SecretBytes::new(Vec::with_capacity(length.next_power_of_two().max(SMALLEST)));
    padded.extend_from_slice(&prefix);
    padded.extend_from_slice(content);
    padded.resize(length.next_power_of_two().max(SMALLEST), 0);
    Ok(padded)
}

fn unpad(padded: &[u8]) -> Option<SecretBytes> {
    let (prefix, rest) = padded.split_first_chunk::<LENGTH>()?;
    let length = usize::try_from(u32::from_be_bytes(*prefix)).ok()?;
    Some(SecretBytes::new(rest.get(..length)?.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::{HEADER, LARGEST, SMALLEST, VERSION, open, seal};
    use crate::{
        secret::Secret,
        storage::{StorageError, error::ArchiveProblem, seal::OVERHEAD},
    };

    const KEY: [u8; 32] = [7; 32];

    fn sealed(content: &[u8]) -> Vec<u8> {
        seal(&Secret::new(KEY), content).unwrap()
    }

    fn problem(key: [u8; 32], archive: &[u8]) -> ArchiveProblem {
        match open(&Secret::new(key), archive) {
            Err(StorageError::Archive(problem)) => problem,
            other => panic!("{:?}", other.map(|content| content.len())),
        }
    }

    #[test]
    fn what_was_sealed_opens_and_never_looks_the_same() {
        for content in [&b""[..], b"content", &[9; 100_000]] {
            let archive = sealed(content);
            assert_eq!(open(&Secret::new(KEY), &archive).unwrap().as_slice(), content);
            assert_ne!(archive, sealed(content));
        }
    }

    #[test]
    fn a_size_says_only_between_which_powers_of_two_the_content_is() {
        let size = |length: usize| sealed(&vec![1; length]).len() - HEADER - OVERHEAD;
        assert_eq!(size(0), SMALLEST);
        assert_eq!(size(SMALLEST - 4), SMALLEST);
        assert_eq!(size(SMALLEST - 3), 2 * SMALLEST);
        assert_eq!(size(3 * SMALLEST), 4 * SMALLEST);
    }

    #[test]
    fn a_wrong_key_is_told_from_a_changed_or_cut_archive() {
        let archive = sealed(b"content");
        assert_eq!(problem([8; 32], &archive), ArchiveProblem::WrongKey);
        for byte in 0..HEADER + OVERHEAD + 100 {
            let mut changed = archive.clone();
            changed[byte] ^= 0x80;
            let expected = match byte {
                0..4 => ArchiveProblem::NotAnArchive,
                4 => ArchiveProblem::TooNew,
                // Salt and check are what the key is checked with.
                5..37 => ArchiveProblem::WrongKey,
                _ => ArchiveProblem::Damaged,
            };
            assert_eq!(problem(KEY, &changed), expected, "byte {byte}");
        }
        for end in (0..HEADER + 100).chain([archive.len() - 1]) {
            let expected = if end < 4 {
                ArchiveProblem::NotAnArchive
            } else {
                ArchiveProblem::Damaged
            };
            assert_eq!(problem(KEY, &archive[..end]), expected, "cut at {end}");
        }
        let longer = [archive, vec![0]].concat();
        assert_eq!(problem(KEY, &longer), ArchiveProblem::Damaged);
    }

    #[test]
    fn a_newer_version_and_a_size_without_bound_are_refused_before_the_key_is_tried() {
        let mut newer = sealed(b"content");
        newer[4] = VERSION + 1;
        assert_eq!(problem([8; 32], &newer), ArchiveProblem::TooNew);
        let mut large = sealed(b"content");
        large.resize(HEADER + OVERHEAD + LARGEST + 1, 0);
        assert_eq!(problem([8; 32], &large), ArchiveProblem::TooLarge);
        assert!(matches!(
            seal(&Secret::new(KEY), &vec![0; LARGEST]),
            Err(StorageError::Archive(ArchiveProblem::TooLarge))
        ));
    }
}
