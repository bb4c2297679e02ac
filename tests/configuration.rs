//! What a group's creator decides for all of it, how long leaves may live, and what a configuration may not say.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use common::{
    Device, assert_agree, basic, deliver,
    raw::{FromOutside, RawPeer},
    reload,
};
use mls_mobile::{
    ArgumentReason, Ciphersuite, Extension, ExternalSender, GroupConfig, GroupId, GroupInfoReason,
    IdentityId, KeyPackageOptions, KeyPackageReason, LeafNodeOptions, Lifetimes, MlsClient, MlsError,
    ProcessedMessage, RequiredCapabilities, WelcomeReason, default_ciphersuite,
};

const EXTENSION: u16 = 0xf0e1;
const PROPOSAL: u16 = 0xf042;
const DAY: u64 = 24 * 60 * 60;

fn refused<T>(argument: &str, reason: ArgumentReason) -> Result<T, MlsError> {
    Err(MlsError::InvalidArgument {
        argument: argument.to_owned(),
        reason,
    })
}

fn able() -> LeafNodeOptions {
    LeafNodeOptions {
        supported_extensions: vec![EXTENSION],
        supported_proposals: vec![PROPOSAL],
        ..LeafNodeOptions::default()
    }
}

fn room(data: &[u8]) -> Extension {
    Extension {
        extension_type: EXTENSION,
        data: data.to_vec(),
    }
}

/// A group whose members must support a custom extension, which it has, and a custom proposal.
fn demanding() -> GroupConfig {
    GroupConfig {
        leaf_node: Some(able()),
        required_capabilities: Some(RequiredCapabilities {
            proposals: vec![PROPOSAL],
            ..RequiredCapabilities::default()
        }),
        extensions: vec![room(b"the room")],
        ..GroupConfig::default()
    }
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

fn create(device: &Device, config: GroupConfig) -> Result<GroupId, MlsError> {
    let group = device
        .client()
        .create_group(device.identity.clone(), Some(config))?;
    group.id()
}

#[test]
fn a_group_begins_with_its_extensions_requirements_and_external_senders() {
    let (mut alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let server = RawPeer::new("server");
    let sender = ExternalSender {
        signature_key: server.signature_key(),
        credential: basic("server"),
    };
    let config = GroupConfig {
        external_senders: vec![sender.clone()],
        ..demanding()
    };
    let id = create(&alice, config).unwrap();
    let added = alice
        .group(&id)
        .add_members(vec![key_package(&bob, able())])
        .unwrap();
    alice.group(&id).merge_pending_commit().unwrap();
    bob.join(&added.welcome.unwrap());
    reload(&mut [&mut alice, &mut bob]);
    for device in [&alice, &bob] {
        let group = device.group(&id);
        assert_eq!(group.external_senders().unwrap(), std::slice::from_ref(&sender));
        let held = group.info().unwrap().extensions;
        assert!(held.contains(&room(b"the room")), "{held:?}");
        // One extension type, one proposal type, no credential type (RFC 9420, section 11.1).
        let required = Extension {
            extension_type: 3,
            data: vec![2, 0xf0, 0xe1, 2, 0xf0, 0x42, 0],
        };
        assert!(held.contains(&required), "{held:?}");
    }
    let proposal = server.propose_from_outside(&id.0, alice.epoch(&id), FromOutside::Remove(1));
    assert!(matches!(
        alice.receive(&id, &proposal),
        ProcessedMessage::Proposal { .. }
    ));
    alice.group(&id).clear_pending_proposals().unwrap();

    // What it began with is a list to go on from.
    let mut extensions = alice.group(&id).info().unwrap().extensions;
    extensions.retain(|extension| extension.extension_type != EXTENSION);
    extensions.push(room(b"another name"));
    let bundle = alice
        .group(&id)
        .update_group_context_extensions(extensions)
        .unwrap();
    deliver(&id, &alice, &bundle, &[&bob]);
    assert!(
        bob.group(&id)
            .info()
            .unwrap()
            .extensions
            .contains(&room(b"another name"))
    );
    assert_agree(&id, &[&alice, &bob]);
}

#[test]
fn a_creator_must_meet_what_it_requires() {
    let alice = Device::new("alice");
    let plain = |config: GroupConfig| GroupConfig {
        leaf_node: None,
        ..config
    };
    let only_required = GroupConfig {
        extensions: Vec::new(),
        ..demanding()
    };
    let unsupported = ArgumentReason::Unsupported;
    assert_eq!(
        create(&alice, plain(only_required)),
        refused("required_capabilities", unsupported)
    );
    assert_eq!(
        create(&alice, plain(demanding())),
        refused("extensions", unsupported)
    );
    assert_eq!(alice.client().groups().unwrap(), []);
    let by_credential = GroupConfig {
        required_capabilities: Some(RequiredCapabilities {
            credentials: vec![0xf0c1],
            ..RequiredCapabilities::default()
        }),
        ..GroupConfig::default()
    };
    assert_eq!(
        create(&alice, by_credential),
        refused("required_capabilities", unsupported)
    );
    create(&alice, demanding()).unwrap();
}

#[test]
fn who_lacks_what_is_required_is_not_added_and_does_not_join() {
    let (alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let id = create(&alice, demanding()).unwrap();
    let lacking = LeafNodeOptions {
        supported_extensions: Vec::new(),
        ..able()
    };
    for leaf_node in [LeafNodeOptions::default(), lacking.clone()] {
        let expected = MlsError::KeyPackageInvalid {
            reason: KeyPackageReason::CapabilitiesInsufficient,
        };
        let package = key_package(&bob, leaf_node);
        let group = alice.group(&id);
        assert_eq!(group.add_members(vec![package.clone()]).unwrap_err(), expected);
        assert_eq!(group.propose_add(package).unwrap_err(), expected);
    }
    let info = alice.group(&id).export_group_info(true).unwrap();
    let unsupported = MlsError::GroupInfoInvalid {
        reason: GroupInfoReason::UnsupportedFeature,
    };
    let join = |client: &MlsClient, identity: IdentityId| {
        client.join_by_external_commit(identity, info.clone(), None)
    };
    let without_proposal = LeafNodeOptions {
        supported_proposals: Vec::new(),
        ..able()
    };
    for leaf_node in [LeafNodeOptions::default(), lacking, without_proposal] {
        let client = bob.open_again(|config| config.leaf_node = Some(leaf_node));
        assert_eq!(join(&client, bob.identity.clone()).unwrap_err(), unsupported);
    }
    assert_eq!(bob.client().pending_external_join(id.clone()).unwrap(), None);
    let client = bob.open_again(|config| config.leaf_node = Some(able()));
    let waiting = join(&client, bob.identity.clone()).unwrap();
    alice.follow(&id, &waiting.commit);
    bob.reload();
    bob.client().confirm_external_join(id.clone()).unwrap();
    assert_agree(&id, &[&alice, &bob]);
}

#[test]
fn a_welcome_to_a_group_that_requires_more_is_refused_and_its_key_package_stays() {
    // This inviter does not look at what it adds.
    let mut peer = RawPeer::new("peer");
    let bob = Device::new("bob");
    let package = bob.key_package();
    let reference = bob.client().key_packages().unwrap().remove(0).reference;
    peer.create_group();
    let welcome = peer.add_and_require(&package, PROPOSAL);
    let expected = MlsError::WelcomeInvalid {
        reason: WelcomeReason::UnsupportedFeature,
    };
    assert_eq!(
        bob.client().inspect_welcome(welcome.clone(), None).unwrap_err(),
        expected
    );
    let error = bob.client().join_from_welcome(welcome, None).err();
    assert_eq!(error, Some(expected));
    assert_eq!(bob.client().key_packages().unwrap()[0].reference, reference);
}

#[test]
fn a_commit_does_not_add_who_lacks_what_it_begins_to_require() {
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(Device::new);
    let id = create(
        &alice,
        GroupConfig {
            leaf_node: Some(able()),
            ..GroupConfig::default()
        },
    )
    .unwrap();
    let added = alice
        .group(&id)
        .add_members(vec![key_package(&bob, able())])
        .unwrap();
    alice.group(&id).merge_pending_commit().unwrap();
    bob.join(&added.welcome.unwrap());
    let demands = vec![Extension {
        extension_type: 3,
        data: vec![0, 2, 0xf0, 0x42, 0],
    }];
    // Bob proposes the requirement; alice wants to add carol in the same Commit. The proposal is left out.
    let proposed = bob
        .group(&id)
        .propose_group_context_extensions(demands.clone())
        .unwrap();
    alice.receive(&id, &proposed.proposal);
    let bundle = alice.group(&id).add_members(vec![carol.key_package()]).unwrap();
    deliver(&id, &alice, &bundle, &[&bob]);
    assert_eq!(alice.group(&id).info().unwrap().extensions, []);
    carol.join(&bundle.welcome.unwrap());
    assert_agree(&id, &[&alice, &bob, &carol]);
    // Bob proposes to add dave; alice wants the requirement, and carol is in the way of it now.
    let error = alice.group(&id).update_group_context_extensions(demands.clone());
    assert_eq!(
        error.unwrap_err(),
        refused::<()>("extensions", ArgumentReason::Unsupported).unwrap_err()
    );
    let removal = alice
        .group(&id)
        .remove_members(vec![alice.leaf_of(&id, "carol")])
        .unwrap();
    deliver(&id, &alice, &removal, &[&bob]);
    let dave = Device::new("dave");
    let proposed = bob.group(&id).propose_add(dave.key_package()).unwrap();
    alice.receive(&id, &proposed.proposal);
    let bundle = alice
        .group(&id)
        .update_group_context_extensions(demands.clone())
        .unwrap();
    deliver(&id, &alice, &bundle, &[&bob]);
    assert_eq!(bob.member_names(&id), ["alice", "bob"]);
    assert_eq!(bob.group(&id).info().unwrap().extensions, demands);
    assert_agree(&id, &[&alice, &bob]);
}

#[test]
fn what_a_group_cannot_begin_with_is_refused() {
    let alice = Device::new("alice");
    let extension = |extension_type| Extension {
        extension_type,
        data: Vec::new(),
    };
    let sender = |length| ExternalSender {
        signature_key: vec![1; length],
        credential: basic("server"),
    };
    let out_of_range = ArgumentReason::OutOfRange;
    for kind in [1, 2, 3, 4, 5, 10, 0x1a1a] {
        let config = GroupConfig {
            extensions: vec![extension(kind)],
            ..demanding()
        };
        assert_eq!(
            create(&alice, config),
            refused("extensions", out_of_range),
            "{kind}"
        );
    }
    let config = GroupConfig {
        extensions: vec![room(b"one"), room(b"two")],
        ..demanding()
    };
    assert_eq!(
        create(&alice, config),
        refused("extensions", ArgumentReason::Duplicate)
    );
    let config = GroupConfig {
        extensions: vec![room(&vec![0; (1 << 20) + 1])],
        ..demanding()
    };
    assert_eq!(
        create(&alice, config),
        refused("extensions", ArgumentReason::TooLong)
    );
    let required = |extensions: &[u16], proposals: &[u16], credentials: &[u16]| GroupConfig {
        required_capabilities: Some(RequiredCapabilities {
            extensions: extensions.to_vec(),
            proposals: proposals.to_vec(),
            credentials: credentials.to_vec(),
        }),
        ..demanding()
    };
    for (config, reason) in [
        (required(&[1], &[], &[]), out_of_range),
        (required(&[0x2a2a], &[], &[]), out_of_range),
        (required(&[], &[7], &[]), out_of_range),
        (required(&[], &[0x2a2a], &[]), out_of_range),
        (required(&[], &[], &[0]), out_of_range),
        (
            required(&[], &[PROPOSAL, PROPOSAL], &[]),
            ArgumentReason::Duplicate,
        ),
    ] {
        assert_eq!(create(&alice, config), refused("required_capabilities", reason));
    }
    let config = GroupConfig {
        external_senders: vec![sender(31)],
        ..demanding()
    };
    assert_eq!(
        create(&alice, config),
        refused("external_senders", ArgumentReason::WrongLength)
    );
    assert_eq!(alice.client().groups().unwrap(), []);
}

#[test]
fn configure_refuses_what_holds_from_the_creation_on() {
    let alice = Device::new("alice");
    let id = alice.create_group();
    let before = alice.group(&id).info().unwrap();
    type Change = fn(&mut GroupConfig);
    let changes: [(&str, Change); 6] = [
        ("group_id", |config| config.group_id = Some(GroupId(vec![1]))),
        ("leaf_node", |config| {
            config.leaf_node = Some(LeafNodeOptions::default())
        }),
        ("lifetime_seconds", |config| config.lifetime_seconds = Some(DAY)),
        ("required_capabilities", |config| {
            config.required_capabilities = Some(RequiredCapabilities::default());
        }),
        ("extensions", |config| config.extensions = vec![room(b"")]),
        ("external_senders", |config| {
            config.external_senders = vec![ExternalSender {
                signature_key: vec![1; 32],
                credential: basic("server"),
            }];
        }),
    ];
    for (argument, change) in changes {
        let mut config = GroupConfig {
            max_past_epochs: 0,
            ..GroupConfig::default()
        };
        change(&mut config);
        let expected = refused(argument, ArgumentReason::OnlyAtCreation);
        assert_eq!(alice.group(&id).configure(config), expected);
    }
    assert_eq!(alice.group(&id).info().unwrap(), before);
}

#[test]
fn the_clients_defaults_hold_for_groups_created_without_a_configuration() {
    let alice = Device::new("alice");
    let client = alice.open_again(|config| config.group_defaults = Some(demanding()));
    let group = client.create_group(alice.identity.clone(), None).unwrap();
    assert!(group.info().unwrap().extensions.contains(&room(b"the room")));
    assert_eq!(group.supported_by_all().unwrap().proposals, [10, PROPOSAL]);
    // A configuration of the group's own replaces them whole.
    let config = Some(GroupConfig::default());
    let group = client.create_group(alice.identity.clone(), config).unwrap();
    assert_eq!(group.info().unwrap().extensions, []);
}

fn open(device: &Device, change: impl FnOnce(&mut mls_mobile::ClientConfig)) -> Option<MlsError> {
    let mut config = mls_mobile::ClientConfig::new(device.path().to_str().unwrap(), device.key);
    change(&mut config);
    MlsClient::open(config, None, None).err()
}

#[test]
fn a_client_does_not_open_with_defaults_that_no_group_could_have() {
    let alice = Device::new("alice");
    let lifetimes = |maximum_lifetime_seconds, clock_skew_seconds| Lifetimes {
        maximum_lifetime_seconds,
        clock_skew_seconds,
    };
    let error = |argument, reason| refused::<()>(argument, reason).err();
    let out_of_range = ArgumentReason::OutOfRange;
    for (maximum, skew, argument) in [
        (3600, 3600, "maximum_lifetime_seconds"),
        (3661 * DAY, 0, "maximum_lifetime_seconds"),
        (366 * DAY, DAY + 1, "clock_skew_seconds"),
    ] {
        let found = open(&alice, |config| config.lifetimes = Some(lifetimes(maximum, skew)));
        assert_eq!(found, error(argument, out_of_range));
    }
    let leaf_node = LeafNodeOptions {
        supported_proposals: vec![1],
        ..LeafNodeOptions::default()
    };
    let found = open(&alice, |config| config.leaf_node = Some(leaf_node));
    assert_eq!(found, error("supported_proposals", out_of_range));
    let defaults = GroupConfig {
        group_id: Some(GroupId(vec![1])),
        ..GroupConfig::default()
    };
    let found = open(&alice, |config| config.group_defaults = Some(defaults));
    assert_eq!(found, error("group_id", ArgumentReason::OnlyAtCreation));
    let defaults = GroupConfig {
        extensions: vec![room(b"one"), room(b"two")],
        ..GroupConfig::default()
    };
    let found = open(&alice, |config| config.group_defaults = Some(defaults));
    assert_eq!(found, error("extensions", ArgumentReason::Duplicate));
    assert_eq!(open(&alice, |_| ()), None);
}

#[test]
fn lifetimes_are_made_and_accepted_up_to_the_clients_maximum() {
    let [alice, bob] = ["alice", "bob"].map(Device::new);
    let short = Lifetimes {
        maximum_lifetime_seconds: 10 * DAY,
        clock_skew_seconds: 600,
    };
    let client = alice.open_again(|config| config.lifetimes = Some(short));
    let options = |lifetime_seconds| {
        Some(KeyPackageOptions {
            lifetime_seconds,
            ..KeyPackageOptions::default()
        })
    };
    let most = 10 * DAY - 600;
    let made = client
        .create_key_packages(alice.identity.clone(), 1, options(most))
        .unwrap();
    assert_eq!(made[0].not_after - made[0].not_before, 10 * DAY);
    let error = client.create_key_packages(alice.identity.clone(), 1, options(most + 1));
    assert_eq!(error, refused("lifetime_seconds", ArgumentReason::OutOfRange));
    let lasting = |lifetime_seconds| {
        Some(GroupConfig {
            lifetime_seconds: Some(lifetime_seconds),
            ..GroupConfig::default()
        })
    };
    let error = client
        .create_group(alice.identity.clone(), lasting(most + 1))
        .err();
    assert_eq!(
        error,
        refused::<()>("lifetime_seconds", ArgumentReason::OutOfRange).err()
    );
    let group = client
        .create_group(alice.identity.clone(), lasting(most))
        .unwrap();

    // Bob's packages live for twelve weeks.
    let package = bob.key_package();
    let unacceptable = MlsError::KeyPackageInvalid {
        reason: KeyPackageReason::LifetimeUnacceptable,
    };
    assert_eq!(
        client.inspect_key_package(package.clone()).unwrap_err(),
        unacceptable
    );
    assert_eq!(
        group.add_members(vec![package.clone()]).unwrap_err(),
        unacceptable
    );
    assert_eq!(group.propose_add(package.clone()).unwrap_err(), unacceptable);
    alice.client().inspect_key_package(package).unwrap();
}

#[test]
fn the_default_suite_is_3_and_groups_live_in_all_three() {
    assert_eq!(default_ciphersuite().unwrap(), Ciphersuite::default());
    for (suite, number) in [
        (Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519, 1),
        (Ciphersuite::default(), 3),
        (Ciphersuite::MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519, 0x4d),
    ] {
        let [mut alice, mut bob, carol] =
            ["alice", "bob", "carol"].map(|name| Device::with_suite(name, suite));
        let id = create(&alice, demanding()).unwrap();
        let added = alice
            .group(&id)
            .add_members(vec![key_package(&bob, able())])
            .unwrap();
        alice.group(&id).merge_pending_commit().unwrap();
        bob.join(&added.welcome.unwrap());
        reload(&mut [&mut alice, &mut bob]);
        assert!(
            bob.group(&id)
                .supported_by_all()
                .unwrap()
                .ciphersuites
                .contains(&number)
        );
        let client = carol.open_again(|config| config.leaf_node = Some(able()));
        let info = bob.group(&id).export_group_info(true).unwrap();
        let join = client
            .join_by_external_commit(carol.identity.clone(), info, None)
            .unwrap();
        alice.follow(&id, &join.commit);
        bob.follow(&id, &join.commit);
        client.confirm_external_join(id.clone()).unwrap();
        let update = bob.group(&id).update_leaf_node(able(), None).unwrap();
        deliver(&id, &bob, &update, &[&alice, &carol]);
        assert_eq!(alice.read(&id, &carol.send(&id, "hello")), "hello");
        assert_agree(&id, &[&alice, &bob, &carol]);
    }
}
