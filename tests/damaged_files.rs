//! Damaged files: cut short or with flipped bits, they are a typed error or read as before, never a panic.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use std::{fs, path::Path};

use common::{KEY, closed::database};
use mls_mobile::{ClientConfig, GroupId, MlsClient, MlsError};
use rusqlite::Connection;

/// All that can be read of a database, or the first error.
fn read_all(path: &Path, id: &GroupId) -> Result<String, MlsError> {
    let client = MlsClient::open(ClientConfig::new(path.to_str().unwrap(), KEY), None, None)?;
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
    // Not 0 and 1: SQLite takes those for empty, and an empty file is a new database (`minimum_generation`
    // tells).
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
        "value FROM message_secrets WHERE part = 0",
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

/// Changes the key of a row in the index that finds it: the row is there, and is not found.
fn damage_index(path: &Path, table: &str, column: &str) {
    let mut file = fs::read(path).unwrap();
    let connection = Connection::open(path).unwrap();
    let page: usize = connection
        .query_row(
            "SELECT rootpage FROM sqlite_schema WHERE type = 'index' AND tbl_name = ?1",
            [table],
            |row| row.get::<_, i64>(0),
        )
        .unwrap()
        .try_into()
        .unwrap();
    let key: Vec<u8> = connection
        .query_row(&format!("SELECT {column} FROM {table} LIMIT 1"), [], |row| {
            row.get(0)
        })
        .unwrap();
    let start = (page - 1) * 4096;
    let place = file[start..start + 4096]
        .windows(key.len())
        .position(|window| window == key)
        .unwrap();
    file[start + place] ^= 0x10;
    fs::write(path, file).unwrap();
}

#[test]
fn a_damaged_index_is_corrupt_when_it_is_written_through() {
    let (folder, id) = database();
    let path = folder.path().join("mls.db");
    let open = || {
        let client = MlsClient::open(ClientConfig::new(path.to_str().unwrap(), KEY), None, None).unwrap();
        client.group(id.clone()).unwrap()
    };
    open().self_update(None).unwrap();
    // In one file, without a log.
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
    drop(connection);
    damage_index(&path, "identity", "identity_key");
    assert_eq!(
        open().merge_pending_commit().err(),
        Some(MlsError::StorageCorrupt)
    );
}
