//! Messages that overtake what makes them readable, where a membership ends or begins: nothing that was kept is lost.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use common::{Device, advance, assert_agree, deliver, group_of, incoming, raw::RawPeer, texts};
use mls_mobile::{GroupConfig, GroupId, MlsError, ProcessedMessage, WelcomeReason};

fn inbox(device: &Device) -> Vec<ProcessedMessage> {
    let entries = device.client().inbox(u32::MAX).unwrap();
    entries.into_iter().map(|entry| entry.outcome).collect()
}

/// Alice and carol, and a device that they invite while it waits to join by itself: its Welcome.
fn invited_while_joining(device: &Device) -> (Device, Device, GroupId, Vec<u8>) {
    let (alice, carol) = (Device::new("alice"), Device::new("carol"));
    let id = group_of(&[&alice, &carol]);
    let group_info = alice.group(&id).export_group_info(true).unwrap();
    device
        .client()
        .join_by_external_commit(device.identity.clone(), group_info, None)
        .unwrap();
    let addition = alice.group(&id).add_members(vec![device.key_package()]).unwrap();
    deliver(&id, &alice, &addition, &[&carol]);
    (alice, carol, id, addition.welcome.unwrap())
}

#[test]
fn messages_and_commits_before_the_welcome_are_read_when_it_comes() {
    let mut dave = Device::new("dave");
    let (alice, carol, id, welcome) = invited_while_joining(&dave);
    let before = alice.send(&id, "before the update");
    let update = advance(&id, &alice, &[&carol]);
    let after = alice.send(&id, "after it");
    let batch = [&after, &update.commit, &before].map(|message| incoming(message, 1));
    dave.client().process_messages(batch.to_vec(), None).unwrap();
    dave.reload();
    dave.join(&welcome);
    dave.reload();
    assert_eq!(texts(&inbox(&dave)), ["before the update", "after it"]);
    assert_eq!(dave.group(&id).info().unwrap().early_messages, 0);
    assert_agree(&id, &[&alice, &carol, &dave]);
}

#[test]
fn without_an_inbox_they_wait_for_the_app() {
    let dave = Device::new("dave");
    let (alice, _carol, id, welcome) = invited_while_joining(&dave);
    let client = dave.open_again(|config| config.inbox = false);
    let message = incoming(&alice.send(&id, "before the Welcome"), 1);
    client.process_messages(vec![message], None).unwrap();
    let group = client.join_from_welcome(welcome, None).unwrap();
    assert_eq!(group.info().unwrap().early_messages, 1);
    assert_eq!(
        texts(&group.release_early_messages().unwrap()),
        ["before the Welcome"]
    );
}

#[test]
fn a_message_before_the_own_removal_and_new_invitation_is_read_after_both() {
    let (alice, mut bob, carol) = (Device::new("alice"), Device::new("bob"), Device::new("carol"));
    let id = group_of(&[&alice, &bob, &carol]);
    let removal = alice.group(&id).remove_members(vec![1]).unwrap();
    deliver(&id, &alice, &removal, &[&carol]);
    let without_bob = alice.send(&id, "without bob");
    let addition = alice.group(&id).add_members(vec![bob.key_package()]).unwrap();
    deliver(&id, &alice, &addition, &[&carol]);
    let message = alice.send(&id, "welcome back");
    for (early, epoch) in [(&without_bob, 2), (&message, 3)] {
        assert_eq!(bob.receive(&id, early), ProcessedMessage::Early { epoch });
    }
    let welcome = addition.welcome.unwrap();
    let too_soon = bob.client().join_from_welcome(welcome.clone(), None).err();
    assert_eq!(too_soon, Some(MlsError::GroupAlreadyExists));
    bob.receive(&id, &removal.commit);
    bob.reload();
    bob.join(&welcome);
    bob.reload();
    assert_eq!(texts(&inbox(&bob)), ["welcome back"]);
    let refused = inbox(&bob)
        .iter()
        .filter(|outcome| matches!(outcome, ProcessedMessage::EarlyRefused { epoch: 2, .. }))
        .count();
    assert_eq!(refused, 1);
    assert_agree(&id, &[&alice, &bob, &carol]);
}

#[test]
fn a_device_that_went_its_own_way_reads_what_overtook_its_new_invitation() {
    let (alice, carol) = (Device::new("alice"), Device::new("carol"));
    let mut bob = Device::without_validator("bob");
    let id = group_of(&[&alice, &bob, &carol]);
    bob.receive(&id, &advance(&id, &alice, &[&carol]).commit);
    bob.group(&id).discard_staged_commit().unwrap();
    let group_info = alice.group(&id).export_group_info(true).unwrap();
    bob.client()
        .join_by_external_commit(bob.identity.clone(), group_info, None)
        .unwrap();
    let removal = alice.group(&id).remove_members(vec![1]).unwrap();
    deliver(&id, &alice, &removal, &[&carol]);
    let addition = alice.group(&id).add_members(vec![bob.key_package()]).unwrap();
    deliver(&id, &alice, &addition, &[&carol]);
    let message = alice.send(&id, "welcome back");
    assert_eq!(bob.receive(&id, &message), ProcessedMessage::Early { epoch: 4 });
    bob.reload();
    bob.join(&addition.welcome.unwrap());
    bob.reload();
    assert_eq!(texts(&inbox(&bob)), ["welcome back"]);
}

#[test]
fn a_new_invitation_keeps_how_the_app_had_set_the_group_up() {
    let (alice, bob, carol) = (Device::new("alice"), Device::new("bob"), Device::new("carol"));
    let id = group_of(&[&alice, &bob, &carol]);
    let config = GroupConfig {
        max_past_epochs: 0,
        ..GroupConfig::default()
    };
    bob.group(&id).configure(config).unwrap();
    let removal = alice.group(&id).remove_members(vec![1]).unwrap();
    deliver(&id, &alice, &removal, &[&carol, &bob]);
    let addition = alice.group(&id).add_members(vec![bob.key_package()]).unwrap();
    deliver(&id, &alice, &addition, &[&carol]);
    bob.join(&addition.welcome.unwrap());
    let late = alice.send(&id, "late");
    let epoch = bob.epoch(&id);
    bob.follow(&id, &advance(&id, &alice, &[&carol]).commit);
    assert_eq!(bob.receive(&id, &late), ProcessedMessage::Stale { epoch });
}

#[test]
fn messages_that_come_backwards_beyond_the_forward_distance_are_all_read() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let config = GroupConfig {
        maximum_forward_distance: 5,
        ..GroupConfig::default()
    };
    bob.group(&id).configure(config).unwrap();
    let update = advance(&id, &alice, &[]);
    let messages: Vec<_> = (0..8).map(|n| alice.send(&id, &n.to_string())).collect();
    for early in [&messages[7]].into_iter().chain(&messages[..7]) {
        assert_eq!(bob.receive(&id, early), ProcessedMessage::Early { epoch: 2 });
    }
    bob.follow(&id, &update.commit);
    let mut read = texts(&inbox(&bob));
    read.sort();
    assert_eq!(read, ["0", "1", "2", "3", "4", "5", "6", "7"]);
}

#[test]
fn an_invitation_to_an_epoch_without_room_behind_it_is_refused() {
    let mut founder = RawPeer::new("founder");
    founder.create_group();
    let group_info = founder.group_info(Some(1 << 63), |_| true);
    let mut inviter = RawPeer::new("inviter");
    inviter.join_by_external_commit(&group_info);
    let bob = Device::new("bob");
    let welcome = inviter.add(&bob.key_package());
    let tree = inviter.ratchet_tree();
    let reason = WelcomeReason::UnsupportedFeature;
    let refused = bob.client().join_from_welcome(welcome, Some(tree)).err();
    assert_eq!(refused, Some(MlsError::WelcomeInvalid { reason }));
    assert!(bob.client().groups().unwrap().is_empty());
}
