//! Proposals of this library, by reference: queued by all, and committed by mls-rs or by a device.

use mls_mobile::{Extension, MessageKind, WireFormat};

use super::{in_all_ways, party::Party, room::Room};

/// Who commits what alice proposes: mls-rs, another mls-rs, another device, and herself.
const COMMITTERS: [&str; 4] = ["bob", "ben", "anna", "alice"];
/// Without herself: nobody commits an own Update.
const OTHERS: [&str; 3] = ["bob", "ben", "anna"];

const REQUIRED_CAPABILITIES: u16 = 3;

#[test]
fn an_add_that_a_device_proposes() {
    in_all_ways(|way| {
        for committer in COMMITTERS {
            let mut room = Room::of_four(way);
            for newcomer in [Party::ours("ada", way), Party::theirs("bill", way)] {
                let key_package = newcomer.key_package();
                room.alice_proposes(|group| group.propose_add(key_package));
                let made = room.commit(committer, Party::commit_proposals);
                room.welcome(committer, &made, vec![newcomer]);
                room.settle();
            }
            room.update("bill");
        }
    });
}

#[test]
fn a_removal_that_a_device_proposes() {
    in_all_ways(|way| {
        for (gone, committer) in [
            ("ben", "bob"),
            ("ben", "anna"),
            ("anna", "bob"),
            ("bob", "alice"),
            ("alice", "ben"),
        ] {
            let mut room = Room::of_four(way);
            let leaf = room.leaf(gone);
            room.alice_proposes(|group| group.propose_remove(leaf));
            let mut gone = room.take(gone);
            let made = room.commit(committer, Party::commit_proposals);
            assert!(!gone.follow(&room.id, &made.commit));
            room.settle();
            room.update(committer);
        }
    });
}

#[test]
fn an_update_that_a_device_proposes() {
    in_all_ways(|way| {
        for committer in OTHERS {
            let mut room = Room::of_four(way);
            let id = room.id.clone();
            let before = room.member("alice").tree(&id);
            room.alice_proposes(|group| group.propose_self_update(None));
            room.commit(committer, Party::commit_proposals);
            room.settle();
            assert_ne!(room.member("alice").tree(&id), before);
            room.update("alice");
        }
    });
}

#[test]
fn an_update_of_the_signature_key_that_a_device_proposes() {
    in_all_ways(|way| {
        for committer in OTHERS {
            let mut room = Room::of_four(way);
            let leaf = room.leaf("alice");
            let name = super::common::basic("alice");
            let made = room.device("alice").client().create_identity(name, way.suite);
            let identity = made.unwrap().id;
            let key = identity.0.clone();
            room.alice_proposes(|group| group.propose_self_update(Some(identity)));
            room.commit(committer, Party::commit_proposals);
            room.settle();
            let members = room.peer("bob").members();
            assert!(members.contains(&(leaf, "alice".to_owned(), key)));
            room.update("alice");
        }
    });
}

#[test]
fn group_context_extensions_that_a_device_proposes() {
    in_all_ways(|way| {
        for committer in COMMITTERS {
            let mut room = Room::of_four(way);
            // Three empty lists: nothing is required.
            let required = Extension {
                extension_type: REQUIRED_CAPABILITIES,
                data: vec![0; 3],
            };
            let extensions = vec![required.clone()];
            room.alice_proposes(|group| group.propose_group_context_extensions(extensions));
            room.commit(committer, Party::commit_proposals);
            room.settle();
            let held = room.device("anna").group(&room.id).info().unwrap().extensions;
            assert_eq!(held, [required]);
            let held = &room.peer("ben").group().context().extensions;
            assert!(held.has_extension(REQUIRED_CAPABILITIES.into()));
        }
    });
}

#[test]
fn proposals_of_a_device_are_framed_as_it_is_configured() {
    in_all_ways(|way| {
        let room = Room::of_four(way);
        let alice = room.device("alice");
        let proposal = alice.group(&room.id).propose_self_update(None).unwrap().proposal;
        let info = alice.client().message_info(proposal).unwrap();
        assert_eq!(info.kind, MessageKind::Proposal);
        let expected = if way.ours_public {
            WireFormat::PublicMessage
        } else {
            WireFormat::PrivateMessage
        };
        assert_eq!(info.wire_format, expected);
    });
}
