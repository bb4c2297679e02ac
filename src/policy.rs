//! Every choice that MLS leaves to the application, in one place.

use std::time::{SystemTime, UNIX_EPOCH};

use openmls::{
    group::{MlsGroupCreateConfig, MlsGroupCreateConfigBuilder, MlsGroupJoinConfig},
    prelude::{
        Lifetime, MIXED_CIPHERTEXT_WIRE_FORMAT_POLICY, MIXED_PLAINTEXT_WIRE_FORMAT_POLICY,
        SenderRatchetConfiguration, WireFormatPolicy,
    },
};
use openmls_traits::types::Ciphersuite;

use crate::{
    error::{ArgumentProblem, Error},
    padding::{self, Padding},
};

/// Suites that libcrux computes: 0x0001, 0x0003 and, as a draft, X-Wing 0x004D. Stated here because OpenMLS's own
/// default list promises suites that no provider has.
pub(crate) const CIPHERSUITES: [Ciphersuite; 3] = [
    Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519,
    Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519,
    Ciphersuite::MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519,
];

const DAY: u64 = 24 * 60 * 60;

/// Lifetime of a key package, and of the leaf of who creates a group, unless the app says otherwise: 12 weeks.
pub(crate) const DEFAULT_LIFETIME: u64 = 84 * DAY;

/// Key packages made in one call. A thousand take about 0.2 s.
pub(crate) const MAX_KEY_PACKAGES: u32 = 1000;

/// Queued proposals of which a Commit tries every one, if they cannot be carried out all together.
pub(crate) const MAX_TRIED_PROPOSALS: usize = 64;

/// The largest epoch: SQLite's integers are signed.
pub(crate) const MAX_EPOCH: u64 = i64::MAX as u64;
/// The largest epoch that is joined: a group has room to go on from there, and no honest one ever comes so far.
pub(crate) const MAX_JOINED_EPOCH: u64 = MAX_EPOCH >> 1;
/// How far ahead of the group's epoch a message may be to be kept for later: beyond that it is no message of the
/// group's near future.
pub(crate) const MAX_EPOCHS_AHEAD: u64 = 1024;

/// Proposals that a group queues, and how many of them come from one sender: all are in memory with the group.
pub(crate) const MAX_QUEUED_PROPOSALS: usize = 1024;
pub(crate) const MAX_QUEUED_OF_A_SENDER: usize = 64;
/// The largest proposal that is queued: a key package fits.
pub(crate) const MAX_PROPOSAL: usize = 512 << 10;

/// The largest message that is looked at: a Welcome with the tree of 50,000 members fits.
pub(crate) const MAX_MESSAGE: usize = 32 << 20;
/// The largest key package that is looked at: post-quantum keys and a certificate chain fit.
pub(crate) const MAX_KEY_PACKAGE: usize = 256 << 10;
/// The largest plaintext, so that its ciphertext is never refused by a peer.
pub(crate) const MAX_PLAINTEXT: usize = 16 << 20;
/// Longest credential: a certificate chain fits, and it travels in every leaf of the tree.
pub(crate) const MAX_CREDENTIAL: usize = 64 << 10;
/// Longest application id and extensions of a leaf, together: they travel as a credential does.
pub(crate) const MAX_LEAF_EXTENSIONS: usize = 64 << 10;
/// Longest authenticated data, label or context.
pub(crate) const MAX_DATA: usize = 1 << 20;
/// Longest name of a PSK: every Commit that mixes it in carries it.
pub(crate) const MAX_PSK_ID: usize = 1024;
/// Longest PSK: a post-quantum shared secret is 32 bytes, and what is longer was not hashed.
pub(crate) const MAX_PSK: usize = 64 << 10;
/// PSKs in one external Commit.
pub(crate) const MAX_PSKS: usize = 64;
/// HKDF-Expand gives at most 255 blocks of 32 bytes (RFC 5869, section 2.3).
pub(crate) const MAX_EXPORT: u32 = 255 * 32;
/// Most past epochs whose message keys a group keeps: each has a secret tree and a list of the members.
pub(crate) const MAX_PAST_EPOCHS: u32 = 32;
/// How long those keys outlive their epoch unless the app says otherwise.
pub(crate) const DEFAULT_PAST_EPOCH_LIFETIME: u64 = 7 * DAY;
/// Beyond a year nothing is late any more, and forward secrecy has no end.
const MAX_PAST_EPOCH_LIFETIME: u64 = 366 * DAY;

/// Longest group id. RFC 9420 sets no limit; delivery services want one.
pub(crate) const MAX_GROUP_ID: usize = 255;

/// How much is kept of messages that come before their group can read them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EarlyLimits {
    pub(crate) messages_per_group: u32,
    pub(crate) bytes_per_group: u64,
    pub(crate) messages: u32,
    pub(crate) bytes: u64,
    pub(crate) age_seconds: u64,
}

impl Default for EarlyLimits {
    fn default() -> Self {
        Self {
            messages_per_group: 512,
            bytes_per_group: 8 << 20,
            messages: 4096,
            bytes: 64 << 20,
            age_seconds: 30 * DAY,
        }
    }
}

/// How a group behaves on this device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GroupSettings {
    pub(crate) public_handshakes: bool,
    pub(crate) padding: Padding,
    pub(crate) max_past_epochs: u32,
    pub(crate) past_epoch_lifetime_seconds: u64,
    pub(crate) out_of_order_tolerance: u32,
    pub(crate) maximum_forward_distance: u32,
    pub(crate) resumption_psks: u32,
    pub(crate) ratchet_tree_in_welcome: bool,
}

impl Default for GroupSettings {
    fn default() -> Self {
        Self {
            public_handshakes: false,
            padding: Padding::Buckets,
            max_past_epochs: 3,
            past_epoch_lifetime_seconds: DEFAULT_PAST_EPOCH_LIFETIME,
            out_of_order_tolerance: 64,
            maximum_forward_distance: 2000,
            resumption_psks: 3,
            ratchet_tree_in_welcome: true,
        }
    }
}

impl GroupSettings {
    /// Refuses what would exhaust a phone: each past epoch keeps a secret tree, each tolerated message a key.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if matches!(self.padding, Padding::Block(size) if !padding::BLOCKS.contains(&size)) {
            return Err(Error::Argument {
                argument: "padding",
                problem: ArgumentProblem::OutOfRange,
            });
        }
        let limits = [
            (
                "max_past_epochs",
                self.max_past_epochs.into(),
                MAX_PAST_EPOCHS.into(),
            ),
            (
                "past_epoch_lifetime_seconds",
                self.past_epoch_lifetime_seconds,
                MAX_PAST_EPOCH_LIFETIME,
            ),
            ("out_of_order_tolerance", self.out_of_order_tolerance.into(), 4096),
            (
                "maximum_forward_distance",
                self.maximum_forward_distance.into(),
                100_000,
            ),
            ("resumption_psks", self.resumption_psks.into(), 64),
        ];
        limits.into_iter().try_for_each(|(argument, value, most)| {
            if value > most {
                Err(Error::Argument {
                    argument,
                    problem: ArgumentProblem::OutOfRange,
                })
            } else {
                Ok(())
            }
        })
    }

    fn wire_format(&self) -> WireFormatPolicy {
        // Peers may send either; what we send says as little as possible to the delivery service.
        if self.public_handshakes {
            MIXED_PLAINTEXT_WIRE_FORMAT_POLICY
        } else {
            MIXED_CIPHERTEXT_WIRE_FORMAT_POLICY
        }
    }

    /// OpenMLS's settings for a group.
    pub(crate) fn join_config(&self) -> MlsGroupJoinConfig {
        MlsGroupJoinConfig::builder()
            .wire_format_policy(self.wire_format())
            .padding_size(self.padding.block())
            .max_past_epochs(self.max_past_epochs as usize)
            .number_of_resumption_psks(self.resumption_psks as usize)
            .use_ratchet_tree_extension(self.ratchet_tree_in_welcome)
            .sender_ratchet_configuration(SenderRatchetConfiguration::new(
                self.out_of_order_tolerance,
                self.maximum_forward_distance,
            ))
            .build()
    }

    /// The same for a group that is created, to be completed by what its creator chooses.
    pub(crate) fn create_config(&self) -> MlsGroupCreateConfigBuilder {
        MlsGroupCreateConfig::builder()
            .wire_format_policy(self.wire_format())
            .padding_size(self.padding.block())
            .max_past_epochs(self.max_past_epochs as usize)
            .number_of_resumption_psks(self.resumption_psks as usize)
            .use_ratchet_tree_extension(self.ratchet_tree_in_welcome)
            .sender_ratchet_configuration(SenderRatchetConfiguration::new(
                self.out_of_order_tolerance,
                self.maximum_forward_distance,
            ))
    }
}

/// How long key packages and new leaves may live, here and elsewhere: clocks and supply are the device's, not a
/// group's (docs/adr/0018).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lifetimes {
    /// The longest that is made or accepted (RFC 9420, section 7.2, asks for a limit). mls-rs makes packages that live
    /// a year.
    pub(crate) maximum_seconds: u64,
    /// How far ours start in the past, for clocks that are behind.
    pub(crate) clock_skew_seconds: u64,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            maximum_seconds: 366 * DAY,
            clock_skew_seconds: 60 * 60,
        }
    }
}

impl Lifetimes {
    /// Refuses what is no limit, and clocks that tell no time.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let refused = |argument| Error::Argument {
            argument,
            problem: ArgumentProblem::OutOfRange,
        };
        if self.clock_skew_seconds > DAY {
            return Err(refused("clock_skew_seconds"));
        }
        let possible = self.clock_skew_seconds + 1..=10 * 366 * DAY;
        if !possible.contains(&self.maximum_seconds) {
            return Err(refused("maximum_lifetime_seconds"));
        }
        Ok(())
    }

    /// A lifetime for `seconds` from now, and a little before.
    pub(crate) fn of(&self, seconds: u64) -> Result<Lifetime, Error> {
        if seconds == 0 || seconds > self.maximum_seconds.saturating_sub(self.clock_skew_seconds) {
            return Err(Error::Argument {
                argument: "lifetime_seconds",
                problem: ArgumentProblem::OutOfRange,
            });
        }
        let now = now();
        Ok(Lifetime::init(
            now.saturating_sub(self.clock_skew_seconds),
            now.saturating_add(seconds),
        ))
    }

    /// Whether a lifetime is short enough; OpenMLS checks only that it covers the present.
    pub(crate) fn accept(&self, lifetime: &Lifetime) -> bool {
        lifetime.not_after().saturating_sub(lifetime.not_before()) <= self.maximum_seconds
    }
}

/// Seconds since 1970; 0 on a clock before that.
pub(crate) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |duration| duration.as_secs())
}
