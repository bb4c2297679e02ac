//! The inbox: what a user would see stays until the app says that it has it, whatever happens in between.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use common::{Device, advance, deliver, group_of};
use mls_mobile::{GroupId, InboxEntry, ProcessedMessage};

fn two() -> (Device, Device, GroupId) {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    (alice, bob, id)
}

fn inbox(device: &Device) -> Vec<InboxEntry> {
    device.client().inbox(1000).unwrap()
}

fn ids(device: &Device) -> Vec<u64> {
    inbox(device).into_iter().map(|entry| entry.id).collect()
}

/// The inbox entry of an outcome.
fn entry_id(outcome: &ProcessedMessage) -> Option<u64> {
    match outcome {
        ProcessedMessage::Application { id, .. }
        | ProcessedMessage::Commit { id, .. }
        | ProcessedMessage::OwnCommit { id, .. } => *id,
        other => panic!("{other:?}"),
    }
}

#[test]
fn outcomes_stay_as_they_were_until_they_are_acknowledged() {
    let (alice, mut bob, id) = two();
    let mut outcomes = vec![bob.receive(&id, &alice.send(&id, "hello"))];
    let update = alice.group(&id).self_update(None).unwrap();
    let own = bob.group(&id).self_update(None).unwrap();
    // A rival of bob's own Commit, so that the entry has to keep what bob's would have done.
    outcomes.push(bob.receive(&id, &update.commit));
    alice.group(&id).merge_pending_commit().unwrap();
    assert_ne!(own.commit, update.commit);
    let own = bob.group(&id).self_update(None).unwrap();
    outcomes.push(bob.receive(&id, &own.commit));
    alice.follow(&id, &own.commit);
    let removal = alice.group(&id).remove_members(vec![1]).unwrap();
    outcomes.push(bob.receive(&id, &removal.commit));

    let expected: Vec<_> = outcomes
        .into_iter()
        .map(|outcome| InboxEntry {
            id: entry_id(&outcome).unwrap(),
            group_id: id.clone(),
            outcome,
        })
        .collect();
    for _ in 0..2 {
        bob.reload();
        assert_eq!(inbox(&bob), expected);
    }
    assert!(matches!(
        &expected[1].outcome,
        ProcessedMessage::Commit {
            superseded: Some(_),
            ..
        }
    ));
    bob.client()
        .acknowledge(vec![expected[0].id, expected[2].id])
        .unwrap();
    bob.reload();
    assert_eq!(inbox(&bob), [expected[1].clone(), expected[3].clone()]);
    bob.client()
        .acknowledge(vec![expected[1].id, expected[3].id])
        .unwrap();
    bob.reload();
    assert_eq!(inbox(&bob), []);
}

#[test]
fn the_oldest_come_first_and_no_more_than_asked_for() {
    let (alice, mut bob, id) = two();
    let other = group_of(&[&alice, &bob]);
    for n in 0..6 {
        let group = if n % 2 == 0 { &id } else { &other };
        bob.read(group, &alice.send(group, &n.to_string()));
    }
    bob.reload();
    let all = inbox(&bob);
    assert!(all.windows(2).all(|pair| pair[0].id < pair[1].id));
    for (n, entry) in all.iter().enumerate() {
        assert_eq!(&entry.group_id, if n % 2 == 0 { &id } else { &other });
        match &entry.outcome {
            ProcessedMessage::Application { plaintext, .. } => {
                assert_eq!(plaintext, n.to_string().as_bytes())
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(bob.client().inbox(2).unwrap(), all[..2]);
    assert_eq!(bob.client().inbox(0).unwrap(), []);
    bob.client().acknowledge(vec![all[0].id]).unwrap();
    assert_eq!(bob.client().inbox(2).unwrap(), all[1..3]);
    assert_eq!(bob.client().inbox(u32::MAX).unwrap(), all[1..]);
}

#[test]
fn an_id_is_never_used_again() {
    let (alice, mut bob, id) = two();
    let mut last = 0;
    for n in 0..5 {
        let outcome = bob.receive(&id, &alice.send(&id, "again"));
        let entry = entry_id(&outcome).unwrap();
        assert!(entry > last, "{entry} after {last} in round {n}");
        last = entry;
        // The inbox is empty now, so only a counter of its own can tell what was used.
        bob.client().acknowledge(vec![entry]).unwrap();
        bob.reload();
        assert_eq!(ids(&bob), Vec::<u64>::new());
    }
}

#[test]
fn an_acknowledgement_can_be_repeated_and_touches_nothing_else() {
    let (alice, mut bob, id) = two();
    for text in ["one", "two", "three"] {
        bob.read(&id, &alice.send(&id, text));
    }
    let before = ids(&bob);
    bob.client().acknowledge(vec![before[1], before[1]]).unwrap();
    bob.client().acknowledge(vec![before[1]]).unwrap();
    bob.client().acknowledge(vec![12_345, 0, u64::MAX]).unwrap();
    bob.client().acknowledge(Vec::new()).unwrap();
    bob.reload();
    assert_eq!(ids(&bob), [before[0], before[2]]);
}

#[test]
fn what_a_user_would_not_see_is_not_kept() {
    let (alice, mut bob, id) = two();
    let message = alice.send(&id, "hello");
    let late = alice.send(&id, "late");
    let update = advance(&id, &alice, &[&bob]);
    bob.read(&id, &message);
    for _ in 0..3 {
        advance(&id, &alice, &[&bob]);
    }
    let before = inbox(&bob);
    assert_eq!(before.len(), 5);
    let own = bob.send(&id, "mine");
    let nothing = [
        (&update.commit, ProcessedMessage::Duplicate),
        (&late, ProcessedMessage::Stale { epoch: 1 }),
        (&own, ProcessedMessage::OwnMessage),
    ];
    for (bytes, expected) in nothing {
        assert_eq!(bob.receive(&id, bytes), expected);
    }
    let current = alice.send(&id, "twice");
    bob.read(&id, &current);
    assert_eq!(bob.receive(&id, &current), ProcessedMessage::Duplicate);
    bob.group(&id).process_message(b"garbage".to_vec()).unwrap_err();
    bob.reload();
    let after = inbox(&bob);
    assert_eq!(after[..5], before);
    assert_eq!(after.len(), 6);
    // What this device merges itself it knows already.
    assert_eq!(inbox(&alice), []);
}

#[test]
fn without_an_inbox_nothing_is_stored() {
    let (alice, mut bob, id) = two();
    let client = bob.open_again(|config| config.inbox = false);
    let group = client.group(id.clone()).unwrap();
    let message = alice.send(&id, "saved by the app itself");
    let outcome = group.process_message(message).unwrap();
    assert_eq!(entry_id(&outcome), None);
    let update = advance(&id, &alice, &[]);
    assert_eq!(entry_id(&group.process_message(update.commit).unwrap()), None);
    let own = group.self_update(None).unwrap();
    assert_eq!(entry_id(&group.process_message(own.commit).unwrap()), None);
    assert_eq!(client.inbox(10).unwrap(), []);
    drop((group, client));
    bob.reload();
    assert_eq!(inbox(&bob), []);
}

#[test]
fn entries_outlive_their_group() {
    let (alice, mut bob, id) = two();
    bob.read(&id, &alice.send(&id, "the last words"));
    let removal = alice.group(&id).remove_members(vec![1]).unwrap();
    deliver(&id, &alice, &removal, &[&bob]);
    let before = inbox(&bob);
    assert_eq!(before.len(), 2);
    bob.group(&id).delete().unwrap();
    bob.reload();
    assert_eq!(bob.client().groups().unwrap(), []);
    assert_eq!(inbox(&bob), before);
    bob.client()
        .acknowledge(vec![before[0].id, before[1].id])
        .unwrap();
    assert_eq!(inbox(&bob), []);
}

#[test]
fn a_failed_call_leaves_no_entry_and_the_next_one_does() {
    let (alice, mut bob, id) = two();
    let mut damaged = alice.send(&id, "whole");
    let whole = damaged.clone();
    *damaged.last_mut().unwrap() ^= 1;
    bob.group(&id).process_message(damaged).unwrap_err();
    bob.reload();
    assert_eq!(inbox(&bob), []);
    assert_eq!(bob.read(&id, &whole), "whole");
    assert_eq!(inbox(&bob).len(), 1);
}
