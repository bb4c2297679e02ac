//! Leaving a group, in both of its forms.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use common::{Device, advance, group_of, raw::RawPeer};
use mls_mobile::{MlsError, ProcessedMessage, ProposalKind, WireFormat};

#[test]
fn leaving_is_a_remove_where_somebody_does_not_know_self_remove() {
    let (mut alice, mut rob) = (Device::new("alice"), RawPeer::new("rob"));
    let id = alice.create_group();
    let bundle = alice.group(&id).add_members(vec![rob.key_package()]).unwrap();
    rob.join(&bundle.welcome.unwrap(), false);
    alice.group(&id).merge_pending_commit().unwrap();
    let leave = alice.group(&id).leave().unwrap();
    alice.reload();
    let pending = alice.group(&id).pending_proposals().unwrap();
    assert!(
        matches!(pending[0].kind, ProposalKind::Remove { .. }),
        "{pending:?}"
    );
    let info = alice.client().message_info(leave.proposal.clone()).unwrap();
    assert_eq!(info.wire_format, WireFormat::PrivateMessage);
    rob.queue(&leave.proposal);
    let (summary, _) = alice.follow(&id, &rob.commit_queue());
    assert!(summary.self_removed);
    alice.reload();
    assert!(!alice.group(&id).info().unwrap().is_active);
}

#[test]
fn leaving_by_self_remove_changes_no_configuration_and_costs_no_keys() {
    let [mut alice, mut bob, carol] = ["alice", "bob", "carol"].map(Device::new);
    let id = group_of(&[&alice, &bob, &carol]);
    let late = bob.send(&id, "late");
    advance(&id, &carol, &[&alice, &bob]);
    let leave = alice.group(&id).leave().unwrap();
    let wire_format = |message: &[u8]| alice.client().message_info(message.to_vec()).unwrap().wire_format;
    assert_eq!(wire_format(&leave.proposal), WireFormat::PublicMessage);
    let ProcessedMessage::Proposal { summary, .. } = bob.receive(&id, &leave.proposal) else {
        panic!("no proposal")
    };
    assert_eq!(summary.kind, ProposalKind::SelfRemove);
    bob.reload();
    // What follows is private again, at once and after a restart.
    let after = alice.group(&id).propose_self_update(None).unwrap();
    assert_eq!(wire_format(&after.proposal), WireFormat::PrivateMessage);
    alice.reload();
    let after = alice.group(&id).propose_self_update(None).unwrap();
    let info = alice.client().message_info(after.proposal).unwrap();
    assert_eq!(info.wire_format, WireFormat::PrivateMessage);
    assert_eq!(alice.read(&id, &late), "late");
    // Until somebody commits it, we are in.
    assert!(alice.group(&id).info().unwrap().is_active);
    let commit = bob.group(&id).self_update(None).unwrap();
    assert_eq!(
        bob.group(&id)
            .merge_pending_commit()
            .unwrap()
            .summary
            .removed
            .len(),
        1
    );
    assert!(alice.follow(&id, &commit.commit).0.self_removed);
    alice.reload();
    assert_eq!(alice.group(&id).leave(), Err(MlsError::GroupInactive));
}

#[test]
fn a_leave_that_an_epoch_did_not_carry_out_is_made_again() {
    let [mut alice, bob, carol] = ["alice", "bob", "carol"].map(Device::new);
    let id = group_of(&[&alice, &bob, &carol]);
    let first = alice.group(&id).leave().unwrap();
    // Bob has not heard of it.
    advance(&id, &bob, &[&alice, &carol]);
    alice.reload();
    assert_eq!(alice.group(&id).pending_proposals().unwrap(), []);
    assert_eq!(
        bob.receive(&id, &first.proposal),
        ProcessedMessage::Stale { epoch: 1 }
    );
    alice.send(&id, "still here");
    let second = alice.group(&id).leave().unwrap();
    assert_ne!(first.reference, second.reference);
    // Our own Commit leaves us in.
    let commit = alice.group(&id).self_update(None).unwrap();
    for device in [&bob, &carol] {
        device.receive(&id, &second.proposal);
        assert_eq!(device.follow(&id, &commit.commit).0.removed, []);
    }
    alice.group(&id).merge_pending_commit().unwrap();
    common::assert_agree(&id, &[&alice, &bob, &carol]);
}
