//! The ready validator for certificate chains, wherever somebody comes into a group.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod authority;
mod common;

use std::sync::{Arc, Mutex};

use authority::Authority;
use common::{
    AcceptAll, Device, assert_agree, basic, deliver, group_of,
    hsm::Hsm,
    raw::{FromOutside, RawPeer},
};
use mls_mobile::{
    ArgumentReason, CallbackError, Credential, CredentialValidator, Extension, GroupId, IdentityId, MlsError,
    NewMember, ProposalKind, Sender, ValidationRequest, x509_validator, x509_validator_with_others,
};
use openmls::prelude::{
    CredentialType,
    tls_codec::{Serialize as _, VLBytes},
};

type Chain = Vec<Vec<u8>>;

/// The authorities of a company.
struct World {
    root: Authority,
    upper: Authority,
    lower: Authority,
    stranger: Authority,
}

impl World {
    fn new() -> Self {
        let root = Authority::root("root");
        let upper = root.intermediate("upper");
        let lower = upper.intermediate("lower");
        let stranger = Authority::root("root");
        Self {
            root,
            upper,
            lower,
            stranger,
        }
    }

    fn validator(&self, next: Option<Arc<dyn CredentialValidator>>) -> Arc<dyn CredentialValidator> {
        x509_validator(vec![self.root.der.clone()], next).unwrap()
    }

    fn chain(&self, key: &[u8]) -> Chain {
        vec![
            self.lower.member("member", key),
            self.lower.der.clone(),
            self.upper.der.clone(),
        ]
    }
}

/// What is wrong with a chain, if anything.
type Make = fn(&World, &[u8]) -> Chain;

const GOOD: &[(&str, Make)] = &[
    ("by the root", |world, key| vec![world.root.member("member", key)]),
    ("two authorities in between", World::chain),
    ("with the root at its end", |world, key| {
        [world.chain(key), vec![world.root.der.clone()]].concat()
    }),
    ("an authority with an Ed25519 key", |world, key| {
        let authority = world.root.intermediate_with("ed25519", &rcgen::PKCS_ED25519);
        vec![authority.member("member", key), authority.der]
    }),
    ("an authority with a P-384 key", |world, key| {
        let authority = world
            .root
            .intermediate_with("p384", &rcgen::PKCS_ECDSA_P384_SHA384);
        vec![authority.member("member", key), authority.der]
    }),
];

const BAD: &[(&str, Make)] = &[
    ("empty", |_, _| Vec::new()),
    ("garbage", |_, _| vec![b"no certificate".to_vec()]),
    ("cut short", |world, key| {
        let mut chain = world.chain(key);
        chain[0].pop();
        chain
    }),
    ("with a byte more", |world, key| {
        let mut chain = world.chain(key);
        chain[0].push(0);
        chain
    }),
    ("another root of the same name", |world, key| {
        vec![world.stranger.member("member", key)]
    }),
    ("brings a root of its own", |world, key| {
        vec![world.stranger.member("member", key), world.stranger.der.clone()]
    }),
    ("expired", |world, key| {
        vec![world.root.member_until("member", key, 2020)]
    }),
    ("of another key", |world, _| world.chain(&Hsm::new().public_key)),
    ("an authority is missing", |world, key| {
        vec![world.lower.member("member", key), world.lower.der.clone()]
    }),
    ("authorities in the wrong order", |world, key| {
        let mut chain = world.chain(key);
        chain.swap(1, 2);
        chain
    }),
    ("a certificate that does not belong to it", |world, key| {
        vec![world.root.member("member", key), world.upper.der.clone()]
    }),
    ("by somebody who is no authority", |world, key| {
        let member = world.root.no_authority("member");
        vec![member.member("forged", key), member.der]
    }),
    ("an authority as a member", |world, _| {
        vec![world.upper.der.clone()]
    }),
    ("garbage after the first", |world, key| {
        vec![world.root.member("member", key), b"no certificate".to_vec()]
    }),
];

/// Alice, who lets everybody in, and bob, who asks for certificates; both have good ones.
struct Pair {
    alice: Device,
    bob: Device,
}

impl Pair {
    fn new(world: &World) -> Self {
        let mut alice = Device::new("alice");
        let mut bob = Device::with_validator("bob", world.validator(None));
        for device in [&mut alice, &mut bob] {
            device.certified(|key| world.chain(key));
        }
        Self { alice, bob }
    }

    /// What bob says when a chain comes in, in each way in which one can.
    fn answers(&mut self, make: impl Fn(&[u8]) -> Chain) -> Vec<(&'static str, Result<(), MlsError>)> {
        let mut mallory = Device::new("mallory");
        mallory.certified(&make);
        let alices = self.alice.identity.clone();
        self.alice.certified(&make);
        let new = std::mem::replace(&mut self.alice.identity, alices);
        let Self { alice, bob } = self;
        let bobs = bob.create_group();
        let mut answers = vec![(
            "key package",
            bob.group(&bobs)
                .add_members(vec![mallory.key_package()])
                .map(drop),
        )];
        let id = group_of(&[alice, &mallory]);
        let invitation = alice.group(&id).add_members(vec![bob.key_package()]).unwrap();
        deliver(&id, alice, &invitation, &[&mallory]);
        let joined = bob.client().join_from_welcome(invitation.welcome.unwrap(), None);
        answers.push(("Welcome", joined.map(drop)));

        let id = group_of(&[alice, &mallory]);
        let group_info = alice.group(&id).export_group_info(true).unwrap();
        let joined = bob
            .client()
            .join_by_external_commit(bob.identity.clone(), group_info, None);
        answers.push(("own external join", joined.map(drop)));

        let mut receive = |name, message: fn(&Device, &Device, &GroupId, &IdentityId) -> Vec<u8>| {
            let id = group_of(&[alice, bob]);
            let message = message(alice, &mallory, &id, &new);
            answers.push((name, bob.group(&id).process_message(message).map(drop)));
        };
        receive("Add in a Commit", |alice, mallory, id, _| {
            alice
                .group(id)
                .add_members(vec![mallory.key_package()])
                .unwrap()
                .commit
        });
        receive("Add proposal", |alice, mallory, id, _| {
            alice
                .group(id)
                .propose_add(mallory.key_package())
                .unwrap()
                .proposal
        });
        receive("Update in a Commit", |alice, _, id, new| {
            alice.group(id).self_update(Some(new.clone())).unwrap().commit
        });
        receive("Update proposal", |alice, _, id, new| {
            alice
                .group(id)
                .propose_self_update(Some(new.clone()))
                .unwrap()
                .proposal
        });
        receive("external Commit", |alice, mallory, id, _| {
            let group_info = alice.group(id).export_group_info(true).unwrap();
            let join = mallory
                .client()
                .join_by_external_commit(mallory.identity.clone(), group_info, None);
            join.unwrap().commit
        });
        answers
    }
}

#[test]
fn a_good_chain_comes_in_everywhere() {
    let world = World::new();
    let mut pair = Pair::new(&world);
    for (name, make) in GOOD {
        for (place, answer) in pair.answers(|key| make(&world, key)) {
            assert_eq!(answer, Ok(()), "{name}, {place}");
        }
    }
}

#[test]
fn a_bad_chain_comes_in_nowhere() {
    let world = World::new();
    let mut pair = Pair::new(&world);
    for (name, make) in BAD {
        let answers = pair.answers(|key| make(&world, key));
        assert_eq!(answers.len(), 8);
        for (place, answer) in answers {
            assert_eq!(answer, Err(MlsError::CredentialRejected), "{name}, {place}");
        }
    }
}

#[test]
fn a_refused_member_changes_nothing_and_certified_members_go_on() {
    let world = World::new();
    let Pair { alice, mut bob } = Pair::new(&world);
    let (id, mut mallory) = (group_of(&[&alice, &bob]), Device::new("mallory"));
    mallory.certified(|key| vec![world.stranger.member("mallory", key)]);
    let before = (bob.dump(), bob.group(&id).info().unwrap());
    let commit = alice.group(&id).add_members(vec![mallory.key_package()]).unwrap();
    let answer = bob.group(&id).process_message(commit.commit);
    assert_eq!(answer, Err(MlsError::CredentialRejected));
    assert!((bob.dump(), bob.group(&id).info().unwrap()) == before);
    alice.group(&id).clear_pending_commit().unwrap();
    bob.reload();
    let mut carol = Device::new("carol");
    carol.certified(|key| world.chain(key));
    let commit = alice.group(&id).add_members(vec![carol.key_package()]).unwrap();
    deliver(&id, &alice, &commit, &[&bob]);
    carol.join(&commit.welcome.unwrap());
    assert_agree(&id, &[&alice, &bob, &carol]);
    assert_eq!(bob.read(&id, &carol.send(&id, "certified")), "certified");
}

#[test]
fn credentials_without_certificates_are_refused_or_left_to_the_next_validator() {
    let world = World::new();
    let private = Credential::Other {
        credential_type: 0xf0f0,
        content: b"anything".to_vec(),
    };
    let roots = || vec![world.root.der.clone()];
    let strict = world.validator(Some(Arc::new(AcceptAll)));
    let open = x509_validator_with_others(roots(), Arc::new(AcceptAll)).unwrap();
    let closed = x509_validator_with_others(roots(), Arc::new(Judge::new(false))).unwrap();
    let damaged = Credential::Other {
        credential_type: 2,
        content: vec![0xff],
    };
    for (credential, expected) in [(basic("alice"), true), (private, true), (damaged, false)] {
        let request = || ValidationRequest::KeyPackage {
            group_id: GroupId(b"group".to_vec()),
            member: NewMember {
                credential: credential.clone(),
                signature_key: vec![1; 32],
            },
        };
        assert_eq!(strict.validate(request()), Ok(false), "{credential:?}");
        assert_eq!(open.validate(request()), Ok(expected), "{credential:?}");
        assert_eq!(closed.validate(request()), Ok(false), "{credential:?}");
    }
}

/// The app's own validator: remembers what it was asked.
struct Judge {
    answer: bool,
    asked: Mutex<Vec<ValidationRequest>>,
}

impl Judge {
    fn new(answer: bool) -> Self {
        let asked = Mutex::default();
        Self { answer, asked }
    }

    fn asked(&self) -> Vec<ValidationRequest> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

impl CredentialValidator for Judge {
    fn validate(&self, request: ValidationRequest) -> Result<bool, CallbackError> {
        self.asked.lock().unwrap().push(request);
        Ok(self.answer)
    }
}

#[test]
fn the_next_validator_sees_old_and_new_credential_of_a_certified_member_only() {
    let world = World::new();
    let judge = Arc::new(Judge::new(true));
    let Pair { mut alice, bob } = Pair::new(&world);
    let mut bob = bob.judged_by(world.validator(Some(judge.clone())));
    bob.certified(|key| world.chain(key));
    let id = group_of(&[&alice, &bob]);
    let old = alice.group(&id).members().unwrap().remove(0).credential;
    let (good, _) = alice.certified(|key| vec![world.root.member("successor", key)]);
    let (bad, _) = alice.certified(|key| vec![world.stranger.member("thief", key)]);
    judge.asked();

    let commit = alice.group(&id).self_update(Some(bad.id)).unwrap().commit;
    bob.group(&id).process_message(commit).unwrap_err();
    assert_eq!(judge.asked(), []);
    alice.group(&id).clear_pending_commit().unwrap();

    let proposal = alice
        .group(&id)
        .propose_self_update(Some(good.id.clone()))
        .unwrap();
    bob.receive(&id, &proposal.proposal);
    match &judge.asked()[..] {
        [ValidationRequest::Proposal { summary, .. }] => {
            assert!(matches!(&summary.sender, Sender::Member { credential, .. } if *credential == old));
            assert!(
                matches!(&summary.kind, ProposalKind::Update { member } if member.credential == good.credential)
            );
        }
        other => panic!("{other:?}"),
    }
    let update = alice.group(&id).self_update(Some(good.id)).unwrap();
    deliver(&id, &alice, &update, &[&bob]);
    match &judge.asked()[..] {
        [ValidationRequest::Commit { summary, .. }] => {
            assert_eq!(summary.updated[0].before.credential, old);
            assert_eq!(summary.updated[0].after.credential, good.credential);
        }
        other => panic!("{other:?}"),
    }

    // Its refusal counts.
    let mut bob = bob.judged_by(world.validator(Some(Arc::new(Judge::new(false)))));
    bob.reload();
    let update = alice.group(&id).self_update(None).unwrap();
    let answer = bob.group(&id).process_message(update.commit);
    assert_eq!(answer, Err(MlsError::CredentialRejected));
}

#[test]
fn a_key_of_the_library_gets_its_certificate_and_a_new_one_in_its_groups() {
    let world = World::new();
    let (alice, mut bob) = (
        Device::new("alice"),
        Device::with_validator("bob", world.validator(None)),
    );
    let certify = |device: &Device, name: &str| {
        let certificates = vec![world.root.member(name, &device.identity.0)];
        let credential = Credential::X509 { certificates };
        let made = device
            .client()
            .replace_credential(device.identity.clone(), credential.clone());
        assert_eq!(made.unwrap().credential, credential);
        credential
    };
    let old = [&alice, &bob].map(|device| certify(device, "first"));
    bob.reload();
    let id = group_of(&[&alice, &bob]);
    let new = certify(&alice, "second");
    assert_eq!(bob.group(&id).members().unwrap()[0].credential, old[0]);
    let update = alice
        .group(&id)
        .self_update(Some(alice.identity.clone()))
        .unwrap();
    deliver(&id, &alice, &update, &[&bob]);
    bob.reload();
    assert_agree(&id, &[&alice, &bob]);
    assert_eq!(bob.group(&id).members().unwrap()[0].credential, new);
    assert_eq!(bob.read(&id, &alice.send(&id, "renewed")), "renewed");
    // By a proposal too, which another member commits.
    let last = certify(&bob, "third");
    let proposal = bob
        .group(&id)
        .propose_self_update(Some(bob.identity.clone()))
        .unwrap();
    alice.receive(&id, &proposal.proposal);
    let commit = alice.group(&id).commit_to_pending_proposals().unwrap();
    deliver(&id, &alice, &commit, &[&bob]);
    assert_agree(&id, &[&alice, &bob]);
    assert_eq!(alice.group(&id).members().unwrap()[1].credential, last);
    let unknown = IdentityId(b"unknown".to_vec());
    let answer = alice.client().replace_credential(unknown, basic("nobody"));
    assert_eq!(answer, Err(MlsError::IdentityNotFound));
}

#[test]
fn a_member_whose_certificate_has_expired_is_followed_but_not_let_in() {
    let world = World::new();
    let mut alice = Device::new("alice");
    alice.certified(|key| vec![world.root.member_until("alice", key, 2020)]);
    let mut bob = Device::new("bob");
    let (identity, hsm) = bob.certified(|key| world.chain(key));
    let id = group_of(&[&alice, &bob]);
    let bob = bob.judged_by(world.validator(None));
    bob.client().attach_signer(identity.id, hsm).unwrap();
    let update = alice.group(&id).self_update(None).unwrap();
    deliver(&id, &alice, &update, &[&bob]);
    let proposal = alice.group(&id).propose_self_update(None).unwrap();
    bob.receive(&id, &proposal.proposal);
    let later = bob.create_group();
    let answer = bob.group(&later).add_members(vec![alice.key_package()]);
    assert_eq!(answer.map(drop), Err(MlsError::CredentialRejected));
}

/// The chain as OpenMLS has it.
fn x509(chain: &[Vec<u8>]) -> openmls::prelude::Credential {
    let content = chain
        .iter()
        .flat_map(|der| VLBytes::new(der.clone()).tls_serialize_detached().unwrap())
        .collect();
    openmls::prelude::Credential::new(CredentialType::X509, content)
}

#[test]
fn an_external_sender_needs_a_certificate_of_its_key_wherever_it_comes_in() {
    let world = World::new();
    let Pair { alice, bob } = Pair::new(&world);
    for issuer in [Some(&world.root), Some(&world.stranger), None] {
        let server = RawPeer::with_certificate(|key| {
            let key = if issuer.is_some() { key } else { &[7; 32] };
            x509(&[issuer.unwrap_or(&world.root).member("server", key)])
        });
        let expected = if issuer.is_some_and(|issuer| issuer.der == world.root.der) {
            Ok(())
        } else {
            Err(MlsError::CredentialRejected)
        };
        let senders = || {
            vec![Extension {
                extension_type: 5,
                data: server.as_external_sender(),
            }]
        };
        // In a proposal, in a Commit, and then in what the server proposes.
        let id = group_of(&[&alice, &bob]);
        let proposal = alice
            .group(&id)
            .propose_group_context_extensions(senders())
            .unwrap();
        let answer = bob.group(&id).process_message(proposal.proposal);
        assert_eq!(answer.map(drop), expected);
        let id = group_of(&[&alice, &bob]);
        let bundle = alice
            .group(&id)
            .update_group_context_extensions(senders())
            .unwrap();
        let answer = bob.group(&id).process_message(bundle.commit.clone());
        assert_eq!(answer.map(drop), expected);
        alice.group(&id).merge_pending_commit().unwrap();
        if expected.is_ok() {
            let proposal = server.propose_from_outside(&id.0, bob.epoch(&id), FromOutside::Remove(0));
            bob.group(&id).process_message(proposal).unwrap();
        }
        // In a group that is joined.
        let id = alice.create_group();
        let bundle = alice
            .group(&id)
            .update_group_context_extensions(senders())
            .unwrap();
        deliver(&id, &alice, &bundle, &[]);
        let group_info = alice.group(&id).export_group_info(true).unwrap();
        let join = bob
            .client()
            .join_by_external_commit(bob.identity.clone(), group_info, None);
        assert_eq!(join.map(drop), expected);
        bob.client().abandon_external_join(id.clone()).unwrap();
        let invitation = alice.group(&id).add_members(vec![bob.key_package()]).unwrap();
        let joined = bob.client().join_from_welcome(invitation.welcome.unwrap(), None);
        assert_eq!(joined.map(drop), expected);
    }
}

#[test]
fn roots_must_be_certificates() {
    let root = Authority::root("root").der;
    let refused = |roots: Vec<Vec<u8>>, reason| {
        let argument = "roots".to_owned();
        let error = MlsError::InvalidArgument { argument, reason };
        assert_eq!(x509_validator(roots.clone(), None).err(), Some(error.clone()));
        let others = x509_validator_with_others(roots, Arc::new(AcceptAll));
        assert_eq!(others.err(), Some(error));
    };
    refused(Vec::new(), ArgumentReason::Empty);
    refused(
        vec![root.clone(), b"no certificate".to_vec()],
        ArgumentReason::Malformed,
    );
    refused(vec![root[1..].to_vec()], ArgumentReason::Malformed);
    assert!(x509_validator(vec![root.clone(), root], None).is_ok());
}
