//! Queues: cursors, acknowledgements, waiting, and what does not fit.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use std::{thread, time::Duration};

use common::{Service, device::Device, execute, free_address, metric, postgres::Postgres, sqlite};
use mls_delivery_client::{
    DeliveryClient, DeliveryError,
    wire::{Bytes, Kind},
};

fn pair(first: &Service, second: &Service) -> ([Device; 2], Bytes) {
    let devices = [first, second].map(|service| Device::new(&service.address));
    let group = devices[0].create_group(&devices[0].id.0);
    devices[0].add(&group, 0, &[&devices[1]]);
    (devices, group)
}

#[test]
fn what_is_not_acknowledged_is_read_again_and_what_is_acknowledged_is_gone() {
    let mut service = Service::start();
    let ([sender, reader], group) = pair(&service, &service);
    for number in 0..10 {
        sender.say(&group, 1, &[number]);
    }
    let first = reader.client.read_queue(0, 4, 0).unwrap();
    assert_eq!(first.deliveries.len(), 4);
    assert_eq!(reader.client.read_queue(0, 4, 0).unwrap(), first);
    reader.client.acknowledge(first.cursor, 0).unwrap();
    reader.client.acknowledge(first.cursor, 0).unwrap();
    let rest = reader.client.read_queue(0, 100, 0).unwrap();
    assert_eq!(rest.deliveries.len(), 6);
    assert!(
        rest.deliveries
            .iter()
            .all(|delivery| delivery.position > first.cursor)
    );
    assert_eq!(reader.client.read_queue(first.cursor, 100, 0).unwrap(), rest);
    assert!(
        reader.client.acknowledge(rest.cursor + 1, 0).is_err(),
        "nobody acknowledges what is to come"
    );
    assert!(reader.client.read_queue(rest.cursor + 1, 1, 0).is_err());
    service.kill();
}

#[test]
fn a_page_stays_within_its_bytes_and_goes_on_with_the_next() {
    let service = Service::start();
    let ([sender, mut reader], group) = pair(&service, &service);
    for number in 0..5 {
        sender.say(&group, 1, &vec![number; 2 << 20]);
    }
    assert_eq!(reader.client.read_queue(0, 100, 0).unwrap().deliveries.len(), 1);
    assert_eq!(reader.take_all().len(), 5);
}

#[test]
fn who_waits_is_told_of_a_message_on_the_same_and_on_another_instance() {
    let addresses = [(); 3].map(|()| free_address());
    let [embedded, first, second] = addresses.each_ref().map(|address| ["--metrics", address]);
    let service = Service::start_with(&embedded);
    tells(&service, &service, &addresses[0]);
    let Some(postgres) = Postgres::start() else { return };
    let instances = [first, second].map(|metrics| Service::on(&postgres.url(), &metrics));
    tells(&instances[0], &instances[0], &addresses[1]);
    tells(&instances[0], &instances[1], &addresses[2]);
}

/// A wait also looks by itself now and then; here that must not have been what found the message.
fn tells(senders: &Service, readers: &Service, metrics: &str) {
    let ([sender, mut reader], group) = pair(senders, readers);
    let ended = |how| metric(metrics, &format!("mls_delivery_waits_total{{end=\"{how}\"}}"));
    // The message may be there at the first look, and then nobody has waited; but not for ever.
    for number in 0..100 {
        thread::scope(|scope| {
            let waiting = scope.spawn(|| reader.client.read_queue(reader.cursor, 10, 50).unwrap());
            while metric(metrics, "mls_delivery_waiting_devices") == 0 {
                thread::sleep(Duration::from_millis(5));
            }
            sender.say(&group, 1, &[number]);
            assert_eq!(waiting.join().unwrap().deliveries.len(), 1);
        });
        reader.take_all();
        if ended("told") + ended("looked") > 0 {
            break;
        }
    }
    assert_eq!((ended("told"), ended("looked")), (1, 0));
}

#[test]
fn a_device_that_never_reads_misses_what_does_not_fit_and_is_told_and_holds_up_nobody() {
    let service = Service::start_with(&["--queue", "5"]);
    let ([sender, mut reader], group) = pair(&service, &service);
    for number in 0..8 {
        sender.say(&group, 1, &[number]);
    }
    let page = reader.client.read_queue(0, 100, 0).unwrap();
    assert_eq!((page.deliveries.len(), page.missed), (5, 3));
    assert_eq!(reader.take_all().len(), 5);
    sender.say(&group, 1, b"room again");
    let page = reader.client.read_queue(reader.cursor, 100, 0).unwrap();
    assert_eq!((page.deliveries.len(), page.missed), (1, 0));
}

#[test]
fn messages_that_are_too_old_are_deleted_and_counted_as_missed() {
    let mut service = Service::start();
    let ([sender, mut reader], group) = pair(&service, &service);
    sender.say(&group, 1, b"old");
    sender.say(&group, 1, b"older");
    service.kill();
    execute(&sqlite(service.folder()), "UPDATE message SET created = 1");
    service.restart();
    reader.client = DeliveryClient::new(&service.address);
    reader.register();
    // The first sweep is at the start, beside the first requests.
    let missed = (0..100).any(|_| {
        thread::sleep(Duration::from_millis(50));
        let page = reader.client.read_queue(0, 100, 0).unwrap();
        page.deliveries.is_empty() && page.missed == 2
    });
    assert!(missed);
    assert!(reader.take_all().is_empty());
}

#[test]
fn welcomes_reach_the_added_devices_only_and_unknown_ones_are_named() {
    let service = Service::start();
    let mut devices = [0, 1, 2].map(|_| Device::new(&service.address));
    let group = devices[0].create_group(b"welcomes");
    devices[0].add(&group, 0, &[&devices[1]]);
    let mut submit = common::device::commit(&group, 1, b"adds");
    let nobody = Bytes(vec![9; 32]);
    submit.added = vec![devices[2].id.clone(), nobody.clone()];
    submit.welcome = Some(Bytes(b"no Welcome".to_vec()));
    let refused = devices[0].client.submit(&group, &submit);
    assert!(matches!(refused, Err(DeliveryError::Refused { code }) if code == "invalid_message"));
    submit.welcome = Some(Bytes(common::forged::welcome()));
    let accepted = devices[0].client.submit(&group, &submit).unwrap();
    assert_eq!(accepted.unknown_devices, [nobody]);
    let kinds = |device: &mut Device| {
        device
            .take_all()
            .iter()
            .map(|delivery| delivery.kind)
            .collect::<Vec<_>>()
    };
    assert_eq!(kinds(&mut devices[1]), [Kind::Commit]);
    assert_eq!(kinds(&mut devices[2]), [Kind::Welcome]);
    assert_eq!(kinds(&mut devices[0]), []);
}

#[test]
fn a_device_that_is_deleted_is_gone_from_groups_and_its_messages_with_it() {
    let service = Service::start();
    let ([sender, reader], group) = pair(&service, &service);
    sender.say(&group, 1, b"for nobody");
    reader.client.delete_device().unwrap();
    assert_eq!(
        sender.client.group(&group).unwrap().devices,
        std::slice::from_ref(&sender.id)
    );
    assert!(matches!(
        reader.client.read_queue(0, 1, 0),
        Err(DeliveryError::Unauthorized)
    ));
    sender.client.leave(&group).unwrap();
    // Its last device is gone, so another group may have the id.
    sender.create_group(&group.0);
}
