//! MessagePack, self-describing as OpenMLS requires, with byte strings as bytes (docs/adr/0003).

use std::io;

use rmp_serde::config::BytesMode;
use serde::{Serialize, de::DeserializeOwned};

use super::error::StorageError;
use crate::secret::SecretBytes;

pub(crate) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<SecretBytes, StorageError> {
    encode_about(value, 0)
}

/// Encodes a value that is expected to take about `length` bytes.
pub(super) fn encode_about<T: Serialize + ?Sized>(
    value: &T,
    length: usize,
) -> Result<SecretBytes, StorageError> {
    let mut buffer = Buffer::with_capacity(length + FIRST_CAPACITY);
    buffer.append(value).map_err(StorageError::Encode)?;
    Ok(buffer.into_bytes())
}

/// Most values fit; larger ones grow.
const FIRST_CAPACITY: usize = 1024;

/// A buffer that leaves no plaintext in memory that it outgrows, as a plain `Vec` would.
pub(super) struct Buffer(SecretBytes);

impl Buffer {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self(SecretBytes::new(Vec::with_capacity(capacity)))
    }

    /// Encodes a value behind what is there.
    pub(super) fn append<T: Serialize + ?Sized>(
        &mut self,
        value: &T,
    ) -> Result<(), rmp_serde::encode::Error> {
        let mut serializer = rmp_serde::Serializer::new(self).with_bytes(BytesMode::ForceAll);
        value.serialize(&mut serializer)
    }

    #[inline]
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    #[inline]
    fn reserve(&mut self, more: usize) {
        let needed = self.0.len() + more;
        if needed > self.0.capacity() {
            self.grow(needed);
        }
    }

    #[cold]
    fn grow(&mut self, needed: usize) {
        let mut larger = SecretBytes::new(Vec::with_capacity(needed.max(2 * self.0.capacity())));
        larger.extend_from_slice(&self.0);
        // The old one is zeroed as it is dropped.
        self.0 = larger;
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Empties it for the next value. What was there is overwritten by that or zeroed at the end.
    pub(super) fn clear(&mut self) {
        self.0.truncate(0);
    }

    pub(super) fn into_bytes(self) -> SecretBytes {
        self.0
    }
}

impl io::Write for Buffer {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match bytes {
            // rmp-serde writes byte strings of OpenMLS byte by byte: no call may stand in that way.
            [byte] => {
                self.reserve(1);
                self.0.push(*byte);
            }
            _ => self.push(bytes),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A value that was sealed by this library and does not decode was damaged before it was sealed.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StorageError> {
    rmp_serde::from_slice(bytes).map_err(|_| StorageError::Corrupt)
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::{decode, encode};

    #[derive(Serialize)]
    struct Before {
        bytes: Vec<u8>,
    }

    #[derive(Deserialize, Debug, PartialEq)]
    struct After {
        bytes: Vec<u8>,
        #[serde(default)]
        appended: Option<u32>,
    }

    #[test]
    fn a_field_appended_with_a_default_reads_old_values() {
        let old = encode(&Before { bytes: vec![1, 2, 3] }).unwrap();
        let new: After = decode(&old).unwrap();
        assert_eq!(
            new,
            After {
                bytes: vec![1, 2, 3],
                appended: None
            }
        );
    }

    #[test]
    fn byte_vectors_cost_their_length_and_a_short_header() {
        let encoded = encode(&Before {
            bytes: vec![200; 1000],
        })
        .unwrap();
        assert!(encoded.len() <= 1004, "{}", encoded.len());
    }

    #[test]
    fn damaged_bytes_are_an_error() {
        assert!(decode::<After>(&[0x91, 0xc4]).is_err());
    }
}
