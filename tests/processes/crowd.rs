//! Many calls of many processes at once: nothing lost, nothing used twice, nothing stale.

use std::{collections::BTreeSet, fs, path::Path};

use mls_mobile::{MessageKind, ProcessedMessage};

use crate::{
    PROCESSES, Shared, commit,
    common::{
        KEY, SUITE, assert_agree, basic,
        child::{self, Child},
        template::{open_at, scratch},
    },
    groups, start,
};

/// Messages that each process sends, and receives, in each of the two groups.
const EACH: usize = 125;

#[test]
fn thousands_of_interleaved_calls_of_four_processes_lose_nothing_and_use_no_key_twice() {
    let shared = Shared::new();
    let bob = &shared.bob;
    for process in 0..PROCESSES {
        for (group, id) in shared.groups.iter().enumerate() {
            for number in 0..EACH {
                let text = format!("bob to {process}: {group}.{number}");
                shared.put(&format!("in-{process}-{group}-{number}"), &bob.send(id, &text));
            }
        }
    }
    let mut children: Vec<_> = (0..PROCESSES)
        .map(|number| shared.start("talk", number))
        .collect();
    for child in &children {
        assert_eq!(child.hear(), "ready");
    }
    children.iter_mut().for_each(Child::release);
    for child in children {
        assert_eq!(child.hear(), "done");
        child.finish();
    }

    // What was sent, in the order in which a delivery service may hand it out: a Commit ends its epoch.
    let mut sent = Vec::new();
    for process in 0..PROCESSES {
        for group in 0..2 {
            for number in 0..=EACH {
                let path = shared.path().join(format!("out-{process}-{group}-{number}"));
                let bytes = fs::read(path).unwrap();
                let info = bob.client().message_info(bytes.clone()).unwrap();
                let is_commit = info.kind == MessageKind::Commit;
                sent.push((group, info.epoch.unwrap(), is_commit, bytes));
            }
        }
    }
    sent.sort_by_key(|(group, epoch, is_commit, _)| (*group, *epoch, *is_commit));
    let mut texts = BTreeSet::new();
    let mut commits = 0;
    for (group, _, _, bytes) in &sent {
        match bob.receive(&shared.groups[*group], bytes) {
            ProcessedMessage::Application { plaintext, .. } => {
                texts.insert(plaintext);
            }
            ProcessedMessage::Commit { .. } => commits += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((texts.len(), commits), (PROCESSES * 2 * EACH, PROCESSES * 2));

    // Alice has all of bob's, each once, with ids in order.
    let alice = shared.alice.open(shared.folder, KEY).unwrap();
    let inbox = alice.client().inbox(10_000).unwrap();
    assert!(inbox.is_sorted_by(|one, next| one.id < next.id));
    let received: BTreeSet<_> = inbox
        .iter()
        .map(|entry| match &entry.outcome {
            ProcessedMessage::Application { plaintext, .. } => plaintext.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        (inbox.len(), received.len()),
        (PROCESSES * 2 * EACH, PROCESSES * 2 * EACH)
    );
    for id in &shared.groups {
        assert_agree(id, &[&alice, bob]);
        assert_eq!(alice.read(id, &bob.send(id, "still here")), "still here");
        assert_eq!(bob.read(id, &alice.send(id, "me too")), "me too");
    }
}

/// Sends and receives in turn in both groups, and commits once in each.
pub fn talk(folder: &Path, process: usize) {
    let client = open_at(folder, KEY).unwrap();
    let groups = groups(&client, folder);
    child::say("ready");
    child::wait();
    let (mut epochs, mut generation) = ([0; 2], 0);
    for number in 0..EACH {
        for (index, group) in groups.iter().enumerate() {
            let out = |number: usize| folder.join(format!("out-{process}-{index}-{number}"));
            let text = format!("{process} to bob: {index}.{number}");
            let message = group.create_message(text.into_bytes(), Vec::new()).unwrap();
            fs::write(out(number), message).unwrap();

            let message = fs::read(folder.join(format!("in-{process}-{index}-{number}"))).unwrap();
            match group.process_message(message).unwrap() {
                ProcessedMessage::Application { plaintext, .. } => {
                    let expected = format!("bob to {process}: {index}.{number}");
                    assert_eq!(plaintext, expected.into_bytes());
                }
                other => panic!("{other:?}"),
            }
            if number == EACH / (process + 2) {
                fs::write(out(EACH), commit(group)).unwrap();
            }
            // What one has seen never goes back.
            let epoch = group.info().unwrap().epoch;
            assert!(epoch >= epochs[index]);
            epochs[index] = epoch;
            let now = client.storage_info().unwrap().generation;
            assert!(now > generation);
            generation = now;
        }
    }
    child::say("done");
}

#[test]
fn a_process_sees_at_once_what_another_has_committed() {
    let shared = Shared::new();
    let mut other = shared.start("follow", 0);
    let client = open_at(shared.path(), KEY).unwrap();
    let [group, _] = groups(&client, shared.path());
    for _ in 0..20 {
        // Both read, so that both have the group in memory; then each of them changes it in turn.
        other.release();
        let theirs = other.hear();
        assert_eq!(format!("{:?}", group.info().unwrap()), theirs);
        commit(&group);
        let ours = format!("{:?}", group.info().unwrap());
        other.release();
        assert_eq!(other.hear(), ours);
    }
}

/// When it is told: changes the group and says what it sees; when it is told again, only says it.
pub fn follow(folder: &Path) {
    let client = open_at(folder, KEY).unwrap();
    let [group, _] = groups(&client, folder);
    loop {
        child::wait();
        commit(&group);
        child::say(&format!("{:?}", group.info().unwrap()));
        child::wait();
        child::say(&format!("{:?}", group.info().unwrap()));
    }
}

#[test]
fn processes_that_create_open_and_close_a_database_at_once_all_get_it() {
    let folder = scratch();
    for round in 0..20 {
        let folder = folder.path().join(round.to_string());
        fs::create_dir(&folder).unwrap();
        let mut children: Vec<_> = (0..PROCESSES)
            .map(|number| start("create", &folder, number))
            .collect();
        for child in &children {
            assert_eq!(child.hear(), "ready");
        }
        children.iter_mut().for_each(Child::release);
        for child in children {
            assert_eq!(child.hear(), "done");
            child.finish();
        }
        let client = open_at(&folder, KEY).unwrap();
        assert_eq!(client.identities().unwrap().len(), PROCESSES * OPENINGS);
    }
}

const OPENINGS: usize = 5;

/// The last to close removes the log, while another may be opening.
pub fn create(folder: &Path, process: usize) {
    child::say("ready");
    child::wait();
    for number in 0..OPENINGS {
        let client = open_at(folder, KEY).unwrap();
        client.storage_info().unwrap();
        let name = format!("{process}.{number}");
        client.create_identity(basic(&name), SUITE).unwrap();
        client.identities().unwrap();
    }
    child::say("done");
}
