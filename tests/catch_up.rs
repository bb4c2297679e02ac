//! Batches: routed by group, bounded by a budget, resumable by a cursor; nothing is lost and nothing comes twice.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use common::{Device, advance, group_of, incoming};
use mls_mobile::{
    BatchOutcome, CallbackError, CredentialValidator, EarlyLimits, EarlyRefusal, GroupId, IncomingMessage,
    MlsError, ProcessOptions, ProcessedMessage, ValidationRequest,
};

const NO_TIME: Option<ProcessOptions> = Some(ProcessOptions { budget_ms: Some(0) });

fn texts(device: &Device) -> Vec<String> {
    let entries = device.client().inbox(u32::MAX).unwrap();
    entries
        .into_iter()
        .filter_map(|entry| match entry.outcome {
            ProcessedMessage::Application { plaintext, .. } => Some(String::from_utf8(plaintext).unwrap()),
            _ => None,
        })
        .collect()
}

/// `count` messages of alice over her groups in turn, each with its number as text and cursor.
fn messages(alice: &Device, groups: &[GroupId], count: u32) -> Vec<IncomingMessage> {
    (0..count)
        .map(|n| incoming(&alice.send(&groups[n as usize % groups.len()], &n.to_string()), n))
        .collect()
}

fn numbers(to: u32) -> Vec<String> {
    (0..to).map(|n| n.to_string()).collect()
}

#[test]
fn a_batch_over_many_groups_routes_each_message_and_keeps_the_last_cursor() {
    let (alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let groups: Vec<GroupId> = (0..6).map(|_| group_of(&[&alice, &bob])).collect();
    bob.reload();
    let batch = bob
        .client()
        .process_messages(messages(&alice, &groups, 60), None)
        .unwrap();
    assert_eq!(
        (batch.outcomes.len(), batch.stopped_at, batch.error),
        (60, None, None)
    );
    for (n, outcome) in batch.outcomes.iter().enumerate() {
        let BatchOutcome::Processed { group_id, outcome } = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(group_id, &groups[n % 6]);
        assert!(matches!(
            outcome,
            ProcessedMessage::Application { id: Some(_), .. }
        ));
    }
    bob.reload();
    assert_eq!(bob.client().cursor().unwrap(), Some(59u32.to_be_bytes().to_vec()));
    assert_eq!(texts(&bob), numbers(60));
}

#[test]
fn replays_of_a_batch_are_refused_after_a_cold_reload() {
    let (alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let groups = [group_of(&[&alice, &bob])];
    let messages = messages(&alice, &groups, 20);
    bob.client().process_messages(messages.clone(), None).unwrap();
    bob.reload();
    let again = bob.client().process_messages(messages, None).unwrap();
    assert!(again.outcomes.iter().all(|outcome| matches!(
        outcome,
        BatchOutcome::Processed {
            outcome: ProcessedMessage::Duplicate,
            ..
        }
    )));
    assert_eq!(texts(&bob).len(), 20);
}

#[test]
fn a_refused_message_fails_alone_and_those_around_it_are_kept() {
    let (alice, mut bob, eve) = (Device::new("alice"), Device::new("bob"), Device::new("eve"));
    let id = group_of(&[&alice, &bob]);
    let strange = group_of(&[&eve]);
    let mut damaged = alice.send(&id, "damaged");
    *damaged.last_mut().unwrap() ^= 1;
    let batch = vec![
        incoming(&alice.send(&id, "0"), 0),
        incoming(b"garbage", 1),
        incoming(&damaged, 2),
        incoming(&eve.send(&strange, "not yours"), 3),
        incoming(&alice.send(&id, "1"), 4),
    ];
    let batch = bob.client().process_messages(batch, None).unwrap();
    bob.reload();
    assert_eq!(batch.stopped_at, None);
    assert!(matches!(
        &batch.outcomes[1],
        BatchOutcome::Failed {
            group_id: None,
            error: MlsError::MessageMalformed
        }
    ));
    assert!(matches!(
        &batch.outcomes[2],
        BatchOutcome::Failed { group_id: Some(group), error: MlsError::MessageInvalid { .. } } if *group == id
    ));
    assert!(matches!(
        &batch.outcomes[3],
        BatchOutcome::Failed {
            error: MlsError::GroupNotFound,
            ..
        }
    ));
    assert_eq!(texts(&bob), numbers(2));
    assert_eq!(bob.client().cursor().unwrap(), Some(4u32.to_be_bytes().to_vec()));
    // The ratchet is where it should be: the next message reads, the first is a duplicate.
    assert_eq!(bob.read(&id, &alice.send(&id, "2")), "2");
}

#[test]
fn commits_in_a_batch_take_effect_for_what_follows() {
    let (alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let mut batch = Vec::new();
    for n in 0..6 {
        batch.push(incoming(&alice.send(&id, &n.to_string()), n));
        let update = alice.group(&id).self_update(None).unwrap();
        alice.group(&id).merge_pending_commit().unwrap();
        batch.push(incoming(&update.commit, 100 + n));
    }
    let batch = bob.client().process_messages(batch, None).unwrap();
    assert_eq!(batch.stopped_at, None);
    bob.reload();
    assert_eq!(texts(&bob), numbers(6));
    common::assert_agree(&id, &[&alice, &bob]);
}

#[test]
fn a_message_that_came_too_early_is_kept_and_the_batch_goes_on() {
    let (alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let first = incoming(&alice.send(&id, "0"), 0);
    let update = alice.group(&id).self_update(None).unwrap();
    alice.group(&id).merge_pending_commit().unwrap();
    let early = incoming(&alice.send(&id, "1"), 2);
    let all = vec![first, early, incoming(&update.commit, 1)];
    let batch = bob.client().process_messages(all, None).unwrap();
    assert_eq!((batch.outcomes.len(), batch.stopped_at), (3, None));
    let BatchOutcome::Processed {
        outcome: ProcessedMessage::Commit { released, .. },
        ..
    } = &batch.outcomes[2]
    else {
        panic!("{:?}", batch.outcomes[2])
    };
    assert_eq!(released.len(), 1);
    bob.reload();
    assert_eq!(texts(&bob), numbers(2));
}

#[test]
fn a_full_early_buffer_stops_the_batch_and_the_cursor_stays_before_it() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let small = bob.open_again(|config| {
        config.early_limits = Some(EarlyLimits {
            messages_per_group: 2,
            ..EarlyLimits::default()
        });
    });
    let update = alice.group(&id).self_update(None).unwrap();
    alice.group(&id).merge_pending_commit().unwrap();
    let early: Vec<_> = (0..4)
        .map(|n| incoming(&alice.send(&id, &n.to_string()), n))
        .collect();
    let stopped = small.process_messages(early.clone(), None).unwrap();
    assert_eq!((stopped.outcomes.len(), stopped.stopped_at), (2, Some(2)));
    assert_eq!(stopped.error, Some(MlsError::EarlyBufferFull));
    assert_eq!(small.cursor().unwrap(), Some(1u32.to_be_bytes().to_vec()));
    // What is kept already takes no room again.
    let again = small.process_messages(early[..2].to_vec(), None).unwrap();
    assert_eq!(again.stopped_at, None);
    let rest = [vec![incoming(&update.commit, 9)], early[2..].to_vec()].concat();
    assert_eq!(small.process_messages(rest, None).unwrap().stopped_at, None);
    assert_eq!(texts(&bob), numbers(4));
}

#[test]
fn a_spent_budget_stops_and_says_where_and_the_rest_can_follow() {
    let (alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let groups = [group_of(&[&alice, &bob]), group_of(&[&alice, &bob])];
    let messages = messages(&alice, &groups, 120);
    let nothing = bob.client().process_messages(messages.clone(), NO_TIME).unwrap();
    assert_eq!(
        (nothing.outcomes.len(), nothing.stopped_at, nothing.error),
        (0, Some(0), None)
    );

    // However slow the machine, or fast: resumed at its cursor, the batch comes to its end with each message once.
    let mut rounds = 0;
    loop {
        let cursor = bob.client().cursor().unwrap();
        let next = cursor.map_or(0, |bytes| u32::from_be_bytes(bytes.try_into().unwrap()) + 1);
        let options = Some(ProcessOptions { budget_ms: Some(1) });
        let batch = bob
            .client()
            .process_messages(messages[next as usize..].to_vec(), options)
            .unwrap();
        rounds += 1;
        bob.reload();
        let Some(stopped) = batch.stopped_at else { break };
        assert_eq!(stopped as usize, batch.outcomes.len());
    }
    assert!(rounds > 1, "the budget stopped it at least once");
    assert_eq!(texts(&bob), numbers(120));
}

#[test]
fn membership_changes_of_a_batch_are_in_the_inbox_once() {
    let (alice, mut bob, carol) = (Device::new("alice"), Device::new("bob"), Device::new("carol"));
    let id = group_of(&[&alice, &bob]);
    let addition = alice.group(&id).add_members(vec![carol.key_package()]).unwrap();
    alice.group(&id).merge_pending_commit().unwrap();
    let removal = alice
        .group(&id)
        .remove_members(vec![alice.leaf_of(&id, "bob")])
        .unwrap();
    alice.group(&id).merge_pending_commit().unwrap();
    let batch = vec![
        incoming(&addition.commit, 0),
        incoming(&addition.commit, 1),
        incoming(&removal.commit, 2),
        incoming(&removal.commit, 3),
    ];
    bob.client().process_messages(batch, None).unwrap();
    bob.reload();
    let mut seen = BTreeMap::new();
    for entry in bob.client().inbox(10).unwrap() {
        let ProcessedMessage::Commit { summary, .. } = entry.outcome else {
            panic!("{entry:?}")
        };
        seen.insert(
            summary.to_epoch,
            (summary.added.len(), summary.removed.len(), summary.self_removed),
        );
    }
    assert_eq!(seen, BTreeMap::from([(2, (1, 0, false)), (3, (0, 1, true))]));
}

/// Answers Commits as it is told.
struct Hesitant(Mutex<Result<bool, CallbackError>>);

impl CredentialValidator for Hesitant {
    fn validate(&self, request: ValidationRequest) -> Result<bool, CallbackError> {
        match request {
            ValidationRequest::Commit { .. } => self.0.lock().unwrap().clone(),
            _ => Ok(true),
        }
    }
}

/// Messages of one epoch around a Commit that the validator does not let pass.
fn around_a_commit(validator: &Arc<Hesitant>) -> (Device, Device, GroupId, Vec<IncomingMessage>) {
    let (alice, carol) = (Device::new("alice"), Device::new("carol"));
    let bob = Device::with_validator("bob", validator.clone());
    let id = group_of(&[&alice, &bob, &carol]);
    let batch = vec![
        incoming(&alice.send(&id, "0"), 0),
        incoming(&carol.send(&id, "1"), 1),
        incoming(&advance(&id, &alice, &[]).commit, 2),
        incoming(&carol.send(&id, "2"), 3),
        incoming(&alice.send(&id, "3"), 4),
    ];
    (alice, bob, id, batch)
}

#[test]
fn a_rejected_commit_changes_nothing_and_messages_around_it_are_read_once() {
    let validator = Arc::new(Hesitant(Mutex::new(Ok(false))));
    let (alice, mut bob, id, batch) = around_a_commit(&validator);
    let outcomes = bob.client().process_messages(batch.clone(), None).unwrap();
    assert_eq!((outcomes.outcomes.len(), outcomes.stopped_at), (5, None));
    assert!(matches!(
        outcomes.outcomes[2],
        BatchOutcome::Failed {
            error: MlsError::CredentialRejected,
            ..
        }
    ));
    bob.reload();
    assert_eq!(bob.client().cursor().unwrap(), Some(4u32.to_be_bytes().to_vec()));
    assert_eq!(texts(&bob), numbers(3));
    for n in [0, 1, 3] {
        assert_eq!(bob.receive(&id, &batch[n].bytes), ProcessedMessage::Duplicate);
        bob.reload();
    }
    // The app decides otherwise, and what waited for the Commit comes out with it.
    *validator.0.lock().unwrap() = Ok(true);
    bob.follow(&id, &batch[2].bytes);
    bob.reload();
    assert_eq!(texts(&bob), numbers(4));
    common::assert_agree(&id, &[&alice, &bob]);
}

#[test]
fn a_commit_that_a_batch_rejected_is_there_after_a_crash() {
    let validator = Arc::new(Hesitant(Mutex::new(Ok(false))));
    let (alice, mut bob, id, batch) = around_a_commit(&validator);
    for _ in 0..2 {
        // The app dies before it has looked at the outcomes; its cursor is past the Commit.
        drop(bob.client().process_messages(batch.clone(), None).unwrap());
        bob.reload();
        let told = bob.client().inbox(u32::MAX).unwrap();
        let rejected = told.iter().filter(|entry| {
            let reason = EarlyRefusal::Rejected;
            matches!(entry.outcome, ProcessedMessage::EarlyRefused { reason: found, .. } if found == reason)
        });
        assert_eq!(rejected.count(), 1);
    }
    *validator.0.lock().unwrap() = Ok(true);
    bob.group(&id).release_early_messages().unwrap();
    bob.reload();
    assert_eq!(texts(&bob), numbers(4));
    common::assert_agree(&id, &[&alice, &bob]);
}

#[test]
fn a_validator_that_fails_stops_the_batch_and_the_commit_can_be_had_later() {
    let validator = Arc::new(Hesitant(Mutex::new(Err(CallbackError::Failed))));
    let (alice, mut bob, id, batch) = around_a_commit(&validator);
    let stopped = bob.client().process_messages(batch.clone(), None).unwrap();
    assert_eq!((stopped.outcomes.len(), stopped.stopped_at), (2, Some(2)));
    assert_eq!(stopped.error, Some(MlsError::CredentialRejected));
    bob.reload();
    assert_eq!(bob.client().cursor().unwrap(), Some(1u32.to_be_bytes().to_vec()));
    *validator.0.lock().unwrap() = Ok(true);
    let rest = bob.client().process_messages(batch[2..].to_vec(), None).unwrap();
    assert_eq!(rest.stopped_at, None);
    bob.reload();
    assert_eq!(texts(&bob), numbers(4));
    common::assert_agree(&id, &[&alice, &bob]);
}

#[test]
fn a_batch_leaves_nothing_to_erase_wherever_it_stops() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let first = incoming(&alice.send(&id, "0"), 0);
    let second = incoming(&alice.send(&id, "1"), 1);
    let small = bob.open_again(|config| {
        config.early_limits = Some(EarlyLimits {
            messages: 0,
            ..EarlyLimits::default()
        });
    });
    advance(&id, &alice, &[]);
    let early = incoming(&alice.send(&id, "2"), 2);
    let stopped = small.process_messages(vec![first, second, early], None).unwrap();
    assert_eq!(stopped.stopped_at, Some(2));
    let info = small.storage_info().unwrap();
    assert_eq!((info.wal_bytes, info.erasure_pending), (0, false));
}

#[test]
fn a_damaged_group_does_not_keep_the_others_from_catching_up() {
    let (alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let [damaged, whole] = [(); 2].map(|()| group_of(&[&alice, &bob]));
    let connection = rusqlite::Connection::open(bob.path()).unwrap();
    let changed = connection.execute(
        "UPDATE group_state SET value = zeroblob(40)
         WHERE group_key = (SELECT group_key FROM mls_group ORDER BY position LIMIT 1)",
        [],
    );
    assert!(changed.unwrap() > 5);
    connection.close().unwrap();
    bob.reload();
    let batch = vec![
        incoming(&alice.send(&whole, "0"), 0),
        incoming(&alice.send(&damaged, "unreadable"), 1),
        incoming(&alice.send(&whole, "1"), 2),
    ];
    let batch = bob.client().process_messages(batch, None).unwrap();
    assert_eq!((batch.outcomes.len(), batch.stopped_at), (3, None));
    assert!(matches!(
        &batch.outcomes[1],
        BatchOutcome::Failed { group_id: Some(id), error: MlsError::StorageCorrupt } if *id == damaged
    ));
    bob.reload();
    assert_eq!(texts(&bob), numbers(2));
}
