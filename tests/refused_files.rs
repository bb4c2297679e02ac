//! Files that are refused, each with its own error, and left as they were: wrong key, other programs' files,
//! newer
//! schemas, old copies, damage.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use std::{fs, path::Path, sync::Arc};

use common::{Device, KEY, basic, closed::database, group_of};
use mls_mobile::{ArgumentReason, ClientConfig, MlsClient, MlsError};
use rusqlite::Connection;

fn open(path: &Path) -> Result<Arc<MlsClient>, MlsError> {
    open_with(ClientConfig::new(path.to_str().unwrap(), KEY))
}

fn open_with(config: ClientConfig) -> Result<Arc<MlsClient>, MlsError> {
    MlsClient::open(config, None, None)
}

/// Every file of a folder with its bytes.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| {
            (
                entry.file_name().into_string().unwrap(),
                fs::read(entry.path()).unwrap(),
            )
        })
        .collect();
    files.sort();
    files
}

/// Asserts that opening is refused, twice alike, and that it leaves the main file and its log as they were.
fn assert_refused(folder: &Path, expected: &MlsError, open: impl Fn() -> Result<Arc<MlsClient>, MlsError>) {
    let lasting = || -> Vec<_> {
        // The shared memory is an index of the log, made anew by whoever opens first.
        let mut files = files(folder);
        files.retain(|(name, bytes)| !(name.ends_with("-shm") || name.ends_with("-wal") && bytes.is_empty()));
        files
    };
    let before = lasting();
    for _ in 0..2 {
        assert_eq!(open().err().as_ref(), Some(expected));
        assert!(before == lasting(), "{expected:?}: a file has changed");
    }
}

#[test]
fn a_wrong_key_is_told_from_damage_and_leaves_the_file() {
    let (folder, id) = database();
    let path = folder.path().join("mls.db");
    let with_key = |key: Vec<u8>| {
        let mut config = ClientConfig::new(path.to_str().unwrap(), KEY);
        config.database_key = key;
        open_with(config)
    };
    assert_refused(folder.path(), &MlsError::WrongDatabaseKey, || {
        with_key(vec![8; 32])
    });
    let wrong_length = MlsError::InvalidArgument {
        argument: "database_key".to_owned(),
        reason: ArgumentReason::WrongLength,
    };
    for length in [0, 16, 31, 33, 64] {
        assert_refused(folder.path(), &wrong_length, || with_key(vec![7; length]));
    }
    open(&path).unwrap().group(id).unwrap();
}

/// As an app that was killed leaves it: what the last calls wrote is in the log only.
#[test]
fn a_refused_open_leaves_the_log_of_a_killed_app_too() {
    let device = Device::new("alice");
    let id = device.create_group();
    let folder = tempfile::tempdir().unwrap();
    for name in ["mls.db", "mls.db-wal"] {
        fs::copy(device.path().with_file_name(name), folder.path().join(name)).unwrap();
    }
    let path = folder.path().join("mls.db");
    assert!(fs::metadata(folder.path().join("mls.db-wal")).unwrap().len() > 0);
    assert_refused(folder.path(), &MlsError::WrongDatabaseKey, || {
        open_with(ClientConfig::new(path.to_str().unwrap(), [8; 32]))
    });
    open(&path).unwrap().group(id).unwrap();
}

fn bad_path(reason: ArgumentReason) -> MlsError {
    MlsError::InvalidArgument {
        argument: "database_path".to_owned(),
        reason,
    }
}

#[test]
fn a_path_that_can_be_no_file_is_refused_and_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner");
    let file = folder.path().join("file");
    fs::write(&file, "a text").unwrap();
    assert_refused(folder.path(), &bad_path(ArgumentReason::FolderMissing), || {
        open(&inner.join("mls.db"))
    });
    assert!(!inner.exists());
    fs::create_dir(&inner).unwrap();
    assert_refused(folder.path(), &bad_path(ArgumentReason::NotAFile), || {
        open(&inner)
    });
    assert_refused(folder.path(), &bad_path(ArgumentReason::FolderMissing), || {
        open(&file.join("mls.db"))
    });
    assert_refused(folder.path(), &bad_path(ArgumentReason::Empty), || {
        open(Path::new(""))
    });
    assert_refused(folder.path(), &bad_path(ArgumentReason::OutOfRange), || {
        open(Path::new("zero\0byte"))
    });
    assert_eq!(fs::read_dir(inner).unwrap().count(), 0);
}

/// SQLite takes these for a database in memory and for a URI: the app's data would be gone with the process.
#[test]
fn names_that_mean_something_to_sqlite_are_plain_files() {
    let folder = tempfile::tempdir().unwrap();
    // The only test of this file with relative paths, and nothing else here reads the working folder.
    std::env::set_current_dir(folder.path()).unwrap();
    for name in [":memory:", "file:mls.db?mode=memory", "file:other"] {
        let id = open(Path::new(name))
            .unwrap()
            .create_identity(basic("alice"), common::SUITE)
            .unwrap()
            .id;
        assert!(
            fs::metadata(folder.path().join(name)).unwrap().len() > 0,
            "{name}"
        );
        let client = open(Path::new(name)).unwrap();
        assert_eq!(client.identities().unwrap()[0].id, id, "{name}");
        client.wipe().unwrap();
        assert!(!folder.path().join(name).exists(), "{name}");
    }
    assert_eq!(files(folder.path()), []);
}

#[test]
fn files_of_other_programs_are_refused_and_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mls.db");
    let text = "a letter to somebody, in plain text\n";
    for content in [
        text.to_owned().into_bytes(),
        text.repeat(200).into_bytes(),
        vec![0; 4096],
    ] {
        fs::write(&path, content).unwrap();
        assert_refused(folder.path(), &MlsError::StorageForeign, || open(&path));
    }
    for setting in ["", "PRAGMA journal_mode = WAL;", "PRAGMA user_version = 1;"] {
        fs::remove_file(&path).unwrap();
        let other = Connection::open(&path).unwrap();
        other
            .execute_batch(&format!(
                "{setting} CREATE TABLE note (text); INSERT INTO note VALUES ('mine')"
            ))
            .unwrap();
        other.close().unwrap();
        assert_refused(folder.path(), &MlsError::StorageForeign, || open(&path));
    }
}

#[test]
fn a_newer_schema_is_refused_and_left() {
    let (folder, _) = database();
    let path = folder.path().join("mls.db");
    let supported = open(&path).unwrap().storage_info().unwrap().schema_version;
    let newer = Connection::open(&path).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    newer.close().unwrap();
    let expected = MlsError::StorageTooNew { found: 99, supported };
    assert_refused(folder.path(), &expected, || open(&path));
}

/// Two versions of the library on one file: an update that came while the app or its extension was running.
#[test]
fn an_open_client_stops_when_a_newer_library_has_changed_the_schema() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let message = bob.send(&id, "hello");
    let (client, group) = (alice.client().clone(), alice.group(&id));
    let supported = client.storage_info().unwrap().schema_version;
    let set_version = |version: u32| {
        let other = Connection::open(alice.path()).unwrap();
        other.pragma_update(None, "user_version", version).unwrap();
        other.close().unwrap();
    };
    let transfer = alice.path().with_file_name("transfer");
    let transfer = || transfer.to_str().unwrap().to_owned();

    set_version(99);
    let before = alice.dump();
    let refused = MlsError::StorageTooNew { found: 99, supported };
    for answer in [
        client.groups().map(drop),
        client.storage_info().map(drop),
        group.create_message(b"hello".to_vec(), Vec::new()).map(drop),
        group.process_message(message.clone()).map(drop),
        client.rekey(vec![8; 32]),
        client.confirm_rekey(),
        client.rotate_data_key(),
        client.export_for_transfer(transfer(), vec![9; 32]),
    ] {
        assert_eq!(answer, Err(refused.clone()));
    }
    assert!(alice.dump() == before);
    set_version(supported);
    assert_eq!(alice.read(&id, &message), "hello");
}

#[test]
fn an_old_copy_is_refused_and_left() {
    let (folder, _) = database();
    let path = folder.path().join("mls.db");
    let found = open(&path).unwrap().storage_info().unwrap().generation;
    let demanding = |minimum| {
        let mut config = ClientConfig::new(path.to_str().unwrap(), KEY);
        config.minimum_generation = Some(minimum);
        open_with(config)
    };
    for minimum in [found + 1, i64::MAX as u64, u64::MAX] {
        let expected = MlsError::StorageRolledBack { found, minimum };
        assert_refused(folder.path(), &expected, || demanding(minimum));
    }
    assert_eq!(
        demanding(found).unwrap().storage_info().unwrap().generation,
        found
    );
}

/// The app remembers a database: a new one in its place would be an old copy of the worst kind.
#[test]
fn a_missing_file_is_no_new_database_for_an_app_that_remembers_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mls.db");
    let demanding = |minimum| {
        let mut config = ClientConfig::new(path.to_str().unwrap(), KEY);
        config.minimum_generation = Some(minimum);
        open_with(config)
    };
    for minimum in [2, 500, u64::MAX] {
        let expected = MlsError::StorageRolledBack { found: 0, minimum };
        assert_refused(folder.path(), &expected, || demanding(minimum));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
    // Emptied, it is as good as gone.
    fs::write(&path, "").unwrap();
    let expected = MlsError::StorageRolledBack {
        found: 0,
        minimum: 500,
    };
    assert_refused(folder.path(), &expected, || demanding(500));
    fs::remove_file(&path).unwrap();
    // Nothing is remembered before the first call.
    demanding(0).unwrap();
}

/// Who can write to the file, but has no key, could have the database itself keep what is deleted.
#[test]
fn a_planted_trigger_or_view_is_refused_and_left() {
    let planted = [
        (
            "TRIGGER",
            "CREATE TABLE kept (value);
          CREATE TRIGGER planted AFTER DELETE ON key_package BEGIN INSERT INTO kept VALUES (old.bundle); END",
        ),
        ("VIEW", "CREATE VIEW planted AS SELECT 1"),
    ];
    for (kind, sql) in planted {
        let (folder, id) = database();
        let path = folder.path().join("mls.db");
        let suspended = open(&path).unwrap();
        suspended.suspend(1000).unwrap();
        let change = |sql: &str| {
            let other = Connection::open(&path).unwrap();
            other.execute_batch(sql).unwrap();
            other.close().unwrap();
        };
        change(sql);
        assert_refused(folder.path(), &MlsError::StorageCorrupt, || open(&path));
        assert_eq!(suspended.resume(), Err(MlsError::StorageCorrupt), "{kind}");
        change(&format!("DROP {kind} planted"));
        open(&path).unwrap().group(id).unwrap();
    }
}
