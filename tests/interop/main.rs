//! One group of phones with this library and of peers with mls-rs: whatever one of them does, all others can follow,
//! and after each epoch they agree.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

#[path = "../common/mod.rs"]
mod common;

mod commits;
mod context_extensions;
mod control;
mod custom_proposals;
mod external;
mod grease;
mod joins;
mod messages;
mod own_proposals;
mod party;
mod peer;
mod proposals;
mod proposing;
mod psks;
mod resync;
mod room;
mod swaps;

use mls_mobile::Ciphersuite;

/// What a scenario is run with.
#[derive(Clone, Copy, Debug)]
struct Way {
    suite: Ciphersuite,
    /// Commits and proposals of this library are PublicMessages.
    ours_public: bool,
    /// Those of mls-rs are.
    theirs_public: bool,
    /// The ratchet tree does not travel in the Welcome.
    tree_outside: bool,
}

const SUITES: [Ciphersuite; 2] = [
    Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519,
    Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519,
];

/// Runs a scenario in each suite with private and with public handshakes of each side, and with the tree in each
/// place. (false, true) are the defaults of both.
fn in_all_ways(scenario: impl Fn(Way)) {
    for (suite, handshakes) in [
        (SUITES[0], [(false, false), (true, true)]),
        (SUITES[1], [(false, true), (true, false)]),
    ] {
        for (ours_public, theirs_public) in handshakes {
            scenario(Way {
                suite,
                ours_public,
                theirs_public,
                tree_outside: ours_public,
            });
        }
    }
}

/// As [`in_all_ways`], each with the tree in both places.
fn in_both_tree_places(scenario: impl Fn(Way)) {
    in_all_ways(|way| {
        for tree_outside in [false, true] {
            scenario(Way { tree_outside, ..way });
        }
    });
}
