//! The official test vectors of the MLS working group: bytes in, bytes out. CONTRIBUTING.md says where they come from and
//! how to run them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

#[path = "../common/mod.rs"]
mod common;

mod external;
mod file;
mod messages;
mod other_suites;
mod passive;
mod refused;
mod welcome;

use mls_mobile::Ciphersuite;

/// The suites of the vectors that this library computes.
const SUITES: [Ciphersuite; 2] = [
    Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519,
    Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519,
];

/// How many suites the vectors have.
const ALL_SUITES: u16 = 7;

fn number(suite: Ciphersuite) -> u16 {
    match suite {
        Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519 => 1,
        Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519 => 3,
        Ciphersuite::MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519 => panic!("no vectors have X-Wing"),
    }
}

/// These bytes with one of their bits changed.
fn with_a_bit_changed(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 1;
    bytes
}
