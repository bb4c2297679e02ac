//! Several clients on one file, of which one changes its keys or moves it: the others hear of it, on every call, and
//! harm nothing.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod common;

use std::{fs, sync::Arc};

use common::{Device, KEY, SUITE, basic};
use mls_mobile::{
    ClientConfig, GroupId, MlsClient, MlsError,
    fault::{self, Plan},
};

const NEW: [u8; 32] = [8; 32];
const NEWER: [u8; 32] = [9; 32];

fn opens(device: &Device, key: [u8; 32]) -> bool {
    let config = ClientConfig::new(device.path().to_str().unwrap(), key);
    match MlsClient::open(config, None, None) {
        Ok(client) => {
            assert!(!client.identities().unwrap().is_empty());
            true
        }
        Err(MlsError::WrongDatabaseKey) => false,
        Err(other) => panic!("{other:?}"),
    }
}

fn create_identity(client: &MlsClient) -> Result<(), MlsError> {
    client.create_identity(basic("another"), SUITE).map(drop)
}

/// A call of a client whose transaction looks at the header: reads, writes, and changes of keys.
type Call = fn(&MlsClient, &GroupId) -> Result<(), MlsError>;

const CALLS: &[(&str, Call)] = &[
    ("identities", |client, _| client.identities().map(drop)),
    ("create_identity", |client, _| create_identity(client)),
    ("group", |client, id| client.group(id.clone()).map(drop)),
    ("inbox", |client, _| client.inbox(10).map(drop)),
    ("rekey", |client, _| client.rekey(NEWER.to_vec())),
    ("confirm_rekey", |client, _| client.confirm_rekey()),
    ("rotate_data_key", |client, _| client.rotate_data_key()),
];

/// Runs `call` with its `point`-th point failing; tells whether that point was reached.
fn with_failure<T>(point: u64, call: impl FnOnce() -> T) -> (T, bool) {
    fault::arm(Plan::FailAt(point));
    let answer = call();
    (answer, fault::disarm() > point)
}

/// The app has a new key, confirmed, and a new data key; the extension was opened with the old key.
fn app_with_new_keys_and_extension_without() -> (Device, Arc<MlsClient>, GroupId) {
    let mut app = Device::new("alice");
    let id = app.create_group();
    let extension = app.open_again(|_| ());
    for (name, call) in CALLS.iter().take(4) {
        call(&extension, &id).unwrap_or_else(|error| panic!("{name}: {error:?}"));
    }
    app.client().rekey(NEW.to_vec()).unwrap();
    app.client().confirm_rekey().unwrap();
    app.client().rotate_data_key().unwrap();
    app.key = NEW;
    (app, extension, id)
}

#[test]
fn every_call_with_a_replaced_key_is_refused_after_a_rotation_and_writes_nothing() {
    let (app, extension, id) = app_with_new_keys_and_extension_without();
    let every_call_is_refused = |round: usize| {
        let before = app.dump();
        for (name, call) in CALLS {
            assert_eq!(
                call(&extension, &id),
                Err(MlsError::WrongDatabaseKey),
                "{name}, round {round}"
            );
        }
        assert!(before == app.dump(), "round {round}: the file has changed");
    };
    for round in 0..3 {
        every_call_is_refused(round);
        // Also after what the app wrote and rotated in between.
        assert_eq!(app.client().identities().unwrap().len(), 2 + round);
        create_identity(app.client()).unwrap();
        app.client().rotate_data_key().unwrap();
    }
    assert!(opens(&app, NEW) && !opens(&app, KEY));
}

#[test]
fn a_failing_disk_does_not_hide_a_replaced_key() {
    for (name, call) in CALLS {
        let (app, extension, id) = app_with_new_keys_and_extension_without();
        let before = app.dump();
        let mut point = 0;
        loop {
            let (answer, failed) = with_failure(point, || call(&extension, &id));
            if !failed {
                assert_eq!(answer, Err(MlsError::WrongDatabaseKey), "{name}");
                break;
            }
            assert_eq!(answer, Err(MlsError::StorageIo), "{name}, point {point}");
            for (next, call) in CALLS {
                let place = format!("{name}, point {point}, then {next}");
                assert_eq!(call(&extension, &id), Err(MlsError::WrongDatabaseKey), "{place}");
            }
            point += 1;
        }
        assert!(point > 1, "{name} looks at nothing");
        assert!(before == app.dump(), "{name}: the file has changed");
        app.client().identities().unwrap();
        app.client().rotate_data_key().unwrap();
    }
}

#[test]
fn a_failing_disk_does_not_hide_a_new_data_key() {
    let app = Device::new("alice");
    let extension = app.open_again(|_| ());
    let mut identities = app.client().identities().unwrap().len();
    let mut point = 0;
    loop {
        app.client().rotate_data_key().unwrap();
        let (answer, failed) = with_failure(point, || create_identity(&extension));
        if failed {
            assert_eq!(answer, Err(MlsError::StorageIo), "point {point}");
            // Sealed with the data key that the app has, or the app could not read it.
            create_identity(&extension).unwrap();
        }
        identities += 1;
        let found = app.client().identities().map(|found| found.len());
        assert_eq!(found, Ok(identities), "point {point}");
        if !failed {
            break;
        }
        point += 1;
    }
    assert!(point > 3, "the call looks at nothing");
    assert!(opens(&app, KEY));
}

#[test]
fn a_failing_disk_does_not_hide_that_the_database_was_moved() {
    for (name, call) in CALLS {
        let app = Device::new("alice");
        let id = app.create_group();
        let extension = app.open_again(|_| ());
        extension.groups().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("transfer").display().to_string();
        app.client().export_for_transfer(file, NEW.to_vec()).unwrap();
        let before = app.dump();
        let mut point = 0;
        loop {
            let (answer, failed) = with_failure(point, || call(&extension, &id));
            if !failed {
                assert_eq!(answer, Err(MlsError::Transferred), "{name}");
                break;
            }
            assert_eq!(answer, Err(MlsError::StorageIo), "{name}, point {point}");
            assert_eq!(
                call(&extension, &id),
                Err(MlsError::Transferred),
                "{name}, point {point}"
            );
            point += 1;
        }
        assert!(point > 0, "{name} looks at nothing");
        assert!(before == app.dump(), "{name}: the file has changed");
    }
}

#[test]
fn a_client_with_a_replaced_key_cannot_rotate_the_data_key() {
    let app = Device::new("alice");
    let extension = app.open_again(|_| ());
    app.client().rekey(NEW.to_vec()).unwrap();
    app.client().confirm_rekey().unwrap();
    let before = app.dump();
    for _ in 0..2 {
        assert_eq!(extension.rotate_data_key(), Err(MlsError::WrongDatabaseKey));
    }
    assert!(before == app.dump(), "the file has changed");
    assert!(opens(&app, NEW) && !opens(&app, KEY));
    app.client().rotate_data_key().unwrap();
    assert!(opens(&app, NEW) && !opens(&app, KEY));
}

#[test]
fn a_key_that_another_client_replaced_cannot_be_confirmed_and_nobody_is_locked_out() {
    let app = Device::new("alice");
    let other = app.open_again(|_| ());
    app.client().rekey(NEW.to_vec()).unwrap();
    other.rekey(NEWER.to_vec()).unwrap();
    // The first one's new key is gone from the file: erasing the others would leave no key at all.
    for _ in 0..2 {
        assert_eq!(app.client().confirm_rekey(), Err(MlsError::WrongDatabaseKey));
        assert!(opens(&app, KEY) && opens(&app, NEWER) && !opens(&app, NEW));
    }
    other.confirm_rekey().unwrap();
    assert!(!opens(&app, KEY) && opens(&app, NEWER) && !opens(&app, NEW));
    other.rotate_data_key().unwrap();
    assert!(opens(&app, NEWER));
}

#[test]
fn an_app_that_repeats_its_rekey_after_a_start_with_the_new_key_can_confirm_it() {
    let mut alice = Device::new("alice");
    let id = alice.create_group();
    for _ in 0..2 {
        alice.client().rekey(NEW.to_vec()).unwrap();
        alice.key = NEW;
        alice.reload();
        assert!(opens(&alice, NEW));
    }
    alice.client().confirm_rekey().unwrap();
    assert!(!alice.client().storage_info().unwrap().rekey_pending);
    assert!(opens(&alice, NEW) && !opens(&alice, KEY));
    alice.client().rotate_data_key().unwrap();
    alice.reload();
    assert_eq!(alice.epoch(&id), 0);
    // The key that it has already, from the beginning.
    let mut bob = Device::new("bob");
    bob.client().rekey(KEY.to_vec()).unwrap();
    bob.reload();
    bob.client().confirm_rekey().unwrap();
    bob.client().rotate_data_key().unwrap();
    assert!(opens(&bob, KEY));
}

#[test]
fn an_export_by_a_client_with_a_replaced_key_freezes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("transfer").display().to_string();
    for rotated in [false, true] {
        let app = Device::new("alice");
        let extension = app.open_again(|_| ());
        app.client().rekey(NEW.to_vec()).unwrap();
        app.client().confirm_rekey().unwrap();
        if rotated {
            app.client().rotate_data_key().unwrap();
        }
        let before = app.dump();
        assert_eq!(
            extension.export_for_transfer(file.clone(), NEWER.to_vec()),
            Err(MlsError::WrongDatabaseKey),
            "{rotated}"
        );
        assert!(before == app.dump(), "{rotated}: the file has changed");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "{rotated}");
        create_identity(app.client()).unwrap();
        assert!(opens(&app, NEW));
    }
}
