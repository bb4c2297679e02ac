//! Errors as apps see them: stable codes, texts without bytes, and files that are refused and left as they were.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use std::{fs, path::Path, sync::Arc};

use common::{Device, KEY, basic, group_of};
use mls_mobile::{
    ArgumentReason, ClientConfig, GroupId, KeyPackageReason, MessageReason, MlsClient, MlsError,
    WelcomeReason,
};
use rusqlite::Connection;
use tempfile::TempDir;

/// Every variant with its code. The codes are in logs of apps for ever: a line here is never changed, only added.
fn all() -> Vec<(MlsError, u32)> {
    use MlsError::*;
    vec![
        (GroupNotFound, 100),
        (GroupAlreadyExists, 101),
        (GroupInactive, 102),
        (MemberNotFound { leaf_index: 9 }, 103),
        (IdentityNotFound, 110),
        (IdentityInUse, 111),
        (KeyPackageNotFound, 120),
        (
            KeyPackageInvalid {
                reason: KeyPackageReason::Expired,
            },
            121,
        ),
        (
            WelcomeInvalid {
                reason: WelcomeReason::DecryptionFailed,
            },
            130,
        ),
        (PendingCommitExists, 140),
        (NoPendingCommit, 141),
        (PendingProposalsExist, 142),
        (
            WrongEpoch {
                current: 3,
                received: 5,
            },
            150,
        ),
        (
            MessageInvalid {
                reason: MessageReason::OtherGroup,
            },
            151,
        ),
        (MessageMalformed, 152),
        (CredentialRejected, 160),
        (Reentrant, 161),
        (UnsupportedCiphersuite { ciphersuite: 7 }, 170),
        (
            InvalidArgument {
                argument: "plaintext".to_owned(),
                reason: ArgumentReason::TooLong,
            },
            171,
        ),
        (Wiped, 180),
        (StorageBusy, 200),
        (StorageLocked, 201),
        (StorageFull, 202),
        (StorageReadOnly, 203),
        (StorageIo, 204),
        (WrongDatabaseKey, 205),
        (StorageCorrupt, 206),
        (StorageForeign, 207),
        (
            StorageTooNew {
                found: 9,
                supported: 1,
            },
            208,
        ),
        (StorageRolledBack { found: 1, minimum: 2 }, 209),
        (Internal { code: 1007 }, 1007),
    ]
}

/// Has no wildcard: a new variant does not compile until it is here, and the count then asks for its line in `all`.
fn number_of_variants(error: &MlsError) -> usize {
    use MlsError::*;
    match error {
        GroupNotFound | GroupAlreadyExists | GroupInactive | MemberNotFound { .. } => 31,
        IdentityNotFound | IdentityInUse | KeyPackageNotFound | KeyPackageInvalid { .. } => 31,
        WelcomeInvalid { .. } | PendingCommitExists | NoPendingCommit | PendingProposalsExist => 31,
        WrongEpoch { .. } | MessageInvalid { .. } | MessageMalformed | CredentialRejected => 31,
        Reentrant | UnsupportedCiphersuite { .. } | InvalidArgument { .. } | Wiped => 31,
        StorageBusy | StorageLocked | StorageFull | StorageReadOnly | StorageIo => 31,
        WrongDatabaseKey | StorageCorrupt | StorageForeign | StorageTooNew { .. } => 31,
        StorageRolledBack { .. } | Internal { .. } => 31,
    }
}

#[test]
fn every_error_has_its_own_code_for_ever() {
    let all = all();
    assert_eq!(all.len(), number_of_variants(&all[0].0));
    let mut codes: Vec<u32> = all.iter().map(|(_, code)| *code).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), all.len());
    for (error, code) in all {
        assert_eq!(error.code(), code, "{error:?}");
    }
}

#[test]
fn the_text_of_an_error_is_a_short_line_without_bytes() {
    for (error, _) in all() {
        let text = error.to_string();
        assert!((10..100).contains(&text.len()), "{text}");
        assert!(text.is_ascii() && !text.contains(['[', '\n', '{', '"']), "{text}");
        // No number beyond those of the fields above: no hex dump, no list of bytes.
        let longest = text
            .split(|character: char| !character.is_ascii_hexdigit())
            .map(str::len)
            .max();
        assert!(longest <= Some(8), "{text}");
    }
}

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
        files
            .retain(|(name, bytes)| !name.ends_with("-shm") && !(name.ends_with("-wal") && bytes.is_empty()));
        files
    };
    let before = lasting();
    for _ in 0..2 {
        assert_eq!(open().err().as_ref(), Some(expected));
        assert!(before == lasting(), "{expected:?}: a file has changed");
    }
}

/// A closed database with an identity, a key package and a group; the folder and the group's id.
fn database() -> (TempDir, GroupId) {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    alice.key_package();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mls.db");
    // In one file, without a log: as after closing.
    Connection::open(alice.path())
        .unwrap()
        .execute("VACUUM INTO ?1", [file.to_str().unwrap()])
        .unwrap();
    open(&file).unwrap();
    (folder, id)
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
        text.repeat(1).into_bytes(),
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
    let newer = Connection::open(&path).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    newer.close().unwrap();
    let expected = MlsError::StorageTooNew {
        found: 99,
        supported: 1,
    };
    assert_refused(folder.path(), &expected, || open(&path));
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

/// All that can be read of a database, or the first error.
fn read_all(path: &Path, id: &GroupId) -> Result<String, MlsError> {
    let client = open(path)?;
    let group = client.group(id.clone())?;
    let seen = (
        (client.identities()?, client.key_packages()?, client.groups()?),
        (group.info()?, group.members()?, group.pending_commit()?),
        (client.inbox(10)?, client.storage_info()?.generation),
    );
    Ok(format!("{seen:?}"))
}

#[test]
fn a_cut_file_is_corrupt_wherever_it_was_cut() {
    let (folder, id) = database();
    let path = folder.path().join("mls.db");
    let whole = fs::read(&path).unwrap();
    let expected = read_all(&path, &id).unwrap();
    // Not 0 and 1: SQLite takes those for empty, and an empty file is a new database (`minimum_generation` tells).
    let pages = (4097..whole.len()).step_by(4096).chain([whole.len() - 1]);
    for length in [16, 99, 100, 511, 512, 4095].into_iter().chain(pages) {
        fs::write(&path, &whole[..length]).unwrap();
        match read_all(&path, &id) {
            // SQLite fills the end of the last page with zeros, which is what it mostly held.
            Ok(seen) => assert!(seen == expected && length > whole.len() - 4096, "{length}: read"),
            // Less than a header cannot be told from another program's file.
            Err(MlsError::StorageForeign) => assert!(length < 512, "{length}: foreign"),
            Err(error) => assert_eq!(error, MlsError::StorageCorrupt, "{length}"),
        }
        assert!(
            fs::read(&path).unwrap() == whole[..length],
            "{length}: the file has changed"
        );
    }
}

/// Damages a byte and reads everything. `None` if what is read is as before.
fn read_damaged(path: &Path, id: &GroupId, whole: &[u8], offset: usize, flip: u8) -> Option<MlsError> {
    let mut damaged = whole.to_vec();
    damaged[offset] ^= flip;
    fs::write(path, &damaged).unwrap();
    match read_all(path, id) {
        Ok(seen) => {
            fs::write(path, whole).unwrap();
            assert_eq!(Ok(seen), read_all(path, id), "{offset} ^ {flip:#x}");
            None
        }
        Err(MlsError::Internal { code }) => panic!("{offset} ^ {flip:#x}: internal error {code}"),
        Err(error) => Some(error),
    }
}

#[test]
fn a_damaged_byte_anywhere_is_a_typed_error_or_changes_nothing_that_is_read() {
    let (folder, id) = database();
    let path = folder.path().join("mls.db");
    let whole = fs::read(&path).unwrap();
    // Each byte of the header, where meanings change fastest, then a sample of what is not empty space.
    let used = |offset: &usize| {
        whole[offset - 32..(offset + 32).min(whole.len())]
            .iter()
            .any(|byte| *byte != 0)
    };
    let offsets = (0..100).chain((100..whole.len()).step_by(61).filter(used));
    let noticed = offsets
        .flat_map(|offset| [0x01, 0x80, 0xff].map(|flip| (offset, flip)))
        .filter(|(offset, flip)| read_damaged(&path, &id, &whole, *offset, *flip).is_some())
        .count();
    assert!(noticed > 200, "only {noticed} noticed");
}

#[test]
fn a_damaged_byte_of_a_sealed_value_is_corrupt() {
    let (folder, id) = database();
    let path = folder.path().join("mls.db");
    let whole = fs::read(&path).unwrap();
    let connection = Connection::open(&path).unwrap();
    for column in [
        "value FROM identity",
        "value FROM key_package",
        "value FROM mls_group",
        "value FROM group_state WHERE kind = 4",
    ] {
        let sealed: Vec<u8> = connection
            .query_row(&format!("SELECT {column}"), [], |row| row.get(0))
            .unwrap();
        // It lies in one piece, because it is shorter than a page.
        let start = whole
            .windows(sealed.len())
            .position(|window| window == sealed)
            .unwrap();
        for offset in (0..sealed.len()).step_by(5) {
            let error = read_damaged(&path, &id, &whole, start + offset, 0x10);
            assert_eq!(error, Some(MlsError::StorageCorrupt), "{column}, byte {offset}");
        }
    }
}

#[test]
fn the_key_is_in_no_text_of_the_configuration() {
    let config = ClientConfig::new("/path/to/mls.db", *b"0123456789abcdef0123456789ABCDEF");
    let text = format!("{config:?} {config:#?}");
    assert!(!text.contains("48") && !text.contains("0123"), "{text}");
}
