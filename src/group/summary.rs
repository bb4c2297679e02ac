//! Commits and proposals in words that an app can show or judge.

use openmls::{
    group::{Member, MlsGroup, QueuedProposal, StagedCommit},
    prelude::{
        Credential, ExternalSender, LeafNode, LeafNodeIndex, PreSharedKeyProposal, Proposal, Sender,
        SenderExtensionIndex,
    },
    schedule::Psk,
};
use tls_codec::{DeserializeBytes as _, Serialize as _, VLBytes};

use super::{
    outcome::{
        CommitInfo, CustomInfo, MemberInfo, NewMemberInfo, ProposalInfo, ProposalKind, PskInfo, SenderInfo,
        UpdatedInfo,
    },
    psk_rules,
};

pub(crate) fn member(member: Member) -> MemberInfo {
    MemberInfo {
        leaf_index: member.index.u32(),
        credential: member.credential,
        signature_key: member.signature_key,
    }
}

fn new_member(leaf_node: &LeafNode) -> NewMemberInfo {
    NewMemberInfo {
        credential: leaf_node.credential().clone(),
        signature_key: leaf_node.signature_key().as_slice().to_vec(),
    }
}

/// `credential` is that of the message; a member's is looked up where the message has none.
pub(crate) fn sender(sender: &Sender, credential: Credential) -> SenderInfo {
    match sender {
        Sender::Member(index) => SenderInfo::Member {
            leaf_index: index.u32(),
            credential,
        },
        Sender::External(index) => SenderInfo::External {
            sender_index: external_index(*index),
            credential,
        },
        Sender::NewMemberProposal | Sender::NewMemberCommit => SenderInfo::NewMember { credential },
    }
}

/// OpenMLS keeps this index and an external sender's credential to itself; they encode as RFC 9420 says, so they are
/// read from there.
fn external_index(index: SenderExtensionIndex) -> u32 {
    let encoded = index.tls_serialize_detached().unwrap_or_default();
    u32::tls_deserialize_exact_bytes(&encoded).unwrap_or(u32::MAX)
}

pub(super) fn external_sender(sender: &ExternalSender) -> Option<NewMemberInfo> {
    // struct { SignaturePublicKey signature_key; Credential credential; } (RFC 9420, section 12.1.8.1)
    let encoded = sender.tls_serialize_detached().ok()?;
    let (signature_key, rest) = VLBytes::tls_deserialize_bytes(&encoded).ok()?;
    Some(NewMemberInfo {
        credential: Credential::tls_deserialize_exact_bytes(rest).ok()?,
        signature_key: signature_key.as_slice().to_vec(),
    })
}

fn psk(proposal: &PreSharedKeyProposal) -> Option<PskInfo> {
    match psk_rules::named(proposal)?.psk() {
        Psk::External(external) => Some(PskInfo::External {
            id: external.psk_id().to_vec(),
        }),
        Psk::Resumption(resumption) => Some(PskInfo::Resumption {
            group_id: resumption.psk_group_id().to_vec(),
            epoch: resumption.psk_epoch().as_u64(),
        }),
        // A draft that the facade does not offer.
        Psk::Application(_) => None,
    }
}

fn kind(group: &MlsGroup, proposal: &Proposal) -> ProposalKind {
    match proposal {
        Proposal::Add(add) => ProposalKind::Add(new_member(add.key_package().leaf_node())),
        Proposal::Update(update) => ProposalKind::Update(new_member(update.leaf_node())),
        Proposal::Remove(remove) => ProposalKind::Remove(group.member_at(remove.removed()).map(member)),
        Proposal::PreSharedKey(proposal) => ProposalKind::PreSharedKey(psk(proposal)),
        Proposal::ReInit(_) => ProposalKind::ReInit,
        Proposal::ExternalInit(_) => ProposalKind::ExternalInit,
        Proposal::GroupContextExtensions(_) => ProposalKind::GroupContextExtensions,
        Proposal::SelfRemove => ProposalKind::SelfRemove,
        Proposal::Custom(custom) => ProposalKind::Custom {
            proposal_type: custom.proposal_type(),
            payload: custom.payload().to_vec(),
        },
        // Extension drafts that the facade does not offer: shown by their number, without their content.
        Proposal::AppDataUpdate(_) | Proposal::AppEphemeral(_) => ProposalKind::Custom {
            proposal_type: proposal.proposal_type().into(),
            payload: Vec::new(),
        },
    }
}

/// A queued proposal. `credential` is the sender's where the message carried it.
pub(crate) fn proposal(group: &MlsGroup, queued: &QueuedProposal, credential: Credential) -> ProposalInfo {
    ProposalInfo {
        reference: queued.proposal_reference_ref().as_slice().to_vec(),
        sender: sender(queued.sender(), credential),
        kind: kind(group, queued.proposal()),
    }
}

/// The credential behind a queued proposal's sender: a member's from the tree, a joiner's from its key package.
pub(crate) fn proposer(group: &MlsGroup, queued: &QueuedProposal) -> Option<Credential> {
    match queued.sender() {
        Sender::Member(index) => group.member(*index).cloned(),
        Sender::External(index) => group
            .extensions()
            .external_senders()
            .and_then(|senders| senders.get(external_index(*index) as usize))
            .and_then(external_sender)
            .map(|sender| sender.credential),
        Sender::NewMemberProposal | Sender::NewMemberCommit => match queued.proposal() {
            Proposal::Add(add) => Some(add.key_package().leaf_node().credential().clone()),
            _ => None,
        },
    }
}

/// A staged Commit against the tree that it will change; so it is made before the merge.
pub(crate) fn commit(
    group: &MlsGroup,
    staged: &StagedCommit,
    committer: &Sender,
    credential: Credential,
) -> CommitInfo {
    let proposals = || {
        staged
            .queued_proposals()
            .map(|queued| (queued.sender(), queued.proposal()))
    };
    let removed = proposals().filter_map(|(sender, proposal)| match (sender, proposal) {
        (_, Proposal::Remove(remove)) => group.member_at(remove.removed()),
        (Sender::Member(index), Proposal::SelfRemove) => group.member_at(*index),
        _ => None,
    });
    let updated = proposals().filter_map(|(sender, proposal)| match (sender, proposal) {
        (Sender::Member(index), Proposal::Update(update)) => {
            updated_member(group, *index, update.leaf_node())
        }
        _ => None,
    });
    let path = staged.update_path_leaf_node();
    let path_update = match (committer, path) {
        (Sender::Member(index), Some(leaf_node)) => updated_member(group, *index, leaf_node),
        _ => None,
    };
    let external_join = match committer {
        Sender::NewMemberCommit => path.map(new_member),
        _ => None,
    };
    CommitInfo {
        from_epoch: group.epoch().as_u64(),
        to_epoch: staged.epoch().as_u64(),
        committer: sender(committer, credential),
        added: staged
            .add_proposals()
            .map(|add| new_member(add.add_proposal().key_package().leaf_node()))
            .collect(),
        removed: removed.map(member).collect(),
        updated: updated.chain(path_update).collect(),
        external_joins: external_join.into_iter().collect(),
        psks: proposals()
            .filter_map(|(_, proposal)| match proposal {
                Proposal::PreSharedKey(proposal) => psk(proposal),
                _ => None,
            })
            .collect(),
        extensions_changed: proposals()
            .any(|(_, proposal)| matches!(proposal, Proposal::GroupContextExtensions(_))),
        self_removed: staged.self_removed(),
        custom: proposals()
            .filter_map(|(sender, proposal)| match proposal {
                Proposal::Custom(custom) => Some(CustomInfo {
                    leaf_index: match sender {
                        Sender::Member(index) => Some(index.u32()),
                        _ => None,
                    },
                    proposal_type: custom.proposal_type(),
                    payload: custom.payload().to_vec(),
                }),
                _ => None,
            })
            .collect(),
    }
}

fn updated_member(group: &MlsGroup, index: LeafNodeIndex, leaf_node: &LeafNode) -> Option<UpdatedInfo> {
    let NewMemberInfo {
        credential,
        signature_key,
    } = new_member(leaf_node);
    Some(UpdatedInfo {
        before: member(group.member_at(index)?),
        after: MemberInfo {
            leaf_index: index.u32(),
            credential,
            signature_key,
        },
    })
}
