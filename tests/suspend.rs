//! A suspended client holds nothing: no handle, no lock, no transaction; and it lets no call in.

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
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use common::{Device, group_of};
use mls_mobile::{CallbackError, CredentialValidator, MlsClient, MlsError, ValidationRequest};

/// Files of this process that lie in the folder.
fn handles_in(folder: &Path) -> Vec<String> {
    fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| fs::read_link(entry.unwrap().path()).ok())
        .filter(|target| target.starts_with(folder))
        .map(|target| target.display().to_string())
        .collect()
}

/// Locks of this process on files of the folder, by inode as the kernel lists them.
fn locks_in(folder: &Path) -> usize {
    use std::os::unix::fs::MetadataExt;
    let inodes: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| format!(":{} ", entry.unwrap().metadata().unwrap().ino()))
        .collect();
    let process = format!(" {} ", std::process::id());
    fs::read_to_string("/proc/locks")
        .unwrap()
        .lines()
        .filter(|line| line.contains(&process) && inodes.iter().any(|inode| line.contains(inode)))
        .count()
}

#[test]
#[cfg(target_os = "linux")]
fn a_suspended_client_holds_no_handle_and_no_lock() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    alice.send(&id, "hello");
    let folder = alice.path().parent().unwrap().to_owned();
    assert!(!handles_in(&folder).is_empty(), "the search finds open files");
    alice.client().suspend(1000).unwrap();
    assert_eq!(handles_in(&folder), Vec::<String>::new());
    assert_eq!(locks_in(&folder), 0);
    let wal = fs::metadata(format!("{}-wal", alice.path().display())).map_or(0, |file| file.len());
    assert_eq!(wal, 0, "the log was checkpointed");
    alice.client().resume().unwrap();
    assert_eq!(bob.read(&id, &alice.send(&id, "again")), "again");
}

#[test]
fn suspended_calls_answer_suspended_and_both_calls_can_be_repeated() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let group = alice.group(&id);
    let message = bob.send(&id, "meanwhile");
    for _ in 0..2 {
        alice.client().suspend(0).unwrap();
    }
    assert_eq!(
        group.create_message(b"x".to_vec(), vec![]),
        Err(MlsError::Suspended)
    );
    assert_eq!(group.process_message(message.clone()), Err(MlsError::Suspended));
    assert_eq!(group.info(), Err(MlsError::Suspended));
    assert_eq!(alice.client().groups(), Err(MlsError::Suspended));
    assert_eq!(alice.client().storage_info(), Err(MlsError::Suspended));
    assert_eq!(alice.client().rekey(vec![1; 32]), Err(MlsError::Suspended));
    for _ in 0..2 {
        alice.client().resume().unwrap();
    }
    assert_eq!(alice.read(&id, &message), "meanwhile");
}

#[test]
fn another_process_works_while_one_is_suspended_and_is_seen_after_it() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    alice.group(&id).info().unwrap();
    alice.client().suspend(1000).unwrap();
    let extension = alice.open_again(|_| ());
    extension
        .group(id.clone())
        .unwrap()
        .process_message(bob.send(&id, "notify"))
        .unwrap();
    let update = bob.group(&id).self_update(None).unwrap();
    bob.group(&id).merge_pending_commit().unwrap();
    extension
        .group(id.clone())
        .unwrap()
        .process_message(update.commit)
        .unwrap();
    extension.suspend(1000).unwrap();
    alice.client().resume().unwrap();
    assert_eq!(alice.client().inbox(10).unwrap().len(), 2);
    common::assert_agree(&id, &[&alice, &bob]);
}

/// Lets the test act while a call is inside its transaction.
#[derive(Default)]
struct Doorman {
    state: Mutex<(bool, bool)>,
    changed: Condvar,
    asked: AtomicUsize,
}

impl Doorman {
    fn wait_until_asked(&self) {
        let mut state = self.state.lock().unwrap();
        while !state.0 {
            state = self.changed.wait(state).unwrap();
        }
    }

    fn let_go(&self) {
        self.state.lock().unwrap().1 = true;
        self.changed.notify_all();
    }
}

impl CredentialValidator for Doorman {
    fn validate(&self, request: ValidationRequest) -> Result<bool, CallbackError> {
        if !matches!(request, ValidationRequest::Commit { .. }) {
            return Ok(true);
        }
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut state = self.state.lock().unwrap();
        state.0 = true;
        self.changed.notify_all();
        while !state.1 {
            state = self.changed.wait(state).unwrap();
        }
        Ok(true)
    }
}

/// Bob's call stands in the middle of a Commit when the suspension comes.
fn suspend_during_a_commit(deadline_ms: u32, let_go_first: bool) -> (Result<(), MlsError>, u64, usize) {
    let doorman = Arc::new(Doorman::default());
    let alice = Device::new("alice");
    let bob = Device::with_validator("bob", doorman.clone());
    let id = group_of(&[&alice, &bob]);
    let update = alice.group(&id).self_update(None).unwrap();
    let group = bob.group(&id);
    let call = thread::spawn(move || group.process_message(update.commit).map(drop));
    doorman.wait_until_asked();
    let client = bob.client().clone();
    if let_go_first {
        doorman.let_go();
    }
    let suspension = thread::spawn(move || client.suspend(deadline_ms));
    if !let_go_first {
        // New calls are refused as soon as the suspension has begun; then its deadline of 0 has passed too.
        while bob.client().groups() != Err(MlsError::Suspended) {
            thread::yield_now();
        }
        thread::sleep(std::time::Duration::from_millis(50));
        doorman.let_go();
    }
    let result = call.join().unwrap();
    suspension.join().unwrap().unwrap();
    bob.client().resume().unwrap();
    (result, bob.epoch(&id), doorman.asked.load(Ordering::SeqCst))
}

#[test]
fn a_running_call_ends_before_the_deadline() {
    let (result, epoch, _) = suspend_during_a_commit(60_000, true);
    assert_eq!((result, epoch), (Ok(()), 2));
}

#[test]
fn a_call_that_outlasts_the_deadline_is_rolled_back_with_a_typed_error() {
    let (result, epoch, asked) = suspend_during_a_commit(0, false);
    assert_eq!((result, epoch, asked), (Err(MlsError::Suspended), 1, 1));
}

#[test]
fn a_callback_can_neither_suspend_nor_resume() {
    struct Caller(Mutex<Option<Arc<MlsClient>>>, Mutex<Vec<Result<(), MlsError>>>);
    impl CredentialValidator for Caller {
        fn validate(&self, _: ValidationRequest) -> Result<bool, CallbackError> {
            if let Some(client) = &*self.0.lock().unwrap() {
                self.1
                    .lock()
                    .unwrap()
                    .extend([client.suspend(0), client.resume(), client.wipe()]);
            }
            Ok(true)
        }
    }
    let caller = Arc::new(Caller(Mutex::new(None), Mutex::new(Vec::new())));
    let alice = Device::new("alice");
    let bob = Device::with_validator("bob", caller.clone());
    let id = group_of(&[&alice, &bob]);
    *caller.0.lock().unwrap() = Some(bob.client().clone());
    let update = alice.group(&id).self_update(None).unwrap();
    bob.receive(&id, &update.commit);
    *caller.0.lock().unwrap() = None;
    assert_eq!(*caller.1.lock().unwrap(), vec![Err(MlsError::Reentrant); 3]);
}

#[test]
fn a_wiped_client_leaves_no_file_and_answers_wiped() {
    let alice = Device::new("alice");
    let group = alice.group(&alice.create_group());
    let folder = alice.path().parent().unwrap().to_owned();
    alice.client().wipe().unwrap();
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    assert_eq!(group.info(), Err(MlsError::Wiped));
    assert_eq!(alice.client().resume(), Err(MlsError::Wiped));
    alice.client().wipe().unwrap();
}

#[test]
fn a_wipe_takes_unfinished_copies_along_and_nothing_else() {
    let alice = Device::new("alice");
    let folder = alice.path().parent().unwrap().to_owned();
    let others = ["mls.db.note", "other.db", "other.db.partial", "x.mls.db.partial"];
    for name in ["mls.db.partial", "mls.db.partial-00c0ffee", "mls.db.partial-wal"]
        .iter()
        .chain(&others)
    {
        fs::write(folder.join(name), "a copy").unwrap();
    }
    alice.client().wipe().unwrap();
    let mut left: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, others);
}

#[test]
fn wiped_is_the_answer_whether_suspended_before_or_after() {
    for suspended_first in [true, false] {
        let alice = Device::new("alice");
        let group = alice.group(&alice.create_group());
        let folder = alice.path().parent().unwrap().to_owned();
        let client = alice.client();
        if suspended_first {
            client.suspend(0).unwrap();
        }
        client.wipe().unwrap();
        for _ in 0..2 {
            assert_eq!(group.info(), Err(MlsError::Wiped), "{suspended_first}");
            assert_eq!(client.groups(), Err(MlsError::Wiped), "{suspended_first}");
            assert_eq!(client.storage_info(), Err(MlsError::Wiped), "{suspended_first}");
            assert_eq!(
                client.rekey(vec![1; 32]),
                Err(MlsError::Wiped),
                "{suspended_first}"
            );
            assert_eq!(client.suspend(0), Err(MlsError::Wiped), "{suspended_first}");
            assert_eq!(client.resume(), Err(MlsError::Wiped), "{suspended_first}");
        }
        client.wipe().unwrap();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    }
}
