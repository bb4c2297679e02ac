//! Queued proposals: listed, dropped, carried out; and none of them stops a group for good.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use common::{Device, group_of, raw::RawPeer};
use mls_mobile::{
    BatchOutcome, GroupId, MessageReason, MlsError, ProcessedMessage, ProposalKind, ProposalRef,
};

/// Alice, and Rob, who can make proposals.
fn alice_and_rob() -> (Device, RawPeer, GroupId) {
    let (alice, mut rob) = (Device::new("alice"), RawPeer::new("rob"));
    let id = alice.create_group();
    let bundle = alice.group(&id).add_members(vec![rob.key_package()]).unwrap();
    rob.join(&bundle.welcome.unwrap(), false);
    alice.group(&id).merge_pending_commit().unwrap();
    (alice, rob, id)
}

fn queue(alice: &mut Device, id: &GroupId, proposal: &[u8]) -> ProposalRef {
    let outcome = alice.receive(id, proposal);
    alice.reload();
    match outcome {
        ProcessedMessage::Proposal { reference, .. } => reference,
        other => panic!("{other:?}"),
    }
}

fn queued(alice: &Device, id: &GroupId) -> Vec<ProposalRef> {
    let proposals = alice.group(id).pending_proposals().unwrap();
    proposals.into_iter().map(|proposal| proposal.reference).collect()
}

#[test]
fn proposals_are_listed_in_order_and_dropped_one_by_one_or_all() {
    let (mut alice, mut rob, id) = alice_and_rob();
    let newcomers: Vec<Device> = ["carol", "dave", "erin"].map(Device::new).into_iter().collect();
    let references: Vec<ProposalRef> = newcomers
        .iter()
        .map(|device| queue(&mut alice, &id, &rob.propose_add(&device.key_package())))
        .collect();
    assert_eq!(queued(&alice, &id), references);
    let kinds = alice.group(&id).pending_proposals().unwrap();
    assert!(
        kinds
            .iter()
            .all(|proposal| matches!(proposal.kind, ProposalKind::Add { .. }))
    );
    assert_eq!(
        alice.group(&id).create_message(vec![1], vec![]),
        Err(MlsError::PendingProposalsExist)
    );

    alice
        .group(&id)
        .remove_pending_proposal(references[1].clone())
        .unwrap();
    alice.reload();
    assert_eq!(
        queued(&alice, &id),
        [references[0].clone(), references[2].clone()]
    );
    let again = alice.group(&id).remove_pending_proposal(references[1].clone());
    assert_eq!(again, Err(MlsError::ProposalNotFound));
    alice.group(&id).clear_pending_proposals().unwrap();
    alice.reload();
    assert_eq!(queued(&alice, &id), []);
    alice.send(&id, "nothing in the way");
}

#[test]
fn the_next_commit_carries_them_out() {
    let (mut alice, mut rob, id) = alice_and_rob();
    let carol = Device::new("carol");
    queue(&mut alice, &id, &rob.propose_add(&carol.key_package()));
    let bundle = alice.group(&id).commit_to_pending_proposals().unwrap();
    alice.reload();
    carol
        .client()
        .join_from_welcome(bundle.welcome.unwrap(), None)
        .unwrap();
    alice.group(&id).merge_pending_commit().unwrap();
    rob.follow(&bundle.commit);
    alice.reload();
    assert_eq!(queued(&alice, &id), []);
    common::assert_agree(&id, &[&alice, &carol]);
    assert_eq!(alice.authenticator(&id), rob.authenticator());
    assert_eq!(carol.read(&id, &alice.send(&id, "welcome")), "welcome");
}

#[test]
fn two_that_contradict_each_other_stop_nobody() {
    let (mut alice, mut rob, id) = alice_and_rob();
    let (carol, dave) = (Device::new("carol"), Device::new("dave"));
    for key_package in [carol.key_package(), carol.key_package(), dave.key_package()] {
        queue(&mut alice, &id, &rob.propose_add(&key_package));
    }
    let bundle = alice.group(&id).self_update(None).unwrap();
    rob.follow(&bundle.commit);
    alice.group(&id).merge_pending_commit().unwrap();
    alice.reload();
    assert_eq!(alice.member_names(&id), ["alice", "rob", "carol", "dave"]);
    assert_eq!(alice.authenticator(&id), rob.authenticator());
    alice.send(&id, "and on");
}

#[test]
fn our_own_removal_is_left_to_others_and_does_not_stop_us() {
    let (mut alice, mut rob, id) = alice_and_rob();
    let carol = Device::new("carol");
    queue(&mut alice, &id, &rob.propose_remove(0));
    queue(&mut alice, &id, &rob.propose_add(&carol.key_package()));
    let bundle = alice.group(&id).commit_to_pending_proposals().unwrap();
    rob.follow(&bundle.commit);
    alice.group(&id).merge_pending_commit().unwrap();
    alice.reload();
    assert_eq!(alice.member_names(&id), ["alice", "rob", "carol"]);
    alice.send(&id, "still here");
}

#[test]
fn a_mistake_in_the_arguments_is_not_blamed_on_the_queue() {
    let (mut alice, mut rob, id) = alice_and_rob();
    queue(
        &mut alice,
        &id,
        &rob.propose_add(&Device::new("carol").key_package()),
    );
    let error = alice.group(&id).add_members(vec![rob.key_package()]).unwrap_err();
    assert!(matches!(error, MlsError::KeyPackageInvalid { .. }), "{error:?}");
    assert_eq!(queued(&alice, &id).len(), 1);
}

#[test]
fn one_that_contradicts_our_own_change_gives_way_to_it() {
    let (mut alice, mut rob, id) = alice_and_rob();
    let (carol, dave) = (Device::new("carol"), Device::new("dave"));
    queue(&mut alice, &id, &rob.propose_add(&dave.key_package()));
    queue(&mut alice, &id, &rob.propose_add(&carol.key_package()));
    let bundle = alice.group(&id).add_members(vec![dave.key_package()]).unwrap();
    let welcome = bundle.welcome.unwrap();
    for device in [&carol, &dave] {
        device.client().join_from_welcome(welcome.clone(), None).unwrap();
    }
    rob.follow(&bundle.commit);
    alice.group(&id).merge_pending_commit().unwrap();
    alice.reload();
    assert_eq!(queued(&alice, &id), []);
    common::assert_agree(&id, &[&alice, &carol, &dave]);
    assert_eq!(alice.authenticator(&id), rob.authenticator());
    assert_eq!(dave.read(&id, &alice.send(&id, "both are in")), "both are in");
}

#[test]
fn one_member_cannot_fill_the_queue_for_the_others() {
    let (alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let (mut greedy, mut modest) = (RawPeer::new("greedy"), RawPeer::new("modest"));
    let id = group_of(&[&alice, &bob]);
    let packages = vec![greedy.key_package(), modest.key_package()];
    let added = alice.group(&id).add_members(packages).unwrap();
    common::deliver(&id, &alice, &added, &[&bob]);
    for peer in [&mut greedy, &mut modest] {
        peer.join(added.welcome.as_ref().unwrap(), true);
    }
    let newcomer = RawPeer::new("newcomer");
    let batch = (0..70)
        .map(|n| common::incoming(&greedy.propose_add(&newcomer.key_package()), n))
        .collect();
    let outcomes = bob.client().process_messages(batch, None).unwrap().outcomes;
    bob.reload();
    let queued = bob.group(&id).info().unwrap().pending_proposals.len();
    assert_eq!((outcomes.len(), queued), (70, 64));
    let reason = MessageReason::TooManyProposals;
    assert!(matches!(
        &outcomes[69],
        BatchOutcome::Failed { error: MlsError::MessageInvalid { reason: found }, .. } if *found == reason
    ));
    let other = modest.propose_add(&RawPeer::new("friend").key_package());
    assert!(matches!(
        bob.receive(&id, &other),
        ProcessedMessage::Proposal { .. }
    ));
}
