//! A member that lost its state, or is behind, joins again by an external Commit, and its old leaf goes.

use super::{external::join, in_all_ways, party::Party, room::Room};

/// The members as they were, each with one leaf.
fn assert_four(room: &mut Room) {
    let id = room.id.clone();
    let facts = room.member("alice").facts(&id);
    let mut names = facts.names();
    names.sort_unstable();
    assert_eq!(names, ["alice", "anna", "ben", "bob"]);
}

#[test]
fn a_device_that_lost_its_group_comes_back_with_either_group_info() {
    in_all_ways(|way| {
        for helper in ["alice", "bob"] {
            let mut room = Room::of_four(way);
            let anna = room.take("anna");
            anna.device().group(&room.id).delete().unwrap();
            join(&mut room, helper, anna, None);
            assert_four(&mut room);
            room.update("anna");
            room.update("ben");
        }
    });
}

#[test]
fn mls_rs_that_lost_its_group_comes_back_with_either_group_info() {
    in_all_ways(|way| {
        for helper in ["alice", "bob"] {
            let mut room = Room::of_four(way);
            let leaf = room.leaf("ben");
            let mut ben = room.take("ben");
            ben.peer().lose_group();
            join(&mut room, helper, ben, Some(leaf));
            assert_four(&mut room);
            room.update("ben");
            room.update("anna");
        }
    });
}

#[test]
fn a_device_that_missed_commits_comes_back() {
    in_all_ways(|way| {
        let mut room = Room::of_four(way);
        let anna = room.take("anna");
        room.update("bob");
        room.update("alice");
        join(&mut room, "ben", anna, None);
        assert_four(&mut room);
        room.update("anna");
    });
}

#[test]
fn mls_rs_that_missed_commits_comes_back() {
    in_all_ways(|way| {
        let mut room = Room::of_four(way);
        let leaf = room.leaf("ben");
        let ben = room.take("ben");
        room.update("bob");
        room.update("alice");
        join(&mut room, "alice", ben, Some(leaf));
        assert_four(&mut room);
        room.update("ben");
    });
}

#[test]
fn the_creator_of_the_group_comes_back_too() {
    in_all_ways(|way| {
        let mut room = Room::of_four(way);
        let alice = room.take("alice");
        join(&mut room, "bob", alice, None);
        assert_four(&mut room);
        let mut room = Room::new(way, Party::theirs("bob", way));
        room.add("bob", vec![Party::ours("alice", way)]);
        let leaf = room.leaf("bob");
        let bob = room.take("bob");
        join(&mut room, "alice", bob, Some(leaf));
        room.update("bob");
        room.update("alice");
    });
}
