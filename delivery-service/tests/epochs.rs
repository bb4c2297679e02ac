//! One Commit an epoch, on SQLite and on several instances with one PostgreSQL.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use std::{collections::BTreeSet, sync::Barrier, thread};

use common::{
    Service,
    device::{Device, commit},
    forged,
    postgres::Postgres,
};
use mls_delivery_client::{
    DeliveryError,
    wire::{Bytes, Kind},
};

/// The Commits that a device won with, and those that it received.
type History = (Vec<Vec<u8>>, Vec<Vec<u8>>);

/// Lets `rivals` commit in every epoch at once, and asserts that each epoch has one winner and that all see the same history.
fn race(rivals: Vec<Device>, group: &Bytes, epochs: u64) {
    let barrier = Barrier::new(rivals.len());
    let histories: Vec<History> = thread::scope(|scope| {
        let runs: Vec<_> = rivals
            .into_iter()
            .enumerate()
            .map(|(number, mut rival)| {
                let barrier = &barrier;
                scope.spawn(move || {
                    // Judged only afterwards: who stopped here would leave the others waiting for ever.
                    let mut answers = Vec::new();
                    for epoch in 1..=epochs {
                        let mine = commit(group, epoch, format!("rival {number}").as_bytes());
                        barrier.wait();
                        answers.push((epoch, rival.client.submit(group, &mine), mine.commit.0));
                        // Nobody begins the next epoch before all have heard of this one.
                        barrier.wait();
                    }
                    let won = answers
                        .into_iter()
                        .filter_map(|(epoch, answer, mine)| match answer {
                            Ok(accepted) => {
                                assert_eq!((accepted.epoch, accepted.duplicate), (epoch + 1, false));
                                Some(mine)
                            }
                            Err(DeliveryError::WrongEpoch { epoch: now }) => {
                                assert_eq!(now, epoch + 1);
                                None
                            }
                            Err(other) => panic!("{other}"),
                        });
                    let won = won.collect();
                    let received = rival
                        .take_all()
                        .into_iter()
                        .filter(|delivery| delivery.kind == Kind::Commit);
                    (won, received.map(|delivery| delivery.bytes.0).collect())
                })
            })
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    let winners: Vec<_> = histories.iter().flat_map(|(won, _)| won).collect();
    assert_eq!(winners.len() as u64, epochs, "one winner an epoch");
    for (won, received) in &histories {
        // What one has not won, it was sent, and in the order of the epochs.
        let all: BTreeSet<_> = won.iter().chain(received).collect();
        assert_eq!(all.len() as u64, epochs);
        assert_eq!(won.len() + received.len(), all.len());
        let mut sorted = received.clone();
        sorted.sort_by_key(|message| epoch_of(message));
        assert_eq!(&sorted, received);
    }
}

/// The eight bytes behind version, wire format and the group's id.
fn epoch_of(message: &[u8]) -> u64 {
    let start = 5 + usize::from(message[4]);
    u64::from_be_bytes(message[start..start + 8].try_into().unwrap())
}

/// Devices in a group, spread over the instances.
fn members(instances: &[&Service], count: usize, group: &[u8]) -> (Vec<Device>, Bytes) {
    let mut devices: Vec<_> = (0..count)
        .map(|number| Device::new(&instances[number % instances.len()].address))
        .collect();
    let group = devices[0].create_group(group);
    let others: Vec<_> = devices[1..].iter().collect();
    devices[0].add(&group, 0, &others);
    for device in &mut devices {
        device.take_all();
    }
    (devices, group)
}

#[test]
fn rivals_on_an_embedded_database_have_one_winner_an_epoch() {
    let service = Service::start();
    let (rivals, group) = members(&[&service], 4, b"race");
    race(rivals, &group, 150);
}

#[test]
fn instances_on_one_postgresql_have_one_winner_an_epoch_in_thousands_of_races() {
    let Some(postgres) = Postgres::start() else { return };
    let instances = [
        Service::on(&postgres.url(), &[]),
        Service::on(&postgres.url(), &[]),
    ];
    let (rivals, group) = members(&[&instances[0], &instances[1]], 4, b"race");
    race(rivals, &group, 2000);
}

#[test]
fn groups_that_share_devices_and_talk_at_once_neither_stop_nor_lose_a_message() {
    let Some(postgres) = Postgres::start() else { return };
    let instances = [
        Service::on(&postgres.url(), &[]),
        Service::on(&postgres.url(), &[]),
    ];
    let mut devices: Vec<_> = (0..6)
        .map(|number| Device::new(&instances[number % 2].address))
        .collect();
    let groups: Vec<_> = (0..6)
        .map(|number: usize| {
            let group = devices[number].create_group(format!("group {number}").as_bytes());
            let others: Vec<_> = devices
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != number)
                .map(|(_, device)| device)
                .collect();
            devices[number].add(&group, 0, &others);
            group
        })
        .collect();
    devices.iter_mut().for_each(|device| drop(device.take_all()));
    thread::scope(|scope| {
        for device in &devices {
            scope.spawn(|| {
                for round in 0..30_u32 {
                    for group in &groups {
                        device.say(group, 1, &[&*device.id.0, &round.to_be_bytes()].concat());
                    }
                }
            });
        }
    });
    for device in &mut devices {
        assert_eq!(device.take_all().len(), 5 * 30 * groups.len());
    }
}

#[test]
fn a_commit_of_another_epoch_is_told_the_present_one_and_changes_nothing() {
    let service = Service::start();
    let (mut devices, group) = members(&[&service], 2, b"epochs");
    for epoch in [0, 2, 7, u64::MAX] {
        let refused = devices[0].client.submit(&group, &commit(&group, epoch, b"other"));
        assert!(
            matches!(refused, Err(DeliveryError::WrongEpoch { epoch: 1 })),
            "{epoch}: {refused:?}"
        );
    }
    let proposal = forged::private_message(&group.0, 0, forged::PROPOSAL, b"late");
    let refused = devices[0].client.send_message(&group, &proposal);
    assert!(matches!(refused, Err(DeliveryError::WrongEpoch { epoch: 1 })));
    // A late message for the user can still be read by its members.
    devices[0].say(&group, 0, b"late");
    assert_eq!(devices[1].take_all().len(), 1);
}

#[test]
fn the_same_bytes_again_are_delivered_once() {
    let service = Service::start();
    let (mut devices, group) = members(&[&service], 2, b"twice");
    assert!(!devices[0].say(&group, 1, b"hello").duplicate);
    assert!(devices[0].say(&group, 1, b"hello").duplicate);
    let update = commit(&group, 1, b"update");
    assert!(!devices[0].client.submit(&group, &update).unwrap().duplicate);
    assert!(devices[0].client.submit(&group, &update).unwrap().duplicate);
    // Also long afterwards.
    devices[0]
        .client
        .submit(&group, &commit(&group, 2, b"update"))
        .unwrap();
    let again = devices[0].client.submit(&group, &update).unwrap();
    assert!(again.duplicate && again.epoch == 3);
    assert_eq!(devices[1].take_all().len(), 3);
}

#[test]
fn who_is_removed_gets_the_commit_and_nothing_after_it_and_cannot_send() {
    let service = Service::start();
    let (mut devices, group) = members(&[&service], 3, b"removal");
    let mut removal = commit(&group, 1, b"removes");
    removal.removed = vec![devices[2].id.clone()];
    devices[0].client.submit(&group, &removal).unwrap();
    devices[0].say(&group, 2, b"without you");
    assert_eq!(devices[2].take_all().len(), 1);
    assert_eq!(devices[1].take_all().len(), 2);
    let message = forged::private_message(&group.0, 2, forged::APPLICATION, b"still here");
    let rejected = devices[2].client.send_message(&group, &message);
    assert!(matches!(rejected, Err(DeliveryError::Refused { code }) if code == "no_such_group"));
    assert!(
        devices[2]
            .client
            .submit(&group, &commit(&group, 2, b"mine"))
            .is_err()
    );
    assert!(devices[2].client.group(&group).is_err());
    assert_eq!(devices[0].client.group(&group).unwrap().epoch, 2);
}
