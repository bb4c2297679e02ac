//! What comes out of processing.

use super::{Credential, GroupId, Member, MlsError, ProposalRef};
use crate::{
    group::{
        batch, mailbox,
        outcome::{self, Outcome},
        process::Processed,
    },
    message,
};

/// What became of a message. Nothing here is an error: duplicates and stale messages are part of every network.
///
/// `id` is the inbox entry to acknowledge, absent when the client was opened without an inbox.
#[expect(
    clippy::large_enum_variant,
    reason = "an FFI type: uniffi knows no boxed fields, and it is short-lived"
)]
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum ProcessedMessage {
    /// A message for the user.
    Application {
        /// The inbox entry.
        id: Option<u64>,
        /// Who sent it.
        sender: Sender,
        /// The epoch it was sent in, which may be a past one.
        epoch: u64,
        /// What was sent.
        plaintext: Vec<u8>,
        /// Travelled in clear; nobody changed it.
        authenticated_data: Vec<u8>,
    },
    /// A proposal, queued for the next Commit.
    Proposal {
        /// The inbox entry.
        id: Option<u64>,
        /// Names it.
        reference: ProposalRef,
        /// What it asks for.
        summary: ProposalSummary,
    },
    /// A Commit of another member.
    Commit {
        /// The inbox entry.
        id: Option<u64>,
        /// What it changes.
        summary: CommitSummary,
        /// Whether it is merged or waits for a decision.
        state: CommitState,
        /// Buffered messages that it made readable.
        released: Vec<ProcessedMessage>,
        /// The own pending Commit that it won against: the app may want to make the same changes again.
        superseded: Option<CommitSummary>,
    },
    /// Somebody outside asks to be added; queued for the next Commit.
    ExternalJoinProposal {
        /// The inbox entry.
        id: Option<u64>,
        /// Names it.
        reference: ProposalRef,
        /// What it asks for.
        summary: ProposalSummary,
    },
    /// The own pending Commit came back from the delivery service and was merged.
    OwnCommit {
        /// The inbox entry.
        id: Option<u64>,
        /// The epoch that it began.
        epoch: u64,
    },
    /// A message of this device came back. Nothing to do.
    OwnMessage,
    /// It was processed before. Nothing to do.
    Duplicate,
    /// It is too old to be read. Nothing to do.
    Stale {
        /// The epoch it was sent in.
        epoch: u64,
    },
    /// It is of a later epoch, and kept until the group gets there.
    Early {
        /// The epoch it was sent in.
        epoch: u64,
    },
    /// A second Commit while one waits for a decision. It was not used up: give it again after the decision.
    RivalStaged {
        /// The epoch it was sent in.
        epoch: u64,
    },
}

/// Whether a received Commit took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum CommitState {
    /// It waits for `merge_staged_commit` or `discard_staged_commit`.
    Staged,
    /// The group is in the new epoch.
    Merged,
}

/// Who sent a message (RFC 9420, section 6).
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum Sender {
    /// A member.
    Member {
        /// The member's place in the tree at that epoch.
        leaf_index: u32,
        /// Who the member claims to be.
        credential: Credential,
    },
    /// A server that the group allows to propose.
    External {
        /// Its place in the group's list of external senders.
        sender_index: u32,
        /// Who it claims to be.
        credential: Credential,
    },
    /// Somebody who was not a member when sending.
    NewMember {
        /// Who that claims to be.
        credential: Credential,
    },
}

/// Somebody without a place in the tree yet.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct NewMember {
    /// Who that claims to be.
    pub credential: Credential,
    /// The public signature key.
    pub signature_key: Vec<u8>,
}

/// A member's leaf before and after a Commit.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct UpdatedMember {
    /// As it was.
    pub before: Member,
    /// As it is. Credential and signature key are often the same; the encryption key never is.
    pub after: Member,
}

/// A pre-shared key by its name.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum PskId {
    /// One that the app registered.
    External {
        /// The app's name for it.
        id: Vec<u8>,
    },
    /// A past epoch's resumption secret.
    Resumption {
        /// Of which group.
        group_id: GroupId,
        /// Of which epoch.
        epoch: u64,
    },
}

/// What a proposal asks for (RFC 9420, section 12.1).
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum ProposalKind {
    /// Add somebody.
    Add {
        /// Whom.
        member: NewMember,
    },
    /// Renew the sender's leaf.
    Update {
        /// What it becomes.
        member: NewMember,
    },
    /// Remove somebody.
    Remove {
        /// Whom; absent if the leaf is empty.
        member: Option<Member>,
    },
    /// Mix a pre-shared key in.
    PreSharedKey {
        /// Which; absent if it is of a kind that this library does not know.
        psk: Option<PskId>,
    },
    /// End the group to begin it anew.
    ReInit,
    /// Join from outside.
    ExternalInit,
    /// Change the GroupContext's extensions.
    GroupContextExtensions,
    /// Leave.
    SelfRemove,
    /// One that the app defines.
    Custom {
        /// Its number.
        proposal_type: u16,
        /// Its content.
        payload: Vec<u8>,
    },
}

/// A proposal in words.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ProposalSummary {
    /// Names it.
    pub reference: ProposalRef,
    /// Who proposes.
    pub sender: Sender,
    /// What.
    pub kind: ProposalKind,
}

/// A Commit in words: what an app shows, or judges before a merge.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct CommitSummary {
    /// The epoch that it ends.
    pub from_epoch: u64,
    /// The epoch that it begins.
    pub to_epoch: u64,
    /// Who made it.
    pub committer: Sender,
    /// Who comes by invitation.
    pub added: Vec<NewMember>,
    /// Who goes.
    pub removed: Vec<Member>,
    /// Whose leaf is renewed, the committer's included.
    pub updated: Vec<UpdatedMember>,
    /// Who comes by an external Commit.
    pub external_joins: Vec<NewMember>,
    /// Pre-shared keys that it mixes in.
    pub psks: Vec<PskId>,
    /// Whether the GroupContext's extensions change.
    pub extensions_changed: bool,
    /// Whether this device goes.
    pub self_removed: bool,
}

/// What a merge brought.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Merged {
    /// What changed.
    pub summary: CommitSummary,
    /// Buffered messages that it made readable.
    pub released: Vec<ProcessedMessage>,
}

/// Something that the app has not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct InboxEntry {
    /// For `acknowledge`. Later entries have larger ids.
    pub id: u64,
    /// The group it happened in.
    pub group_id: GroupId,
    /// What happened.
    pub outcome: ProcessedMessage,
}

/// A message for `process_messages`.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct IncomingMessage {
    /// The MLSMessage.
    pub bytes: Vec<u8>,
    /// The app's own resume point, such as the delivery service's sequence number, stored when this is handled.
    #[uniffi(default = None)]
    pub cursor: Option<Vec<u8>>,
}

impl From<IncomingMessage> for batch::Incoming {
    fn from(message: IncomingMessage) -> Self {
        Self {
            bytes: message.bytes,
            cursor: message.cursor,
        }
    }
}

/// How `process_messages` works.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, uniffi::Record)]
pub struct ProcessOptions {
    /// Stop when this is spent; the message that runs is finished first.
    #[uniffi(default = None)]
    pub budget_ms: Option<u32>,
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Batch {
    /// One for each message that was handled, in order.
    pub outcomes: Vec<BatchOutcome>,
    /// The index of the first message that was not handled; absent if all were.
    pub stopped_at: Option<u32>,
    /// Why it stopped there; absent if the budget was spent.
    pub error: Option<MlsError>,
}

/// What became of one message of a batch.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
#[expect(
    clippy::large_enum_variant,
    reason = "an FFI type: uniffi knows no boxed fields, and it is short-lived"
)]
pub enum BatchOutcome {
    /// As `MlsGroup.process_message` returns it.
    Processed {
        /// The group.
        group_id: GroupId,
        /// What became of it.
        outcome: ProcessedMessage,
    },
    /// As `MlsGroup.process_message` refuses it; it changed nothing.
    Failed {
        /// The group, if the bytes tell.
        group_id: Option<GroupId>,
        /// Why.
        error: MlsError,
    },
}

impl From<batch::Batch> for Batch {
    fn from(batch: batch::Batch) -> Self {
        let (stopped_at, error) = batch.stopped.unzip();
        Self {
            outcomes: batch.handled.into_iter().map(Into::into).collect(),
            stopped_at: stopped_at.map(|index| u32::try_from(index).unwrap_or(u32::MAX)),
            error: error.flatten().map(Into::into),
        }
    }
}

impl From<batch::Handled> for BatchOutcome {
    fn from(handled: batch::Handled) -> Self {
        match handled {
            batch::Handled::Processed { group_id, processed } => Self::Processed {
                group_id: (&group_id).into(),
                outcome: processed.into(),
            },
            batch::Handled::Failed { group_id, error } => Self::Failed {
                group_id: group_id.as_ref().map(Into::into),
                error: error.into(),
            },
        }
    }
}

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

impl From<Processed> for ProcessedMessage {
    fn from(processed: Processed) -> Self {
        let id = processed.id;
        match processed.outcome {
            Outcome::Application {
                sender,
                epoch,
                plaintext,
                authenticated_data,
            } => Self::Application {
                id,
                sender: sender.into(),
                epoch,
                plaintext,
                authenticated_data,
            },
            Outcome::Proposal(info) => Self::Proposal {
                id,
                reference: ProposalRef(info.reference.clone()),
                summary: info.into(),
            },
            Outcome::ExternalJoinProposal(info) => Self::ExternalJoinProposal {
                id,
                reference: ProposalRef(info.reference.clone()),
                summary: info.into(),
            },
            Outcome::Commit { summary, superseded } => Self::Commit {
                id,
                summary: summary.into(),
                state: CommitState::Merged,
                released: Vec::new(),
                superseded: superseded.map(|summary| (*summary).into()),
            },
            Outcome::OwnCommit { epoch } => Self::OwnCommit { id, epoch },
            Outcome::OwnMessage => Self::OwnMessage,
            Outcome::Duplicate => Self::Duplicate,
            Outcome::Stale { epoch } => Self::Stale { epoch },
        }
    }
}

impl From<outcome::SenderInfo> for Sender {
    fn from(sender: outcome::SenderInfo) -> Self {
        match sender {
            outcome::SenderInfo::Member {
                leaf_index,
                credential,
            } => Self::Member {
                leaf_index,
                credential: (&credential).into(),
            },
            outcome::SenderInfo::External {
                sender_index,
                credential,
            } => Self::External {
                sender_index,
                credential: (&credential).into(),
            },
            outcome::SenderInfo::NewMember { credential } => Self::NewMember {
                credential: (&credential).into(),
            },
        }
    }
}

impl From<outcome::NewMemberInfo> for NewMember {
    fn from(member: outcome::NewMemberInfo) -> Self {
        Self {
            credential: (&member.credential).into(),
            signature_key: member.signature_key,
        }
    }
}

impl From<outcome::UpdatedInfo> for UpdatedMember {
    fn from(updated: outcome::UpdatedInfo) -> Self {
        Self {
            before: updated.before.into(),
            after: updated.after.into(),
        }
    }
}

impl From<outcome::PskInfo> for PskId {
    fn from(psk: outcome::PskInfo) -> Self {
        match psk {
            outcome::PskInfo::External { id } => Self::External { id },
            outcome::PskInfo::Resumption { group_id, epoch } => Self::Resumption {
                group_id: GroupId(group_id),
                epoch,
            },
        }
    }
}

impl From<outcome::ProposalKind> for ProposalKind {
    fn from(kind: outcome::ProposalKind) -> Self {
        match kind {
            outcome::ProposalKind::Add(member) => Self::Add {
                member: member.into(),
            },
            outcome::ProposalKind::Update(member) => Self::Update {
                member: member.into(),
            },
            outcome::ProposalKind::Remove(member) => Self::Remove {
                member: member.map(Into::into),
            },
            outcome::ProposalKind::PreSharedKey(psk) => Self::PreSharedKey {
                psk: psk.map(Into::into),
            },
            outcome::ProposalKind::ReInit => Self::ReInit,
            outcome::ProposalKind::ExternalInit => Self::ExternalInit,
            outcome::ProposalKind::GroupContextExtensions => Self::GroupContextExtensions,
            outcome::ProposalKind::SelfRemove => Self::SelfRemove,
            outcome::ProposalKind::Custom {
                proposal_type,
                payload,
            } => Self::Custom {
                proposal_type,
                payload,
            },
        }
    }
}

impl From<outcome::ProposalInfo> for ProposalSummary {
    fn from(info: outcome::ProposalInfo) -> Self {
        Self {
            reference: ProposalRef(info.reference),
            sender: info.sender.into(),
            kind: info.kind.into(),
        }
    }
}

impl From<outcome::CommitInfo> for CommitSummary {
    fn from(info: outcome::CommitInfo) -> Self {
        fn all<A: Into<B>, B>(list: Vec<A>) -> Vec<B> {
            list.into_iter().map(Into::into).collect()
        }
        Self {
            from_epoch: info.from_epoch,
            to_epoch: info.to_epoch,
            committer: info.committer.into(),
            added: all(info.added),
            removed: all(info.removed),
            updated: all(info.updated),
            external_joins: all(info.external_joins),
            psks: all(info.psks),
            extensions_changed: info.extensions_changed,
            self_removed: info.self_removed,
        }
    }
}

impl From<mailbox::Entry> for InboxEntry {
    fn from(entry: mailbox::Entry) -> Self {
        Self {
            id: entry.id,
            group_id: GroupId(entry.group_id),
            outcome: entry.processed.into(),
        }
    }
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
