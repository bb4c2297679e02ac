//! Trees and lists of key packages that are large enough to be verified on all cores: what is forged in them is refused as
//! in small ones, and nothing has changed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod common;

use common::{Device, SUITE, assert_agree, basic};
use mls_mobile::{GroupConfig, GroupId, MlsError};

/// Alice in a group of `members` with crowd, which brings all the others, and an invitation for bob without a tree.
fn invited(members: usize) -> (Device, Device, GroupId, Vec<u8>) {
    let [alice, bob, crowd] = ["alice", "bob", "crowd"].map(Device::new);
    let config = GroupConfig {
        ratchet_tree_in_welcome: false,
        ..GroupConfig::default()
    };
    let id = alice.create_group_with(Some(config));
    let mut packages = key_packages(&crowd, members - 2);
    packages.push(bob.key_package());
    let bundle = alice.group(&id).add_members(packages).unwrap();
    alice.group(&id).merge_pending_commit().unwrap();
    (alice, bob, id, bundle.welcome.unwrap())
}

/// Of as many identities.
fn key_packages(device: &Device, count: usize) -> Vec<Vec<u8>> {
    let client = device.client();
    let made = (0..count).map(|n| {
        let identity = client.create_identity(basic(&n.to_string()), SUITE).unwrap().id;
        client
            .create_key_packages(identity, 1, None)
            .unwrap()
            .remove(0)
            .bytes
    });
    made.collect()
}

/// Another bit in the last signature, which is the end.
fn forged(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    bytes
}

#[test]
fn a_forged_leaf_is_refused_by_a_welcome_as_in_a_small_tree() {
    let errors = [3, 40].map(|members| {
        let (alice, bob, id, welcome) = invited(members);
        let tree = alice.group(&id).export_ratchet_tree().unwrap();
        let before = bob.dump();
        let error = bob
            .client()
            .join_from_welcome(welcome.clone(), Some(forged(&tree)))
            .err()
            .unwrap();
        assert!(before == bob.dump());
        bob.client().join_from_welcome(welcome, Some(tree)).unwrap();
        assert_agree(&id, &[&alice, &bob]);
        error
    });
    let [small, large] = &errors;
    assert_eq!(small, large);
    assert!(matches!(small, MlsError::WelcomeInvalid { .. }), "{small:?}");
}

#[test]
fn a_forged_leaf_is_refused_by_an_external_join_as_in_a_small_tree() {
    let errors = [3, 40].map(|members| {
        let (alice, bob, id, _) = invited(members);
        let tree = alice.group(&id).export_ratchet_tree().unwrap();
        let join = |tree| {
            let group_info = alice.group(&id).export_group_info(false).unwrap();
            let identity = bob.identity.clone();
            bob.client()
                .join_by_external_commit(identity, group_info, Some(tree))
        };
        let before = bob.dump();
        let error = join(forged(&tree)).unwrap_err();
        assert!(before == bob.dump());
        let accepted = join(tree).unwrap();
        alice.receive(&id, &accepted.commit);
        bob.client().confirm_external_join(id.clone()).unwrap();
        assert_agree(&id, &[&alice, &bob]);
        error
    });
    let [small, large] = &errors;
    assert_eq!(small, large);
}

#[test]
fn a_forged_key_package_among_many_is_refused_as_alone() {
    let [alice, crowd] = ["alice", "crowd"].map(Device::new);
    let id = alice.create_group();
    let mut packages = key_packages(&crowd, 30);
    let sound = packages.clone();
    let bad = forged(&packages[17]);
    let add = |packages| alice.group(&id).add_members(packages);
    let alone = add(vec![bad.clone()]).unwrap_err();
    packages[17] = bad;
    let before = alice.dump();
    assert_eq!(add(packages.clone()).unwrap_err(), alone);
    // The first that is wrong tells what is wrong.
    packages[20] = b"nothing".to_vec();
    assert_eq!(add(packages.clone()).unwrap_err(), alone);
    packages.swap(17, 20);
    assert_ne!(add(packages).unwrap_err(), alone);
    assert!(before == alice.dump());
    add(sound).unwrap();
}
