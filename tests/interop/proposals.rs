//! Proposals by reference: made by one, committed by another.
//!
//! Here mls-rs makes them, in `own_proposals` this library does, and in `psks` both make those of pre-shared keys. `leave` by
//! SelfRemove cannot be shared: mls-rs 0.57 numbers that proposal 0xF003 (for private use), OpenMLS as the registry does, 0x000a.

use mls_mobile::{MessageKind, ProcessedMessage, WireFormat};

use super::{
    in_all_ways,
    party::Party,
    peer::{bytes, parse},
    room::Room,
};

/// Who commits what ben proposes: a device, another mls-rs, and the other device.
const COMMITTERS: [&str; 3] = ["alice", "bob", "anna"];

#[test]
fn an_add_that_mls_rs_proposes() {
    in_all_ways(|way| {
        for committer in COMMITTERS {
            let mut room = Room::of_four(way);
            for newcomer in [Party::ours("ada", way), Party::theirs("bill", way)] {
                let key_package = parse(&newcomer.key_package());
                let proposal = room.peer("ben").group().propose_add(key_package, vec![]);
                room.propose("ben", &bytes(&proposal.unwrap()));
                let made = room.commit(committer, Party::commit_proposals);
                room.welcome(committer, &made, vec![newcomer]);
                room.settle();
            }
            room.update("ada");
            room.update("bill");
        }
    });
}

#[test]
fn an_update_that_mls_rs_proposes() {
    in_all_ways(|way| {
        for committer in COMMITTERS {
            let mut room = Room::of_four(way);
            let id = room.id.clone();
            let before = room.member("alice").tree(&id);
            let proposal = room.peer("ben").group().propose_update(vec![]);
            room.propose("ben", &bytes(&proposal.unwrap()));
            room.commit(committer, Party::commit_proposals);
            room.settle();
            assert_ne!(room.member("alice").tree(&id), before);
            room.update("ben");
        }
    });
}

#[test]
fn an_update_of_the_signature_key_that_mls_rs_proposes() {
    in_all_ways(|way| {
        for committer in COMMITTERS {
            let mut room = Room::of_four(way);
            let ben = room.peer("ben");
            let (secret, identity) = ben.new_identity();
            let key = identity.signature_key.to_vec();
            let proposal = ben.group().propose_update_with_identity(secret, identity, vec![]);
            room.propose("ben", &bytes(&proposal.unwrap()));
            room.commit(committer, Party::commit_proposals);
            room.settle();
            let leaf = room.leaf("ben");
            let members = room.device("alice").group(&room.id).members().unwrap();
            let ben = members.iter().find(|member| member.leaf_index == leaf).unwrap();
            assert_eq!(ben.signature_key, key);
            room.update("ben");
        }
    });
}

#[test]
fn a_removal_that_mls_rs_proposes() {
    in_all_ways(|way| {
        for (gone, committer) in [
            ("anna", "alice"),
            ("anna", "bob"),
            ("bob", "alice"),
            ("alice", "anna"),
        ] {
            let mut room = Room::of_four(way);
            let leaf = room.leaf(gone);
            let proposal = room.peer("ben").group().propose_remove(leaf, vec![]);
            room.propose("ben", &bytes(&proposal.unwrap()));
            let mut gone = room.take(gone);
            let made = room.commit(committer, Party::commit_proposals);
            assert!(!gone.follow(&room.id, &made.commit));
            room.settle();
            room.update("ben");
        }
    });
}

#[test]
fn mls_rs_asks_to_be_removed_itself() {
    in_all_ways(|way| {
        for committer in COMMITTERS {
            let mut room = Room::of_four(way);
            let leaf = room.leaf("ben");
            let proposal = room.peer("ben").group().propose_remove(leaf, vec![]);
            room.propose("ben", &bytes(&proposal.unwrap()));
            let mut ben = room.take("ben");
            let made = room.commit(committer, Party::commit_proposals);
            assert!(!ben.follow(&room.id, &made.commit));
            room.settle();
        }
    });
}

#[test]
fn proposals_of_several_members_go_into_one_commit() {
    in_all_ways(|way| {
        let mut room = Room::of_four(way);
        room.add("alice", vec![Party::theirs("bill", way), Party::ours("ada", way)]);
        for committer in ["alice", "anna"] {
            let newcomer = Party::theirs(&format!("of {committer}"), way);
            let key_package = parse(&newcomer.key_package());
            let add = room.peer("bob").group().propose_add(key_package, vec![]);
            room.propose("bob", &bytes(&add.unwrap()));
            let update = room.peer("ben").group().propose_update(vec![]);
            room.propose("ben", &bytes(&update.unwrap()));
            let update = room.peer("bob").group().propose_update(vec![]);
            room.propose("bob", &bytes(&update.unwrap()));
            let made = room.commit(committer, Party::commit_proposals);
            room.welcome(committer, &made, vec![newcomer]);
            room.settle();
        }
        let leaf = room.leaf("ada");
        let remove = room.peer("bill").group().propose_remove(leaf, vec![]);
        room.propose("bill", &bytes(&remove.unwrap()));
        let update = room.peer("ben").group().propose_update(vec![]);
        room.propose("ben", &bytes(&update.unwrap()));
        let mut ada = room.take("ada");
        // A Commit that adds by value carries out what was proposed too.
        let newcomer = Party::ours("agnes", way);
        let key_packages = vec![newcomer.key_package()];
        let made = room.commit("alice", |member, id| member.add(id, key_packages));
        assert!(!ada.follow(&room.id, &made.commit));
        room.welcome("alice", &made, vec![newcomer]);
        room.settle();
    });
}

/// Everybody gets the newcomer's proposal, and the committer carries it out.
fn let_in(room: &mut Room, committer: &str, proposal: &[u8], newcomer: Party) {
    let (id, name) = (room.id.clone(), newcomer.name().to_owned());
    for name in ["alice", "anna"] {
        let outcome = room.device(name).receive(&id, proposal);
        assert!(
            matches!(outcome, ProcessedMessage::ExternalJoinProposal { .. }),
            "{outcome:?}"
        );
    }
    for name in ["bob", "ben"] {
        room.peer(name).queue(proposal);
    }
    let made = room.commit(committer, Party::commit_proposals);
    room.welcome(committer, &made, vec![newcomer]);
    room.settle();
    room.update(&name);
}

#[test]
fn mls_rs_asks_from_outside_to_be_added() {
    in_all_ways(|way| {
        for committer in COMMITTERS {
            let mut room = Room::of_four(way);
            let id = room.id.clone();
            let mut bill = Party::theirs("bill", way);
            let info = room.member(committer).group_info(&id, true);
            let proposal = bill.peer().ask_to_join(&info);
            let_in(&mut room, committer, &proposal, bill);
        }
    });
}

#[test]
fn a_device_asks_from_outside_to_be_added_by_each_side() {
    in_all_ways(|way| {
        for committer in COMMITTERS {
            let mut room = Room::of_four(way);
            let id = room.id.clone();
            let mut ada = Party::ours("ada", way);
            let epoch = room.device("alice").epoch(&id);
            let device = ada.device();
            let (client, identity) = (device.client(), device.identity.clone());
            let made = client.propose_external_join(identity, id, epoch, None).unwrap();
            ada.reload();
            let_in(&mut room, committer, &made.proposal, ada);
        }
    });
}

#[test]
fn a_commit_that_comes_before_its_proposal_waits_on_a_device() {
    in_all_ways(|way| {
        let mut room = Room::of_four(way);
        let proposal = bytes(&room.peer("ben").group().propose_update(vec![]).unwrap());
        let id = room.id.clone();
        let mut anna = room.take("anna");
        room.propose("ben", &proposal);
        let made = room.commit("bob", Party::commit_proposals);
        let early = anna.device().receive(&id, &made.commit);
        assert!(matches!(early, ProcessedMessage::Early { .. }), "{early:?}");
        anna.reload();
        anna.queue(&id, &proposal);
        room.put(anna);
        room.settle();
    });
}

#[test]
fn proposals_of_mls_rs_are_framed_as_it_is_configured() {
    in_all_ways(|way| {
        let mut room = Room::of_four(way);
        let proposal = bytes(&room.peer("ben").group().propose_update(vec![]).unwrap());
        let info = room.device("alice").client().message_info(proposal).unwrap();
        assert_eq!(info.kind, MessageKind::Proposal);
        let expected = if way.theirs_public {
            WireFormat::PublicMessage
        } else {
            WireFormat::PrivateMessage
        };
        assert_eq!(info.wire_format, expected);
    });
}
