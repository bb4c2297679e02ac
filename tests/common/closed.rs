//! A database that nobody has open.

use mls_mobile::GroupId;
use rusqlite::Connection;
use tempfile::TempDir;

use super::{Device, group_of, open};

/// With an identity, a key package and a group in it; the folder and the group's id.
pub fn database() -> (TempDir, GroupId) {
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
    drop(open(&folder, super::KEY, None));
    (folder, id)
}
