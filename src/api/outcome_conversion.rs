//! From what the verbs return to what apps see of it.

use super::{
    CommitState, CommitSummary, CustomProposal, EarlyRefusal, GroupId, InboxEntry, Merged, NewMember,
    ProcessedMessage, ProposalKind, ProposalRef, ProposalSummary, PskId, Sender, UpdatedMember,
};
use crate::group::{
    mailbox,
    outcome::{self, Outcome, Processed},
};

impl From<Processed> for ProcessedMessage {
    fn from(processed: Processed) -> Self {
        let id = processed.id;
        let released = processed.released.into_iter().map(Into::into).collect();
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
                released,
            },
            Outcome::ExternalJoinProposal(info) => Self::ExternalJoinProposal {
                id,
                reference: ProposalRef(info.reference.clone()),
                summary: info.into(),
                released,
            },
            Outcome::Commit {
                summary,
                superseded,
                staged,
            } => Self::Commit {
                id,
                summary: summary.into(),
                state: if staged {
                    CommitState::Staged
                } else {
                    CommitState::Merged
                },
                released,
                superseded: superseded.map(|summary| (*summary).into()),
            },
            Outcome::OwnCommit {
                epoch,
                welcome,
                group_info,
                superseded,
            } => Self::OwnCommit {
                id,
                epoch,
                welcome,
                group_info,
                released,
                superseded: superseded.map(|summary| (*summary).into()),
            },
            Outcome::OwnMessage => Self::OwnMessage,
            Outcome::Duplicate => Self::Duplicate,
            Outcome::Stale { epoch } => Self::Stale { epoch },
            Outcome::Early { epoch } => Self::Early { epoch },
            Outcome::RivalStaged { epoch } => Self::RivalStaged { epoch },
            Outcome::MessageCreated { epoch, message } => Self::MessageCreated {
                id,
                epoch,
                bytes: message,
            },
            Outcome::MessageNotCreated {
                plaintext,
                authenticated_data,
            } => Self::MessageNotCreated {
                id,
                plaintext,
                authenticated_data,
            },
            Outcome::EarlyRefused { epoch, reason } => Self::EarlyRefused {
                id,
                epoch,
                reason: reason.into(),
            },
        }
    }
}

impl From<outcome::EarlyRefusal> for EarlyRefusal {
    fn from(reason: outcome::EarlyRefusal) -> Self {
        match reason {
            outcome::EarlyRefusal::Rejected => Self::Rejected,
            outcome::EarlyRefusal::Expired => Self::Expired,
            outcome::EarlyRefusal::Invalid => Self::Invalid,
            outcome::EarlyRefusal::GroupEnded => Self::GroupEnded,
            outcome::EarlyRefusal::Dropped => Self::Dropped,
            outcome::EarlyRefusal::PskMissing => Self::PskMissing,
        }
    }
}

impl From<outcome::Merged> for Merged {
    fn from(merged: outcome::Merged) -> Self {
        Self {
            summary: merged.summary.into(),
            released: merged.released.into_iter().map(Into::into).collect(),
            superseded: merged.superseded.map(|summary| (*summary).into()),
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

impl From<PskId> for outcome::PskInfo {
    fn from(psk: PskId) -> Self {
        match psk {
            PskId::External { id } => Self::External { id },
            PskId::Resumption { group_id, epoch } => Self::Resumption {
                group_id: group_id.0,
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

impl From<outcome::CustomInfo> for CustomProposal {
    fn from(custom: outcome::CustomInfo) -> Self {
        Self {
            leaf_index: custom.leaf_index,
            proposal_type: custom.proposal_type,
            payload: custom.payload,
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
            custom: all(info.custom),
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
