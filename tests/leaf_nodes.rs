//! What leaves say: application id, extensions, capabilities and GREASE; kept by updates, replaced on demand, refused
//! where the others could not accept it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use common::{Device, assert_agree, deliver, group_of, reload};
use mls_mobile::{
    ArgumentReason, Credential, Extension, GroupConfig, GroupId, IdentityId, KeyPackageOptions, LeafNode,
    LeafNodeOptions, MlsError, ProcessedMessage, ProposalKind, RequiredCapabilities,
};

const EXTENSION: u16 = 0xf0e1;
const PROPOSAL: u16 = 0xf042;
const CREDENTIAL: u16 = 0xf0c1;
const LAST_RESORT: u16 = 10;
const SELF_REMOVE: u16 = 10;

/// A leaf with something of each kind.
fn full(application_id: &str) -> LeafNodeOptions {
    LeafNodeOptions {
        application_id: Some(application_id.as_bytes().to_vec()),
        extensions: vec![Extension {
            extension_type: EXTENSION,
            data: b"content".to_vec(),
        }],
        supported_extensions: vec![EXTENSION + 1],
        supported_proposals: vec![PROPOSAL],
        supported_credentials: vec![CREDENTIAL],
        ..LeafNodeOptions::default()
    }
}

fn assert_full(leaf_node: &LeafNode, application_id: &str) {
    assert_eq!(
        leaf_node.application_id.as_deref(),
        Some(application_id.as_bytes())
    );
    assert_eq!(leaf_node.extensions, full("").extensions);
    let listed = &leaf_node.capabilities;
    assert_eq!(listed.ciphersuites, [1, 3, 0x4d]);
    assert_eq!(listed.extensions, [LAST_RESORT, EXTENSION, EXTENSION + 1]);
    assert_eq!(listed.proposals, [SELF_REMOVE, PROPOSAL]);
    assert_eq!(listed.credentials, [1, 2, CREDENTIAL]);
}

fn assert_plain(leaf_node: &LeafNode) {
    assert_eq!(leaf_node.application_id, None);
    assert_eq!(leaf_node.extensions, []);
    let listed = &leaf_node.capabilities;
    assert_eq!(listed.extensions, [LAST_RESORT]);
    assert_eq!(listed.proposals, [SELF_REMOVE]);
    assert_eq!(listed.credentials, [1, 2]);
}

fn leaf(device: &Device, id: &GroupId, name: &str) -> LeafNode {
    let index = device.leaf_of(id, name);
    let mut leaves = device.group(id).leaf_nodes().unwrap().into_iter();
    leaves.find(|leaf| leaf.leaf_index == index).unwrap().leaf_node
}

fn key_package(device: &Device, leaf_node: LeafNodeOptions) -> Vec<u8> {
    let options = KeyPackageOptions {
        leaf_node: Some(leaf_node),
        ..KeyPackageOptions::default()
    };
    let client = device.client();
    let made = client.create_key_packages(device.identity.clone(), 1, Some(options));
    made.unwrap().remove(0).bytes
}

/// Alice and bob, whose leaves say everything.
fn two_full() -> (Device, Device, GroupId) {
    let [alice, bob] = ["alice", "bob"].map(Device::new);
    let id = alice.create_group_with(Some(GroupConfig {
        leaf_node: Some(full("alice")),
        ..GroupConfig::default()
    }));
    let added = alice
        .group(&id)
        .add_members(vec![key_package(&bob, full("bob"))])
        .unwrap();
    alice.group(&id).merge_pending_commit().unwrap();
    bob.join(&added.welcome.unwrap());
    (alice, bob, id)
}

fn refused(argument: &str, reason: ArgumentReason) -> MlsError {
    MlsError::InvalidArgument {
        argument: argument.to_owned(),
        reason,
    }
}

#[test]
fn every_member_sees_what_leaves_say_and_updates_keep_it() {
    let (mut alice, mut bob, id) = two_full();
    for _ in 0..2 {
        reload(&mut [&mut alice, &mut bob]);
        for device in [&alice, &bob] {
            assert_full(&leaf(device, &id, "alice"), "alice");
            assert_full(&leaf(device, &id, "bob"), "bob");
        }
        // A Commit of bob's own, and an Update of his that alice commits.
        let update = bob.group(&id).self_update(None).unwrap();
        deliver(&id, &bob, &update, &[&alice]);
        let update = bob.group(&id).propose_self_update(None).unwrap();
        alice.receive(&id, &update.proposal);
        let commit = alice.group(&id).commit_to_pending_proposals().unwrap();
        deliver(&id, &alice, &commit, &[&bob]);
    }
    assert_agree(&id, &[&alice, &bob]);
}

#[test]
fn the_clients_leaf_node_holds_where_nothing_else_is_given() {
    let [alice, bob] = ["alice", "bob"].map(Device::new);
    let client = |device: &Device| device.open_again(|config| config.leaf_node = Some(full(&device.name)));
    let group = client(&alice).create_group(alice.identity.clone(), None).unwrap();
    let id = group.id().unwrap();
    let made = client(&bob)
        .create_key_packages(bob.identity.clone(), 1, None)
        .unwrap();
    let info = alice.client().inspect_key_package(made[0].bytes.clone()).unwrap();
    assert_full(&info.leaf_node, "bob");
    let added = alice.group(&id).add_members(vec![made[0].bytes.clone()]).unwrap();
    alice.group(&id).merge_pending_commit().unwrap();
    bob.join(&added.welcome.unwrap());
    assert_full(&leaf(&bob, &id, "alice"), "alice");
    assert_full(&leaf(&alice, &id, "bob"), "bob");

    let carol = Device::new("carol");
    let info = alice.group(&id).export_group_info(true).unwrap();
    let join = client(&carol)
        .join_by_external_commit(carol.identity.clone(), info, None)
        .unwrap();
    deliver_join(&id, &carol, &join.commit, &[&alice, &bob]);
    assert_full(&leaf(&bob, &id, "carol"), "carol");
    // Without any of it a leaf says what the library supports.
    assert_plain(
        &bob.client()
            .inspect_key_package(carol.key_package())
            .unwrap()
            .leaf_node,
    );
}

fn deliver_join(id: &GroupId, joiner: &Device, commit: &[u8], others: &[&Device]) {
    for other in others {
        other.follow(id, commit);
    }
    joiner.client().confirm_external_join(id.clone()).unwrap();
}

#[test]
fn an_external_join_brings_a_leaf_of_its_own() {
    let [alice, mut bob] = ["alice", "bob"].map(Device::new);
    let id = alice.create_group();
    let join = |leaf_node: LeafNodeOptions| {
        let info = alice.group(&id).export_group_info(true).unwrap();
        let (client, identity) = (bob.client(), bob.identity.clone());
        client.join_by_external_commit_with_leaf_node(identity, info, leaf_node, None, Vec::new())
    };
    let long = LeafNodeOptions {
        application_id: Some(vec![0; (64 << 10) + 1]),
        ..LeafNodeOptions::default()
    };
    let error = join(long).unwrap_err();
    assert_eq!(error, refused("application_id", ArgumentReason::TooLong));
    let waiting = join(full("bob")).unwrap();
    bob.reload();
    deliver_join(&id, &bob, &waiting.commit, &[&alice]);
    bob.reload();
    for device in [&alice, &bob] {
        assert_full(&leaf(device, &id, "bob"), "bob");
    }
    assert_agree(&id, &[&alice, &bob]);
}

#[test]
fn a_leaf_is_replaced_by_a_commit_and_by_a_proposal() {
    let [mut alice, mut bob, carol] = ["alice", "bob", "carol"].map(Device::new);
    let id = group_of(&[&alice, &bob, &carol]);
    assert_plain(&leaf(&carol, &id, "alice"));
    let update = alice.group(&id).update_leaf_node(full("first"), None).unwrap();
    alice.reload();
    deliver(&id, &alice, &update, &[&bob, &carol]);
    let proposal = bob.group(&id).propose_leaf_node(full("second"), None).unwrap();
    bob.reload();
    for other in [&alice, &carol] {
        assert!(matches!(
            other.receive(&id, &proposal.proposal),
            ProcessedMessage::Proposal { .. }
        ));
    }
    assert_plain(&leaf(&alice, &id, "bob"));
    let commit = carol.group(&id).commit_to_pending_proposals().unwrap();
    deliver(&id, &carol, &commit, &[&alice, &bob]);
    reload(&mut [&mut alice, &mut bob]);
    for device in [&alice, &bob, &carol] {
        assert_full(&leaf(device, &id, "alice"), "first");
        assert_full(&leaf(device, &id, "bob"), "second");
    }
    // All of it is replaced, so that an empty one takes everything back.
    let update = alice
        .group(&id)
        .update_leaf_node(LeafNodeOptions::default(), None)
        .unwrap();
    deliver(&id, &alice, &update, &[&bob, &carol]);
    assert_plain(&leaf(&bob, &id, "alice"));
    assert_agree(&id, &[&alice, &bob, &carol]);
}

#[test]
fn leaf_and_identity_change_in_one_commit() {
    let (alice, bob, id) = two_full();
    let suite = mls_mobile::Ciphersuite::default();
    let other = Credential::Other {
        credential_type: CREDENTIAL,
        content: b"token".to_vec(),
    };
    let new: IdentityId = bob.client().create_identity(other.clone(), suite).unwrap().id;
    let update = bob.group(&id).update_leaf_node(full("new"), Some(new)).unwrap();
    deliver(&id, &bob, &update, &[&alice]);
    let index = bob.group(&id).info().unwrap().own_leaf_index;
    assert_eq!(
        alice.group(&id).members().unwrap()[index as usize].credential,
        other
    );
    assert_full(
        &alice.group(&id).leaf_nodes().unwrap()[index as usize].leaf_node,
        "new",
    );
    // From now on a leaf must support that type, to be with bob in a group.
    let error = alice
        .group(&id)
        .update_leaf_node(LeafNodeOptions::default(), None);
    assert_eq!(
        error.unwrap_err(),
        refused("leaf_node", ArgumentReason::Unsupported)
    );
    let update = alice.group(&id).update_leaf_node(full("still"), None).unwrap();
    deliver(&id, &alice, &update, &[&bob]);
    assert_agree(&id, &[&alice, &bob]);
}

#[test]
fn a_leaf_that_lacks_what_the_group_requires_is_not_made() {
    let [alice, bob] = ["alice", "bob"].map(Device::new);
    let id = alice.create_group_with(Some(GroupConfig {
        leaf_node: Some(full("alice")),
        required_capabilities: Some(RequiredCapabilities {
            proposals: vec![PROPOSAL],
            ..RequiredCapabilities::default()
        }),
        ..GroupConfig::default()
    }));
    let added = alice
        .group(&id)
        .add_members(vec![key_package(&bob, full("bob"))])
        .unwrap();
    alice.group(&id).merge_pending_commit().unwrap();
    bob.join(&added.welcome.unwrap());
    let unsupported = refused("leaf_node", ArgumentReason::Unsupported);
    let group = bob.group(&id);
    let plain = LeafNodeOptions::default;
    assert_eq!(group.update_leaf_node(plain(), None).unwrap_err(), unsupported);
    assert_eq!(group.propose_leaf_node(plain(), None).unwrap_err(), unsupported);
    assert_eq!(group.pending_commit().unwrap(), None);
    assert_eq!(group.pending_proposals().unwrap(), []);
}

#[test]
fn what_no_leaf_can_say_is_refused_by_every_call_that_makes_one() {
    let (alice, _bob, id) = two_full();
    let extension = |extension_type| Extension {
        extension_type,
        data: Vec::new(),
    };
    type Change = Box<dyn Fn(&mut LeafNodeOptions)>;
    let cases: Vec<(&str, ArgumentReason, Change)> = vec![
        (
            "application_id",
            ArgumentReason::TooLong,
            Box::new(|it| it.application_id = Some(vec![0; (64 << 10) + 1])),
        ),
        (
            "extensions",
            ArgumentReason::OutOfRange,
            Box::new(move |it| it.extensions = vec![extension(1)]),
        ),
        (
            "extensions",
            ArgumentReason::OutOfRange,
            Box::new(move |it| it.extensions = vec![extension(3)]),
        ),
        (
            "extensions",
            ArgumentReason::OutOfRange,
            Box::new(move |it| it.extensions = vec![extension(10)]),
        ),
        (
            "extensions",
            ArgumentReason::OutOfRange,
            Box::new(move |it| it.extensions = vec![extension(0x2a2a)]),
        ),
        (
            "extensions",
            ArgumentReason::Duplicate,
            Box::new(move |it| it.extensions = vec![extension(EXTENSION), extension(EXTENSION)]),
        ),
        (
            "supported_extensions",
            ArgumentReason::OutOfRange,
            Box::new(|it| it.supported_extensions = vec![0]),
        ),
        (
            "supported_extensions",
            ArgumentReason::OutOfRange,
            Box::new(|it| it.supported_extensions = vec![5]),
        ),
        (
            "supported_extensions",
            ArgumentReason::OutOfRange,
            Box::new(|it| it.supported_extensions = vec![0x0a0a]),
        ),
        (
            "supported_extensions",
            ArgumentReason::Duplicate,
            Box::new(|it| it.supported_extensions = vec![EXTENSION, EXTENSION]),
        ),
        (
            "supported_extensions",
            ArgumentReason::TooLong,
            Box::new(|it| it.supported_extensions = (0x8000..0x8101).collect()),
        ),
        (
            "supported_proposals",
            ArgumentReason::OutOfRange,
            Box::new(|it| it.supported_proposals = vec![1]),
        ),
        (
            "supported_proposals",
            ArgumentReason::OutOfRange,
            Box::new(|it| it.supported_proposals = vec![0xeaea]),
        ),
        (
            "supported_credentials",
            ArgumentReason::OutOfRange,
            Box::new(|it| it.supported_credentials = vec![0]),
        ),
        (
            "supported_credentials",
            ArgumentReason::OutOfRange,
            Box::new(|it| it.supported_credentials = vec![0x3a3a]),
        ),
    ];
    for (argument, reason, change) in cases {
        let mut options = full("alice");
        change(&mut options);
        let expected = refused(argument, reason);
        let group = alice.group(&id);
        assert_eq!(
            group.update_leaf_node(options.clone(), None).unwrap_err(),
            expected
        );
        assert_eq!(
            group.propose_leaf_node(options.clone(), None).unwrap_err(),
            expected
        );
        let client = alice.client();
        let config = GroupConfig {
            leaf_node: Some(options.clone()),
            ..GroupConfig::default()
        };
        let created = client.create_group(alice.identity.clone(), Some(config));
        assert_eq!(created.err(), Some(expected.clone()));
        let options = KeyPackageOptions {
            leaf_node: Some(options),
            ..KeyPackageOptions::default()
        };
        let made = client.create_key_packages(alice.identity.clone(), 1, Some(options));
        assert_eq!(made.unwrap_err(), expected);
    }
    assert_eq!(alice.client().key_packages().unwrap(), []);
    assert_eq!(alice.client().groups().unwrap().len(), 1);
}

#[test]
fn a_custom_proposal_needs_every_member_to_list_its_type_and_is_named_by_the_commit() {
    let (mut alice, mut bob, id) = two_full();
    let carol = Device::new("carol");
    assert_eq!(
        alice.group(&id).supported_by_all().unwrap().proposals,
        [SELF_REMOVE, PROPOSAL]
    );
    let added = alice.group(&id).add_members(vec![carol.key_package()]).unwrap();
    // Bob's credential is of a type that everybody supports, and carol's leaf is as good as any.
    deliver(&id, &alice, &added, &[&bob]);
    assert_eq!(
        alice.group(&id).supported_by_all().unwrap().proposals,
        [SELF_REMOVE]
    );
    let error = alice.group(&id).propose_custom(PROPOSAL, Vec::new()).unwrap_err();
    assert_eq!(error, refused("proposal_type", ArgumentReason::Unsupported));
    let removal = bob
        .group(&id)
        .remove_members(vec![bob.leaf_of(&id, "carol")])
        .unwrap();
    deliver(&id, &bob, &removal, &[&alice]);

    let proposed = alice
        .group(&id)
        .propose_custom(PROPOSAL, b"payload".to_vec())
        .unwrap();
    assert_eq!(
        alice.receive(&id, &proposed.proposal),
        ProcessedMessage::OwnMessage
    );
    let ProcessedMessage::Proposal {
        reference, summary, ..
    } = bob.receive(&id, &proposed.proposal)
    else {
        panic!("no proposal")
    };
    assert_eq!(reference, proposed.reference);
    assert_eq!(
        summary.kind,
        ProposalKind::Custom {
            proposal_type: PROPOSAL,
            payload: b"payload".to_vec(),
        }
    );
    reload(&mut [&mut alice, &mut bob]);
    let bundle = bob.group(&id).commit_to_pending_proposals().unwrap();
    let merged = bob.group(&id).merge_pending_commit().unwrap().summary;
    let (followed, _) = alice.follow(&id, &bundle.commit);
    for summary in [merged, followed] {
        let custom = &summary.custom[0];
        assert_eq!((custom.leaf_index, custom.proposal_type), (Some(0), PROPOSAL));
        assert_eq!(custom.payload, b"payload");
    }
    assert_agree(&id, &[&alice, &bob]);
}
