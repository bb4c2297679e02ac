//! How a client and its groups are set up.

use super::GroupId;
use crate::policy::{self, GroupSettings};

/// How to open a database. It holds data only; callbacks are arguments of `open`.
#[derive(Clone, uniffi::Record)]
pub struct ClientConfig {
    /// The file; its folder must exist. SQLite keeps `-wal` and `-shm` beside it.
    pub database_path: String,
    /// 32 random bytes that the app keeps in Keychain or Keystore. A passphrase is not a key.
    pub database_key: Vec<u8>,
    /// How long a call waits while another process writes, in milliseconds.
    #[uniffi(default = 5000)]
    pub busy_timeout_ms: u32,
    /// Keep outcomes until they are acknowledged. Without it a decrypted message is lost if the app dies before it
    /// has saved it.
    #[uniffi(default = true)]
    pub inbox: bool,
    /// For groups that are joined, and for those that are created without a configuration.
    #[uniffi(default = None)]
    pub group_defaults: Option<GroupConfig>,
    /// Refuse a file whose generation is lower: the highest that `storage_info` ever told.
    #[uniffi(default = None)]
    pub minimum_generation: Option<u64>,
    /// How much is kept of messages that come before their group can read them; without it the defaults hold.
    #[uniffi(default = None)]
    pub early_limits: Option<EarlyLimits>,
}

/// How much is kept of messages that come before their group can read them. When a limit is reached, new ones are
/// refused (`EarlyBufferFull`); what was accepted is never given up for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct EarlyLimits {
    /// Messages of one group.
    #[uniffi(default = 512)]
    pub messages_per_group: u32,
    /// Bytes of one group's.
    #[uniffi(default = 8388608)]
    pub bytes_per_group: u64,
    /// Messages of all groups.
    #[uniffi(default = 4096)]
    pub messages: u32,
    /// Bytes of all groups'.
    #[uniffi(default = 67108864)]
    pub bytes: u64,
    /// Seconds after which a message that still waits is dropped when the next one is kept; the inbox names it
    /// (`EarlyRefused`), and without an inbox none is dropped. The default is 30 days.
    #[uniffi(default = 2592000)]
    pub age_seconds: u64,
}

impl Default for EarlyLimits {
    fn default() -> Self {
        let limits = policy::EarlyLimits::default();
        Self {
            messages_per_group: limits.messages_per_group,
            bytes_per_group: limits.bytes_per_group,
            messages: limits.messages,
            bytes: limits.bytes,
            age_seconds: limits.age_seconds,
        }
    }
}

impl From<&EarlyLimits> for policy::EarlyLimits {
    fn from(limits: &EarlyLimits) -> Self {
        Self {
            messages_per_group: limits.messages_per_group,
            bytes_per_group: limits.bytes_per_group,
            messages: limits.messages,
            bytes: limits.bytes,
            age_seconds: limits.age_seconds,
        }
    }
}

/// The key is not for logs.
impl std::fmt::Debug for ClientConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientConfig")
            .field("busy_timeout_ms", &self.busy_timeout_ms)
            .field("inbox", &self.inbox)
            .field("group_defaults", &self.group_defaults)
            .field("minimum_generation", &self.minimum_generation)
            .field("early_limits", &self.early_limits)
            .finish_non_exhaustive()
    }
}

impl ClientConfig {
    /// A configuration with every default.
    pub fn new(database_path: impl Into<String>, database_key: [u8; 32]) -> Self {
        Self {
            database_path: database_path.into(),
            database_key: database_key.to_vec(),
            busy_timeout_ms: 5000,
            inbox: true,
            group_defaults: None,
            minimum_generation: None,
            early_limits: None,
        }
    }
}

/// How a group behaves on this device. Members may differ in all of it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct GroupConfig {
    /// For `create_group` only: 1 to 255 bytes; random if absent.
    #[uniffi(default = None)]
    pub group_id: Option<GroupId>,
    /// Send Commits and proposals as PublicMessage, which the delivery service can read. Both kinds are accepted.
    #[uniffi(default = false)]
    pub public_handshakes: bool,
    /// Pad messages to a multiple of this many bytes, so that their length says less; 0 for no padding.
    #[uniffi(default = 64)]
    pub padding_block: u32,
    /// Past epochs whose late messages can still be decrypted, at most 32.
    #[uniffi(default = 3)]
    pub max_past_epochs: u32,
    /// Seconds that the keys of a past epoch outlive its end, at most 366 days; 0 to keep none. They are deleted when
    /// the group is used or a batch ends after that time, not by a clock. The default is 7 days.
    #[uniffi(default = 604800)]
    pub past_epoch_lifetime_seconds: u64,
    /// Keys kept for messages of a sender that were overtaken, at most 4096.
    #[uniffi(default = 64)]
    pub out_of_order_tolerance: u32,
    /// How far ahead of the last message of its sender a message may be, at most 100,000.
    #[uniffi(default = 2000)]
    pub maximum_forward_distance: u32,
    /// Epochs whose resumption secret is kept, the current one included, at most 64: chosen when the group is joined,
    /// `configure` does not change it, and who makes a group keeps 32 whatever this says (OpenMLS 0.9.2). Count on the
    /// current epoch and `resumption_psks - 2` before it (of 1, on the current one): when the list is full for the first
    /// time, the second oldest goes before the oldest. Name an epoch in `propose_psk` that every member keeps.
    #[uniffi(default = 3)]
    pub resumption_psks: u32,
    /// Put the ratchet tree into Welcome and GroupInfo. Without it the app delivers the tree itself.
    #[uniffi(default = true)]
    pub ratchet_tree_in_welcome: bool,
}

impl Default for GroupConfig {
    fn default() -> Self {
        let settings = GroupSettings::default();
        Self {
            group_id: None,
            public_handshakes: settings.public_handshakes,
            padding_block: settings.padding_block,
            max_past_epochs: settings.max_past_epochs,
            past_epoch_lifetime_seconds: settings.past_epoch_lifetime_seconds,
            out_of_order_tolerance: settings.out_of_order_tolerance,
            maximum_forward_distance: settings.maximum_forward_distance,
            resumption_psks: settings.resumption_psks,
            ratchet_tree_in_welcome: settings.ratchet_tree_in_welcome,
        }
    }
}

impl From<&GroupConfig> for GroupSettings {
    fn from(config: &GroupConfig) -> Self {
        Self {
            public_handshakes: config.public_handshakes,
            padding_block: config.padding_block,
            max_past_epochs: config.max_past_epochs,
            past_epoch_lifetime_seconds: config.past_epoch_lifetime_seconds,
            out_of_order_tolerance: config.out_of_order_tolerance,
            maximum_forward_distance: config.maximum_forward_distance,
            resumption_psks: config.resumption_psks,
            ratchet_tree_in_welcome: config.ratchet_tree_in_welcome,
        }
    }
}
