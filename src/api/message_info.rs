//! What a message says about itself.

use super::GroupId;
use crate::message;

/// What can be read off a message without any state, and without any proof (RFC 9420, section 6).
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct MessageInfo {
    /// The group it is for; a Welcome and a key package do not say.
    pub group_id: Option<GroupId>,
    /// The epoch it is of; a Welcome and a key package do not say.
    pub epoch: Option<u64>,
    /// What it is.
    pub kind: MessageKind,
    /// How it is framed.
    pub wire_format: WireFormat,
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum MessageKind {
    /// For the user.
    Application,
    /// Asks for a change.
    Proposal,
    /// Makes changes.
    Commit,
    /// Invites.
    Welcome,
    /// Describes a group to those who join by themselves.
    GroupInfo,
    /// Lets its owner be added.
    KeyPackage,
}

/// How a message is framed (RFC 9420, section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum WireFormat {
    /// Signed, readable.
    PublicMessage,
    /// Signed and encrypted.
    PrivateMessage,
    /// A Welcome.
    Welcome,
    /// A GroupInfo.
    GroupInfo,
    /// A key package.
    KeyPackage,
}

impl From<message::Info> for MessageInfo {
    fn from(info: message::Info) -> Self {
        use openmls::prelude::ContentType;
        let (kind, wire_format) = match info.kind {
            message::Kind::Group { content, framing } => {
                let kind = match content {
                    ContentType::Application => MessageKind::Application,
                    ContentType::Proposal => MessageKind::Proposal,
                    ContentType::Commit => MessageKind::Commit,
                };
                let wire_format = match framing {
                    message::Framing::Public => WireFormat::PublicMessage,
                    message::Framing::Private => WireFormat::PrivateMessage,
                };
                (kind, wire_format)
            }
            message::Kind::Welcome => (MessageKind::Welcome, WireFormat::Welcome),
            message::Kind::GroupInfo => (MessageKind::GroupInfo, WireFormat::GroupInfo),
            message::Kind::KeyPackage => (MessageKind::KeyPackage, WireFormat::KeyPackage),
        };
        Self {
            group_id: info.group_id.as_ref().map(Into::into),
            epoch: info.epoch,
            kind,
            wire_format,
        }
    }
}
