//! App and extension: several processes with one database file.
//!
//! A child is this executable started again with a role; the peer, bob, lives in the parent on a file of his own.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use common::{
    Device, KEY, SUITE, assert_agree, basic,
    child::{self, Child},
    group_of,
    template::{Template, database, open_at, scratch},
};
use mls_mobile::{
    BatchOutcome, CallbackError, ClientConfig, CredentialValidator, GroupConfig, GroupId, IncomingMessage,
    MlsClient, MlsError, MlsGroup, ProcessedMessage, ValidationRequest,
};

const PROCESSES: usize = 4;
/// Of each process in each of the two groups.
const SENDS: usize = 125;

/// Alice's closed database, shared by the children, and bob. They have two groups, named by files in the folder.
struct Shared {
    alice: Template,
    folder: tempfile::TempDir,
    bob: Device,
    groups: [GroupId; 2],
}

impl Shared {
    fn new() -> Self {
        let (alice, bob) = (Device::new("alice"), Device::new("bob"));
        let groups = [(); 2].map(|()| group_of(&[&alice, &bob]));
        for id in &groups {
            for device in [&alice, &bob] {
                // Messages of several processes are read in another order than they were made in.
                let config = GroupConfig {
                    out_of_order_tolerance: 4096,
                    max_past_epochs: 32,
                    ..GroupConfig::default()
                };
                device.group(id).configure(config).unwrap();
            }
        }
        let alice = Template::new(alice);
        alice.put("group-0", &groups[0].0);
        alice.put("group-1", &groups[1].0);
        let folder = alice.copy();
        Self {
            alice,
            folder,
            bob,
            groups,
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path().join(name), bytes).unwrap();
    }

    fn start(&self, role: &str, number: usize) -> Child {
        start(role, self.path(), number)
    }
}

fn start(role: &str, folder: &Path, number: usize) -> Child {
    let arguments = [
        ("MLS_ROLE", role),
        ("MLS_FOLDER", folder.to_str().unwrap()),
        ("MLS_NUMBER", &number.to_string()),
    ];
    Child::start("child", &arguments)
}

#[test]
#[ignore = "a child process of the other tests"]
fn child() {
    let Some(role) = child::argument("MLS_ROLE") else {
        return;
    };
    let folder = PathBuf::from(child::argument("MLS_FOLDER").unwrap());
    let number = child::argument("MLS_NUMBER").unwrap().parse().unwrap();
    match role.as_str() {
        "talk" => talk(&folder, number),
        "follow" => follow(&folder),
        "hold" => hold(&folder),
        "batch" => batch(&folder),
        "create" => create(&folder, number),
        _ => panic!("{role}?"),
    }
}

fn groups(client: &MlsClient, folder: &Path) -> [Arc<MlsGroup>; 2] {
    ["group-0", "group-1"].map(|name| {
        client
            .group(GroupId(fs::read(folder.join(name)).unwrap()))
            .unwrap()
    })
}

#[test]
fn thousands_of_interleaved_calls_of_four_processes_lose_nothing_and_use_no_key_twice() {
    let shared = Shared::new();
    let bob = &shared.bob;
    for process in 0..PROCESSES {
        for (group, id) in shared.groups.iter().enumerate() {
            for number in 0..SENDS {
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
            for number in 0..=SENDS {
                let path = shared.path().join(format!("out-{process}-{group}-{number}"));
                let bytes = fs::read(path).unwrap();
                let info = bob.client().message_info(bytes.clone()).unwrap();
                let is_commit = info.kind == mls_mobile::MessageKind::Commit;
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
    assert_eq!((texts.len(), commits), (PROCESSES * 2 * SENDS, PROCESSES * 2));

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
        (PROCESSES * 2 * SENDS, PROCESSES * 2 * SENDS)
    );
    for id in &shared.groups {
        assert_agree(id, &[&alice, bob]);
        assert_eq!(alice.read(id, &bob.send(id, "still here")), "still here");
        assert_eq!(bob.read(id, &alice.send(id, "me too")), "me too");
    }
}

/// Sends and receives in turn in both groups, and commits once in each.
fn talk(folder: &Path, process: usize) {
    let client = open_at(folder, KEY).unwrap();
    let groups = groups(&client, folder);
    child::say("ready");
    child::wait();
    let (mut epochs, mut generation) = ([0; 2], 0);
    for number in 0..SENDS {
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
            if number == SENDS / (process + 2) {
                fs::write(out(SENDS), commit(group)).unwrap();
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

/// A Commit of this process; another's may be pending in between.
fn commit(group: &MlsGroup) -> Vec<u8> {
    loop {
        match group.self_update(None) {
            Ok(bundle) => {
                group.merge_pending_commit().unwrap();
                return bundle.commit;
            }
            Err(MlsError::PendingCommitExists) => thread::sleep(Duration::from_millis(1)),
            Err(error) => panic!("{error}"),
        }
    }
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
fn follow(folder: &Path) {
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
fn a_call_waits_for_another_process_as_long_as_configured_and_no_less() {
    let shared = Shared::new();
    let mut other = shared.start("hold", 0);
    let [hasty, patient] = [200, 5000].map(|busy_timeout_ms| {
        let config = ClientConfig {
            busy_timeout_ms,
            ..ClientConfig::new(database(shared.path()), KEY)
        };
        let client = MlsClient::open(config, None, None).unwrap();
        let [group, _] = groups(&client, shared.path());
        group
    });
    other.release();
    assert_eq!(other.hear(), "held");
    let began = Instant::now();
    let error = hasty.create_message(b"now".to_vec(), Vec::new()).unwrap_err();
    assert_eq!(error, MlsError::StorageBusy);
    assert!(began.elapsed() >= Duration::from_millis(200));
    // Who only reads does not wait.
    hasty.info().unwrap();

    let waiting = thread::spawn(move || patient.create_message(b"later".to_vec(), Vec::new()));
    thread::sleep(Duration::from_millis(800));
    other.release();
    let message = waiting.join().unwrap().unwrap();
    assert_eq!(shared.bob.read(&shared.groups[0], &message), "later");
    let message = hasty.create_message(b"now".to_vec(), Vec::new()).unwrap();
    assert_eq!(shared.bob.read(&shared.groups[0], &message), "now");
}

/// Another program, or a process that hangs: has the write lock until it is told to let go.
fn hold(folder: &Path) {
    child::wait();
    let connection = rusqlite::Connection::open(database(folder)).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    child::say("held");
    child::wait();
    connection.execute_batch("COMMIT").unwrap();
}

/// Makes each message of a batch take its time, however fast the machine is.
struct Slow;

const SLOW: Duration = Duration::from_millis(60);
const COMMITS: usize = 30;

impl CredentialValidator for Slow {
    fn validate(&self, _request: ValidationRequest) -> Result<bool, CallbackError> {
        thread::sleep(SLOW);
        Ok(true)
    }
}

#[test]
fn a_long_batch_lets_the_calls_of_another_process_in() {
    let shared = Shared::new();
    let [first, second] = &shared.groups;
    for number in 0..COMMITS {
        let commit = commit(&shared.bob.group(first));
        shared.put(&format!("in-{number}"), &commit);
    }
    let config = ClientConfig {
        busy_timeout_ms: 400,
        ..ClientConfig::new(database(shared.path()), KEY)
    };
    let client = MlsClient::open(config, None, None).unwrap();
    let group = client.group(second.clone()).unwrap();
    let other = shared.start("batch", 0);
    assert_eq!(other.hear(), "started");
    let reading = thread::spawn(move || other.hear());
    let mut during = 0;
    while !reading.is_finished() {
        let message = group.create_message(b"in between".to_vec(), Vec::new()).unwrap();
        assert_eq!(shared.bob.read(second, &message), "in between");
        during += 1;
        // Long enough for the batch to take the lock again.
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(reading.join().unwrap(), "done");
    // The batch takes 1.8 s at least, and ends a transaction every quarter of a second.
    assert!(during >= 4, "{during} calls");
    assert_eq!(
        client
            .group(first.clone())
            .unwrap()
            .epoch_authenticator()
            .unwrap(),
        shared.bob.authenticator(first)
    );
}

/// Processes the Commits in one call.
fn batch(folder: &Path) {
    let config = ClientConfig::new(database(folder), KEY);
    let client = MlsClient::open(config, Some(Arc::new(Slow)), None).unwrap();
    let messages = (0..COMMITS).map(|number| IncomingMessage {
        bytes: fs::read(folder.join(format!("in-{number}"))).unwrap(),
        cursor: None,
    });
    child::say("started");
    let batch = client.process_messages(messages.collect(), None).unwrap();
    assert_eq!((batch.outcomes.len(), batch.stopped_at), (COMMITS, None));
    for outcome in &batch.outcomes {
        let BatchOutcome::Processed { outcome, .. } = outcome else {
            panic!("{outcome:?}")
        };
        assert!(matches!(outcome, ProcessedMessage::Commit { .. }), "{outcome:?}");
    }
    child::say("done");
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
fn create(folder: &Path, process: usize) {
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
