//! Invitations: looked at without a trace, joined once; and their groups, listed, set and deleted.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use common::{Device, SUITE, advance, assert_agree, basic, deliver, group_of, reload};
use mls_mobile::{
    ArgumentReason, GroupConfig, GroupId, MlsError, Padding, ProcessedMessage, WelcomeReason,
    fault::{self, Plan},
};
use tls_codec::{DeserializeBytes as _, Serialize as _, VLBytes};

fn invalid(reason: WelcomeReason) -> MlsError {
    MlsError::WelcomeInvalid { reason }
}

/// Adds the newcomer and gives its Welcome.
fn invite(id: &GroupId, inviter: &Device, newcomer: &Device) -> Vec<u8> {
    let bundle = inviter
        .group(id)
        .add_members(vec![newcomer.key_package()])
        .unwrap();
    inviter.group(id).merge_pending_commit().unwrap();
    bundle.welcome.unwrap()
}

fn join_error(device: &Device, welcome: &[u8]) -> MlsError {
    device
        .client()
        .join_from_welcome(welcome.to_vec(), None)
        .err()
        .unwrap()
}

#[test]
fn inspecting_twice_stores_nothing_and_the_welcome_still_joins() {
    let (mut alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let id = alice.create_group();
    let welcome = invite(&id, &alice, &bob);
    let before = (
        bob.client().storage_info().unwrap().generation,
        bob.client().key_packages().unwrap(),
    );
    assert_eq!(before.1.len(), 1);
    let first = bob.client().inspect_welcome(welcome.clone(), None).unwrap();
    bob.reload();
    let second = bob.client().inspect_welcome(welcome.clone(), None).unwrap();
    assert_eq!(first, second);
    bob.reload();
    let after = (
        bob.client().storage_info().unwrap().generation,
        bob.client().key_packages().unwrap(),
    );
    assert_eq!(after, before);
    assert_eq!(bob.client().groups().unwrap(), []);

    assert_eq!(bob.join(&welcome), id);
    assert!(bob.client().storage_info().unwrap().generation > before.0);
    reload(&mut [&mut alice, &mut bob]);
    assert_eq!(bob.client().key_packages().unwrap(), []);
    assert_agree(&id, &[&alice, &bob]);
}

#[test]
fn a_welcome_says_who_invites_to_what() {
    let (mut alice, mut bob, mut carol) = (Device::new("alice"), Device::new("bob"), Device::new("carol"));
    let id = group_of(&[&alice, &bob]);
    advance(&id, &alice, &[&bob]);
    // Not the group's creator, so that the sender is not leaf 0 by accident.
    let commit = bob.group(&id).add_members(vec![carol.key_package()]).unwrap();
    deliver(&id, &bob, &commit, &[&alice]);
    reload(&mut [&mut alice, &mut bob, &mut carol]);
    let info = carol
        .client()
        .inspect_welcome(commit.welcome.unwrap(), None)
        .unwrap();
    assert_eq!(info.group_id, id);
    assert_eq!(info.epoch, 3);
    assert_eq!(info.epoch, bob.epoch(&id));
    assert_eq!(info.ciphersuite, SUITE);
    assert_eq!(info.members, alice.group(&id).members().unwrap());
    assert_eq!(info.sender.as_ref(), Some(&info.members[1]));
    assert_eq!(info.members[1].credential, basic("bob"));
    assert_eq!(info.own_leaf_index, 2);
    assert_eq!(info.members[2].signature_key, carol.identity.0);
}

#[test]
fn a_welcome_without_its_ratchet_tree_is_refused_and_uses_nothing_up() {
    let (alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let id = alice.create_group_with(Some(GroupConfig {
        ratchet_tree_in_welcome: false,
        ..GroupConfig::default()
    }));
    let welcome = invite(&id, &alice, &bob);
    let error = bob.client().inspect_welcome(welcome.clone(), None).unwrap_err();
    assert_eq!(error, invalid(WelcomeReason::RatchetTreeMissing));
    assert_eq!(
        join_error(&bob, &welcome),
        invalid(WelcomeReason::RatchetTreeMissing)
    );
    bob.reload();
    // The key package is still there, or the reason would be another.
    assert_eq!(bob.client().key_packages().unwrap().len(), 1);
    assert_eq!(
        join_error(&bob, &welcome),
        invalid(WelcomeReason::RatchetTreeMissing)
    );
    assert_eq!(bob.client().groups().unwrap(), []);

    // Beside the Welcome it is as good, and a cut one is not.
    let tree = alice.group(&id).export_ratchet_tree().unwrap();
    let cut = tree[..tree.len() - 1].to_vec();
    let error = bob
        .client()
        .inspect_welcome(welcome.clone(), Some(cut))
        .unwrap_err();
    assert_eq!(error, MlsError::MessageMalformed);
    assert_eq!(
        bob.client()
            .inspect_welcome(welcome.clone(), Some(tree.clone()))
            .unwrap()
            .members
            .len(),
        2
    );
    bob.client().join_from_welcome(welcome, Some(tree)).unwrap();
    bob.reload();
    assert_agree(&id, &[&alice, &bob]);
}

#[test]
fn a_group_info_says_which_group_it_is_of_and_carries_the_tree_only_if_asked() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = common::group_of(&[&alice, &bob]);
    let with_tree = alice.group(&id).export_group_info(true).unwrap();
    let without = alice.group(&id).export_group_info(false).unwrap();
    assert!(with_tree.len() > without.len() + alice.group(&id).export_ratchet_tree().unwrap().len() / 2);
    for group_info in [with_tree, without] {
        let info = bob.client().message_info(group_info).unwrap();
        assert_eq!((info.group_id, info.epoch), (Some(id.clone()), Some(1)));
        assert_eq!(info.kind, mls_mobile::MessageKind::GroupInfo);
    }
    let removal = alice.group(&id).remove_members(vec![1]).unwrap();
    common::deliver(&id, &alice, &removal, &[&bob]);
    assert_eq!(bob.group(&id).export_ratchet_tree(), Err(MlsError::GroupInactive));
    assert_eq!(
        bob.group(&id).export_group_info(true),
        Err(MlsError::GroupInactive)
    );
}

#[test]
fn a_welcome_for_somebody_else_and_a_message_that_is_none_are_refused() {
    let (alice, bob, carol) = (Device::new("alice"), Device::new("bob"), Device::new("carol"));
    let id = alice.create_group();
    let welcome = invite(&id, &alice, &bob);
    carol.key_package();
    assert_eq!(
        join_error(&carol, &welcome),
        invalid(WelcomeReason::NoMatchingKeyPackage)
    );
    let message = alice.send(&id, "no Welcome");
    assert_eq!(join_error(&bob, &message), invalid(WelcomeReason::NotAWelcome));
    let cut = &welcome[..welcome.len() - 1];
    assert_eq!(join_error(&bob, cut), MlsError::MessageMalformed);
    bob.join(&welcome);
}

#[test]
fn joining_twice_is_refused_and_harms_nothing() {
    let (alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let id = alice.create_group();
    let welcome = invite(&id, &alice, &bob);
    bob.join(&welcome);
    bob.reload();
    let error = join_error(&bob, &welcome);
    assert_eq!(error, invalid(WelcomeReason::NoMatchingKeyPackage));
    bob.reload();
    assert_agree(&id, &[&alice, &bob]);
    assert_eq!(bob.read(&id, &alice.send(&id, "once")), "once");
}

#[test]
fn a_welcome_to_a_group_that_one_is_in_is_refused_and_uses_nothing_up() {
    let (alice, mallory, mut bob) = (Device::new("alice"), Device::new("mallory"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    // Another group that claims the same id.
    mallory.create_group_with(Some(GroupConfig {
        group_id: Some(id.clone()),
        ..GroupConfig::default()
    }));
    let welcome = invite(&id, &mallory, &bob);
    let looked_at = bob.client().inspect_welcome(welcome.clone(), None).unwrap();
    assert_eq!(looked_at.sender.unwrap().credential, basic("mallory"));
    assert_eq!(join_error(&bob, &welcome), MlsError::GroupAlreadyExists);
    bob.reload();
    assert_eq!(bob.client().key_packages().unwrap().len(), 1);
    assert_agree(&id, &[&alice, &bob]);
    assert_eq!(bob.read(&id, &alice.send(&id, "unharmed")), "unharmed");

    bob.group(&id).delete().unwrap();
    bob.join(&welcome);
    assert_agree(&id, &[&mallory, &bob]);
}

#[test]
fn a_group_id_is_chosen_by_the_app_within_bounds_and_once() {
    let mut alice = Device::new("alice");
    let create = |device: &Device, id: &[u8]| {
        let config = GroupConfig {
            group_id: Some(GroupId(id.to_vec())),
            ..GroupConfig::default()
        };
        device
            .client()
            .create_group(device.identity.clone(), Some(config))
    };
    let refused = |reason| MlsError::InvalidArgument {
        argument: "group_id".to_owned(),
        reason,
    };
    assert_eq!(create(&alice, b"").err().unwrap(), refused(ArgumentReason::Empty));
    assert_eq!(
        create(&alice, &[1; 256]).err().unwrap(),
        refused(ArgumentReason::TooLong)
    );
    let id = create(&alice, &[1; 255]).unwrap().id().unwrap();
    assert_eq!(id, GroupId(vec![1; 255]));
    alice.reload();
    assert_eq!(
        create(&alice, &[1; 255]).err().unwrap(),
        MlsError::GroupAlreadyExists
    );
    assert_eq!(alice.epoch(&id), 0);
}

#[test]
fn groups_are_listed_as_they_came_and_a_deleted_one_is_gone() {
    let (mut alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let first = bob.create_group();
    let second = group_of(&[&alice, &bob]);
    let third = group_of(&[&alice, &bob]);
    advance(&third, &alice, &[&bob]);
    let removal = alice.group(&second).remove_members(vec![1]).unwrap();
    deliver(&second, &alice, &removal, &[&bob]);
    reload(&mut [&mut alice, &mut bob]);
    let list: Vec<_> = bob
        .client()
        .groups()
        .unwrap()
        .into_iter()
        .map(|group| (group.group_id, group.epoch, group.is_active))
        .collect();
    let expected = [
        (first.clone(), 0, true),
        (second.clone(), 2, false),
        (third.clone(), 2, true),
    ];
    assert_eq!(list, expected);

    let handle = bob.group(&second);
    handle.delete().unwrap();
    assert_eq!(handle.info().unwrap_err(), MlsError::GroupNotFound);
    assert_eq!(handle.delete().unwrap_err(), MlsError::GroupNotFound);
    bob.reload();
    assert_eq!(bob.client().group(second).err().unwrap(), MlsError::GroupNotFound);
    let list: Vec<_> = bob
        .client()
        .groups()
        .unwrap()
        .into_iter()
        .map(|group| group.group_id)
        .collect();
    assert_eq!(list, [first, third.clone()]);
    assert_eq!(
        bob.read(&third, &alice.send(&third, "the other group")),
        "the other group"
    );
}

#[test]
fn a_configuration_lasts_and_one_out_of_bounds_is_refused() {
    let (alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let late = alice.send(&id, "late");
    bob.group(&id)
        .configure(GroupConfig {
            max_past_epochs: 0,
            ..GroupConfig::default()
        })
        .unwrap();
    bob.reload();
    advance(&id, &alice, &[&bob]);
    assert_eq!(bob.receive(&id, &late), ProcessedMessage::Stale { epoch: 1 });

    type Change = fn(&mut GroupConfig);
    let bounds: [(&str, Change); 5] = [
        ("padding", |config| {
            config.padding = Some(Padding::Block { size: (1 << 16) + 1 });
        }),
        ("max_past_epochs", |config| config.max_past_epochs = 33),
        ("out_of_order_tolerance", |config| {
            config.out_of_order_tolerance = 4097
        }),
        ("maximum_forward_distance", |config| {
            config.maximum_forward_distance = 100_001
        }),
        ("resumption_psks", |config| config.resumption_psks = 65),
    ];
    for (argument, exceed) in bounds {
        let mut config = GroupConfig::default();
        exceed(&mut config);
        let refused = MlsError::InvalidArgument {
            argument: argument.to_owned(),
            reason: ArgumentReason::OutOfRange,
        };
        assert_eq!(bob.group(&id).configure(config.clone()).unwrap_err(), refused);
        let error = bob
            .client()
            .create_group(bob.identity.clone(), Some(config))
            .err();
        assert_eq!(error, Some(refused));
    }
}

#[test]
fn fewer_past_epochs_delete_the_keys_of_the_others_at_once() {
    let (alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let (first, second) = (alice.send(&id, "before"), alice.send(&id, "after"));
    advance(&id, &alice, &[&bob]);
    assert_eq!(bob.read(&id, &first), "before");
    let configure = |device: &Device, max_past_epochs| {
        let config = GroupConfig {
            max_past_epochs,
            ..GroupConfig::default()
        };
        device.group(&id).configure(config).unwrap();
    };
    configure(&bob, 0);
    // Too late: what was deleted does not come back.
    configure(&bob, 3);
    bob.reload();
    assert_eq!(bob.receive(&id, &second), ProcessedMessage::Stale { epoch: 1 });
}

/// The same Welcome, which also names key packages of `strangers` others, before ours.
fn with_strangers(welcome: &[u8], strangers: u32) -> Vec<u8> {
    // MLSMessage with version and wire format, then the suite: two bytes each.
    let (head, rest) = welcome.split_at(6);
    let (secrets, group_info) = VLBytes::tls_deserialize_bytes(rest).unwrap();
    let stranger = |number: u32| {
        let reference = [&[0; 28], number.to_be_bytes().as_slice()].concat();
        // opaque key_package_ref<V>; HPKECiphertext with two empty fields.
        [&[32], reference.as_slice(), &[0, 0]].concat()
    };
    let all: Vec<u8> = (0..strangers)
        .flat_map(stranger)
        .chain(secrets.as_slice().iter().copied())
        .collect();
    let all = VLBytes::new(all).tls_serialize_detached().unwrap();
    [head, &all, group_info].concat()
}

#[test]
fn a_welcome_for_many_costs_as_many_statements_as_one_for_us_alone() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = alice.create_group();
    let welcome = invite(&id, &alice, &bob);
    let statements = |welcome: Vec<u8>| {
        fault::arm(Plan::Count);
        let joined = bob.fork().client().join_from_welcome(welcome, None).map(drop);
        (joined, fault::disarm())
    };
    let (joined, few) = statements(welcome.clone());
    assert_eq!(joined, Ok(()));
    assert_eq!(statements(with_strangers(&welcome, 5_000)), (Ok(()), few));
    let (refused, _) = statements(invite(&id, &alice, &Device::new("carol")));
    assert_eq!(refused, Err(invalid(WelcomeReason::NoMatchingKeyPackage)));
}
