//! Deleted is gone: after an erasure point no file holds a secret that no row holds any more.
//!
//! Sealing is switched off here, so that secrets stand in the files as they are and can be searched for.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use std::{collections::BTreeSet, fs};

use common::{Device, deliver, group_of};
use mls_mobile::{GroupConfig, PastEpochDeletion, fault};
use rusqlite::{Connection, OpenFlags, types::ValueRef};

/// A 32-byte string of a stored value, as MessagePack writes it.
const SECRET_HEADER: [u8; 2] = [0xc4, 32];

fn device(name: &str) -> Device {
    fault::switch_sealing_off();
    Device::new(name)
}

/// Every value of every row, read through a connection of its own that is closed again: an open one would hold up
/// the erasure.
fn rows(device: &Device) -> Vec<Vec<u8>> {
    let connection = Connection::open_with_flags(device.path(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let tables: Vec<String> = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    drop(connection);
    tables.iter().flat_map(|table| values(device, table)).collect()
}

/// Those of one table.
fn values(device: &Device, table: &str) -> Vec<Vec<u8>> {
    let connection = Connection::open_with_flags(device.path(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut values = Vec::new();
    let mut statement = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
    let columns = statement.column_count();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        for column in 0..columns {
            if let ValueRef::Blob(bytes) = row.get_ref(column).unwrap() {
                values.push(bytes.to_vec());
            }
        }
    }
    values
}

fn secrets(rows: &[Vec<u8>]) -> BTreeSet<Vec<u8>> {
    let strings = rows.iter().flat_map(|value| value.windows(34));
    strings
        .filter(|window| window.starts_with(&SECRET_HEADER))
        .map(|window| window[2..].to_vec())
        .collect()
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// Those of `before` that no row holds any more.
fn deleted(device: &Device, before: &BTreeSet<Vec<u8>>) -> Vec<Vec<u8>> {
    let now = rows(device).concat();
    before
        .iter()
        .filter(|secret| !contains(&now, secret))
        .cloned()
        .collect()
}

/// In which files, by their ending, any of the secrets stands.
fn found_in(device: &Device, secrets: &[Vec<u8>]) -> Vec<String> {
    ["", "-wal", "-shm"]
        .iter()
        .filter(|ending| {
            let path = format!("{}{ending}", device.path().display());
            let bytes = fs::read(path).unwrap_or_default();
            secrets.iter().any(|secret| contains(&bytes, secret))
        })
        .map(|ending| (*ending).to_owned())
        .collect()
}

/// Runs `act` on the device and asserts that it deleted secrets and that none of them is left in a file.
fn assert_erases(device: &Device, what: &str, act: impl FnOnce()) {
    let before = secrets(&rows(device));
    act();
    let deleted = deleted(device, &before);
    assert!(!deleted.is_empty(), "{what} deletes secrets");
    assert_eq!(found_in(device, &deleted), Vec::<String>::new(), "{what}");
    assert!(!device.client().storage_info().unwrap().erasure_pending, "{what}");
}

#[test]
fn without_an_erasure_point_the_search_does_find_deleted_secrets() {
    let (alice, bob) = (device("alice"), device("bob"));
    let id = group_of(&[&alice, &bob]);
    // The first writes of a connection erase what an earlier one may have left.
    alice.send(&id, "one");
    let before = secrets(&rows(&alice));
    alice.send(&id, "two");
    let deleted = deleted(&alice, &before);
    assert!(!deleted.is_empty());
    assert_eq!(found_in(&alice, &deleted), ["-wal"]);
}

#[test]
fn a_merged_commit_erases_the_old_epoch_on_both_sides() {
    let (alice, bob) = (device("alice"), device("bob"));
    let config = GroupConfig {
        max_past_epochs: 0,
        resumption_psks: 0,
        ..GroupConfig::default()
    };
    let id = alice.create_group_with(Some(config.clone()));
    let invitation = alice.group(&id).add_members(vec![bob.key_package()]).unwrap();
    alice.group(&id).merge_pending_commit().unwrap();
    bob.client()
        .join_from_welcome(invitation.welcome.unwrap(), None)
        .unwrap();
    bob.group(&id).configure(config).unwrap();
    bob.read(&id, &alice.send(&id, "hello"));

    let update = alice.group(&id).self_update(None).unwrap();
    assert_erases(&bob, "processing a Commit", || {
        drop(bob.receive(&id, &update.commit))
    });
    assert_erases(&alice, "merging a Commit", || {
        drop(alice.group(&id).merge_pending_commit().unwrap())
    });
}

#[test]
fn deleting_past_epochs_erases_their_keys() {
    let (alice, bob) = (device("alice"), device("bob"));
    let id = group_of(&[&alice, &bob]);
    let late = alice.send(&id, "late");
    for _ in 0..3 {
        let update = alice.group(&id).self_update(None).unwrap();
        deliver(&id, &alice, &update, &[&bob]);
    }
    // It spreads the old epoch's secret tree out.
    bob.read(&id, &late);
    assert!(
        secrets(&values(&bob, "message_secrets")).len() > 8,
        "what is searched for is there"
    );
    let group = bob.group(&id);
    let delete = |wish| group.delete_past_epoch_secrets(wish).unwrap();
    assert_erases(&bob, "all but the newest", || {
        delete(PastEpochDeletion::AllButNewest { epochs: 2 })
    });
    assert_erases(&bob, "fewer past epochs", || {
        let config = GroupConfig {
            max_past_epochs: 1,
            ..GroupConfig::default()
        };
        group.configure(config).unwrap();
    });
    assert_erases(&bob, "all past epochs", || delete(PastEpochDeletion::All));
}

#[test]
fn using_and_deleting_key_packages_erases_their_keys() {
    let (alice, bob) = (device("alice"), device("bob"));
    let id = alice.create_group();
    let invitation = alice.group(&id).add_members(vec![bob.key_package()]).unwrap();
    alice.group(&id).merge_pending_commit().unwrap();
    assert_erases(&bob, "joining", || {
        bob.client()
            .join_from_welcome(invitation.welcome.unwrap(), None)
            .unwrap();
    });
    let unused = bob
        .client()
        .create_key_packages(bob.identity.clone(), 1, None)
        .unwrap()
        .remove(0);
    assert_erases(&bob, "deleting a key package", || {
        bob.client().delete_key_package(unused.reference).unwrap();
    });
}

#[test]
fn deleting_a_group_and_an_identity_erases_them() {
    let (alice, bob) = (device("alice"), device("bob"));
    let id = group_of(&[&alice, &bob]);
    assert_erases(&bob, "deleting a group", || bob.group(&id).delete().unwrap());
    assert_erases(&bob, "deleting an identity", || {
        bob.client().delete_identity(bob.identity.clone()).unwrap();
    });
}

#[test]
fn an_external_join_erases_what_it_replaces_and_what_is_given_up() {
    let (alice, bob) = (device("alice"), device("bob"));
    let id = group_of(&[&alice, &bob]);
    let join = || {
        let group_info = alice.group(&id).export_group_info(true).unwrap();
        let identity = bob.identity.clone();
        bob.client().join_by_external_commit(identity, group_info, None)
    };
    join().unwrap();
    assert_erases(&bob, "joining again", || drop(join().unwrap()));
    assert_erases(&bob, "abandoning", || {
        bob.client().abandon_external_join(id.clone()).unwrap();
    });
    let accepted = join().unwrap();
    alice.receive(&id, &accepted.commit);
    assert_erases(&bob, "confirming", || {
        bob.client().confirm_external_join(id.clone()).unwrap();
    });
    let accepted = join().unwrap();
    assert_erases(&bob, "the echo", || drop(bob.receive(&id, &accepted.commit)));
}

#[test]
fn a_replaced_or_deleted_psk_and_an_exported_secrets_way_are_erased() {
    let alice = device("alice");
    let id = group_of(&[&alice]);
    let client = alice.client();
    let register = |byte| client.register_psk(b"psk".to_vec(), vec![byte; 32]).unwrap();
    register(3);
    assert_erases(&alice, "replacing a PSK", || register(4));
    assert_erases(&alice, "deleting a PSK", || {
        client.delete_psk(b"psk".to_vec()).unwrap()
    });
    let mut secret = Vec::new();
    assert_erases(&alice, "a safe export", || {
        secret = alice.group(&id).safe_export_secret(5).unwrap();
    });
    assert_eq!(found_in(&alice, &[secret]), Vec::<String>::new());
}

#[test]
fn a_suspension_and_the_end_of_a_batch_erase_what_messages_left() {
    let (alice, bob) = (device("alice"), device("bob"));
    let id = group_of(&[&alice, &bob]);
    alice.send(&id, "one");
    assert_erases(&alice, "a suspension", || {
        alice.send(&id, "two");
        alice.client().suspend(1000).unwrap();
        alice.client().resume().unwrap();
        alice.send(&id, "three");
    });
    let messages = (0..5)
        .map(|n| common::incoming(&alice.send(&id, &n.to_string()), n))
        .collect();
    bob.read(&id, &alice.send(&id, "before"));
    assert_erases(&bob, "a batch", || {
        let batch = bob.client().process_messages(messages, None).unwrap();
        assert_eq!((batch.outcomes.len(), batch.stopped_at), (5, None));
    });
}

#[test]
fn at_the_latest_64_messages_erase() {
    let (alice, bob) = (device("alice"), device("bob"));
    let id = group_of(&[&alice, &bob]);
    alice.send(&id, "first");
    let before = secrets(&rows(&alice));
    for n in 0..64 {
        alice.send(&id, &n.to_string());
    }
    // The last erasure may lie up to 63 messages back; what was there before it is gone.
    let gone = deleted(&alice, &before);
    assert!(!gone.is_empty());
    assert_eq!(found_in(&alice, &gone), Vec::<String>::new());
}

#[test]
fn an_erasure_that_a_reader_holds_up_is_pending_and_done_by_a_later_call() {
    let (alice, bob) = (device("alice"), device("bob"));
    let id = group_of(&[&alice, &bob]);
    let before = secrets(&rows(&alice));
    let reader = Connection::open_with_flags(alice.path(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM header")
        .unwrap();
    let update = alice.group(&id).self_update(None).unwrap();
    deliver(&id, &alice, &update, &[&bob]);
    assert!(alice.client().storage_info().unwrap().erasure_pending);
    drop(reader);
    alice.send(&id, "next");
    assert!(!alice.client().storage_info().unwrap().erasure_pending);
    let gone = deleted(&alice, &before);
    assert!(!gone.is_empty());
    assert_eq!(found_in(&alice, &gone), Vec::<String>::new());
}
