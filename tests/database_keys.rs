//! The app's key changes without a rewrite and without a moment in which a crash locks the app out.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use std::{fs, path::Path, sync::Arc};

use common::{Device, KEY, assert_agree, group_of};
use mls_mobile::{ClientConfig, MlsClient, MlsError};
use rusqlite::Connection;

const NEW: [u8; 32] = [8; 32];
const NEWER: [u8; 32] = [9; 32];

fn open(device: &Device, key: [u8; 32]) -> Result<Arc<MlsClient>, MlsError> {
    MlsClient::open(
        ClientConfig::new(device.path().to_str().unwrap(), key),
        None,
        None,
    )
}

fn opens(device: &Device, key: [u8; 32]) -> bool {
    match open(device, key) {
        Ok(_) => true,
        Err(MlsError::WrongDatabaseKey) => false,
        Err(other) => panic!("{other:?}"),
    }
}

fn wrapped_keys(path: &Path) -> Vec<Vec<u8>> {
    let connection = Connection::open(path).unwrap();
    let mut statement = connection
        .prepare("SELECT wrapped FROM key_slot ORDER BY slot")
        .unwrap();
    statement
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

#[test]
fn both_keys_open_until_the_new_one_is_confirmed() {
    let mut alice = Device::new("alice");
    let id = alice.create_group();
    alice.client().rekey(NEW.to_vec()).unwrap();
    assert!(alice.client().storage_info().unwrap().rekey_pending);
    assert!(opens(&alice, KEY) && opens(&alice, NEW));
    alice.client().confirm_rekey().unwrap();
    assert!(!alice.client().storage_info().unwrap().rekey_pending);
    assert!(!opens(&alice, KEY) && opens(&alice, NEW));
    alice.key = NEW;
    alice.reload();
    assert_eq!(alice.epoch(&id), 0);
}

#[test]
fn an_app_killed_before_it_saved_the_new_key_goes_on_with_the_old_one() {
    let mut alice = Device::new("alice");
    alice.client().rekey(NEW.to_vec()).unwrap();
    alice.reload();
    // It tries again, with another key: the one that was never saved is replaced.
    alice.client().rekey(NEWER.to_vec()).unwrap();
    assert!(opens(&alice, KEY) && opens(&alice, NEWER) && !opens(&alice, NEW));
    alice.client().confirm_rekey().unwrap();
    assert!(!opens(&alice, KEY) && opens(&alice, NEWER));
}

#[test]
fn an_app_killed_after_it_saved_the_new_key_confirms_with_it() {
    let mut alice = Device::new("alice");
    alice.client().rekey(NEW.to_vec()).unwrap();
    alice.key = NEW;
    alice.reload();
    alice.client().confirm_rekey().unwrap();
    assert!(!opens(&alice, KEY) && opens(&alice, NEW));
}

#[test]
fn a_second_rekey_before_the_confirmation_keeps_the_key_that_the_app_has() {
    let alice = Device::new("alice");
    alice.client().rekey(NEW.to_vec()).unwrap();
    alice.client().rekey(NEWER.to_vec()).unwrap();
    assert!(opens(&alice, KEY) && opens(&alice, NEWER) && !opens(&alice, NEW));
}

#[test]
fn a_client_with_the_old_key_cannot_confirm_another_ones_change() {
    let alice = Device::new("alice");
    let extension = open(&alice, KEY).unwrap();
    alice.client().rekey(NEW.to_vec()).unwrap();
    assert_eq!(extension.confirm_rekey(), Err(MlsError::WrongDatabaseKey));
    alice.client().confirm_rekey().unwrap();
    // What it has opened it keeps using; only its next start needs the new key.
    assert_eq!(extension.identities().unwrap().len(), 1);
}

#[test]
fn confirming_without_a_change_does_nothing_and_bad_keys_are_refused() {
    let alice = Device::new("alice");
    alice.client().confirm_rekey().unwrap();
    assert!(opens(&alice, KEY));
    for key in [vec![], vec![1; 31], vec![1; 33]] {
        let error = alice.client().rekey(key).unwrap_err();
        assert!(matches!(error, MlsError::InvalidArgument { ref argument, .. } if argument == "new_key"));
    }
}

#[test]
fn rekeying_rewrites_no_value_and_erases_the_old_wrap() {
    let alice = Device::new("alice");
    alice.create_group();
    let value = |device: &Device| -> Vec<u8> {
        Connection::open(device.path())
            .unwrap()
            .query_row("SELECT value FROM mls_group", [], |row| row.get(0))
            .unwrap()
    };
    let (before, old) = (value(&alice), wrapped_keys(&alice.path()).remove(0));
    alice.client().rekey(NEW.to_vec()).unwrap();
    alice.client().confirm_rekey().unwrap();
    assert_eq!(value(&alice), before);
    for ending in ["", "-wal", "-shm"] {
        let bytes = fs::read(format!("{}{ending}", alice.path().display())).unwrap_or_default();
        assert!(!bytes.windows(old.len()).any(|window| window == old), "{ending}");
    }
}

#[test]
fn rotating_the_data_key_reseals_every_value_and_keeps_everything() {
    let (mut alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    alice.read(&id, &bob.send(&id, "before"));
    let pending = alice.group(&id).self_update(None).unwrap();
    alice
        .client()
        .create_key_packages(alice.identity.clone(), 3, None)
        .unwrap();
    alice
        .client()
        .process_messages(vec![common::incoming(&bob.send(&id, "batch"), 7)], None)
        .unwrap();
    let inbox = alice.client().inbox(10).unwrap();
    let old_file = fs::read(alice.path()).unwrap();

    alice.client().rotate_data_key().unwrap();
    for round in 0..2 {
        assert_eq!(
            alice.group(&id).pending_commit().unwrap().as_ref(),
            Some(&pending),
            "{round}"
        );
        assert_eq!(alice.client().key_packages().unwrap().len(), 3);
        assert_eq!(alice.client().inbox(10).unwrap(), inbox);
        assert_eq!(alice.client().cursor().unwrap(), Some(vec![0, 0, 0, 7]));
        alice.reload();
    }
    alice.group(&id).merge_pending_commit().unwrap();
    bob.receive(&id, &pending.commit);
    assert_agree(&id, &[&alice, &bob]);

    // Nothing of what the old file held stands in the new one: every value has another ciphertext.
    let new_file = fs::read(alice.path()).unwrap();
    let shared = old_file
        .chunks_exact(64)
        .filter(|chunk| chunk.iter().any(|byte| *byte != 0))
        .filter(|chunk| new_file.windows(64).any(|window| window == *chunk))
        .count();
    // The schema's text is the same in both.
    assert!(shared * 64 < 16384, "{shared}");
}

#[test]
fn another_process_follows_a_rotation() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let extension = open(&alice, KEY).unwrap();
    extension.group(id.clone()).unwrap().info().unwrap();
    alice.client().rotate_data_key().unwrap();
    let message = bob.send(&id, "to the extension");
    extension
        .group(id.clone())
        .unwrap()
        .process_message(message)
        .unwrap();
    assert_eq!(alice.client().inbox(10).unwrap().len(), 1);
    extension.rotate_data_key().unwrap();
    assert_eq!(bob.read(&id, &alice.send(&id, "and on")), "and on");
}

#[test]
fn a_rotation_waits_for_the_confirmation_of_a_rekey() {
    let alice = Device::new("alice");
    alice.client().rekey(NEW.to_vec()).unwrap();
    assert_eq!(alice.client().rotate_data_key(), Err(MlsError::RekeyPending));
    alice.client().confirm_rekey().unwrap();
    alice.client().rotate_data_key().unwrap();
    assert!(!opens(&alice, KEY) && opens(&alice, NEW));
}
