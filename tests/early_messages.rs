//! Messages that come before their group can read them: kept, bounded, and read in the right order.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use std::{
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use common::{Device, advance, assert_agree, group_of, raw::RawPeer, texts};
use mls_mobile::{
    CallbackError, CommitState, CredentialValidator, EarlyLimits, EarlyRefusal, GroupId, MlsClient, MlsError,
    ProcessedMessage, ValidationRequest,
};

fn early(device: &Device, id: &GroupId, message: &[u8], epoch: u64) {
    assert_eq!(device.receive(id, message), ProcessedMessage::Early { epoch });
}

/// What a Commit released.
fn released(outcome: ProcessedMessage) -> Vec<ProcessedMessage> {
    match outcome {
        ProcessedMessage::Commit {
            released,
            state: CommitState::Merged,
            ..
        }
        | ProcessedMessage::OwnCommit { released, .. }
        | ProcessedMessage::Proposal { released, .. } => released,
        other => panic!("{other:?}"),
    }
}

fn inbox(client: &MlsClient) -> Vec<ProcessedMessage> {
    let entries = client.inbox(u32::MAX).unwrap();
    entries.into_iter().map(|entry| entry.outcome).collect()
}

fn limited(device: &Device, limits: EarlyLimits) -> Arc<MlsClient> {
    device.open_again(|config| config.early_limits = Some(limits))
}

#[test]
fn several_epochs_that_come_backwards_are_read_in_order() {
    let (alice, mut bob, carol) = (Device::new("alice"), Device::new("bob"), Device::new("carol"));
    let id = group_of(&[&alice, &bob, &carol]);
    let mut log = Vec::new();
    for epoch in 1..5_u32 {
        log.push((alice.send(&id, &format!("a{epoch}")), epoch));
        log.push((carol.send(&id, &format!("c{epoch}")), epoch));
        log.push((advance(&id, &alice, &[&carol]).commit, epoch));
    }
    // The first Commit is the last to come; the two messages of its own epoch can be read at once.
    let (first, rest) = (log.remove(2), log);
    for (message, epoch) in rest.iter().rev() {
        if *epoch == 1 {
            bob.receive(&id, message);
        } else {
            early(&bob, &id, message, (*epoch).into());
        }
        bob.reload();
    }
    let released = released(bob.receive(&id, &first.0));
    assert_eq!(texts(&released), ["c2", "a2", "c3", "a3", "c4", "a4"]);
    bob.reload();
    assert_agree(&id, &[&alice, &bob, &carol]);
    assert_eq!(bob.group(&id).info().unwrap().early_messages, 0);
    // In the inbox each is an entry of its own, once.
    assert_eq!(
        texts(&inbox(bob.client())),
        ["c1", "a1", "c2", "a2", "c3", "a3", "c4", "a4"]
    );
    for (message, _) in rest {
        let again = bob.receive(&id, &message);
        assert!(
            matches!(
                again,
                ProcessedMessage::Duplicate | ProcessedMessage::Stale { .. }
            ),
            "{again:?}"
        );
    }
}

#[test]
fn messages_of_an_epoch_are_read_before_its_commit_even_without_past_epochs() {
    let (alice, mut bob, carol) = (Device::new("alice"), Device::new("bob"), Device::new("carol"));
    let id = group_of(&[&alice, &bob, &carol]);
    let config = mls_mobile::GroupConfig {
        max_past_epochs: 0,
        ..mls_mobile::GroupConfig::default()
    };
    bob.group(&id).configure(config).unwrap();
    let first = advance(&id, &alice, &[&carol]);
    let message = carol.send(&id, "of epoch 2");
    let second = advance(&id, &alice, &[&carol]);
    early(&bob, &id, &second.commit, 2);
    early(&bob, &id, &message, 2);
    bob.reload();
    assert_eq!(texts(&released(bob.receive(&id, &first.commit))), ["of epoch 2"]);
    assert_agree(&id, &[&alice, &bob, &carol]);
}

#[test]
fn a_commit_waits_for_the_proposals_that_it_names() {
    for public_handshakes in [false, true] {
        let (alice, mut bob) = (Device::new("alice"), Device::new("bob"));
        let mut peer = RawPeer::new("peer");
        let id = group_of(&[&alice, &bob]);
        let added = alice.group(&id).add_members(vec![peer.key_package()]).unwrap();
        common::deliver(&id, &alice, &added, &[&bob]);
        peer.join(&added.welcome.unwrap(), public_handshakes);
        let carol = Device::new("carol");
        let proposal = peer.propose_add(&carol.key_package());
        alice.receive(&id, &proposal);
        let commit = alice.group(&id).commit_to_pending_proposals().unwrap();
        alice.group(&id).merge_pending_commit().unwrap();

        early(&bob, &id, &commit.commit, 2);
        let message = alice.send(&id, "with carol");
        early(&bob, &id, &message, 3);
        bob.reload();
        let released = released(bob.receive(&id, &proposal));
        assert!(
            matches!(released[0], ProcessedMessage::Commit { .. }),
            "{released:?}"
        );
        assert_eq!(texts(&released), ["with carol"]);
        bob.reload();
        assert_agree(&id, &[&alice, &bob]);
        assert_eq!(bob.member_names(&id), ["alice", "bob", "peer", "carol"]);
    }
}

#[test]
fn an_own_commit_that_is_merged_releases_too() {
    let (mut alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    for by_echo in [false, true] {
        let update = alice.group(&id).self_update(None).unwrap();
        bob.follow(&id, &update.commit);
        let message = bob.send(&id, "ahead of us");
        let epoch = bob.epoch(&id);
        early(&alice, &id, &message, epoch);
        alice.reload();
        let released = if by_echo {
            released(alice.receive(&id, &update.commit))
        } else {
            alice.group(&id).merge_pending_commit().unwrap().released
        };
        assert_eq!(texts(&released), ["ahead of us"], "by echo: {by_echo}");
    }
}

#[test]
fn a_full_buffer_refuses_the_new_message_and_keeps_what_it_has() {
    let (alice, bob, carol) = (Device::new("alice"), Device::new("bob"), Device::new("carol"));
    let first = group_of(&[&alice, &bob, &carol]);
    let second = group_of(&[&alice, &bob]);
    let updates = [&first, &second].map(|id| advance(id, &alice, &[]));
    let send = |id: &GroupId, n: usize| alice.send(id, &n.to_string());
    let limits = [
        (
            EarlyLimits {
                messages_per_group: 2,
                ..EarlyLimits::default()
            },
            2,
        ),
        (
            EarlyLimits {
                bytes_per_group: 700,
                ..EarlyLimits::default()
            },
            2,
        ),
        (
            EarlyLimits {
                messages: 2,
                ..EarlyLimits::default()
            },
            0,
        ),
        (
            EarlyLimits {
                bytes: 700,
                ..EarlyLimits::default()
            },
            0,
        ),
    ];
    let mut kept = Vec::new();
    for (round, (limits, in_second)) in limits.into_iter().enumerate() {
        let bob = limited(&bob, limits);
        let groups = [&first, &second].map(|id| bob.group(id.clone()).unwrap());
        let before = kept.len();
        for (index, group) in groups.iter().enumerate() {
            let id = group.id().unwrap();
            loop {
                let message = send(&id, kept.len());
                match group.process_message(message.clone()) {
                    Ok(outcome) => {
                        assert_eq!(outcome, ProcessedMessage::Early { epoch: 2 });
                        kept.push((index, message));
                    }
                    Err(error) => {
                        assert_eq!(error, MlsError::EarlyBufferFull);
                        // What is kept is known, and takes no room again.
                        for (_, message) in kept.iter().filter(|(kept, _)| *kept == index) {
                            let again = group.process_message(message.clone()).unwrap();
                            assert_eq!(again, ProcessedMessage::Early { epoch: 2 });
                        }
                        break;
                    }
                }
            }
        }
        let of_second = kept[before..].iter().filter(|(index, _)| *index == 1).count();
        if round == 0 {
            assert_eq!((kept.len(), of_second), (4, in_second));
        }
    }
    for (index, (id, update)) in [&first, &second].into_iter().zip(updates).enumerate() {
        let expected = kept.iter().filter(|(kept, _)| *kept == index).count();
        assert_eq!(released(bob.receive(id, &update.commit)).len(), expected);
    }
}

#[test]
fn a_message_that_waited_too_long_goes_and_the_inbox_says_so() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let update = advance(&id, &alice, &[]);
    let limits = EarlyLimits {
        age_seconds: 1,
        ..EarlyLimits::default()
    };
    let client = limited(&bob, limits);
    let group = client.group(id.clone()).unwrap();
    group.process_message(alice.send(&id, "old")).unwrap();
    thread::sleep(Duration::from_millis(2100));
    assert_eq!(inbox(&client), []);
    group.process_message(alice.send(&id, "new")).unwrap();
    let [
        ProcessedMessage::EarlyRefused {
            id: Some(_),
            epoch: 2,
            reason: EarlyRefusal::Expired,
        },
    ] = inbox(&client)[..]
    else {
        panic!("{:?}", inbox(&client))
    };
    let released = released(group.process_message(update.commit).unwrap());
    assert_eq!(texts(&released), ["new"]);
}

#[test]
fn without_an_inbox_nothing_goes_unsaid() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let update = advance(&id, &alice, &[]);
    let client = bob.open_again(|config| {
        config.inbox = false;
        config.early_limits = Some(EarlyLimits {
            age_seconds: 0,
            ..EarlyLimits::default()
        });
    });
    let group = client.group(id.clone()).unwrap();
    for text in ["one", "two"] {
        group.process_message(alice.send(&id, text)).unwrap();
        thread::sleep(Duration::from_millis(1100));
    }
    let released = released(group.process_message(update.commit).unwrap());
    assert_eq!(texts(&released), ["one", "two"]);
}

#[test]
fn an_early_message_that_turns_out_damaged_is_named_and_the_others_are_read() {
    let (alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let update = advance(&id, &alice, &[]);
    let mut damaged = alice.send(&id, "damaged");
    *damaged.last_mut().unwrap() ^= 1;
    early(&bob, &id, &damaged, 2);
    early(&bob, &id, &alice.send(&id, "whole"), 2);
    let released = released(bob.receive(&id, &update.commit));
    assert_eq!(texts(&released), ["whole"]);
    assert!(matches!(
        released[0],
        ProcessedMessage::EarlyRefused {
            epoch: 2,
            reason: EarlyRefusal::Invalid,
            ..
        }
    ));
    bob.reload();
    assert_eq!(bob.group(&id).info().unwrap().early_messages, 0);
    assert_eq!(bob.read(&id, &alice.send(&id, "then")), "then");
}

/// Answers Commits as it is told.
struct Told(Mutex<Result<bool, CallbackError>>);

impl CredentialValidator for Told {
    fn validate(&self, request: ValidationRequest) -> Result<bool, CallbackError> {
        match request {
            ValidationRequest::Commit { .. } => self.0.lock().unwrap().clone(),
            _ => Ok(true),
        }
    }
}

#[test]
fn an_early_commit_that_is_rejected_stays_until_the_app_decides_otherwise() {
    for answer in [Ok(false), Err(CallbackError::Failed)] {
        let validator = Arc::new(Told(Mutex::new(Ok(true))));
        let alice = Device::new("alice");
        let mut bob = Device::with_validator("bob", validator.clone());
        let id = group_of(&[&alice, &bob]);
        let own = bob.group(&id).self_update(None).unwrap();
        alice.follow(&id, &own.commit);
        let update = advance(&id, &alice, &[]);
        early(&bob, &id, &update.commit, 2);
        early(&bob, &id, &alice.send(&id, "behind it"), 3);
        *validator.0.lock().unwrap() = answer;
        let merged = bob.group(&id).merge_pending_commit().unwrap();
        assert!(matches!(
            merged.released[..],
            [ProcessedMessage::EarlyRefused {
                epoch: 2,
                reason: EarlyRefusal::Rejected,
                ..
            }]
        ));
        bob.reload();
        assert_eq!(
            (bob.epoch(&id), bob.group(&id).info().unwrap().early_messages),
            (2, 2)
        );
        *validator.0.lock().unwrap() = Ok(true);
        let released = bob.group(&id).release_early_messages().unwrap();
        assert_eq!(
            (released.len(), texts(&released)),
            (2, vec!["behind it".to_owned()])
        );
        bob.reload();
        assert_agree(&id, &[&alice, &bob]);
        assert!(bob.group(&id).release_early_messages().unwrap().is_empty());
    }
}

#[test]
fn an_early_commit_without_a_validator_waits_for_the_app_when_its_epoch_has_come() {
    let (alice, mut bob) = (Device::new("alice"), Device::without_validator("bob"));
    let id = group_of(&[&alice, &bob]);
    let [first, second] = [(); 2].map(|()| advance(&id, &alice, &[]));
    let message = alice.send(&id, "in the end");
    early(&bob, &id, &second.commit, 2);
    early(&bob, &id, &message, 3);
    bob.receive(&id, &first.commit);
    bob.reload();
    let merged = bob.group(&id).merge_staged_commit().unwrap();
    assert!(matches!(
        merged.released[..],
        [ProcessedMessage::Commit {
            state: CommitState::Staged,
            ..
        }]
    ));
    bob.reload();
    let merged = bob.group(&id).merge_staged_commit().unwrap();
    assert_eq!(texts(&merged.released), ["in the end"]);
    assert_agree(&id, &[&alice, &bob]);
}

#[test]
fn a_deleted_group_takes_its_early_messages_with_it() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    advance(&id, &alice, &[]);
    let one = EarlyLimits {
        messages: 1,
        ..EarlyLimits::default()
    };
    let client = limited(&bob, one);
    let group = client.group(id.clone()).unwrap();
    group.process_message(alice.send(&id, "one")).unwrap();
    let other = group_of(&[&alice, &bob]);
    advance(&other, &alice, &[]);
    let group_of_other = client.group(other.clone()).unwrap();
    let message = alice.send(&other, "two");
    let full = group_of_other.process_message(message.clone());
    assert_eq!(full, Err(MlsError::EarlyBufferFull));
    group.delete().unwrap();
    assert_eq!(
        group_of_other.process_message(message).unwrap(),
        ProcessedMessage::Early { epoch: 2 }
    );
}

#[test]
fn forged_messages_that_fill_the_buffer_can_be_given_up() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let limits = EarlyLimits {
        messages_per_group: 2,
        ..EarlyLimits::default()
    };
    let client = limited(&bob, limits);
    let group = client.group(id.clone()).unwrap();
    for n in 0..2_u64 {
        let mut forged = alice.send(&id, "forged");
        let epoch = 2 + 2 + 1 + id.0.len();
        forged[epoch..epoch + 8].copy_from_slice(&(1000 + n).to_be_bytes());
        assert_eq!(
            group.process_message(forged).unwrap(),
            ProcessedMessage::Early { epoch: 1000 + n }
        );
    }
    let update = advance(&id, &alice, &[]);
    let message = alice.send(&id, "early");
    assert_eq!(
        group.process_message(message.clone()),
        Err(MlsError::EarlyBufferFull)
    );
    let dropped = group.drop_early_messages().unwrap();
    let reason = EarlyRefusal::Dropped;
    assert!(dropped.iter().all(
        |it| matches!(it, ProcessedMessage::EarlyRefused { id: Some(_), reason: found, .. } if *found == reason)
    ));
    assert_eq!((dropped.len(), inbox(&client).len()), (2, 2));
    assert_eq!(
        group.process_message(message).unwrap(),
        ProcessedMessage::Early { epoch: 2 }
    );
    assert_eq!(
        texts(&released(group.process_message(update.commit).unwrap())),
        ["early"]
    );
}

#[test]
fn a_rejected_early_commit_is_named_once() {
    let validator = Arc::new(Told(Mutex::new(Ok(false))));
    let alice = Device::new("alice");
    let bob = Device::with_validator("bob", validator);
    let id = group_of(&[&alice, &bob]);
    let own = bob.group(&id).self_update(None).unwrap();
    alice.follow(&id, &own.commit);
    early(&bob, &id, &advance(&id, &alice, &[]).commit, 2);
    bob.group(&id).merge_pending_commit().unwrap();
    for _ in 0..3 {
        assert!(bob.group(&id).release_early_messages().unwrap().is_empty());
    }
    assert_eq!(inbox(bob.client()).len(), 1);
}
