//! Commits with Add and Remove proposals together, by value and by reference.

use super::{Way, in_all_ways, party::Party, proposing::PAIRS, room::Room};

fn newcomers(way: Way) -> Vec<Party> {
    vec![Party::ours("ada", way), Party::theirs("bill", way)]
}

#[test]
fn each_side_swaps_members_of_each_side_in_one_commit() {
    in_all_ways(|way| {
        for by in ["alice", "bob"] {
            for names in [&["anna"][..], &["ben"], &["anna", "ben"]] {
                let mut room = Room::of_four(way);
                let id = room.id.clone();
                let freed = room.leaf(names[0]);
                let removed = room.swap(by, names, newcomers(way));
                // The Removes come first (RFC 9420, section 12.3), so the first who is added takes the first free leaf.
                assert_eq!(room.leaf("ada"), freed);
                let message = room.member(by).send(&id, "not for who is gone");
                for mut member in removed {
                    assert!(member.refuses(&id, &message), "{}", member.name());
                }
                room.update("bill");
                room.update("ada");
            }
        }
    });
}

#[test]
fn each_side_swaps_members_who_lost_their_state_for_themselves_under_their_keys() {
    in_all_ways(|way| {
        for by in ["alice", "bob"] {
            let mut room = Room::of_four(way);
            let before = room.device("alice").group(&room.id).members().unwrap();
            let leaves = ["anna", "ben"].map(|name| room.leaf(name)).to_vec();
            let (anna, mut ben) = (room.take("anna"), room.take("ben"));
            anna.device().group(&room.id).delete().unwrap();
            ben.peer().lose_group();
            let key_packages = vec![anna.key_package(), ben.key_package()];
            let made = room.commit(by, |member, id| member.swap(id, leaves, key_packages));
            room.welcome(by, &made, vec![anna, ben]);
            room.settle();
            let after = room.device("alice").group(&room.id).members().unwrap();
            assert_eq!(after, before);
            for name in ["anna", "ben"] {
                room.update(name);
            }
        }
    });
}

#[test]
fn a_swap_of_each_side_carries_out_what_was_proposed_too() {
    in_all_ways(|way| {
        for by in ["alice", "bob"] {
            let mut room = Room::of_four(way);
            let id = room.id.clone();
            let another = Party::theirs("bea", way);
            let add = room.member("ben").propose_add(&id, &another.key_package());
            room.propose("ben", &add);
            let leaf = room.leaf("ben");
            let remove = room.member("anna").propose_remove(&id, leaf);
            room.propose("anna", &remove);
            let leaves = vec![room.leaf("anna")];
            let mut newcomers = newcomers(way);
            let key_packages = newcomers.iter().map(Party::key_package).collect();
            let removed = [room.take("anna"), room.take("ben")];
            let made = room.commit(by, |member, id| member.swap(id, leaves, key_packages));
            for mut member in removed {
                assert!(!member.follow(&id, &made.commit), "{}", member.name());
            }
            newcomers.push(another);
            room.welcome(by, &made, newcomers);
            room.settle();
            assert_names(&mut room, ["ada", "alice", "bea", "bill", "bob"]);
        }
    });
}

#[test]
fn adds_and_a_removal_that_were_proposed_go_into_one_commit() {
    in_all_ways(|way| {
        for (proposer, committer) in PAIRS {
            let mut room = Room::of_four(way);
            let id = room.id.clone();
            let newcomers = newcomers(way);
            // Who neither proposes nor commits.
            let gone = if proposer == "alice" { "ben" } else { "anna" };
            let leaf = room.leaf(gone);
            let member = room.member(proposer);
            let mut proposals = vec![member.propose_remove(&id, leaf)];
            for newcomer in &newcomers {
                proposals.push(member.propose_add(&id, &newcomer.key_package()));
            }
            member.reload();
            for proposal in proposals {
                room.propose(proposer, &proposal);
            }
            let mut gone = room.take(gone);
            let made = room.commit(committer, Party::commit_proposals);
            assert!(!gone.follow(&id, &made.commit));
            room.welcome(committer, &made, newcomers);
            room.settle();
            let stays = if proposer == "alice" { "anna" } else { "ben" };
            assert_names(&mut room, ["ada", "alice", "bill", "bob", stays]);
            room.update("bill");
            room.update("ada");
        }
    });
}

/// Whoever is in the group, sorted by name.
fn assert_names(room: &mut Room, mut expected: [&str; 5]) {
    let id = room.id.clone();
    let facts = room.member("alice").facts(&id);
    let mut names = facts.names();
    names.sort_unstable();
    expected.sort_unstable();
    assert_eq!(names, expected);
}
