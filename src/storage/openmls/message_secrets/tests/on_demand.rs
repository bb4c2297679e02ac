//! Past epochs that stay on disk: what is read, what can be written without them, and what is refused.

use super::{
    GROUP, MessageSecretsStore, PARTS, Rows, Unsplit, count, in_transaction, later_store, read, split, store,
    write,
};
use crate::storage::{
    ReadTx, StorageError, WriteTx, codec,
    secret_parts::{Epochs, HEAD, Touched},
    tx::Savepoint,
};

/// Of 40 members, with three past epochs, in which members have sent.
fn with_past_epochs() -> MessageSecretsStore {
    let mut store = store(40);
    for epoch in 1..=4 {
        store.message_secrets.step(3);
        store.message_secrets.step(20);
        store.advance(epoch, 40);
    }
    store.message_secrets.step(5);
    store
}

#[test]
fn the_current_epoch_alone_is_the_value_without_the_others() {
    let store = with_past_epochs();
    let mut rows = Rows::default();
    rows.write(&store, None);
    let (value, _) = rows.read_current().unwrap();
    assert!(value == codec::encode(&store.current_only()).unwrap());
    let mut first = super::store(40);
    let mut rows = Rows::default();
    rows.write(&first, None);
    assert!(rows.read_current().is_none(), "there is nothing to leave");
    first.advance(1, 40);
    rows.write(&first, None);
    assert!(rows.read_current().is_some());
}

#[test]
fn what_is_written_without_past_epochs_leaves_theirs_as_they_are() {
    let mut store = with_past_epochs();
    let mut rows = Rows::default();
    rows.write(&store, None);
    assert!(rows.reload_current());
    for sender in [5, 5, 39, 39] {
        store.message_secrets.step(sender);
        let written = rows.write_current(&store);
        let current = rows.stored.as_ref().unwrap().head.current_parts().unwrap();
        let others = written
            .iter()
            .filter(|part| **part != HEAD && !current.contains(part));
        assert_eq!(others.count(), 0, "{written:?}");
        rows.assert_hold(&store);
    }
    rows.reload();
    assert_eq!(rows.write(&store, None), [0; 0]);
}

#[test]
fn a_lost_row_of_the_current_epoch_is_corruption_and_those_of_others_are_not_looked_at() {
    let mut rows = Rows::default();
    rows.write(&with_past_epochs(), None);
    let (_, stored) = rows.read_current().unwrap();
    let current = stored.head.current_parts().unwrap();
    let all: Vec<u64> = rows.rows.keys().copied().filter(|part| *part != HEAD).collect();
    assert!(all.iter().any(|part| current.contains(part)));
    for part in all {
        let lost = rows.rows.remove(&part).unwrap();
        let parts = rows.rows.range(current.clone());
        let parts = parts.map(|(part, bytes)| (*part, bytes.clone().into()));
        let head = codec::decode(&rows.rows[&HEAD]).unwrap();
        let found = super::StoredSecrets::read_current(GROUP, head, parts.collect());
        assert_eq!(found.is_err(), current.contains(&part), "{part}");
        rows.rows.insert(part, lost);
    }
}

#[test]
fn what_would_lose_past_epochs_is_not_split() {
    let mut store = with_past_epochs();
    let mut rows = Rows::default();
    rows.write(&store, None);
    rows.reload_current();
    let stored = rows.stored.as_ref();
    let is_refused = |store: &MessageSecretsStore, touched| {
        matches!(split(store, stored, touched), Err(Unsplit::LacksPastEpochs))
    };
    let current = Some(Touched::Current);
    assert!(is_refused(&store.current_only(), None));
    assert!(is_refused(&store.current_only(), Some(Touched::Past(3))));
    assert!(is_refused(&store, current), "other past epochs than are stored");
    assert!(!is_refused(&store.current_only(), current));
    store.advance(5, 40);
    assert!(
        is_refused(&store.current_only(), current),
        "another current epoch"
    );
}

/// As a group is loaded for what needs no past epochs.
fn read_current(tx: &ReadTx<'_>) -> MessageSecretsStore {
    let found = tx.loading(Epochs::Current, || read(tx, &GROUP));
    found.unwrap().unwrap()
}

fn is_refused(tx: &WriteTx<'_>, write: impl FnOnce() -> Result<(), StorageError>) {
    let before = tx.rows("SELECT part, value FROM message_secrets", [], |row| {
        Ok((row.get::<_, u64>(0)?, row.get::<_, Vec<u8>>(1)?))
    });
    assert!(matches!(write(), Err(StorageError::LacksPastEpochs)));
    let after = tx.rows("SELECT part, value FROM message_secrets", [], |row| {
        Ok((row.get::<_, u64>(0)?, row.get::<_, Vec<u8>>(1)?))
    });
    assert!(before.unwrap() == after.unwrap(), "it wrote before it refused");
}

#[test]
fn storage_refuses_to_lose_past_epochs_whatever_is_remembered() {
    let folder = tempfile::tempdir().unwrap();
    in_transaction(&folder.path().join("mls.db"), |tx| {
        let mut whole = with_past_epochs();
        write(tx, &GROUP, &whole).unwrap();
        for forgets in [false, true] {
            let mut value = read_current(tx);
            assert_eq!(value, whole.current_only());
            if forgets {
                tx.savepoint(Savepoint::Begin).unwrap();
                tx.savepoint(Savepoint::Undo).unwrap();
            }
            value.message_secrets.step(7);
            is_refused(tx, || write(tx, &GROUP, &value));
            is_refused(tx, || tx.touching(Touched::Past(3), || write(tx, &GROUP, &value)));
            is_refused(tx, || {
                tx.touching(Touched::Current, || write(tx, &GROUP, &later_store()))
            });
            let mut next = value.clone();
            next.advance(9, 40);
            next.past_epoch_trees.clear();
            is_refused(tx, || tx.touching(Touched::Current, || write(tx, &GROUP, &next)));
        }
        assert_eq!(read(tx, &GROUP).unwrap().as_ref(), Some(&whole));
        // Now it is whole, and may be written.
        whole.past_epoch_trees.clear();
        write(tx, &GROUP, &whole).unwrap();
        assert_eq!(read(tx, &GROUP).unwrap(), Some(whole));
    });
}

#[test]
fn the_current_epoch_is_written_also_if_nobody_remembers_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    in_transaction(&folder.path().join("mls.db"), |tx| {
        let mut whole = with_past_epochs();
        write(tx, &GROUP, &whole).unwrap();
        let rows = count(tx, PARTS);
        let mut value = read_current(tx);
        for _ in 0..2 {
            value.message_secrets.step(5);
            whole.message_secrets.step(5);
            tx.savepoint(Savepoint::Begin).unwrap();
            tx.savepoint(Savepoint::Undo).unwrap();
            tx.touching(Touched::Current, || write(tx, &GROUP, &value))
                .unwrap();
        }
        assert_eq!(count(tx, PARTS), rows);
        assert_eq!(read(tx, &GROUP).unwrap(), Some(whole));
    });
}
