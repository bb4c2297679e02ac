//! The private keys of own Updates: none stays longer than its epoch.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use common::{Device, group_of};

/// OpenMLS deletes the key pair of the Update that was committed, and of no other.
#[test]
fn the_keys_of_updates_go_with_their_epoch() {
    let [alice, bob] = ["alice", "bob"].map(Device::new);
    let id = group_of(&[&alice, &bob]);
    let key_pairs = |device: &Device| {
        let dump = device.dump();
        let (_, rows) = dump
            .iter()
            .find(|(table, _)| table == "encryption_key_pair")
            .unwrap();
        rows.len()
    };
    let before = key_pairs(&alice);
    let [_, dropped, last] = [(); 3].map(|()| alice.group(&id).propose_self_update(None).unwrap());
    alice
        .group(&id)
        .remove_pending_proposal(dropped.reference)
        .unwrap();
    assert_eq!(key_pairs(&alice), before + 3);
    bob.receive(&id, &last.proposal);
    let [committed, our_own, deleted] = [(); 3].map(|()| alice.fork());
    let commit = bob.group(&id).commit_to_pending_proposals().unwrap();
    committed.receive(&id, &commit.commit);
    our_own.group(&id).self_update(None).unwrap();
    our_own.group(&id).merge_pending_commit().unwrap();
    deleted.group(&id).delete().unwrap();
    for mut device in [committed, our_own, deleted] {
        device.reload();
        assert_eq!(key_pairs(&device), before);
    }
}
