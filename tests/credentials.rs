//! Every kind of credential, from the identity to the other members.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use common::{Device, SUITE, assert_agree, deliver, group_of, reload};
use mls_mobile::{ArgumentReason, Credential, KeyPackageReason, MlsError, ProcessedMessage, Sender};

/// Two devices with credentials of this kind form a group; each sees the other's as it was made.
fn round_trip(credential: &Credential) {
    let (mut alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    for device in [&mut alice, &mut bob] {
        device.identity = device
            .client()
            .create_identity(credential.clone(), SUITE)
            .unwrap()
            .id;
    }
    reload(&mut [&mut alice, &mut bob]);
    assert_eq!(&bob.client().identities().unwrap()[1].credential, credential);
    let id = group_of(&[&alice, &bob]);
    reload(&mut [&mut alice, &mut bob]);
    assert_agree(&id, &[&alice, &bob]);
    for member in bob.group(&id).members().unwrap() {
        assert_eq!(&member.credential, credential);
    }
    let message = alice.send(&id, "who am I?");
    match bob.receive(&id, &message) {
        ProcessedMessage::Application { sender, .. } => {
            let credential = credential.clone();
            assert_eq!(
                sender,
                Sender::Member {
                    leaf_index: 0,
                    credential
                }
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_basic_credential_of_any_bytes_reaches_the_other_members() {
    round_trip(&Credential::Basic {
        identity: vec![0, 255, 0, 128],
    });
    round_trip(&Credential::Basic { identity: Vec::new() });
}

#[test]
fn a_certificate_chain_reaches_the_other_members_certificate_by_certificate() {
    // Not DER: MLS does not look into certificates. One is long enough for a two-byte length.
    let certificates = vec![vec![0x30; 700], b"intermediate".to_vec(), Vec::new()];
    round_trip(&Credential::X509 { certificates });
}

#[test]
fn a_credential_of_a_private_type_reaches_the_other_members() {
    round_trip(&Credential::Other {
        credential_type: 0xf0f0,
        content: b"anything".to_vec(),
    });
}

#[test]
fn credentials_that_cannot_be_encoded_as_they_say_are_refused() {
    let alice = Device::new("alice");
    let create = |credential| alice.client().create_identity(credential, SUITE).unwrap_err();
    for credential_type in [1, 2] {
        let error = create(Credential::Other {
            credential_type,
            content: Vec::new(),
        });
        let argument = "credential_type".to_owned();
        assert_eq!(
            error,
            MlsError::InvalidArgument {
                argument,
                reason: ArgumentReason::OutOfRange
            }
        );
    }
    let error = create(Credential::Basic {
        identity: vec![0; (64 << 10) + 1],
    });
    let argument = "credential".to_owned();
    assert_eq!(
        error,
        MlsError::InvalidArgument {
            argument,
            reason: ArgumentReason::TooLong
        }
    );
    assert_eq!(alice.client().identities().unwrap().len(), 1);
}

/// RFC 9420, section 7.3: a credential type that not every member supports has no place in the group.
#[test]
fn a_type_that_a_member_does_not_support_does_not_come_into_the_group() {
    let private = Credential::Other {
        credential_type: 0xf0f0,
        content: b"anything".to_vec(),
    };
    let (mut alice, mut bob, mut carol) = (Device::new("alice"), Device::new("bob"), Device::new("carol"));
    for device in [&mut alice, &mut bob] {
        let identity = device.client().create_identity(private.clone(), SUITE).unwrap();
        device.identity = identity.id;
    }
    let insufficient = || MlsError::KeyPackageInvalid {
        reason: KeyPackageReason::CapabilitiesInsufficient,
    };
    // Carol does not know the type of the members; dave does not know that of bob.
    let id = group_of(&[&alice, &bob]);
    let before = alice.dump();
    let answer = alice.group(&id).add_members(vec![carol.key_package()]);
    assert_eq!(answer, Err(insufficient()));
    let answer = alice.group(&id).propose_add(carol.key_package());
    assert_eq!(answer.map(drop), Err(insufficient()));
    assert!(alice.dump() == before);
    let dave = Device::new("dave");
    let open = dave.create_group();
    let answer = dave.group(&open).add_members(vec![bob.key_package()]);
    assert_eq!(answer, Err(insufficient()));

    // With a credential of the type carol lists it, and comes in.
    carol.identity = carol.client().create_identity(private, SUITE).unwrap().id;
    let bundle = alice.group(&id).add_members(vec![carol.key_package()]).unwrap();
    deliver(&id, &alice, &bundle, &[&bob]);
    carol.join(&bundle.welcome.unwrap());
    reload(&mut [&mut alice, &mut bob, &mut carol]);
    assert_agree(&id, &[&alice, &bob, &carol]);
    let update = carol.group(&id).self_update(None).unwrap();
    deliver(&id, &carol, &update, &[&alice, &bob]);
    assert_eq!(alice.read(&id, &carol.send(&id, "one of us")), "one of us");
}
