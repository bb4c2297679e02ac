//! Bytes from outside, damaged in thousands of ways: each gets a typed error or an expected outcome, never a
//! panic
//! and never `Internal`, nothing is stored, and the original still works afterwards.
//!
//! The seeds are fixed, so that a failure can be repeated.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;
mod mutations;

use std::sync::Arc;

use common::{Device, assert_agree, basic, group_of, raw::RawPeer};
use mls_mobile::{
    CallbackError, ClientConfig, Credential, CredentialValidator, EarlyLimits, Extension, GroupConfig,
    GroupId, KeyPackageRef, MlsClient, MlsError, MlsGroup, ProcessedMessage, ValidationRequest,
};
use mutations::mutations;

/// Mutations of each message with chance in them; cuts and foreign messages come on top.
const RANDOM: usize = 2000;

fn is_malformed(error: &MlsError) -> bool {
    matches!(
        error,
        MlsError::MessageMalformed
            | MlsError::InvalidArgument { .. }
            | MlsError::UnsupportedCiphersuite { .. }
    )
}

fn is_bad_key_package(error: &MlsError) -> bool {
    is_malformed(error) || matches!(error, MlsError::KeyPackageInvalid { .. })
}

fn is_bad_welcome(error: &MlsError) -> bool {
    is_malformed(error) || matches!(error, MlsError::WelcomeInvalid { .. })
}

/// An answer to a message that is not what its sender sent: refused, or known for something that stores
/// nothing.
fn is_harmless(answer: &Result<ProcessedMessage, MlsError>) -> bool {
    match answer {
        Ok(outcome) => matches!(
            outcome,
            ProcessedMessage::Duplicate | ProcessedMessage::Stale { .. } | ProcessedMessage::OwnMessage
        ),
        Err(error) => {
            is_malformed(error)
                || matches!(
                    error,
                    MlsError::MessageInvalid { .. } | MlsError::WrongEpoch { .. } | MlsError::EarlyBufferFull
                )
        }
    }
}

/// One message of each kind: what a delivery service could hand out by mistake.
fn one_of_each_kind() -> Vec<Vec<u8>> {
    let (alice, bob) = (Device::new("another alice"), Device::new("another bob"));
    let id = alice.create_group();
    let key_package = bob.key_package();
    let bundle = alice.group(&id).add_members(vec![key_package.clone()]).unwrap();
    alice.group(&id).merge_pending_commit().unwrap();
    vec![
        key_package,
        bundle.commit,
        bundle.welcome.unwrap(),
        bundle.group_info.unwrap(),
        alice.send(&id, "to another group"),
    ]
}

/// Feeds every mutation of `original` to `call`, and asserts that nothing is stored.
fn feed(what: &str, device: &Device, original: &[u8], call: impl Fn(Vec<u8>) -> Result<(), String>) {
    let before = device.dump();
    let inputs = mutations(original, &one_of_each_kind(), RANDOM);
    assert!(inputs.len() > RANDOM, "{what}: only {} inputs", inputs.len());
    for (how, input) in inputs {
        if input != original {
            call(input).unwrap_or_else(|answer| panic!("{what}, {how}: {answer}"));
        }
    }
    assert!(before == device.dump(), "{what}: something was stored");
}

/// The first message that does not decrypt is remembered, and only the first.
fn raise_suspicion(group: &MlsGroup, original: &[u8]) {
    for (_, input) in mutations(original, &one_of_each_kind(), RANDOM) {
        if input != original {
            assert!(is_harmless(&group.process_message(input)));
        }
        if group.info().unwrap().fork_suspected {
            return;
        }
    }
}

/// Feeds a group mutations of a message that it has not processed yet.
fn feed_group(what: &str, device: &Device, id: &GroupId, original: &[u8]) {
    // Damage may make an epoch later: without room to keep anything, nothing may be stored.
    let nothing_early = |config: &mut ClientConfig| {
        config.early_limits = Some(EarlyLimits {
            messages: 0,
            ..EarlyLimits::default()
        });
    };
    let group: Arc<MlsGroup> = device.open_again(nothing_early).group(id.clone()).unwrap();
    raise_suspicion(&group, original);
    let before = group.info().unwrap();
    feed(what, device, original, |input| {
        let answer = group.process_message(input);
        is_harmless(&answer).then_some(()).ok_or(format!("{answer:?}"))
    });
    assert_eq!(group.info().unwrap(), before, "{what}");
}

fn refused<T>(answer: Result<T, MlsError>, expected: fn(&MlsError) -> bool) -> Result<(), String> {
    match answer {
        Ok(_) => Err("accepted".to_owned()),
        Err(error) if expected(&error) => Ok(()),
        Err(error) => Err(format!("{error:?}")),
    }
}

#[test]
fn damaged_messages_are_refused_and_the_original_is_still_read() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let message = alice.send(&id, "hello");
    feed_group("application message", &bob, &id, &message);
    assert_eq!(bob.read(&id, &message), "hello");
}

fn damaged_commits(public_handshakes: bool) {
    let (alice, bob, carol) = (Device::new("alice"), Device::new("bob"), Device::new("carol"));
    let id = group_of(&[&alice, &bob]);
    alice
        .group(&id)
        .configure(GroupConfig {
            public_handshakes,
            ..GroupConfig::default()
        })
        .unwrap();
    let bundle = alice.group(&id).add_members(vec![carol.key_package()]).unwrap();
    feed_group("Commit", &bob, &id, &bundle.commit);
    common::deliver(&id, &alice, &bundle, &[&bob]);
    assert_agree(&id, &[&alice, &bob]);
    // Its epoch is over: whatever is done to it, it stays without effect.
    feed_group("old Commit", &bob, &id, &bundle.commit);
}

#[test]
fn damaged_private_commits_are_refused_and_the_original_is_still_merged() {
    damaged_commits(false);
}

#[test]
fn damaged_public_commits_are_refused_and_the_original_is_still_merged() {
    damaged_commits(true);
}

#[test]
fn a_damaged_echo_of_the_own_commit_is_refused_and_the_original_is_still_merged() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let config = GroupConfig {
        public_handshakes: true,
        ..GroupConfig::default()
    };
    alice.group(&id).configure(config).unwrap();
    let commit = alice.group(&id).self_update(None).unwrap().commit;
    feed_group("own Commit", &alice, &id, &commit);
    let outcome = alice.receive(&id, &commit);
    assert!(
        matches!(outcome, ProcessedMessage::OwnCommit { .. }),
        "{outcome:?}"
    );
}

#[test]
fn damaged_proposals_are_refused_and_the_original_is_still_queued() {
    let (alice, bob, carol) = (Device::new("alice"), Device::new("bob"), Device::new("carol"));
    let id = group_of(&[&alice, &bob, &carol]);
    for public in [false, true] {
        let device = alice.fork();
        let mut raw = RawPeer::new("raw");
        let bundle = device.group(&id).add_members(vec![raw.key_package()]).unwrap();
        device.group(&id).merge_pending_commit().unwrap();
        raw.join(&bundle.welcome.unwrap(), public);
        let proposal = raw.propose_remove(device.leaf_of(&id, "carol"));
        feed_group("proposal", &device, &id, &proposal);
        let outcome = device.receive(&id, &proposal);
        assert!(
            matches!(outcome, ProcessedMessage::Proposal { .. }),
            "{outcome:?}"
        );
    }
}

#[test]
fn damaged_welcomes_are_refused_and_the_original_can_still_be_joined() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = alice.create_group();
    let bundle = alice.group(&id).add_members(vec![bob.key_package()]).unwrap();
    alice.group(&id).merge_pending_commit().unwrap();
    let welcome = bundle.welcome.unwrap();
    let client: &MlsClient = bob.client();
    feed("inspect_welcome", &bob, &welcome, |input| {
        refused(client.inspect_welcome(input, None), is_bad_welcome)
    });
    feed("join_from_welcome", &bob, &welcome, |input| {
        refused(client.join_from_welcome(input, None), is_bad_welcome)
    });
    client.join_from_welcome(welcome, None).unwrap();
    assert_agree(&id, &[&alice, &bob]);
}

#[test]
fn damaged_ratchet_trees_are_refused_and_the_original_can_still_be_joined_with() {
    let bob = Device::new("bob");
    let (welcome, tree) = RawPeer::new("raw").invite(&bob.key_package());
    let client: &MlsClient = bob.client();
    feed("ratchet_tree", &bob, &tree, |input| {
        refused(
            client.inspect_welcome(welcome.clone(), Some(input.clone())),
            is_bad_welcome,
        )?;
        refused(
            client.join_from_welcome(welcome.clone(), Some(input)),
            is_bad_welcome,
        )
    });
    let group = client.join_from_welcome(welcome, Some(tree)).unwrap();
    assert_eq!(group.members().unwrap().len(), 2);
}

fn is_bad_group_info(error: &MlsError) -> bool {
    // Another group's GroupInfo is a good one, and the validator's to refuse.
    is_malformed(error)
        || matches!(
            error,
            MlsError::GroupInfoInvalid { .. } | MlsError::CredentialRejected
        )
}

/// Lets this device into alice's groups only.
struct AliceOnly;

impl CredentialValidator for AliceOnly {
    fn validate(&self, request: ValidationRequest) -> Result<bool, CallbackError> {
        let ValidationRequest::ExternalJoin { members, .. } = request else {
            return Ok(true);
        };
        Ok(members[0].credential == basic("alice"))
    }
}

#[test]
fn damaged_group_infos_are_refused_and_the_original_can_still_be_joined_with() {
    let (alice, bob) = (
        Device::new("alice"),
        Device::with_validator("bob", Arc::new(AliceOnly)),
    );
    let id = alice.create_group();
    let group_info = alice.group(&id).export_group_info(true).unwrap();
    let client: &MlsClient = bob.client();
    feed("join_by_external_commit", &bob, &group_info, |input| {
        let answer = client.join_by_external_commit(bob.identity.clone(), input, None);
        refused(answer, is_bad_group_info)
    });
    let bare = alice.group(&id).export_group_info(false).unwrap();
    let tree = alice.group(&id).export_ratchet_tree().unwrap();
    feed("ratchet_tree of a GroupInfo", &bob, &tree, |input| {
        let answer = client.join_by_external_commit(bob.identity.clone(), bare.clone(), Some(input));
        refused(answer, is_bad_group_info)
    });
    let join = client
        .join_by_external_commit(bob.identity.clone(), bare, Some(tree))
        .unwrap();
    alice.receive(&id, &join.commit);
    client.confirm_external_join(id.clone()).unwrap();
    assert_agree(&id, &[&alice, &bob]);
}

/// A waiting join makes more messages welcome: none of them may be damaged either.
#[test]
fn a_damaged_echo_of_an_external_join_is_refused_and_the_original_still_confirms_it() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let group_info = alice.group(&id).export_group_info(true).unwrap();
    let join = bob
        .client()
        .join_by_external_commit(bob.identity.clone(), group_info, None)
        .unwrap();
    feed_group("external Commit", &bob, &id, &join.commit);
    let outcome = bob.receive(&id, &join.commit);
    assert!(
        matches!(outcome, ProcessedMessage::OwnCommit { .. }),
        "{outcome:?}"
    );
}

#[test]
fn damaged_key_packages_are_refused_and_the_original_can_still_be_added() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = alice.create_group();
    let (client, group) = (alice.client(), alice.group(&id));
    let key_package = bob.key_package();
    feed("inspect_key_package", &alice, &key_package, |input| {
        match client.inspect_key_package(input) {
            // Another device's key package is a good one.
            Ok(info) if info.credential == basic("another bob") => Ok(()),
            answer => refused(answer, is_bad_key_package),
        }
    });
    feed("add_members", &alice, &key_package, |input| {
        if client.inspect_key_package(input.clone()).is_ok() {
            return Ok(());
        }
        refused(group.propose_add(input.clone()), is_bad_key_package)?;
        // With a good one in front, which must not be added either.
        let answer = group.add_members(vec![key_package.clone(), input]);
        refused(answer, is_bad_key_package)
    });
    group.add_members(vec![key_package]).unwrap();
}

/// A chain is opaque to MLS, so that a peer can put anything there.
#[test]
fn a_certificate_chain_that_does_not_parse_is_shown_as_it_came() {
    let alice = Device::new("alice");
    let id = alice.create_group();
    // The first says that 32 bytes follow, the second that its length has a reserved form.
    for content in [&[0x20, 1][..], &[0xff, 0, 0]] {
        let raw = RawPeer::with_credential(openmls::prelude::Credential::new(
            openmls::prelude::CredentialType::X509,
            content.to_vec(),
        ));
        let info = alice.client().inspect_key_package(raw.key_package()).unwrap();
        let expected = Credential::Other {
            credential_type: 2,
            content: content.to_vec(),
        };
        assert_eq!(info.credential, expected);
        alice.group(&id).add_members(vec![raw.key_package()]).unwrap();
        alice.group(&id).merge_pending_commit().unwrap();
        let members = alice.group(&id).members().unwrap();
        assert_eq!(members.last().unwrap().credential, expected);
    }
}

#[test]
fn message_info_of_damaged_messages_answers_or_refuses() {
    let alice = Device::new("alice");
    for original in one_of_each_kind() {
        feed("message_info", &alice, &original, |input| {
            let answer = alice.client().message_info(input);
            answer.map_or_else(|error| refused::<()>(Err(error), is_malformed), |_| Ok(()))
        });
    }
}

#[test]
fn references_and_group_ids_of_any_bytes_get_a_typed_answer() {
    let alice = Device::new("alice");
    alice.key_package();
    let package = alice.client().key_packages().unwrap().remove(0);
    feed("delete_key_package", &alice, &package.reference.0, |input| {
        let answer = alice.client().delete_key_package(KeyPackageRef(input));
        refused(answer, |error| *error == MlsError::KeyPackageNotFound)
    });
    feed("group", &alice, &package.reference.0, |input| {
        refused(alice.client().group(GroupId(input)), |error| {
            *error == MlsError::GroupNotFound
        })
    });
    alice.client().delete_key_package(package.reference).unwrap();

    for length in [0, 1, 31, 255, 256, 1000, 1 << 20] {
        let id = GroupId(vec![0xff; length]);
        let config = GroupConfig {
            group_id: Some(id.clone()),
            ..GroupConfig::default()
        };
        let created = alice.client().create_group(alice.identity.clone(), Some(config));
        if (1..=255).contains(&length) {
            assert_eq!(created.unwrap().id().unwrap(), id);
            assert_eq!(alice.epoch(&id), 0);
        } else {
            let error = created.err();
            assert!(
                matches!(error, Some(MlsError::InvalidArgument { .. })),
                "{length}: {error:?}"
            );
        }
    }
}

#[test]
fn damaged_extensions_are_refused_or_decode() {
    let alice = Device::new("alice");
    let id = alice.create_group();
    let group = alice.group(&id);
    // What decodes all the same is stopped by the Commit that waits, so that nothing is stored.
    group.self_update(None).unwrap();
    let expected = |error: &MlsError| match error {
        MlsError::InvalidArgument { argument, .. } => argument == "extensions",
        error => *error == MlsError::PendingCommitExists,
    };
    let senders = RawPeer::new("server").as_external_sender();
    for (extension_type, original) in [(3, vec![2, 0, 10, 2, 0, 10, 2, 0, 1]), (5, senders)] {
        feed("extension", &alice, &original, |data| {
            let extensions = vec![Extension { extension_type, data }];
            refused(
                group.propose_group_context_extensions(extensions.clone()),
                expected,
            )?;
            refused(group.update_group_context_extensions(extensions), expected)
        });
    }
}

#[test]
fn inputs_beyond_their_limit_are_refused_unread() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let (client, group) = (alice.client(), alice.group(&id));
    let message = bob.send(&id, "hello");
    let oversized = |bytes: &[u8], length: usize| [bytes, &vec![0; length]].concat();
    let too_long = |answer: Result<(), MlsError>, argument: &str| match answer {
        Err(MlsError::InvalidArgument { argument: found, .. }) => assert_eq!(found, argument),
        other => panic!("{argument}: {other:?}"),
    };
    let large = oversized(&message, 32 << 20);
    too_long(group.process_message(large.clone()).map(drop), "message");
    too_long(client.message_info(large.clone()).map(drop), "message");
    too_long(client.inspect_welcome(large.clone(), None).map(drop), "welcome");
    too_long(client.join_from_welcome(large.clone(), None).map(drop), "welcome");
    too_long(
        client
            .join_by_external_commit(alice.identity.clone(), large.clone(), None)
            .map(drop),
        "group_info",
    );
    let info = group.export_group_info(false).unwrap();
    too_long(
        client
            .join_by_external_commit(alice.identity.clone(), info, Some(large))
            .map(drop),
        "ratchet_tree",
    );
    let large = oversized(&bob.key_package(), 256 << 10);
    too_long(client.inspect_key_package(large.clone()).map(drop), "key_package");
    too_long(group.propose_add(large.clone()).map(drop), "key_package");
    too_long(
        group.swap_members(vec![0], vec![large.clone()]).map(drop),
        "key_package",
    );
    too_long(group.add_members(vec![large]).map(drop), "key_package");
    too_long(
        group
            .create_message(vec![0; (16 << 20) + 1], Vec::new())
            .map(drop),
        "plaintext",
    );
    too_long(
        group.create_message(Vec::new(), vec![0; (1 << 20) + 1]).map(drop),
        "authenticated_data",
    );
    assert_eq!(alice.read(&id, &message), "hello");
}
