//! What travels as JSON between the delivery service and its clients. Bytes are base64url without padding.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The media type of a single MLSMessage (RFC 9420, section 17.7).
pub const MLS_MEDIA_TYPE: &str = "message/mls";

/// The header that carries a group's join secret.
pub const JOIN_SECRET_HEADER: &str = "mls-join-secret";

/// Bytes in JSON and in paths.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bytes(pub Vec<u8>);

impl Bytes {
    /// Reads the text form; `None` if it is not base64url without padding.
    pub fn from_text(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok().map(Self)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&URL_SAFE_NO_PAD.encode(&self.0))
    }
}

/// The length only: some bytes are secrets.
impl fmt::Debug for Bytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} bytes", self.0.len())
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_text(&text).ok_or_else(|| de::Error::custom("not base64url without padding"))
    }
}

/// The id of the device with this public signature key: its SHA-256. Who sees a member's leaf can address the member's
/// device.
pub fn device_id(signature_key: &[u8]) -> Bytes {
    let digest = ring::digest::digest(&ring::digest::SHA256, signature_key);
    Bytes(digest.as_ref().to_vec())
}

/// What a device must sign to be registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Challenge {
    /// Random bytes of the service.
    pub challenge: Bytes,
    /// Seconds until it is worthless.
    pub expires_in: u64,
}

/// Asks for a token for a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// A key package of the device whose leaf has the challenge for its application id (RFC 9420, section 5.3.3): so the
    /// signature key signs the challenge, and only as part of something that is never published.
    pub proof: Bytes,
}

/// A device's token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registered {
    /// The device's id: [`device_id`] of its signature key.
    pub device: Bytes,
    /// Goes into `Authorization: Bearer`. It is shown this once; earlier ones of the device are worthless now.
    pub token: String,
    /// Seconds until it is worthless.
    pub expires_in: u64,
}

/// Key packages for others to claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publish {
    /// Each one as an MLSMessage.
    pub key_packages: Vec<Bytes>,
}

/// How many key packages of a suite wait to be claimed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stock {
    /// The suite's number.
    pub ciphersuite: u16,
    /// Unexpired ones that are given out once each.
    pub single_use: u64,
    /// Whether there is an unexpired one for when all others are gone.
    pub last_resort: bool,
}

/// How many key packages wait to be claimed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stocks {
    /// One entry a suite that there is anything of.
    pub suites: Vec<Stock>,
}

/// Makes a group known; its creator is its only device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateGroup {
    /// The group's id.
    pub group: Bytes,
    /// The epoch it is in.
    pub epoch: u64,
    /// The SHA-256 of a secret that lets its holder join by itself; without one nobody can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join_secret_hash: Option<Bytes>,
}

/// A Commit and what goes with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submit {
    /// The Commit, as an MLSMessage.
    pub commit: Bytes,
    /// Devices that it adds: they get the Welcome now, and later messages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<Bytes>,
    /// Devices that it removes: they get this Commit, and nothing afterwards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<Bytes>,
    /// The Welcome for the added devices, as an MLSMessage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub welcome: Option<Bytes>,
    /// What those who join by themselves need, if it is at hand already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_info: Option<PublishedGroupInfo>,
    /// Another join secret from now on; its SHA-256. Empty bytes: nobody can join by itself any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join_secret_hash: Option<Bytes>,
}

/// What those who join by themselves need.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedGroupInfo {
    /// The GroupInfo, as an MLSMessage, without a ratchet tree: that is a list of the members.
    pub group_info: Bytes,
    /// The ratchet tree, encrypted by the members for those who may join.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed_ratchet_tree: Option<Bytes>,
}

/// What the service did with a Commit or a message that it took.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// The epoch that the group is in now.
    pub epoch: u64,
    /// The same bytes were taken before; nothing was done again.
    #[serde(default)]
    pub duplicate: bool,
    /// Added devices that are not registered: nothing reaches them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown_devices: Vec<Bytes>,
}

/// A group as the service sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupStatus {
    /// The epoch that the next Commit must be of.
    pub epoch: u64,
    /// Devices that its messages go to.
    pub devices: Vec<Bytes>,
}

/// What is in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// For the user.
    Application,
    /// Asks for a change.
    Proposal,
    /// Makes changes.
    Commit,
    /// Invites this device.
    Welcome,
}

/// A message in a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// Its place in the queue, growing by one.
    pub position: u64,
    /// What it is.
    pub kind: Kind,
    /// The group that it was sent to.
    pub group: Bytes,
    /// The MLSMessage.
    pub bytes: Bytes,
}

/// A part of a queue, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// The messages.
    pub deliveries: Vec<Delivery>,
    /// The cursor to read on from, and to acknowledge when these are safe.
    pub cursor: u64,
    /// Messages that this device will never get, because its queue was full or they were too old: it should join its
    /// groups again.
    pub missed: u64,
}

/// Lets the service delete what is safe on the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledge {
    /// The cursor up to which everything is safe, included.
    pub cursor: u64,
    /// How many missed messages the device has dealt with.
    #[serde(default)]
    pub missed: u64,
}

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// A word that never changes.
    pub code: String,
    /// The same for people.
    pub detail: String,
    /// With `wrong_epoch`: the epoch that the group is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
}
