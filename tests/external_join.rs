//! External joins: made beside the old membership, which stays usable until the delivery service has decided.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use std::sync::{Arc, Mutex};

use common::{Device, SUITE, advance, assert_agree, basic, deliver, group_of, incoming, raw::RawPeer};
use mls_mobile::{
    BatchOutcome, CallbackError, Ciphersuite, CommitState, Credential, CredentialValidator, EarlyRefusal,
    ExternalJoin, GroupConfig, GroupId, GroupInfoReason, IdentityId, LeafNodeOptions, MlsError,
    ProcessedMessage, ValidationRequest,
};

fn group_info(of: &Device, id: &GroupId) -> Vec<u8> {
    of.group(id).export_group_info(true).unwrap()
}

/// Joins with the GroupInfo that `member` gives.
fn join(joiner: &Device, member: &Device, id: &GroupId) -> ExternalJoin {
    let join = joiner
        .client()
        .join_by_external_commit(joiner.identity.clone(), group_info(member, id), None)
        .unwrap();
    assert_eq!((&join.group_id, join.epoch), (id, member.epoch(id)));
    join
}

fn confirm(device: &Device, id: &GroupId) -> Vec<ProcessedMessage> {
    let joined = device.client().confirm_external_join(id.clone()).unwrap();
    assert_eq!(joined.group_id, *id);
    assert_eq!(joined.epoch, device.epoch(id));
    joined.released
}

fn pending(device: &Device, id: &GroupId) -> Option<ExternalJoin> {
    device.client().pending_external_join(id.clone()).unwrap()
}

fn abandon(device: &Device, id: &GroupId) {
    device.client().abandon_external_join(id.clone()).unwrap();
}

/// What a batch of one message makes of it.
fn batch(device: &Device, message: &[u8]) -> Result<ProcessedMessage, MlsError> {
    let mut batch = device
        .client()
        .process_messages(vec![incoming(message, 1)], None)
        .unwrap();
    match batch.outcomes.remove(0) {
        BatchOutcome::Processed { outcome, .. } => Ok(outcome),
        BatchOutcome::Failed { error, .. } => Err(error),
    }
}

/// All agree, and each reads the others.
fn talk(id: &GroupId, devices: &[&Device]) {
    assert_agree(id, devices);
    for sender in devices {
        let message = sender.send(id, &sender.name);
        for reader in devices.iter().filter(|reader| reader.name != sender.name) {
            assert_eq!(reader.read(id, &message), sender.name);
        }
    }
}

fn text(outcome: &ProcessedMessage) -> &str {
    match outcome {
        ProcessedMessage::Application { plaintext, .. } => std::str::from_utf8(plaintext).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_device_that_was_never_a_member_joins() {
    let (alice, bob, mut carol) = (Device::new("alice"), Device::new("bob"), Device::new("carol"));
    let id = group_of(&[&alice, &bob]);
    let waiting = join(&carol, &alice, &id);
    carol.reload();
    assert_eq!(pending(&carol, &id), Some(waiting.clone()));
    assert_eq!(
        carol.client().group(id.clone()).err(),
        Some(MlsError::GroupNotFound)
    );
    assert_eq!(carol.client().groups().unwrap(), []);
    let (summary, _) = alice.follow(&id, &waiting.commit);
    assert_eq!(summary.external_joins.len(), 1);
    assert_eq!(summary.removed, []);
    bob.follow(&id, &waiting.commit);
    assert_eq!(confirm(&carol, &id), []);
    carol.reload();
    assert_eq!(pending(&carol, &id), None);
    assert_eq!(carol.client().groups().unwrap().len(), 1);
    assert_eq!(alice.member_names(&id), ["alice", "bob", "carol"]);
    talk(&id, &[&alice, &bob, &carol]);
    advance(&id, &carol, &[&alice, &bob]);
    carol.reload();
    advance(&id, &alice, &[&bob, &carol]);
    talk(&id, &[&alice, &bob, &carol]);
}

#[test]
fn the_old_membership_is_usable_until_the_join_replaces_it() {
    let (mut alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let other = bob.create_group();
    let before = bob.group(&id).info().unwrap();
    let waiting = join(&bob, &alice, &id);
    common::reload(&mut [&mut alice, &mut bob]);
    assert_eq!(bob.group(&id).info().unwrap(), before);
    talk(&id, &[&alice, &bob]);
    // An own Commit of the old membership, pending and cleared; another one pending when the join is confirmed.
    bob.group(&id).self_update(None).unwrap();
    bob.group(&id).clear_pending_commit().unwrap();
    bob.group(&id).self_update(None).unwrap();
    let late = bob.send(&id, "late");
    bob.reload();

    let (summary, _) = alice.follow(&id, &waiting.commit);
    assert_eq!(summary.removed.len(), 1);
    assert_eq!(summary.removed[0].credential, basic("bob"));
    assert_eq!(alice.member_names(&id), ["alice", "bob"]);
    // What bob sent in the old epoch is late for the others, and stale for himself.
    assert_eq!(alice.read(&id, &late), "late");
    let joined = bob.client().confirm_external_join(id.clone()).unwrap();
    assert_eq!(joined.superseded.unwrap().to_epoch, 2);
    bob.reload();
    assert_eq!(bob.receive(&id, &late), ProcessedMessage::Stale { epoch: 1 });
    assert_eq!(bob.group(&id).pending_commit().unwrap(), None);
    assert_eq!(
        bob.group(&id).merge_pending_commit().err(),
        Some(MlsError::NoPendingCommit)
    );
    // It kept its place in the list.
    let ids: Vec<_> = bob
        .client()
        .groups()
        .unwrap()
        .into_iter()
        .map(|it| it.group_id)
        .collect();
    assert_eq!(ids, [id.clone(), other]);
    talk(&id, &[&alice, &bob]);
    advance(&id, &alice, &[&bob]);
    talk(&id, &[&alice, &bob]);
}

#[test]
fn an_abandoned_join_leaves_nothing_behind() {
    let (mut alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let rows = |device: &Device| -> Vec<(String, usize)> {
        let dump = device.dump().into_iter();
        dump.map(|(table, rows)| (table, rows.len())).collect()
    };
    let before = (rows(&bob), bob.group(&id).info().unwrap());
    join(&bob, &alice, &id);
    bob.reload();
    abandon(&bob, &id);
    abandon(&bob, &id);
    common::reload(&mut [&mut alice, &mut bob]);
    assert_eq!((rows(&bob), bob.group(&id).info().unwrap()), before);
    assert_eq!(pending(&bob, &id), None);
    assert_eq!(
        bob.client().confirm_external_join(id.clone()).err(),
        Some(MlsError::NoExternalJoin)
    );
    advance(&id, &alice, &[&bob]);
    talk(&id, &[&alice, &bob]);
}

#[test]
fn the_echo_confirms_a_join_beside_an_old_membership() {
    for batched in [false, true] {
        let (alice, mut bob) = (Device::new("alice"), Device::new("bob"));
        let id = group_of(&[&alice, &bob]);
        let waiting = join(&bob, &alice, &id);
        alice.follow(&id, &waiting.commit);
        let soon = alice.send(&id, "soon");
        bob.reload();
        assert_eq!(bob.receive(&id, &soon), ProcessedMessage::Early { epoch: 2 });
        let outcome = if batched {
            batch(&bob, &waiting.commit).unwrap()
        } else {
            bob.receive(&id, &waiting.commit)
        };
        let ProcessedMessage::OwnCommit {
            epoch: 2,
            welcome: None,
            group_info,
            released,
            superseded: None,
            ..
        } = outcome
        else {
            panic!("{outcome:?}")
        };
        assert_eq!(group_info, waiting.group_info);
        assert_eq!(released.iter().map(text).collect::<Vec<_>>(), ["soon"]);
        // The inbox has both, in this order.
        let inbox = bob.client().inbox(10).unwrap();
        assert!(matches!(inbox[0].outcome, ProcessedMessage::OwnCommit { .. }));
        assert_eq!(text(&inbox[1].outcome), "soon");
        bob.reload();
        assert_eq!(bob.receive(&id, &waiting.commit), ProcessedMessage::Duplicate);
        // Confirmed once more, because the app did not see the echo.
        assert_eq!(confirm(&bob, &id), []);
        assert_eq!(bob.client().inbox(10).unwrap(), inbox);
        talk(&id, &[&alice, &bob]);
        advance(&id, &alice, &[&bob]);
        assert_eq!(
            bob.client().confirm_external_join(id.clone()).err(),
            Some(MlsError::NoExternalJoin)
        );
    }
}

#[test]
fn the_echo_confirms_a_join_of_a_device_without_the_group() {
    let (alice, bob, mut carol) = (Device::new("alice"), Device::new("bob"), Device::new("carol"));
    let id = group_of(&[&alice, &bob]);
    let waiting = join(&carol, &alice, &id);
    let before = alice.send(&id, "not for carol");
    alice.follow(&id, &waiting.commit);
    bob.follow(&id, &waiting.commit);
    let first = alice.send(&id, "first");
    let update = advance(&id, &alice, &[&bob]);
    let second = bob.send(&id, "second");
    carol.reload();
    assert_eq!(batch(&carol, &before), Ok(ProcessedMessage::Stale { epoch: 1 }));
    assert_eq!(batch(&carol, &second), Ok(ProcessedMessage::Early { epoch: 3 }));
    assert_eq!(
        batch(&carol, &update.commit),
        Ok(ProcessedMessage::Early { epoch: 2 })
    );
    assert_eq!(batch(&carol, &first), Ok(ProcessedMessage::Early { epoch: 2 }));
    carol.reload();
    let outcome = batch(&carol, &waiting.commit).unwrap();
    let ProcessedMessage::OwnCommit { released, .. } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(released.len(), 3);
    assert_eq!((text(&released[0]), text(&released[2])), ("first", "second"));
    carol.reload();
    talk(&id, &[&alice, &bob, &carol]);
}

#[test]
fn early_messages_are_released_by_a_confirmation_or_dropped_by_an_abandonment() {
    let (alice, bob, mut carol) = (Device::new("alice"), Device::new("bob"), Device::new("carol"));
    let id = group_of(&[&alice, &bob]);
    let waiting = join(&carol, &alice, &id);
    alice.follow(&id, &waiting.commit);
    let message = alice.send(&id, "early");
    assert_eq!(batch(&carol, &message), Ok(ProcessedMessage::Early { epoch: 2 }));
    assert_eq!(batch(&carol, &message), Ok(ProcessedMessage::Early { epoch: 2 }));
    carol.reload();
    let refused = carol.fork();
    abandon(&refused, &id);
    let inbox = refused.client().inbox(10).unwrap();
    assert!(
        matches!(
            inbox[..],
            [mls_mobile::InboxEntry {
                outcome: ProcessedMessage::EarlyRefused {
                    epoch: 2,
                    reason: EarlyRefusal::GroupEnded,
                    ..
                },
                ..
            }]
        ),
        "{inbox:?}"
    );
    assert_eq!(batch(&refused, &message), Err(MlsError::GroupNotFound));
    let released = confirm(&carol, &id);
    assert_eq!(released.iter().map(text).collect::<Vec<_>>(), ["early"]);
    assert_eq!(carol.receive(&id, &message), ProcessedMessage::Duplicate);
    assert_eq!(carol.group(&id).info().unwrap().early_messages, 0);
}

#[test]
fn a_removed_device_joins_again_and_its_early_messages_survive_its_removal() {
    let (alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    bob.group(&id)
        .configure(GroupConfig {
            padding: Some(mls_mobile::Padding::Block { size: 1024 }),
            ..GroupConfig::default()
        })
        .unwrap();
    // bob does not know yet that he was removed.
    let removal = alice
        .group(&id)
        .remove_members(vec![alice.leaf_of(&id, "bob")])
        .unwrap();
    alice.group(&id).merge_pending_commit().unwrap();
    let waiting = join(&bob, &alice, &id);
    let (summary, _) = alice.follow(&id, &waiting.commit);
    assert_eq!(summary.removed, []);
    let message = alice.send(&id, "welcome back");
    assert_eq!(bob.receive(&id, &message), ProcessedMessage::Early { epoch: 3 });
    bob.follow(&id, &removal.commit);
    bob.reload();
    assert!(!bob.group(&id).info().unwrap().is_active);
    assert_eq!(bob.group(&id).release_early_messages().unwrap(), []);
    let second = alice.send(&id, "once more");
    assert_eq!(bob.receive(&id, &second), ProcessedMessage::Early { epoch: 3 });
    bob.reload();
    let outcome = bob.receive(&id, &waiting.commit);
    let ProcessedMessage::OwnCommit { released, .. } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(
        released.iter().map(text).collect::<Vec<_>>(),
        ["welcome back", "once more"]
    );
    bob.reload();
    assert!(bob.group(&id).info().unwrap().is_active);
    talk(&id, &[&alice, &bob]);
    // The group's configuration is that of the old membership.
    assert!(bob.send(&id, "").len() > alice.send(&id, "").len() + 512);
}

#[test]
fn a_diverged_device_gets_back_in_step() {
    let (alice, mut bob) = (Device::new("alice"), Device::without_validator("bob"));
    let id = group_of(&[&alice, &bob]);
    let update = alice.group(&id).self_update(None).unwrap();
    alice.group(&id).merge_pending_commit().unwrap();
    let outcome = bob.receive(&id, &update.commit);
    assert!(
        matches!(
            outcome,
            ProcessedMessage::Commit {
                state: CommitState::Staged,
                ..
            }
        ),
        "{outcome:?}"
    );
    bob.group(&id).discard_staged_commit().unwrap();
    let waiting = join(&bob, &alice, &id);
    alice.follow(&id, &waiting.commit);
    let message = alice.send(&id, "hello");
    bob.reload();
    assert_eq!(bob.group(&id).info().unwrap().rejected_epoch, Some(2));
    assert_eq!(bob.receive(&id, &message), ProcessedMessage::Early { epoch: 3 });
    let released = confirm(&bob, &id);
    assert_eq!(released.iter().map(text).collect::<Vec<_>>(), ["hello"]);
    bob.reload();
    let info = bob.group(&id).info().unwrap();
    assert_eq!((info.rejected_epoch, info.fork_suspected), (None, false));
    talk(&id, &[&alice, &bob]);
}

#[test]
fn a_lost_race_is_left_to_the_app() {
    let (alice, bob, carol) = (Device::new("alice"), Device::new("bob"), Device::new("carol"));
    let id = group_of(&[&alice, &bob, &carol]);
    let lost = join(&bob, &alice, &id);
    let update = advance(&id, &alice, &[&bob, &carol]);
    // The old membership goes on; a delivery service that hands out both has the other one first.
    talk(&id, &[&alice, &bob, &carol]);
    assert_eq!(pending(&bob, &id), Some(lost.clone()));
    for device in [&alice, &bob, &carol] {
        assert_eq!(
            device.receive(&id, &lost.commit),
            ProcessedMessage::Stale { epoch: 1 }
        );
    }
    assert_eq!(bob.receive(&id, &update.commit), ProcessedMessage::Duplicate);
    // The next one replaces it.
    let won = join(&bob, &alice, &id);
    assert_ne!(won.commit, lost.commit);
    assert_eq!(pending(&bob, &id), Some(won.clone()));
    alice.follow(&id, &won.commit);
    carol.follow(&id, &won.commit);
    bob.receive(&id, &won.commit);
    talk(&id, &[&alice, &bob, &carol]);
}

#[test]
fn a_join_that_was_abandoned_and_accepted_all_the_same_removes_the_old_membership() {
    let (alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let waiting = join(&bob, &alice, &id);
    abandon(&bob, &id);
    alice.follow(&id, &waiting.commit);
    let (summary, _) = bob.follow(&id, &waiting.commit);
    assert!(summary.self_removed);
    bob.reload();
    assert!(!bob.group(&id).info().unwrap().is_active);
    // Its new keys are gone, so it joins once more.
    let waiting = join(&bob, &alice, &id);
    alice.follow(&id, &waiting.commit);
    bob.receive(&id, &waiting.commit);
    talk(&id, &[&alice, &bob]);
}

#[test]
fn a_staged_commit_of_the_same_epoch_comes_before_the_echo() {
    let (alice, bob) = (Device::new("alice"), Device::without_validator("bob"));
    let id = group_of(&[&alice, &bob]);
    let waiting = join(&bob, &alice, &id);
    let update = alice.group(&id).self_update(None).unwrap();
    bob.receive(&id, &update.commit);
    assert_eq!(
        bob.receive(&id, &waiting.commit),
        ProcessedMessage::RivalStaged { epoch: 1 }
    );
    bob.group(&id).merge_staged_commit().unwrap();
    assert_eq!(
        bob.receive(&id, &waiting.commit),
        ProcessedMessage::Stale { epoch: 1 }
    );
    alice.group(&id).merge_pending_commit().unwrap();
    talk(&id, &[&alice, &bob]);
}

#[test]
fn a_device_on_a_fork_of_its_own_is_healed_by_the_echo() {
    let (alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    // bob merges Commits that nobody else got.
    for _ in 0..3 {
        bob.group(&id).self_update(None).unwrap();
        bob.group(&id).merge_pending_commit().unwrap();
    }
    let waiting = join(&bob, &alice, &id);
    alice.follow(&id, &waiting.commit);
    bob.reload();
    assert_eq!(bob.epoch(&id), 4);
    let outcome = bob.receive(&id, &waiting.commit);
    assert!(
        matches!(outcome, ProcessedMessage::OwnCommit { epoch: 2, .. }),
        "{outcome:?}"
    );
    talk(&id, &[&alice, &bob]);
}

#[test]
fn two_joins_after_each_other_and_one_with_the_group_info_of_the_other() {
    let (alice, bob, carol) = (Device::new("alice"), Device::new("bob"), Device::new("carol"));
    let id = group_of(&[&alice]);
    let first = join(&bob, &alice, &id);
    let rival = join(&carol, &alice, &id);
    alice.follow(&id, &first.commit);
    assert_eq!(
        alice.receive(&id, &rival.commit),
        ProcessedMessage::Stale { epoch: 0 }
    );
    confirm(&bob, &id);
    // The delivery service has bob's GroupInfo, which he made with his Commit.
    let second = carol
        .client()
        .join_by_external_commit(carol.identity.clone(), first.group_info.unwrap(), None)
        .unwrap();
    for device in [&alice, &bob] {
        device.follow(&id, &second.commit);
    }
    confirm(&carol, &id);
    talk(&id, &[&alice, &bob, &carol]);
    // A member twice over: each time the old leaf goes.
    for _ in 0..2 {
        let again = join(&bob, &alice, &id);
        alice.follow(&id, &again.commit);
        carol.follow(&id, &again.commit);
        confirm(&bob, &id);
        assert_eq!(alice.group(&id).members().unwrap().len(), 3);
    }
    talk(&id, &[&alice, &bob, &carol]);
}

#[test]
fn another_identity_of_a_member_joins_beside_its_old_leaf() {
    let (alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let old = bob.identity.clone();
    bob.identity = bob.client().create_identity(basic("bob's"), SUITE).unwrap().id;
    let waiting = join(&bob, &alice, &id);
    let delete = |identity: &IdentityId| bob.client().delete_identity(identity.clone());
    assert_eq!(delete(&bob.identity), Err(MlsError::IdentityInUse));
    assert_eq!(delete(&old), Err(MlsError::IdentityInUse));
    alice.follow(&id, &waiting.commit);
    confirm(&bob, &id);
    assert_eq!(delete(&bob.identity), Err(MlsError::IdentityInUse));
    assert_eq!(delete(&old), Ok(()));
    assert_eq!(alice.member_names(&id), ["alice", "bob", "bob's"]);
    talk(&id, &[&alice, &bob]);
}

#[test]
fn the_ratchet_tree_may_come_beside_the_group_info() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice]);
    let group = alice.group(&id);
    let tree = group.export_ratchet_tree().unwrap();
    let bare = group.export_group_info(false).unwrap();
    let join = |info: &[u8], tree: Option<Vec<u8>>| {
        let identity = bob.identity.clone();
        bob.client()
            .join_by_external_commit(identity, info.to_vec(), tree)
    };
    let reason = |answer: Result<ExternalJoin, MlsError>| match answer.unwrap_err() {
        MlsError::GroupInfoInvalid { reason } => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(reason(join(&bare, None)), GroupInfoReason::RatchetTreeMissing);
    let other = group_of(&[&alice]);
    let foreign = alice.group(&other).export_ratchet_tree().unwrap();
    // Alice signs in both groups with the same key, so that only the tree is wrong.
    assert_eq!(
        reason(join(&bare, Some(foreign))),
        GroupInfoReason::RatchetTreeInvalid
    );
    let waiting = join(&bare, Some(tree)).unwrap();
    alice.follow(&id, &waiting.commit);
    confirm(&bob, &id);
    talk(&id, &[&alice, &bob]);
}

#[test]
fn a_group_info_that_cannot_be_joined_with_says_why() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = alice.create_group();
    let mut raw = RawPeer::new("raw");
    let bundle = alice.group(&id).add_members(vec![raw.key_package()]).unwrap();
    alice.group(&id).merge_pending_commit().unwrap();
    raw.join(bundle.welcome.as_ref().unwrap(), false);
    let key_package = bob.key_package();
    let before = bob.dump();
    let join = |info: Vec<u8>| {
        let identity = bob.identity.clone();
        bob.client()
            .join_by_external_commit(identity, info, None)
            .unwrap_err()
    };
    let invalid = |reason| MlsError::GroupInfoInvalid { reason };
    let good = group_info(&alice, &id);
    let mut forged = good.clone();
    *forged.last_mut().unwrap() ^= 1;
    assert_eq!(join(forged), invalid(GroupInfoReason::SignatureInvalid));
    for other in [bundle.welcome.unwrap(), bundle.commit, key_package] {
        assert_eq!(join(other), invalid(GroupInfoReason::NotAGroupInfo));
    }
    assert_eq!(join(b"nonsense".to_vec()), MlsError::MessageMalformed);
    assert_eq!(
        join(raw.group_info(None, |extension| extension != 4)),
        invalid(GroupInfoReason::ExternalJoinNotAllowed)
    );
    assert_eq!(
        join(raw.group_info(Some(u64::MAX), |_| true)),
        invalid(GroupInfoReason::UnsupportedFeature)
    );
    let client = bob.client();
    let error = client.join_by_external_commit(IdentityId(vec![1; 32]), good.clone(), None);
    assert_eq!(error, Err(MlsError::IdentityNotFound));
    assert!(before == bob.dump());
    // The same bytes that the helper makes are good without a change.
    let identity = bob.identity.clone();
    client
        .join_by_external_commit(identity, raw.group_info(None, |_| true), None)
        .unwrap();
}

#[test]
fn an_identity_of_another_ciphersuite_cannot_join() {
    let alice = Device::new("alice");
    let bob = Device::with_suite("bob", Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519);
    let id = group_of(&[&alice]);
    let before = bob.dump();
    let answer = bob
        .client()
        .join_by_external_commit(bob.identity.clone(), group_info(&alice, &id), None);
    assert!(
        matches!(&answer, Err(MlsError::InvalidArgument { argument, .. }) if argument == "identity"),
        "{answer:?}"
    );
    assert!(before == bob.dump());
}

#[test]
fn what_the_members_or_this_device_do_not_support_keeps_it_out() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice]);
    let unusual = Credential::Other {
        credential_type: 0xf123,
        content: b"bob".to_vec(),
    };
    let identity = bob.client().create_identity(unusual, SUITE).unwrap().id;
    let before = bob.dump();
    let answer = bob
        .client()
        .join_by_external_commit(identity, group_info(&alice, &id), None);
    assert!(
        matches!(&answer, Err(MlsError::InvalidArgument { argument, .. }) if argument == "identity"),
        "{answer:?}"
    );
    // Nor does this device know the type of a member.
    let mut carol = Device::new("carol");
    let unusual = Credential::Other {
        credential_type: 0xf123,
        content: b"carol".to_vec(),
    };
    carol.identity = carol.client().create_identity(unusual, SUITE).unwrap().id;
    let unknown = group_of(&[&carol]);
    let answer =
        bob.client()
            .join_by_external_commit(bob.identity.clone(), group_info(&carol, &unknown), None);
    let expected = MlsError::GroupInfoInvalid {
        reason: GroupInfoReason::UnsupportedFeature,
    };
    assert_eq!(answer, Err(expected));
    assert!(before == bob.dump());
    let join = bob
        .client()
        .join_by_external_commit_with_leaf_node(
            bob.identity.clone(),
            group_info(&carol, &unknown),
            LeafNodeOptions {
                supported_credentials: vec![0xf123],
                ..LeafNodeOptions::default()
            },
            None,
            Vec::new(),
        )
        .unwrap();
    carol.follow(&unknown, &join.commit);
    bob.client().confirm_external_join(unknown.clone()).unwrap();
    assert_agree(&unknown, &[&bob, &carol]);

    let before = bob.dump();
    let mut raw = RawPeer::new("raw");
    raw.create_group_that_requires_a_proposal_type(0xf123);
    let info = raw.group_info(None, |_| true);
    let answer = bob
        .client()
        .join_by_external_commit(bob.identity.clone(), info, None);
    let expected = MlsError::GroupInfoInvalid {
        reason: GroupInfoReason::UnsupportedFeature,
    };
    assert_eq!(answer, Err(expected));
    assert!(before == bob.dump());
}

/// Answers as it is told and remembers the question.
#[derive(Default)]
struct Judge {
    refuses: Mutex<bool>,
    asked: Mutex<Vec<ValidationRequest>>,
}

impl CredentialValidator for Judge {
    fn validate(&self, request: ValidationRequest) -> Result<bool, CallbackError> {
        self.asked.lock().unwrap().push(request);
        Ok(!*self.refuses.lock().unwrap())
    }
}

#[test]
fn the_validator_is_asked_before_the_join_is_made() {
    let judge = Arc::new(Judge::default());
    let (alice, bob) = (Device::new("alice"), Device::with_validator("bob", judge.clone()));
    let id = group_of(&[&alice, &bob]);
    let before = bob.dump();
    judge.asked.lock().unwrap().clear();
    *judge.refuses.lock().unwrap() = true;
    let info = group_info(&alice, &id);
    let identity = || bob.identity.clone();
    assert_eq!(
        bob.client()
            .join_by_external_commit(identity(), info.clone(), None),
        Err(MlsError::CredentialRejected)
    );
    assert!(before == bob.dump());
    talk(&id, &[&alice, &bob]);
    *judge.refuses.lock().unwrap() = false;
    let waiting = bob
        .client()
        .join_by_external_commit(identity(), info, None)
        .unwrap();
    let asked = std::mem::take(&mut *judge.asked.lock().unwrap());
    assert_eq!(asked.len(), 2, "{asked:?}");
    alice.follow(&id, &waiting.commit);
    confirm(&bob, &id);
    for request in asked {
        let ValidationRequest::ExternalJoin { group_id, members } = request else {
            panic!("{request:?}")
        };
        assert_eq!(group_id, id);
        let names: Vec<_> = members.iter().map(|it| it.credential.clone()).collect();
        assert_eq!(names, [basic("alice"), basic("bob")]);
    }
}

#[test]
fn a_deletion_or_an_invitation_drops_the_join() {
    let (alice, bob, carol) = (Device::new("alice"), Device::new("bob"), Device::new("carol"));
    let id = group_of(&[&alice, &bob]);
    join(&bob, &alice, &id);
    bob.group(&id).delete().unwrap();
    assert_eq!(pending(&bob, &id), None);

    join(&carol, &alice, &id);
    let config = GroupConfig {
        group_id: Some(id.clone()),
        ..GroupConfig::default()
    };
    let created = carol.client().create_group(carol.identity.clone(), Some(config));
    assert_eq!(created.err(), Some(MlsError::GroupAlreadyExists));
    let bundle = alice.group(&id).add_members(vec![carol.key_package()]).unwrap();
    deliver(&id, &alice, &bundle, &[]);
    carol.join(&bundle.welcome.unwrap());
    assert_eq!(pending(&carol, &id), None);
    talk(&id, &[&alice, &carol]);
    // A group that was deleted is joined like one that never was here.
    let waiting = join(&bob, &alice, &id);
    alice.follow(&id, &waiting.commit);
    carol.follow(&id, &waiting.commit);
    confirm(&bob, &id);
    talk(&id, &[&alice, &bob, &carol]);
}

#[test]
fn a_new_data_key_seals_the_join_too() {
    let (alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let waiting = join(&bob, &alice, &id);
    bob.client().rotate_data_key().unwrap();
    bob.reload();
    assert_eq!(pending(&bob, &id), Some(waiting.clone()));
    alice.follow(&id, &waiting.commit);
    confirm(&bob, &id);
    talk(&id, &[&alice, &bob]);
}
