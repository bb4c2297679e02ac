//! That these tests would notice a difference: what they compare is made different, and the comparison fails.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{
    in_all_ways,
    party::Party,
    room::{Room, assert_agree},
};

/// Whether the members agree.
fn agree(room: &Room, members: &[Party]) -> bool {
    catch_unwind(AssertUnwindSafe(|| assert_agree(&room.id, members))).is_ok()
}

#[test]
fn members_in_different_epochs_are_told_apart() {
    in_all_ways(|way| {
        for (behind, by) in [("anna", "bob"), ("ben", "alice")] {
            let mut room = Room::of_four(way);
            let member = room.take(behind);
            room.update(by);
            let other = room.take(by);
            assert!(!agree(&room, &[member, other]));
        }
    });
}

#[test]
fn members_of_a_fork_are_told_apart_and_do_not_read_each_other() {
    in_all_ways(|way| {
        let mut room = Room::of_four(way);
        let id = room.id.clone();
        // Two Commits of one epoch: half of the group follows each.
        let (mut bob, mut anna) = (room.take("bob"), room.take("anna"));
        let one = room.member("alice").update(&id);
        let other = bob.update(&id);
        room.member("alice").merge(&id);
        room.member("ben").follow(&id, &one.commit);
        bob.merge(&id);
        anna.follow(&id, &other.commit);
        room.settle();
        let message = room.member("alice").send(&id, "in one half");
        assert!(bob.peer().process(&message).is_err());
        let message = bob.send(&id, "in the other");
        let alice = room.device("alice").group(&id);
        assert!(alice.process_message(message).is_err());
        let (alice, ben) = (room.take("alice"), room.take("ben"));
        let halves = [vec![alice, ben], vec![bob, anna]];
        assert!(halves.iter().all(|half| agree(&room, half)));
        let [mut one, mut other] = halves;
        assert!(!agree(&room, &[one.remove(0), other.remove(0)]));
        assert!(!agree(&room, &[one.remove(0), other.remove(0)]));
    });
}

#[test]
fn each_fact_differs_between_two_epochs() {
    in_all_ways(|way| {
        let mut room = Room::of_four(way);
        let id = room.id.clone();
        for by in ["alice", "bob"] {
            let before = room.member("alice").facts(&id);
            let (ours, theirs) = (Party::ours("ours", way), Party::theirs("theirs", way));
            room.add(by, vec![ours, theirs]);
            let after = room.member("bob").facts(&id);
            before.assert_nothing_in_common_with(&after);
            room.remove(by, &["ours", "theirs"]);
        }
    });
}
