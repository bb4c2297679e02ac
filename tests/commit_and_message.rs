//! A message that waits for an own Commit: sent with it, given back without it, never lost and never sent twice.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use common::{Device, assert_agree, deliver, group_of, incoming, reload};
use mls_mobile::{ArgumentReason, BatchOutcome, CommitBundle, GroupId, MlsError, ProcessedMessage};

const TEXT: &str = "with the Commit";

/// Alice and bob, who has proposed to add carol; alice's message waits for her Commit.
fn waiting() -> ([Device; 3], GroupId, CommitBundle) {
    let [mut alice, bob, carol] = ["alice", "bob", "carol"].map(Device::new);
    let id = group_of(&[&alice, &bob]);
    let proposal = bob.group(&id).propose_add(carol.key_package()).unwrap();
    alice.receive(&id, &proposal.proposal);
    clear_inbox(&alice);
    assert_eq!(
        alice.group(&id).create_message(TEXT.into(), vec![]),
        Err(MlsError::PendingProposalsExist)
    );
    let bundle = alice
        .group(&id)
        .commit_and_create_message(TEXT.into(), b"data".to_vec())
        .unwrap();
    alice.reload();
    assert_eq!(alice.group(&id).pending_commit().unwrap().as_ref(), Some(&bundle));
    ([alice, bob, carol], id, bundle)
}

fn clear_inbox(device: &Device) {
    let seen = device.client().inbox(100).unwrap();
    let seen = seen.into_iter().map(|entry| entry.id).collect();
    device.client().acknowledge(seen).unwrap();
}

fn inbox(device: &Device) -> Vec<ProcessedMessage> {
    let entries = device.client().inbox(100).unwrap();
    entries.into_iter().map(|entry| entry.outcome).collect()
}

/// The one message among these outcomes that can be sent.
fn created(outcomes: &[ProcessedMessage]) -> Vec<u8> {
    let messages: Vec<_> = outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            ProcessedMessage::MessageCreated { epoch, bytes, .. } => Some((*epoch, bytes.clone())),
            _ => None,
        })
        .collect();
    assert_eq!((messages.len(), messages[0].0), (1, 2), "{outcomes:?}");
    messages[0].1.clone()
}

/// How often the plaintext was given back.
fn given_back(outcomes: &[ProcessedMessage]) -> usize {
    let expected = |outcome: &&ProcessedMessage| match outcome {
        ProcessedMessage::MessageNotCreated {
            plaintext,
            authenticated_data,
            ..
        } => {
            assert_eq!(
                (plaintext.as_slice(), authenticated_data.as_slice()),
                (TEXT.as_bytes(), &b"data"[..])
            );
            true
        }
        ProcessedMessage::MessageCreated { .. } => panic!("{outcome:?}"),
        _ => false,
    };
    outcomes.iter().filter(expected).count()
}

fn read_with_data(device: &Device, id: &GroupId, message: &[u8]) {
    let ProcessedMessage::Application {
        plaintext,
        authenticated_data,
        ..
    } = device.receive(id, message)
    else {
        panic!("not read")
    };
    assert_eq!((plaintext, authenticated_data), (TEXT.into(), b"data".to_vec()));
}

#[test]
fn merging_the_commit_makes_the_message_and_the_inbox_keeps_it() {
    let ([mut alice, mut bob, carol], id, bundle) = waiting();
    let merged = alice.group(&id).merge_pending_commit().unwrap();
    let message = created(&merged.released);
    // The app dies before it has sent anything.
    alice.reload();
    assert_eq!(created(&inbox(&alice)), message);
    clear_inbox(&alice);
    alice.reload();
    assert_eq!(inbox(&alice), []);
    bob.follow(&id, &bundle.commit);
    carol.join(&bundle.welcome.unwrap());
    bob.reload();
    for device in [&bob, &carol] {
        read_with_data(device, &id, &message);
    }
    assert_agree(&id, &[&alice, &bob, &carol]);
    assert_eq!(bob.read(&id, &alice.send(&id, "next")), "next");
    let again = alice.group(&id).merge_pending_commit();
    assert_eq!(again, Err(MlsError::NoPendingCommit));
}

#[test]
fn its_echo_makes_the_message_once_alone_and_in_a_batch() {
    let (devices, id, bundle) = waiting();
    for in_batch in [false, true] {
        let [mut alice, bob, carol] = devices.each_ref().map(Device::fork);
        let outcome = if in_batch {
            let batch = vec![incoming(&bundle.commit, 1)];
            let mut batch = alice.client().process_messages(batch, None).unwrap();
            match batch.outcomes.remove(0) {
                BatchOutcome::Processed { outcome, .. } => outcome,
                failed @ BatchOutcome::Failed { .. } => panic!("{failed:?}"),
            }
        } else {
            alice.receive(&id, &bundle.commit)
        };
        let ProcessedMessage::OwnCommit { released, .. } = outcome else {
            panic!("{outcome:?}")
        };
        let message = created(&released);
        alice.reload();
        assert_eq!(created(&inbox(&alice)), message);
        // The delivery service's answer comes late.
        assert_eq!(alice.group(&id).merge_pending_commit().unwrap().released, []);
        assert_eq!(alice.receive(&id, &bundle.commit), ProcessedMessage::Duplicate);
        assert_eq!(created(&inbox(&alice)), message);
        bob.follow(&id, &bundle.commit);
        carol.join(bundle.welcome.as_ref().unwrap());
        read_with_data(&bob, &id, &message);
        assert_eq!(carol.receive(&id, &alice.send(&id, "next")).text(), "next");
    }
}

trait Text {
    fn text(self) -> String;
}

impl Text for ProcessedMessage {
    fn text(self) -> String {
        common::texts(&[self]).remove(0)
    }
}

#[test]
fn a_rival_gives_the_plaintext_back() {
    let ([mut alice, mut bob, _], id, _) = waiting();
    let rival = bob.group(&id).self_update(None).unwrap();
    bob.group(&id).merge_pending_commit().unwrap();
    reload(&mut [&mut alice, &mut bob]);
    let ProcessedMessage::Commit {
        released, superseded, ..
    } = alice.receive(&id, &rival.commit)
    else {
        panic!("no Commit")
    };
    assert!(superseded.is_some());
    assert_eq!(given_back(&released), 1);
    alice.reload();
    assert_eq!(given_back(&inbox(&alice)), 1);
    alice.group(&id).create_message(TEXT.into(), vec![]).unwrap();
}

#[test]
fn a_rival_that_waited_gives_it_back_when_it_is_merged_or_discarded() {
    let ([alice, bob, _], id, _) = waiting();
    let mut alice = alice.decides_later();
    let rival = bob.group(&id).self_update(None).unwrap();
    alice.receive(&id, &rival.commit);
    alice.reload();
    assert_eq!(given_back(&inbox(&alice)), 0);
    let other = alice.fork();
    let merged = alice.group(&id).merge_staged_commit().unwrap();
    assert_eq!(given_back(&merged.released), 1);
    other.group(&id).discard_staged_commit().unwrap();
    for mut device in [alice, other] {
        device.reload();
        assert_eq!(given_back(&inbox(&device)), 1);
    }
}

#[test]
fn clearing_gives_it_back_and_a_late_echo_does_not_send_it() {
    let ([mut alice, bob, _], id, bundle) = waiting();
    alice.group(&id).clear_pending_commit().unwrap();
    alice.group(&id).clear_pending_commit().unwrap();
    alice.reload();
    assert_eq!(given_back(&inbox(&alice)), 1);
    // Another takes its place, and the first comes back.
    alice
        .group(&id)
        .commit_and_create_message(TEXT.into(), b"data".to_vec())
        .unwrap();
    clear_inbox(&alice);
    let outcome = alice.receive(&id, &bundle.commit);
    let ProcessedMessage::OwnCommit {
        released, superseded, ..
    } = outcome
    else {
        panic!("{outcome:?}")
    };
    assert!(superseded.is_some());
    assert_eq!(given_back(&released), 1);
    alice.reload();
    assert_eq!(given_back(&inbox(&alice)), 1);
    bob.follow(&id, &bundle.commit);
    assert_agree(&id, &[&alice, &bob]);
}

#[test]
fn an_external_join_in_place_of_the_group_gives_it_back() {
    let ([mut alice, bob, _], id, _) = waiting();
    let group_info = bob.group(&id).export_group_info(true).unwrap();
    let join = alice
        .client()
        .join_by_external_commit(alice.identity.clone(), group_info, None)
        .unwrap();
    let other = alice.fork();
    let joined = alice.client().confirm_external_join(id.clone()).unwrap();
    assert_eq!(given_back(&joined.released), 1);
    let ProcessedMessage::OwnCommit { released, .. } = other.receive(&id, &join.commit) else {
        panic!("no echo")
    };
    assert_eq!(given_back(&released), 1);
    alice.reload();
    assert_eq!(given_back(&inbox(&alice)), 1);
}

#[test]
fn our_own_removal_gives_it_back() {
    let ([mut alice, bob, _], id, _) = waiting();
    let leaf = bob.leaf_of(&id, "alice");
    let removal = bob.group(&id).remove_members(vec![leaf]).unwrap();
    let ProcessedMessage::Commit { released, .. } = alice.receive(&id, &removal.commit) else {
        panic!("no Commit")
    };
    assert_eq!(given_back(&released), 1);
    alice.reload();
    assert_eq!(given_back(&inbox(&alice)), 1);
}

#[test]
fn early_messages_come_after_it() {
    let ([mut alice, bob, _], id, bundle) = waiting();
    bob.follow(&id, &bundle.commit);
    alice.receive(&id, &bob.send(&id, "early"));
    alice.reload();
    let merged = alice.group(&id).merge_pending_commit().unwrap();
    created(&merged.released[..1]);
    assert_eq!(common::texts(&merged.released[1..]), ["early"]);
}

#[test]
fn without_an_inbox_the_caller_gets_it_and_nothing_is_kept() {
    let ([alice, bob, _], id, bundle) = waiting();
    let client = alice.open_again(|config| config.inbox = false);
    let merged = client.group(id.clone()).unwrap().merge_pending_commit().unwrap();
    assert_eq!(inbox(&alice), []);
    bob.follow(&id, &bundle.commit);
    read_with_data(&bob, &id, &created(&merged.released));
}

#[test]
fn it_is_refused_as_a_commit_and_as_a_message_are() {
    let ([alice, bob, _], id, bundle) = waiting();
    let group = alice.group(&id);
    let again = group.commit_and_create_message(vec![1], vec![]);
    assert_eq!(again, Err(MlsError::PendingCommitExists));
    assert_eq!(group.pending_commit().unwrap().as_ref(), Some(&bundle));
    group.clear_pending_commit().unwrap();
    for (plaintext, data, argument) in [
        (vec![0; (16 << 20) + 1], vec![], "plaintext"),
        (vec![], vec![0; (1 << 20) + 1], "authenticated_data"),
    ] {
        let refused = group.commit_and_create_message(plaintext, data);
        let argument = argument.to_owned();
        let reason = ArgumentReason::TooLong;
        assert_eq!(refused, Err(MlsError::InvalidArgument { argument, reason }));
    }
    assert_eq!(group.pending_commit().unwrap(), None);
    // With nothing queued it is a Commit all the same.
    group.clear_pending_proposals().unwrap();
    let bundle = group
        .commit_and_create_message(TEXT.into(), b"data".to_vec())
        .unwrap();
    drop(group);
    deliver(&id, &alice, &bundle, &[&bob]);
    read_with_data(&bob, &id, &created(&inbox(&alice)));
}
