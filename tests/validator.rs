//! The app's validator: one that decides, fails, panics or calls back.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use std::sync::{Arc, Mutex, Weak};

use common::{Device, SUITE, advance, assert_agree, basic, deliver, group_of};
use mls_mobile::{CallbackError, CredentialValidator, GroupId, MlsClient, MlsError, ValidationRequest};

#[derive(Clone, Copy, Debug)]
enum Answer {
    Accept,
    Refuse,
    Fail,
    Panic,
}

/// Answers as it is told and remembers what it was asked.
struct Judge {
    answer: Mutex<Answer>,
    asked: Mutex<Vec<ValidationRequest>>,
}

impl Judge {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            answer: Mutex::new(Answer::Accept),
            asked: Mutex::default(),
        })
    }

    fn will(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
        self.asked.lock().unwrap().clear();
    }

    /// The one question since the last time.
    fn asked(&self) -> ValidationRequest {
        let mut asked = std::mem::take(&mut *self.asked.lock().unwrap());
        assert_eq!(asked.len(), 1, "{asked:?}");
        asked.remove(0)
    }
}

impl CredentialValidator for Judge {
    fn validate(&self, request: ValidationRequest) -> Result<bool, CallbackError> {
        self.asked.lock().unwrap().push(request);
        let answer = *self.answer.lock().unwrap();
        match answer {
            Answer::Accept => Ok(true),
            Answer::Refuse => Ok(false),
            Answer::Fail => Err(CallbackError::Failed),
            Answer::Panic => panic!("the judge lost its temper"),
        }
    }
}

/// What a refusal must leave alone. The generation stands for the whole file.
fn state(device: &Device) -> (u64, usize, usize) {
    let client = device.client();
    (
        client.storage_info().unwrap().generation,
        client.inbox(100).unwrap().len(),
        client.key_packages().unwrap().len(),
    )
}

#[test]
fn a_refused_commit_changes_nothing_and_can_be_accepted_later() {
    let judge = Judge::new();
    let (alice, mut bob) = (Device::new("alice"), Device::with_validator("bob", judge.clone()));
    let id = group_of(&[&alice, &bob]);
    let carol = Device::new("carol");
    let commit = alice.group(&id).add_members(vec![carol.key_package()]).unwrap();
    let own = bob.group(&id).self_update(None).unwrap();
    let before = (state(&bob), bob.group(&id).info().unwrap());
    for answer in [Answer::Refuse, Answer::Fail, Answer::Refuse] {
        judge.will(answer);
        let error = bob.group(&id).process_message(commit.commit.clone()).unwrap_err();
        assert_eq!(error, MlsError::CredentialRejected, "{answer:?}");
        bob.reload();
        assert_eq!((state(&bob), bob.group(&id).info().unwrap()), before);
        assert_eq!(bob.group(&id).pending_commit().unwrap().as_ref(), Some(&own));
    }
    judge.will(Answer::Accept);
    let (merged, superseded) = bob.follow(&id, &commit.commit);
    assert!(superseded.is_some());
    let asked = judge.asked();
    assert_eq!(
        asked,
        ValidationRequest::Commit {
            group_id: id.clone(),
            summary: merged.clone()
        }
    );
    assert_eq!(merged.added[0].credential, basic("carol"));
    alice.group(&id).merge_pending_commit().unwrap();
    assert_agree(&id, &[&alice, &bob]);
}

#[test]
fn own_commits_are_not_asked_about() {
    let judge = Judge::new();
    let (alice, bob) = (Device::new("alice"), Device::with_validator("bob", judge.clone()));
    let id = group_of(&[&alice, &bob]);
    judge.will(Answer::Refuse);
    let update = advance(&id, &bob, &[&alice]);
    bob.receive(&id, &update.commit);
    assert_eq!(*judge.asked.lock().unwrap(), []);
    assert_eq!(bob.epoch(&id), 2);
}

#[test]
fn a_refused_invitation_can_be_accepted_later() {
    let judge = Judge::new();
    let (alice, mut bob) = (Device::new("alice"), Device::with_validator("bob", judge.clone()));
    let id = alice.create_group();
    let commit = alice.group(&id).add_members(vec![bob.key_package()]).unwrap();
    alice.group(&id).merge_pending_commit().unwrap();
    let welcome = commit.welcome.unwrap();
    let before = state(&bob);
    for answer in [Answer::Refuse, Answer::Fail] {
        judge.will(answer);
        let error = bob
            .client()
            .join_from_welcome(welcome.clone(), None)
            .err()
            .unwrap();
        assert_eq!(error, MlsError::CredentialRejected, "{answer:?}");
        bob.reload();
        assert_eq!(state(&bob), before);
        assert_eq!(bob.client().groups().unwrap(), []);
    }
    judge.will(Answer::Refuse);
    // Looking is not joining.
    bob.client().inspect_welcome(welcome.clone(), None).unwrap();
    judge.will(Answer::Accept);
    bob.join(&welcome);
    let expected = ValidationRequest::Welcome {
        group_id: id.clone(),
        sender: Some(basic("alice")),
        members: alice.group(&id).members().unwrap(),
    };
    assert_eq!(judge.asked(), expected);
    assert_agree(&id, &[&alice, &bob]);
}

#[test]
fn a_refused_key_package_is_not_added_and_each_one_is_asked_about() {
    let judge = Judge::new();
    let (mut alice, bob) = (Device::with_validator("alice", judge.clone()), Device::new("bob"));
    let (carol, id) = (Device::new("carol"), alice.create_group());
    let package = bob.key_package();
    let before = state(&alice);
    for answer in [Answer::Refuse, Answer::Fail] {
        judge.will(answer);
        let error = alice.group(&id).add_members(vec![package.clone()]).unwrap_err();
        assert_eq!(error, MlsError::CredentialRejected, "{answer:?}");
        alice.reload();
        assert_eq!(state(&alice), before);
        assert_eq!(alice.group(&id).pending_commit().unwrap(), None);
    }
    judge.will(Answer::Accept);
    let commit = alice
        .group(&id)
        .add_members(vec![package, carol.key_package()])
        .unwrap();
    let asked: Vec<_> = judge
        .asked
        .lock()
        .unwrap()
        .iter()
        .map(|request| match request {
            ValidationRequest::KeyPackage { group_id, member } => {
                (group_id.clone(), member.signature_key.clone())
            }
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [
        (id.clone(), bob.identity.0.clone()),
        (id.clone(), carol.identity.0.clone()),
    ];
    assert_eq!(asked, expected);
    deliver(&id, &alice, &commit, &[]);
    bob.join(&commit.welcome.unwrap());
    assert_agree(&id, &[&alice, &bob]);
}

#[test]
fn a_validator_that_panics_harms_nothing() {
    let judge = Judge::new();
    let (alice, bob) = (Device::new("alice"), Device::with_validator("bob", judge.clone()));
    let id = group_of(&[&alice, &bob]);
    let commit = alice.group(&id).self_update(None).unwrap();
    let before = (state(&bob), bob.group(&id).info().unwrap());
    judge.will(Answer::Panic);
    let answer = bob.group(&id).process_message(commit.commit.clone());
    assert_eq!(answer, Err(MlsError::CredentialRejected));
    assert_eq!((state(&bob), bob.group(&id).info().unwrap()), before);
    judge.will(Answer::Accept);
    deliver(&id, &alice, &commit, &[&bob]);
    assert_agree(&id, &[&alice, &bob]);
}

/// Calls back into the client that asks it, and accepts nevertheless.
#[derive(Default)]
struct Meddler {
    client: Mutex<Weak<MlsClient>>,
    errors: Mutex<Vec<Option<MlsError>>>,
}

impl CredentialValidator for Meddler {
    fn validate(&self, request: ValidationRequest) -> Result<bool, CallbackError> {
        let (ValidationRequest::Commit { group_id, .. }
        | ValidationRequest::Proposal { group_id, .. }
        | ValidationRequest::Welcome { group_id, .. }
        | ValidationRequest::ExternalJoin { group_id, .. }
        | ValidationRequest::ExternalSenders { group_id, .. }
        | ValidationRequest::KeyPackage { group_id, .. }) = request;
        if let Some(client) = self.client.lock().unwrap().upgrade() {
            let identity = || client.create_identity(basic("meddler"), SUITE);
            self.errors.lock().unwrap().extend([
                client.groups().err(),
                client.group(group_id).err(),
                client.storage_info().err(),
                client.inbox(1).err(),
                identity().err(),
                client.wipe().err(),
            ]);
        }
        Ok(true)
    }
}

#[test]
fn a_validator_that_calls_back_gets_an_error_and_does_no_harm() {
    let meddler = Arc::new(Meddler::default());
    let (alice, bob) = (
        Device::new("alice"),
        Device::with_validator("bob", meddler.clone()),
    );
    *meddler.client.lock().unwrap() = Arc::downgrade(bob.client());
    let id: GroupId = group_of(&[&alice, &bob]);
    let commit = alice.group(&id).self_update(None).unwrap();
    deliver(&id, &alice, &commit, &[&bob]);
    let errors = std::mem::take(&mut *meddler.errors.lock().unwrap());
    // Asked twice: about the Welcome and about the Commit.
    assert_eq!(errors, vec![Some(MlsError::Reentrant); 12]);
    assert_agree(&id, &[&alice, &bob]);
    assert_eq!(bob.client().identities().unwrap().len(), 1);
}
