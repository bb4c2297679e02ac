//! One call, one fsync: counted at the kernel, in a child process that strace watches.

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
    mark("end");
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
    ] {
        assert_eq!(counts[call], fsyncs, "{call}");
    }
    // A batch pays for its transactions, which last 200 ms, not for its messages.
    assert!(counts["batch"] < 10, "{}", counts["batch"]);
}
