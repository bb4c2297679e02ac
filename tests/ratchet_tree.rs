//! The rows of a group's ratchet tree: in a large group a Commit writes the nodes that it changed and not the tree, and
//! the rows are always those of the group.

#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::{Device, SUITE, advance, assert_agree, basic, parts::Parts, reload};
use mls_mobile::GroupId;

fn parts(device: &Device) -> Parts {
    common::parts::of(device, "tree_part")
}

fn written(device: &Device, act: impl FnOnce()) -> usize {
    common::parts::written(device, "tree_part", act)
}

/// Alice and bob in a group of `members`, of which crowd has the others.
fn large(members: usize) -> ([Device; 2], GroupId) {
    let [alice, bob, crowd] = ["alice", "bob", "crowd"].map(Device::new);
    let id = alice.create_group();
    let mut packages: Vec<_> = (2..members)
        .map(|n| {
            let client = crowd.client();
            let identity = client.create_identity(basic(&n.to_string()), SUITE).unwrap().id;
            let made = client.create_key_packages(identity, 1, None);
            made.unwrap().remove(0).bytes
        })
        .collect();
    packages.push(bob.key_package());
    let bundle = alice.group(&id).add_members(packages).unwrap();
    alice.group(&id).merge_pending_commit().unwrap();
    bob.client()
        .join_from_welcome(bundle.welcome.unwrap(), None)
        .unwrap();
    ([alice, bob], id)
}

#[test]
fn a_commit_in_a_large_group_writes_few_rows_and_the_tree_is_right_after_it() {
    let ([mut alice, mut bob], id) = large(150);
    let rows = parts(&bob).len();
    assert!(rows > 15, "{rows} rows");
    // The first Commit gives the tree parents where it had none.
    advance(&id, &alice, &[&bob]);
    for reloads in [false, true] {
        if reloads {
            reload(&mut [&mut alice, &mut bob]);
        }
        // A leaf, at most eight parents above it, and the head with the tree's hash.
        let changed = written(&bob, || drop(advance(&id, &alice, &[&bob])));
        assert!((3..=10).contains(&changed), "{changed} of {rows} rows");
        let changed = written(&alice, || drop(advance(&id, &bob, &[&alice])));
        assert!((3..=10).contains(&changed), "{changed} of {rows} rows");
        assert_agree(&id, &[&alice, &bob]);
    }
    reload(&mut [&mut alice, &mut bob]);
    assert_agree(&id, &[&alice, &bob]);
    bob.read(&id, &alice.send(&id, "after all"));
}

#[test]
fn a_group_that_shrinks_and_one_that_is_deleted_leave_no_rows() {
    let ([mut alice, mut bob], id) = large(60);
    assert!(!parts(&bob).is_empty());
    let leaves: Vec<u32> = (1..59).collect();
    let bundle = alice.group(&id).remove_members(leaves).unwrap();
    alice.group(&id).merge_pending_commit().unwrap();
    bob.receive(&id, &bundle.commit);
    reload(&mut [&mut alice, &mut bob]);
    assert_agree(&id, &[&alice, &bob]);
    assert!(parts(&bob).len() < 16, "a small tree has one row");

    let ([alice, _bob], id) = large(60);
    assert!(!parts(&alice).is_empty());
    alice.group(&id).delete().unwrap();
    assert!(parts(&alice).is_empty());
}

#[test]
fn an_external_join_of_a_large_group_brings_the_tree_in_parts() {
    let ([alice, _bob], id) = large(60);
    let mut carol = Device::new("carol");
    let group_info = alice.group(&id).export_group_info(true).unwrap();
    let join = carol
        .client()
        .join_by_external_commit(carol.identity.clone(), group_info, None)
        .unwrap();
    assert!(parts(&carol).is_empty(), "the join waits");
    alice.receive(&id, &join.commit);
    carol.reload();
    carol.client().confirm_external_join(id.clone()).unwrap();
    assert!(!parts(&carol).is_empty());
    carol.reload();
    assert_agree(&id, &[&alice, &carol]);
}
