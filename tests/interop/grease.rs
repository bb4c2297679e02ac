//! GREASE (RFC 9420, section 13.5): values without a meaning, which each side must accept from the other.

use mls_mobile::{GroupConfig, KeyPackageReason, LeafNodeOptions, MlsError};
use mls_rs::group::Capabilities;

use super::{SUITES, Way, common::Device, in_all_ways, party::Party, peer::Peer, room::Room};

fn is_grease(value: u16) -> bool {
    let [high, low] = value.to_be_bytes();
    high == low && low & 0x0f == 0x0a && value != 0xfafa
}

/// How many GREASE values each list has: suites, extensions, proposals, credentials.
fn grease(listed: &Capabilities) -> [usize; 4] {
    fn count(values: impl Iterator<Item = u16>) -> usize {
        values.filter(|value| is_grease(*value)).count()
    }
    [
        count(listed.cipher_suites.iter().map(|suite| **suite)),
        count(listed.extensions.iter().map(|kind| **kind)),
        count(listed.proposals.iter().map(|kind| **kind)),
        count(listed.credentials.iter().map(|kind| **kind)),
    ]
}

fn assert_unseen(device: &Device, room: &Room) {
    let group = device.group(&room.id);
    let leaves = group.leaf_nodes().unwrap();
    for listed in leaves.into_iter().map(|leaf| leaf.leaf_node.capabilities) {
        let lists = [
            listed.ciphersuites,
            listed.extensions,
            listed.proposals,
            listed.credentials,
        ];
        assert!(!lists.into_iter().flatten().any(is_grease));
    }
    let common = group.supported_by_all().unwrap();
    assert!(
        !common
            .extensions
            .into_iter()
            .chain(common.proposals)
            .any(is_grease)
    );
}

#[test]
fn mls_rs_sees_a_value_in_each_list_of_our_leaves_and_goes_on() {
    in_all_ways(|way| {
        // Alice created the group, anna came by a key package.
        let mut room = Room::of_four(way);
        for _ in 0..2 {
            for name in ["alice", "anna"] {
                let leaf = room.leaf(name);
                assert_eq!(grease(&room.peer("bob").capabilities(leaf)), [1; 4], "{name}");
                room.update(name);
            }
            room.update("ben");
            let id = room.id.clone();
            let leaf_node = LeafNodeOptions::default();
            let replaced = room
                .device("anna")
                .group(&id)
                .propose_leaf_node(leaf_node, None)
                .unwrap();
            room.propose("anna", &replaced.proposal);
            room.commit("bob", Party::commit_proposals);
            room.settle();
        }
    });
}

#[test]
fn the_values_are_not_always_the_same_and_can_be_left_out() {
    let (way, mut seen) = (way(), std::collections::BTreeSet::new());
    for _ in 0..12 {
        let mut room = Room::new(way, Party::theirs("bob", way));
        room.add("bob", vec![Party::ours("alice", way)]);
        let listed = room.peer("bob").capabilities(1);
        seen.extend(
            listed
                .extensions
                .iter()
                .map(|kind| **kind)
                .filter(|kind| is_grease(*kind)),
        );
    }
    assert!(seen.len() > 1, "{seen:?}");

    let mut room = Room::of_four(way);
    let plain = LeafNodeOptions {
        grease: false,
        ..LeafNodeOptions::default()
    };
    let (id, leaf) = (room.id.clone(), room.leaf("alice"));
    let bundle = room
        .device("alice")
        .group(&id)
        .update_leaf_node(plain, None)
        .unwrap();
    room.commit("alice", |_, _| bundle.into());
    assert_eq!(grease(&room.peer("ben").capabilities(leaf)), [0; 4]);
    room.settle();
}

#[test]
fn theirs_are_accepted_and_seen_nowhere() {
    in_all_ways(|way| {
        let mut room = Room::of_four(way);
        let greased = Peer::supporting("gustav", way, &[0x0a0a, 0x9a9a], &[0x1a1a]);
        let key_package = greased.key_package();
        let listed = room
            .device("alice")
            .client()
            .inspect_key_package(key_package)
            .unwrap();
        let mut proposals = listed.leaf_node.capabilities.proposals.into_iter();
        assert!(!proposals.any(is_grease));
        room.add("alice", vec![Party::Theirs(Box::new(greased))]);
        let leaf = room.leaf("gustav");
        assert_eq!(grease(&room.peer("bob").capabilities(leaf)), [0, 2, 1, 0]);
        for name in ["alice", "anna"] {
            assert_unseen(room.device(name), &room);
        }
        room.update("gustav");
    });
}

/// OpenMLS 0.9.2 takes the type of such an extension for an unknown one, and looks for it among the capabilities, where
/// it takes it for GREASE: so our own leaves have none, and those of others are refused. When this test fails, both can
/// change (docs/adr/0018).
#[test]
fn an_extension_of_a_leaf_that_is_grease_is_refused() {
    let way = way();
    let alice = Device::with_suite("alice", way.suite);
    let id = alice.create_group_with(Some(GroupConfig::default()));
    let gustav = Peer::supporting("gustav", way, &[0x0a0a], &[]);
    let key_package = gustav.key_package_with(0x0a0a);
    let error = alice.group(&id).add_members(vec![key_package]).unwrap_err();
    assert_eq!(
        error,
        MlsError::KeyPackageInvalid {
            reason: KeyPackageReason::CapabilitiesInsufficient,
        }
    );
}

/// The defaults of both sides.
fn way() -> Way {
    Way {
        suite: SUITES[1],
        ours_public: false,
        theirs_public: true,
        tree_outside: false,
    }
}
