//! Application messages: what is read, what is refused, and what travels in clear.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use common::{Device, advance, assert_agree, basic, deliver, group_of, reload};
use mls_mobile::{
    GroupConfig, GroupId, MessageKind, MessageReason, MlsError, ProcessedMessage, Sender, WireFormat,
};

fn two() -> (Device, Device, GroupId) {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    (alice, bob, id)
}

fn error(device: &Device, id: &GroupId, message: &[u8]) -> MlsError {
    device.group(id).process_message(message.to_vec()).unwrap_err()
}

fn invalid(reason: MessageReason) -> MlsError {
    MlsError::MessageInvalid { reason }
}

fn send_many(device: &Device, id: &GroupId, count: u32) -> Vec<Vec<u8>> {
    (0..count).map(|n| device.send(id, &n.to_string())).collect()
}

#[test]
fn fifty_messages_in_reverse_order_are_all_read() {
    let (mut alice, mut bob, id) = two();
    let messages = send_many(&alice, &id, 50);
    reload(&mut [&mut alice, &mut bob]);
    for (n, message) in messages.iter().enumerate().rev() {
        if n == 25 {
            bob.reload();
        }
        assert_eq!(bob.read(&id, message), n.to_string());
    }
    bob.reload();
    for message in &messages {
        assert_eq!(bob.receive(&id, message), ProcessedMessage::Duplicate);
    }
    assert_eq!(bob.read(&id, &alice.send(&id, "and on")), "and on");
}

#[test]
fn a_message_overtaken_by_too_many_is_refused() {
    let (alice, mut bob, id) = two();
    let messages = send_many(&alice, &id, 70);
    assert_eq!(bob.read(&id, &messages[69]), "69");
    bob.reload();
    assert_eq!(
        error(&bob, &id, &messages[0]),
        invalid(MessageReason::GenerationTooOld)
    );
    // The default keeps 64 keys.
    assert_eq!(bob.read(&id, &messages[10]), "10");
}

#[test]
fn a_message_too_far_ahead_is_refused_until_those_before_it_came() {
    let (alice, mut bob, id) = two();
    bob.group(&id)
        .configure(GroupConfig {
            maximum_forward_distance: 5,
            ..GroupConfig::default()
        })
        .unwrap();
    bob.reload();
    let messages = send_many(&alice, &id, 12);
    assert_eq!(
        error(&bob, &id, &messages[11]),
        invalid(MessageReason::GenerationTooNew)
    );
    bob.reload();
    for (n, message) in messages.iter().enumerate() {
        assert_eq!(bob.read(&id, message), n.to_string());
    }
}

#[test]
fn a_message_of_the_next_epoch_is_refused_and_read_after_its_commit() {
    let (alice, mut bob, id) = two();
    let update = alice.group(&id).self_update(None).unwrap();
    alice.group(&id).merge_pending_commit().unwrap();
    let early = alice.send(&id, "early");
    let wrong_epoch = MlsError::WrongEpoch {
        current: 1,
        received: 2,
    };
    assert_eq!(error(&bob, &id, &early), wrong_epoch);
    bob.reload();
    assert_eq!(error(&bob, &id, &early), wrong_epoch);
    bob.follow(&id, &update.commit);
    assert_eq!(bob.read(&id, &early), "early");
}

#[test]
fn late_messages_are_read_as_long_as_their_epoch_is_kept() {
    let (mut alice, mut bob, id) = two();
    let late: Vec<_> = (0..3).map(|n| alice.send(&id, &format!("late {n}"))).collect();
    for (n, late) in late.iter().enumerate() {
        advance(&id, &alice, &[&bob]);
        reload(&mut [&mut alice, &mut bob]);
        match bob.receive(&id, late) {
            ProcessedMessage::Application { epoch, plaintext, .. } => {
                assert_eq!((epoch, plaintext), (1, format!("late {n}").into_bytes()));
            }
            other => panic!("{n} epochs later: {other:?}"),
        }
        assert_eq!(bob.receive(&id, late), ProcessedMessage::Duplicate);
    }
}

#[test]
fn messages_and_commits_of_epochs_that_are_not_kept_are_stale() {
    let (mut alice, mut bob, id) = two();
    let old_message = alice.send(&id, "too late");
    let old_commit = bob.group(&id).self_update(None).unwrap().commit;
    bob.group(&id).clear_pending_commit().unwrap();
    for _ in 0..4 {
        advance(&id, &alice, &[&bob]);
    }
    reload(&mut [&mut alice, &mut bob]);
    assert_eq!(
        bob.receive(&id, &old_message),
        ProcessedMessage::Stale { epoch: 1 }
    );
    assert_eq!(
        alice.receive(&id, &old_commit),
        ProcessedMessage::Stale { epoch: 1 }
    );
    assert_eq!(bob.read(&id, &alice.send(&id, "in time")), "in time");
}

#[test]
fn authenticated_data_travels_in_clear_and_belongs_to_one_message() {
    let (mut alice, mut bob, id) = two();
    let message = alice
        .group(&id)
        .create_message(b"hidden words".to_vec(), b"visible words".to_vec())
        .unwrap();
    let contains = |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    assert!(contains(&message, b"visible words"));
    assert!(!contains(&message, b"hidden words"));
    reload(&mut [&mut alice, &mut bob]);
    let mut changed = message.clone();
    let position = changed
        .windows(7)
        .position(|window| window == b"visible")
        .unwrap();
    changed[position] ^= 1;
    assert_eq!(
        error(&bob, &id, &changed),
        invalid(MessageReason::DecryptionFailed)
    );
    let expected = ProcessedMessage::Application {
        id: Some(1),
        sender: Sender::Member {
            leaf_index: 0,
            credential: basic("alice"),
        },
        epoch: 1,
        plaintext: b"hidden words".to_vec(),
        authenticated_data: b"visible words".to_vec(),
    };
    assert_eq!(bob.receive(&id, &message), expected);
    match bob.receive(&id, &alice.send(&id, "next")) {
        ProcessedMessage::Application {
            authenticated_data, ..
        } => assert_eq!(authenticated_data, b""),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_empty_and_a_large_plaintext_arrive_as_they_were() {
    let (mut alice, mut bob, id) = two();
    let large: Vec<u8> = (0..1 << 20).map(|n: u32| (n % 251) as u8).collect();
    for text in [Vec::new(), large] {
        let message = alice.group(&id).create_message(text.clone(), Vec::new()).unwrap();
        reload(&mut [&mut alice, &mut bob]);
        match bob.receive(&id, &message) {
            ProcessedMessage::Application { plaintext, .. } => assert!(plaintext == text),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn padding_hides_lengths_within_a_block_and_none_shows_them() {
    let (alice, bob, id) = two();
    let length = |text: &str| {
        let message = alice.send(&id, text);
        assert_eq!(bob.read(&id, &message), text);
        message.len()
    };
    assert_eq!(length("no"), length("yes, with pleasure"));
    assert!(length("no") < length(&"a long story ".repeat(10)));
    alice
        .group(&id)
        .configure(GroupConfig {
            padding_block: 0,
            ..GroupConfig::default()
        })
        .unwrap();
    assert_eq!(length("no") + 1, length("yes"));
}

#[test]
fn messages_for_elsewhere_are_refused() {
    let (alice, bob, id) = two();
    let other = group_of(&[&alice, &bob]);
    let message = alice.send(&other, "for the other group");
    assert_eq!(error(&bob, &id, &message), invalid(MessageReason::OtherGroup));
    assert_eq!(bob.read(&other, &message), "for the other group");

    let carol = Device::new("carol");
    let key_package = carol.key_package();
    let bundle = alice.group(&id).add_members(vec![key_package.clone()]).unwrap();
    for bytes in [
        &bundle.welcome.unwrap(),
        &bundle.group_info.unwrap(),
        &key_package,
    ] {
        assert_eq!(error(&bob, &id, bytes), invalid(MessageReason::NotAGroupMessage));
    }
    assert_eq!(error(&bob, &id, b""), MlsError::MessageMalformed);
    let mut long = message;
    long.push(0);
    assert_eq!(error(&bob, &id, &long), MlsError::MessageMalformed);
}

#[test]
fn message_info_tells_every_kind_without_being_a_member() {
    let (alice, carol) = (Device::new("alice"), Device::new("carol"));
    let id = alice.create_group();
    advance(&id, &alice, &[]);
    let key_package = carol.key_package();
    let message = alice.send(&id, "hello");
    let bundle = alice.group(&id).add_members(vec![key_package.clone()]).unwrap();
    alice.group(&id).clear_pending_commit().unwrap();
    let config = GroupConfig {
        public_handshakes: true,
        ..GroupConfig::default()
    };
    alice.group(&id).configure(config).unwrap();
    let public = alice.group(&id).self_update(None).unwrap().commit;
    let here = |epoch| (Some(id.clone()), Some(epoch));
    let kinds = [
        (
            message,
            here(1),
            MessageKind::Application,
            WireFormat::PrivateMessage,
        ),
        (
            bundle.commit,
            here(1),
            MessageKind::Commit,
            WireFormat::PrivateMessage,
        ),
        (public, here(1), MessageKind::Commit, WireFormat::PublicMessage),
        // A GroupInfo describes the epoch that its Commit begins.
        (
            bundle.group_info.unwrap(),
            here(2),
            MessageKind::GroupInfo,
            WireFormat::GroupInfo,
        ),
        (
            bundle.welcome.unwrap(),
            (None, None),
            MessageKind::Welcome,
            WireFormat::Welcome,
        ),
        (
            key_package,
            (None, None),
            MessageKind::KeyPackage,
            WireFormat::KeyPackage,
        ),
    ];
    for (bytes, place, kind, wire_format) in kinds {
        let info = carol.client().message_info(bytes).unwrap();
        assert_eq!((info.group_id, info.epoch), place, "{kind:?}");
        assert_eq!((info.kind, info.wire_format), (kind, wire_format));
    }
    let error = carol.client().message_info(b"hello".to_vec()).unwrap_err();
    assert_eq!(error, MlsError::MessageMalformed);
}

#[test]
fn public_and_private_handshakes_meet_in_one_group() {
    let (mut alice, mut bob, mut carol) = (Device::new("alice"), Device::new("bob"), Device::new("carol"));
    let id = group_of(&[&alice, &bob, &carol]);
    let config = GroupConfig {
        public_handshakes: true,
        ..GroupConfig::default()
    };
    alice.group(&id).configure(config).unwrap();
    reload(&mut [&mut alice, &mut bob, &mut carol]);
    let format = |commit: &[u8]| bob.client().message_info(commit.to_vec()).unwrap().wire_format;
    let public = alice.group(&id).self_update(None).unwrap();
    assert_eq!(format(&public.commit), WireFormat::PublicMessage);
    assert!(matches!(
        alice.receive(&id, &public.commit),
        ProcessedMessage::OwnCommit { epoch: 2, .. }
    ));
    for device in [&bob, &carol] {
        device.follow(&id, &public.commit);
    }
    let private = bob.group(&id).self_update(None).unwrap();
    assert_eq!(format(&private.commit), WireFormat::PrivateMessage);
    deliver(&id, &bob, &private, &[&alice, &carol]);
    let rival = carol.group(&id).self_update(None).unwrap();
    let public = alice.group(&id).remove_members(vec![1]).unwrap();
    assert_eq!(carol.follow(&id, &public.commit).1.unwrap().from_epoch, 3);
    alice.group(&id).merge_pending_commit().unwrap();
    assert_eq!(
        alice.receive(&id, &rival.commit),
        ProcessedMessage::Stale { epoch: 3 }
    );
    bob.follow(&id, &public.commit);
    reload(&mut [&mut alice, &mut carol]);
    assert_agree(&id, &[&alice, &carol]);
    assert_eq!(carol.read(&id, &alice.send(&id, "both")), "both");
}

#[test]
fn exported_secrets_are_the_members_own_and_bound_to_their_arguments() {
    let (mut alice, mut bob, id) = two();
    let export = |device: &Device, label: &str, context: &[u8], length| {
        device
            .group(&id)
            .export_secret(label.to_owned(), context.to_vec(), length)
            .unwrap()
    };
    let secret = export(&alice, "label", b"context", 32);
    reload(&mut [&mut alice, &mut bob]);
    assert_eq!(export(&bob, "label", b"context", 32), secret);
    assert_ne!(export(&bob, "other", b"context", 32), secret);
    assert_ne!(export(&bob, "label", b"other", 32), secret);
    assert_ne!(export(&bob, "label", b"context", 64)[..32], secret);
    assert_eq!(export(&bob, "label", b"", 8160).len(), 8160);
    for length in [0, 8161] {
        let result = bob
            .group(&id)
            .export_secret("label".to_owned(), Vec::new(), length);
        assert!(
            matches!(result, Err(MlsError::InvalidArgument { .. })),
            "{length}"
        );
    }
    let authenticator = bob.authenticator(&id);
    assert_eq!(authenticator, alice.authenticator(&id));
    assert_eq!(authenticator, bob.group(&id).info().unwrap().epoch_authenticator);
    advance(&id, &alice, &[&bob]);
    assert_ne!(export(&bob, "label", b"context", 32), secret);
    assert_eq!(
        export(&bob, "label", b"context", 32),
        export(&alice, "label", b"context", 32)
    );
    assert_ne!(bob.authenticator(&id), authenticator);
    assert_eq!(bob.authenticator(&id), alice.authenticator(&id));
}

#[test]
fn a_removed_member_cannot_read_what_follows() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let (mut carol, mut dave) = (Device::new("carol"), Device::new("dave"));
    let id = group_of(&[&alice, &bob, &carol, &dave]);
    let removal = alice.group(&id).remove_members(vec![2, 3]).unwrap();
    deliver(&id, &alice, &removal, &[&bob, &carol]);
    let message = alice.send(&id, "between us");
    assert_eq!(bob.read(&id, &message), "between us");
    reload(&mut [&mut carol, &mut dave]);
    assert_eq!(error(&carol, &id, &message), MlsError::GroupInactive);
    // One that hides from its removal stays in the epoch before it.
    assert_eq!(
        error(&dave, &id, &message),
        MlsError::WrongEpoch {
            current: 1,
            received: 2
        }
    );
    assert_ne!(carol.authenticator(&id), bob.authenticator(&id));
    assert!(
        carol
            .client()
            .inbox(10)
            .unwrap()
            .iter()
            .all(|entry| { !matches!(entry.outcome, ProcessedMessage::Application { .. }) })
    );
}
