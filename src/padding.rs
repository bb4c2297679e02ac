//! How long messages are made, so that their length says little (docs/adr/0018).

use std::ops::RangeInclusive;

/// How PrivateMessages are padded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Padding {
    Off,
    /// To a multiple of this many bytes.
    Block(u32),
    /// To one of few lengths, see [`bucket`].
    Buckets,
}

pub(crate) const BLOCKS: RangeInclusive<u32> = 1..=1 << 16;

/// The smallest bucket: a short text and a long one look alike.
const LEAST_BUCKET: usize = 256;
/// Commits and proposals are padded to a multiple, because OpenMLS tells their length only when they are made.
const HANDSHAKE_BLOCK: usize = 512;

/// What a PrivateMessage holds besides the plaintext and its length: an Ed25519 signature with its length, which every
/// suite of ours has, and the AEAD's tag.
const OVERHEAD: usize = 2 + 64 + 16;

impl Padding {
    /// OpenMLS's setting for the group: what no application message is made with has a multiple.
    pub(crate) fn block(self) -> usize {
        match self {
            Self::Off => 0,
            Self::Block(size) => size as usize,
            Self::Buckets => HANDSHAKE_BLOCK,
        }
    }
}

/// The bucket of an application message with a plaintext of this length. OpenMLS pads to a multiple, and the first
/// multiple of a length that is not smaller is that length.
pub(crate) fn bucket_of_plaintext(length: usize) -> usize {
    // opaque application_data<V> (RFC 9420, sections 2.1.2 and 6)
    let prefix = match length {
        0..0x40 => 1,
        0x40..0x4000 => 2,
        _ => 4,
    };
    bucket(prefix + length + OVERHEAD)
}

/// The least length, not smaller than `length`, of which only the leading bits vary: by the rule of Padmé, and never
/// finer than the smallest bucket.
fn bucket(length: usize) -> usize {
    let exponent = length.max(2).ilog2();
    let fixed_bits = exponent - (exponent.ilog2() + 1).min(exponent);
    length
        .next_multiple_of(LEAST_BUCKET.max(1 << fixed_bits))
        .max(LEAST_BUCKET)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_bucket_costs_at_most_a_sixteenth_or_the_smallest_bucket() {
        for length in (0..100_000).chain((100_000..1 << 24).step_by(997)) {
            let padded = bucket(length);
            assert!(padded >= length.max(LEAST_BUCKET), "{length}");
            assert!(
                padded - length < LEAST_BUCKET.max(length / 16 + 1) || length == 0,
                "{length}: {padded}"
            );
        }
    }

    #[test]
    fn a_bucket_is_its_own_and_buckets_grow_with_the_length() {
        let buckets: Vec<usize> = (1..1 << 18).map(bucket).collect();
        assert!(buckets.is_sorted());
        let distinct: BTreeSet<usize> = buckets.into_iter().collect();
        assert!(distinct.iter().all(|padded| bucket(*padded) == *padded));
        // 256 to 8192 by 256, then sixteen in each doubling, and 32 from 64 KiB on.
        assert_eq!(distinct.len(), 32 + 3 * 16 + 2 * 32);
    }
}
