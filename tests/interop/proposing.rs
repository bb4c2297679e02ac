//! What members propose, by reference.

use mls_mobile::{GroupId, PskId};
use mls_rs::group::proposal::CustomProposal;

use super::{
    party::Party,
    peer::{bytes, parse},
};

use Party::{Ours, Theirs};

/// Whoever proposes, and whoever commits: each side in each part.
pub(crate) const PAIRS: [(&str, &str); 6] = [
    ("alice", "bob"),
    ("alice", "anna"),
    ("alice", "alice"),
    ("ben", "alice"),
    ("ben", "bob"),
    ("ben", "ben"),
];

impl Party {
    pub(crate) fn propose_add(&mut self, group: &GroupId, key_package: &[u8]) -> Vec<u8> {
        match self {
            Ours(device) => {
                let proposed = device.group(group).propose_add(key_package.to_vec());
                proposed.unwrap().proposal
            }
            Theirs(peer) => {
                let proposal = peer.group().propose_add(parse(key_package), vec![]);
                bytes(&proposal.unwrap())
            }
        }
    }

    pub(crate) fn propose_remove(&mut self, group: &GroupId, leaf: u32) -> Vec<u8> {
        match self {
            Ours(device) => device.group(group).propose_remove(leaf).unwrap().proposal,
            Theirs(peer) => bytes(&peer.group().propose_remove(leaf, vec![]).unwrap()),
        }
    }

    /// Proposes what only the app understands.
    pub(crate) fn propose_custom(&mut self, group: &GroupId, proposal_type: u16, payload: &[u8]) -> Vec<u8> {
        match self {
            Ours(device) => {
                let proposed = device
                    .group(group)
                    .propose_custom(proposal_type, payload.to_vec());
                proposed.unwrap().proposal
            }
            Theirs(peer) => {
                let proposal = CustomProposal::new(proposal_type.into(), payload.to_vec());
                bytes(&peer.group().propose_custom(proposal, vec![]).unwrap())
            }
        }
    }

    /// Proposes an external pre-shared key.
    pub(crate) fn propose_psk(&mut self, group: &GroupId, id: &[u8]) -> Vec<u8> {
        match self {
            Ours(device) => {
                let psk = PskId::External { id: id.to_vec() };
                device.group(group).propose_psk(psk).unwrap().proposal
            }
            Theirs(peer) => {
                let proposal = peer.group().propose_external_psk(id.to_vec().into(), vec![]);
                bytes(&proposal.unwrap())
            }
        }
    }

    /// Proposes the resumption secret of a past epoch.
    pub(crate) fn propose_resumption_psk(&mut self, group: &GroupId, epoch: u64) -> Vec<u8> {
        match self {
            Ours(device) => {
                let psk = PskId::Resumption {
                    group_id: group.clone(),
                    epoch,
                };
                device.group(group).propose_psk(psk).unwrap().proposal
            }
            Theirs(peer) => {
                let proposal = peer.group().propose_resumption_psk(epoch, vec![]);
                bytes(&proposal.unwrap())
            }
        }
    }
}
