//! Messages of a group: any bytes, alone and in batches, and what Mallory signs and encrypts.

use mls_mobile::{BatchOutcome, GroupId, IncomingMessage};

use super::{
    Session,
    live::assert_is_typed,
    mallory::{COMMIT, Forged, Sender},
    wire::{HASH, Reader},
    world::{GROUP, IN_THE_GROUP, MEMBER, OUTSIDER},
};

/// Calls that need no state.
pub fn decode(session: &mut Session, input: &[u8]) {
    let live = session.live(OUTSIDER);
    live.call(|client| client.message_info(input.to_vec()));
    live.call(|client| client.inspect_key_package(input.to_vec()));
    live.end();
}

/// The state that a first byte names.
fn state(number: u8) -> &'static str {
    IN_THE_GROUP[usize::from(number) % IN_THE_GROUP.len()]
}

fn process(session: &mut Session, state: &'static str, message: Vec<u8>) {
    let live = session.live(state);
    live.call(|client| client.group(GroupId(GROUP.to_vec()))?.process_message(message));
    live.end();
}

/// A byte for the state, and a message.
pub fn process_message(session: &mut Session, input: &[u8]) {
    let mut reader = Reader(input);
    let Some(number) = reader.byte() else { return };
    process(session, state(number), reader.0.to_vec());
}

/// A byte for the state, and messages of whatever groups, each a vector.
pub fn process_messages(session: &mut Session, input: &[u8]) {
    let mut reader = Reader(input);
    let Some(number) = reader.byte() else { return };
    let mut messages = Vec::new();
    while let Some(bytes) = reader.vector() {
        messages.push(IncomingMessage {
            bytes: bytes.to_vec(),
            cursor: None,
        });
    }
    let handed_in = messages.len();
    let live = session.live(state(number));
    let batch = live
        .call(|client| client.process_messages(messages, None))
        .unwrap();
    assert_eq!((batch.outcomes.len(), batch.stopped_at), (handed_in, None));
    for outcome in &batch.outcomes {
        if let BatchOutcome::Failed { error, .. } = outcome {
            assert_is_typed(error);
        }
    }
    let refused = |outcome: &BatchOutcome| matches!(outcome, BatchOutcome::Failed { .. });
    assert!(
        !batch.outcomes.iter().all(refused) || !live.has_changed() || live.only_suspects(),
        "stored in spite of {batch:?}"
    );
    live.end();
}

/// How an input says what Mallory sends: a byte with the wire format, the sender and the content type in bits 0, 1 to
/// 2 and 3 to 4, a byte for the state, authenticated data behind its length, then the content; behind that of a Commit
/// its confirmation tag.
pub fn forged_message(session: &mut Session, input: &[u8]) {
    let mut reader = Reader(input);
    let Some((form, number, length)) = reader.take(3).map(|head| (head[0], head[1], head[2])) else {
        return;
    };
    let Some(authenticated_data) = reader.take(length.into()) else {
        return;
    };
    let content_type = form >> 3 & 3;
    let (content, confirmation_tag) = match reader.0.len().checked_sub(HASH) {
        Some(end) if content_type == COMMIT => reader.0.split_at(end),
        _ => (reader.0, &[][..]),
    };
    let forged = Forged {
        private: form & 1 == 1,
        sender: [
            Sender::Member,
            Sender::External,
            Sender::NewMemberProposal,
            Sender::NewMemberCommit,
        ][usize::from(form >> 1 & 3)],
        content_type,
        authenticated_data,
        content,
        confirmation_tag,
    };
    let message = session.world.mallory.message(&session.crypto, &forged);
    process(session, state(number), message);
}

/// The input of [`forged_message`] that says this to [`MEMBER`].
pub fn forged_input(private: bool, sender: Sender, content_type: u8, content: &[u8]) -> Vec<u8> {
    debug_assert_eq!(IN_THE_GROUP[0], MEMBER);
    let form = u8::from(private) | (sender as u8) << 1 | content_type << 3;
    [&[form, 0, 0][..], content].concat()
}
