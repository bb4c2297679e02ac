//! Three devices of mls-mobile talk through the real service, and nothing else.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    unreachable_pub,
    reason = "test code"
)]

mod phone;
mod service;

use mls_delivery_client::{
    DeliveryError,
    wire::{Bytes, PublishedGroupInfo, Submit},
};
use phone::{Phone, SUITE};
use service::Service;

#[test]
fn three_devices_hold_a_conversation_across_restarts_of_all_and_of_the_service() {
    let mut service = Service::start();
    let [mut alice, mut bob, mut carol] =
        ["alice", "bob", "carol"].map(|name| Phone::new(name, &service.address));
    let group = alice.create_group();

    alice.invite(&group, &[&bob]);
    bob.catch_up();
    alice.say(&group, "Hello Bob");
    bob.catch_up();
    // Everybody starts again, from disk.
    service.restart();
    for phone in [&mut alice, &mut bob, &mut carol] {
        phone.reopen(&service.address);
    }
    bob.invite(&group, &[&carol]);
    for phone in [&mut alice, &mut carol] {
        phone.catch_up();
    }
    carol.say(&group, "Hello all");
    alice.catch_up();
    bob.catch_up();
    assert_eq!(alice.read, ["Hello all"]);
    assert_eq!(bob.read, ["Hello Bob", "Hello all"]);
    assert!(alice.agrees_with(&bob, &group) && bob.agrees_with(&carol, &group));

    bob.remove(&group, &carol);
    alice.catch_up();
    carol.catch_up();
    alice.say(&group, "Just us");
    bob.catch_up();
    assert_eq!(bob.read.last().unwrap(), "Just us");
    assert!(carol.try_say(&group, "Me too?").is_err(), "Carol is out");
    assert_eq!(alice.service.group(&group).unwrap().devices.len(), 2);
}

#[test]
fn of_two_commits_of_an_epoch_the_first_wins_and_the_other_member_follows() {
    let service = Service::start();
    let [mut alice, mut bob] = ["alice", "bob"].map(|name| Phone::new(name, &service.address));
    let group = alice.create_group();
    alice.invite(&group, &[&bob]);
    bob.catch_up();

    let alices = alice.group(&group).self_update(None).unwrap();
    let bobs = bob.group(&group).self_update(None).unwrap();
    let submit = |commit: &[u8]| Submit {
        commit: commit.to_vec().into(),
        ..Submit::default()
    };
    assert_eq!(
        alice
            .service
            .submit(&group, &submit(&alices.commit))
            .unwrap()
            .epoch,
        2
    );
    // The answer was lost: the same again.
    assert!(
        alice
            .service
            .submit(&group, &submit(&alices.commit))
            .unwrap()
            .duplicate
    );
    let lost = bob.service.submit(&group, &submit(&bobs.commit));
    assert!(
        matches!(lost, Err(DeliveryError::WrongEpoch { epoch: 2 })),
        "{lost:?}"
    );
    alice.group(&group).merge_pending_commit().unwrap();
    bob.catch_up();
    assert!(alice.agrees_with(&bob, &group));
    bob.say(&group, "I follow");
    alice.catch_up();
    assert_eq!(alice.read, ["I follow"]);
}

#[test]
fn a_device_with_the_join_secret_joins_by_itself_and_others_do_not_get_in() {
    let service = Service::start();
    let [mut alice, mut bob, dora] = ["alice", "bob", "dora"].map(|name| Phone::new(name, &service.address));
    let secret = [5; 32];
    let group = alice.create_group_with_secret(&secret);
    let with_tree = alice.group(&group).export_group_info(true).unwrap();
    let refused = alice
        .service
        .publish_group_info(&group, &published(with_tree, None));
    assert!(matches!(refused, Err(DeliveryError::Refused { code }) if code == "ratchet_tree_included"));
    // An app seals the tree under a key that it gives, with the join secret, to whom it lets in.
    let tree = alice.group(&group).export_ratchet_tree().unwrap();
    let info = published(alice.group(&group).export_group_info(false).unwrap(), Some(tree));
    alice.service.publish_group_info(&group, &info).unwrap();

    assert!(dora.service.group_info(&group, Some(&[6; 32])).is_err());
    assert!(dora.service.group_info(&group, None).is_err());
    let info = bob.service.group_info(&group, Some(&secret)).unwrap();
    let tree = info.sealed_ratchet_tree.map(|tree| tree.0);
    let join = bob
        .client()
        .join_by_external_commit(bob.identity.clone(), info.group_info.0, tree)
        .unwrap();
    let commit = Submit {
        commit: join.commit.into(),
        ..Submit::default()
    };
    let outside = dora.service.join(&group, &commit, &[6; 32]);
    assert!(matches!(outside, Err(DeliveryError::Refused { code }) if code == "no_such_group"));
    bob.service.join(&group, &commit, &secret).unwrap();
    bob.client().confirm_external_join(join.group_id).unwrap();
    alice.catch_up();
    assert!(alice.agrees_with(&bob, &group));
    alice.say(&group, "Welcome");
    bob.catch_up();
    assert_eq!(bob.read, ["Welcome"]);
    // The epoch of that GroupInfo is over.
    assert!(dora.service.group_info(&group, Some(&secret)).is_err());
}

#[test]
fn key_packages_are_claimed_once_each_and_the_last_resort_only_after_them() {
    let service = Service::start();
    let [alice, bob] = ["alice", "bob"].map(|name| Phone::new(name, &service.address));
    let published = bob.publish_key_packages(3, true);
    let claimed: Vec<_> = (0..5)
        .map(|_| alice.service.claim_key_package(&bob.device, SUITE).unwrap())
        .collect();
    let (last_resort, single_use) = published.split_last().unwrap();
    let mut once = claimed[..3].to_vec();
    once.sort();
    let mut expected = single_use.to_vec();
    expected.sort();
    assert_eq!(once, expected);
    assert_eq!(&claimed[3], last_resort);
    assert_eq!(&claimed[4], last_resort);
    let stock = bob.service.key_package_stock().unwrap();
    assert!(stock[0].single_use == 0 && stock[0].last_resort);
    assert!(
        alice.service.claim_key_package(&bob.device, 2).is_err(),
        "none of that suite"
    );
    bob.service.withdraw_key_packages().unwrap();
    assert!(alice.service.claim_key_package(&bob.device, SUITE).is_err());
}

fn published(group_info: Vec<u8>, sealed_ratchet_tree: Option<Vec<u8>>) -> PublishedGroupInfo {
    PublishedGroupInfo {
        group_info: Bytes(group_info),
        sealed_ratchet_tree: sealed_ratchet_tree.map(Bytes),
    }
}
