//! A member of either implementation, so that one scenario runs with each of them in each part.

use mls_mobile::{CommitState, GroupConfig, GroupId, ProcessedMessage};

use super::{
    Way,
    common::{Device, name_of},
    peer::Peer,
};

pub(crate) enum Party {
    /// A phone with this library, on a file.
    Ours(Device),
    /// mls-rs.
    Theirs(Box<Peer>),
}

use Party::{Ours, Theirs};

/// A Commit and what goes with it.
pub(crate) struct Made {
    pub(crate) commit: Vec<u8>,
    pub(crate) welcome: Option<Vec<u8>>,
}

/// What all members of an epoch must have in common.
#[derive(Debug, PartialEq)]
pub(crate) struct Facts {
    epoch: u64,
    authenticator: Vec<u8>,
    /// Leaf, name, signature key.
    members: Vec<(u32, String, Vec<u8>)>,
    tree: Vec<u8>,
    /// Exporter outputs for several labels, contexts and lengths.
    exports: Vec<Vec<u8>>,
}

impl Facts {
    pub(crate) fn leaf(&self, name: &str) -> u32 {
        let mut members = self.members.iter();
        let found = members.find(|(_, member, _)| member == name);
        found.unwrap_or_else(|| panic!("{name} is no member")).0
    }

    /// Each fact by itself, so that none of them can be the same for everything.
    pub(crate) fn assert_nothing_in_common_with(&self, other: &Self) {
        assert_ne!(self.epoch, other.epoch);
        assert_ne!(self.authenticator, other.authenticator);
        assert_ne!(self.members, other.members);
        assert_ne!(self.tree, other.tree);
        for (one, another) in self.exports.iter().zip(&other.exports) {
            assert_ne!(one, another);
        }
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.members.iter().map(|(_, name, _)| name.as_str()).collect()
    }
}

const EXPORTS: [(&str, &[u8], usize); 4] = [
    ("interop", b"", 32),
    ("interop", b"context", 32),
    ("another label", b"context", 16),
    // Longer than one block of HKDF-Expand.
    ("interop", b"context", 100),
];

impl Party {
    pub(crate) fn ours(name: &str, way: Way) -> Self {
        Ours(Device::with_suite(name, way.suite))
    }

    pub(crate) fn theirs(name: &str, way: Way) -> Self {
        Theirs(Box::new(Peer::new(name, way)))
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            Ours(device) => &device.name,
            Theirs(peer) => &peer.name,
        }
    }

    /// This library's, where a scenario has put it.
    pub(crate) fn device(&self) -> &Device {
        match self {
            Ours(device) => device,
            Theirs(peer) => panic!("{} is mls-rs", peer.name),
        }
    }

    /// mls-rs's, where a scenario has put it.
    pub(crate) fn peer(&mut self) -> &mut Peer {
        match self {
            Ours(device) => panic!("{} is a device", device.name),
            Theirs(peer) => peer,
        }
    }

    pub(crate) fn create_group(&mut self, way: Way) -> GroupId {
        match self {
            Ours(device) => device.create_group_with(Some(config(way))),
            Theirs(peer) => GroupId(peer.create_group()),
        }
    }

    pub(crate) fn key_package(&self) -> Vec<u8> {
        match self {
            Ours(device) => device.key_package(),
            Theirs(peer) => peer.key_package(),
        }
    }

    pub(crate) fn join(&mut self, way: Way, welcome: &[u8], tree: Option<&[u8]>) {
        match self {
            Ours(device) => {
                let client = device.client();
                let group = client.join_from_welcome(welcome.to_vec(), tree.map(<[u8]>::to_vec));
                group.unwrap().configure(config(way)).unwrap();
            }
            Theirs(peer) => peer.join(welcome, tree).unwrap(),
        }
    }

    pub(crate) fn add(&mut self, id: &GroupId, key_packages: Vec<Vec<u8>>) -> Made {
        match self {
            Ours(device) => device.group(id).add_members(key_packages).unwrap().into(),
            Theirs(peer) => peer.commit(|builder| {
                key_packages.iter().try_fold(builder, |builder, key_package| {
                    builder.add_member(super::peer::parse(key_package))
                })
            }),
        }
    }

    pub(crate) fn remove(&mut self, id: &GroupId, leaves: Vec<u32>) -> Made {
        match self {
            Ours(device) => device.group(id).remove_members(leaves).unwrap().into(),
            Theirs(peer) => peer.commit(|builder| {
                leaves
                    .into_iter()
                    .try_fold(builder, |builder, leaf| builder.remove_member(leaf))
            }),
        }
    }

    /// Removes some and adds others in one Commit.
    pub(crate) fn swap(&mut self, id: &GroupId, leaves: Vec<u32>, key_packages: Vec<Vec<u8>>) -> Made {
        match self {
            Ours(device) => {
                let group = device.group(id);
                group.swap_members(leaves, key_packages).unwrap().into()
            }
            Theirs(peer) => peer.commit(|builder| {
                let mut leaves = leaves.into_iter();
                let builder = leaves.try_fold(builder, |builder, leaf| builder.remove_member(leaf))?;
                key_packages.iter().try_fold(builder, |builder, key_package| {
                    builder.add_member(super::peer::parse(key_package))
                })
            }),
        }
    }

    /// Renews its keys; for mls-rs that is a Commit with nothing in it.
    pub(crate) fn update(&mut self, id: &GroupId) -> Made {
        match self {
            Ours(device) => device.group(id).self_update(None).unwrap().into(),
            Theirs(peer) => peer.commit(|builder| Ok(builder)),
        }
    }

    pub(crate) fn register_psk(&self, id: &[u8], secret: &[u8]) {
        match self {
            Ours(device) => {
                let registered = device.client().register_psk(id.to_vec(), secret.to_vec());
                registered.unwrap();
            }
            Theirs(peer) => peer.register_psk(id, secret),
        }
    }

    /// Whether it refuses this Commit of another member.
    pub(crate) fn refuses(&mut self, id: &GroupId, commit: &[u8]) -> bool {
        match self {
            Ours(device) => device.group(id).process_message(commit.to_vec()).is_err(),
            Theirs(peer) => peer.process(commit).is_err(),
        }
    }

    /// Commits what others have proposed; without such proposals, nothing.
    pub(crate) fn commit_proposals(&mut self, id: &GroupId) -> Made {
        match self {
            Ours(device) => device.group(id).commit_to_pending_proposals().unwrap().into(),
            Theirs(peer) => peer.commit(|builder| Ok(builder)),
        }
    }

    pub(crate) fn merge(&mut self, id: &GroupId) {
        match self {
            Ours(device) => {
                device.group(id).merge_pending_commit().unwrap();
            }
            Theirs(peer) => {
                peer.merge();
            }
        }
    }

    /// The delivery service refused the own Commit.
    pub(crate) fn clear(&mut self, id: &GroupId) {
        match self {
            Ours(device) => device.group(id).clear_pending_commit().unwrap(),
            Theirs(peer) => peer.clear(),
        }
    }

    /// Processes a Commit of another member; whether this one is still in the group.
    pub(crate) fn follow(&mut self, id: &GroupId, commit: &[u8]) -> bool {
        match self {
            Ours(device) => match device.receive(id, commit) {
                ProcessedMessage::Commit { summary, state, .. } => {
                    assert_eq!(state, CommitState::Merged);
                    !summary.self_removed
                }
                other => panic!("{}: {other:?}", device.name),
            },
            Theirs(peer) => peer.follow(commit),
        }
    }

    /// Receives a proposal of another member.
    pub(crate) fn queue(&mut self, id: &GroupId, proposal: &[u8]) {
        match self {
            Ours(device) => {
                let outcome = device.receive(id, proposal);
                assert!(
                    matches!(outcome, ProcessedMessage::Proposal { .. }),
                    "{outcome:?}"
                );
            }
            Theirs(peer) => peer.queue(proposal),
        }
    }

    pub(crate) fn send(&mut self, id: &GroupId, text: &str) -> Vec<u8> {
        match self {
            Ours(device) => device.send(id, text),
            Theirs(peer) => peer.send(text),
        }
    }

    pub(crate) fn read(&mut self, id: &GroupId, message: &[u8]) -> String {
        match self {
            Ours(device) => device.read(id, message),
            Theirs(peer) => peer.read(message),
        }
    }

    pub(crate) fn tree(&self, id: &GroupId) -> Vec<u8> {
        match self {
            Ours(device) => device.group(id).export_ratchet_tree().unwrap(),
            Theirs(peer) => peer.tree(),
        }
    }

    pub(crate) fn group_info(&self, id: &GroupId, with_ratchet_tree: bool) -> Vec<u8> {
        match self {
            Ours(device) => device.group(id).export_group_info(with_ratchet_tree).unwrap(),
            Theirs(peer) => peer.group_info(with_ratchet_tree),
        }
    }

    /// As an app that was ended and started.
    pub(crate) fn reload(&mut self) {
        match self {
            Ours(device) => device.reload(),
            Theirs(peer) => peer.reload(),
        }
    }

    pub(crate) fn facts(&self, id: &GroupId) -> Facts {
        match self {
            Ours(device) => {
                let group = device.group(id);
                let members = group.members().unwrap().into_iter();
                Facts {
                    epoch: device.epoch(id),
                    authenticator: device.authenticator(id),
                    members: members
                        .map(|it| (it.leaf_index, name_of(&it.credential), it.signature_key))
                        .collect(),
                    tree: self.tree(id),
                    exports: EXPORTS
                        .map(|(label, context, length)| {
                            let length = u32::try_from(length).unwrap();
                            group
                                .export_secret(label.to_owned(), context.to_vec(), length)
                                .unwrap()
                        })
                        .to_vec(),
                }
            }
            Theirs(peer) => Facts {
                epoch: peer.epoch(),
                authenticator: peer.authenticator(),
                members: peer.members(),
                tree: self.tree(id),
                exports: EXPORTS
                    .map(|(label, context, length)| peer.export(label, context, length))
                    .to_vec(),
            },
        }
    }
}

impl From<mls_mobile::CommitBundle> for Made {
    fn from(bundle: mls_mobile::CommitBundle) -> Self {
        Self {
            commit: bundle.commit,
            welcome: bundle.welcome,
        }
    }
}

pub(crate) fn config(way: Way) -> GroupConfig {
    GroupConfig {
        public_handshakes: way.ours_public,
        ratchet_tree_in_welcome: !way.tree_outside,
        ..GroupConfig::default()
    }
}
