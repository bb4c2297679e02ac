//! Damage with a fixed seed: what transport, attackers and mistakes do to bytes.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "a module of tests, each of which uses a part of it"
)]

/// xorshift64*: the same numbers on every machine, and no dependency.
pub struct Random(u64);

impl Random {
    pub fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `limit`, which is at least 1.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }
}

/// How each input was made, and the input.
pub type Mutations = Vec<(String, Vec<u8>)>;

/// `random` damaged copies of `original`, all its prefixes (at most 400 of them), every bit of its head
/// flipped, and
/// `others` alone and joined with it.
pub fn mutations(original: &[u8], others: &[Vec<u8>], random: usize) -> Mutations {
    let mut random_numbers = Random::new();
    let mut all = cuts(original);
    all.extend(head(original));
    all.extend(foreign(original, others));
    for round in 0..random {
        let (how, bytes) = damaged(original, others, &mut random_numbers);
        all.push((format!("round {round}: {how}"), bytes));
    }
    all
}

fn cuts(original: &[u8]) -> Mutations {
    let step = original.len().div_ceil(400).max(1);
    (0..original.len())
        .step_by(step)
        .map(|length| (format!("cut at {length}"), original[..length].to_vec()))
        .collect()
}

/// Version, wire format, group id, epoch, content type and the first lengths are within the first bytes.
fn head(original: &[u8]) -> Mutations {
    (0..original.len().min(48) * 8)
        .map(|bit| {
            let mut bytes = original.to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            (format!("bit {bit} flipped"), bytes)
        })
        .collect()
}

fn foreign(original: &[u8], others: &[Vec<u8>]) -> Mutations {
    let mut all: Mutations = Vec::new();
    for (index, other) in others.iter().enumerate() {
        all.push((format!("message of kind {index}"), other.clone()));
        all.push((format!("kind {index} behind it"), [original, other].concat()));
        all.push((format!("kind {index} before it"), [other, original].concat()));
    }
    all.push(("twice".to_owned(), [original, original].concat()));
    all.push((
        "a megabyte behind it".to_owned(),
        [original, &[0; 1 << 20]].concat(),
    ));
    all.push(("zeros".to_owned(), vec![0; original.len()]));
    all.push(("ones".to_owned(), vec![0xff; original.len()]));
    all
}

/// A damaged copy, and how it was made.
pub fn damaged(original: &[u8], others: &[Vec<u8>], random: &mut Random) -> (&'static str, Vec<u8>) {
    let mut bytes = original.to_vec();
    let at = random.below(bytes.len());
    match random.below(9) {
        0 => {
            bytes[at] ^= 1 << random.below(8);
            ("one bit", bytes)
        }
        1 => {
            for _ in 0..=random.below(8) {
                let at = random.below(bytes.len());
                bytes[at] = random.next() as u8;
            }
            ("some bytes", bytes)
        }
        2 => {
            // Lengths are variable-size integers whose first two bits say how long they are (RFC 9420,
            // 2.1.2).
            bytes[at] = [0x00, 0x3f, 0x40, 0x7f, 0x80, 0xbf, 0xc0, 0xff][random.below(8)];
            ("a length's limit", bytes)
        }
        3 => {
            let other = random.below(bytes.len());
            bytes.swap(at, other);
            ("two bytes swapped", bytes)
        }
        4 => {
            let length = 1 + random.below(16);
            let inserted = random.bytes(length);
            bytes.splice(at..at, inserted);
            ("inserted", bytes)
        }
        5 => {
            let end = (at + 1 + random.below(16)).min(bytes.len());
            bytes.drain(at..end);
            ("taken out", bytes)
        }
        6 => {
            let end = (at + 1 + random.below(32)).min(bytes.len());
            let copied = bytes[at..end].to_vec();
            bytes.splice(at..at, copied);
            ("a part twice", bytes)
        }
        7 => {
            let other = &others[random.below(others.len())];
            let from = random.below(other.len());
            bytes.truncate(at);
            bytes.extend_from_slice(&other[from..]);
            ("spliced with another kind", bytes)
        }
        _ => {
            let length = random.below(2 * bytes.len());
            // Half of them with the head of the original, so that they get past the first check.
            let mut noise = random.bytes(length);
            let kept = if random.below(2) == 0 {
                0
            } else {
                4.min(noise.len()).min(bytes.len())
            };
            noise[..kept].copy_from_slice(&bytes[..kept]);
            ("noise", noise)
        }
    }
}
