//! What the length of a message says: little by default, and as much as the app allows.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use std::collections::BTreeSet;

use common::{Device, assert_agree, deliver, group_of, reload};
use mls_mobile::{ArgumentReason, Ciphersuite, GroupConfig, GroupId, IncomingMessage, MlsError, Padding};

fn padded(padding: Padding) -> GroupConfig {
    GroupConfig {
        padding: Some(padding),
        ..GroupConfig::default()
    }
}

fn length(sender: &Device, id: &GroupId, plaintext: usize) -> usize {
    let group = sender.group(id);
    group
        .create_message(vec![b'x'; plaintext], Vec::new())
        .unwrap()
        .len()
}

/// The lengths of messages with plaintexts of these lengths.
fn lengths(sender: &Device, id: &GroupId, plaintexts: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
    plaintexts
        .into_iter()
        .map(|plaintext| length(sender, id, plaintext))
        .collect()
}

/// A text, its length and signature, and the tag: 256 bytes hold 172 of text.
fn assert_in_buckets(sender: &Device, id: &GroupId) {
    assert_eq!(lengths(sender, id, 0..=172).len(), 1);
    assert_eq!(lengths(sender, id, 173..=428).len(), 1);
    assert_eq!(length(sender, id, 173) - length(sender, id, 172), 256);
}

#[test]
fn by_default_texts_of_all_lengths_make_messages_of_few() {
    let (mut alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    reload(&mut [&mut alice, &mut bob]);
    // One created the group and one joined it: their settings come by different ways.
    for sender in [&alice, &bob] {
        assert_in_buckets(sender, &id);
    }
    // 256 to 4352 by 256.
    assert_eq!(lengths(&alice, &id, (0..4096).step_by(7)).len(), 17);
    let long = lengths(&alice, &id, (60_000..70_000).step_by(101));
    assert_eq!(long.len(), 6, "{long:?}");
    let empty = length(&alice, &id, 0);
    for plaintext in [5000, 20_000, 100_000, 1_000_000] {
        let grown = length(&alice, &id, plaintext) - plaintext;
        assert!(grown <= empty + plaintext / 16, "{plaintext}: {grown}");
    }
}

#[test]
fn texts_in_buckets_are_read_whole() {
    let (alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    for length in [0, 1, 63, 64, 172, 173, 16_383, 16_384, 300_000] {
        let text = "x".repeat(length);
        let message = alice.send(&id, &text);
        bob.reload();
        assert!(bob.read(&id, &message) == text, "{length}");
    }
}

#[test]
fn each_way_of_padding_does_what_it_says_and_lasts() {
    let (mut alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    for (padding, different) in [
        (Padding::Off, 200),
        (Padding::Block { size: 1 }, 200),
        (Padding::Block { size: 64 }, 4),
        (Padding::Block { size: 1 << 16 }, 1),
        (Padding::Buckets, 2),
    ] {
        alice.group(&id).configure(padded(padding)).unwrap();
        for _ in 0..2 {
            assert_eq!(lengths(&alice, &id, 0..200).len(), different, "{padding:?}");
            alice.reload();
        }
    }
    for size in [0, (1 << 16) + 1] {
        let error = alice.group(&id).configure(padded(Padding::Block { size }));
        assert_eq!(
            error.unwrap_err(),
            MlsError::InvalidArgument {
                argument: "padding".to_owned(),
                reason: ArgumentReason::OutOfRange,
            }
        );
    }
    assert_eq!(lengths(&alice, &id, 0..200).len(), 2);
}

#[test]
fn a_group_is_created_and_joined_with_the_padding_of_its_configuration() {
    for (padding, different) in [(Padding::Off, 100), (Padding::Block { size: 1024 }, 1)] {
        let alice = Device::new("alice");
        let id = alice.create_group_with(Some(padded(padding)));
        assert_eq!(lengths(&alice, &id, 0..100).len(), different);

        let bob = Device::new("bob");
        let client = bob.open_again(|config| config.group_defaults = Some(padded(padding)));
        let bundle = alice.group(&id).add_members(vec![bob.key_package()]).unwrap();
        let group = client.join_from_welcome(bundle.welcome.unwrap(), None).unwrap();
        let lengths: BTreeSet<usize> = (0..100)
            .map(|length| group.create_message(vec![0; length], Vec::new()).unwrap().len())
            .collect();
        assert_eq!(lengths.len(), different);
    }
}

#[test]
fn commits_and_proposals_are_padded_before_and_after_messages() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let group = alice.group(&id);
    let commits = || {
        let update = group.self_update(None).unwrap();
        group.clear_pending_commit().unwrap();
        let removal = group.remove_members(vec![alice.leaf_of(&id, "bob")]).unwrap();
        group.clear_pending_commit().unwrap();
        [update, removal].map(|bundle| bundle.commit.len())
    };
    let before = commits();
    assert_eq!(before[0], before[1]);
    // What a message is padded to in memory must not stay for what comes next.
    length(&alice, &id, 5000);
    assert_eq!(commits(), before);
    group.configure(padded(Padding::Off)).unwrap();
    let bare = commits();
    assert_ne!(bare[0], bare[1]);

    group.configure(GroupConfig::default()).unwrap();
    let removal = group.propose_remove(alice.leaf_of(&id, "bob")).unwrap();
    let update = group.propose_self_update(None).unwrap();
    assert_eq!(removal.proposal.len(), update.proposal.len());
}

#[test]
fn a_message_that_waits_for_a_commit_is_padded_too() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let waiting = |length: usize| {
        let group = alice.group(&id);
        let bundle = group
            .commit_and_create_message(vec![0; length], Vec::new())
            .unwrap();
        let merged = group.merge_pending_commit().unwrap();
        bob.receive(&id, &bundle.commit);
        match &merged.released[..] {
            [mls_mobile::ProcessedMessage::MessageCreated { bytes, .. }] => bytes.len(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(waiting(0), waiting(172));
}

#[test]
fn padding_survives_a_removal_and_a_return_by_either_way() {
    let (alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let plain = padded(Padding::Off);
    let client = bob.open_again(|config| config.group_defaults = Some(plain.clone()));
    // Another client of bob's has another default: what the group was set up with counts.
    bob.group(&id).configure(padded(Padding::Buckets)).unwrap();
    let remove = |bob: &Device| {
        let removal = alice
            .group(&id)
            .remove_members(vec![alice.leaf_of(&id, "bob")])
            .unwrap();
        alice.group(&id).merge_pending_commit().unwrap();
        bob.follow(&id, &removal.commit);
    };
    remove(&bob);
    let bundle = alice.group(&id).add_members(vec![bob.key_package()]).unwrap();
    alice.group(&id).merge_pending_commit().unwrap();
    client.join_from_welcome(bundle.welcome.unwrap(), None).unwrap();
    bob.reload();
    assert_in_buckets(&bob, &id);

    remove(&bob);
    let info = alice.group(&id).export_group_info(true).unwrap();
    let join = client
        .join_by_external_commit(bob.identity.clone(), info, None)
        .unwrap();
    alice.follow(&id, &join.commit);
    client.confirm_external_join(id.clone()).unwrap();
    bob.reload();
    assert_in_buckets(&bob, &id);
    assert_agree(&id, &[&alice, &bob]);

    // Without an old membership the client's default counts.
    let carol = Device::new("carol");
    let client = carol.open_again(|config| config.group_defaults = Some(plain));
    let info = alice.group(&id).export_group_info(true).unwrap();
    let join = client
        .join_by_external_commit(carol.identity.clone(), info, None)
        .unwrap();
    alice.follow(&id, &join.commit);
    client.confirm_external_join(id.clone()).unwrap();
    assert_eq!(lengths(&carol, &id, 0..100).len(), 100);
}

#[test]
fn padding_in_memory_keeps_past_epochs_and_ratchets() {
    let (mut alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let late: Vec<_> = (0..3)
        .map(|epoch| {
            let message = bob.send(&id, &format!("late {epoch}"));
            let update = alice.group(&id).self_update(None).unwrap();
            deliver(&id, &alice, &update, &[&bob]);
            alice.send(&id, "between");
            message
        })
        .collect();
    reload(&mut [&mut alice, &mut bob]);
    for (epoch, message) in late.iter().enumerate() {
        assert_eq!(alice.read(&id, message), format!("late {epoch}"));
    }
    let sent: Vec<_> = (0..65).map(|n| bob.send(&id, &n.to_string())).collect();
    alice.send(&id, "between");
    let batch = sent.iter().rev().map(|bytes| IncomingMessage {
        bytes: bytes.clone(),
        cursor: None,
    });
    let outcomes = alice.client().process_messages(batch.collect(), None).unwrap();
    assert_eq!(outcomes.outcomes.len(), 65);
    assert_eq!(alice.group(&id).info().unwrap().epoch, 4);
}

#[test]
fn every_suite_pads_to_the_same_buckets() {
    for suite in [
        Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519,
        Ciphersuite::default(),
        Ciphersuite::MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519,
    ] {
        let [mut alice, mut bob] = ["alice", "bob"].map(|name| Device::with_suite(name, suite));
        let id = group_of(&[&alice, &bob]);
        reload(&mut [&mut alice, &mut bob]);
        assert_eq!(lengths(&bob, &id, [0, 100, 172, 173, 428]).len(), 2, "{suite:?}");
        let message = alice.send(&id, "hello");
        assert_eq!(bob.read(&id, &message), "hello");
        let update = bob.group(&id).self_update(None).unwrap();
        deliver(&id, &bob, &update, &[&alice]);
        assert_agree(&id, &[&alice, &bob]);
    }
}
