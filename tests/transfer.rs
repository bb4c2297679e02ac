//! A database moves to another device: one of the two works, never both.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Barrier},
    thread,
};

use common::{Device, KEY, assert_agree, group_of};
use mls_mobile::{ArgumentReason, ClientConfig, MlsClient, MlsError};
use tempfile::TempDir;

const TRANSFER_KEY: [u8; 32] = [3; 32];
const NEW_KEY: [u8; 32] = [4; 32];

struct Move {
    folder: TempDir,
}

impl Move {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("transfer")
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("new.db")
    }

    fn export(&self, device: &Device) -> Result<(), MlsError> {
        device
            .client()
            .export_for_transfer(self.file().display().to_string(), TRANSFER_KEY.to_vec())
    }

    fn import(&self, transfer_key: [u8; 32]) -> Result<Arc<MlsClient>, MlsError> {
        let config = ClientConfig::new(self.database().to_str().unwrap(), NEW_KEY);
        MlsClient::import_transfer(
            self.file().display().to_string(),
            transfer_key.to_vec(),
            config,
            None,
            None,
        )
    }
}

#[test]
fn the_other_device_goes_on_where_this_one_stopped() {
    let (mut alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    bob.read(&id, &alice.send(&id, "from the old phone"));
    let unread = bob.send(&id, "while moving");
    let (transfer, old_group) = (Move::new(), alice.group(&id));
    transfer.export(&alice).unwrap();
    assert_eq!(old_group.info(), Err(MlsError::Transferred));
    drop(old_group);

    let moved = transfer.import(TRANSFER_KEY).unwrap();
    assert!(!transfer.file().exists(), "the file is used up");
    let group = moved.group(id.clone()).unwrap();
    group.process_message(unread).unwrap();
    let message = group
        .create_message(b"from the new phone".to_vec(), vec![])
        .unwrap();
    assert_eq!(bob.read(&id, &message), "from the new phone");
    drop((moved, group));
    let config = ClientConfig::new(transfer.database().to_str().unwrap(), NEW_KEY);
    assert_eq!(
        MlsClient::open(config, None, None)
            .unwrap()
            .inbox(10)
            .unwrap()
            .len(),
        1
    );

    let mode: String = rusqlite::Connection::open(transfer.database())
        .unwrap()
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");

    // The old one never thaws, and can only be wiped.
    alice.reload();
    assert_eq!(alice.client().groups(), Err(MlsError::Transferred));
    assert_eq!(transfer.export(&alice), Err(MlsError::Transferred));
    assert_eq!(alice.client().rekey(vec![1; 32]), Err(MlsError::Transferred));
    alice.client().wipe().unwrap();
    assert!(!alice.path().exists());
}

#[test]
fn another_process_of_the_old_device_is_stopped_too() {
    let alice = Device::new("alice");
    let config = ClientConfig::new(alice.path().to_str().unwrap(), KEY);
    let extension = MlsClient::open(config, None, None).unwrap();
    assert_eq!(extension.groups().unwrap().len(), 0);
    Move::new().export(&alice).unwrap();
    assert_eq!(extension.groups(), Err(MlsError::Transferred));
}

#[test]
fn a_wrong_key_leaves_the_file_as_it_was() {
    let alice = Device::new("alice");
    let transfer = Move::new();
    transfer.export(&alice).unwrap();
    let before = fs::read(transfer.file()).unwrap();
    for key in [KEY, [0; 32]] {
        assert_eq!(transfer.import(key).err(), Some(MlsError::WrongDatabaseKey));
        assert_eq!(fs::read(transfer.file()).unwrap(), before);
        assert!(!transfer.database().exists());
    }
    let moved = transfer.import(TRANSFER_KEY).unwrap();
    assert_eq!(moved.identities().unwrap()[0].id, alice.identity);
    drop(moved);
    let with_transfer_key = ClientConfig::new(transfer.database().to_str().unwrap(), TRANSFER_KEY);
    assert_eq!(
        MlsClient::open(with_transfer_key, None, None).err(),
        Some(MlsError::WrongDatabaseKey)
    );
}

#[test]
fn no_file_is_overwritten() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let exists = |error| {
        matches!(
            error,
            Err(MlsError::InvalidArgument {
                reason: ArgumentReason::AlreadyExists,
                ..
            })
        )
    };
    let transfer = Move::new();
    fs::write(transfer.file(), b"a letter").unwrap();
    assert!(exists(transfer.export(&alice)));
    let onto = |path: PathBuf| {
        alice
            .client()
            .export_for_transfer(path.display().to_string(), TRANSFER_KEY.to_vec())
    };
    assert!(exists(onto(alice.path())) && exists(onto(bob.path())));
    assert_eq!(
        alice.client().groups().unwrap().len(),
        0,
        "a refused export freezes nothing"
    );
    assert_eq!(fs::read(transfer.file()).unwrap(), b"a letter");

    fs::remove_file(transfer.file()).unwrap();
    transfer.export(&alice).unwrap();
    fs::write(transfer.database(), b"a database").unwrap();
    assert!(exists(transfer.import(TRANSFER_KEY).map(drop)));
    assert_eq!(fs::read(transfer.database()).unwrap(), b"a database");
}

#[test]
fn a_database_in_use_or_a_strange_file_is_no_transfer() {
    let alice = Device::new("alice");
    let import = |path: PathBuf| {
        let target = Move::new();
        let config = ClientConfig::new(target.database().to_str().unwrap(), NEW_KEY);
        let path = path.display().to_string();
        MlsClient::import_transfer(path, TRANSFER_KEY.to_vec(), config, None, None).err()
    };
    // Somebody's database is not unlocked by the transfer key.
    assert_eq!(import(alice.path()), Some(MlsError::WrongDatabaseKey));
    let strange = Move::new();
    fs::write(
        strange.file(),
        b"not a database, but long enough to be taken for one".repeat(100),
    )
    .unwrap();
    assert_eq!(import(strange.file()), Some(MlsError::StorageForeign));
}

#[test]
fn a_pending_commit_and_both_members_survive_the_move() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let pending = alice.group(&id).self_update(None).unwrap();
    let transfer = Move::new();
    transfer.export(&alice).unwrap();
    let moved = transfer.import(TRANSFER_KEY).unwrap();
    let group = moved.group(id.clone()).unwrap();
    assert_eq!(group.pending_commit().unwrap().unwrap(), pending);
    group.merge_pending_commit().unwrap();
    bob.receive(&id, &pending.commit);
    assert_eq!(group.epoch_authenticator().unwrap(), bob.authenticator(&id));
    assert_agree(&id, &[&bob]);
}

/// As a killed wipe leaves it: the main file gone, its log still there. SQLite would play it into the new database.
#[test]
fn the_log_of_an_older_database_does_not_get_into_the_imported_one() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let stranger = Device::new("stranger");
    stranger.create_group();
    stranger.key_package();
    let transfer = Move::new();
    let unread = bob.send(&id, "while moving");
    transfer.export(&alice).unwrap();
    for ending in ["-wal", "-shm"] {
        let left = fs::read(format!("{}{ending}", stranger.path().display())).unwrap();
        assert!(!left.is_empty());
        fs::write(format!("{}{ending}", transfer.database().display()), left).unwrap();
    }

    let moved = transfer.import(TRANSFER_KEY).unwrap();
    for round in 0..2 {
        let identities = moved.identities().unwrap();
        assert_eq!(identities.len(), 1, "{round}");
        assert_eq!(identities[0].id, alice.identity, "{round}");
        assert_eq!(moved.groups().unwrap().len(), 1, "{round}");
        moved.suspend(1000).unwrap();
        moved.resume().unwrap();
    }
    moved.group(id).unwrap().process_message(unread).unwrap();
    drop(moved);
    let config = ClientConfig::new(transfer.database().to_str().unwrap(), NEW_KEY);
    let reopened = MlsClient::open(config, None, None).unwrap();
    assert_eq!(reopened.inbox(10).unwrap().len(), 1);
}

#[test]
fn a_file_with_a_trigger_is_not_imported_and_not_used_up() {
    let alice = Device::new("alice");
    let transfer = Move::new();
    transfer.export(&alice).unwrap();
    let change = |sql: &str| {
        let file = rusqlite::Connection::open(transfer.file()).unwrap();
        file.execute_batch(sql).unwrap();
    };
    change(
        "CREATE TABLE kept (value);
         CREATE TRIGGER keep AFTER DELETE ON key_package BEGIN INSERT INTO kept VALUES (old.bundle); END",
    );
    let before = fs::read(transfer.file()).unwrap();
    for _ in 0..2 {
        assert_eq!(
            transfer.import(TRANSFER_KEY).err(),
            Some(MlsError::StorageCorrupt)
        );
        assert!(before == fs::read(transfer.file()).unwrap());
        assert!(!transfer.database().exists());
    }
    change("DROP TRIGGER keep; DROP TABLE kept");
    transfer.import(TRANSFER_KEY).unwrap();
}

#[test]
fn of_two_imports_at_one_place_one_makes_the_database() {
    for _ in 0..10 {
        let (alice, moved) = (Device::new("alice"), Move::new());
        let identities = alice.client().identities().unwrap();
        moved.export(&alice).unwrap();
        let together = Barrier::new(2);
        let import = || {
            together.wait();
            moved.import(TRANSFER_KEY)
        };
        let results = thread::scope(|scope| {
            let other = scope.spawn(import);
            [import(), other.join().unwrap()]
        });
        let (made, refused): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        let refused: Vec<_> = refused.into_iter().filter_map(Result::err).collect();
        assert_eq!(made.len(), 1, "{refused:?}");
        drop(made);
        let config = ClientConfig::new(moved.database().to_str().unwrap(), NEW_KEY);
        let client = MlsClient::open(config, None, None).unwrap();
        assert_eq!(client.identities().unwrap(), identities);
    }
}
