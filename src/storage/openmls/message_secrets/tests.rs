//! Stores with the names and fields of OpenMLS 0.9.2, and stores with others.

mod members;
mod on_demand;

use std::{collections::BTreeMap, path::Path, time::Duration};

use ::openmls::group::GroupId;
use serde::{Deserialize, Serialize};

use super::{
    Kind, group_state, read,
    split::{Unsplit, split},
    write,
};
use crate::{
    error::Error,
    secret::{Secret, SecretBytes},
    storage::{
        Store, WriteTx, codec, groups,
        openmls::group_key,
        seal::Index,
        secret_parts::{CHUNK, HEAD, Head, HeldSecrets, StoredSecrets, Touched, is_members},
        tx::Savepoint,
    },
};

const GROUP: Index = [1; 16];

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct MessageSecretsStore {
    max_epochs: usize,
    past_epoch_trees: Vec<EpochTree>,
    message_secrets: MessageSecrets,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct EpochTree {
    epoch: u64,
    message_secrets: MessageSecrets,
    leaves: Vec<(u32, String)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct MessageSecrets {
    sender_data_secret: Vec<u8>,
    membership_key: Vec<u8>,
    confirmation_key: Vec<u8>,
    serialized_context: Vec<u8>,
    secret_tree: SecretTree,
    added_at: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct SecretTree {
    own_index: u32,
    leaf_nodes: Vec<Option<Vec<u8>>>,
    parent_nodes: Vec<Option<Vec<u8>>>,
    handshake_sender_ratchets: Vec<Option<Ratchet>>,
    application_sender_ratchets: Vec<Option<Ratchet>>,
    size: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Ratchet {
    Encryption(u32),
    Decryption { past: Vec<Option<u8>>, head: u32 },
}

fn secrets(epoch: u8, members: usize) -> MessageSecrets {
    let mut parent_nodes = vec![None; members];
    if let Some(root) = parent_nodes.get_mut(members / 2) {
        *root = Some(vec![epoch; 32]);
    }
    MessageSecrets {
        sender_data_secret: vec![epoch; 32],
        membership_key: vec![2; 32],
        confirmation_key: vec![3; 32],
        serialized_context: vec![epoch; 100],
        secret_tree: SecretTree {
            own_index: 0,
            leaf_nodes: vec![None; members],
            parent_nodes,
            handshake_sender_ratchets: vec![None; members],
            application_sender_ratchets: vec![None; members],
            size: members as u32,
        },
        added_at: Some(epoch.into()),
    }
}

fn store(members: usize) -> MessageSecretsStore {
    MessageSecretsStore {
        max_epochs: 3,
        past_epoch_trees: Vec::new(),
        message_secrets: secrets(0, members),
    }
}

impl MessageSecretsStore {
    fn current_only(&self) -> Self {
        Self {
            past_epoch_trees: Vec::new(),
            ..self.clone()
        }
    }

    /// As after a Commit.
    fn advance(&mut self, epoch: u8, members: usize) {
        let past = std::mem::replace(&mut self.message_secrets, secrets(epoch, members));
        let count = past.secret_tree.leaf_nodes.len();
        if self.past_epoch_trees.len() == self.max_epochs {
            self.past_epoch_trees.remove(0);
        }
        self.past_epoch_trees.push(EpochTree {
            epoch: u64::from(epoch) - 1,
            message_secrets: past,
            leaves: (0..count as u32).map(|n| (n, format!("member {n}"))).collect(),
        });
    }
}

impl MessageSecrets {
    /// As after a message of a member.
    fn step(&mut self, sender: usize) {
        let tree = &mut self.secret_tree;
        match &mut tree.application_sender_ratchets[sender] {
            Some(Ratchet::Decryption { past, head }) => {
                past.push(past.len().is_multiple_of(3).then_some(7));
                *head += 1;
            }
            Some(Ratchet::Encryption(head)) => *head += 1,
            empty => {
                *empty = Some(Ratchet::Decryption {
                    past: Vec::new(),
                    head: 0,
                });
                tree.handshake_sender_ratchets[sender] = Some(Ratchet::Encryption(0));
                tree.leaf_nodes[sender] = None;
                tree.parent_nodes.iter_mut().for_each(|node| *node = None);
                if let Some(sibling) = tree.leaf_nodes.get_mut(sender ^ 1) {
                    *sibling = Some(vec![sender as u8; 32]);
                }
            }
        }
    }
}

/// Rows as a file would hold them, and what is remembered of them.
#[derive(Default)]
struct Rows {
    rows: BTreeMap<u64, Vec<u8>>,
    stored: Option<StoredSecrets>,
}

impl Rows {
    /// Writes, and tells which rows changed.
    fn write(&mut self, store: &MessageSecretsStore, touched: Option<Touched>) -> Vec<u64> {
        let change = split(store, self.stored.as_ref(), touched).unwrap();
        let mut written = change.removed.clone();
        for part in &change.removed {
            assert!(
                self.rows.remove(part).is_some(),
                "a row that is not there is removed"
            );
        }
        for (part, bytes) in &change.changed {
            self.rows.insert(*part, bytes.to_vec());
            written.push(*part);
        }
        let stored = self.stored.take().unwrap_or_else(|| StoredSecrets::none(GROUP));
        let (stored, head_changed) = stored.after(change);
        if head_changed {
            self.rows
                .insert(HEAD, codec::encode(&stored.head).unwrap().to_vec());
            written.push(HEAD);
        }
        self.stored = Some(stored);
        written
    }

    fn read(&self) -> (SecretBytes, StoredSecrets) {
        let parts = self.rows.iter();
        let parts = parts.map(|(part, bytes)| (*part, SecretBytes::new(bytes.clone())));
        StoredSecrets::read(GROUP, parts.collect()).unwrap()
    }

    /// Loses what is remembered, as a call that fails does, and loads it again.
    fn reload(&mut self) {
        self.stored = Some(self.read().1);
    }

    /// The current epoch alone, if there are others: what becomes of the value.
    fn read_current(&self) -> Option<(SecretBytes, StoredSecrets)> {
        let head: Head = codec::decode(&self.rows[&HEAD]).unwrap();
        let parts = self.rows.range(head.current_parts()?);
        let parts = parts.map(|(part, bytes)| (*part, SecretBytes::new(bytes.clone())));
        Some(StoredSecrets::read_current(GROUP, head, parts.collect()).unwrap())
    }

    fn reload_current(&mut self) -> bool {
        if self.rows.is_empty() {
            return false;
        }
        let current = self.read_current();
        let is_there = current.is_some();
        self.stored = current.map(|(_, stored)| stored).or(self.stored.take());
        is_there
    }

    /// As a group does that has no past epochs in memory.
    fn write_current(&mut self, store: &MessageSecretsStore) -> Vec<u64> {
        self.write(&store.current_only(), Some(Touched::Current))
    }

    fn assert_hold(&self, store: &MessageSecretsStore) {
        let whole = codec::encode(store).unwrap();
        assert!(self.read().0 == whole, "other bytes than the codec's");
    }
}

#[test]
fn the_parts_together_are_what_the_codec_makes_of_the_whole() {
    for members in [1, 2, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK, 70_000] {
        let mut store = store(members);
        let mut rows = Rows::default();
        rows.write(&store, None);
        rows.assert_hold(&store);
        for epoch in 1..=if members < 1000 { 5 } else { 1 } {
            store.message_secrets.step(members - 1);
            store.message_secrets.step(members / 2);
            store.advance(epoch, members);
            rows.write(&store, None);
            rows.assert_hold(&store);
        }
    }
}

#[test]
fn after_any_history_the_rows_hold_the_value() {
    let mut random = 7_u64;
    let mut below = |n: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 33) as usize % n
    };
    let mut store = store(40);
    let mut rows = Rows::default();
    let mut epoch = 0;
    for _ in 0..1000 {
        let was_current = rows.stored.as_ref().is_some_and(|it| it.unread.is_some());
        let only_current = below(3) == 0 && (was_current || rows.reload_current());
        if was_current && !only_current {
            rows.reload();
        }
        let touched = match below(20) {
            _ if only_current => {
                store.message_secrets.step(below(30));
                rows.write_current(&store);
                rows.assert_hold(&store);
                continue;
            }
            0 => {
                epoch += 1;
                store.advance(epoch, 30 + below(40));
                let newest = store.past_epoch_trees.last_mut().unwrap();
                newest.leaves.retain(|_| below(20) > 0);
                if let Some((_, name)) = newest.leaves.first_mut() {
                    *name = format!("another in {epoch}");
                }
                None
            }
            1 => {
                let kept = below(store.past_epoch_trees.len() + 1);
                store.past_epoch_trees.drain(..kept);
                None
            }
            2 => {
                rows.reload();
                None
            }
            3 => {
                // Nobody knows what the rows hold: all are written again.
                rows = Rows::default();
                None
            }
            4 => {
                // Ratchets are never taken away one by one; whatever a list loses, its rows lose.
                let tree = &mut store.message_secrets.secret_tree;
                let at = below(tree.size as usize);
                tree.application_sender_ratchets[at] = None;
                tree.handshake_sender_ratchets[at] = None;
                None
            }
            5..10 if !store.past_epoch_trees.is_empty() => {
                let index = below(store.past_epoch_trees.len());
                let past = &mut store.past_epoch_trees[index];
                past.message_secrets.step(below(30));
                Some(Touched::Past(past.epoch))
            }
            _ => {
                store.message_secrets.step(below(30));
                Some(Touched::Current)
            }
        };
        let touched = touched.filter(|_| below(2) == 0);
        rows.write(&store, touched);
        rows.assert_hold(&store);
    }
    assert!(epoch > 20);
}

#[test]
fn a_message_writes_one_row_and_a_commit_no_list_of_members_twice() {
    let mut store = store(200);
    for epoch in 1..=3 {
        store.advance(epoch, 200);
    }
    store.message_secrets.step(77);
    let mut rows = Rows::default();
    let all = rows.write(&store, None);
    let lists = all.iter().filter(|part| is_members(**part)).count();
    assert_eq!(lists, 200_usize.div_ceil(CHUNK), "three lists that are the same");
    store.message_secrets.step(77);
    assert_eq!(rows.write(&store, None).len(), 1);
    assert_eq!(rows.write(&store, None), [0; 0]);
    rows.reload();
    assert_eq!(rows.write(&store, None), [0; 0], "what was read is known");

    store.advance(4, 200);
    let written = rows.write(&store, None);
    assert!(!written.into_iter().any(is_members), "nobody came or went");
    rows.assert_hold(&store);
}

#[test]
fn what_the_last_list_of_an_epoch_loses_its_rows_lose() {
    let mut store = store(40);
    store.message_secrets.step(39);
    let mut rows = Rows::default();
    rows.write(&store, None);
    store.message_secrets.secret_tree.application_sender_ratchets[39] = None;
    assert_eq!(
        rows.write(&store, None).len(),
        2,
        "the row and the head that counts it"
    );
    rows.assert_hold(&store);
}

#[test]
fn a_lost_row_is_corruption() {
    let mut store = store(40);
    store.message_secrets.step(3);
    store.advance(1, 40);
    let mut rows = Rows::default();
    rows.write(&store, None);
    for part in rows.rows.keys() {
        let rest = rows.rows.iter().filter(|(other, _)| *other != part);
        let rest = rest.map(|(part, bytes)| (*part, SecretBytes::new(bytes.clone())));
        assert!(StoredSecrets::read(GROUP, rest.collect()).is_err(), "{part}");
    }
}

/// The store of a later OpenMLS, perhaps.
mod later {
    use serde::{Deserialize, Serialize};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    pub(super) struct MessageSecretsStore {
        pub(super) max_epochs: usize,
        pub(super) past_epoch_trees: Vec<super::EpochTree>,
        pub(super) message_secrets: super::MessageSecrets,
        pub(super) added: u8,
    }

    #[derive(Serialize)]
    #[serde(rename = "MessageSecretsStore")]
    pub(super) struct Renamed {
        pub(super) max_epochs: usize,
        pub(super) past_epochs: Vec<super::EpochTree>,
        pub(super) message_secrets: super::MessageSecrets,
    }

    #[derive(Serialize)]
    #[serde(rename = "MessageSecretsStore")]
    pub(super) struct Deeper {
        pub(super) max_epochs: usize,
        pub(super) past_epoch_trees: Vec<super::EpochTree>,
        pub(super) message_secrets: Vec<super::MessageSecrets>,
    }
}

fn later_store() -> later::MessageSecretsStore {
    let MessageSecretsStore {
        max_epochs,
        past_epoch_trees,
        message_secrets,
    } = store(20);
    later::MessageSecretsStore {
        max_epochs,
        past_epoch_trees,
        message_secrets,
        added: 5,
    }
}

#[test]
fn any_other_shape_is_not_split() {
    fn refused<T: Serialize>(value: &T) -> bool {
        matches!(split(value, None, None), Err(Unsplit::UnknownShape))
    }
    let renamed = later::Renamed {
        max_epochs: 3,
        past_epochs: Vec::new(),
        message_secrets: secrets(0, 4),
    };
    let deeper = later::Deeper {
        max_epochs: 3,
        past_epoch_trees: Vec::new(),
        message_secrets: vec![secrets(0, 4)],
    };
    assert!(refused(&later_store()));
    assert!(refused(&renamed));
    assert!(refused(&deeper));
    assert!(refused(&secrets(0, 4)));
    assert!(refused(&7) && refused(&"store") && refused(&Some(store(4))) && refused(&vec![store(4)]));
    assert!(!refused(&store(4)));
}

/// Runs `work` in a transaction that rolls back, so that the group needs no other rows.
fn in_transaction(path: &Path, work: impl FnOnce(&WriteTx<'_>)) {
    let key = Secret::new([1; 32]);
    let store = Store::open(path, &key, Duration::from_secs(5), None).unwrap();
    let done = store.dry_run(|call| {
        work(&call.tx);
        Ok::<_, Error>(())
    });
    done.unwrap();
}

fn count(tx: &WriteTx<'_>, sql: &str) -> i64 {
    tx.row(sql, [], |row| row.get(0)).unwrap().unwrap()
}

const PARTS: &str = "SELECT count(*) FROM message_secrets";
const WHOLE: &str = "SELECT count(*) FROM group_state WHERE kind = 7";

#[test]
fn an_unknown_shape_is_stored_whole_and_a_known_one_in_parts() {
    let folder = tempfile::tempdir().unwrap();
    in_transaction(&folder.path().join("mls.db"), |tx| {
        let mut known = store(20);
        write(tx, &GROUP, &known).unwrap();
        assert_eq!((count(tx, PARTS), count(tx, WHOLE)), (2, 0));

        let unknown = later_store();
        write(tx, &GROUP, &unknown).unwrap();
        assert_eq!((count(tx, PARTS), count(tx, WHOLE)), (0, 1));
        assert_eq!(read(tx, &GROUP).unwrap(), Some(unknown));

        // As in a file of schema 3, whose groups have theirs whole.
        group_state::write(tx, &GROUP, Kind::MessageSecrets, &known).unwrap();
        assert_eq!(read(tx, &GROUP).unwrap().as_ref(), Some(&known));
        known.message_secrets.step(3);
        write(tx, &GROUP, &known).unwrap();
        assert_eq!(count(tx, WHOLE), 0);
        assert_eq!(read(tx, &GROUP).unwrap(), Some(known));
    });
}

#[test]
fn what_a_savepoint_or_a_deleted_group_took_along_is_written_again() {
    let folder = tempfile::tempdir().unwrap();
    in_transaction(&folder.path().join("mls.db"), |tx| {
        let id = GroupId::from_slice(b"group");
        let key = group_key(tx, &id).unwrap();
        let run = |sql: &str| tx.execute(sql, [&key]).unwrap();
        run("INSERT INTO identity (identity_key, position, value) VALUES (?1, 1, x'')");
        let group =
            "INSERT INTO mls_group (group_key, identity_key, position, value) VALUES (?1, ?1, 1, x'')";
        run(group);
        let mut value = store(20);
        write(tx, &key, &value).unwrap();
        value.message_secrets.step(3);
        tx.savepoint(Savepoint::Begin).unwrap();
        write(tx, &key, &value).unwrap();
        tx.savepoint(Savepoint::Undo).unwrap();
        write(tx, &key, &value).unwrap();
        assert_eq!(read(tx, &key).unwrap().as_ref(), Some(&value), "undone");

        groups::delete(tx, &id).unwrap();
        run(group);
        write(tx, &key, &value).unwrap();
        assert_eq!(read(tx, &key).unwrap(), Some(value), "deleted");
    });
}

#[test]
fn what_the_rows_of_another_group_hold_is_not_taken_for_this_one() {
    let folder = tempfile::tempdir().unwrap();
    in_transaction(&folder.path().join("mls.db"), |tx| {
        const OTHER: Index = [2; 16];
        let value = store(20);
        write(tx, &GROUP, &value).unwrap();
        write(tx, &OTHER, &value).unwrap();
        tx.lend_secrets(HeldSecrets::default());
        assert_eq!(read(tx, &OTHER).unwrap().as_ref(), Some(&value));
        assert_eq!(read(tx, &GROUP).unwrap().as_ref(), Some(&value));
    });
}
