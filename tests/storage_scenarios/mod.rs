//! Every call that writes, each with devices ready for it and a look at what must be true once it has worked.

#![allow(unreachable_pub, reason = "a module of a test")]

mod commits;
mod external_joins;
mod groups;
mod identities;
mod messages;
mod proposing;
mod psks;
mod receiving;
mod recovery;

pub use commits::OWN_COMMITS;
pub use external_joins::EXTERNAL_JOINS;
pub use groups::GROUPS;
pub use identities::{IDENTITIES, KEY_PACKAGES};
pub use messages::MESSAGES;
pub use proposing::PROPOSING;
pub use psks::PSKS;
pub use receiving::RECEIVING;
pub use recovery::RECOVERY;

use std::sync::Arc;

use mls_mobile::{
    CommitBundle, GroupId, GroupState, KeyPackageOptions, LeafNodeOptions, MlsError, MlsGroup,
    ProcessedMessage,
};

use crate::common::{Device, assert_agree, group_of, raw::RawPeer};

/// Devices at the moment before a call of `me`.
pub struct Stage {
    pub me: Device,
    pub peer: Device,
    pub third: Device,
    pub group: GroupId,
    /// The group of `me`, taken before a failure is armed, because taking it is a call too.
    handle: Option<Arc<MlsGroup>>,
    /// What the call takes: a message, a Welcome, an id.
    input: Vec<u8>,
}

pub struct Scenario {
    pub name: &'static str,
    pub set_up: fn() -> Stage,
    /// What the call gives back, if `check` needs it.
    pub call: fn(&Stage) -> Result<Vec<u8>, MlsError>,
    pub check: fn(&Stage, Vec<u8>),
}

impl Stage {
    fn new([me, peer, third]: [Device; 3], group: GroupId, input: Vec<u8>) -> Self {
        let handle = me.client().group(group.clone()).ok();
        Self {
            me,
            peer,
            third,
            group,
            handle,
            input,
        }
    }

    fn handle(&self) -> &MlsGroup {
        self.handle.as_ref().unwrap()
    }

    pub fn fork(&self) -> Self {
        let me = self.me.fork();
        Self {
            handle: me.client().group(self.group.clone()).ok(),
            me,
            peer: self.peer.fork(),
            third: self.third.fork(),
            group: self.group.clone(),
            input: self.input.clone(),
        }
    }

    /// The group as `me` sees it, which also loads it into memory. An error before `me` has joined.
    pub fn try_view(&self) -> Result<GroupState, MlsError> {
        self.me.client().group(self.group.clone())?.info()
    }

    fn with(mut self, input: impl FnOnce(&Self) -> Vec<u8>) -> Self {
        self.input = input(&self);
        self
    }

    /// From now on Commits that `me` receives wait.
    fn decides_later(mut self) -> Self {
        self.handle = None;
        let me = self.me.decides_later();
        Self {
            handle: me.client().group(self.group.clone()).ok(),
            me,
            peer: self.peer,
            third: self.third,
            group: self.group,
            input: self.input,
        }
    }

    fn bundle(&self) -> CommitBundle {
        self.me.group(&self.group).pending_commit().unwrap().unwrap()
    }

    fn peer_commits(&self, bundle: &CommitBundle) -> Vec<u8> {
        self.peer.group(&self.group).merge_pending_commit().unwrap();
        bundle.commit.clone()
    }
}

fn devices() -> [Device; 3] {
    ["me", "peer", "third"].map(Device::new)
}

/// `peer` made a group with `me`; `third` is outside.
fn pair() -> Stage {
    let [me, peer, third] = devices();
    let group = group_of(&[&peer, &me]);
    Stage::new([me, peer, third], group, Vec::new())
}

/// The leaf of `third` in [`trio`].
const THIRD: u32 = 2;

fn trio() -> Stage {
    let [me, peer, third] = devices();
    let group = group_of(&[&peer, &me, &third]);
    Stage::new([me, peer, third], group, Vec::new())
}

/// `peer` invites `me`, who has not joined yet.
fn invited() -> Stage {
    let [me, peer, third] = devices();
    let group = peer.create_group();
    let bundle = peer.group(&group).add_members(vec![me.key_package()]).unwrap();
    peer.group(&group).merge_pending_commit().unwrap();
    let input = bundle.welcome.unwrap();
    Stage::new([me, peer, third], group, input)
}

/// `me` was removed, knows it, and is invited again.
fn invited_again() -> Stage {
    pair().with(|stage| {
        let leaf = stage.peer.leaf_of(&stage.group, "me");
        let removal = stage.peer.group(&stage.group).remove_members(vec![leaf]).unwrap();
        stage.me.receive(&stage.group, &stage.peer_commits(&removal));
        let invitation = stage
            .peer
            .group(&stage.group)
            .add_members(vec![stage.me.key_package()])
            .unwrap();
        stage.peer_commits(&invitation);
        invitation.welcome.unwrap()
    })
}

fn update_pending() -> Stage {
    pair().with(|stage| stage.me.group(&stage.group).self_update(None).unwrap().commit)
}

/// A proposal of OpenMLS itself, because the facade proposes nothing yet.
fn proposed() -> Stage {
    proposed_by(|raw, stage| raw.propose_remove(stage.me.leaf_of(&stage.group, "third")))
}

/// The input is what a member that is OpenMLS itself proposes.
fn proposed_by(propose: impl FnOnce(&mut RawPeer, &Stage) -> Vec<u8>) -> Stage {
    trio().with(|stage| {
        let mut raw = RawPeer::new("raw");
        let group = stage.peer.group(&stage.group);
        let bundle = group.add_members(vec![raw.key_package()]).unwrap();
        let commit = stage.peer_commits(&bundle);
        for device in [&stage.me, &stage.third] {
            device.receive(&stage.group, &commit);
        }
        raw.join(&bundle.welcome.unwrap(), false);
        propose(&mut raw, stage)
    })
}

/// Both agree, and each reads what the other sends.
fn talk(stage: &Stage, _: Vec<u8>) {
    let Stage { me, peer, group, .. } = stage;
    assert_agree(group, &[me, peer]);
    assert_eq!(peer.read(group, &me.send(group, "ping")), "ping");
    assert_eq!(me.read(group, &peer.send(group, "pong")), "pong");
}

/// The pending Commit of `me` takes effect for both.
fn conclude(stage: &Stage, _: Vec<u8>) {
    let bundle = stage.bundle();
    stage.me.group(&stage.group).merge_pending_commit().unwrap();
    let outcome = stage.peer.receive(&stage.group, &bundle.commit);
    assert!(matches!(outcome, ProcessedMessage::Commit { .. }), "{outcome:?}");
    talk(stage, Vec::new());
}

/// `me` can be invited with this key package.
fn usable(stage: &Stage, key_package: Vec<u8>) {
    let group = stage.third.create_group();
    let bundle = stage.third.group(&group).add_members(vec![key_package]).unwrap();
    stage.third.group(&group).merge_pending_commit().unwrap();
    stage
        .me
        .client()
        .join_from_welcome(bundle.welcome.unwrap(), None)
        .unwrap();
    assert_agree(&group, &[&stage.third, &stage.me]);
}

fn named_leaf(application_id: &[u8]) -> LeafNodeOptions {
    LeafNodeOptions {
        application_id: Some(application_id.to_vec()),
        ..LeafNodeOptions::default()
    }
}

/// What `peer` sees `me` call itself.
fn leaf_name(stage: &Stage) -> Option<Vec<u8>> {
    let own = stage.try_view().unwrap().own_leaf_index;
    let leaves = stage.peer.group(&stage.group).leaf_nodes().unwrap();
    let leaf = leaves.into_iter().find(|leaf| leaf.leaf_index == own);
    leaf.unwrap().leaf_node.application_id
}

fn process(stage: &Stage) -> Result<Vec<u8>, MlsError> {
    let group = stage.handle();
    group.process_message(stage.input.clone()).map(|_| Vec::new())
}

fn short_lived() -> Option<KeyPackageOptions> {
    Some(KeyPackageOptions {
        lifetime_seconds: 1,
        ..KeyPackageOptions::default()
    })
}
