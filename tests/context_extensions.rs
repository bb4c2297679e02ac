//! The GroupContext's extensions: replaced by Commits, refused where members could not follow; and the servers that
//! they let propose.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use std::sync::Arc;

use common::{
    Device, advance, assert_agree, basic, deliver, group_of,
    raw::{CommitParts, FromOutside, RawPeer},
    reload,
};
use mls_mobile::{
    ArgumentReason, CallbackError, CredentialValidator, Extension, ExternalSender, GroupConfig, GroupId,
    LeafNodeOptions, MessageReason, MlsError, ProcessedMessage, ProposalKind, RequiredCapabilities, Sender,
    ValidationRequest, external_senders_extension, required_capabilities_extension,
};
use openmls::{
    group::GroupContext,
    prelude::{
        Capabilities, CredentialType, Extensions, LeafNodeParameters, ProposalType,
        RequiredCapabilitiesExtension,
    },
};

const REQUIRED_CAPABILITIES: u16 = 3;
const EXTERNAL_SENDERS: u16 = 5;

fn extension(extension_type: u16, data: &[u8]) -> Extension {
    Extension {
        extension_type,
        data: data.to_vec(),
    }
}

/// Alice, bob and carol, whose group lets the server propose.
fn served() -> ([Device; 3], RawPeer, GroupId) {
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(Device::new);
    let id = group_of(&[&alice, &bob, &carol]);
    let server = RawPeer::new("server");
    let senders = vec![extension(EXTERNAL_SENDERS, &server.as_external_sender())];
    assert_eq!(alice.group(&id).external_senders().unwrap(), []);
    let bundle = alice.group(&id).update_group_context_extensions(senders).unwrap();
    deliver(&id, &alice, &bundle, &[&bob, &carol]);
    ([alice, bob, carol], server, id)
}

#[test]
fn a_commit_replaces_them_for_everybody() {
    let ([mut alice, mut bob, mut carol], server, id) = served();
    reload(&mut [&mut alice, &mut bob, &mut carol]);
    let expected = ExternalSender {
        signature_key: server.signature_key(),
        credential: basic("server"),
    };
    for device in [&alice, &bob, &carol] {
        let group = device.group(&id);
        assert_eq!(group.external_senders().unwrap(), std::slice::from_ref(&expected));
        let held = group.info().unwrap().extensions;
        assert_eq!(held, [extension(EXTERNAL_SENDERS, &server.as_external_sender())]);
    }
    // Who joins later has them too; and what is not in the next list is gone.
    let dave = Device::new("dave");
    let bundle = bob.group(&id).add_members(vec![dave.key_package()]).unwrap();
    deliver(&id, &bob, &bundle, &[&alice, &carol]);
    dave.join(&bundle.welcome.unwrap());
    assert_eq!(dave.group(&id).external_senders().unwrap(), [expected]);
    let required = vec![extension(REQUIRED_CAPABILITIES, &[0, 2, 0, 10, 2, 0, 1])];
    let bundle = carol
        .group(&id)
        .update_group_context_extensions(required.clone())
        .unwrap();
    let summary = bob.follow(&id, &bundle.commit).0;
    assert!(summary.extensions_changed);
    deliver(&id, &carol, &bundle, &[&alice, &dave]);
    assert_eq!(dave.group(&id).info().unwrap().extensions, required);
    assert_eq!(alice.group(&id).external_senders().unwrap(), []);
    assert_agree(&id, &[&alice, &bob, &carol, &dave]);
}

#[test]
fn those_that_the_library_knows_are_made_from_what_they_say() {
    let (alice, bob, server) = (Device::new("alice"), Device::new("bob"), RawPeer::new("server"));
    let id = group_of(&[&alice, &bob]);
    let sender = ExternalSender {
        signature_key: server.signature_key(),
        credential: basic("server"),
    };
    let required = RequiredCapabilities {
        proposals: vec![10],
        credentials: vec![1],
        ..RequiredCapabilities::default()
    };
    let extensions = vec![
        required_capabilities_extension(required.clone()).unwrap(),
        external_senders_extension(vec![sender.clone()]).unwrap(),
    ];
    let bundle = alice
        .group(&id)
        .update_group_context_extensions(extensions.clone())
        .unwrap();
    deliver(&id, &alice, &bundle, &[&bob]);
    assert_eq!(
        bob.group(&id).external_senders().unwrap(),
        std::slice::from_ref(&sender)
    );
    // The same as at a group's creation.
    let config = GroupConfig {
        required_capabilities: Some(required),
        external_senders: vec![sender.clone()],
        ..GroupConfig::default()
    };
    let other = alice.create_group_with(Some(config));
    assert_eq!(alice.group(&other).info().unwrap().extensions, extensions);

    let invalid = |argument: &str, reason| {
        Err(MlsError::InvalidArgument {
            argument: argument.to_owned(),
            reason,
        })
    };
    let short = ExternalSender {
        signature_key: vec![1; 31],
        ..sender
    };
    for (senders, reason) in [
        (vec![], ArgumentReason::Empty),
        (vec![short], ArgumentReason::WrongLength),
    ] {
        assert_eq!(
            external_senders_extension(senders),
            invalid("external_senders", reason)
        );
    }
    for (extensions, reason) in [
        (vec![], ArgumentReason::Empty),
        (vec![1], ArgumentReason::OutOfRange),
        (vec![0xf001, 0xf001], ArgumentReason::Duplicate),
    ] {
        let required = RequiredCapabilities {
            extensions,
            ..RequiredCapabilities::default()
        };
        assert_eq!(
            required_capabilities_extension(required),
            invalid("required_capabilities", reason)
        );
    }
}

#[test]
fn what_members_could_not_follow_is_refused() {
    let ([mut alice, bob, carol], server, id) = served();
    let senders = server.as_external_sender();
    let required = |data: &[u8]| vec![extension(REQUIRED_CAPABILITIES, data)];
    let cases = [
        // No GroupContext can hold these.
        (vec![extension(1, &[1, 7])], ArgumentReason::OutOfRange),
        (vec![extension(10, &[])], ArgumentReason::OutOfRange),
        (vec![extension(0x1a1a, &[])], ArgumentReason::OutOfRange),
        (vec![extension(2, &[0])], ArgumentReason::OutOfRange),
        // Cut short, too long, nonsense.
        (required(&[0, 0]), ArgumentReason::Malformed),
        (required(&[0, 0, 0, 0]), ArgumentReason::Malformed),
        (required(&[1, 0, 0]), ArgumentReason::Malformed),
        // A length of two bytes where one is enough is another encoding of the same.
        (required(&[0x40, 0, 0, 0]), ArgumentReason::Malformed),
        (
            vec![extension(EXTERNAL_SENDERS, &senders[1..])],
            ArgumentReason::Malformed,
        ),
        // Nobody lists these.
        (vec![extension(0xf042, &[1])], ArgumentReason::Unsupported),
        (vec![extension(6, &[0])], ArgumentReason::Unsupported),
        (required(&[2, 0xf0, 0x42, 0, 0]), ArgumentReason::Unsupported),
        (required(&[0, 2, 0xf0, 0x42, 0]), ArgumentReason::Unsupported),
        (required(&[0, 0, 2, 0xf0, 0x42]), ArgumentReason::Unsupported),
        (
            vec![required(&[0; 3])[0].clone(), required(&[0; 3])[0].clone()],
            ArgumentReason::Duplicate,
        ),
        (
            vec![extension(0xf042, &vec![0; (1 << 20) + 1])],
            ArgumentReason::TooLong,
        ),
    ];
    for (extensions, reason) in cases {
        let expected = MlsError::InvalidArgument {
            argument: "extensions".to_owned(),
            reason,
        };
        let group = alice.group(&id);
        let proposed = group.propose_group_context_extensions(extensions.clone());
        assert_eq!(
            proposed,
            Err(expected.clone()),
            "{:?}",
            &extensions[0].extension_type
        );
        let committed = group.update_group_context_extensions(extensions);
        assert_eq!(committed, Err(expected));
        assert_eq!(group.pending_commit().unwrap(), None);
        assert_eq!(group.pending_proposals().unwrap(), []);
    }
    alice.reload();
    common::advance(&id, &alice, &[&bob, &carol]);
}

#[test]
fn a_servers_proposals_are_queued_and_committed() {
    let (devices, server, id) = served();
    for case in 0..3 {
        let [mut alice, mut bob, mut carol] = devices.each_ref().map(Device::fork);
        let dave = Device::new("dave");
        let key_package = dave.key_package();
        let proposal = match case {
            0 => FromOutside::Add(&key_package),
            1 => FromOutside::Remove(2),
            _ => FromOutside::NoExtensions,
        };
        let message = server.propose_from_outside(&id.0, 2, proposal);
        for device in [&mut alice, &mut bob, &mut carol] {
            let ProcessedMessage::Proposal { summary, .. } = device.receive(&id, &message) else {
                panic!("no proposal")
            };
            let sender = Sender::External {
                sender_index: 0,
                credential: basic("server"),
            };
            assert_eq!(summary.sender, sender);
            assert!(matches!(
                (case, &summary.kind),
                (0, ProposalKind::Add { .. })
                    | (1, ProposalKind::Remove { .. })
                    | (2, ProposalKind::GroupContextExtensions)
            ));
            device.reload();
            assert_eq!(device.group(&id).pending_proposals().unwrap(), [summary]);
            assert_eq!(device.receive(&id, &message), ProcessedMessage::Duplicate);
        }
        let bundle = bob.group(&id).commit_to_pending_proposals().unwrap();
        deliver(&id, &bob, &bundle, &[&alice, &carol]);
        reload(&mut [&mut alice, &mut bob, &mut carol]);
        match case {
            0 => {
                dave.join(&bundle.welcome.unwrap());
                assert_agree(&id, &[&alice, &bob, &carol, &dave]);
            }
            1 => assert!(!carol.group(&id).info().unwrap().is_active),
            _ => assert_eq!(carol.group(&id).external_senders().unwrap(), []),
        }
        assert_agree(&id, &[&alice, &bob]);
    }
}

struct No;

impl CredentialValidator for No {
    fn validate(&self, _: ValidationRequest) -> Result<bool, CallbackError> {
        Ok(false)
    }
}

#[test]
fn strangers_and_what_the_validator_refuses_are_not_queued() {
    let ([alice, ..], server, id) = served();
    let stranger = RawPeer::new("stranger").propose_from_outside(&id.0, 2, FromOutside::Remove(2));
    let refused = alice.group(&id).process_message(stranger);
    assert!(
        matches!(refused, Err(MlsError::MessageInvalid { .. })),
        "{refused:?}"
    );
    let wanted = server.propose_from_outside(&id.0, 2, FromOutside::Remove(2));
    let path = alice.path();
    let strict = mls_mobile::MlsClient::open(
        mls_mobile::ClientConfig::new(path.to_str().unwrap(), alice.key),
        Some(Arc::new(No)),
        None,
    );
    let strict = strict.unwrap().group(id.clone()).unwrap();
    assert_eq!(
        strict.process_message(wanted.clone()),
        Err(MlsError::CredentialRejected)
    );
    assert_eq!(strict.pending_proposals().unwrap(), []);
    // Its epoch is over.
    common::advance(&id, &alice, &[]);
    assert_eq!(alice.receive(&id, &wanted), ProcessedMessage::Stale { epoch: 2 });
}

/// Required capabilities that nobody lists: a proposal type, and a credential type. OpenMLS looks at neither.
fn demands() -> [Extensions<GroupContext>; 2] {
    let required = [
        RequiredCapabilitiesExtension::new(&[], &[ProposalType::Custom(0xf0ff)], &[]),
        RequiredCapabilitiesExtension::new(&[], &[], &[CredentialType::Other(0xf0ff)]),
    ];
    required.map(|required| {
        Extensions::single(openmls::prelude::Extension::RequiredCapabilities(required)).unwrap()
    })
}

#[test]
fn a_commit_that_requires_what_a_member_lacks_is_refused_and_all_can_still_commit() {
    let [alice, bob] = ["alice", "bob"].map(Device::new);
    let id = group_of(&[&alice, &bob]);
    for demand in demands() {
        for with_path in [false, true] {
            let (mut alice, mut bob) = (alice.fork(), bob.fork());
            let mut mallory = RawPeer::new("mallory");
            let bundle = alice.group(&id).add_members(vec![mallory.key_package()]).unwrap();
            deliver(&id, &alice, &bundle, &[&bob]);
            mallory.join(&bundle.welcome.unwrap(), false);
            // Herself she makes able, so that it is about the others.
            let capabilities = Capabilities::builder()
                .credentials(vec![CredentialType::Basic, CredentialType::Other(0xf0ff)])
                .proposals(vec![ProposalType::Custom(0xf0ff)])
                .build();
            let commit = mallory.try_commit(CommitParts {
                group_context_extensions: Some(demand.clone()),
                with_path,
                leaf_node: LeafNodeParameters::builder()
                    .with_capabilities(capabilities)
                    .build(),
                ..CommitParts::default()
            });
            let refusal = MlsError::MessageInvalid {
                reason: MessageReason::ProposalInvalid,
            };
            let refused = bob.group(&id).process_message(commit.unwrap());
            assert_eq!(refused.unwrap_err(), refusal);
            reload(&mut [&mut alice, &mut bob]);
            advance(&id, &bob, &[&alice]);
            advance(&id, &alice, &[&bob]);
            assert_agree(&id, &[&alice, &bob]);
        }
    }
}

#[test]
fn a_proposal_to_require_what_a_member_lacks_is_left_out_of_own_commits() {
    let ([alice, bob, carol], server, id) = served();
    // Her own leaf would do.
    let able = LeafNodeOptions {
        supported_proposals: vec![0xf0ff],
        ..LeafNodeOptions::default()
    };
    let bundle = alice.group(&id).update_leaf_node(able, None).unwrap();
    deliver(&id, &alice, &bundle, &[&bob, &carol]);
    for demand in demands() {
        let proposal = server.propose_from_outside(&id.0, alice.epoch(&id), FromOutside::Extensions(demand));
        for device in [&alice, &bob, &carol] {
            let outcome = device.receive(&id, &proposal);
            assert!(
                matches!(outcome, ProcessedMessage::Proposal { .. }),
                "{outcome:?}"
            );
        }
        let before = alice.group(&id).info().unwrap().extensions;
        let bundle = alice.group(&id).commit_to_pending_proposals().unwrap();
        deliver(&id, &alice, &bundle, &[&bob, &carol]);
        assert_agree(&id, &[&alice, &bob, &carol]);
        assert_eq!(bob.group(&id).info().unwrap().extensions, before);
    }
}
