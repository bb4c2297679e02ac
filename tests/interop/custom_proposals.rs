//! Proposals that only the app understands (RFC 9420, section 13.2): whoever makes and whoever commits one, the outcome of
//! each member says who proposed what.
//!
//! This library commits none by value: `propose_custom` queues it, and whoever commits next carries it out.

use mls_mobile::{ArgumentReason, CommitSummary, GroupId, MlsError, ProposalKind};
use mls_rs::{
    error::MlsError as TheirError,
    group::{
        CommitEffect, CommitMessageDescription, ReceivedMessage, Sender,
        proposal::{CustomProposal, Proposal},
    },
};

use super::{
    in_all_ways,
    party::{Made, Party},
    peer::{NEEDS_PATH, Peer, bytes},
    proposing::PAIRS,
    room::Room,
};

/// For private use, as [`NEEDS_PATH`] is.
const PLAIN: u16 = 0xf042;
const TYPES: [u16; 2] = [PLAIN, NEEDS_PATH];

const NAMES: [&str; 4] = ["alice", "bob", "anna", "ben"];

/// The leaf of who proposed it, its type and its content.
type Custom = (u32, u16, Vec<u8>);

/// What a device is told to carry out.
fn told(summary: CommitSummary) -> Vec<Custom> {
    let custom = summary.custom.into_iter();
    custom
        .map(|it| (it.leaf_index.unwrap(), it.proposal_type, it.payload))
        .collect()
}

/// What mls-rs is told to carry out.
fn told_by_theirs(commit: CommitMessageDescription) -> Vec<Custom> {
    let CommitEffect::NewEpoch(epoch) = commit.effect else {
        panic!("{commit:?}")
    };
    let custom = epoch
        .applied_proposals
        .into_iter()
        .filter_map(|it| match it.proposal {
            Proposal::Custom(custom) => Some((it.sender, custom)),
            _ => None,
        });
    custom
        .map(|(sender, custom)| {
            let Sender::Member(leaf) = sender else {
                panic!("{sender:?}")
            };
            (leaf, custom.proposal_type().raw_value(), custom.data().to_vec())
        })
        .collect()
}

fn merge(member: &mut Party, id: &GroupId) -> Vec<Custom> {
    match member {
        Party::Ours(device) => told(device.group(id).merge_pending_commit().unwrap().summary),
        Party::Theirs(peer) => told_by_theirs(peer.merge()),
    }
}

fn follow(member: &mut Party, id: &GroupId, commit: &[u8]) -> Vec<Custom> {
    match member {
        Party::Ours(device) => told(device.follow(id, commit).0),
        Party::Theirs(peer) => match peer.process(commit).unwrap() {
            ReceivedMessage::Commit(commit) => told_by_theirs(commit),
            other => panic!("{other:?}"),
        },
    }
}

/// `by` makes a Commit that is accepted, and each of the four is told of these proposals, in whatever order.
fn commit(
    room: &mut Room,
    by: &str,
    expected: &[Custom],
    make: impl FnOnce(&mut Party, &GroupId) -> Made,
) -> Made {
    let id = room.id.clone();
    let made = make(room.member(by), &id);
    room.member(by).reload();
    for name in NAMES {
        let member = room.member(name);
        let mut found = if name == by {
            merge(member, &id)
        } else {
            follow(member, &id, &made.commit)
        };
        found.sort_unstable();
        assert_eq!(found, expected, "{name}");
    }
    made
}

/// Puts one by value into a Commit of mls-rs.
fn by_value(member: &mut Party, proposal_type: u16, payload: &[u8]) -> Made {
    let proposal = CustomProposal::new(proposal_type.into(), payload.to_vec());
    member
        .peer()
        .commit(|builder| Ok(builder.custom_proposal(proposal)))
}

#[test]
fn one_of_each_side_by_reference_reaches_every_member() {
    in_all_ways(|way| {
        // Short, empty, and longer than a length of two bytes can say.
        let payloads = [&b"payload"[..], b"", &[7; 20_000]];
        for ((proposer, committer), payload) in PAIRS.into_iter().zip(payloads.into_iter().cycle()) {
            let mut room = Room::of_four_who_list(way, &[], &TYPES);
            let (id, leaf) = (room.id.clone(), room.leaf(proposer));
            let proposal = room.member(proposer).propose_custom(&id, PLAIN, payload);
            room.propose(proposer, &proposal);
            room.member(proposer).reload();
            for name in ["alice", "anna"] {
                let queued = room.device(name).group(&id).pending_proposals().unwrap();
                let kinds: Vec<_> = queued.into_iter().map(|it| it.kind).collect();
                let expected = ProposalKind::Custom {
                    proposal_type: PLAIN,
                    payload: payload.to_vec(),
                };
                assert_eq!(kinds, [expected], "{name}");
            }
            let expected = [(leaf, PLAIN, payload.to_vec())];
            commit(&mut room, committer, &expected, Party::commit_proposals);
            room.settle();
        }
    });
}

#[test]
fn one_of_mls_rs_by_value_reaches_every_member_with_a_path_and_without() {
    in_all_ways(|way| {
        let mut room = Room::of_four_who_list(way, &[], &TYPES);
        let (id, leaf) = (room.id.clone(), room.leaf("bob"));
        for proposal_type in TYPES {
            let before = room.member("anna").tree(&id);
            let expected = [(leaf, proposal_type, b"by value".to_vec())];
            commit(&mut room, "bob", &expected, |member, _| {
                by_value(member, proposal_type, b"by value")
            });
            room.settle();
            // Nothing but a path changes the tree here.
            let has_path = room.member("anna").tree(&id) != before;
            assert_eq!(has_path, proposal_type == NEEDS_PATH);
            room.update("anna");
        }
    });
}

#[test]
fn several_of_several_members_go_into_one_commit_with_a_change_of_members() {
    in_all_ways(|way| {
        for committer in ["alice", "bob"] {
            let mut room = Room::of_four_who_list(way, &[], &TYPES);
            let id = room.id.clone();
            let mut expected = Vec::new();
            for (proposer, payload) in [("anna", &b"one"[..]), ("ben", b"two"), ("anna", b"three")] {
                expected.push((room.leaf(proposer), PLAIN, payload.to_vec()));
                let proposal = room.member(proposer).propose_custom(&id, PLAIN, payload);
                room.propose(proposer, &proposal);
            }
            expected.sort_unstable();
            // Who only comes with this Commit need not list the type (RFC 9420, section 12.2).
            let newcomers = vec![Party::ours("ada", way), Party::theirs("bill", way)];
            let key_packages = newcomers.iter().map(Party::key_package).collect();
            let made = commit(&mut room, committer, &expected, |member, id| {
                member.add(id, key_packages)
            });
            room.welcome(committer, &made, newcomers);
            room.settle();
        }
    });
}

/// mls-rs lets such a proposal be made, and its Commit leaves it out, as ours does.
#[test]
fn one_that_not_every_member_lists_is_proposed_by_no_device_and_committed_by_nobody() {
    in_all_ways(|way| {
        for committer in ["alice", "bob"] {
            let mut room = Room::of_four_who_list(way, &[], &TYPES);
            let id = room.id.clone();
            room.add("alice", vec![Party::ours("ada", way)]);
            let refused = room.device("alice").group(&id).propose_custom(PLAIN, vec![]);
            assert_eq!(
                refused.unwrap_err(),
                MlsError::InvalidArgument {
                    argument: "proposal_type".to_owned(),
                    reason: ArgumentReason::Unsupported,
                }
            );
            let proposal = room.member("ben").propose_custom(&id, PLAIN, b"not for ada");
            room.propose("ben", &proposal);
            let mut ada = room.take("ada");
            let made = commit(&mut room, committer, &[], |member, id| match member {
                Party::Ours(_) => member.commit_proposals(id),
                Party::Theirs(peer) => {
                    let made = peer.group().commit_builder().build().unwrap();
                    assert_eq!(made.unused_proposals.len(), 1);
                    Made {
                        commit: bytes(&made.commit_message),
                        welcome: None,
                    }
                }
            });
            assert_eq!(follow(&mut ada, &id, &made.commit), []);
            room.put(ada);
            room.settle();
        }
    });
}

/// OpenMLS takes no custom proposal for one that needs a path, and rules of mls-rs can demand one (its own by a list; those
/// that an app writes do so unless they say otherwise).
#[test]
fn one_that_needs_a_path_for_mls_rs_has_it_in_every_commit_of_ours() {
    in_all_ways(|way| {
        for proposer in ["alice", "ben"] {
            for make in [Party::commit_proposals, Party::update] {
                let mut room = Room::of_four_who_list(way, &[], &TYPES);
                let id = room.id.clone();
                let proposal = room.member(proposer).propose_custom(&id, NEEDS_PATH, b"path");
                room.propose(proposer, &proposal);
                let expected = [(room.leaf(proposer), NEEDS_PATH, b"path".to_vec())];
                commit(&mut room, "alice", &expected, make);
                room.settle();
            }
            let mut room = Room::of_four_who_list(way, &[], &TYPES);
            let id = room.id.clone();
            let proposal = room.member(proposer).propose_custom(&id, NEEDS_PATH, b"path");
            room.propose(proposer, &proposal);
            let newcomer = Party::Theirs(Box::new(Peer::supporting("bill", way, &[], &TYPES)));
            room.add("alice", vec![newcomer]);
        }
    });
}

/// RFC 9420 asks support only of those who process the Commit (section 12.2), and so does OpenMLS. mls-rs 0.57 asks it of
/// who is removed too: where it takes part, such a proposal is for the Commit after the removal.
#[test]
fn one_that_only_a_removed_member_does_not_list_is_committed_by_devices_and_refused_by_mls_rs() {
    in_all_ways(|way| {
        let mut room = Room::of_four_who_list(way, &[], &TYPES);
        let id = room.id.clone();
        room.add("alice", vec![Party::ours("ada", way)]);
        let proposal = room.member("ben").propose_custom(&id, PLAIN, b"not for ada");
        room.propose("ben", &proposal);
        let leaves = vec![room.leaf("ada")];
        let expected = [(room.leaf("ben"), PLAIN, b"not for ada".to_vec())];
        let made = room.member("alice").remove(&id, leaves);
        room.take("ada");
        for name in ["bob", "ben"] {
            let mut theirs = room.take(name);
            let refused = theirs.peer().process(&made.commit);
            assert!(
                matches!(refused, Err(TheirError::UnsupportedCustomProposal(_))),
                "{refused:?}"
            );
        }
        assert_eq!(merge(room.member("alice"), &id), expected);
        assert_eq!(follow(room.member("anna"), &id, &made.commit), expected);
        room.settle();
    });
}
