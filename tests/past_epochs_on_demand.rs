//! Keys of past epochs come into memory only when something needs them. Whatever was in memory, each message is read
//! once, and no epoch's keys are lost or kept too long.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use common::{Device, advance, group_of, incoming};
use mls_mobile::{BatchOutcome, GroupConfig, GroupId, MlsError, PastEpochDeletion, ProcessedMessage, fault};
use rusqlite::Connection;

/// Parts of lists of members, which all epochs share.
const SHARED: u64 = 1 << 32;

fn connection(device: &Device) -> Connection {
    Connection::open(device.path()).unwrap()
}

/// Of the only group.
fn parts(device: &Device) -> BTreeMap<u64, Vec<u8>> {
    let parts = common::parts::of(device, "message_secrets").into_iter();
    parts.map(|((_, part), value)| (part, value)).collect()
}

fn slots(device: &Device) -> BTreeSet<u64> {
    let of_an_epoch = |part: &u64| (*part >= SHARED).then_some(part >> 32);
    parts(device).keys().filter_map(of_an_epoch).collect()
}

/// A group of alice and bob with three past epochs: a few messages of each epoch from alice to bob, the current one's
/// last, and the slot of the current epoch in bob's file.
struct Stage {
    alice: Device,
    bob: Device,
    id: GroupId,
    epochs: Vec<Vec<Vec<u8>>>,
    current: u64,
}

fn stage() -> Stage {
    let [alice, mut bob] = ["alice", "bob"].map(Device::new);
    let id = group_of(&[&alice, &bob]);
    let send = |epoch: u32| (0..6).map(|n| alice.send(&id, &format!("{epoch}.{n}"))).collect();
    let mut epochs: Vec<Vec<Vec<u8>>> = vec![send(0)];
    let mut before = slots(&bob);
    for epoch in 1..=3 {
        before = slots(&bob);
        advance(&id, &alice, &[&bob]);
        epochs.push(send(epoch));
    }
    let current: Vec<u64> = slots(&bob).difference(&before).copied().collect();
    assert_eq!((slots(&bob).len(), current.len()), (4, 1));
    bob.reload();
    Stage {
        alice,
        bob,
        id,
        epochs,
        current: current[0],
    }
}

impl Stage {
    /// Damages what only past epochs have.
    fn damage_past_epochs(&self) {
        let damaged = connection(&self.bob).execute(
            "UPDATE message_secrets SET value = zeroblob(60) WHERE part > 0 AND part >> 32 <> ?1",
            [self.current],
        );
        assert!(damaged.unwrap() >= 4);
    }
}

fn kinds(outcomes: &[BatchOutcome]) -> String {
    let kind = |outcome: &BatchOutcome| match outcome {
        BatchOutcome::Processed { outcome, .. } => match outcome {
            ProcessedMessage::Application { .. } => 'm',
            ProcessedMessage::Commit { .. } => 'C',
            ProcessedMessage::Duplicate => 'd',
            ProcessedMessage::Stale { .. } => 's',
            other => panic!("{other:?}"),
        },
        BatchOutcome::Failed { .. } => 'f',
    };
    outcomes.iter().map(kind).collect()
}

/// What becomes of the messages of a batch.
fn process<'m>(device: &Device, messages: impl IntoIterator<Item = &'m Vec<u8>>) -> String {
    let messages: Vec<_> = messages
        .into_iter()
        .zip(0..)
        .map(|(it, n)| incoming(it, n))
        .collect();
    let batch = device.client().process_messages(messages.clone(), None).unwrap();
    assert_eq!((batch.outcomes.len(), batch.stopped_at), (messages.len(), None));
    kinds(&batch.outcomes)
}

#[test]
fn what_touches_the_current_epoch_only_reads_no_other() {
    let mut stage = stage();
    stage.damage_past_epochs();
    let Stage {
        alice,
        bob,
        id,
        epochs,
        ..
    } = &mut stage;
    assert_eq!(bob.epoch(id), alice.epoch(id));
    assert_eq!(bob.member_names(id), ["alice", "bob"]);
    bob.group(id).export_ratchet_tree().unwrap();
    bob.group(id).export_group_info(true).unwrap();
    assert_eq!(bob.read(id, &epochs[3][0]), "3.0");
    alice.read(id, &bob.send(id, "sent"));
    assert_eq!(process(bob, &epochs[3][1..3]), "mm");
    // A late message needs what is damaged, in memory and from disk; the current epoch goes on.
    for _ in 0..2 {
        let late = bob.group(id).process_message(epochs[2][0].clone());
        assert_eq!(late.unwrap_err(), MlsError::StorageCorrupt);
        let commit = bob.group(id).self_update(None);
        assert_eq!(commit.unwrap_err(), MlsError::StorageCorrupt);
        bob.reload();
    }
    assert_eq!(process(bob, [&epochs[3][3], &epochs[1][0], &epochs[3][4]]), "mfm");
    assert_eq!(bob.receive(id, &epochs[3][1]), ProcessedMessage::Duplicate);
}

#[test]
fn a_lost_row_of_the_current_epoch_is_corruption() {
    let stage = stage();
    let lost = connection(&stage.bob).execute(
        "DELETE FROM message_secrets WHERE part >> 32 = ?1",
        [stage.current],
    );
    assert!(lost.unwrap() > 0);
    let group = stage.bob.group(&stage.id);
    assert_eq!(group.info().unwrap_err(), MlsError::StorageCorrupt);
    let sent = group.create_message(b"text".to_vec(), Vec::new());
    assert_eq!(sent.unwrap_err(), MlsError::StorageCorrupt);
}

#[test]
fn a_lost_row_of_past_epochs_is_corruption_when_they_are_needed() {
    let stage = stage();
    connection(&stage.bob)
        .execute("DELETE FROM message_secrets WHERE part BETWEEN 1 AND 1 << 31", [])
        .unwrap();
    assert_eq!(stage.bob.read(&stage.id, &stage.epochs[3][0]), "3.0");
    let late = stage
        .bob
        .group(&stage.id)
        .process_message(stage.epochs[1][0].clone());
    assert_eq!(late.unwrap_err(), MlsError::StorageCorrupt);
}

#[test]
fn a_message_of_the_current_epoch_from_disk_writes_nothing_of_the_past() {
    let Stage {
        alice,
        mut bob,
        id,
        epochs,
        current,
    } = stage();
    // The first of a sender spreads the tree out.
    bob.read(&id, &epochs[3][0]);
    alice.read(&id, &bob.send(&id, "first"));
    for message in &epochs[3][1..4] {
        bob.reload();
        let before = parts(&bob);
        bob.read(&id, message);
        alice.read(&id, &bob.send(&id, "sent"));
        let after = parts(&bob);
        assert!(before.keys().eq(after.keys()));
        let changed = before.iter().filter(|(part, value)| after[part] != **value);
        let changed: Vec<u64> = changed.map(|(part, _)| *part).collect();
        assert!(
            changed.iter().all(|part| part >> 32 == current),
            "{changed:?} of {current}"
        );
    }
}

#[test]
fn late_messages_of_each_epoch_are_read_once_after_the_current_one_was_alone() {
    for reloads in [false, true] {
        let Stage {
            alice,
            mut bob,
            id,
            epochs,
            ..
        } = stage();
        let mut read = Vec::new();
        for (n, past) in [(0, 2), (1, 1), (2, 0)] {
            bob.reload();
            assert_eq!(bob.read(&id, &epochs[3][n]), format!("3.{n}"));
            alice.read(&id, &bob.send(&id, "between"));
            if reloads {
                bob.reload();
            }
            assert_eq!(bob.read(&id, &epochs[past][n]), format!("{past}.{n}"));
            read.extend([epochs[3][n].clone(), epochs[past][n].clone()]);
        }
        for _ in 0..2 {
            for message in &read {
                assert_eq!(bob.receive(&id, message), ProcessedMessage::Duplicate);
            }
            bob.reload();
        }
    }
}

#[test]
fn a_commit_after_the_current_epoch_was_alone_keeps_the_newest_epochs() {
    for (reloads, own) in [(false, false), (false, true), (true, false), (true, true)] {
        let Stage {
            alice,
            mut bob,
            id,
            epochs,
            ..
        } = stage();
        assert_eq!(bob.read(&id, &epochs[3][0]), "3.0");
        alice.read(&id, &bob.send(&id, "between"));
        if own {
            advance(&id, &bob, &[&alice]);
        } else {
            advance(&id, &alice, &[&bob]);
        }
        let now = alice.send(&id, "4.0");
        if reloads {
            bob.reload();
        }
        assert_eq!(bob.read(&id, &now), "4.0");
        assert!(matches!(
            bob.receive(&id, &epochs[0][1]),
            ProcessedMessage::Stale { .. }
        ));
        for epoch in [1, 2, 3] {
            assert_eq!(bob.read(&id, &epochs[epoch][1]), format!("{epoch}.1"));
        }
        assert_eq!(slots(&bob).len(), 4);
        for message in [&epochs[1][1], &epochs[2][1], &epochs[3][0], &epochs[3][1], &now] {
            assert_eq!(bob.receive(&id, message), ProcessedMessage::Duplicate);
        }
    }
}

#[test]
fn a_batch_of_all_kinds_from_disk_reads_each_message_once() {
    let Stage {
        alice,
        mut bob,
        id,
        epochs,
        ..
    } = stage();
    let mut damaged = epochs[3][5].clone();
    *damaged.last_mut().unwrap() ^= 1;
    let commit = alice.group(&id).self_update(None).unwrap().commit;
    alice.group(&id).merge_pending_commit().unwrap();
    let next: Vec<Vec<u8>> = (0..3).map(|n| alice.send(&id, &format!("4.{n}"))).collect();
    let batches = [
        // Refused ones and replays while the current epoch is alone and ahead of its rows.
        (
            vec![&epochs[3][0], &damaged, &epochs[3][0], &epochs[3][1]],
            "mfdm",
        ),
        // Past epochs are needed while it is ahead of them.
        (
            vec![&epochs[3][2], &epochs[2][0], &epochs[3][3], &epochs[2][0]],
            "mmmd",
        ),
        // A refusal of a past epoch's message, then a Commit.
        (
            vec![
                &epochs[3][4],
                &epochs[0][0],
                &damaged,
                &commit,
                &next[0],
                &epochs[0][1],
            ],
            "mmfCms",
        ),
        (vec![&next[1], &epochs[1][0], &next[2], &epochs[3][5]], "mmmm"),
    ];
    let mut read: Vec<&Vec<u8>> = Vec::new();
    for (messages, expected) in &batches {
        bob.reload();
        assert_eq!(process(&bob, messages.iter().copied()), *expected);
        let good = messages.iter().zip(expected.chars());
        read.extend(good.filter(|(_, kind)| *kind == 'm').map(|(message, _)| *message));
        for _ in 0..2 {
            // Those of the oldest epoch are too old after the Commit.
            let again = process(&bob, read.iter().copied());
            assert!(again.chars().all(|kind| "ds".contains(kind)), "{again}");
            bob.reload();
        }
    }
    let texts: BTreeSet<String> = bob
        .client()
        .inbox(u32::MAX)
        .unwrap()
        .into_iter()
        .filter_map(|entry| match entry.outcome {
            ProcessedMessage::Application { plaintext, .. } => Some(String::from_utf8(plaintext).unwrap()),
            _ => None,
        })
        .collect();
    assert_eq!(texts.len(), read.len());
    assert_eq!(bob.authenticator(&id), alice.authenticator(&id));
}

#[test]
fn a_damaged_group_leaves_nothing_to_the_one_after_it() {
    let [alice, mut bob] = ["alice", "bob"].map(Device::new);
    let good = group_of(&[&alice, &bob]);
    let keys = |device: &Device| -> BTreeSet<Vec<u8>> {
        let connection = connection(device);
        let mut statement = connection.prepare("SELECT group_key FROM mls_group").unwrap();
        let rows = statement.query_map([], |row| row.get(0));
        rows.unwrap().map(Result::unwrap).collect()
    };
    let before = keys(&bob);
    let damaged = group_of(&[&alice, &bob]);
    let key = keys(&bob).difference(&before).next().unwrap().clone();
    let late = alice.send(&good, "late");
    advance(&good, &alice, &[&bob]);
    advance(&damaged, &alice, &[&bob]);
    let messages = [alice.send(&damaged, "now"), late, alice.send(&good, "now")];
    // What OpenMLS reads after the message secrets.
    let changed = connection(&bob).execute(
        "UPDATE group_state SET value = zeroblob(60) WHERE group_key = ?1 AND kind = 8",
        [key],
    );
    assert_eq!(changed.unwrap(), 1);
    bob.reload();
    assert_eq!(process(&bob, &messages), "fmm");
    bob.reload();
    assert_eq!(process(&bob, &messages), "fdd");
}

#[test]
fn groups_that_leave_memory_in_a_batch_are_written_without_their_past() {
    let [alice, mut bob] = ["alice", "bob"].map(Device::new);
    let ids: Vec<GroupId> = (0..4).map(|_| group_of(&[&alice, &bob])).collect();
    let mut late = Vec::new();
    for id in &ids {
        late.push(alice.send(id, "late"));
        advance(id, &alice, &[&bob]);
    }
    let mut messages = Vec::new();
    for n in 0..3 {
        messages.extend(ids.iter().map(|id| alice.send(id, &n.to_string())));
    }
    bob.reload();
    fault::limit_live_groups(1);
    assert_eq!(process(&bob, &messages), "m".repeat(messages.len()));
    fault::limit_live_groups(usize::MAX);
    bob.reload();
    assert_eq!(
        process(&bob, messages.iter().chain(&late)),
        "dddddddddddd".to_owned() + "mmmm"
    );
}

#[test]
fn expired_keys_go_though_the_current_epoch_was_alone() {
    let [alice, mut bob] = ["alice", "bob"].map(Device::new);
    let id = group_of(&[&alice, &bob]);
    let other = group_of(&[&alice, &bob]);
    for id in [&id, &other] {
        let config = GroupConfig {
            past_epoch_lifetime_seconds: 2,
            ..GroupConfig::default()
        };
        bob.group(id).configure(config).unwrap();
    }
    let late = [&id, &other].map(|id| alice.send(id, "late"));
    advance(&id, &alice, &[&bob]);
    advance(&other, &alice, &[&bob]);
    let messages = [&id, &other].map(|id| [0, 1].map(|n| alice.send(id, &n.to_string())));
    bob.reload();
    assert_eq!(bob.read(&id, &messages[0][0]), "0");
    std::thread::sleep(Duration::from_secs(4));
    // By its use, and at the end of a batch that has it ahead of its rows.
    assert_eq!(bob.read(&id, &messages[0][1]), "1");
    assert_eq!(process(&bob, &messages[1]), "mm");
    assert!(!parts(&bob).keys().any(|part| (1..SHARED).contains(part)));
    bob.reload();
    for (id, late) in [&id, &other].into_iter().zip(&late) {
        assert!(matches!(bob.receive(id, late), ProcessedMessage::Stale { .. }));
    }
    assert_eq!(process(&bob, messages.iter().flatten()), "dddd");
}

#[test]
fn what_the_app_deletes_goes_though_the_current_epoch_was_alone() {
    let stage = stage();
    assert_eq!(stage.bob.read(&stage.id, &stage.epochs[3][0]), "3.0");
    let group = stage.bob.group(&stage.id);
    group.delete_past_epoch_secrets(PastEpochDeletion::All).unwrap();
    assert_eq!(slots(&stage.bob), BTreeSet::from([stage.current]));
    assert!(!parts(&stage.bob).keys().any(|part| (1..SHARED).contains(part)));
    assert_eq!(stage.bob.read(&stage.id, &stage.epochs[3][1]), "3.1");
}
