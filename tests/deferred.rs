//! A batch writes a group's ratchets once for many messages. Whatever is refused between them, and however many groups
//! pass through memory: what was read is in the inbox once and never reads again.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod common;

use std::sync::Arc;

use common::{Device, basic, group_of, incoming};
use mls_mobile::{
    Batch, BatchOutcome, CallbackError, CredentialValidator, GroupId, IncomingMessage, MlsError,
    ProcessedMessage, ValidationRequest, fault,
};

/// Refuses every Commit.
struct NoCommits;

impl CredentialValidator for NoCommits {
    fn validate(&self, request: ValidationRequest) -> Result<bool, CallbackError> {
        Ok(!matches!(request, ValidationRequest::Commit { .. }))
    }
}

/// Alice, bob who refuses Commits if he is to, and two groups of theirs.
fn stage(refuses: bool) -> (Device, Device, [GroupId; 2]) {
    let alice = Device::new("alice");
    let bob = if refuses {
        Device::with_validator("bob", Arc::new(NoCommits))
    } else {
        Device::new("bob")
    };
    let groups = [group_of(&[&alice, &bob]), group_of(&[&alice, &bob])];
    (alice, bob, groups)
}

fn process(bob: &Device, messages: &[Vec<u8>]) -> Batch {
    let messages: Vec<IncomingMessage> = messages
        .iter()
        .zip(0..)
        .map(|(bytes, n)| incoming(bytes, n))
        .collect();
    bob.client().process_messages(messages, None).unwrap()
}

fn is_duplicate(outcome: &BatchOutcome) -> bool {
    matches!(
        outcome,
        BatchOutcome::Processed {
            outcome: ProcessedMessage::Duplicate,
            ..
        }
    )
}

/// The texts are in the inbox in this order, and after a cold start none of the messages reads again.
fn assert_read_once(bob: &mut Device, messages: &[Vec<u8>], texts: &[&str]) {
    bob.reload();
    let entries = bob.client().inbox(u32::MAX).unwrap();
    let found: Vec<Vec<u8>> = entries
        .into_iter()
        .filter_map(|entry| match entry.outcome {
            ProcessedMessage::Application { plaintext, .. } => Some(plaintext),
            ProcessedMessage::EarlyRefused { .. } => None,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(found, texts.iter().map(|it| it.as_bytes()).collect::<Vec<_>>());
    let again = process(bob, messages);
    assert_eq!(again.outcomes.len(), messages.len());
    assert!(again.outcomes.iter().all(is_duplicate), "{:?}", again.outcomes);
}

fn damaged(mut message: Vec<u8>) -> Vec<u8> {
    *message.last_mut().unwrap() ^= 1;
    message
}

/// [messages, a message that is refused, messages] in one batch.
fn refused_in_the_middle(refused: impl Fn(&Device, &GroupId) -> Vec<u8>) {
    let (alice, mut bob, [id, other]) = stage(false);
    let mut good: Vec<Vec<u8>> = ["0", "1", "2"]
        .iter()
        .zip([&id, &other, &id])
        .map(|(text, group)| alice.send(group, text))
        .collect();
    let later = [alice.send(&id, "3"), alice.send(&other, "4")];
    let mut all = good.clone();
    all.push(refused(&alice, &id));
    all.extend(later.clone());
    good.extend(later);
    let batch = process(&bob, &all);
    assert_eq!((batch.outcomes.len(), batch.stopped_at), (6, None));
    assert!(
        matches!(batch.outcomes.get(3), Some(BatchOutcome::Failed { .. })),
        "{:?}",
        batch.outcomes
    );
    assert_read_once(&mut bob, &good, &["0", "1", "2", "3", "4"]);
}

#[test]
fn replays_are_refused_after_a_damaged_message_in_the_middle() {
    refused_in_the_middle(|alice, id| damaged(alice.send(id, "damaged")));
}

#[test]
fn replays_are_refused_after_a_damaged_commit_in_the_middle() {
    refused_in_the_middle(|alice, id| {
        let update = alice.group(id).self_update(None).unwrap();
        alice.group(id).clear_pending_commit().unwrap();
        damaged(update.commit)
    });
}

#[test]
fn replays_are_refused_after_garbage_in_the_middle() {
    refused_in_the_middle(|_, _| b"garbage".to_vec());
}

#[test]
fn replays_are_refused_after_a_commit_that_the_validator_rejects() {
    let (alice, mut bob, [id, other]) = stage(true);
    let before = [
        alice.send(&id, "0"),
        alice.send(&other, "1"),
        alice.send(&id, "2"),
    ];
    let update = alice.group(&id).self_update(None).unwrap();
    let all = [before.to_vec(), vec![update.commit.clone()]].concat();
    let batch = process(&bob, &all);
    assert_eq!(
        (batch.outcomes.len(), batch.stopped_at, batch.error),
        (4, None, None)
    );
    assert!(
        matches!(&batch.outcomes[3], BatchOutcome::Failed { error, .. } if *error == MlsError::CredentialRejected)
    );
    assert_read_once(&mut bob, &before, &["0", "1", "2"]);
    // Nothing of the rejected Commit stayed, not even its sender's step: it can be had again, and its epoch goes on.
    let again = bob.group(&id).process_message(update.commit);
    assert_eq!(again, Err(MlsError::CredentialRejected));
    alice.group(&id).clear_pending_commit().unwrap();
    assert_eq!(bob.read(&id, &alice.send(&id, "3")), "3");
}

#[test]
fn a_damaged_message_leaves_what_came_before_in_memory_too() {
    let (alice, bob, [id, _]) = stage(false);
    let [first, second] = ["0", "1"].map(|text| alice.send(&id, text));
    let batch = process(&bob, &[first.clone(), damaged(second.clone()), first, second]);
    let [read, failed, again, next] = <[BatchOutcome; 4]>::try_from(batch.outcomes).unwrap();
    assert!(matches!(read, BatchOutcome::Processed { .. }) && !is_duplicate(&read));
    assert!(matches!(failed, BatchOutcome::Failed { .. }));
    assert!(is_duplicate(&again));
    assert!(matches!(next, BatchOutcome::Processed { .. }) && !is_duplicate(&next));
}

/// Groups that do not fit into memory together, in a batch of one transaction: each leaves with its ratchet's step
/// written.
#[test]
fn groups_that_leave_memory_within_a_batch_keep_their_ratchets() {
    const GROUPS: usize = 5;
    // Two of the smallest; the other tests here may see it too.
    fault::limit_live_groups(32);
    let (alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let groups: Vec<GroupId> = (0..GROUPS).map(|_| group_of(&[&alice, &bob])).collect();
    let messages: Vec<Vec<u8>> = groups
        .iter()
        .chain(&groups)
        .map(|id| alice.send(id, "hello"))
        .collect();
    bob.reload();
    let batch = process(&bob, &messages);
    assert_eq!(batch.outcomes.len(), messages.len());
    assert_read_once(&mut bob, &messages, &["hello"; 2 * GROUPS]);
}

/// Two clients on one file: what the batch of one has written, the other finds.
#[test]
fn another_client_on_the_file_goes_on_where_the_batch_ended() {
    let (alice, bob, [id, other]) = stage(false);
    let extension = bob.open_again(|_| ());
    let messages = [
        alice.send(&id, "0"),
        alice.send(&other, "1"),
        alice.send(&id, "2"),
    ];
    process(&bob, &messages);
    for (message, group) in messages.into_iter().zip([&id, &other, &id]) {
        let group = extension.group(group.clone()).unwrap();
        assert_eq!(
            group.process_message(message).unwrap(),
            ProcessedMessage::Duplicate
        );
    }
    let next = alice.send(&id, "3");
    let read = extension.group(id).unwrap().process_message(next).unwrap();
    assert!(matches!(read, ProcessedMessage::Application { .. }));
    let members = extension.group(other).unwrap().members().unwrap();
    assert!(members.iter().any(|member| member.credential == basic("bob")));
}
