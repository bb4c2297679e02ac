//! Comparing epoch authenticators with other members: what proves a fork and what proves nothing.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use common::{Device, advance, assert_agree, deliver, group_of, reload};
use mls_mobile::{
    AuthenticatorComparison::{self, Different, Same, Unknown},
    GroupId, MlsError, PastEpochDeletion,
};

fn compare(device: &Device, id: &GroupId, epoch: u64, authenticator: &[u8]) -> AuthenticatorComparison {
    device
        .group(id)
        .compare_authenticator(epoch, authenticator.to_vec())
        .unwrap()
}

#[test]
fn current_and_past_epochs_compare_and_others_prove_nothing() {
    let (mut alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let id = alice.create_group();
    let alone = alice.authenticator(&id);
    let invitation = alice.group(&id).add_members(vec![bob.key_package()]).unwrap();
    alice.group(&id).merge_pending_commit().unwrap();
    bob.join(&invitation.welcome.unwrap());
    let first = alice.authenticator(&id);
    assert_eq!(compare(&bob, &id, 1, &first), Same);
    advance(&id, &alice, &[&bob]);
    let second = alice.authenticator(&id);
    bob.group(&id)
        .delete_past_epoch_secrets(PastEpochDeletion::All)
        .unwrap();
    reload(&mut [&mut alice, &mut bob]);
    for device in [&alice, &bob] {
        assert_eq!(compare(device, &id, 2, &second), Same);
        assert_eq!(compare(device, &id, 1, &first), Same);
        assert_eq!(compare(device, &id, 2, &first), Different);
        assert_eq!(compare(device, &id, 1, &second), Different);
        for wrong in [&second[1..], &[], &[0; 32]] {
            assert_eq!(compare(device, &id, 2, wrong), Different);
        }
        for epoch in [3, u64::MAX] {
            assert_eq!(compare(device, &id, epoch, &second), Unknown);
        }
    }
    assert_eq!(compare(&alice, &id, 0, &alone), Same);
    assert_eq!(compare(&bob, &id, 0, &alone), Unknown, "bob was no member");
    let group = bob.group(&id);
    group.delete().unwrap();
    assert_eq!(
        group.compare_authenticator(1, first).unwrap_err(),
        MlsError::GroupNotFound
    );
}

#[test]
fn sixty_four_past_epochs_are_known_under_a_new_data_key_too() {
    let mut alice = Device::new("alice");
    let id = alice.create_group();
    let other = alice.create_group();
    advance(&other, &alice, &[]);
    let authenticators: Vec<_> = (0..66)
        .map(|_| {
            let authenticator = alice.authenticator(&id);
            advance(&id, &alice, &[]);
            authenticator
        })
        .collect();
    alice.client().rotate_data_key().unwrap();
    alice.reload();
    for (epoch, authenticator) in authenticators.iter().enumerate() {
        let known = if epoch < 2 { Unknown } else { Same };
        assert_eq!(
            compare(&alice, &id, epoch as u64, authenticator),
            known,
            "{epoch}"
        );
    }
    // The other group's epochs are its own.
    assert_eq!(compare(&alice, &other, 0, &authenticators[0]), Different);
}

#[test]
fn a_removed_device_compares_the_epochs_in_which_it_was_a_member() {
    let (alice, bob, mut carol) = (Device::new("alice"), Device::new("bob"), Device::new("carol"));
    let id = group_of(&[&alice, &bob, &carol]);
    let first = alice.authenticator(&id);
    advance(&id, &bob, &[&alice, &carol]);
    let last = alice.authenticator(&id);
    let removal = alice.group(&id).remove_members(vec![2]).unwrap();
    deliver(&id, &alice, &removal, &[&bob, &carol]);
    carol.reload();
    assert!(!carol.group(&id).info().unwrap().is_active);
    assert_eq!(compare(&carol, &id, 1, &first), Same);
    assert_eq!(compare(&carol, &id, 2, &last), Same);
    assert_eq!(compare(&carol, &id, 2, &first), Different);
    assert_eq!(compare(&carol, &id, 3, &alice.authenticator(&id)), Unknown);
    // What it has itself is of the epoch before, and must not be taken for the new one's.
    assert_eq!(compare(&carol, &id, 3, &carol.authenticator(&id)), Unknown);
}

#[test]
fn two_rival_commits_merged_by_a_part_of_the_group_each_are_a_fork() {
    let (mut alice, mut bob, mut carol) = (Device::new("alice"), Device::new("bob"), Device::new("carol"));
    let id = group_of(&[&alice, &bob, &carol]);
    let common = alice.authenticator(&id);
    let ours = alice.group(&id).self_update(None).unwrap();
    let rival = bob.group(&id).self_update(None).unwrap();
    // A delivery service that tells each part another story.
    deliver(&id, &alice, &ours, &[]);
    deliver(&id, &bob, &rival, &[&carol]);
    assert_agree(&id, &[&bob, &carol]);
    let (left, right) = (alice.authenticator(&id), bob.authenticator(&id));
    for _ in 0..2 {
        reload(&mut [&mut alice, &mut bob, &mut carol]);
        assert_eq!(compare(&alice, &id, 2, &right), Different);
        assert_eq!(compare(&bob, &id, 2, &left), Different);
        assert_eq!(compare(&carol, &id, 2, &left), Different);
        assert_eq!(compare(&carol, &id, 2, &right), Same);
        for device in [&alice, &bob, &carol] {
            assert_eq!(compare(device, &id, 1, &common), Same, "before the fork");
        }
        // It stays provable when both parts have gone on.
        advance(&id, &alice, &[]);
        advance(&id, &bob, &[&carol]);
    }
    assert_eq!(
        compare(&alice, &id, alice.epoch(&id), &bob.authenticator(&id)),
        Different
    );
}
