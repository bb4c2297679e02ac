//! Several clients, several threads, many members: what one writes the others see, and no key is used twice.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use std::{
    collections::HashSet,
    sync::{Arc, Barrier},
    thread,
};

use common::{Device, SUITE, advance, assert_agree, basic, deliver, group_of};
use mls_mobile::{GroupId, MlsClient, MlsError, MlsGroup, ProcessedMessage};

fn plaintext(outcome: ProcessedMessage) -> String {
    match outcome {
        ProcessedMessage::Application { plaintext, .. } => String::from_utf8(plaintext).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn send(group: &MlsGroup, text: &str) -> Vec<u8> {
    group
        .create_message(text.as_bytes().to_vec(), Vec::new())
        .unwrap()
}

/// Two handles to one group through two clients on one file.
fn opened_twice(device: &Device, id: &GroupId) -> [(Arc<MlsClient>, Arc<MlsGroup>); 2] {
    [device.client().clone(), device.open_again(|_| ())].map(|client| {
        let group = client.group(id.clone()).unwrap();
        (client, group)
    })
}

#[test]
fn clients_on_two_files_know_nothing_of_each_other() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = alice.create_group();
    bob.key_package();
    assert_eq!(
        bob.client().group(id.clone()).err(),
        Some(MlsError::GroupNotFound)
    );
    assert_eq!(alice.client().key_packages().unwrap(), []);
    let error = alice.client().delete_identity(bob.identity.clone()).unwrap_err();
    assert_eq!(error, MlsError::IdentityNotFound);
    bob.client().wipe().unwrap();
    assert_eq!(bob.client().groups().unwrap_err(), MlsError::Wiped);
    assert_eq!(alice.epoch(&id), 0);
}

#[test]
fn each_of_two_clients_on_one_file_sees_what_the_other_wrote() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let [(app, app_group), (extension, extension_group)] = opened_twice(&bob, &id);
    // Both have the group in memory now, and one of them must notice that its copy is old.
    assert_eq!(app_group.info().unwrap(), extension_group.info().unwrap());

    let update = advance(&id, &alice, &[]);
    extension_group.process_message(update.commit.clone()).unwrap();
    assert_eq!(app_group.info().unwrap().epoch, 2);
    assert_eq!(
        app_group.process_message(update.commit).unwrap(),
        ProcessedMessage::Duplicate
    );

    let own = app_group.self_update(None).unwrap();
    assert_eq!(extension_group.pending_commit().unwrap().unwrap(), own);
    assert_eq!(
        extension_group.self_update(None).unwrap_err(),
        MlsError::PendingCommitExists
    );
    extension_group.merge_pending_commit().unwrap();
    assert_eq!(
        app_group.merge_pending_commit().unwrap_err(),
        MlsError::NoPendingCommit
    );
    alice.follow(&id, &own.commit);
    assert_eq!(app_group.info().unwrap(), extension_group.info().unwrap());
    assert_agree(&id, &[&alice, &bob]);

    let message = alice.send(&id, "hello");
    assert_eq!(
        plaintext(extension_group.process_message(message.clone()).unwrap()),
        "hello"
    );
    assert_eq!(
        app_group.process_message(message).unwrap(),
        ProcessedMessage::Duplicate
    );
    let entries = app.inbox(10).unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(extension.inbox(10).unwrap(), entries);
    app.acknowledge(vec![entries[0].id]).unwrap();
    assert_eq!(extension.inbox(10).unwrap(), entries[1..]);

    let identity = app.create_identity(basic("other"), SUITE).unwrap();
    assert_eq!(extension.identities().unwrap()[1], identity);
    app_group.delete().unwrap();
    assert_eq!(extension_group.info().unwrap_err(), MlsError::GroupNotFound);
    assert_eq!(extension.groups().unwrap(), []);
}

#[test]
fn two_clients_on_one_file_that_send_in_turn_never_use_a_key_twice() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let clients = opened_twice(&bob, &id);
    for n in 0..30 {
        // Once, twice or thrice in a row, so that a cached copy is used and then has to be dropped.
        let text = n.to_string();
        let message = send(&clients[(n / (1 + n % 3)) % 2].1, &text);
        assert_eq!(alice.read(&id, &message), text);
    }
}

#[test]
fn two_clients_on_one_file_that_receive_in_turn_read_each_message_once() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let [(_, app), (_, extension)] = opened_twice(&bob, &id);
    for n in 0..20 {
        let message = alice.send(&id, &n.to_string());
        let (first, second) = if n % 2 == 0 {
            (&app, &extension)
        } else {
            (&extension, &app)
        };
        assert_eq!(
            plaintext(first.process_message(message.clone()).unwrap()),
            n.to_string()
        );
        assert_eq!(
            second.process_message(message).unwrap(),
            ProcessedMessage::Duplicate
        );
        if n % 5 == 0 {
            let update = advance(&id, &alice, &[]);
            second.process_message(update.commit).unwrap();
        }
    }
}

/// Sends 15 messages through each handle, all at the same time.
fn send_at_once(groups: Vec<Arc<MlsGroup>>) -> Vec<(String, Vec<u8>)> {
    let barrier = Arc::new(Barrier::new(groups.len()));
    let threads: Vec<_> = groups
        .into_iter()
        .enumerate()
        .map(|(number, group)| {
            let barrier = barrier.clone();
            thread::spawn(move || {
                barrier.wait();
                (0..15)
                    .map(|n| {
                        let text = format!("{n} from {number}");
                        let message = send(&group, &text);
                        (text, message)
                    })
                    .collect::<Vec<_>>()
            })
        })
        .collect();
    threads
        .into_iter()
        .flat_map(|thread| thread.join().unwrap())
        .collect()
}

/// The peer reads each with its own text, so no generation was used twice.
fn assert_all_read(reader: &Device, id: &GroupId, sent: &[(String, Vec<u8>)]) {
    for (text, message) in sent {
        assert_eq!(&reader.read(id, message), text);
    }
    let distinct: HashSet<_> = sent.iter().map(|(text, _)| text).collect();
    assert_eq!(distinct.len(), 60);
}

#[test]
fn threads_share_one_client() {
    let (alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let sent = send_at_once(vec![bob.group(&id); 4]);
    assert_all_read(&alice, &id, &sent);
    bob.reload();
    assert_eq!(alice.read(&id, &bob.send(&id, "and on")), "and on");
}

#[test]
fn threads_share_one_file_through_clients_of_their_own() {
    let (alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let groups = (0..4)
        .map(|_| {
            // A busy machine may make one wait for long; that is no failure.
            let client = bob.open_again(|config| config.busy_timeout_ms = 60_000);
            client.group(id.clone()).unwrap()
        })
        .collect();
    let sent = send_at_once(groups);
    assert_all_read(&alice, &id, &sent);
    bob.reload();
    assert_eq!(alice.read(&id, &bob.send(&id, "and on")), "and on");
}

#[test]
fn threads_in_different_groups_of_one_client_do_not_mix_them_up() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    // More groups than the cache holds, so that groups also leave it.
    let ids: Vec<_> = (0..6).map(|_| group_of(&[&alice, &bob])).collect();
    thread::scope(|scope| {
        for id in &ids {
            let (alice, bob) = (&alice, &bob);
            scope.spawn(move || {
                for n in 0..5 {
                    let text = format!("{n} in {id:?}");
                    assert_eq!(alice.read(id, &bob.send(id, &text)), text);
                    advance(id, alice, &[bob]);
                    assert_agree(id, &[alice, bob]);
                }
            });
        }
    });
    assert!(ids.iter().all(|id| bob.epoch(id) == 6));
}

#[test]
fn a_hundred_members_agree_talk_and_shrink() {
    let mut devices: Vec<_> = (0..100).map(|n| Device::new(&format!("device {n}"))).collect();
    let id = group_of(&devices.iter().collect::<Vec<_>>());
    for n in [0, 50, 99] {
        devices[n].reload();
    }
    assert_agree(&id, &devices.iter().collect::<Vec<_>>());
    assert_eq!(devices[99].group(&id).members().unwrap().len(), 100);
    let message = devices[99].send(&id, "to all");
    for device in &devices[..99] {
        assert_eq!(device.read(&id, &message), "to all");
    }
    let removal = devices[1].group(&id).remove_members((50..100).collect()).unwrap();
    devices[1].group(&id).merge_pending_commit().unwrap();
    for (n, device) in devices.iter().enumerate().filter(|(n, _)| *n != 1) {
        assert_eq!(device.follow(&id, &removal.commit).0.self_removed, n >= 50);
    }
    for device in &mut devices {
        device.reload();
    }
    let (left, gone) = devices.split_at(50);
    assert_agree(&id, &left.iter().collect::<Vec<_>>());
    assert!(
        gone.iter()
            .all(|device| !device.group(&id).info().unwrap().is_active)
    );
    let update = left[49].group(&id).self_update(None).unwrap();
    deliver(&id, &left[49], &update, &left[..49].iter().collect::<Vec<_>>());
    assert_agree(&id, &left.iter().collect::<Vec<_>>());
}
