//! A client changes its identity in all of its groups, one call each.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use common::{Device, SUITE, assert_agree, basic, deliver, group_of, hsm::Hsm};
use mls_mobile::{GroupId, IdentityId, MlsError};

/// Moves every group of the old identity, as the docs of `self_update` say, and tells which were moved.
fn move_all(me: &Device, peer: &Device, old: &IdentityId, new: &IdentityId) -> Vec<GroupId> {
    let mut moved = Vec::new();
    for summary in me.client().groups().unwrap() {
        if summary.identity != *old || !summary.is_active {
            continue;
        }
        let id = summary.group_id;
        let group = me.group(&id);
        if let Some(pending) = group.pending_commit().unwrap() {
            // The delivery service has accepted it meanwhile.
            assert_eq!(
                group.self_update(Some(new.clone())),
                Err(MlsError::PendingCommitExists)
            );
            deliver(&id, me, &pending, &[peer]);
        }
        let commit = group.self_update(Some(new.clone())).unwrap();
        deliver(&id, me, &commit, &[peer]);
        moved.push(id);
    }
    moved
}

fn every_group_moves(me: &mut Device, new: &IdentityId) {
    let (peer, old) = (Device::new("peer"), me.identity.clone());
    let [first, pending, removed, last] = [(); 4].map(|()| group_of(&[&peer, me]));
    me.group(&pending).self_update(None).unwrap();
    let removal = peer.group(&removed).remove_members(vec![1]).unwrap();
    deliver(&removed, &peer, &removal, &[me]);
    let invitation = me.key_package();

    assert_eq!(
        move_all(me, &peer, &old, new),
        [first.clone(), pending.clone(), last.clone()]
    );
    for id in [&first, &pending, &last] {
        assert_agree(id, &[me, &peer]);
        let member = peer.group(id).members().unwrap().remove(1);
        assert_eq!(member.signature_key, new.0);
        assert_eq!(member.credential, basic("new"));
    }
    // A group that this device was removed from cannot be moved, and holds the old identity until it is deleted.
    assert_eq!(
        me.client().delete_identity(old.clone()),
        Err(MlsError::IdentityInUse)
    );
    me.group(&removed).delete().unwrap();
    me.client().delete_identity(old.clone()).unwrap();
    assert!(
        me.client().key_packages().unwrap().is_empty(),
        "an invitation to the old identity is void"
    );
    let late = peer.create_group();
    let bundle = peer.group(&late).add_members(vec![invitation]).unwrap();
    assert!(
        me.client()
            .join_from_welcome(bundle.welcome.unwrap(), None)
            .is_err()
    );

    me.identity = new.clone();
    let invited = group_of(&[&peer, me]);
    for id in [&first, &pending, &last, &invited] {
        assert_eq!(peer.read(id, &me.send(id, "moved")), "moved");
        assert_eq!(me.read(id, &peer.send(id, "seen")), "seen");
    }
    let summaries = me.client().groups().unwrap();
    assert!(summaries.iter().all(|summary| summary.identity == *new));
    assert_eq!(summaries.len(), 4);
}

#[test]
fn every_group_moves_to_a_new_key_of_the_library() {
    let mut me = Device::new("me");
    let new = me.client().create_identity(basic("new"), SUITE).unwrap().id;
    every_group_moves(&mut me, &new);
}

#[test]
fn every_group_moves_to_a_key_outside_the_library() {
    let mut me = Device::new("me");
    let new = Hsm::new().create_identity(&me, basic("new")).id;
    every_group_moves(&mut me, &new);
}

#[test]
fn every_group_moves_from_a_key_outside_the_library() {
    let mut me = Device::new("me");
    me.identity = Hsm::new().create_identity(&me, basic("old")).id;
    let new = me.client().create_identity(basic("new"), SUITE).unwrap().id;
    every_group_moves(&mut me, &new);
}
