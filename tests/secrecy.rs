//! What must not be seen: in the log, in errors, and in the bytes of the files.
//!
//! Every secret and every name of this scenario is a canary: a text or a key that occurs nowhere else.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex},
};

use common::SUITE;
use mls_mobile::{
    CallbackError, ClientConfig, Credential, GroupConfig, GroupId, IdentityId, LogField, LogLevel, LogSink,
    MlsClient, MlsError, MlsGroup,
};
use tempfile::TempDir;

const KEY: [u8; 32] = *b"canary-key-0123456789-abcdefghij";
const PLAINTEXT: &str = "canary plaintext: the meeting is at noon";
const DATA: &str = "canary authenticated data";
const GROUP: &str = "canary-group-id";
const NAMES: [&str; 2] = ["canary-credential-alice", "canary-credential-bob"];

/// Keeps every line, and fails: a log that fails must not make a call fail.
#[derive(Default)]
struct Recorder(Mutex<Vec<String>>);

impl LogSink for Recorder {
    fn log(&self, level: LogLevel, event: String, fields: Vec<LogField>) -> Result<(), CallbackError> {
        self.0
            .lock()
            .unwrap()
            .push(format!("{level:?} {event} {fields:?}"));
        Err(CallbackError::Failed)
    }
}

/// Bytes that must not be found, with a name for the message.
type Canaries = Vec<(&'static str, Vec<u8>)>;

struct Phone {
    folder: TempDir,
    client: Arc<MlsClient>,
    identity: IdentityId,
    log: Arc<Recorder>,
}

impl Phone {
    fn new(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = Arc::new(Recorder::default());
        let path = folder.path().join("mls.db");
        let config = ClientConfig::new(path.to_str().unwrap(), KEY);
        let client = MlsClient::open(config, None, Some(Arc::clone(&log) as Arc<dyn LogSink>)).unwrap();
        let credential = Credential::Basic {
            identity: name.as_bytes().to_vec(),
        };
        let identity = client.create_identity(credential, SUITE).unwrap().id;
        Self {
            folder,
            client,
            identity,
            log,
        }
    }

    fn key_packages(&self, count: u32) -> Vec<Vec<u8>> {
        let made = self
            .client
            .create_key_packages(self.identity.clone(), count, None);
        made.unwrap().into_iter().map(|package| package.bytes).collect()
    }

    fn group(&self) -> Arc<MlsGroup> {
        self.client.group(GroupId(GROUP.into())).unwrap()
    }
}

/// Two phones that have used every part of the library, with a message in the inbox and a Commit pending.
struct Scenario {
    alice: Phone,
    bob: Phone,
    canaries: Canaries,
    /// Texts of every error that crossed.
    errors: Vec<String>,
}

fn run() -> Scenario {
    let [alice, bob] = NAMES.map(Phone::new);
    let config = GroupConfig {
        group_id: Some(GroupId(GROUP.into())),
        ..GroupConfig::default()
    };
    alice
        .client
        .create_group(alice.identity.clone(), Some(config.clone()))
        .unwrap();
    let mut key_packages = bob.key_packages(2);
    let unused = key_packages.remove(1);
    let bundle = alice.group().add_members(key_packages.clone()).unwrap();
    alice.group().merge_pending_commit().unwrap();
    let welcome = bundle.welcome.unwrap();
    bob.client.join_from_welcome(welcome.clone(), None).unwrap();
    let message = alice
        .group()
        .create_message(PLAINTEXT.into(), DATA.into())
        .unwrap();
    bob.group().process_message(message.clone()).unwrap();
    let exported = alice
        .group()
        .export_secret("label".into(), Vec::new(), 32)
        .unwrap();
    assert_eq!(
        exported,
        bob.group().export_secret("label".into(), Vec::new(), 32).unwrap()
    );
    let pending = bob.group().self_update(None).unwrap();

    // Not read before, or it would be a duplicate.
    let mut damaged = alice
        .group()
        .create_message(PLAINTEXT.into(), DATA.into())
        .unwrap();
    *damaged.last_mut().unwrap() ^= 1;
    let other_suite = bob.identity.0[1..].to_vec();
    let errors = failures(
        &alice,
        &bob,
        &config,
        [&message, &welcome, &damaged, &unused, &other_suite],
    );
    let canaries = vec![
        ("database key", KEY.to_vec()),
        ("plaintext", PLAINTEXT.into()),
        ("authenticated data", DATA.into()),
        ("group id", GROUP.into()),
        ("credential", NAMES[0].into()),
        ("credential", NAMES[1].into()),
        ("signature key", alice.identity.0.clone()),
        ("signature key", bob.identity.0.clone()),
        ("exported secret", exported),
        (
            "epoch authenticator",
            alice.group().epoch_authenticator().unwrap(),
        ),
        // The middle of each: HPKE keys and signatures, which nothing else can hold by chance.
        ("used key package", key_packages[0][40..72].to_vec()),
        ("unused key package", unused[40..72].to_vec()),
        (
            "pending Commit",
            pending.commit[pending.commit.len() / 2..][..32].to_vec(),
        ),
        ("message", message[message.len() / 2..][..32].to_vec()),
    ];
    Scenario {
        alice,
        bob,
        canaries,
        errors,
    }
}

/// Calls that fail with what the scenario knows, in all their texts.
fn failures(alice: &Phone, bob: &Phone, config: &GroupConfig, bytes: [&Vec<u8>; 5]) -> Vec<String> {
    let [message, welcome, damaged, key_package, unknown] = bytes.map(Clone::clone);
    let path = bob.folder.path().join("mls.db");
    let wrong_key = ClientConfig::new(path.to_str().unwrap(), [1; 32]);
    let log = Arc::clone(&bob.log) as Arc<dyn LogSink>;
    let twice = vec![key_package.clone(), key_package];
    let errors: Vec<MlsError> = [
        alice
            .client
            .create_group(alice.identity.clone(), Some(config.clone()))
            .err(),
        alice.client.create_group(IdentityId(unknown.clone()), None).err(),
        alice.client.delete_identity(alice.identity.clone()).err(),
        alice.client.group(GroupId(unknown.clone())).err(),
        alice
            .client
            .delete_key_package(mls_mobile::KeyPackageRef(unknown))
            .err(),
        alice.client.join_from_welcome(welcome.clone(), None).err(),
        alice.client.inspect_key_package(welcome.clone()).err(),
        alice.client.inspect_key_package(damaged[1..].to_vec()).err(),
        alice.group().add_members(twice).err(),
        alice.group().remove_members(vec![77]).err(),
        alice.group().merge_staged_commit().err(),
        alice.group().process_message(welcome.clone()).err(),
        bob.client.join_from_welcome(welcome, None).err(),
        bob.client.inspect_welcome(message, None).err(),
        bob.group().process_message(damaged.clone()).err(),
        bob.group()
            .process_message(damaged[..damaged.len() / 2].to_vec())
            .err(),
        bob.group().self_update(None).err(),
        bob.group()
            .export_secret(PLAINTEXT.into(), Vec::new(), u32::MAX)
            .err(),
        MlsClient::open(wrong_key, None, Some(log)).err(),
    ]
    .into_iter()
    .enumerate()
    .map(|(index, error)| error.unwrap_or_else(|| panic!("call {index} did not fail")))
    .collect();
    errors
        .iter()
        .map(|error| format!("{error} {error:?} {error:#?}"))
        .collect()
}

/// The forms in which bytes get into a text: as they are, as hex of both kinds, as Rust and Swift list them.
fn forms(bytes: &[u8]) -> Vec<String> {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let list = format!("{bytes:?}");
    let list = list.trim_matches(['[', ']']);
    // A quarter of it is a leak too.
    let part = |text: &str| text.chars().take(text.len() / 4).collect::<String>();
    let mut forms = vec![
        part(&hex),
        part(&hex.to_uppercase()),
        part(list),
        part(&list.replace(' ', "")),
    ];
    if let Ok(text) = String::from_utf8(bytes.to_vec()) {
        forms.push(text.chars().take(12).collect());
    }
    forms
}

fn assert_silent(canaries: &Canaries, text: &str) {
    // A text over several lines has a number on each.
    for text in [text.to_owned(), text.split_whitespace().collect()] {
        for (name, bytes) in canaries {
            for form in forms(bytes) {
                assert!(!text.contains(&form), "{name} as {form:?} in {text}");
            }
        }
    }
}

fn holds(bytes: &[u8], canary: &[u8]) -> bool {
    bytes.windows(canary.len()).any(|window| window == canary)
}

#[test]
fn the_log_names_calls_and_codes_and_nothing_else() {
    let Scenario {
        alice, bob, canaries, ..
    } = run();
    let lines = |phone: &Phone| phone.log.0.lock().unwrap().clone();
    let (ours, theirs) = (lines(&alice), lines(&bob));
    assert!(ours.len() >= 12 && theirs.len() >= 7, "{ours:?} {theirs:?}");
    assert!(
        theirs
            .iter()
            .any(|line| line.contains("\"open\"") || line.contains(" open ")),
        "{theirs:?}"
    );
    for line in ours.into_iter().chain(theirs) {
        assert_silent(&canaries, &line);
    }
}

#[test]
fn errors_carry_nothing_of_what_they_are_about() {
    let Scenario { canaries, errors, .. } = run();
    assert_eq!(errors.len(), 19);
    for text in errors {
        assert_silent(&canaries, &text);
    }
}

#[test]
fn no_record_shows_the_database_key() {
    let Scenario {
        alice,
        bob,
        mut canaries,
        ..
    } = run();
    canaries.truncate(1);
    let config = ClientConfig::new("/data/mls.db", KEY);
    let records = [
        format!("{config:?} {config:#?}"),
        format!("{:?}", bob.client.inbox(10).unwrap()),
        format!("{:?}", bob.client.identities().unwrap()),
        format!("{:?}", bob.client.key_packages().unwrap()),
        format!("{:?}", alice.client.storage_info().unwrap()),
        format!("{:?} {:?}", alice.group().info(), alice.group().members()),
    ];
    for text in records {
        assert_silent(&canaries, &text);
    }
}

/// While the database is open, with rows in the log, and after it was closed, when all are in the main file.
#[test]
fn the_files_hold_no_plaintext_name_or_key() {
    let Scenario {
        alice, bob, canaries, ..
    } = run();
    let search = |folder: &Path, expected: &[&str]| {
        let mut names = Vec::new();
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let bytes = fs::read(entry.path()).unwrap();
            let file = entry.file_name().into_string().unwrap();
            for (name, canary) in &canaries {
                assert!(!holds(&bytes, canary), "{name} in {file}");
            }
            names.push(file);
        }
        names.sort();
        assert_eq!(names, expected);
    };
    for phone in [alice, bob] {
        let Phone { folder, client, .. } = phone;
        search(folder.path(), &["mls.db", "mls.db-shm", "mls.db-wal"]);
        assert!(client.storage_info().unwrap().wal_bytes > 0);
        drop(client);
        search(folder.path(), &["mls.db"]);
    }
}

/// The searches above find what is there: a test that can only pass says nothing.
#[test]
fn a_canary_in_a_text_or_a_file_would_be_found() {
    let canaries: Canaries = vec![("plaintext", PLAINTEXT.into())];
    let leaks = [
        format!("{PLAINTEXT:?}"),
        format!("{:?}", PLAINTEXT.as_bytes()),
        format!("{:#?}", PLAINTEXT.as_bytes()),
        PLAINTEXT.bytes().map(|byte| format!("{byte:02X}")).collect(),
    ];
    for leak in leaks {
        let found = std::panic::catch_unwind(|| assert_silent(&canaries, &format!("an error: {leak}")));
        assert!(found.is_err(), "{leak}");
    }
    let file = [&[0; 100], PLAINTEXT.as_bytes(), &[0; 100]].concat();
    assert!(holds(&file, PLAINTEXT.as_bytes()));
}
