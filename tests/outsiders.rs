//! Who comes from outside gets in past the app only, or the delivery service could add itself.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use std::sync::Arc;

use common::{Device, KEY, raw::RawPeer};
use mls_mobile::{
    CallbackError, ClientConfig, CommitState, CredentialValidator, GroupId, MlsClient, MlsError, MlsGroup,
    ProcessedMessage, Sender, ValidationRequest,
};

/// The same answer to everything.
struct Always(bool);

impl CredentialValidator for Always {
    fn validate(&self, _: ValidationRequest) -> Result<bool, CallbackError> {
        Ok(self.0)
    }
}

fn alone(validator: Option<bool>) -> (Device, GroupId) {
    let alice = match validator {
        Some(answer) => Device::with_validator("alice", Arc::new(Always(answer))),
        None => Device::without_validator("alice"),
    };
    let id = alice.create_group();
    (alice, id)
}

fn request(group: &MlsGroup) -> Vec<u8> {
    RawPeer::new("mallory").ask_to_join(&group.id().unwrap().0, group.info().unwrap().epoch)
}

fn external_commit(group: &MlsGroup) -> (RawPeer, Vec<u8>) {
    let mut peer = RawPeer::new("mallory");
    let commit = peer.join_by_external_commit(&group.export_group_info(true).unwrap());
    (peer, commit)
}

#[test]
fn a_validators_no_keeps_everybody_out() {
    let (mut alice, id) = alone(Some(false));
    let request = request(&alice.group(&id));
    let (_, commit) = external_commit(&alice.group(&id));
    for message in [request, commit] {
        let answer = alice.group(&id).process_message(message);
        assert_eq!(answer, Err(MlsError::CredentialRejected));
        alice.reload();
        let state = alice.group(&id).info().unwrap();
        assert_eq!((state.epoch, state.pending_proposals), (0, vec![]));
    }
    assert_eq!(alice.member_names(&id), ["alice"]);
    alice.send(&id, "nothing is queued");
}

#[test]
fn without_a_validator_a_request_is_let_in_only_by_a_commit_for_it() {
    let (mut alice, id) = alone(None);
    let asked = request(&alice.group(&id));
    let outcome = alice.receive(&id, &asked);
    assert!(matches!(outcome, ProcessedMessage::ExternalJoinProposal { .. }));
    alice.reload();
    let something_else = alice.group(&id).self_update(None).unwrap();
    assert_eq!(something_else.welcome, None);
    let merged = alice.group(&id).merge_pending_commit().unwrap();
    assert_eq!(merged.summary.added, vec![]);
    assert_eq!(alice.member_names(&id), ["alice"]);
    // It goes with its epoch; asked again, the app says yes.
    assert_eq!(alice.group(&id).info().unwrap().pending_proposals, vec![]);
    let asked = request(&alice.group(&id));
    alice.receive(&id, &asked);
    alice.reload();
    alice.group(&id).commit_to_pending_proposals().unwrap();
    alice.group(&id).merge_pending_commit().unwrap();
    assert_eq!(alice.member_names(&id), ["alice", "mallory"]);
}

#[test]
fn without_a_validator_an_external_commit_waits_for_the_app() {
    let (mut alice, id) = alone(None);
    let (peer, commit) = external_commit(&alice.group(&id));
    let ProcessedMessage::Commit { state, summary, .. } = alice.receive(&id, &commit) else {
        panic!("no Commit")
    };
    assert_eq!((state, summary.external_joins.len()), (CommitState::Staged, 1));
    alice.reload();
    assert_eq!(alice.member_names(&id), ["alice"]);
    alice.group(&id).merge_staged_commit().unwrap();
    alice.reload();
    assert_eq!(alice.member_names(&id), ["alice", "mallory"]);
    assert_eq!(alice.authenticator(&id), peer.authenticator());
}

#[test]
fn with_it_a_request_is_queued_and_the_next_commit_adds() {
    let (mut alice, id) = alone(Some(true));
    let outcome = alice.receive(&id, &request(&alice.group(&id)));
    assert!(matches!(
        outcome,
        ProcessedMessage::ExternalJoinProposal { ref summary, .. }
            if matches!(summary.sender, Sender::NewMember { .. })
    ));
    alice.reload();
    let bundle = alice.group(&id).commit_to_pending_proposals().unwrap();
    assert!(bundle.welcome.is_some());
    alice.group(&id).merge_pending_commit().unwrap();
    assert_eq!(alice.member_names(&id), ["alice", "mallory"]);
}

#[test]
fn with_it_an_external_commit_is_merged_and_says_who_came() {
    let (mut alice, id) = alone(Some(true));
    let (peer, commit) = external_commit(&alice.group(&id));
    let ProcessedMessage::Commit { summary, .. } = alice.receive(&id, &commit) else {
        panic!("no Commit")
    };
    assert_eq!(summary.external_joins.len(), 1);
    alice.reload();
    assert_eq!(alice.authenticator(&id), peer.authenticator());
}

#[test]
fn a_validator_is_asked_about_requests_that_were_queued_without_one() {
    let (alice, id) = alone(None);
    let asked = request(&alice.group(&id));
    alice.receive(&id, &asked);
    let config = ClientConfig::new(alice.path().to_str().unwrap(), KEY);
    let strict = MlsClient::open(config, Some(Arc::new(Always(false))), None).unwrap();
    let group = strict.group(id.clone()).unwrap();
    for commit in [
        MlsGroup::commit_to_pending_proposals,
        (|group| group.self_update(None)) as fn(&MlsGroup) -> _,
    ] {
        assert_eq!(commit(&group).unwrap().welcome, None);
        group.clear_pending_commit().unwrap();
    }
    assert_eq!(alice.member_names(&id), ["alice"]);
}

#[test]
fn an_external_sender_adds_nobody_by_a_commit_for_something_else() {
    let (alice, id) = alone(None);
    let mut peer = RawPeer::new("peer");
    let addition = alice.group(&id).add_members(vec![peer.key_package()]).unwrap();
    alice.group(&id).merge_pending_commit().unwrap();
    peer.join(&addition.welcome.unwrap(), true);
    alice.receive(&id, &peer.become_external_sender());
    alice.group(&id).merge_staged_commit().unwrap();
    let proposal = peer.propose_add_from_outside(&id.0, 2, &RawPeer::new("mallory").key_package());
    assert!(matches!(
        alice.receive(&id, &proposal),
        ProcessedMessage::Proposal { .. }
    ));
    alice.group(&id).self_update(None).unwrap();
    alice.group(&id).merge_pending_commit().unwrap();
    assert_eq!(alice.member_names(&id), ["alice", "peer"]);
}
