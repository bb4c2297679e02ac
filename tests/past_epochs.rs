//! Past epochs: whose late messages can be read, for how long, and in which order their keys go.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use std::{thread::sleep, time::Duration};

use common::{Device, advance, group_of, incoming};
use mls_mobile::{
    ArgumentReason, ClientConfig, GroupConfig, GroupId, MessageReason, MlsClient, MlsError,
    PastEpochDeletion::{self, All, AllButNewest, OlderThan},
    ProcessedMessage,
};

const SECOND: u64 = 1;
/// Longer than a second by the clock's whole seconds, whatever the fractions.
const LONGER: Duration = Duration::from_millis(2050);

fn two() -> (Device, Device, GroupId) {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    (alice, bob, id)
}

fn configure(device: &Device, id: &GroupId, change: impl FnOnce(&mut GroupConfig)) {
    let mut config = GroupConfig::default();
    change(&mut config);
    device.group(id).configure(config).unwrap();
}

fn keep(device: &Device, id: &GroupId, max_past_epochs: u32) {
    configure(device, id, |config| config.max_past_epochs = max_past_epochs);
}

fn live_for(device: &Device, id: &GroupId, seconds: u64) {
    configure(device, id, |config| config.past_epoch_lifetime_seconds = seconds);
}

/// Whether a message of a past epoch can be read.
fn reads(device: &Device, id: &GroupId, message: &[u8]) -> bool {
    match device.receive(id, message) {
        ProcessedMessage::Application { .. } => true,
        ProcessedMessage::Stale { .. } => false,
        other => panic!("{}: {other:?}", device.name),
    }
}

/// Sends `copies` messages in each of `epochs` epochs and ends it. They are late then, oldest epoch first.
fn late(
    id: &GroupId,
    epochs: usize,
    copies: usize,
    sender: &Device,
    receivers: &[&Device],
) -> Vec<Vec<Vec<u8>>> {
    (0..epochs)
        .map(|_| {
            let messages = (0..copies).map(|_| sender.send(id, "late")).collect();
            advance(id, sender, receivers);
            messages
        })
        .collect()
}

fn read_each(device: &Device, id: &GroupId, late: &[Vec<Vec<u8>>], copy: usize) -> Vec<bool> {
    late.iter()
        .map(|messages| reads(device, id, &messages[copy]))
        .collect()
}

#[test]
fn late_messages_of_the_last_three_epochs_are_read_and_older_ones_are_stale() {
    let (alice, mut bob, id) = two();
    let messages = late(&id, 4, 2, &alice, &[&bob]);
    bob.reload();
    assert_eq!(read_each(&bob, &id, &messages, 0), [false, true, true, true]);
    assert_eq!(
        bob.receive(&id, &messages[0][0]),
        ProcessedMessage::Stale { epoch: 1 }
    );
    // Reading one does not use up the epoch.
    bob.reload();
    assert_eq!(read_each(&bob, &id, &messages, 1), [false, true, true, true]);
}

#[test]
fn how_many_and_how_long_is_chosen_for_each_group_and_for_joined_ones_by_default() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    type Choice = fn(&mut GroupConfig);
    let nothing: [Choice; 2] = [
        |config| config.max_past_epochs = 0,
        |config| config.past_epoch_lifetime_seconds = 0,
    ];
    for choice in nothing {
        let mut config = GroupConfig::default();
        choice(&mut config);
        let client = bob.open_again(|client: &mut ClientConfig| client.group_defaults = Some(config.clone()));
        let joined = alice.create_group();
        let key_package = client
            .create_key_packages(bob.identity.clone(), 1, None)
            .unwrap()
            .remove(0);
        let invitation = alice.group(&joined).add_members(vec![key_package.bytes]).unwrap();
        alice.group(&joined).merge_pending_commit().unwrap();
        client
            .join_from_welcome(invitation.welcome.unwrap(), None)
            .unwrap();
        let message = alice.send(&joined, "late");
        advance(&joined, &alice, &[&bob]);
        assert!(!reads(&bob, &joined, &message), "joined");

        let created = alice.create_group_with(Some(config));
        let invitation = alice
            .group(&created)
            .add_members(vec![bob.key_package()])
            .unwrap();
        alice.group(&created).merge_pending_commit().unwrap();
        bob.join(&invitation.welcome.unwrap());
        let (mine, theirs) = (alice.send(&created, "late"), bob.send(&created, "late"));
        advance(&created, &alice, &[&bob]);
        assert!(!reads(&alice, &created, &theirs), "created");
        assert!(reads(&bob, &created, &mine), "another member's choice");
    }
}

#[test]
fn a_lifetime_of_more_than_a_year_is_refused() {
    let (alice, _bob, id) = two();
    let year = 366 * 24 * 60 * 60;
    live_for(&alice, &id, year);
    let config = GroupConfig {
        past_epoch_lifetime_seconds: year + 1,
        ..GroupConfig::default()
    };
    assert_eq!(
        alice.group(&id).configure(config).unwrap_err(),
        MlsError::InvalidArgument {
            argument: "past_epoch_lifetime_seconds".to_owned(),
            reason: ArgumentReason::OutOfRange
        }
    );
}

#[test]
fn an_epochs_keys_live_from_its_end_however_long_it_lasted() {
    let (alice, mut bob, id) = two();
    live_for(&bob, &id, SECOND);
    let messages: Vec<_> = (0..2).map(|_| alice.send(&id, "late")).collect();
    sleep(LONGER);
    advance(&id, &alice, &[&bob]);
    assert!(reads(&bob, &id, &messages[0]), "it has only just ended");
    sleep(LONGER);
    bob.reload();
    assert_eq!(
        bob.receive(&id, &messages[1]),
        ProcessedMessage::Stale { epoch: 1 }
    );
    assert_eq!(bob.read(&id, &alice.send(&id, "current")), "current");
}

#[test]
fn whatever_uses_the_group_and_the_end_of_a_batch_delete_expired_keys() {
    let (alice, bob, id) = two();
    let other = group_of(&[&alice, &bob]);
    live_for(&bob, &id, SECOND);
    let message = late(&id, 1, 1, &alice, &[&bob]).remove(0).remove(0);
    sleep(LONGER);
    let (current, elsewhere) = (alice.send(&id, "current"), alice.send(&other, "elsewhere"));

    type Use<'u> = &'u dyn Fn(&Device);
    let uses: [(&str, bool, Use<'_>); 8] = [
        ("nothing", true, &|_| ()),
        ("looking", true, &|bob| {
            drop((bob.group(&id).info().unwrap(), bob.epoch(&other)))
        }),
        ("receiving elsewhere", true, &|bob| {
            bob.read(&other, &elsewhere);
        }),
        ("sending", false, &|bob| drop(bob.send(&id, "text"))),
        ("receiving", false, &|bob| drop(bob.read(&id, &current))),
        ("merging", false, &|bob| {
            bob.group(&id).self_update(None).unwrap();
            bob.group(&id).merge_pending_commit().unwrap();
        }),
        ("a batch elsewhere", false, &|bob| {
            batch(bob.client(), &[&elsewhere])
        }),
        ("an empty batch", false, &|bob| batch(bob.client(), &[])),
    ];
    for (what, readable, act) in uses {
        let mut bob = bob.fork();
        act(&bob);
        // Now they would live: those that are still there.
        bob.reload();
        configure(&bob, &id, |_| ());
        assert_eq!(reads(&bob, &id, &message), readable, "{what}");
    }
    live_for(&bob, &id, SECOND);
    configure(&bob, &id, |_| ());
    assert!(!reads(&bob, &id, &message), "configuring");
}

fn batch(client: &MlsClient, messages: &[&Vec<u8>]) {
    let messages = messages.iter().map(|message| incoming(message, 0)).collect();
    let batch = client.process_messages(messages, None).unwrap();
    assert_eq!(batch.stopped_at, None);
}

#[test]
fn keys_of_a_group_that_this_device_was_removed_from_go_as_well() {
    let (alice, bob, id) = two();
    late(&id, 1, 1, &alice, &[&bob]);
    let removed_later = bob.fork();
    live_for(&bob, &id, SECOND);
    let removal = alice.group(&id).remove_members(vec![1]).unwrap();
    bob.follow(&id, &removal.commit);
    sleep(LONGER);
    let before = state_size(&bob);
    batch(bob.client(), &[]);
    assert!(state_size(&bob) < before, "by a batch");

    // A device that is removed stays in its last epoch's keys: that one has not ended.
    removed_later.follow(&id, &removal.commit);
    let before = state_size(&removed_later);
    let older = OlderThan { seconds: SECOND };
    removed_later.group(&id).delete_past_epoch_secrets(older).unwrap();
    assert!(state_size(&removed_later) < before, "at the app's wish");
}

/// Bytes of message secrets: deleting an epoch's secret tree makes them fewer.
fn state_size(device: &Device) -> usize {
    let tables = device.dump();
    let (_, rows) = tables.iter().find(|(name, _)| name == "message_secrets").unwrap();
    rows.iter()
        .flatten()
        .map(|value| match value {
            rusqlite::types::Value::Blob(bytes) => bytes.len(),
            _ => 0,
        })
        .sum()
}

#[test]
fn past_keys_are_deleted_at_the_apps_wish() {
    let (alice, bob, id) = two();
    let mut messages = late(&id, 1, 1, &alice, &[&bob]);
    sleep(LONGER);
    messages.append(&mut late(&id, 2, 1, &alice, &[&bob]));
    let current = alice.send(&id, "current");
    let wishes: [(PastEpochDeletion, [bool; 3]); 8] = [
        (All, [false, false, false]),
        (OlderThan { seconds: 3600 }, [true, true, true]),
        (OlderThan { seconds: u64::MAX }, [true, true, true]),
        (OlderThan { seconds: SECOND }, [false, true, true]),
        (OlderThan { seconds: 0 }, [false, false, false]),
        (AllButNewest { epochs: 0 }, [false, false, false]),
        (AllButNewest { epochs: 2 }, [false, true, true]),
        (AllButNewest { epochs: u32::MAX }, [true, true, true]),
    ];
    for (wish, readable) in wishes {
        let mut bob = bob.fork();
        bob.group(&id).delete_past_epoch_secrets(wish).unwrap();
        bob.reload();
        assert_eq!(read_each(&bob, &id, &messages, 0), readable, "{wish:?}");
        assert_eq!(bob.read(&id, &current), "current", "{wish:?}");
        assert_eq!(
            bob.group(&id).epoch_authenticator().unwrap(),
            alice.authenticator(&id)
        );
    }
    let group = bob.group(&id);
    group.delete().unwrap();
    assert_eq!(
        group.delete_past_epoch_secrets(All).unwrap_err(),
        MlsError::GroupNotFound
    );
}

#[test]
fn after_a_deletion_the_times_still_belong_to_their_epochs() {
    let (alice, mut bob, id) = two();
    let mut messages = late(&id, 1, 1, &alice, &[&bob]);
    sleep(LONGER);
    messages.append(&mut late(&id, 1, 1, &alice, &[&bob]));
    let delete = |bob: &Device, wish| bob.group(&id).delete_past_epoch_secrets(wish).unwrap();
    delete(&bob, AllButNewest { epochs: 1 });
    bob.reload();
    messages.append(&mut late(&id, 1, 1, &alice, &[&bob]));
    delete(&bob, OlderThan { seconds: SECOND });
    assert_eq!(read_each(&bob, &id, &messages, 0), [false, true, true]);
}

/// OpenMLS rotates its list when it shrinks; if the list is not full, the newest epochs are lost or come to stand
/// before older ones.
#[test]
fn shrinking_keeps_the_newest_epochs_and_their_order() {
    for kept in 0..=4 {
        let (alice, bob, id) = two();
        keep(&bob, &id, 4);
        let mut messages = late(&id, kept, 2, &alice, &[&bob]);
        let forks: Vec<Device> = (0..=4)
            .map(|most| {
                let mut bob = bob.fork();
                keep(&bob, &id, most);
                bob.reload();
                bob
            })
            .collect();
        for (most, bob) in forks.iter().enumerate() {
            let readable: Vec<bool> = (0..kept).map(|n| n + most >= kept).collect();
            assert_eq!(
                read_each(bob, &id, &messages, 0),
                readable,
                "{kept} kept, 4 to {most}"
            );
        }
        // Now the oldest must be the next to go.
        messages.append(&mut late(&id, 1, 2, &alice, &forks.iter().collect::<Vec<_>>()));
        for (most, bob) in forks.iter().enumerate() {
            let readable: Vec<bool> = (0..=kept).map(|n| n + most > kept).collect();
            assert_eq!(
                read_each(bob, &id, &messages, 1),
                readable,
                "{kept} kept, 4 to {most}, then one more"
            );
        }
    }
}

#[test]
fn growing_keeps_what_there_is_and_makes_room_for_more() {
    let (alice, mut bob, id) = two();
    keep(&bob, &id, 2);
    let mut messages = late(&id, 3, 2, &alice, &[&bob]);
    keep(&bob, &id, 5);
    bob.reload();
    assert_eq!(read_each(&bob, &id, &messages, 0), [false, true, true]);
    messages.append(&mut late(&id, 4, 2, &alice, &[&bob]));
    let readable = [false, false, true, true, true, true, true];
    assert_eq!(read_each(&bob, &id, &messages, 1), readable);
    // And all the way to the largest and back.
    keep(&bob, &id, 32);
    keep(&bob, &id, 0);
    keep(&bob, &id, 32);
    let message = late(&id, 1, 1, &alice, &[&bob]).remove(0).remove(0);
    assert!(reads(&bob, &id, &message));
}

#[test]
fn the_ratchet_window_holds_in_past_epochs_too() {
    let (alice, mut bob, id) = two();
    configure(&bob, &id, |config| {
        config.out_of_order_tolerance = 2;
        config.maximum_forward_distance = 3;
    });
    let messages: Vec<_> = (0..9).map(|n| alice.send(&id, &n.to_string())).collect();
    advance(&id, &alice, &[&bob]);
    bob.reload();
    let error = bob.group(&id).process_message(messages[4].clone()).unwrap_err();
    let reason = MessageReason::GenerationTooNew;
    assert_eq!(error, MlsError::MessageInvalid { reason });
    assert_eq!(bob.read(&id, &messages[3]), "3");
    // The next message's key is the first of the two.
    assert_eq!(bob.read(&id, &messages[2]), "2");
    assert_eq!(
        bob.receive(&id, &messages[1]),
        ProcessedMessage::Stale { epoch: 1 }
    );
    assert_eq!(bob.read(&id, &messages[7]), "7");
}
