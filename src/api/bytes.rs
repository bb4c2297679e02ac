//! Bytes that cross to other languages in one piece. uniffi 0.32 writes and reads a `Vec<u8>` byte by byte, which took
//! longer than encrypting it (docs/performance.md).

use std::{fmt, ops::Deref};

use uniffi::{
    FfiConverter, MetadataBuffer, RustBuffer, TypeId, check_remaining,
    deps::anyhow::{Result, ensure},
};

use crate::UniFfiTag;

/// Bytes, such as those of a message. In Rust they are as good as the `Vec<u8>` that they are made of and become.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bytes(pub Vec<u8>);

/// Before the bytes stands how many they are.
const LENGTH: usize = 4;

// SAFETY: what is written and read is what uniffi writes and reads for a `Vec<u8>`, which is what the other languages are
// told that it is; a test compares them.
unsafe impl FfiConverter<UniFfiTag> for Bytes {
    type FfiType = RustBuffer;

    const TYPE_ID_META: MetadataBuffer = <Vec<u8> as TypeId<UniFfiTag>>::TYPE_ID_META;

    fn lower(bytes: Self) -> RustBuffer {
        let mut buffer = Vec::new();
        Self::write(bytes, &mut buffer);
        RustBuffer::from_vec(buffer)
    }

    /// What it was given is its own: only the length goes.
    fn try_lift(buffer: RustBuffer) -> Result<Self> {
        let mut bytes = buffer.destroy_into_vec();
        let count = length(&mut bytes.as_slice())?;
        ensure!(
            bytes.len() - LENGTH == count,
            "{count} bytes were announced, and others came"
        );
        bytes.drain(..LENGTH);
        Ok(Self(bytes))
    }

    #[expect(
        clippy::expect_used,
        reason = "uniffi panics too, and no language has larger arrays"
    )]
    fn write(Self(bytes): Self, buffer: &mut Vec<u8>) {
        let count = i32::try_from(bytes.len()).expect("bytes for an array");
        buffer.reserve(LENGTH + bytes.len());
        buffer.extend_from_slice(&count.to_be_bytes());
        buffer.extend_from_slice(&bytes);
    }

    fn try_read(buffer: &mut &[u8]) -> Result<Self> {
        let count = length(buffer)?;
        check_remaining(buffer, count)?;
        let (bytes, rest) = buffer.split_at(count);
        *buffer = rest;
        Ok(Self(bytes.to_vec()))
    }
}

uniffi::derive_ffi_traits!(local Bytes);

fn length(buffer: &mut &[u8]) -> Result<usize> {
    check_remaining(buffer, LENGTH)?;
    let (length, rest) = buffer.split_at(LENGTH);
    *buffer = rest;
    Ok(i32::from_be_bytes(length.try_into()?).try_into()?)
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<Bytes> for Vec<u8> {
    fn from(bytes: Bytes) -> Self {
        bytes.0
    }
}

impl Deref for Bytes {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl<T: AsRef<[u8]> + ?Sized> PartialEq<T> for Bytes {
    fn eq(&self, other: &T) -> bool {
        self.0 == other.as_ref()
    }
}

/// As the `Vec<u8>`.
impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use uniffi::{Lift, Lower};

    use super::*;

    fn written<T: Lower<UniFfiTag>>(value: T) -> Vec<u8> {
        let mut buffer = b"before".to_vec();
        T::write(value, &mut buffer);
        buffer
    }

    #[test]
    fn bytes_cross_as_uniffi_lets_a_vec_cross() {
        assert_eq!(
            <Bytes as TypeId<UniFfiTag>>::TYPE_ID_META.as_ref(),
            <Vec<u8> as TypeId<UniFfiTag>>::TYPE_ID_META.as_ref()
        );
        for bytes in [vec![], vec![0], vec![255; 300], (0..=255).collect()] {
            assert_eq!(written(Bytes(bytes.clone())), written(bytes.clone()));
            let lowered = <Vec<u8> as Lower<UniFfiTag>>::lower(bytes.clone());
            assert_eq!(<Bytes as Lift<UniFfiTag>>::try_lift(lowered).unwrap(), bytes);
            let lowered = <Bytes as Lower<UniFfiTag>>::lower(Bytes(bytes.clone()));
            assert_eq!(<Vec<u8> as Lift<UniFfiTag>>::try_lift(lowered).unwrap(), bytes);
            let both = [written(bytes.clone()), b"after".to_vec()].concat();
            let mut rest = &both[b"before".len()..];
            assert_eq!(<Bytes as Lift<UniFfiTag>>::try_read(&mut rest).unwrap(), bytes);
            assert_eq!(rest, b"after");
        }
    }

    #[test]
    fn bytes_that_are_not_as_many_as_announced_are_refused() {
        for wrong in [
            &b""[..],
            b"\0\0\0",
            b"\0\0\0\x02a",
            b"\0\0\0\0a",
            b"\xff\xff\xff\xffa",
        ] {
            let buffer = RustBuffer::from_vec(wrong.to_vec());
            assert!(<Bytes as Lift<UniFfiTag>>::try_lift(buffer).is_err(), "{wrong:?}");
        }
        for wrong in [&b""[..], b"\0\0\0", b"\0\0\0\x02a", b"\xff\xff\xff\xffa"] {
            assert!(
                <Bytes as Lift<UniFfiTag>>::try_read(&mut &*wrong).is_err(),
                "{wrong:?}"
            );
        }
    }
}
