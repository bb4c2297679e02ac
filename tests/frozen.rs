//! Databases that earlier versions wrote: each opens, for ever.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

use std::{fs, path::Path, sync::Arc};

use mls_mobile::{AuthenticatorComparison, ClientConfig, EarlyLimits, GroupId, MlsClient, ProcessedMessage};
use tempfile::TempDir;

#[path = "fixtures/frozen/v2/writer.rs"]
mod writer_v2;

const V1: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/frozen/v1");
const V2: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/frozen/v2");

/// The key in `fixtures/frozen/v1/writer.rs`, which wrote that file.
const KEY_V1: [u8; 32] = [0x11; 32];

/// A copy of a frozen database, opened: the original must not change.
fn open(version: &str, key: [u8; 32]) -> (TempDir, Arc<MlsClient>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alice.db");
    fs::copy(Path::new(version).join("alice.db"), &path).unwrap();
    let mut config = ClientConfig::new(path.display().to_string(), key);
    // What came early may wait as long as the file is old.
    config.early_limits = Some(EarlyLimits {
        age_seconds: u64::from(u32::MAX),
        ..EarlyLimits::default()
    });
    (folder, MlsClient::open(config, None, None).unwrap())
}

fn plaintext(processed: ProcessedMessage) -> String {
    match processed {
        ProcessedMessage::Application { plaintext, .. } => String::from_utf8(plaintext).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_database_of_schema_1_opens_with_everything_in_it() {
    let (_folder, client) = open(V1, KEY_V1);
    let read = |name: &str| fs::read(Path::new(V1).join(name)).unwrap();

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
fn a_database_of_schema_2_opens_with_everything_in_it() {
    let (_folder, client) = open(V2, writer_v2::KEY);
    let read = |name: &str| fs::read(Path::new(V2).join(name)).unwrap();
    let group = |id: &[u8]| client.group(GroupId(id.to_vec())).unwrap();
    assert_eq!(client.groups().unwrap().len(), 3);
    assert_eq!(client.cursor().unwrap(), Some(b"cursor 2".to_vec()));

    let staged = group(writer_v2::STAGED);
    let state = staged.info().unwrap();
    assert_eq!(state.staged_commit.unwrap().to_epoch, 3);
    assert_eq!(
        (state.epoch, state.has_pending_commit, state.early_messages),
        (2, true, 2)
    );
    let past = staged.compare_authenticator(1, read("past-authenticator.bin"));
    assert_eq!(past.unwrap(), AuthenticatorComparison::Same);
    // The keys of past epochs were to live for a week, and the file is older: they are gone, and nothing else is.
    assert_eq!(
        staged.process_message(read("late.mls")).unwrap(),
        ProcessedMessage::Stale { epoch: 1 }
    );
    let merged = staged.merge_staged_commit().unwrap();
    assert!(merged.superseded.is_some());
    let released: Vec<_> = merged.released.into_iter().map(plaintext).collect();
    assert_eq!(released, ["early 1", "early 2"]);
    assert_eq!(staged.epoch_authenticator().unwrap(), read("authenticator.bin"));
    assert_eq!(
        plaintext(staged.process_message(read("next.mls")).unwrap()),
        "next"
    );

    let cleared = group(writer_v2::CLEARED);
    let echo = cleared.process_message(read("cleared-commit.mls")).unwrap();
    assert!(
        matches!(echo, ProcessedMessage::OwnCommit { epoch: 3, .. }),
        "{echo:?}"
    );

    let diverged = group(writer_v2::DIVERGED).info().unwrap();
    assert_eq!((diverged.epoch, diverged.rejected_epoch), (1, Some(2)));

    let joining = GroupId(writer_v2::JOINING.to_vec());
    let join = client.pending_external_join(joining.clone()).unwrap().unwrap();
    assert_eq!(join.commit, read("external-commit.mls"));
    let joined = client.confirm_external_join(joining).unwrap();
    let released: Vec<_> = joined.released.into_iter().map(plaintext).collect();
    assert_eq!((joined.epoch, released), (1, vec!["welcome".to_owned()]));
    client.rotate_data_key().unwrap();
}

#[test]
fn the_frozen_files_are_those_that_were_frozen() {
    use openmls_traits::{crypto::OpenMlsCrypto, types::HashType};
    let crypto = openmls_libcrux_crypto::CryptoProvider::new().unwrap();
    for version in [V1, V2] {
        let list = fs::read_to_string(Path::new(version).join("SHA256SUMS")).unwrap();
        assert!(list.lines().count() >= 5);
        for line in list.lines() {
            let (expected, name) = line.split_once("  ").unwrap();
            let file = fs::read(Path::new(version).join(name)).unwrap();
            let found = crypto.hash(HashType::Sha2_256, &file).unwrap();
            let found: String = found.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(found, expected, "{name}");
        }
    }
}

/// `FROZEN=folder cargo test --test frozen -- --ignored` writes a new one, for a new schema.
#[test]
#[ignore = "writes the fixture"]
fn write_the_frozen_database() {
    let folder = std::env::var("FROZEN").expect("FROZEN names a folder");
    writer_v2::write(Path::new(&folder)).unwrap();
}
