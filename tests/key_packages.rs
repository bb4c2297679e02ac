//! Key packages: made, listed, counted, used up, and refused when they must not be used.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use std::{
    collections::HashSet,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use common::{Device, SUITE, assert_agree, basic, group_of, raw::RawPeer, reload};
use mls_mobile::{
    ArgumentReason, Ciphersuite, IdentityId, KeyPackageOptions, KeyPackageReason, KeyPackageRef, MlsError,
    WelcomeReason,
};

const DAY: u64 = 24 * 60 * 60;

fn lifetime(lifetime_seconds: u64) -> Option<KeyPackageOptions> {
    Some(KeyPackageOptions {
        lifetime_seconds,
        ..KeyPackageOptions::default()
    })
}

fn last_resort() -> Option<KeyPackageOptions> {
    Some(KeyPackageOptions {
        last_resort: true,
        ..KeyPackageOptions::default()
    })
}

fn invalid(reason: KeyPackageReason) -> MlsError {
    MlsError::KeyPackageInvalid { reason }
}

fn no_matching_key_package() -> MlsError {
    MlsError::WelcomeInvalid {
        reason: WelcomeReason::NoMatchingKeyPackage,
    }
}

/// The Welcome to a new group of this device, for the owner of the key package.
fn welcome(inviter: &Device, key_package: &[u8]) -> Vec<u8> {
    let id = inviter.create_group();
    let bundle = inviter
        .group(&id)
        .add_members(vec![key_package.to_vec()])
        .unwrap();
    inviter.group(&id).merge_pending_commit().unwrap();
    bundle.welcome.unwrap()
}

fn wait_until_expired() {
    thread::sleep(Duration::from_secs(2));
}

#[test]
fn many_are_made_at_once_and_listed_after_a_reload() {
    let mut bob = Device::new("bob");
    let made = bob
        .client()
        .create_key_packages(bob.identity.clone(), 40, None)
        .unwrap();
    bob.reload();
    assert_eq!(bob.client().key_packages().unwrap(), made);
    let references: HashSet<_> = made.iter().map(|package| package.reference.clone()).collect();
    assert_eq!(references.len(), 40);
    assert!(
        made.iter()
            .all(|package| package.identity == bob.identity && !package.last_resort)
    );
}

#[test]
fn counts_and_identities_out_of_bounds_are_refused() {
    let bob = Device::new("bob");
    let create = |identity, count| bob.client().create_key_packages(identity, count, None);
    assert_eq!(create(bob.identity.clone(), 0).unwrap(), []);
    let too_many = MlsError::InvalidArgument {
        argument: "count".to_owned(),
        reason: ArgumentReason::OutOfRange,
    };
    assert_eq!(create(bob.identity.clone(), 1001).unwrap_err(), too_many);
    let stranger = IdentityId(vec![1; 32]);
    assert_eq!(create(stranger, 1).unwrap_err(), MlsError::IdentityNotFound);
    assert_eq!(bob.client().key_packages().unwrap(), []);
}

#[test]
fn lifetimes_of_nothing_and_of_more_than_366_days_are_refused() {
    let bob = Device::new("bob");
    let create = |seconds| {
        bob.client()
            .create_key_packages(bob.identity.clone(), 1, lifetime(seconds))
    };
    let out_of_range = MlsError::InvalidArgument {
        argument: "lifetime_seconds".to_owned(),
        reason: ArgumentReason::OutOfRange,
    };
    for seconds in [0, 366 * DAY, 366 * DAY + 1, u64::MAX] {
        assert_eq!(create(seconds).unwrap_err(), out_of_range, "{seconds}");
    }
    // The hour of margin for clocks that are behind counts.
    let longest = create(366 * DAY - 60 * 60).unwrap().remove(0);
    assert_eq!(longest.not_after - longest.not_before, 366 * DAY);
    bob.client().inspect_key_package(longest.bytes).unwrap();
}

#[test]
fn a_deleted_one_is_gone_with_its_private_key() {
    let (alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let made = bob
        .client()
        .create_key_packages(bob.identity.clone(), 3, None)
        .unwrap();
    let welcome = welcome(&alice, &made[1].bytes);
    let delete =
        |device: &Device, reference: &KeyPackageRef| device.client().delete_key_package(reference.clone());
    assert_eq!(
        delete(&alice, &made[1].reference).unwrap_err(),
        MlsError::KeyPackageNotFound
    );
    delete(&bob, &made[1].reference).unwrap();
    bob.reload();
    assert_eq!(
        bob.client().key_packages().unwrap(),
        [made[0].clone(), made[2].clone()]
    );
    assert_eq!(
        delete(&bob, &made[1].reference).unwrap_err(),
        MlsError::KeyPackageNotFound
    );
    let error = bob.client().join_from_welcome(welcome, None).err().unwrap();
    assert_eq!(error, no_matching_key_package());
}

#[test]
fn expired_ones_are_listed_until_they_are_deleted() {
    let mut bob = Device::new("bob");
    let create = |options| {
        bob.client()
            .create_key_packages(bob.identity.clone(), 2, options)
            .unwrap()
    };
    create(lifetime(1));
    let lasting = create(None);
    wait_until_expired();
    bob.reload();
    assert_eq!(bob.client().key_packages().unwrap().len(), 4);
    assert_eq!(bob.client().delete_expired_key_packages().unwrap(), 2);
    bob.reload();
    assert_eq!(bob.client().key_packages().unwrap(), lasting);
    assert_eq!(bob.client().delete_expired_key_packages().unwrap(), 0);
}

#[test]
fn replenishing_counts_only_unexpired_single_use_ones_of_that_identity() {
    let mut bob = Device::new("bob");
    let other = bob
        .client()
        .create_identity(basic("other bob"), SUITE)
        .unwrap()
        .id;
    let create = |identity: &IdentityId, options| {
        bob.client()
            .create_key_packages(identity.clone(), 2, options)
            .unwrap()
    };
    create(&bob.identity, None);
    create(&bob.identity, last_resort());
    create(&bob.identity, lifetime(1));
    create(&other, None);
    wait_until_expired();
    bob.reload();
    let replenish = |target| {
        bob.client()
            .replenish_key_packages(bob.identity.clone(), target, None)
            .unwrap()
    };
    let made = replenish(5);
    assert_eq!(made.len(), 3);
    assert!(made.iter().all(|package| package.identity == bob.identity));
    assert_eq!(bob.client().key_packages().unwrap()[8..], made);
    assert_eq!(replenish(5), []);
    assert_eq!(replenish(2), []);
    assert_eq!(bob.client().key_packages().unwrap().len(), 11);
}

#[test]
fn a_package_of_last_resort_joins_two_groups_and_stays() {
    let (alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let package = bob
        .client()
        .create_key_packages(bob.identity.clone(), 1, last_resort())
        .unwrap()
        .remove(0);
    assert!(
        alice
            .client()
            .inspect_key_package(package.bytes.clone())
            .unwrap()
            .last_resort
    );
    for _ in 0..2 {
        let id = bob.join(&welcome(&alice, &package.bytes));
        bob.reload();
        assert_eq!(bob.read(&id, &alice.send(&id, "hello")), "hello");
        assert_eq!(
            bob.client().key_packages().unwrap(),
            std::slice::from_ref(&package)
        );
    }
    assert_eq!(bob.client().groups().unwrap().len(), 2);
}

#[test]
fn a_package_used_twice_opens_only_the_first_welcome() {
    let (alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let package = bob.key_package();
    let (first, second) = (welcome(&alice, &package), welcome(&alice, &package));
    let id = bob.join(&first);
    bob.reload();
    assert_eq!(bob.client().key_packages().unwrap(), []);
    let error = bob
        .client()
        .join_from_welcome(second.clone(), None)
        .err()
        .unwrap();
    assert_eq!(error, no_matching_key_package());
    let error = bob.client().inspect_welcome(second, None).unwrap_err();
    assert_eq!(error, no_matching_key_package());
    assert_agree(&id, &[&alice, &bob]);
}

#[test]
fn inspecting_a_foreign_one_tells_what_its_owner_knows() {
    let (mut alice, bob) = (Device::new("alice"), Device::new("bob"));
    let package = bob
        .client()
        .create_key_packages(bob.identity.clone(), 1, lifetime(DAY))
        .unwrap()
        .remove(0);
    let before = alice.client().storage_info().unwrap().generation;
    let info = alice.client().inspect_key_package(package.bytes.clone()).unwrap();
    assert_eq!(info.reference, package.reference);
    assert_eq!(info.credential, basic("bob"));
    assert_eq!(info.signature_key, bob.identity.0);
    assert_eq!(info.ciphersuite, SUITE);
    assert_eq!(
        (info.not_before, info.not_after),
        (package.not_before, package.not_after)
    );
    assert!(!info.last_resort);
    alice.reload();
    assert_eq!(alice.client().storage_info().unwrap().generation, before);
    assert_eq!(alice.client().key_packages().unwrap(), []);

    let id = alice.create_group();
    let message = alice.send(&id, "not a key package");
    let error = alice.client().inspect_key_package(message).unwrap_err();
    assert_eq!(error, invalid(KeyPackageReason::NotAKeyPackage));
}

#[test]
fn one_of_another_suite_is_refused_for_that_and_not_for_its_signature() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let mut package = bob.key_package();
    for ciphersuite in [2_u16, 4, 5, 6, 7] {
        // Behind version and wire format of the message, and the version of the key package.
        package[6..8].copy_from_slice(&ciphersuite.to_be_bytes());
        let error = alice.client().inspect_key_package(package.clone()).unwrap_err();
        assert_eq!(error, MlsError::UnsupportedCiphersuite { ciphersuite });
    }
    // One that this library computes, but for which this was not signed.
    package[6..8].copy_from_slice(&1_u16.to_be_bytes());
    let error = alice.client().inspect_key_package(package).unwrap_err();
    assert_eq!(error, invalid(KeyPackageReason::SignatureInvalid));
}

#[test]
fn an_expired_one_is_refused() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = alice.create_group();
    let package = bob
        .client()
        .create_key_packages(bob.identity.clone(), 1, lifetime(1))
        .unwrap()
        .remove(0)
        .bytes;
    wait_until_expired();
    let error = alice.client().inspect_key_package(package.clone()).unwrap_err();
    assert_eq!(error, invalid(KeyPackageReason::Expired));
    let error = alice
        .group(&id)
        .add_members(vec![bob.key_package(), package])
        .unwrap_err();
    assert_eq!(error, invalid(KeyPackageReason::Expired));
    assert_eq!(alice.group(&id).pending_commit().unwrap(), None);
}

#[test]
fn one_that_is_not_valid_yet_is_refused() {
    let (alice, peer) = (Device::new("alice"), RawPeer::new("peer"));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let id = alice.create_group();
    let early = peer.key_package_between(now + 600, now + DAY);
    let error = alice.client().inspect_key_package(early.clone()).unwrap_err();
    assert_eq!(error, invalid(KeyPackageReason::NotYetValid));
    let error = alice.group(&id).add_members(vec![early]).unwrap_err();
    assert_eq!(error, invalid(KeyPackageReason::NotYetValid));
    assert_eq!(alice.group(&id).pending_commit().unwrap(), None);
    let valid = peer.key_package_between(now - 1, now + DAY);
    alice.group(&id).add_members(vec![valid]).unwrap();
}

#[test]
fn one_that_does_not_fit_the_group_is_refused_and_leaves_it_usable() {
    let (mut alice, mut bob, carol) = (Device::new("alice"), Device::new("bob"), Device::new("carol"));
    let aes = Device::with_suite("aes", Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519);
    let id = group_of(&[&alice, &bob]);
    let package = carol.key_package();
    let cases = [
        (vec![aes.key_package()], KeyPackageReason::OtherCiphersuite),
        (vec![bob.key_package()], KeyPackageReason::DuplicateKey),
        (vec![alice.key_package()], KeyPackageReason::DuplicateKey),
        (
            vec![package.clone(), package.clone()],
            KeyPackageReason::DuplicateKey,
        ),
        (
            vec![carol.key_package(), carol.key_package()],
            KeyPackageReason::DuplicateKey,
        ),
    ];
    for (packages, reason) in cases {
        let error = alice.group(&id).add_members(packages).unwrap_err();
        assert_eq!(error, invalid(reason));
        assert_eq!(alice.group(&id).pending_commit().unwrap(), None);
    }
    reload(&mut [&mut alice, &mut bob]);
    assert_agree(&id, &[&alice, &bob]);
    assert_eq!(bob.read(&id, &alice.send(&id, "still here")), "still here");
    alice.group(&id).add_members(vec![package]).unwrap();
}
