//! Joins by an external Commit, with the GroupInfo of each side.

use super::{
    in_all_ways, in_both_tree_places,
    party::{Party, config},
    room::Room,
};

/// `joiner` joins with a GroupInfo that `helper` made. Also for who was a member: its old leaf goes.
pub(crate) fn join(room: &mut Room, helper: &str, mut joiner: Party, old_leaf: Option<u32>) {
    let id = room.id.clone();
    let with_tree = !room.way.tree_outside;
    let info = room.member(helper).group_info(&id, with_tree);
    let tree = (!with_tree).then(|| room.member(helper).tree(&id));
    let commit = match &mut joiner {
        Party::Ours(device) => {
            let identity = device.identity.clone();
            let made = device.client().join_by_external_commit(identity, info, tree);
            made.unwrap().commit
        }
        Party::Theirs(peer) => peer.join_by_external_commit(&info, tree.as_deref(), old_leaf),
    };
    joiner.reload();
    room.deliver(&commit);
    if let Party::Ours(device) = &joiner {
        device.client().confirm_external_join(id.clone()).unwrap();
        device.group(&id).configure(config(room.way)).unwrap();
    }
    room.put(joiner);
    room.settle();
}

#[test]
fn mls_rs_joins_with_our_group_info() {
    in_both_tree_places(|way| {
        let mut room = Room::of_four(way);
        join(&mut room, "alice", Party::theirs("bill", way), None);
        room.update("bill");
        room.update("anna");
        // Alone with a device, too.
        let mut room = Room::new(way, Party::ours("alice", way));
        join(&mut room, "alice", Party::theirs("bill", way), None);
        room.add("bill", vec![Party::ours("anna", way)]);
    });
}

#[test]
fn a_device_joins_with_the_group_info_of_mls_rs() {
    in_both_tree_places(|way| {
        let mut room = Room::of_four(way);
        join(&mut room, "bob", Party::ours("ada", way), None);
        room.update("ada");
        room.update("ben");
        let mut room = Room::new(way, Party::theirs("bob", way));
        join(&mut room, "bob", Party::ours("ada", way), None);
        room.add("ada", vec![Party::theirs("ben", way)]);
    });
}

#[test]
fn the_group_info_of_either_side_is_usable_by_its_own_kind_in_a_mixed_group() {
    in_both_tree_places(|way| {
        let mut room = Room::of_four(way);
        join(&mut room, "alice", Party::ours("ada", way), None);
        join(&mut room, "ben", Party::theirs("bill", way), None);
    });
}

#[test]
fn the_group_info_that_comes_with_our_commit_is_that_of_the_new_epoch() {
    in_all_ways(|way| {
        let mut room = Room::of_four(way);
        let id = room.id.clone();
        let bundle = room.device("alice").group(&id).self_update(None).unwrap();
        room.member("alice").merge(&id);
        let mut alice = room.take("alice");
        alice.reload();
        room.deliver(&bundle.commit);
        room.put(alice);
        room.settle();
        let mut bill = Party::theirs("bill", way);
        let info = bundle.group_info.unwrap();
        let tree = way.tree_outside.then(|| room.member("alice").tree(&id));
        let commit = bill.peer().join_by_external_commit(&info, tree.as_deref(), None);
        room.deliver(&commit);
        room.put(bill);
        room.settle();
    });
}

#[test]
fn a_free_leaf_in_the_middle_is_taken_by_an_external_join() {
    in_both_tree_places(|way| {
        for helper in ["alice", "ben"] {
            let mut room = Room::of_four(way);
            let leaf = room.leaf("anna");
            room.remove("bob", &["anna"]);
            let joiner = if helper == "alice" {
                Party::theirs("new", way)
            } else {
                Party::ours("new", way)
            };
            join(&mut room, helper, joiner, None);
            assert_eq!(room.leaf("new"), leaf);
        }
    });
}
