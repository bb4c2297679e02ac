//! How a client and its groups are set up.

use super::{Extension, ExternalSender, GroupId, LeafNodeOptions, RequiredCapabilities, commits::infos};
use crate::{
    error::{ArgumentProblem, Error},
    group::creation::{self, Creation},
    padding,
    policy::{self, GroupSettings},
};

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
    /// What this device's leaves say, where nothing else is given: in key packages, groups that are created, and
    /// external joins.
    #[uniffi(default = None)]
    pub leaf_node: Option<LeafNodeOptions>,
    /// How long key packages may live; without it the defaults hold.
    #[uniffi(default = None)]
    pub lifetimes: Option<Lifetimes>,
}

/// How long key packages may live, this device's and those from elsewhere (RFC 9420, section 7.2), and how wrong
/// clocks may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct Lifetimes {
    /// The longest lifetime that is made or accepted, at most ten years. The default is 366 days.
    #[uniffi(default = 31622400)]
    pub maximum_lifetime_seconds: u64,
    /// How far in the past a lifetime of this device begins, so that members whose clocks are behind accept it; at most
    /// a day. What others made is held to the present by every member, and must be (docs/adr/0018).
    #[uniffi(default = 3600)]
    pub clock_skew_seconds: u64,
}

impl Default for Lifetimes {
    fn default() -> Self {
        let lifetimes = policy::Lifetimes::default();
        Self {
            maximum_lifetime_seconds: lifetimes.maximum_seconds,
            clock_skew_seconds: lifetimes.clock_skew_seconds,
        }
    }
}

impl From<&Lifetimes> for policy::Lifetimes {
    fn from(lifetimes: &Lifetimes) -> Self {
        Self {
            maximum_seconds: lifetimes.maximum_lifetime_seconds,
            clock_skew_seconds: lifetimes.clock_skew_seconds,
        }
    }
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
            .field("lifetimes", &self.lifetimes)
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
            leaf_node: None,
            lifetimes: None,
        }
    }
}

/// How PrivateMessages are padded, so that their length says less. What it costs: docs/adr/0018.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum Padding {
    /// Not at all: the delivery service sees how long each message is.
    Off,
    /// To a multiple of so many bytes.
    Block {
        /// 1 to 65,536.
        size: u32,
    },
    /// Application messages to one of few lengths: 256 bytes, or a multiple of it whose step grows with the length, so that
    /// no message grows by more than 255 bytes or a sixteenth. Commits and proposals to a multiple of 512 bytes.
    Buckets,
}

impl From<Padding> for padding::Padding {
    fn from(padding: Padding) -> Self {
        match padding {
            Padding::Off => Self::Off,
            Padding::Block { size } => Self::Block(size),
            Padding::Buckets => Self::Buckets,
        }
    }
}

/// How a group behaves on this device, in which members may differ and which `configure` can change; and what holds from
/// its creation on, which `configure` refuses.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct GroupConfig {
    /// At creation only: 1 to 255 bytes; random if absent.
    #[uniffi(default = None)]
    pub group_id: Option<GroupId>,
    /// Send Commits and proposals as PublicMessage, which the delivery service can read. Both kinds are accepted.
    #[uniffi(default = false)]
    pub public_handshakes: bool,
    /// How messages are padded; `Buckets` if absent.
    #[uniffi(default = None)]
    pub padding: Option<Padding>,
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
    /// Epochs whose resumption secret is kept, the current one included, at most 64: chosen when a Welcome is joined,
    /// and `configure` does not change it. Who makes a group, or joins it by an external Commit, keeps 32 whatever this
    /// says (OpenMLS 0.9.2). Count on the current epoch and `resumption_psks - 2` before it (of 1, on the current one):
    /// when the list is full for the first time, the second oldest goes before the oldest. Name an epoch in `propose_psk`
    /// that every member keeps.
    #[uniffi(default = 3)]
    pub resumption_psks: u32,
    /// Put the ratchet tree into Welcome and GroupInfo. Without it the app delivers the tree itself.
    #[uniffi(default = true)]
    pub ratchet_tree_in_welcome: bool,

    /// At creation only: what the creator's leaf says; the client's `leaf_node` if absent.
    #[uniffi(default = None)]
    pub leaf_node: Option<LeafNodeOptions>,
    /// At creation only: seconds that the creator's leaf may live without an update, limited as those of key packages. The
    /// default is 12 weeks.
    #[uniffi(default = None)]
    pub lifetime_seconds: Option<u64>,
    /// At creation only: what every member must support, the creator first; later
    /// `update_group_context_extensions` with `required_capabilities_extension`.
    #[uniffi(default = None)]
    pub required_capabilities: Option<RequiredCapabilities>,
    /// At creation only: extensions of the GroupContext that the app gives a meaning to. Their types are added to the
    /// required capabilities: every member must support them (RFC 9420, section 12.1.7). Later
    /// `update_group_context_extensions`.
    #[uniffi(default)]
    pub extensions: Vec<Extension>,
    /// At creation only: the servers that may propose (RFC 9420, section 12.1.8.1); later
    /// `update_group_context_extensions` with `external_senders_extension`.
    #[uniffi(default)]
    pub external_senders: Vec<ExternalSender>,
}

impl Default for GroupConfig {
    fn default() -> Self {
        let settings = GroupSettings::default();
        Self {
            group_id: None,
            public_handshakes: settings.public_handshakes,
            padding: None,
            max_past_epochs: settings.max_past_epochs,
            past_epoch_lifetime_seconds: settings.past_epoch_lifetime_seconds,
            out_of_order_tolerance: settings.out_of_order_tolerance,
            maximum_forward_distance: settings.maximum_forward_distance,
            resumption_psks: settings.resumption_psks,
            ratchet_tree_in_welcome: settings.ratchet_tree_in_welcome,
            leaf_node: None,
            lifetime_seconds: None,
            required_capabilities: None,
            extensions: Vec::new(),
            external_senders: Vec::new(),
        }
    }
}

impl GroupConfig {
    /// Refuses what only a group that is being created can have.
    pub(super) fn check_local(&self) -> Result<(), Error> {
        let at_creation = [
            ("leaf_node", self.leaf_node.is_some()),
            ("lifetime_seconds", self.lifetime_seconds.is_some()),
            ("required_capabilities", self.required_capabilities.is_some()),
            ("extensions", !self.extensions.is_empty()),
            ("external_senders", !self.external_senders.is_empty()),
        ];
        self.check_no_id()?;
        match at_creation.into_iter().find(|(_, given)| *given) {
            Some((argument, _)) => Err(only_at_creation(argument)),
            None => Ok(()),
        }
    }

    /// Refuses an id that two groups would have.
    pub(super) fn check_no_id(&self) -> Result<(), Error> {
        match self.group_id {
            Some(_) => Err(only_at_creation("group_id")),
            None => Ok(()),
        }
    }
}

fn only_at_creation(argument: &'static str) -> Error {
    Error::Argument {
        argument,
        problem: ArgumentProblem::OnlyAtCreation,
    }
}

/// Keys and credentials as the layer below has them.
pub(super) fn senders(senders: Vec<ExternalSender>) -> Result<Vec<creation::ExternalSender>, Error> {
    senders
        .into_iter()
        .map(|sender| Ok((sender.signature_key, sender.credential.into_mls()?)))
        .collect()
}

impl TryFrom<GroupConfig> for Creation {
    type Error = Error;

    fn try_from(config: GroupConfig) -> Result<Self, Error> {
        let creation = Self {
            leaf_node: config.leaf_node.map(Into::into),
            lifetime_seconds: config.lifetime_seconds.unwrap_or(policy::DEFAULT_LIFETIME),
            required: config.required_capabilities.unwrap_or_default().into(),
            extensions: infos(config.extensions),
            external_senders: senders(config.external_senders)?,
        };
        creation.check()?;
        Ok(creation)
    }
}

impl From<&GroupConfig> for GroupSettings {
    fn from(config: &GroupConfig) -> Self {
        Self {
            public_handshakes: config.public_handshakes,
            padding: config.padding.map_or(padding::Padding::Buckets, Into::into),
            max_past_epochs: config.max_past_epochs,
            past_epoch_lifetime_seconds: config.past_epoch_lifetime_seconds,
            out_of_order_tolerance: config.out_of_order_tolerance,
            maximum_forward_distance: config.maximum_forward_distance,
            resumption_psks: config.resumption_psks,
            ratchet_tree_in_welcome: config.ratchet_tree_in_welcome,
        }
    }
}
