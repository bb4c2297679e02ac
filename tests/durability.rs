//! One call, one fsync: counted at the kernel, in a child process that strace watches. And what a call writes to the log,
//! which is the same bytes each time.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "test code that says what it counted or skipped"
)]

mod common;

use std::{
    collections::BTreeMap,
    fs,
    process::{Command, Stdio},
};

use common::{Device, group_of};

/// Opening a file below this folder, which does not exist, marks a place in the trace.
const MARK: &str = "/mls-mobile-mark/";

fn mark(name: &str) {
    assert!(fs::File::open(format!("{MARK}{name}")).is_err());
}

/// The calls that are counted, each between two marks.
#[test]
#[ignore = "a child of the test below"]
fn child() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let (alices, bobs) = (alice.group(&id), bob.group(&id));
    bobs.process_message(alice.send(&id, "warm")).unwrap();
    let (first, second) = (alice.send(&id, "first"), alice.send(&id, "second"));
    let mut damaged = second.clone();
    *damaged.last_mut().unwrap() ^= 1;
    mark("create_message");
    alices.create_message(vec![7; 1024], vec![]).unwrap();
    mark("process_message");
    bobs.process_message(first.clone()).unwrap();
    mark("duplicate");
    bobs.process_message(first).unwrap();
    mark("suspicious");
    assert!(bobs.process_message(damaged.clone()).is_err());
    mark("refused");
    assert!(bobs.process_message(damaged).is_err());
    mark("reads");
    bobs.info().unwrap();
    bobs.members().unwrap();
    bob.client().inbox(10).unwrap();
    mark("self_update");
    let update = alices.self_update(None).unwrap();
    mark("merge_pending_commit");
    alices.merge_pending_commit().unwrap();
    mark("process_commit");
    bobs.process_message(update.commit).unwrap();
    mark("message_after_erasure");
    alices.create_message(vec![7; 1024], vec![]).unwrap();
    mark("next_update");
    let update = alices.self_update(None).unwrap();
    alices.merge_pending_commit().unwrap();
    mark("commit_after_erasure");
    bobs.process_message(update.commit).unwrap();
    mark("batch_of_50");
    let messages = (0..50)
        .map(|n| common::incoming(&alice.send(&id, "x"), n))
        .collect();
    mark("batch");
    bob.client().process_messages(messages, None).unwrap();
    mark("pages_in_the_log");
    // An erasure point, so that none is due for the number of changes.
    alices.self_update(None).unwrap();
    alices.merge_pending_commit().unwrap();
    // More than the 1000 pages after which SQLite checkpoints by itself, unless it is told not to.
    for _ in 0..14 {
        key_packages(&alice);
    }
    mark("message_after_many_pages");
    alices.create_message(vec![7; 1024], vec![]).unwrap();
    mark("end");
}

fn key_packages(device: &Device) {
    device
        .client()
        .create_key_packages(device.identity.clone(), 100, None)
        .unwrap();
}

/// How much longer `call` makes a device's log.
fn logged(device: &Device, call: impl FnOnce()) -> u64 {
    let bytes = || device.client().storage_info().unwrap().wal_bytes;
    let before = bytes();
    call();
    bytes() - before
}

/// A page of a new file and its header in the log.
const PAGE: u64 = 2048 + 24;

#[test]
fn a_message_logs_as_much_in_a_large_group_as_in_a_small_one() {
    for members in [2, 60] {
        let (alice, bob, others) = (Device::new("alice"), Device::new("bob"), Device::new("others"));
        let id = group_of(&[&alice, &bob]);
        let further = (2..members).map(|n| {
            let identity = others
                .client()
                .create_identity(common::basic(&n.to_string()), common::SUITE);
            let made = others.client().create_key_packages(identity.unwrap().id, 1, None);
            made.unwrap().remove(0).bytes
        });
        let further: Vec<_> = further.collect();
        if !further.is_empty() {
            let commit = alice.group(&id).add_members(further).unwrap();
            common::deliver(&id, &alice, &commit, &[&bob]);
        }
        let send = || alice.group(&id).create_message(vec![7; 1024], vec![]).unwrap();
        // The first message after an erasure point writes the log's own header too.
        bob.receive(&id, &send());
        let acknowledge = || {
            let ids = bob.client().inbox(100).unwrap().into_iter().map(|entry| entry.id);
            bob.client().acknowledge(ids.collect()).unwrap();
        };
        acknowledge();
        for _ in 0..20 {
            let mut message = Vec::new();
            // What the message changed of the secrets, and the generation.
            let sent = logged(&alice, || message = send());
            assert_eq!(sent, 2 * PAGE, "sent among {members}");
            // The same of the secrets, and the inbox entry, which is the generation too.
            let received = logged(&bob, || drop(bob.receive(&id, &message)));
            assert_eq!(received, 2 * PAGE, "received among {members}");
            acknowledge();
        }
        // Entries of an app that acknowledges none take pages of their own, and change the one above them and the
        // first of the file; the first two make the one above.
        let unread = |_| {
            let message = send();
            logged(&bob, || drop(bob.receive(&id, &message)))
        };
        let written: u64 = (0..15).map(unread).sum();
        assert!(written <= (15 * 4 + 1) * PAGE, "{written} among {members}");
    }
}

#[test]
fn the_log_is_bounded_between_erasure_points() {
    let alice = Device::new("alice");
    let (mut largest, mut truncated) = (0, 0);
    // Fewer calls than those after which there is an erasure point whatever they write.
    for _ in 0..60 {
        let before = alice.client().storage_info().unwrap().wal_bytes;
        key_packages(&alice);
        let after = alice.client().storage_info().unwrap().wal_bytes;
        largest = largest.max(after);
        truncated += u32::from(after < before);
    }
    assert!(largest < 4 << 20, "{largest}");
    assert!((1..4).contains(&truncated), "{truncated}");
}

#[test]
fn a_call_pays_one_fsync_and_an_erasure_point_two_more() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let strace = Command::new("strace")
        .args([
            "-f",
            "-e",
            "trace=fsync,fdatasync,openat",
            "-o",
            trace.to_str().unwrap(),
        ])
        .arg(std::env::current_exe().unwrap())
        .args(["child", "--exact", "--ignored"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let Ok(status) = strace else {
        println!("skipped: strace is not installed");
        return;
    };
    if !status.success() && !fs::read_to_string(&trace).unwrap_or_default().contains(MARK) {
        println!("skipped: strace may not trace here");
        return;
    }
    assert!(status.success());

    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    let mut current = String::from("before");
    for line in fs::read_to_string(&trace).unwrap().lines() {
        if let Some((_, rest)) = line.split_once(MARK) {
            current = rest.split('"').next().unwrap().to_owned();
            counts.entry(current.clone()).or_default();
        } else if line.contains("sync(") {
            *counts.entry(current.clone()).or_default() += 1;
        }
    }
    println!("fsyncs: {counts:?}");
    for (call, fsyncs) in [
        ("create_message", 1),
        ("process_message", 1),
        ("duplicate", 0),
        // The first that does not decrypt raises the suspicion of a fork; it is stored once.
        ("suspicious", 1),
        ("refused", 0),
        ("reads", 0),
        ("self_update", 1),
        // The commit, then the log into the file and the file to the disk, so that the log can be truncated.
        ("merge_pending_commit", 3),
        ("process_commit", 3),
        // The first to write after an erasure point begins a log anew, whose header SQLite syncs by itself.
        ("message_after_erasure", 2),
        ("commit_after_erasure", 4),
        ("message_after_many_pages", 1),
    ] {
        assert_eq!(counts[call], fsyncs, "{call}");
    }
    // A batch pays for its transactions, which last 200 ms, not for its messages.
    assert!(counts["batch"] < 10, "{}", counts["batch"]);
}
