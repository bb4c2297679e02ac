//! Pre-shared keys, proposed by each side and committed by each, by reference and by value.
//!
//! This library makes no Commit with one by value but to join from outside (docs/adr/0017).

use super::{Way, in_all_ways, party::Party, proposing::PAIRS, room::Room};

const ID: &[u8] = b"a pre-shared key";
const SECRET: &[u8] = b"known to all members, and to nobody else";

const NAMES: [&str; 4] = ["alice", "bob", "anna", "ben"];

/// Four members who have the key.
fn room(way: Way) -> Room {
    let mut room = Room::of_four(way);
    for name in NAMES {
        room.member(name).register_psk(ID, SECRET);
        room.member(name).reload();
    }
    room
}

#[test]
fn an_external_psk_by_reference() {
    in_all_ways(|way| {
        for (proposer, committer) in PAIRS {
            let mut room = room(way);
            let id = room.id.clone();
            let proposal = room.member(proposer).propose_psk(&id, ID);
            room.propose(proposer, &proposal);
            room.commit(committer, Party::commit_proposals);
            room.settle();
        }
    });
}

#[test]
fn an_external_psk_by_value() {
    in_all_ways(|way| {
        let mut room = room(way);
        room.commit("bob", |member, _| {
            let bob = member.peer();
            bob.commit(|builder| builder.add_external_psk(ID.to_vec().into()))
        });
        room.settle();
    });
}

#[test]
fn a_newcomer_has_it_from_elsewhere() {
    in_all_ways(|way| {
        for committer in ["alice", "bob"] {
            let mut room = room(way);
            let id = room.id.clone();
            let proposal = room.member("ben").propose_psk(&id, ID);
            room.propose("ben", &proposal);
            let newcomers = vec![Party::ours("ada", way), Party::theirs("bill", way)];
            newcomers
                .iter()
                .for_each(|newcomer| newcomer.register_psk(ID, SECRET));
            room.add(committer, newcomers);
        }
    });
}

#[test]
fn a_resumption_psk_by_reference() {
    in_all_ways(|way| {
        for (proposer, committer) in PAIRS {
            let mut room = Room::of_four(way);
            let id = room.id.clone();
            let epoch = room.device("alice").epoch(&id);
            room.update("bob");
            let proposal = room.member(proposer).propose_resumption_psk(&id, epoch);
            room.propose(proposer, &proposal);
            room.commit(committer, Party::commit_proposals);
            room.settle();
        }
    });
}

#[test]
fn who_joins_from_outside_shows_that_they_have_it() {
    in_all_ways(|way| {
        let mut room = room(way);
        let id = room.id.clone();
        let ada = Party::ours("ada", way);
        ada.register_psk(ID, SECRET);
        let info = room.member("bob").group_info(&id, true);
        let (client, identity) = (ada.device().client(), ada.device().identity.clone());
        let psks = vec![ID.to_vec()];
        let join = client.join_by_external_commit_with_psks(identity, info, None, psks);
        room.deliver(&join.unwrap().commit);
        client.confirm_external_join(id.clone()).unwrap();
        ada.device()
            .group(&id)
            .configure(super::party::config(way))
            .unwrap();
        room.put(ada);
        room.settle();

        let mut bill = Party::theirs("bill", way);
        bill.register_psk(ID, SECRET);
        let info = room.member("alice").group_info(&id, true);
        let commit = bill.peer().join_by_external_commit_with_psk(&info, ID);
        room.deliver(&commit);
        room.put(bill);
        room.settle();
    });
}

/// What all of the above would be worth nothing without.
#[test]
fn another_secret_is_noticed_by_each_side() {
    in_all_ways(|way| {
        for (proposer, committer) in [("alice", "anna"), ("ben", "bob")] {
            let mut room = room(way);
            let id = room.id.clone();
            for stranger in ["ours", "theirs"] {
                let stranger = match stranger {
                    "ours" => Party::ours(stranger, way),
                    _ => Party::theirs(stranger, way),
                };
                stranger.register_psk(ID, b"another secret");
                room.add("alice", vec![stranger]);
            }
            let proposal = room.member(proposer).propose_psk(&id, ID);
            room.propose(proposer, &proposal);
            let (mut ours, mut theirs) = (room.take("ours"), room.take("theirs"));
            let made = room.commit(committer, Party::commit_proposals);
            assert!(ours.refuses(&id, &made.commit));
            assert!(theirs.refuses(&id, &made.commit));
            room.settle();
            // With the right one the device reads the same bytes.
            ours.register_psk(ID, SECRET);
            ours.reload();
            assert!(ours.follow(&id, &made.commit));
            room.put(ours);
            room.settle();
        }
    });
}
