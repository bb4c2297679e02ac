//! Who waits for whom, and for how long.

use std::{
    fs,
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use mls_mobile::{
    BatchOutcome, CallbackError, ClientConfig, CredentialValidator, IncomingMessage, MlsClient, MlsError,
    ProcessedMessage, ValidationRequest,
};

use crate::{
    Shared, commit,
    common::{AcceptAll, KEY, child, template::database},
    groups,
};

#[test]
fn a_call_waits_for_another_process_as_long_as_configured_and_no_less() {
    let shared = Shared::new();
    let mut other = shared.start("hold", 0);
    let [hasty, patient] = [200, 5000].map(|busy_timeout_ms| {
        let config = ClientConfig {
            busy_timeout_ms,
            ..ClientConfig::new(database(shared.path()), KEY)
        };
        let client = MlsClient::open(config, Some(Arc::new(AcceptAll)), None).unwrap();
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
pub fn hold(folder: &Path) {
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
        busy_timeout_ms: 1000,
        ..ClientConfig::new(database(shared.path()), KEY)
    };
    let client = MlsClient::open(config, Some(Arc::new(AcceptAll)), None).unwrap();
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
    assert!(during >= 2, "{during} calls");
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
pub fn batch(folder: &Path) {
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
