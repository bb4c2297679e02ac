//! Identities: made, listed and deleted; every suite; a group that changes its identity.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use common::{Device, SUITE, assert_agree, basic, deliver, group_of, reload};
use mls_mobile::{ArgumentReason, Ciphersuite, Credential, Identity, IdentityId, MlsError};

const SUITES: [Ciphersuite; 3] = [
    Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519,
    Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519,
    Ciphersuite::MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519,
];

fn create(device: &Device, credential: Credential) -> Identity {
    device.client().create_identity(credential, SUITE).unwrap()
}

#[test]
fn identities_are_listed_in_the_order_of_their_creation() {
    let mut alice = Device::new("alice");
    let first = alice.client().identities().unwrap().remove(0);
    assert_eq!(first.id, alice.identity);
    assert_eq!(first.credential, basic("alice"));
    let second = create(&alice, basic("second"));
    // The same credential again is another identity: it has another key.
    let third = create(&alice, basic("second"));
    alice.reload();
    assert_ne!(second.id, third.id);
    assert_eq!(
        alice.client().identities().unwrap(),
        [first.clone(), second.clone(), third.clone()]
    );

    alice.client().delete_identity(second.id.clone()).unwrap();
    alice.reload();
    let fourth = create(&alice, basic("fourth"));
    assert_eq!(alice.client().identities().unwrap(), [first, third, fourth]);
    let error = alice.client().delete_identity(second.id).unwrap_err();
    assert_eq!(error, MlsError::IdentityNotFound);
}

#[test]
fn a_deleted_identity_takes_its_key_packages_with_it_and_no_others() {
    let mut alice = Device::new("alice");
    let other = create(&alice, basic("other"));
    for (id, count) in [(&other.id, 3), (&alice.identity, 2)] {
        alice
            .client()
            .create_key_packages(id.clone(), count, None)
            .unwrap();
    }
    alice.client().delete_identity(other.id).unwrap();
    alice.reload();
    let left = alice.client().key_packages().unwrap();
    assert_eq!(left.len(), 2);
    assert!(left.iter().all(|package| package.identity == alice.identity));
}

#[test]
fn an_identity_that_a_group_signs_with_cannot_be_deleted() {
    let (mut alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    reload(&mut [&mut alice, &mut bob]);
    for device in [&alice, &bob] {
        let error = device
            .client()
            .delete_identity(device.identity.clone())
            .unwrap_err();
        assert_eq!(error, MlsError::IdentityInUse);
    }
    assert_eq!(bob.read(&id, &alice.send(&id, "still signed")), "still signed");
    alice.group(&id).delete().unwrap();
    alice.reload();
    alice.client().delete_identity(alice.identity.clone()).unwrap();
    assert_eq!(alice.client().identities().unwrap(), []);
}

#[test]
fn an_unknown_identity_makes_nothing() {
    let alice = Device::new("alice");
    let stranger = IdentityId(vec![9; 32]);
    let error = alice.client().create_group(stranger.clone(), None).err().unwrap();
    assert_eq!(error, MlsError::IdentityNotFound);
    let id = alice.create_group();
    let error = alice.group(&id).self_update(Some(stranger.clone())).unwrap_err();
    assert_eq!(error, MlsError::IdentityNotFound);
    let error = alice.client().delete_identity(stranger).unwrap_err();
    assert_eq!(error, MlsError::IdentityNotFound);
}

#[test]
fn a_group_moves_to_a_new_identity() {
    let (mut alice, mut bob, mut carol) = (Device::new("alice"), Device::new("bob"), Device::new("carol"));
    let id = group_of(&[&alice, &bob, &carol]);
    let old = bob.identity.clone();
    let new = create(&bob, basic("bob's new phone"));
    let commit = bob.group(&id).self_update(Some(new.id.clone())).unwrap();
    bob.reload();
    assert_eq!(bob.group(&id).info().unwrap().identity, old);
    bob.group(&id).merge_pending_commit().unwrap();
    reload(&mut [&mut alice, &mut bob, &mut carol]);
    for peer in [&alice, &carol] {
        let (summary, _) = peer.follow(&id, &commit.commit);
        let [updated] = &summary.updated[..] else {
            panic!("{summary:?}")
        };
        assert_eq!((updated.before.leaf_index, updated.after.leaf_index), (1, 1));
        assert_eq!(updated.before.credential, basic("bob"));
        assert_eq!(updated.before.signature_key, old.0);
        assert_eq!(updated.after.credential, basic("bob's new phone"));
        assert_eq!(updated.after.signature_key, new.id.0);
        assert_eq!(peer.group(&id).members().unwrap()[1], updated.after);
    }
    reload(&mut [&mut alice, &mut bob, &mut carol]);
    assert_agree(&id, &[&alice, &bob, &carol]);

    assert_eq!(bob.group(&id).info().unwrap().identity, new.id);
    assert_eq!(bob.client().groups().unwrap()[0].identity, new.id);
    let error = bob.client().delete_identity(new.id.clone()).unwrap_err();
    assert_eq!(error, MlsError::IdentityInUse);
    bob.client().delete_identity(old).unwrap();
    bob.reload();
    let message = bob.send(&id, "it is me");
    assert_eq!(alice.read(&id, &message), "it is me");
    assert_eq!(carol.read(&id, &message), "it is me");
    let update = bob.group(&id).self_update(None).unwrap();
    deliver(&id, &bob, &update, &[&alice, &carol]);
    assert_agree(&id, &[&alice, &bob, &carol]);
}

#[test]
fn an_identity_that_a_pending_commit_moves_to_cannot_be_deleted() {
    let (mut alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let new = create(&alice, basic("new")).id;
    let commit = alice.group(&id).self_update(Some(new.clone())).unwrap();
    alice.reload();
    // Without it the Commit, which others may have merged already, could never be merged here.
    let error = alice.client().delete_identity(new.clone()).unwrap_err();
    assert_eq!(error, MlsError::IdentityInUse);
    deliver(&id, &alice, &commit, &[&bob]);
    assert_agree(&id, &[&alice, &bob]);
    assert_eq!(bob.read(&id, &alice.send(&id, "moved")), "moved");
}

#[test]
fn a_cleared_move_leaves_the_old_identity_in_charge() {
    let (mut alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let new = create(&alice, basic("new")).id;
    alice.group(&id).self_update(Some(new.clone())).unwrap();
    alice.reload();
    alice.group(&id).clear_pending_commit().unwrap();
    // Until the epoch ends the Commit may still come back, and then the group signs with it.
    let error = alice.client().delete_identity(new.clone()).unwrap_err();
    assert_eq!(error, MlsError::IdentityInUse);
    alice.reload();
    let update = alice.group(&id).self_update(None).unwrap();
    deliver(&id, &alice, &update, &[&bob]);
    alice.client().delete_identity(new).unwrap();
    assert_eq!(alice.group(&id).info().unwrap().identity, alice.identity);
    assert_eq!(bob.read(&id, &alice.send(&id, "unmoved")), "unmoved");
}

#[test]
fn a_group_does_not_move_to_an_identity_of_another_suite() {
    let alice = Device::new("alice");
    let id = alice.create_group();
    let other = alice
        .client()
        .create_identity(basic("alice"), SUITES[0])
        .unwrap()
        .id;
    let error = alice.group(&id).self_update(Some(other)).unwrap_err();
    let argument = "new_identity".to_owned();
    assert_eq!(
        error,
        MlsError::InvalidArgument {
            argument,
            reason: ArgumentReason::OutOfRange
        }
    );
    assert_eq!(alice.group(&id).pending_commit().unwrap(), None);
}

#[test]
fn a_group_does_not_move_to_a_credential_type_that_a_member_does_not_know() {
    let (mut alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let private = Credential::Other {
        credential_type: 0xf0f0,
        content: b"anything".to_vec(),
    };
    let other = create(&alice, private).id;
    // Bob would refuse the Commit, and alice would be alone in the new epoch.
    let error = alice.group(&id).self_update(Some(other)).unwrap_err();
    let argument = "new_identity".to_owned();
    let reason = ArgumentReason::OutOfRange;
    assert_eq!(error, MlsError::InvalidArgument { argument, reason });
    let certificates = vec![b"certificate".to_vec()];
    let known = create(&alice, Credential::X509 { certificates }).id;
    let commit = alice.group(&id).self_update(Some(known)).unwrap();
    alice.reload();
    deliver(&id, &alice, &commit, &[&bob]);
    assert_agree(&id, &[&alice, &bob]);
}

#[test]
fn every_suite_forms_a_group_that_talks() {
    for suite in SUITES {
        let (mut alice, mut bob) = (
            Device::with_suite("alice", suite),
            Device::with_suite("bob", suite),
        );
        let id = group_of(&[&alice, &bob]);
        reload(&mut [&mut alice, &mut bob]);
        assert_agree(&id, &[&alice, &bob]);
        assert_eq!(alice.group(&id).info().unwrap().ciphersuite, suite);
        assert_eq!(bob.read(&id, &alice.send(&id, "ping")), "ping");
        assert_eq!(alice.read(&id, &bob.send(&id, "pong")), "pong");
        let update = bob.group(&id).self_update(None).unwrap();
        deliver(&id, &bob, &update, &[&alice]);
        reload(&mut [&mut alice, &mut bob]);
        assert_agree(&id, &[&alice, &bob]);
        assert_eq!(bob.read(&id, &alice.send(&id, "renewed")), "renewed");
    }
}
