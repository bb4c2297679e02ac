//! Commits of each side, which all others follow.

use mls_mobile::{MessageKind, WireFormat};

use super::{
    Way, in_all_ways,
    party::{Made, Party},
    room::Room,
};

#[test]
fn each_side_updates_its_keys_again_and_again() {
    in_all_ways(|way| {
        let mut room = Room::of_four(way);
        for name in ["alice", "bob", "anna", "ben", "bob", "alice"] {
            room.update(name);
        }
    });
}

#[test]
fn each_side_follows_a_commit_with_nothing_in_it() {
    in_all_ways(|way| {
        let mut room = Room::of_four(way);
        for name in ["alice", "bob", "bob", "anna"] {
            room.commit(name, Party::commit_proposals);
            room.settle();
        }
    });
}

#[test]
fn a_commit_of_adds_only_has_no_path_and_is_followed() {
    in_all_ways(|way| {
        let mut room = Room::of_four(way);
        let id = room.id.clone();
        for (by, newcomers) in [
            ("bob", vec![Party::ours("ada", way), Party::theirs("bill", way)]),
            ("alice", vec![Party::theirs("bart", way)]),
        ] {
            let anna = room.take("anna");
            let key_packages = newcomers.iter().map(Party::key_package).collect();
            let made = room.commit(by, |member, id| member.add(id, key_packages));
            // A path would renew the committer's leaf.
            assert_eq!(anna.device().follow(&id, &made.commit).0.updated, []);
            room.put(anna);
            room.welcome(by, &made, newcomers);
            room.settle();
        }
        for name in ["bart", "ada", "bill"] {
            room.update(name);
        }
    });
}

#[test]
fn each_side_removes_members_of_each_side_and_they_learn_it() {
    in_all_ways(|way| {
        for by in ["alice", "bob"] {
            for names in [&["anna"][..], &["ben"], &["anna", "ben"]] {
                let mut room = Room::of_four(way);
                let id = room.id.clone();
                for mut gone in room.remove(by, names) {
                    // What is said after the removal is not for those who were removed.
                    let message = room.member(by).send(&id, "secret");
                    match &mut gone {
                        Party::Ours(device) => {
                            device.reload();
                            assert!(!device.group(&room.id).info().unwrap().is_active);
                            let read = device.group(&room.id).process_message(message);
                            assert!(read.is_err(), "{read:?}");
                        }
                        Party::Theirs(peer) => assert!(peer.process(&message).is_err()),
                    }
                }
                room.update("alice");
            }
        }
    });
}

#[test]
fn a_removed_member_of_each_side_is_invited_again_to_its_old_leaf() {
    in_all_ways(|way| {
        let mut room = Room::of_four(way);
        let leaves = ["anna", "ben"].map(|name| room.leaf(name));
        for by in ["bob", "alice"] {
            let back = room.remove(by, &["anna", "ben"]);
            room.add(by, back);
            assert_eq!(["anna", "ben"].map(|name| room.leaf(name)), leaves);
        }
    });
}

#[test]
fn one_removes_while_others_join_and_the_tree_is_sparse() {
    in_all_ways(|way| {
        let mut room = Room::of_four(way);
        let newcomers = ["bill", "bart", "bea"].map(|name| Party::theirs(name, way));
        room.add("alice", newcomers.into());
        room.remove("ben", &["bob", "bill"]);
        room.update("bart");
        room.remove("alice", &["ben", "bart"]);
        room.update("bea");
        let newcomers = vec![Party::ours("ada", way), Party::theirs("bob", way)];
        room.add("bea", newcomers);
        room.update("ada");
        // The tree is cut when its right half gets empty.
        room.remove("ada", &["bea"]);
        room.remove("bob", &["anna", "ada"]);
        room.update("alice");
    });
}

#[test]
fn each_side_changes_its_signature_key() {
    in_all_ways(|way| {
        let mut room = Room::of_four(way);
        let before = room.device("alice").group(&room.id).members().unwrap();
        let identity = {
            let client = room.device("alice").client();
            client
                .create_identity(super::common::basic("alice"), way.suite)
                .unwrap()
                .id
        };
        room.commit("alice", |member, id| {
            let group = member.device().group(id);
            group.self_update(Some(identity)).unwrap().into()
        });
        room.settle();
        room.commit("bob", |member, _| {
            let (secret, identity) = member.peer().new_identity();
            let peer = member.peer();
            peer.commit(|builder| Ok(builder.set_new_signing_identity(secret, identity)))
        });
        room.settle();
        let after = room.device("alice").group(&room.id).members().unwrap();
        let changed: Vec<_> = before
            .iter()
            .zip(&after)
            .filter(|(before, after)| before.signature_key != after.signature_key)
            .map(|(before, _)| before.leaf_index)
            .collect();
        assert_eq!(changed, [0, 1]);
        room.update("alice");
        room.update("bob");
    });
}

#[test]
fn of_two_commits_in_one_epoch_the_one_that_was_accepted_wins() {
    in_all_ways(|way| {
        let mut room = Room::of_four(way);
        let id = room.id.clone();
        for (winner, loser) in [("alice", "bob"), ("bob", "alice")] {
            // The loser's Commit is refused: it drops it, and follows.
            room.member(loser).update(&id);
            room.member(loser).clear(&id);
            room.commit(winner, Party::update);
            room.settle();
            // Refused, but the winner's comes before the answer.
            room.member(loser).update(&id);
            room.commit(winner, Party::update);
            room.settle();
            room.update(loser);
        }
    });
}

#[test]
fn handshakes_are_framed_as_each_side_is_configured() {
    in_all_ways(|way: Way| {
        let mut room = Room::of_four(way);
        for (by, public) in [("alice", way.ours_public), ("bob", way.theirs_public)] {
            let Made { commit, .. } = room.commit(by, Party::update);
            room.settle();
            let info = room.device("alice").client().message_info(commit).unwrap();
            assert_eq!(info.kind, MessageKind::Commit);
            let expected = if public {
                WireFormat::PublicMessage
            } else {
                WireFormat::PrivateMessage
            };
            assert_eq!(info.wire_format, expected, "{way:?}");
        }
    });
}

#[test]
fn resumption_psks_of_mls_rs_are_followed() {
    in_all_ways(|way| {
        let mut room = Room::of_four(way);
        room.update("alice");
        room.update("bob");
        for back in [0, 1] {
            room.commit("bob", |member, _| {
                let peer = member.peer();
                let epoch = peer.epoch() - back;
                peer.commit(|builder| builder.add_resumption_psk(epoch))
            });
            room.settle();
        }
    });
}
