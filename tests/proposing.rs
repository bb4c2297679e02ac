//! Proposals of this device: every kind made, sent, queued by all, and committed by another and by ourselves.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use common::{Device, SUITE, advance, assert_agree, basic, deliver, group_of, reload};
use mls_mobile::{
    ArgumentReason, Ciphersuite, CommitSummary, Credential, Extension, GroupConfig, GroupId, IdentityId,
    KeyPackageReason, MlsError, MlsGroup, ProcessedMessage, ProposalBundle, ProposalKind, ProposalRef,
    WireFormat,
};

const REQUIRED_CAPABILITIES: u16 = 3;
/// Required capabilities that require nothing: three empty lists.
const NOTHING_REQUIRED: [u8; 3] = [0; 3];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Add,
    Remove,
    Update,
    NewIdentity,
    Extensions,
    Leave,
}

const KINDS: [Kind; 6] = [
    Kind::Add,
    Kind::Remove,
    Kind::Update,
    Kind::NewIdentity,
    Kind::Extensions,
    Kind::Leave,
];

fn extensions() -> Vec<Extension> {
    vec![Extension {
        extension_type: REQUIRED_CAPABILITIES,
        data: NOTHING_REQUIRED.to_vec(),
    }]
}

impl Kind {
    fn propose(self, group: &MlsGroup, newcomer: &Device, identity: &IdentityId) -> ProposalBundle {
        match self {
            Self::Add => group.propose_add(newcomer.key_package()),
            Self::Remove => group.propose_remove(2),
            Self::Update => group.propose_self_update(None),
            Self::NewIdentity => group.propose_self_update(Some(identity.clone())),
            Self::Extensions => group.propose_group_context_extensions(extensions()),
            Self::Leave => group.leave(),
        }
        .unwrap()
    }

    fn is(self, kind: &ProposalKind) -> bool {
        match (self, kind) {
            (Self::Add, ProposalKind::Add { .. })
            | (Self::Extensions, ProposalKind::GroupContextExtensions)
            | (Self::Leave, ProposalKind::SelfRemove) => true,
            (Self::Remove, ProposalKind::Remove { member }) => member.as_ref().unwrap().leaf_index == 2,
            (Self::Update, ProposalKind::Update { member }) => member.credential == basic("alice"),
            (Self::NewIdentity, ProposalKind::Update { member }) => member.credential == basic("renamed"),
            _ => false,
        }
    }
}

fn publicly(public_handshakes: bool) -> GroupConfig {
    GroupConfig {
        public_handshakes,
        ..GroupConfig::default()
    }
}

fn queued(device: &Device, id: &GroupId) -> Vec<ProposalRef> {
    let proposals = device.group(id).pending_proposals().unwrap();
    proposals.into_iter().map(|proposal| proposal.reference).collect()
}

/// Gives another member's proposal to a device, closed and opened again since.
fn queue(device: &mut Device, id: &GroupId, bundle: &ProposalBundle) -> ProposalKind {
    device.reload();
    let ProcessedMessage::Proposal {
        reference, summary, ..
    } = device.receive(id, &bundle.proposal)
    else {
        panic!("no proposal")
    };
    device.reload();
    assert_eq!(reference, bundle.reference);
    assert_eq!(device.receive(id, &bundle.proposal), ProcessedMessage::Duplicate);
    summary.kind
}

/// The trio after alice made a proposal of this kind, which all have queued.
fn proposed(kind: Kind, public: bool) -> ([Device; 4], GroupId, IdentityId) {
    let [mut alice, mut bob, mut carol, dave] = ["alice", "bob", "carol", "dave"].map(Device::new);
    let id = group_of(&[&alice, &bob, &carol]);
    let renamed = alice
        .client()
        .create_identity(basic("renamed"), SUITE)
        .unwrap()
        .id;
    alice.group(&id).configure(publicly(public)).unwrap();
    alice.reload();
    let bundle = kind.propose(&alice.group(&id), &dave, &renamed);
    alice.reload();
    assert_eq!(queued(&alice, &id), std::slice::from_ref(&bundle.reference));
    let info = alice.client().message_info(bundle.proposal.clone()).unwrap();
    let is_public = info.wire_format == WireFormat::PublicMessage;
    assert_eq!(is_public, public || kind == Kind::Leave, "{kind:?}");
    // Our own echo queues nothing, however often it comes.
    for _ in 0..2 {
        assert_eq!(alice.receive(&id, &bundle.proposal), ProcessedMessage::OwnMessage);
        alice.reload();
        assert_eq!(queued(&alice, &id), std::slice::from_ref(&bundle.reference));
    }
    for device in [&mut bob, &mut carol] {
        let found = queue(device, &id, &bundle);
        assert!(kind.is(&found), "{kind:?}: {found:?}");
        assert_eq!(
            device.group(&id).create_message(vec![1], vec![]),
            Err(MlsError::PendingProposalsExist)
        );
    }
    ([alice, bob, carol, dave], id, renamed)
}

#[test]
fn another_member_commits_every_kind() {
    for (kind, public) in KINDS.into_iter().flat_map(|kind| [(kind, false), (kind, true)]) {
        let ([mut alice, mut bob, mut carol, dave], id, renamed) = proposed(kind, public);
        let bundle = bob.group(&id).commit_to_pending_proposals().unwrap();
        reload(&mut [&mut alice, &mut bob, &mut carol]);
        let own = bob.group(&id).merge_pending_commit().unwrap().summary;
        for device in [&alice, &carol] {
            let (summary, _) = device.follow(&id, &bundle.commit);
            let without_self = CommitSummary {
                self_removed: false,
                ..summary
            };
            assert_eq!(without_self, own, "{kind:?}");
        }
        reload(&mut [&mut alice, &mut bob, &mut carol]);
        let mut members: Vec<&Device> = vec![&bob];
        match kind {
            Kind::Add => {
                dave.join(bundle.welcome.as_ref().unwrap());
                members.extend([&alice, &carol, &dave]);
            }
            Kind::Remove => members.push(&alice),
            Kind::Leave => members.push(&carol),
            Kind::Update | Kind::NewIdentity | Kind::Extensions => members.extend([&alice, &carol]),
        }
        assert_agree(&id, &members);
        for (index, device) in members.iter().enumerate() {
            let message = device.send(&id, "after");
            for (other, peer) in members.iter().enumerate() {
                if other != index {
                    assert_eq!(peer.read(&id, &message), "after", "{kind:?}");
                }
            }
        }
        let state = alice.group(&id).info().unwrap();
        assert_eq!(state.is_active, kind != Kind::Leave);
        assert_eq!(own.extensions_changed, kind == Kind::Extensions);
        assert_eq!(state.extensions == extensions(), kind == Kind::Extensions);
        let expected = if kind == Kind::NewIdentity {
            &renamed
        } else {
            &alice.identity
        };
        assert_eq!(&state.identity, expected, "{kind:?}");
    }
}

#[test]
fn we_commit_every_kind_that_one_may_commit_oneself() {
    for (kind, public) in KINDS.into_iter().flat_map(|kind| [(kind, false), (kind, true)]) {
        let ([mut alice, mut bob, mut carol, dave], id, _) = proposed(kind, public);
        let bundle = alice.group(&id).commit_to_pending_proposals().unwrap();
        reload(&mut [&mut alice, &mut bob, &mut carol]);
        deliver(&id, &alice, &bundle, &[&bob, &carol]);
        reload(&mut [&mut alice, &mut bob, &mut carol]);
        let mut members: Vec<&Device> = vec![&alice, &bob];
        if kind == Kind::Add {
            dave.join(bundle.welcome.as_ref().unwrap());
            members.push(&dave);
        }
        if kind != Kind::Remove {
            members.push(&carol);
        }
        assert_agree(&id, &members);
        assert_eq!(queued(&alice, &id), []);
        // Our own Update and removal are not for us to commit: they went with their epoch.
        assert_eq!(alice.group(&id).info().unwrap().identity, alice.identity);
        assert!(alice.member_names(&id).contains(&"alice".to_owned()));
        alice.send(&id, "and on");
    }
}

#[test]
fn the_same_again_is_the_same_proposal_to_be_sent_again() {
    let [mut alice, bob, carol, dave] = ["alice", "bob", "carol", "dave"].map(Device::new);
    let id = group_of(&[&alice, &bob, &carol]);
    let key_package = dave.key_package();
    let make: [&dyn Fn(&MlsGroup) -> ProposalBundle; 4] = [
        &|group| group.propose_add(key_package.clone()).unwrap(),
        &|group| group.propose_remove(2).unwrap(),
        &|group| group.propose_group_context_extensions(extensions()).unwrap(),
        &|group| group.leave().unwrap(),
    ];
    for (count, make) in make.into_iter().enumerate() {
        let first = make(&alice.group(&id));
        let second = make(&alice.group(&id));
        assert_eq!(first.reference, second.reference);
        assert_eq!(queued(&alice, &id).len(), count + 1);
        alice.reload();
        assert_eq!(queued(&alice, &id).len(), count + 1);
        assert!(matches!(
            bob.receive(&id, &second.proposal),
            ProcessedMessage::Proposal { .. }
        ));
        assert_eq!(bob.receive(&id, &first.proposal), ProcessedMessage::Duplicate);
        // Dropped once, it is gone.
        alice.group(&id).remove_pending_proposal(first.reference).unwrap();
        assert_eq!(queued(&alice, &id).len(), count);
        make(&alice.group(&id));
    }
    // An Update draws new keys each time; the last counts.
    let [first, second] = [(); 2].map(|()| alice.group(&id).propose_self_update(None).unwrap());
    assert_ne!(first.reference, second.reference);
    assert_eq!(queued(&alice, &id).len(), 6);
}

#[test]
fn none_is_made_while_a_commit_waits_or_out_of_the_group() {
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(Device::new);
    let id = group_of(&[&alice, &bob, &carol]);
    let dave = Device::new("dave");
    let refused = |device: &Device, expected: &MlsError| {
        let group = device.group(&id);
        for result in [
            group.propose_add(dave.key_package()),
            group.propose_remove(2),
            group.propose_self_update(None),
            group.propose_group_context_extensions(extensions()),
            group.leave(),
        ] {
            assert_eq!(result.as_ref(), Err(expected));
        }
        assert_eq!(queued(device, &id), []);
    };
    let update = alice.group(&id).self_update(None).unwrap();
    refused(&alice, &MlsError::PendingCommitExists);
    let bob = bob.decides_later();
    bob.receive(&id, &update.commit);
    refused(&bob, &MlsError::StagedCommitExists);
    bob.group(&id).discard_staged_commit().unwrap();
    refused(&bob, &MlsError::GroupDiverged { rejected_epoch: 2 });
    deliver(&id, &alice, &update, &[&carol]);
    let removal = alice.group(&id).remove_members(vec![2]).unwrap();
    deliver(&id, &alice, &removal, &[&carol]);
    refused(&carol, &MlsError::GroupInactive);
}

#[test]
fn arguments_are_checked_before_anything_is_queued() {
    let [mut alice, bob] = ["alice", "bob"].map(Device::new);
    let id = group_of(&[&alice, &bob]);
    let other_suite = Device::with_suite("x", Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519);
    let group = alice.group(&id);
    let argument = |argument: &str, reason| {
        Err(MlsError::InvalidArgument {
            argument: argument.to_owned(),
            reason,
        })
    };
    let key_package = |reason| Err(MlsError::KeyPackageInvalid { reason });
    // Bob is a member already.
    assert_eq!(
        group.propose_add(bob.key_package()),
        key_package(KeyPackageReason::DuplicateKey)
    );
    assert_eq!(
        group.propose_add(other_suite.key_package()),
        key_package(KeyPackageReason::OtherCiphersuite)
    );
    assert_eq!(group.propose_add(vec![1, 2, 3]), Err(MlsError::MessageMalformed));
    assert_eq!(
        group.propose_remove(2),
        Err(MlsError::MemberNotFound { leaf_index: 2 })
    );
    let unknown = Some(IdentityId(vec![7; 32]));
    assert_eq!(
        group.propose_self_update(unknown),
        Err(MlsError::IdentityNotFound)
    );
    let foreign = Credential::Other {
        credential_type: 0xf0f0,
        content: vec![1],
    };
    let foreign = alice.client().create_identity(foreign, SUITE).unwrap().id;
    assert_eq!(
        group.propose_self_update(Some(foreign)),
        argument("new_identity", ArgumentReason::OutOfRange)
    );
    let custom = |proposal_type| group.propose_custom(proposal_type, vec![1]);
    for known in [1, 7, 8, 10, 0x0a0a] {
        assert_eq!(
            custom(known),
            argument("proposal_type", ArgumentReason::OutOfRange)
        );
    }
    assert_eq!(
        custom(0xf042),
        argument("proposal_type", ArgumentReason::Unsupported)
    );
    let long = group.propose_custom(0xf042, vec![0; (1 << 20) + 1]);
    assert_eq!(long, argument("payload", ArgumentReason::TooLong));
    drop(group);
    alice.reload();
    assert_eq!(queued(&alice, &id), []);
    advance(&id, &alice, &[&bob]);
}

#[test]
fn the_identity_follows_its_update_and_is_kept_until_the_epoch_ends() {
    let [mut alice, mut bob] = ["alice", "bob"].map(Device::new);
    let id = group_of(&[&alice, &bob]);
    let [renamed, unused] =
        ["renamed", "unused"].map(|name| alice.client().create_identity(basic(name), SUITE).unwrap().id);
    let dropped = alice
        .group(&id)
        .propose_self_update(Some(unused.clone()))
        .unwrap();
    alice
        .group(&id)
        .remove_pending_proposal(dropped.reference)
        .unwrap();
    let update = alice
        .group(&id)
        .propose_self_update(Some(renamed.clone()))
        .unwrap();
    alice.reload();
    for identity in [&renamed, &unused] {
        let refused = alice.client().delete_identity(identity.clone());
        assert_eq!(refused, Err(MlsError::IdentityInUse));
    }
    queue(&mut bob, &id, &update);
    let commit = bob.group(&id).commit_to_pending_proposals().unwrap();
    bob.group(&id).merge_pending_commit().unwrap();
    let early = bob.send(&id, "early");

    // It waits for the app, with what came early, and over restarts.
    let mut alice = alice.decides_later();
    alice.receive(&id, &early);
    alice.receive(&id, &commit.commit);
    alice.reload();
    assert_eq!(alice.group(&id).info().unwrap().identity, alice.identity);
    let merged = alice.group(&id).merge_staged_commit().unwrap();
    assert_eq!(common::texts(&merged.released), ["early"]);
    assert_eq!(merged.summary.updated[0].after.credential, basic("renamed"));
    alice.reload();
    assert_eq!(alice.group(&id).info().unwrap().identity, renamed);
    assert_eq!(alice.client().groups().unwrap()[0].identity, renamed);
    assert_eq!(
        alice.client().delete_identity(renamed),
        Err(MlsError::IdentityInUse)
    );
    for identity in [alice.identity.clone(), unused] {
        alice.client().delete_identity(identity).unwrap();
    }
    assert_eq!(bob.read(&id, &alice.send(&id, "as renamed")), "as renamed");
    advance(&id, &alice, &[&bob]);
    assert_eq!(bob.member_names(&id), ["renamed", "bob"]);
}

#[test]
fn a_device_proposes_no_more_than_others_would_queue() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    for _ in 0..64 {
        let proposed = alice.group(&id).propose_self_update(None).unwrap();
        bob.receive(&id, &proposed.proposal);
    }
    let too_many = alice.group(&id).propose_self_update(None);
    assert_eq!(too_many.unwrap_err(), MlsError::PendingProposalsExist);
    assert_eq!(bob.group(&id).info().unwrap().pending_proposals.len(), 64);
}
