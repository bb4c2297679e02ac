//! Kills at any moment, inside SQLite and inside the operating system too: between two points there is much
//! that no point can be put into, such as the middle of COMMIT and of a checkpoint.

use std::{fs, path::Path, thread, time::Duration};

use mls_mobile::{GroupConfig, MlsGroup, ProcessedMessage};

use crate::{
    Dump,
    common::{KEY, template::open_at},
    peers,
    scenarios::{Scene, named_group},
    start,
};

pub const SCENARIO: &str = "whenever";

const KILLS: u64 = 40;
/// Messages of bob that wait for alice.
const HELLOS: usize = 20;

/// The child: sends, receives and commits until it is killed, and notes what was returned, as an app does
/// when it hands it to the network.
pub fn chat(folder: &Path) -> ! {
    let client = open_at(folder, KEY).unwrap();
    let group = client.group(named_group(folder, "main")).unwrap();
    // The parent reads the rest of the first epoch's messages in a later one.
    let config = GroupConfig {
        max_past_epochs: 32,
        ..GroupConfig::default()
    };
    group.configure(config).unwrap();
    let mut sent = 0;
    // Renamed when it is whole: a note that was half written had not been handed over.
    let write = |name: &str, bytes: &[u8]| {
        fs::write(folder.join("note"), bytes).unwrap();
        fs::rename(folder.join("note"), folder.join(name)).unwrap();
    };
    let mut note = |bytes: Vec<u8>| {
        write(&format!("sent-{sent:04}"), &bytes);
        sent += 1;
    };
    crate::child::say("returned 0");
    for round in 0.. {
        note(group.create_message(b"sent".to_vec(), Vec::new()).unwrap());
        if let Ok(hello) = fs::read(folder.join(format!("hello-{round}"))) {
            group.process_message(hello).unwrap();
            write("read", format!("{}", round + 1).as_bytes());
        }
        if round % 3 == 2 {
            // An erasure point, with a truncated log.
            note(group.self_update(None).unwrap().commit);
            group.merge_pending_commit().unwrap();
        }
    }
    std::process::exit(0)
}

#[test]
fn a_kill_at_any_moment_loses_nothing_that_was_returned_and_uses_no_key_twice() {
    let scene = Scene::of(SCENARIO);
    for kill in 0..KILLS {
        let [bob, carol] = [&scene.bob, &scene.carol].map(|template| template.device());
        let folder = scene.alice.copy();
        let main = named_group(folder.path(), "main");
        for number in 0..HELLOS {
            let hello = bob.send(&main, &format!("hello {number}"));
            fs::write(folder.path().join(format!("hello-{number}")), hello).unwrap();
        }
        let child = start(SCENARIO, folder.path(), 0);
        child.hear();
        // Steps that have nothing in common with the length of a call.
        thread::sleep(Duration::from_micros(1000 + kill * 1237));
        child.kill();

        let alice = open_at(folder.path(), KEY).unwrap();
        let group = alice.group(main.clone()).unwrap();
        assert_received(folder.path(), &Dump::of(&alice), &group);
        let mut sent = noted(folder.path());
        if let Some(pending) = group.pending_commit().unwrap() {
            // Kept by the library for the app that could not note it.
            if sent.last() != Some(&pending.commit) {
                sent.push(pending.commit);
            }
            group.merge_pending_commit().unwrap();
        }
        sent.push(group.create_message(b"back again".to_vec(), Vec::new()).unwrap());
        // Each message once, each Commit in its place.
        for message in &sent {
            for peer in [&bob, &carol] {
                let outcome = peer.receive(&main, message);
                let expected = matches!(
                    outcome,
                    ProcessedMessage::Application { .. } | ProcessedMessage::Commit { .. }
                );
                assert!(expected, "kill {kill}: {outcome:?}");
            }
        }
        drop((group, alice));
        let alice = scene.alice.open(folder, KEY).unwrap();
        peers::talk(&main, &alice, &[&alice, &bob, &carol]);
    }
}

/// What was read before the kill is in the inbox; what is not there can still be read, once.
fn assert_received(folder: &Path, dump: &Dump, group: &MlsGroup) {
    let read = fs::read_to_string(folder.join("read")).map_or(0, |text| text.parse().unwrap());
    let kept = dump.inbox.len();
    assert!(kept == read || kept == read + 1);
    for number in 0..HELLOS {
        let hello = fs::read(folder.join(format!("hello-{number}"))).unwrap();
        let outcome = group.process_message(hello).unwrap();
        let known = outcome == ProcessedMessage::Duplicate;
        assert_eq!(known, number < kept, "hello {number}: {outcome:?}");
    }
}

/// What the app had handed to the network, in order.
fn noted(folder: &Path) -> Vec<Vec<u8>> {
    (0..)
        .map_while(|number| fs::read(folder.join(format!("sent-{number:04}"))).ok())
        .collect()
}
