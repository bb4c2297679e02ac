//! SIGKILL under load: what was acknowledged is there, and repeating what was not does no harm.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        RwLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use common::{
    Service,
    device::{Device, commit},
    forged,
    postgres::Postgres,
};
use mls_delivery_client::{
    DeliveryClient, DeliveryError,
    wire::{Bytes, Kind},
};

const SENDERS: usize = 3;
const KILLS: usize = 8;

#[test]
fn an_embedded_service_that_is_killed_under_load_loses_nothing_that_it_acknowledged() {
    load(Service::start());
}

#[test]
fn an_instance_that_is_killed_under_load_loses_nothing_that_it_acknowledged() {
    let Some(postgres) = Postgres::start() else { return };
    load(Service::on(&postgres.url(), &[]));
}

/// Senders number their messages and commit in between; each repeats what got no answer. The reader acknowledges all the while.
fn load(mut service: Service) {
    let mut devices: Vec<_> = (0..=SENDERS).map(|_| Device::new(&service.address)).collect();
    let tokens: Vec<_> = devices.iter_mut().map(Device::register).collect();
    let group = devices[0].create_group(b"under load");
    devices[0].add(&group, 0, &devices[1..].iter().collect::<Vec<_>>());
    let mut reader = devices.pop().unwrap();
    let address = RwLock::new(service.address.clone());
    let connect =
        |number: usize| DeliveryClient::new(&address.read().unwrap()).with_token(tokens[number].clone());
    let stop = AtomicBool::new(false);

    let (sent, received) = thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS)
            .map(|number| {
                let (group, connect, stop) = (&group, &connect, &stop);
                scope.spawn(move || send(number, group, &|| connect(number), stop))
            })
            .collect();
        let reading = scope.spawn(|| read(&mut reader, &|| connect(SENDERS), &stop));
        for _ in 0..KILLS {
            thread::sleep(Duration::from_millis(400));
            service.restart();
            *address.write().unwrap() = service.address.clone();
        }
        stop.store(true, Ordering::Relaxed);
        let sent: Vec<_> = senders
            .into_iter()
            .flat_map(|sender| sender.join().unwrap())
            .collect();
        (sent, reading.join().unwrap())
    });

    assert!(sent.len() > KILLS, "there was hardly any load");
    let rest = {
        reader.client = connect(SENDERS);
        reader.take_all()
    };
    let mut places = BTreeMap::new();
    for delivery in received.into_iter().chain(rest) {
        // A page may be read twice, but a place never holds another message.
        let before = places.insert(delivery.position, delivery.bytes.clone());
        assert!(before.is_none_or(|before| before == delivery.bytes));
        assert!(delivery.kind != Kind::Welcome);
    }
    let all: BTreeSet<_> = places.values().collect();
    for message in &sent {
        assert!(all.contains(message), "an acknowledged message is gone");
    }
    // Each sender's messages came in its order.
    for number in 0..SENDERS {
        let tag = format!("sender {number}:");
        let numbers: Vec<_> = places
            .values()
            .filter_map(|bytes| number_of(bytes, &tag))
            .collect();
        let mut sorted = numbers.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(numbers, sorted, "sender {number}");
    }
}

fn number_of(message: &Bytes, tag: &str) -> Option<u64> {
    let text = String::from_utf8_lossy(&message.0).into_owned();
    text.split_once(tag)?.1.parse().ok()
}

/// Returns what was acknowledged.
fn send(number: usize, group: &Bytes, connect: &dyn Fn() -> DeliveryClient, stop: &AtomicBool) -> Vec<Bytes> {
    let (mut client, mut acknowledged, mut epoch, mut count) = (connect(), Vec::new(), 1, 0);
    while !stop.load(Ordering::Relaxed) {
        count += 1;
        let commits = count % 5 == 0;
        let content = format!("sender {number}:{count}");
        let kind = if commits {
            forged::COMMIT
        } else {
            forged::APPLICATION
        };
        let message = forged::private_message(&group.0, epoch, kind, content.as_bytes());
        let submit = commit(group, epoch, content.as_bytes());
        loop {
            let answer = if commits {
                client.submit(group, &submit)
            } else {
                client.send_message(group, &message)
            };
            match answer {
                Ok(accepted) => {
                    epoch = accepted.epoch;
                    acknowledged.push(Bytes(message));
                    break;
                }
                // The rival was first; the number is not used again.
                Err(DeliveryError::WrongEpoch { epoch: now }) => {
                    epoch = now;
                    break;
                }
                Err(DeliveryError::NoAnswer | DeliveryError::Wait) if stop.load(Ordering::Relaxed) => break,
                Err(DeliveryError::NoAnswer | DeliveryError::Wait) => {
                    thread::sleep(Duration::from_millis(20));
                    client = connect();
                }
                Err(other) => panic!("{other}"),
            }
        }
    }
    acknowledged
}

/// Reads on from the last page that it has, and acknowledges what it has.
fn read(
    reader: &mut Device,
    connect: &dyn Fn() -> DeliveryClient,
    stop: &AtomicBool,
) -> Vec<mls_delivery_client::wire::Delivery> {
    let mut all = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        match reader.client.read_queue(reader.cursor, 50, 1) {
            Ok(page) => {
                reader.cursor = page.cursor;
                all.extend(page.deliveries);
                // Unanswered or not: the next one acknowledges this too.
                let _ = reader.client.acknowledge(reader.cursor, 0);
            }
            Err(DeliveryError::NoAnswer | DeliveryError::Wait) => {
                thread::sleep(Duration::from_millis(20));
                reader.client = connect();
            }
            Err(other) => panic!("{other}"),
        }
    }
    all
}
