//! Every call that writes, each with devices ready for it and a look at what must be true once it has worked.

#![allow(unreachable_pub, reason = "a module of a test")]

use std::{sync::Arc, thread::sleep, time::Duration};

use mls_mobile::{
    CommitBundle, GroupConfig, GroupId, GroupState, IdentityId, KeyPackageOptions, KeyPackageRef, MlsError,
    MlsGroup, ProcessedMessage,
};

use crate::common::{Device, SUITE, assert_agree, basic, group_of, raw::RawPeer};

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
    trio().with(|stage| {
        let mut raw = RawPeer::new("raw");
        let group = stage.peer.group(&stage.group);
        let bundle = group.add_members(vec![raw.key_package()]).unwrap();
        let commit = stage.peer_commits(&bundle);
        for device in [&stage.me, &stage.third] {
            device.receive(&stage.group, &commit);
        }
        raw.join(&bundle.welcome.unwrap(), false);
        raw.propose_remove(stage.me.leaf_of(&stage.group, "third"))
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

fn process(stage: &Stage) -> Result<Vec<u8>, MlsError> {
    let group = stage.handle();
    group.process_message(stage.input.clone()).map(|_| Vec::new())
}

fn short_lived() -> Option<KeyPackageOptions> {
    Some(KeyPackageOptions {
        lifetime_seconds: 1,
        last_resort: false,
    })
}

pub const IDENTITIES: &[Scenario] = &[
    Scenario {
        name: "create_identity",
        set_up: pair,
        call: |stage| {
            let identity = stage.me.client().create_identity(basic("second"), SUITE)?;
            Ok(identity.id.0)
        },
        check: |stage, id| {
            let identities = stage.me.client().identities().unwrap();
            assert_eq!(
                identities
                    .iter()
                    .map(|identity| &identity.id.0)
                    .collect::<Vec<_>>(),
                [&stage.me.identity.0, &id]
            );
            let packages = stage
                .me
                .client()
                .create_key_packages(IdentityId(id), 1, None)
                .unwrap();
            usable(stage, packages.into_iter().next().unwrap().bytes);
        },
    },
    Scenario {
        name: "delete_identity",
        set_up: || {
            pair().with(|stage| {
                let identity = stage
                    .me
                    .client()
                    .create_identity(basic("second"), SUITE)
                    .unwrap()
                    .id;
                stage
                    .me
                    .client()
                    .create_key_packages(identity.clone(), 2, None)
                    .unwrap();
                identity.0
            })
        },
        call: |stage| {
            let identity = IdentityId(stage.input.clone());
            stage.me.client().delete_identity(identity).map(|()| Vec::new())
        },
        check: |stage, nothing| {
            assert_eq!(stage.me.client().identities().unwrap().len(), 1);
            assert_eq!(stage.me.client().key_packages().unwrap(), []);
            talk(stage, nothing);
        },
    },
];

pub const KEY_PACKAGES: &[Scenario] = &[
    Scenario {
        name: "create_key_packages(2)",
        set_up: pair,
        call: |stage| {
            let identity = stage.me.identity.clone();
            let mut made = stage.me.client().create_key_packages(identity, 2, None)?;
            Ok(made.remove(1).bytes)
        },
        check: |stage, key_package| {
            assert_eq!(stage.me.client().key_packages().unwrap().len(), 2);
            usable(stage, key_package);
        },
    },
    Scenario {
        name: "replenish_key_packages (2 missing)",
        set_up: || pair().with(|stage| stage.me.key_package()),
        call: |stage| {
            let identity = stage.me.identity.clone();
            let mut made = stage.me.client().replenish_key_packages(identity, 3, None)?;
            Ok(made.remove(1).bytes)
        },
        check: |stage, key_package| {
            assert_eq!(stage.me.client().key_packages().unwrap().len(), 3);
            usable(stage, key_package);
        },
    },
    Scenario {
        name: "delete_key_package",
        set_up: || {
            pair().with(|stage| {
                stage.me.key_package();
                let packages = stage.me.client().key_packages().unwrap();
                packages.into_iter().next().unwrap().reference.0
            })
        },
        call: |stage| {
            let reference = KeyPackageRef(stage.input.clone());
            stage
                .me
                .client()
                .delete_key_package(reference)
                .map(|()| Vec::new())
        },
        check: |stage, nothing| {
            assert_eq!(stage.me.client().key_packages().unwrap(), []);
            talk(stage, nothing);
        },
    },
    Scenario {
        name: "delete_expired_key_packages",
        set_up: || {
            let stage = pair().with(|stage| stage.me.key_package());
            let identity = stage.me.identity.clone();
            stage
                .me
                .client()
                .create_key_packages(identity, 2, short_lived())
                .unwrap();
            sleep(Duration::from_millis(2100));
            stage
        },
        call: |stage| {
            let deleted = stage.me.client().delete_expired_key_packages()?;
            Ok(deleted.to_be_bytes().to_vec())
        },
        check: |stage, deleted| {
            assert_eq!(deleted, 2u64.to_be_bytes());
            usable(stage, stage.input.clone());
        },
    },
];

pub const GROUPS: &[Scenario] = &[
    Scenario {
        name: "create_group",
        set_up: pair,
        call: |stage| {
            Ok(stage
                .me
                .client()
                .create_group(stage.me.identity.clone(), None)?
                .id()?
                .0)
        },
        check: |stage, id| {
            let id = GroupId(id);
            assert_eq!(stage.me.client().groups().unwrap().len(), 2);
            stage
                .me
                .group(&id)
                .add_members(vec![stage.third.key_package()])
                .unwrap();
            assert_eq!(
                stage
                    .me
                    .group(&id)
                    .merge_pending_commit()
                    .unwrap()
                    .summary
                    .to_epoch,
                1
            );
            talk(stage, Vec::new());
        },
    },
    Scenario {
        name: "join_from_welcome",
        set_up: invited,
        call: |stage| {
            let joined = stage.me.client().join_from_welcome(stage.input.clone(), None);
            joined.map(|_| Vec::new())
        },
        check: talk,
    },
    Scenario {
        name: "join_from_welcome (after a removal)",
        set_up: invited_again,
        call: |stage| {
            let joined = stage.me.client().join_from_welcome(stage.input.clone(), None);
            joined.map(|_| Vec::new())
        },
        check: talk,
    },
    Scenario {
        name: "inspect_welcome",
        set_up: invited,
        call: |stage| {
            let info = stage.me.client().inspect_welcome(stage.input.clone(), None)?;
            Ok(info.group_id.0)
        },
        check: |stage, id| {
            assert_eq!(id, stage.group.0);
            stage
                .me
                .client()
                .join_from_welcome(stage.input.clone(), None)
                .unwrap();
            talk(stage, Vec::new());
        },
    },
    Scenario {
        name: "configure",
        set_up: pair,
        call: |stage| {
            let config = GroupConfig {
                max_past_epochs: 0,
                ..GroupConfig::default()
            };
            stage.handle().configure(config).map(|()| Vec::new())
        },
        check: talk,
    },
    Scenario {
        name: "delete",
        set_up: pair,
        call: |stage| stage.handle().delete().map(|()| Vec::new()),
        check: |stage, _| {
            assert_eq!(stage.try_view().unwrap_err(), MlsError::GroupNotFound);
            usable(stage, stage.me.key_package());
        },
    },
];

pub const OWN_COMMITS: &[Scenario] = &[
    Scenario {
        name: "add_members",
        set_up: || pair().with(|stage| stage.third.key_package()),
        call: |stage| {
            let group = stage.handle();
            group.add_members(vec![stage.input.clone()]).map(|_| Vec::new())
        },
        check: |stage, nothing| {
            let welcome = stage.bundle().welcome.unwrap();
            conclude(stage, nothing);
            stage.third.client().join_from_welcome(welcome, None).unwrap();
            assert_agree(&stage.group, &[&stage.me, &stage.third]);
        },
    },
    Scenario {
        name: "remove_members",
        set_up: trio,
        call: |stage| {
            let group = stage.handle();
            group.remove_members(vec![THIRD]).map(|_| Vec::new())
        },
        check: |stage, nothing| {
            conclude(stage, nothing);
            assert_eq!(stage.me.member_names(&stage.group), ["peer", "me"]);
        },
    },
    Scenario {
        name: "self_update",
        set_up: pair,
        call: |stage| stage.handle().self_update(None).map(|_| Vec::new()),
        check: conclude,
    },
    Scenario {
        name: "self_update (new identity)",
        set_up: || {
            pair().with(|stage| {
                stage
                    .me
                    .client()
                    .create_identity(basic("renamed"), SUITE)
                    .unwrap()
                    .id
                    .0
            })
        },
        call: |stage| {
            let identity = Some(IdentityId(stage.input.clone()));
            stage.handle().self_update(identity).map(|_| Vec::new())
        },
        check: |stage, nothing| {
            conclude(stage, nothing);
            assert_eq!(stage.peer.member_names(&stage.group), ["peer", "renamed"]);
        },
    },
    Scenario {
        name: "merge_pending_commit",
        set_up: update_pending,
        call: |stage| stage.handle().merge_pending_commit().map(|_| Vec::new()),
        check: |stage, nothing| {
            stage.peer.receive(&stage.group, &stage.input);
            talk(stage, nothing);
        },
    },
    Scenario {
        name: "clear_pending_commit",
        set_up: update_pending,
        call: |stage| stage.handle().clear_pending_commit().map(|()| Vec::new()),
        check: |stage, nothing| {
            assert_eq!(stage.me.group(&stage.group).pending_commit().unwrap(), None);
            talk(stage, nothing);
        },
    },
];

pub const MESSAGES: &[Scenario] = &[
    Scenario {
        name: "create_message",
        set_up: pair,
        call: |stage| stage.handle().create_message(b"hello".to_vec(), b"data".to_vec()),
        check: |stage, message| {
            assert_eq!(stage.peer.read(&stage.group, &message), "hello");
            talk(stage, Vec::new());
        },
    },
    Scenario {
        name: "process_message (application)",
        set_up: || pair().with(|stage| stage.peer.send(&stage.group, "hello")),
        call: process,
        check: |stage, nothing| {
            assert_eq!(stage.me.client().inbox(10).unwrap().len(), 1);
            talk(stage, nothing);
        },
    },
    Scenario {
        name: "process_message (Commit)",
        set_up: || {
            pair().with(|stage| {
                let bundle = stage.peer.group(&stage.group).self_update(None).unwrap();
                stage.peer_commits(&bundle)
            })
        },
        call: process,
        check: talk,
    },
    Scenario {
        name: "process_message (own Commit's echo)",
        set_up: update_pending,
        call: process,
        check: |stage, nothing| {
            stage.peer.receive(&stage.group, &stage.input);
            talk(stage, nothing);
        },
    },
    Scenario {
        name: "process_message (rival Commit)",
        set_up: || {
            update_pending().with(|stage| {
                let bundle = stage.peer.group(&stage.group).self_update(None).unwrap();
                stage.peer_commits(&bundle)
            })
        },
        call: process,
        check: |stage, nothing| {
            assert_eq!(stage.me.group(&stage.group).pending_commit().unwrap(), None);
            talk(stage, nothing);
        },
    },
    Scenario {
        name: "process_message (own removal)",
        set_up: || {
            pair().with(|stage| {
                let leaf = stage.peer.leaf_of(&stage.group, "me");
                let removal = stage.peer.group(&stage.group).remove_members(vec![leaf]).unwrap();
                stage.peer_commits(&removal)
            })
        },
        call: process,
        check: |stage, _| assert!(!stage.try_view().unwrap().is_active),
    },
    Scenario {
        name: "process_message (proposal)",
        set_up: proposed,
        call: process,
        check: |stage, nothing| {
            assert_eq!(stage.try_view().unwrap().pending_proposals.len(), 1);
            stage.peer.receive(&stage.group, &stage.input);
            stage.me.group(&stage.group).self_update(None).unwrap();
            conclude(stage, nothing);
            assert_eq!(stage.me.member_names(&stage.group), ["peer", "me", "raw"]);
        },
    },
    Scenario {
        name: "acknowledge(2)",
        set_up: || {
            pair().with(|stage| {
                for text in ["one", "two"] {
                    stage.me.read(&stage.group, &stage.peer.send(&stage.group, text));
                }
                Vec::new()
            })
        },
        call: |stage| stage.me.client().acknowledge(vec![1, 2]).map(|()| Vec::new()),
        check: |stage, nothing| {
            assert_eq!(stage.me.client().inbox(10).unwrap(), []);
            talk(stage, nothing);
        },
    },
];
