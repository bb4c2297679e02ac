//! Trees as OpenMLS writes them, small and large, and how they change.

use std::{path::Path, time::Duration};

use ::openmls::group::GroupId;
use serde::{Deserialize, Serialize};

use super::{Kind, group_state, read, write};
use crate::{
    error::Error,
    secret::Secret,
    storage::{StorageError, Store, WriteTx, groups, openmls::group_key, seal::Index, tx::Savepoint},
};

const GROUP: Index = [1; 16];

/// With lists where OpenMLS's `TreeSync` has them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Tree {
    tree: Nodes,
    tree_hash: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Nodes {
    leaf_nodes: Vec<Node>,
    parent_nodes: Vec<Node>,
    default_leaf: Node,
    default_parent: Node,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Node {
    node: Option<Vec<u8>>,
}

/// A leaf takes 200 bytes: 40 members are over the limit of a small tree and 32 are not.
fn tree(members: usize) -> Tree {
    let node = |length, n: usize| Node {
        node: Some(vec![n as u8; length]),
    };
    Tree {
        tree: Nodes {
            leaf_nodes: (0..members).map(|n| node(200, n)).collect(),
            parent_nodes: (1..members).map(|n| node(40, n)).collect(),
            default_leaf: Node::default(),
            default_parent: Node::default(),
        },
        tree_hash: vec![0; 32],
    }
}

impl Tree {
    /// As after a Commit of a member.
    fn commit(&mut self, member: usize, epoch: u8) {
        self.tree.leaf_nodes[member].node = Some(vec![epoch; 210]);
        self.tree.parent_nodes[member / 2].node = Some(vec![epoch; 40]);
        self.tree_hash = vec![epoch; 32];
    }
}

/// Runs `work` in a transaction that rolls back, so that the group needs no other rows.
fn in_transaction(work: impl FnOnce(&WriteTx<'_>)) {
    let folder = tempfile::tempdir().unwrap();
    let path: &Path = &folder.path().join("mls.db");
    let store = Store::open(path, &Secret::new([1; 32]), Duration::from_secs(5), None).unwrap();
    let done = store.dry_run(|call| {
        work(&call.tx);
        Ok::<_, Error>(())
    });
    done.unwrap();
}

/// The sealed parts. A seal never looks the same twice, so what was written differs.
fn parts(tx: &WriteTx<'_>) -> Vec<(i64, Vec<u8>)> {
    tx.rows(
        "SELECT part, value FROM tree_part WHERE group_key = ?1 ORDER BY part",
        [&GROUP],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
    .unwrap()
}

/// Which parts `work` wrote or removed.
fn written(tx: &WriteTx<'_>, work: impl FnOnce()) -> Vec<i64> {
    let before = parts(tx);
    work();
    let after = parts(tx);
    let gone = before
        .iter()
        .filter(|(part, _)| after.iter().all(|(other, _)| other != part));
    let changed = after.iter().filter(|row| !before.contains(row));
    gone.chain(changed).map(|(part, _)| *part).collect()
}

fn is_whole(tx: &WriteTx<'_>) -> bool {
    let row = tx
        .row("SELECT 1 FROM group_state WHERE kind = 2", [], |_| Ok(()))
        .unwrap();
    row.is_some()
}

const LEAVES: i64 = 1 << 32;
const PARENTS: i64 = 2 << 32;

#[test]
fn a_commit_writes_the_pieces_that_it_changed_from_memory_and_from_disk() {
    in_transaction(|tx| {
        let mut tree = tree(100);
        write(tx, &GROUP, &tree).unwrap();
        assert_eq!(parts(tx).len(), 1 + 7 + 7);
        for (epoch, from_disk) in [(101, false), (102, true)] {
            if from_disk {
                assert_eq!(read(tx, &GROUP).unwrap().as_ref(), Some(&tree));
            }
            tree.commit(70, epoch);
            let rows = written(tx, || write(tx, &GROUP, &tree).unwrap());
            assert_eq!(rows, [0, LEAVES + 70 / 16, PARENTS + 35 / 16]);
            assert_eq!(written(tx, || write(tx, &GROUP, &tree).unwrap()), [0_i64; 0]);
        }
        assert_eq!(read(tx, &GROUP).unwrap(), Some(tree));
    });
}

#[test]
fn a_tree_that_grows_and_shrinks_is_read_as_it_was_written() {
    in_transaction(|tx| {
        // Across the limit of a small tree, and across pieces, known and unknown.
        for (members, whole) in [
            (32, true),
            (40, false),
            (161, false),
            (48, false),
            (20, true),
            (300, false),
        ] {
            for knows in [true, false] {
                let mut tree = tree(members);
                write(tx, &GROUP, &tree).unwrap();
                if !knows {
                    tx.lend_tree(None);
                }
                tree.commit(members - 1, 200);
                write(tx, &GROUP, &tree).unwrap();
                assert_eq!((is_whole(tx), parts(tx).is_empty()), (whole, whole), "{members}");
                assert_eq!(read(tx, &GROUP).unwrap(), Some(tree), "{members}");
            }
        }
    });
}

#[test]
fn a_large_tree_of_schema_4_is_read_whole_and_goes_into_parts() {
    in_transaction(|tx| {
        let mut tree = tree(100);
        group_state::write(tx, &GROUP, Kind::Tree, &tree).unwrap();
        assert_eq!(read(tx, &GROUP).unwrap().as_ref(), Some(&tree));
        tree.commit(3, 200);
        write(tx, &GROUP, &tree).unwrap();
        assert!(!is_whole(tx));
        assert_eq!(read(tx, &GROUP).unwrap(), Some(tree));
    });
}

#[test]
fn what_a_savepoint_or_a_deleted_group_took_along_is_written_again() {
    in_transaction(|tx| {
        let id = GroupId::from_slice(b"group");
        let key = group_key(tx, &id).unwrap();
        let run = |sql: &str| tx.execute(sql, [&key]).unwrap();
        run("INSERT INTO identity (identity_key, position, value) VALUES (?1, 1, x'')");
        let group =
            "INSERT INTO mls_group (group_key, identity_key, position, value) VALUES (?1, ?1, 1, x'')";
        run(group);
        let mut value = tree(100);
        write(tx, &key, &value).unwrap();
        value.commit(3, 200);
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
    in_transaction(|tx| {
        const OTHER: Index = [2; 16];
        let value = tree(100);
        write(tx, &GROUP, &value).unwrap();
        write(tx, &OTHER, &value).unwrap();
        assert_eq!(read(tx, &OTHER).unwrap().as_ref(), Some(&value));
        assert_eq!(read(tx, &GROUP).unwrap().as_ref(), Some(&value));
    });
}

#[test]
fn a_part_that_is_lost_or_too_many_is_corrupt() {
    in_transaction(|tx| {
        write(tx, &GROUP, &tree(100)).unwrap();
        let all = parts(tx);
        for (part, value) in &all {
            tx.execute("DELETE FROM tree_part WHERE part = ?1", [part])
                .unwrap();
            let found = read::<Tree>(tx, &GROUP);
            assert!(matches!(found, Err(StorageError::Corrupt)), "without part {part}");
            let put = "INSERT INTO tree_part (group_key, part, value) VALUES (?1, ?2, ?3)";
            tx.execute(put, rusqlite::params![GROUP, part, value]).unwrap();
        }
        super::put(tx, &GROUP, 3 << 32, &[0xc0]).unwrap();
        assert!(matches!(read::<Tree>(tx, &GROUP), Err(StorageError::Corrupt)));
    });
}
