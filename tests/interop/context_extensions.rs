//! Commits that replace the extensions of the GroupContext, by value. Those that were proposed are in `own_proposals`.

use mls_mobile::{
    Extension, ExternalSender, GroupId, KeyPackageOptions, KeyPackageReason, LeafNodeOptions, MlsError,
};
use mls_rs::{
    ExtensionList,
    extension::built_in::{ExternalSendersExt, RequiredCapabilitiesExt},
    identity::{CredentialType, SigningIdentity},
};

use super::{
    common::{Device, basic},
    in_all_ways,
    party::{Made, Party},
    peer::{Peer, parse},
    room::Room,
};

/// For private use.
const PRIVATE: u16 = 0xf0e1;

/// As mls-rs writes them: a server that may propose, and basic credentials for all.
fn server_and_requirements(server: SigningIdentity) -> ExtensionList {
    let mut extensions = ExtensionList::new();
    let servers = ExternalSendersExt::new(vec![server]);
    extensions.set_from(servers).unwrap();
    let required = RequiredCapabilitiesExt::new(vec![], vec![], vec![CredentialType::BASIC]);
    extensions.set_from(required).unwrap();
    extensions
}

fn replace(member: &mut Party, id: &GroupId, extensions: ExtensionList) -> Made {
    match member {
        Party::Ours(device) => {
            let group = device.group(id);
            let replaced = group.update_group_context_extensions(ours(&extensions));
            replaced.unwrap().into()
        }
        Party::Theirs(peer) => peer.commit(|builder| builder.set_group_context_ext(extensions)),
    }
}

/// The same extensions for this library.
fn ours(extensions: &ExtensionList) -> Vec<Extension> {
    let extensions = extensions.iter();
    extensions
        .map(|it| Extension {
            extension_type: it.extension_type.raw_value(),
            data: it.extension_data.clone(),
        })
        .collect()
}

/// That each of these members has exactly these.
fn assert_held(room: &mut Room, names: &[&str], expected: &ExtensionList) {
    let id = room.id.clone();
    for name in names {
        let mut held = match room.member(name) {
            Party::Ours(device) => device.group(&id).info().unwrap().extensions,
            Party::Theirs(peer) => ours(&peer.group().context().extensions),
        };
        let mut expected = ours(expected);
        held.sort_unstable_by_key(|it| it.extension_type);
        expected.sort_unstable_by_key(|it| it.extension_type);
        assert_eq!(held, expected, "{name}");
    }
}

#[test]
fn those_of_each_side_are_followed_kept_and_taken_away_again() {
    in_all_ways(|way| {
        for (by, other) in [("alice", "bob"), ("bob", "alice")] {
            let mut room = Room::of_four(way);
            let server = room.peer("bob").new_identity().1;
            let extensions = server_and_requirements(server.clone());
            room.commit(by, |member, id| replace(member, id, extensions.clone()));
            room.settle();
            room.update(other);
            // Newcomers get them in the Welcome of either side.
            room.add("anna", vec![Party::theirs("bill", way)]);
            room.add("bill", vec![Party::ours("ada", way)]);
            let names = ["alice", "bob", "anna", "ben", "bill", "ada"];
            assert_held(&mut room, &names, &extensions);
            let sender = ExternalSender {
                signature_key: server.signature_key.to_vec(),
                credential: basic("bob"),
            };
            for name in ["alice", "ada"] {
                let senders = room.device(name).group(&room.id).external_senders();
                assert_eq!(senders.unwrap(), std::slice::from_ref(&sender), "{name}");
            }
            let context = room.peer("bill").group().context();
            let servers: Option<ExternalSendersExt> = context.extensions.get_as().unwrap();
            assert_eq!(servers.unwrap().allowed_senders, [server]);
            room.commit(other, |member, id| replace(member, id, ExtensionList::new()));
            room.settle();
            assert_held(&mut room, &names, &ExtensionList::new());
            room.update(by);
        }
    });
}

/// Of a device whose leaf will list it.
fn key_package_that_lists(device: &Device, extension_type: u16) -> Vec<u8> {
    let options = KeyPackageOptions {
        leaf_node: Some(LeafNodeOptions {
            supported_extensions: vec![extension_type],
            ..LeafNodeOptions::default()
        }),
        ..KeyPackageOptions::default()
    };
    let identity = device.identity.clone();
    let made = device.client().create_key_packages(identity, 1, Some(options));
    made.unwrap().remove(0).bytes
}

#[test]
fn one_that_only_apps_understand_lets_each_side_in_who_lists_it_and_nobody_else() {
    in_all_ways(|way| {
        for (by, other) in [("alice", "bob"), ("bob", "alice")] {
            let mut room = Room::of_four_who_list(way, &[PRIVATE], &[]);
            let mut extensions = ExtensionList::new();
            let required = RequiredCapabilitiesExt::new(vec![PRIVATE.into()], vec![], vec![]);
            extensions.set_from(required).unwrap();
            extensions.set(mls_rs::Extension::new(PRIVATE.into(), b"for the app".to_vec()));
            room.commit(by, |member, id| replace(member, id, extensions.clone()));
            room.settle();
            for stranger in [Party::ours("ann", way), Party::theirs("bea", way)] {
                let key_package = stranger.key_package();
                let group = room.device("anna").group(&room.id);
                let refused = group.add_members(vec![key_package.clone()]).unwrap_err();
                let expected = MlsError::KeyPackageInvalid {
                    reason: KeyPackageReason::CapabilitiesInsufficient,
                };
                assert_eq!(refused, expected);
                let builder = room.peer("ben").group().commit_builder();
                let builder = builder.add_member(parse(&key_package));
                assert!(builder.and_then(|builder| builder.build()).is_err());
            }
            let ada = Party::ours("ada", way);
            let bill = Party::Theirs(Box::new(Peer::supporting("bill", way, &[PRIVATE], &[])));
            let key_packages = vec![key_package_that_lists(ada.device(), PRIVATE), bill.key_package()];
            let made = room.commit(other, |member, id| member.add(id, key_packages));
            room.welcome(other, &made, vec![ada, bill]);
            room.settle();
            let names = ["alice", "bob", "anna", "ben", "ada", "bill"];
            assert_held(&mut room, &names, &extensions);
            room.update("ada");
            room.update("bill");
        }
    });
}
