//! The rows of a group's message secrets: a message writes what it changed and nothing else, whoever sends it and of
//! whatever epoch it is, and the rows are always those of the group.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use std::collections::BTreeMap;

use common::{Device, advance, group_of, incoming, parts::Parts, reload};
use mls_mobile::{GroupConfig, GroupId, PastEpochDeletion, ProcessedMessage};
use rusqlite::{Connection, OpenFlags};

fn parts(device: &Device) -> Parts {
    common::parts::of(device, "message_secrets")
}

fn written(device: &Device, act: impl FnOnce()) -> usize {
    common::parts::written(device, "message_secrets", act)
}

/// Groups whose secrets stand in one row, as OpenMLS hands them over.
fn whole(device: &Device) -> u64 {
    let connection = Connection::open_with_flags(device.path(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    connection
        .query_row("SELECT count(*) FROM group_state WHERE kind = 7", [], |row| {
            row.get(0)
        })
        .unwrap()
}

/// Three devices in a group that has three past epochs.
fn three() -> ([Device; 3], GroupId) {
    let devices = ["alice", "bob", "carol"].map(Device::new);
    let [alice, bob, carol] = &devices;
    let id = group_of(&[alice, bob, carol]);
    for _ in 0..3 {
        advance(&id, alice, &[bob, carol]);
    }
    (devices, id)
}

#[test]
fn the_store_of_this_openmls_has_the_known_shape() {
    let (devices, id) = three();
    let [alice, bob, carol] = &devices;
    bob.read(&id, &alice.send(&id, "hello"));
    carol
        .client()
        .join_by_external_commit(
            carol.identity.clone(),
            alice.group(&id).export_group_info(true).unwrap(),
            None,
        )
        .unwrap();
    for device in &devices {
        assert_eq!(whole(device), 0, "{} has it whole", device.name);
        assert!(!parts(device).is_empty());
    }
}

#[test]
fn a_message_writes_one_row_from_memory_and_from_disk() {
    let ([mut alice, mut bob, carol], id) = three();
    // The first of a sender spreads the tree out.
    bob.read(&id, &alice.send(&id, "first"));
    bob.read(&id, &carol.send(&id, "first"));
    for _ in 0..2 {
        assert_eq!(written(&alice, || drop(alice.send(&id, "sent"))), 1);
        let message = alice.send(&id, "read");
        assert_eq!(written(&bob, || drop(bob.read(&id, &message))), 1);
        assert_eq!(
            written(&bob, || {
                assert_eq!(bob.receive(&id, &message), ProcessedMessage::Duplicate);
            }),
            0
        );
        reload(&mut [&mut alice, &mut bob]);
    }
}

#[test]
fn a_batch_writes_each_part_once() {
    let ([alice, bob, _carol], id) = three();
    bob.read(&id, &alice.send(&id, "first"));
    let batch: Vec<_> = (0..20).map(|n| incoming(&alice.send(&id, "next"), n)).collect();
    let rows = written(&bob, || {
        let done = bob.client().process_messages(batch.clone(), None).unwrap();
        assert_eq!(done.stopped_at, None);
    });
    assert_eq!(rows, 1);
    let message = alice.send(&id, "after the batch");
    assert_eq!(written(&bob, || drop(bob.read(&id, &message))), 1);
}

#[test]
fn messages_of_all_kept_epochs_in_turn_are_read_once_whatever_is_in_memory() {
    for reloads in [false, true] {
        let [alice, mut bob] = ["alice", "bob"].map(Device::new);
        let id = group_of(&[&alice, &bob]);
        let mut epochs: Vec<Vec<Vec<u8>>> = Vec::new();
        for _ in 0..4 {
            epochs.push((0..6).map(|n| alice.send(&id, &n.to_string())).collect());
            advance(&id, &alice, &[&bob]);
        }
        // Three of them are kept. The last is the current one.
        epochs.remove(0);
        epochs.push((0..6).map(|n| alice.send(&id, &n.to_string())).collect());
        let mut read = Vec::new();
        for n in [3, 0, 5, 1, 2, 4] {
            for messages in &epochs {
                assert_eq!(bob.read(&id, &messages[n]), n.to_string());
                read.push(messages[n].clone());
                if reloads {
                    bob.reload();
                }
            }
        }
        bob.reload();
        for message in &read {
            assert_eq!(bob.receive(&id, message), ProcessedMessage::Duplicate);
        }
    }
}

#[test]
fn a_commit_leaves_the_parts_of_the_epochs_that_stay_and_none_of_those_that_go() {
    let ([alice, bob, carol], id) = three();
    bob.read(&id, &alice.send(&id, "one"));
    bob.read(&id, &carol.send(&id, "two"));
    let before = parts(&bob);
    advance(&id, &alice, &[&bob, &carol]);
    let after = parts(&bob);
    let kept = before
        .iter()
        .filter(|(part, value)| after.get(*part) == Some(value));
    // The ratchets of the epoch that ended, and the members of the two that stay.
    assert!(kept.count() > 4);
    bob.group(&id)
        .delete_past_epoch_secrets(PastEpochDeletion::All)
        .unwrap();
    // The head and the root of a tree that nobody has used.
    assert_eq!(parts(&bob).len(), 2);
    let other = group_of(&[&bob]);
    bob.group(&id).delete().unwrap();
    let left = parts(&bob);
    assert_eq!(left.len(), 2, "those of the other group");
    bob.group(&other).delete().unwrap();
    assert!(parts(&bob).is_empty());
}

#[test]
fn who_is_invited_again_or_joins_again_has_the_parts_of_the_new_membership_only() {
    let ([alice, mut bob, carol], id) = three();
    bob.read(&id, &alice.send(&id, "one"));
    let removal = alice
        .group(&id)
        .remove_members(vec![alice.leaf_of(&id, "bob")])
        .unwrap();
    common::deliver(&id, &alice, &removal, &[&bob, &carol]);
    let invitation = alice.group(&id).add_members(vec![bob.key_package()]).unwrap();
    common::deliver(&id, &alice, &invitation, &[&carol]);
    bob.join(&invitation.welcome.unwrap());
    assert_eq!(parts(&bob).len(), 2);
    bob.read(&id, &alice.send(&id, "two"));
    bob.reload();
    bob.read(&id, &carol.send(&id, "three"));

    let info = alice.group(&id).export_group_info(true).unwrap();
    let join = bob
        .client()
        .join_by_external_commit(bob.identity.clone(), info, None)
        .unwrap();
    alice.receive(&id, &join.commit);
    carol.receive(&id, &join.commit);
    bob.client().confirm_external_join(id.clone()).unwrap();
    assert_eq!(whole(&bob), 0);
    bob.read(&id, &alice.send(&id, "four"));
    bob.reload();
    bob.read(&id, &carol.send(&id, "five"));
    alice.read(&id, &bob.send(&id, "six"));
}

/// Alice and bob in a group of so many members; bob has three past epochs.
fn crowd(members: usize) -> (Device, Device, GroupId) {
    let [alice, bob, crowd] = ["alice", "bob", "crowd"].map(Device::new);
    let id = alice.create_group_with(Some(GroupConfig::default()));
    let mut packages = vec![bob.key_package()];
    packages.extend((2..members).map(|n| {
        let identity = crowd
            .client()
            .create_identity(common::basic(&n.to_string()), common::SUITE);
        let made = crowd
            .client()
            .create_key_packages(identity.unwrap().id, 1, None)
            .unwrap();
        made[0].bytes.clone()
    }));
    let invitation = alice.group(&id).add_members(packages).unwrap();
    alice.group(&id).merge_pending_commit().unwrap();
    bob.join(&invitation.welcome.unwrap());
    for _ in 0..3 {
        advance(&id, &alice, &[&bob]);
    }
    (alice, bob, id)
}

#[test]
fn what_a_message_writes_does_not_grow_with_the_group() {
    let sizes = [3, 150].map(|members: usize| {
        let (alice, bob, id) = crowd(members);
        bob.read(&id, &alice.send(&id, "first"));
        let message = alice.send(&id, "measured");
        let before = bob.client().storage_info().unwrap().wal_bytes;
        bob.read(&id, &message);
        bob.client().storage_info().unwrap().wal_bytes - before
    });
    // One page of secrets, one of the header, one or two of the inbox.
    assert_eq!(sizes[0], sizes[1]);
    assert!(sizes[1] <= 5 * (4096 + 24), "{sizes:?}");
}

#[test]
fn a_commit_writes_the_members_near_those_whom_it_changed_and_no_others() {
    let (alice, mut bob, id) = crowd(150);
    // Chunks of 16 leaves that lists of members share, by their part.
    let lists = |device: &Device| -> BTreeMap<u64, Vec<u8>> {
        let parts = parts(device).into_iter();
        let parts = parts.map(|((_, part), value)| (part, value));
        parts.filter(|(part, _)| (1..1 << 32).contains(part)).collect()
    };
    // Alice has other keys in each of the three epochs.
    assert_eq!(lists(&bob).len(), 10 + 2);
    for removes in [false, true, false, false] {
        bob.reload();
        let before = lists(&bob);
        if removes {
            let removal = alice.group(&id).remove_members(vec![70]).unwrap();
            common::deliver(&id, &alice, &removal, &[&bob]);
        } else {
            advance(&id, &alice, &[&bob]);
        }
        let after = lists(&bob);
        let written = after
            .iter()
            .filter(|(part, value)| before.get(part) != Some(value));
        // A removal shows in the list of the epoch after it.
        assert!((1..=2).contains(&written.count()));
        assert!(after.len() <= 10 + 3, "{}", after.len());
    }
    bob.group(&id)
        .delete_past_epoch_secrets(PastEpochDeletion::AllButNewest { epochs: 1 })
        .unwrap();
    assert_eq!(lists(&bob).len(), 10, "those of one list");
    bob.group(&id)
        .delete_past_epoch_secrets(PastEpochDeletion::All)
        .unwrap();
    assert!(lists(&bob).is_empty());
}
