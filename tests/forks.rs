//! A fork is suspected when a message of the epoch cannot be read, and only then.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod common;

use common::{Device, advance, assert_agree, group_of};
use mls_mobile::{GroupId, MlsError};

fn suspected(device: &Device, id: &GroupId) -> bool {
    device.group(id).info().unwrap().fork_suspected
}

#[test]
fn an_undecryptable_message_raises_the_suspicion_and_changes_nothing_else() {
    let (alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let message = alice.send(&id, "hello");
    let mut damaged = message.clone();
    *damaged.last_mut().unwrap() ^= 1;
    let before = bob.group(&id).info().unwrap();
    for _ in 0..2 {
        let error = bob.group(&id).process_message(damaged.clone()).unwrap_err();
        assert!(matches!(error, MlsError::MessageInvalid { .. }), "{error:?}");
        bob.reload();
        let mut state = bob.group(&id).info().unwrap();
        assert!(state.fork_suspected);
        state.fork_suspected = false;
        assert_eq!(state, before);
    }
    assert_eq!(bob.read(&id, &message), "hello");
    bob.reload();
    assert!(suspected(&bob, &id));
    // In the next epoch it is open again.
    advance(&id, &alice, &[&bob]);
    bob.reload();
    assert!(!suspected(&bob, &id));
}

#[test]
fn what_every_network_brings_raises_none() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let late = alice.send(&id, "late");
    let update = advance(&id, &alice, &[&bob]);
    bob.group(&id).process_message(b"garbage".to_vec()).unwrap_err();
    for message in [&late, &late, &update.commit, &bob.send(&id, "own")] {
        bob.receive(&id, message);
    }
    assert!(!suspected(&bob, &id));
}

#[test]
fn in_a_real_fork_both_sides_suspect_it() {
    let devices @ [alice, bob, carol, dave] = &["alice", "bob", "carol", "dave"].map(Device::new);
    let id = group_of(&devices.each_ref());
    // A delivery service that accepts two Commits of one epoch.
    let first = alice.group(&id).self_update(None).unwrap();
    let second = carol.group(&id).self_update(None).unwrap();
    common::deliver(&id, alice, &first, &[bob]);
    common::deliver(&id, carol, &second, &[dave]);
    assert_agree(&id, &[alice, bob]);
    assert_ne!(alice.authenticator(&id), carol.authenticator(&id));
    for (reader, sender) in [(bob, dave), (dave, bob)] {
        let message = sender.send(&id, "can you hear me");
        reader.group(&id).process_message(message).unwrap_err();
        assert!(suspected(reader, &id), "{}", reader.name);
    }
    // What the own side says does not end it: a fork has two sides.
    assert_eq!(bob.read(&id, &alice.send(&id, "this side")), "this side");
    assert!(suspected(bob, &id));
}

#[test]
fn batches_raise_it_too() {
    let (alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let mut damaged = alice.send(&id, "damaged");
    *damaged.last_mut().unwrap() ^= 1;
    let batch = vec![common::incoming(&damaged, 0)];
    bob.client().process_messages(batch, None).unwrap();
    bob.reload();
    assert!(suspected(&bob, &id));
}
