//! What comes out of processing, as the inbox stores it and the facade shows it.

use openmls::prelude::Credential;
use serde::{Deserialize, Serialize};

/// A member as others see it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct MemberInfo {
    pub(crate) leaf_index: u32,
    pub(crate) credential: Credential,
    #[serde(with = "serde_bytes")]
    pub(crate) signature_key: Vec<u8>,
}

/// Somebody who has no leaf yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NewMemberInfo {
    pub(crate) credential: Credential,
    #[serde(with = "serde_bytes")]
    pub(crate) signature_key: Vec<u8>,
}

/// A member's new leaf node.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct UpdatedInfo {
    pub(crate) before: MemberInfo,
    pub(crate) after: MemberInfo,
}

/// Who sent a message (RFC 9420, section 6).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum SenderInfo {
    Member {
        leaf_index: u32,
        credential: Credential,
    },
    External {
        sender_index: u32,
        credential: Credential,
    },
    NewMember {
        credential: Credential,
    },
}

/// A pre-shared key as a proposal names it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum PskInfo {
    External {
        #[serde(with = "serde_bytes")]
        id: Vec<u8>,
    },
    Resumption {
        #[serde(with = "serde_bytes")]
        group_id: Vec<u8>,
        epoch: u64,
    },
}

/// What a proposal asks for (RFC 9420, section 12.1).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum ProposalKind {
    Add(NewMemberInfo),
    Update(NewMemberInfo),
    Remove(Option<MemberInfo>),
    PreSharedKey(Option<PskInfo>),
    ReInit,
    ExternalInit,
    GroupContextExtensions,
    SelfRemove,
    Custom {
        proposal_type: u16,
        #[serde(with = "serde_bytes")]
        payload: Vec<u8>,
    },
}

/// A proposal in words.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ProposalInfo {
    #[serde(with = "serde_bytes")]
    pub(crate) reference: Vec<u8>,
    pub(crate) sender: SenderInfo,
    pub(crate) kind: ProposalKind,
}

/// A proposal that only the app understands, in a Commit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CustomInfo {
    /// The proposer's leaf; absent for one who has none.
    pub(crate) leaf_index: Option<u32>,
    pub(crate) proposal_type: u16,
    #[serde(with = "serde_bytes")]
    pub(crate) payload: Vec<u8>,
}

/// A Commit in words.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CommitInfo {
    pub(crate) from_epoch: u64,
    pub(crate) to_epoch: u64,
    pub(crate) committer: SenderInfo,
    pub(crate) added: Vec<NewMemberInfo>,
    pub(crate) removed: Vec<MemberInfo>,
    pub(crate) updated: Vec<UpdatedInfo>,
    pub(crate) external_joins: Vec<NewMemberInfo>,
    pub(crate) psks: Vec<PskInfo>,
    pub(crate) extensions_changed: bool,
    /// Whether this device was removed.
    pub(crate) self_removed: bool,
    #[serde(default)]
    pub(crate) custom: Vec<CustomInfo>,
}

/// What became of a message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Outcome {
    Application {
        sender: SenderInfo,
        epoch: u64,
        #[serde(with = "serde_bytes")]
        plaintext: Vec<u8>,
        #[serde(with = "serde_bytes")]
        authenticated_data: Vec<u8>,
    },
    Proposal(ProposalInfo),
    ExternalJoinProposal(ProposalInfo),
    /// Merged, or staged. `superseded` is the own pending Commit that a merged one won against.
    Commit {
        summary: CommitInfo,
        superseded: Option<Box<CommitInfo>>,
        #[serde(default)]
        staged: bool,
    },
    /// `superseded` is the own Commit that was pending when this one, cleared before, came back.
    OwnCommit {
        epoch: u64,
        #[serde(with = "serde_bytes")]
        welcome: Option<Vec<u8>>,
        #[serde(with = "serde_bytes")]
        group_info: Option<Vec<u8>>,
        #[serde(default)]
        superseded: Option<Box<CommitInfo>>,
    },
    OwnMessage,
    Duplicate,
    Stale {
        epoch: u64,
    },
    Early {
        epoch: u64,
    },
    RivalStaged {
        epoch: u64,
    },
    /// The own message that waited for an own Commit, encrypted in the epoch that the Commit began.
    MessageCreated {
        epoch: u64,
        #[serde(with = "serde_bytes")]
        message: Vec<u8>,
    },
    /// The own message whose Commit did not come to be.
    MessageNotCreated {
        #[serde(with = "serde_bytes")]
        plaintext: Vec<u8>,
        #[serde(with = "serde_bytes")]
        authenticated_data: Vec<u8>,
    },
    /// A message that was kept because it came early, and will not be read, at least not now.
    EarlyRefused {
        epoch: u64,
        reason: EarlyRefusal,
    },
}

/// Why a message that was kept is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum EarlyRefusal {
    /// The validator refused it. It stays.
    Rejected,
    /// It waited for too long.
    Expired,
    /// The group must not accept it.
    Invalid,
    /// This device is no longer in the group, or went its own way.
    GroupEnded,
    /// The app gave it up.
    Dropped,
    /// It needs a PSK that is not here. It stays.
    PskMissing,
}

impl Outcome {
    /// Whether a user would see it, so that it must not be lost between processing and reading.
    pub(crate) fn is_for_the_inbox(&self) -> bool {
        match self {
            Self::Application { .. }
            | Self::Proposal(_)
            | Self::ExternalJoinProposal(_)
            | Self::Commit { .. }
            | Self::OwnCommit { .. }
            | Self::MessageCreated { .. }
            | Self::MessageNotCreated { .. }
            | Self::EarlyRefused { .. } => true,
            Self::OwnMessage
            | Self::Duplicate
            | Self::Stale { .. }
            | Self::Early { .. }
            | Self::RivalStaged { .. } => false,
        }
    }
}

impl Outcome {
    /// Whether messages that came early may be readable now: another epoch, or a proposal that a Commit lacked.
    pub(crate) fn may_release(&self) -> bool {
        match self {
            Self::Commit { staged, .. } => !staged,
            Self::OwnCommit { .. } | Self::Proposal(_) | Self::ExternalJoinProposal(_) => true,
            _ => false,
        }
    }
}

/// An outcome, and its inbox entry if it has one.
pub(crate) struct Processed {
    pub(crate) id: Option<u64>,
    pub(crate) outcome: Outcome,
    /// Messages that had come early and that this one made readable. In the inbox they are entries of their own.
    pub(crate) released: Vec<Processed>,
}

/// What a merge brought.
pub(crate) struct Merged {
    pub(crate) summary: CommitInfo,
    pub(crate) superseded: Option<Box<CommitInfo>>,
    pub(crate) released: Vec<Processed>,
}

/// An outcome in the inbox: the group that it belongs to goes with it.
#[derive(Serialize, Deserialize)]
pub(crate) struct InboxRecord {
    #[serde(with = "serde_bytes")]
    pub(crate) group_id: Vec<u8>,
    pub(crate) outcome: Outcome,
}
