//! Without a validator a received Commit waits, stored, for the app: merged, or discarded for good.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use common::{Device, advance, assert_agree, group_of, reload, texts};
use mls_mobile::{CommitState, CommitSummary, EarlyRefusal, GroupId, Merged, MlsError, ProcessedMessage};

/// Alice and carol, who follow every Commit, and bob, whose app decides.
fn three() -> (Device, Device, Device, GroupId) {
    let (alice, carol) = (Device::new("alice"), Device::new("carol"));
    let bob = Device::without_validator("bob");
    let id = group_of(&[&alice, &bob, &carol]);
    (alice, bob, carol, id)
}

/// Lets the device process a Commit that must then wait.
fn stage(device: &mut Device, id: &GroupId, commit: &[u8]) -> CommitSummary {
    let outcome = device.receive(id, commit);
    device.reload();
    match outcome {
        ProcessedMessage::Commit {
            id: Some(_),
            summary,
            state: CommitState::Staged,
            released,
            superseded: None,
        } if released.is_empty() => summary,
        other => panic!("{other:?}"),
    }
}

fn merge(device: &mut Device, id: &GroupId) -> Merged {
    let merged = device.group(id).merge_staged_commit().unwrap();
    device.reload();
    merged
}

#[test]
fn a_commit_waits_through_restarts_and_takes_effect_when_it_is_merged() {
    let (alice, mut bob, carol, id) = three();
    let dave = Device::new("dave");
    let addition = alice.group(&id).add_members(vec![dave.key_package()]).unwrap();
    alice.group(&id).merge_pending_commit().unwrap();
    carol.follow(&id, &addition.commit);
    let summary = stage(&mut bob, &id, &addition.commit);
    assert_eq!((summary.added.len(), summary.to_epoch), (1, 2));
    for _ in 0..2 {
        let state = bob.group(&id).info().unwrap();
        assert_eq!((state.epoch, state.staged_commit.as_ref()), (1, Some(&summary)));
        assert_eq!(bob.member_names(&id), ["alice", "bob", "carol"]);
        bob.reload();
    }
    // Processed once: its sender's ratchet is past it.
    assert_eq!(bob.receive(&id, &addition.commit), ProcessedMessage::Duplicate);

    let merged = merge(&mut bob, &id);
    assert_eq!((merged.summary, merged.released.len()), (summary, 0));
    assert_eq!(bob.group(&id).info().unwrap().staged_commit, None);
    assert_eq!(
        bob.group(&id).merge_staged_commit(),
        Err(MlsError::NoStagedCommit)
    );
    dave.join(&addition.welcome.unwrap());
    assert_agree(&id, &[&alice, &bob, &carol, &dave]);
    assert_eq!(alice.read(&id, &bob.send(&id, "hello")), "hello");
    assert_eq!(bob.receive(&id, &addition.commit), ProcessedMessage::Duplicate);
}

#[test]
fn while_a_commit_waits_the_old_epoch_goes_on_and_the_next_one_is_kept() {
    let (alice, mut bob, carol, id) = three();
    let before = carol.send(&id, "before");
    let update = advance(&id, &alice, &[]);
    stage(&mut bob, &id, &update.commit);
    assert_eq!(bob.read(&id, &before), "before");
    let from_bob = bob.send(&id, "from the old epoch");
    assert_eq!(alice.read(&id, &from_bob), "from the old epoch");
    let after = alice.send(&id, "after");
    assert_eq!(bob.receive(&id, &after), ProcessedMessage::Early { epoch: 2 });
    bob.reload();
    let merged = merge(&mut bob, &id);
    assert_eq!(texts(&merged.released), ["after"]);
    let inbox: Vec<_> = bob
        .client()
        .inbox(10)
        .unwrap()
        .into_iter()
        .map(|entry| entry.outcome)
        .collect();
    assert_eq!(texts(&inbox), ["before", "after"]);
}

#[test]
fn a_second_commit_of_the_epoch_is_a_rival_and_stale_after_the_merge() {
    let (alice, mut bob, mut carol, id) = three();
    let rival = carol.group(&id).self_update(None).unwrap();
    let update = advance(&id, &alice, &[]);
    stage(&mut bob, &id, &update.commit);
    for _ in 0..2 {
        assert_eq!(
            bob.receive(&id, &rival.commit),
            ProcessedMessage::RivalStaged { epoch: 1 }
        );
        bob.reload();
    }
    merge(&mut bob, &id);
    assert_eq!(
        bob.receive(&id, &rival.commit),
        ProcessedMessage::Stale { epoch: 1 }
    );
    carol.follow(&id, &update.commit);
    carol.reload();
    assert_agree(&id, &[&alice, &bob, &carol]);
}

#[test]
fn an_own_commit_waits_beside_it_and_loses() {
    let (alice, mut bob, carol, id) = three();
    let dave = Device::new("dave");
    let ours = bob.group(&id).add_members(vec![dave.key_package()]).unwrap();
    let update = advance(&id, &alice, &[&carol]);
    stage(&mut bob, &id, &update.commit);
    assert_eq!(bob.group(&id).pending_commit().unwrap(), Some(ours.clone()));
    let refused = bob.group(&id).merge_pending_commit();
    assert_eq!(refused, Err(MlsError::StagedCommitExists));
    // Even if it comes back: the delivery service had the other first.
    assert_eq!(
        bob.receive(&id, &ours.commit),
        ProcessedMessage::RivalStaged { epoch: 1 }
    );
    let merged = merge(&mut bob, &id);
    assert_eq!(merged.superseded.unwrap().added.len(), 1);
    assert_eq!(bob.group(&id).pending_commit().unwrap(), None);
    assert_agree(&id, &[&alice, &bob, &carol]);
}

#[test]
fn no_own_commit_is_made_while_one_waits() {
    let (alice, mut bob, _carol, id) = three();
    stage(&mut bob, &id, &advance(&id, &alice, &[]).commit);
    let group = bob.group(&id);
    for answer in [
        group.self_update(None),
        group.remove_members(vec![0]),
        group.commit_to_pending_proposals(),
    ] {
        assert_eq!(answer, Err(MlsError::StagedCommitExists));
    }
    assert_eq!(group.pending_commit().unwrap(), None);
}

#[test]
fn a_discarded_commit_leaves_the_group_behind_for_good() {
    let (alice, mut bob, carol, id) = three();
    let before = carol.send(&id, "before");
    bob.group(&id).self_update(None).unwrap();
    let update = advance(&id, &alice, &[&carol]);
    stage(&mut bob, &id, &update.commit);
    let early = alice.send(&id, "in epoch 2");
    bob.receive(&id, &early);
    bob.group(&id).discard_staged_commit().unwrap();
    bob.reload();

    let diverged = MlsError::GroupDiverged { rejected_epoch: 2 };
    let state = bob.group(&id).info().unwrap();
    assert_eq!((state.epoch, state.rejected_epoch), (1, Some(2)));
    assert_eq!(
        (
            state.staged_commit,
            state.has_pending_commit,
            state.early_messages
        ),
        (None, false, 0)
    );
    let gone = bob.client().inbox(10).unwrap().pop().unwrap().outcome;
    let reason = EarlyRefusal::GroupEnded;
    assert!(
        matches!(gone, ProcessedMessage::EarlyRefused { epoch: 2, reason: found, .. } if found == reason),
        "{gone:?}"
    );

    let group = bob.group(&id);
    assert_eq!(
        group.process_message(update.commit.clone()).unwrap(),
        ProcessedMessage::Duplicate
    );
    assert_eq!(group.merge_staged_commit(), Err(MlsError::NoStagedCommit));
    assert_eq!(group.discard_staged_commit(), Err(MlsError::NoStagedCommit));
    assert_eq!(group.process_message(early), Err(diverged.clone()));
    let next = advance(&id, &carol, &[&alice]);
    assert_eq!(group.process_message(next.commit), Err(diverged.clone()));
    assert_eq!(
        group.create_message(b"to nobody".to_vec(), Vec::new()),
        Err(diverged.clone())
    );
    assert_eq!(group.self_update(None).unwrap_err(), diverged);
    // What was said before can still be read.
    assert_eq!(bob.read(&id, &before), "before");
}

#[test]
fn a_device_that_went_its_own_way_can_be_invited_again_or_delete_the_group() {
    let (mut alice, mut bob, mut carol, id) = three();
    stage(&mut bob, &id, &advance(&id, &alice, &[&carol]).commit);
    bob.group(&id).discard_staged_commit().unwrap();
    let leaf = alice.leaf_of(&id, "bob");
    let removal = alice.group(&id).remove_members(vec![leaf]).unwrap();
    common::deliver(&id, &alice, &removal, &[&carol]);
    let invitation = alice.group(&id).add_members(vec![bob.key_package()]).unwrap();
    common::deliver(&id, &alice, &invitation, &[&carol]);
    reload(&mut [&mut alice, &mut bob, &mut carol]);
    bob.join(&invitation.welcome.unwrap());
    bob.reload();
    assert_eq!(bob.group(&id).info().unwrap().rejected_epoch, None);
    assert_agree(&id, &[&alice, &bob, &carol]);
    assert_eq!(alice.read(&id, &bob.send(&id, "back")), "back");

    stage(&mut bob, &id, &advance(&id, &alice, &[&carol]).commit);
    bob.group(&id).discard_staged_commit().unwrap();
    bob.reload();
    bob.group(&id).delete().unwrap();
    assert!(bob.client().groups().unwrap().is_empty());
}

#[test]
fn the_own_removal_waits_too_and_ends_the_membership() {
    let (alice, mut bob, carol, id) = three();
    let removal = alice.group(&id).remove_members(vec![1]).unwrap();
    common::deliver(&id, &alice, &removal, &[&carol]);
    assert!(stage(&mut bob, &id, &removal.commit).self_removed);
    assert!(bob.group(&id).info().unwrap().is_active);
    let early = alice.send(&id, "without bob");
    bob.receive(&id, &early);
    let merged = merge(&mut bob, &id);
    assert!(matches!(
        merged.released[..],
        [ProcessedMessage::EarlyRefused {
            reason: EarlyRefusal::GroupEnded,
            ..
        }]
    ));
    assert!(!bob.group(&id).info().unwrap().is_active);
    assert_eq!(
        bob.group(&id).process_message(early),
        Err(MlsError::GroupInactive)
    );
}

#[test]
fn a_validator_that_comes_later_does_not_decide_about_what_waits() {
    let (alice, mut bob, carol, id) = three();
    let update = advance(&id, &alice, &[&carol]);
    stage(&mut bob, &id, &update.commit);
    let with_validator = mls_mobile::MlsClient::open(
        mls_mobile::ClientConfig::new(bob.path().to_str().unwrap(), common::KEY),
        Some(std::sync::Arc::new(common::AcceptAll)),
        None,
    )
    .unwrap();
    let next = advance(&id, &carol, &[&alice]);
    let group = with_validator.group(id.clone()).unwrap();
    assert_eq!(
        group.process_message(next.commit).unwrap(),
        ProcessedMessage::Early { epoch: 2 }
    );
    assert_eq!(group.info().unwrap().epoch, 1);
    let released = group.merge_staged_commit().unwrap().released;
    assert!(matches!(
        released[..],
        [ProcessedMessage::Commit {
            state: CommitState::Merged,
            ..
        }]
    ));
    assert_agree(&id, &[&alice, &bob, &carol]);
}

#[test]
fn after_a_discard_no_earlier_own_commit_counts_as_merged() {
    let (alice, mut bob, carol, id) = three();
    let own = bob.group(&id).self_update(None).unwrap();
    for device in [&bob, &alice, &carol] {
        device.receive(&id, &own.commit);
    }
    stage(&mut bob, &id, &advance(&id, &alice, &[&carol]).commit);
    bob.group(&id).discard_staged_commit().unwrap();
    bob.reload();
    assert_eq!(
        bob.group(&id).merge_pending_commit(),
        Err(MlsError::NoPendingCommit)
    );
}
