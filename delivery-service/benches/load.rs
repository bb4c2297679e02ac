//! What the service bears: a thousand connected devices, each in a group of ten, all with a request that waits.
//!
//! `cargo bench --bench load` prints a row for SQLite and, where PostgreSQL is installed, for one instance and for two. A
//! message is sent by one device and received, and acknowledged, by nine. Everything runs on this machine, the devices too:
//! a thread each, with the client that apps use. The descriptors of 1,000 sockets must be allowed (`ulimit -n 8192`).

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a bench prints and stops at the first failure"
)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::{
    fs,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    thread::{self, sleep},
    time::{Duration, Instant},
};

use common::{Service, device::Device, forged, postgres::Postgres};
use mls_delivery_client::{DeliveryError, wire::Bytes};

const DEVICES: usize = 1000;
const GROUP: usize = 10;
/// What the library makes of a short line of chat.
const MESSAGE: usize = 256;
/// Messages a second that a thousand people write who are all awake.
const STEADY: u32 = 20;
const STEADY_SENDERS: u32 = 10;
/// As many at once as there are messages under way when nobody holds back.
const FULL_SENDERS: u32 = 32;
const TIME: Duration = Duration::from_secs(30);

/// Devices and their groups, and what was sent and received so far.
struct Load {
    start: Instant,
    devices: Vec<Device>,
    groups: Vec<Bytes>,
    sent: AtomicUsize,
    received: AtomicUsize,
    ended: AtomicBool,
}

/// When a message was due, and when it was there; both since the start.
type Receipt = (Duration, Duration);

fn main() {
    println!(
        "| | p50, p99 at {STEADY} messages/s | at most: messages/s | receipts/s | p50, p99 then | memory, all waiting | at most |"
    );
    println!("|---|---|---|---|---|---|---|");
    let embedded = [metered(Service::start_with)];
    measure("SQLite", embedded);
    if let Some(postgres) = Postgres::start_durable() {
        measure(
            "PostgreSQL",
            [metered(|options| Service::on(&postgres.url(), options))],
        );
    }
    if let Some(postgres) = Postgres::start_durable() {
        let instance = || metered(|options| Service::on(&postgres.url(), options));
        measure("PostgreSQL, two instances", [instance(), instance()]);
    }
}

/// An instance with its metrics' address.
fn metered(start: impl Fn(&[&str]) -> Service) -> (Service, String) {
    let metrics = common::free_address();
    let service = start(&["--metrics", &metrics, "--clients-per-address", "4096"]);
    (service, metrics)
}

fn measure<const N: usize>(name: &str, mut instances: [(Service, String); N]) {
    let addresses: Vec<_> = instances
        .iter()
        .map(|(service, _)| service.address.clone())
        .collect();
    let load = Load::new(&addresses);
    let (receipts, [calm, hectic, over], memory) = thread::scope(|scope| {
        let readers: Vec<_> = load
            .devices
            .iter()
            .map(|device| scope.spawn(|| load.read(device)))
            .collect();
        let waiting =
            |(_, metrics): &(Service, String)| common::metric(metrics, "mls_delivery_waiting_devices");
        while instances.iter().map(waiting).sum::<u64>() < DEVICES as u64 {
            sleep(Duration::from_millis(100));
        }
        let idle: Vec<_> = instances
            .iter()
            .map(|(service, _)| memory(service, "VmRSS"))
            .collect();
        let calm = load.start.elapsed();
        load.send(STEADY_SENDERS, Some(STEADY));
        load.settle();
        let hectic = load.start.elapsed();
        load.send(FULL_SENDERS, None);
        let over = load.start.elapsed();
        load.settle();
        let peak: Vec<_> = instances
            .iter()
            .map(|(service, _)| memory(service, "VmHWM"))
            .collect();
        load.ended.store(true, Relaxed);
        instances.iter_mut().for_each(|(service, _)| service.kill());
        let receipts: Vec<Receipt> = readers
            .into_iter()
            .flat_map(|reader| reader.join().unwrap())
            .collect();
        (
            receipts,
            [calm, hectic, over],
            [idle.join(" + "), peak.join(" + ")],
        )
    });
    let due = |from, to| -> Vec<_> {
        let mut times: Vec<_> = receipts
            .iter()
            .filter(|(due, _)| (from..to).contains(due))
            .map(|(due, there)| there.saturating_sub(*due))
            .collect();
        times.sort();
        times
    };
    let (steady, full) = (due(calm, hectic), due(hectic, over));
    let each_second = |count: usize| count as f64 / TIME.as_secs_f64();
    let [idle, peak] = memory;
    println!(
        "| {name} | {} | {:.0} | {:.0} | {} | {idle} | {peak} |",
        show(&steady),
        each_second(full.len() / (GROUP - 1)),
        each_second(full.len()),
        show(&full),
    );
}

impl Load {
    fn new(addresses: &[String]) -> Self {
        let devices: Vec<Device> = (0..DEVICES)
            .map(|number| Device::new(&addresses[number % addresses.len()]))
            .collect();
        let groups = devices.chunks(GROUP).map(|members| {
            let group = members[0].create_group(&members[0].id.0);
            members[0].add(&group, 0, &members[1..].iter().collect::<Vec<_>>());
            group
        });
        Self {
            start: Instant::now(),
            groups: groups.collect(),
            devices,
            sent: AtomicUsize::new(0),
            received: AtomicUsize::new(0),
            ended: AtomicBool::new(false),
        }
    }

    /// As an app in the foreground: waits, takes what comes, acknowledges.
    fn read(&self, device: &Device) -> Vec<Receipt> {
        let (mut receipts, mut cursor) = (Vec::new(), 0);
        loop {
            let page = match device.client.read_queue(cursor, 100, 50) {
                Ok(page) => page,
                Err(DeliveryError::Wait) => continue,
                Err(_) if self.ended.load(Relaxed) => return receipts,
                Err(error) => panic!("{error}"),
            };
            let there = self.start.elapsed();
            let stamps = page
                .deliveries
                .iter()
                .filter_map(|delivery| stamp(&delivery.bytes.0));
            let before = receipts.len();
            receipts.extend(stamps.map(|due| (due, there)));
            self.received.fetch_add(receipts.len() - before, Relaxed);
            cursor = page.cursor;
            let acknowledge = || device.client.acknowledge(cursor, 0).is_err() && !self.ended.load(Relaxed);
            while !page.deliveries.is_empty() && acknowledge() {}
        }
    }

    /// Sends for a while: so many messages a second, or the next as soon as the last is accepted.
    fn send(&self, senders: u32, rate: Option<u32>) {
        let (begin, step) = (
            self.start.elapsed(),
            rate.map(|rate| Duration::from_secs(1) / rate),
        );
        let send = |sender: u32| {
            for number in (sender..).step_by(senders as usize) {
                // A message that is sent late counts from when it was due.
                let due = step.map_or_else(|| self.start.elapsed(), |step| begin + step * number);
                if due > begin + TIME {
                    return;
                }
                sleep(due.saturating_sub(self.start.elapsed()));
                let device = number as usize * 7 % DEVICES;
                self.say(device, due);
            }
        };
        thread::scope(|scope| {
            for sender in 0..senders {
                scope.spawn(move || send(sender));
            }
        });
    }

    fn say(&self, device: usize, due: Duration) {
        let mut content = due.as_nanos().to_be_bytes().to_vec();
        content.extend((device as u64).to_be_bytes());
        content.resize(MESSAGE, 0);
        let group = &self.groups[device / GROUP];
        let message = forged::private_message(&group.0, 1, forged::APPLICATION, &content);
        while let Err(error) = self.devices[device].client.send_message(group, &message) {
            assert!(matches!(error, DeliveryError::Wait), "{error}");
        }
        self.sent.fetch_add(1, Relaxed);
    }

    /// Until everything has arrived.
    fn settle(&self) {
        while self.received.load(Relaxed) < self.sent.load(Relaxed) * (GROUP - 1) {
            sleep(Duration::from_millis(100));
        }
    }
}

/// When a message was due; `None` for what made the groups.
fn stamp(message: &[u8]) -> Option<Duration> {
    let content = message.split_at_checked(message.len().checked_sub(MESSAGE)?)?.1;
    let nanoseconds = u128::from_be_bytes(content[..16].try_into().unwrap());
    Some(Duration::from_nanos(nanoseconds.try_into().ok()?))
}

fn show(times: &[Duration]) -> String {
    let part = |of_hundred: usize| times[(times.len() - 1) * of_hundred / 100].as_secs_f64() * 1000.0;
    format!("{:.0} ms, {:.0} ms", part(50), part(99))
}

/// What Linux says of the instance.
fn memory(service: &Service, what: &str) -> String {
    let status = fs::read_to_string(format!("/proc/{}/status", service.pid())).unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(what)?.strip_prefix(':'));
    let kilobytes: Option<u64> = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kilobytes.map_or("unknown".to_owned(), |kilobytes| {
        format!("{} MiB", kilobytes / 1024)
    })
}
