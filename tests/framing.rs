//! Messages on the wire: what can be read off them, which kinds go where, and what their form hides.

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
    let received = bob.receive(&id, &message);
    let expected = ProcessedMessage::Application {
        id: bob.client().inbox(1).unwrap().first().map(|entry| entry.id),
        sender: Sender::Member {
            leaf_index: 0,
            credential: basic("alice"),
        },
        epoch: 1,
        plaintext: b"hidden words".to_vec(),
        authenticated_data: b"visible words".to_vec(),
    };
    assert_eq!(received, expected);
    match bob.receive(&id, &alice.send(&id, "next")) {
        ProcessedMessage::Application {
            authenticated_data, ..
        } => assert_eq!(authenticated_data, b""),
        other => panic!("{other:?}"),
    }
}

#[test]
fn padding_hides_lengths_within_a_bucket_and_none_shows_them() {
    let (alice, bob, id) = two();
    // One created the group and one joined it: their settings come by different ways.
    for (sender, reader) in [(&alice, &bob), (&bob, &alice)] {
        let length = |text: &str| {
            let message = sender.send(&id, text);
            assert_eq!(reader.read(&id, &message), text);
            message.len()
        };
        assert_eq!(length("no"), length("yes, with pleasure"));
        assert!(length("no") < length(&"a long story ".repeat(20)));
        let config = GroupConfig {
            padding: Some(mls_mobile::Padding::Off),
            ..GroupConfig::default()
        };
        sender.group(&id).configure(config).unwrap();
        assert_eq!(length("no") + 1, length("yes"));
    }
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
