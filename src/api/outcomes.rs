//! What comes out of processing.

use super::{Credential, GroupId, Member, ProposalRef};

/// What became of a message. Nothing here is an error: duplicates and stale messages are part of every network.
///
/// `id` is the inbox entry to acknowledge, absent when the client was opened without an inbox.
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
        /// What became of messages that had come early: a Commit may have waited for this proposal. Empty in the
        /// inbox, where each has an entry of its own.
        released: Vec<ProcessedMessage>,
    },
    /// A Commit of another member.
    Commit {
        /// The inbox entry.
        id: Option<u64>,
        /// What it changes.
        summary: CommitSummary,
        /// Whether it is merged or waits for a decision.
        state: CommitState,
        /// What became of the own message that waited for an own Commit, and of messages that had come early. Empty in
        /// the inbox, where each has an entry of its own.
        released: Vec<ProcessedMessage>,
        /// The own pending Commit that it won against: the app may want to make the same changes again.
        superseded: Option<CommitSummary>,
    },
    /// Somebody outside asks to be added. Without a validator only `commit_to_pending_proposals` lets them in.
    ExternalJoinProposal {
        /// The inbox entry.
        id: Option<u64>,
        /// Names it.
        reference: ProposalRef,
        /// What it asks for.
        summary: ProposalSummary,
        /// As for `Proposal`.
        released: Vec<ProcessedMessage>,
    },
    /// An own Commit came back from the delivery service and was merged: the pending one, one that was cleared in this
    /// epoch, or the external Commit of a join that waited.
    OwnCommit {
        /// The inbox entry.
        id: Option<u64>,
        /// The epoch that it began.
        epoch: u64,
        /// Its Welcome: send it to those who were added, if that has not been done.
        welcome: Option<Vec<u8>>,
        /// Its GroupInfo, for the delivery service.
        group_info: Option<Vec<u8>>,
        /// As for `Commit`.
        released: Vec<ProcessedMessage>,
        /// The own Commit that was pending when another came back: one that had been cleared before, or an external one.
        superseded: Option<CommitSummary>,
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
    /// The group cannot read it yet: it is of a later epoch, or a Commit whose proposals have not come. It is kept,
    /// and what becomes of it will be among what a merge releases.
    Early {
        /// The epoch it was sent in.
        epoch: u64,
    },
    /// A message that was kept because it came early is not read. `released` and the inbox tell it.
    EarlyRefused {
        /// The inbox entry.
        id: Option<u64>,
        /// The epoch it was sent in.
        epoch: u64,
        /// Why.
        reason: EarlyRefusal,
    },
    /// The message of `commit_and_create_message` is ready: its Commit was merged. Send it to the group. Among
    /// `released`, and in the inbox.
    MessageCreated {
        /// The inbox entry: acknowledge it when the message is sent.
        id: Option<u64>,
        /// The epoch it is encrypted in.
        epoch: u64,
        /// What to send.
        bytes: Vec<u8>,
    },
    /// The message of `commit_and_create_message` was not sent: its Commit was cleared, another one won, or the app's
    /// signer was missing or failed when the Commit was merged. Among `released` of what was merged, and in the inbox.
    MessageNotCreated {
        /// The inbox entry.
        id: Option<u64>,
        /// What should have been sent.
        plaintext: Vec<u8>,
        /// What should have gone with it.
        authenticated_data: Vec<u8>,
    },
    /// A second Commit of the epoch while one waits for a decision. It was not used up; after a merge it is stale.
    RivalStaged {
        /// The epoch it was sent in.
        epoch: u64,
    },
}

/// Why a message that was kept is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum EarlyRefusal {
    /// A Commit that the validator refused. It stays; `release_early_messages` asks again.
    Rejected,
    /// It waited for longer than `EarlyLimits.age_seconds`.
    Expired,
    /// The group must not accept it: damaged, forged, or from a fork.
    Invalid,
    /// This device was removed from the group, or discarded a Commit.
    GroupEnded,
    /// The app gave it up, by `drop_early_messages`.
    Dropped,
    /// A Commit names a pre-shared key that is not here. It stays; `register_psk`, then `release_early_messages`.
    PskMissing,
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
    /// What the app itself must carry out now (`propose_custom`).
    pub custom: Vec<CustomProposal>,
}

/// A proposal that only the app understands, in a Commit.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct CustomProposal {
    /// The leaf of the member who proposed it; absent if that is no member.
    pub leaf_index: Option<u32>,
    /// Its number.
    pub proposal_type: u16,
    /// Its content.
    pub payload: Vec<u8>,
}

/// What a merge brought.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Merged {
    /// What changed.
    pub summary: CommitSummary,
    /// What became of the own message that waited for an own Commit, and of messages that had come early, in the order
    /// in which they were read.
    pub released: Vec<ProcessedMessage>,
    /// The own pending Commit that it won against: the app may want to make the same changes again.
    pub superseded: Option<CommitSummary>,
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
