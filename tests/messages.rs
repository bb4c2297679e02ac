//! Application messages: what is read, what is refused, and what travels in clear.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use common::{Device, advance, deliver, group_of, reload, texts};
use mls_mobile::{GroupConfig, GroupId, MessageReason, MlsError, ProcessedMessage};

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
fn a_message_of_the_next_epoch_is_kept_and_released_by_its_commit() {
    let (alice, mut bob, id) = two();
    let update = alice.group(&id).self_update(None).unwrap();
    alice.group(&id).merge_pending_commit().unwrap();
    let early = alice.send(&id, "early");
    for _ in 0..2 {
        assert_eq!(bob.receive(&id, &early), ProcessedMessage::Early { epoch: 2 });
        bob.reload();
        assert_eq!(bob.group(&id).info().unwrap().early_messages, 1);
    }
    let ProcessedMessage::Commit { released, .. } = bob.receive(&id, &update.commit) else {
        panic!("no Commit")
    };
    assert_eq!(texts(&released), ["early"]);
    bob.reload();
    assert_eq!(bob.group(&id).info().unwrap().early_messages, 0);
    assert_eq!(bob.receive(&id, &early), ProcessedMessage::Duplicate);
}

#[test]
fn a_message_of_an_impossible_epoch_is_refused() {
    let (alice, bob, id) = two();
    let mut message = alice.send(&id, "soon");
    // version, wire format, the group id with its length; then the epoch, of which this is the first byte.
    message[2 + 2 + 1 + id.0.len()] = 1;
    let received = (1 << 56) + 1;
    assert_eq!(
        error(&bob, &id, &message),
        MlsError::WrongEpoch { current: 1, received }
    );
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
    assert_eq!(dave.receive(&id, &message), ProcessedMessage::Early { epoch: 2 });
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
