//! Databases that earlier versions wrote: each opens, for ever.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

use std::{fs, path::Path};

use mls_mobile::{ClientConfig, MlsClient, ProcessedMessage};

#[path = "fixtures/frozen/v1/writer.rs"]
mod writer_v1;

const V1: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/frozen/v1");

fn plaintext(processed: ProcessedMessage) -> String {
    match processed {
        ProcessedMessage::Application { plaintext, .. } => String::from_utf8(plaintext).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_database_of_schema_1_opens_with_everything_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alice.db");
    fs::copy(Path::new(V1).join("alice.db"), &path).unwrap();
    let read = |name: &str| fs::read(Path::new(V1).join(name)).unwrap();
    let config = ClientConfig::new(path.display().to_string(), writer_v1::KEY);
    let client = MlsClient::open(config, None, None).unwrap();

    assert_eq!(client.identities().unwrap().len(), 2);
    let key_packages = client.key_packages().unwrap();
    assert_eq!(
        key_packages.iter().filter(|package| package.last_resort).count(),
        1
    );
    assert_eq!(key_packages.len(), 4);
    assert_eq!(client.cursor().unwrap(), Some(b"cursor 1".to_vec()));
    let inbox = client.inbox(10).unwrap();
    assert_eq!(inbox.len(), 2);
    assert_eq!(plaintext(inbox[0].outcome.clone()), "first, read");
    assert!(matches!(inbox[1].outcome, ProcessedMessage::Commit { .. }));

    let summary = client.groups().unwrap().remove(0);
    let group = client.group(summary.group_id).unwrap();
    let state = group.info().unwrap();
    assert_eq!(
        (state.epoch, state.has_pending_commit, summary.epoch),
        (3, true, 3)
    );
    assert_eq!(state.epoch_authenticator, read("authenticator.bin"));
    assert_eq!(group.members().unwrap().len(), 3);
    assert_eq!(
        plaintext(group.process_message(read("late.mls")).unwrap()),
        "late, of a past epoch"
    );
    assert_eq!(
        plaintext(group.process_message(read("next.mls")).unwrap()),
        "next, of this epoch"
    );
    assert_eq!(
        group.pending_commit().unwrap().unwrap().commit,
        read("pending-commit.mls")
    );
    let echo = group.process_message(read("pending-commit.mls")).unwrap();
    assert!(
        matches!(echo, ProcessedMessage::OwnCommit { epoch: 4, .. }),
        "{echo:?}"
    );
    group.create_message(b"and on".to_vec(), vec![]).unwrap();
    client.rotate_data_key().unwrap();
}

#[test]
fn the_frozen_files_are_those_that_were_frozen() {
    use openmls_traits::{crypto::OpenMlsCrypto, types::HashType};
    let crypto = openmls_libcrux_crypto::CryptoProvider::new().unwrap();
    let list = fs::read_to_string(Path::new(V1).join("SHA256SUMS")).unwrap();
    assert!(list.lines().count() >= 5);
    for line in list.lines() {
        let (expected, name) = line.split_once("  ").unwrap();
        let found = crypto
            .hash(HashType::Sha2_256, &fs::read(Path::new(V1).join(name)).unwrap())
            .unwrap();
        let found: String = found.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(found, expected, "{name}");
    }
}

/// `FROZEN=folder cargo test --test frozen -- --ignored` writes a new one, for a new schema.
#[test]
#[ignore = "writes the fixture"]
fn write_the_frozen_database() {
    let folder = std::env::var("FROZEN").expect("FROZEN names a folder");
    writer_v1::write(Path::new(&folder)).unwrap();
}
