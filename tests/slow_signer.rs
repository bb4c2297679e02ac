//! A signer that takes its time, as a key store does that asks the user: the call waits for it, and can be cut off.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod common;

use std::{
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::Duration,
};

use common::{
    Device, SUITE, assert_agree, basic, deliver, group_of,
    hsm::{Fault, Hsm},
};
use mls_mobile::{
    CallbackError, ClientConfig, CommitBundle, GroupId, IdentityId, LogField, LogLevel, LogSink, MlsClient,
    MlsError, Signer,
};

/// Signs when it is told to.
struct Waiting {
    hsm: Arc<Hsm>,
    asked: Sender<()>,
    let_go: Mutex<Receiver<()>>,
}

impl Signer for Waiting {
    fn sign(&self, bytes: Vec<u8>) -> Result<Vec<u8>, CallbackError> {
        self.asked.send(()).unwrap();
        self.let_go.lock().unwrap().recv().unwrap();
        self.hsm.sign(bytes)
    }
}

/// A device in a group whose signer waits, from the next signature on.
struct Stage {
    me: Device,
    peer: Device,
    group: GroupId,
    asked: Receiver<()>,
    let_go: Sender<()>,
}

fn stage() -> Stage {
    let (mut me, peer, hsm) = (Device::new("me"), Device::new("peer"), Hsm::new());
    me.identity = hsm.create_identity(&me, basic("me")).id;
    let group = group_of(&[&peer, &me]);
    let ((asks, asked), (let_go, goes)) = (channel(), channel());
    let waiting = Arc::new(Waiting {
        hsm,
        asked: asks,
        let_go: Mutex::new(goes),
    });
    // What it signs when it is attached.
    let_go.send(()).unwrap();
    me.client().attach_signer(me.identity.clone(), waiting).unwrap();
    asked.recv().unwrap();
    Stage {
        me,
        peer,
        group,
        asked,
        let_go,
    }
}

impl Stage {
    /// A Commit whose first signature is waited for.
    fn commit(&self) -> thread::JoinHandle<Result<CommitBundle, MlsError>> {
        let group = self.me.group(&self.group);
        let commit = thread::spawn(move || group.self_update(None));
        self.asked.recv().unwrap();
        commit
    }

    /// Lets every signature be made, whether it is waited for or not yet.
    fn let_all_go(&self) {
        for _ in 0..8 {
            self.let_go.send(()).unwrap();
        }
    }
}

#[test]
fn while_a_signer_takes_its_time_nothing_is_stored_and_then_all_is() {
    let stage = stage();
    let before = stage.me.dump();
    let commit = stage.commit();
    // Another process sees the group as it was.
    let other = stage.me.open_again(|_| ());
    assert!(stage.me.dump() == before);
    assert_eq!(other.group(stage.group.clone()).unwrap().info().unwrap().epoch, 1);
    stage.let_all_go();
    let commit = commit.join().unwrap().unwrap();
    deliver(&stage.group, &stage.me, &commit, &[&stage.peer]);
    assert_agree(&stage.group, &[&stage.me, &stage.peer]);
}

#[test]
fn a_call_whose_signer_outlasts_a_suspension_is_rolled_back_and_can_be_made_again() {
    let stage = stage();
    let before = (stage.me.dump(), stage.me.group(&stage.group).info().unwrap());
    let commit = stage.commit();
    let client = stage.me.client().clone();
    let suspension = thread::spawn(move || client.suspend(0));
    // New calls are refused as soon as the suspension has begun; then its deadline of 0 has passed too.
    while stage.me.client().groups() != Err(MlsError::Suspended) {
        thread::yield_now();
    }
    thread::sleep(Duration::from_millis(300));
    stage.let_all_go();
    assert_eq!(commit.join().unwrap(), Err(MlsError::Suspended));
    suspension.join().unwrap().unwrap();

    stage.me.client().resume().unwrap();
    assert!((stage.me.dump(), stage.me.group(&stage.group).info().unwrap()) == before);
    let commit = stage.me.group(&stage.group).self_update(None).unwrap();
    deliver(&stage.group, &stage.me, &commit, &[&stage.peer]);
    assert_agree(&stage.group, &[&stage.me, &stage.peer]);
}

/// Signs after more than a second.
struct Slow(Arc<Hsm>);

impl Signer for Slow {
    fn sign(&self, bytes: Vec<u8>) -> Result<Vec<u8>, CallbackError> {
        thread::sleep(Duration::from_millis(1050));
        self.0.sign(bytes)
    }
}

#[derive(Default)]
struct Lines(Mutex<Vec<(LogLevel, String)>>);

impl LogSink for Lines {
    fn log(&self, level: LogLevel, event: String, _: Vec<LogField>) -> Result<(), CallbackError> {
        self.0.lock().unwrap().push((level, event));
        Ok(())
    }
}

#[test]
fn the_log_tells_of_a_slow_signer_and_of_one_that_fails() {
    let (lines, hsm, folder) = (
        Arc::new(Lines::default()),
        Hsm::new(),
        tempfile::tempdir().unwrap(),
    );
    let config = ClientConfig::new(folder.path().join("mls.db").to_str().unwrap(), [4; 32]);
    let client = MlsClient::open(config, None, Some(lines.clone())).unwrap();
    let slow = Arc::new(Slow(hsm.clone()));
    let key = hsm.public_key.clone();
    client
        .create_identity_with_signer(basic("slow"), SUITE, key.clone(), slow)
        .unwrap();
    hsm.goes_wrong(0, Fault::Fails);
    client.attach_signer(IdentityId(key), hsm).unwrap_err();
    let expected = [
        (LogLevel::Info, "opened"),
        (LogLevel::Warn, "signer_slow"),
        (LogLevel::Error, "signer_failed"),
        (LogLevel::Error, "attach_signer"),
    ];
    let lines = lines.0.lock().unwrap();
    let lines: Vec<_> = lines
        .iter()
        .map(|(level, event)| (*level, event.as_str()))
        .collect();
    assert_eq!(lines, expected);
}
