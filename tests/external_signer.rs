//! Identities whose key is outside the library: everything that signs, with a signer that works, fails, or is missing.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use std::sync::Arc;

use common::{
    Device, SUITE, assert_agree, basic, deliver, group_of,
    hsm::{Fault, Hsm},
    reload,
};
use mls_mobile::{
    ArgumentReason, ClientConfig, GroupId, GroupState, IdentityId, LeafNodeOptions, MlsClient, MlsError,
    MlsGroup, ProcessedMessage, PskId,
};

const NEW_KEY: [u8; 32] = [4; 32];
const CUSTOM_PROPOSAL: u16 = 0xf001;

/// Me, who signs outside, with a second such identity and a held one; a peer, a third member, and a newcomer.
struct Stage {
    me: Device,
    hsm: Arc<Hsm>,
    other_hsm: Arc<Hsm>,
    other: IdentityId,
    held: IdentityId,
    peer: Device,
    third: Device,
    newcomer: Device,
    group: GroupId,
}

fn leaf_node() -> LeafNodeOptions {
    LeafNodeOptions {
        supported_proposals: vec![CUSTOM_PROPOSAL],
        ..LeafNodeOptions::default()
    }
}

fn stage() -> Stage {
    let [mut me, peer, third, newcomer] = ["me", "peer", "third", "newcomer"].map(Device::new);
    let hsm = Hsm::new();
    let other_hsm = hsm.another();
    let held = me.identity.clone();
    me.identity = hsm.create_identity(&me, basic("me")).id;
    let other = other_hsm.create_identity(&me, basic("me again")).id;
    let group = group_of(&[&peer, &me, &third]);
    for (device, others) in [
        (&me, [&peer, &third]),
        (&peer, [&me, &third]),
        (&third, [&me, &peer]),
    ] {
        let update = device.group(&group).update_leaf_node(leaf_node(), None).unwrap();
        deliver(&group, device, &update, &others);
    }
    me.client().register_psk(b"psk".to_vec(), vec![1; 32]).unwrap();
    Stage {
        me,
        hsm,
        other_hsm,
        other,
        held,
        peer,
        third,
        newcomer,
        group,
    }
}

impl Stage {
    /// A copy of `me` without signers.
    fn fork(&self) -> Self {
        Self {
            me: self.me.fork(),
            hsm: self.hsm.clone(),
            other_hsm: self.other_hsm.clone(),
            other: self.other.clone(),
            held: self.held.clone(),
            peer: self.peer.fork(),
            third: self.third.fork(),
            newcomer: self.newcomer.fork(),
            group: self.group.clone(),
        }
    }

    fn attach(&self) {
        for hsm in [&self.hsm, &self.other_hsm] {
            let id = IdentityId(hsm.public_key.clone());
            self.me.client().attach_signer(id, hsm.clone()).unwrap();
        }
        self.signatures();
    }

    /// How many signatures were made since this was last asked.
    fn signatures(&self) -> usize {
        self.hsm.signed().len()
    }

    /// Everything that a failed call must leave alone.
    fn state(&self) -> (impl PartialEq + use<>, GroupState) {
        (self.me.dump(), self.me.group(&self.group).info().unwrap())
    }
}

/// A call that signs.
struct Case {
    name: &'static str,
    /// What happens before it, without a signature.
    prepare: fn(&Stage),
    call: fn(&Stage, &MlsGroup) -> Result<(), MlsError>,
}

const fn case(name: &'static str, call: fn(&Stage, &MlsGroup) -> Result<(), MlsError>) -> Case {
    let prepare = |_: &Stage| ();
    Case { name, prepare, call }
}

/// Proposals of others, two of which do not go together, so that the Commit is tried several times.
fn queue_proposals(stage: &Stage) {
    let [peer, third] = [&stage.peer, &stage.third].map(|device| device.group(&stage.group));
    let proposals = [
        peer.propose_remove(2),
        peer.propose_remove(1),
        third.propose_self_update(None),
    ];
    for proposal in proposals {
        stage.me.receive(&stage.group, &proposal.unwrap().proposal);
    }
}

/// Every call that signs.
const CASES: &[Case] = &[
    case("create_key_packages", |stage, _| {
        let me = stage.me.client();
        me.create_key_packages(stage.me.identity.clone(), 2, None)
            .map(drop)
    }),
    case("replenish_key_packages", |stage, _| {
        let me = stage.me.client();
        me.replenish_key_packages(stage.me.identity.clone(), 3, None)
            .map(drop)
    }),
    case("create_group", |stage, _| {
        stage
            .me
            .client()
            .create_group(stage.me.identity.clone(), None)
            .map(drop)
    }),
    case("add_members", |stage, group| {
        group.add_members(vec![stage.newcomer.key_package()]).map(drop)
    }),
    case("remove_members", |_, group| {
        group.remove_members(vec![2]).map(drop)
    }),
    case("swap_members", |stage, group| {
        group
            .swap_members(vec![2], vec![stage.newcomer.key_package()])
            .map(drop)
    }),
    case("self_update", |_, group| group.self_update(None).map(drop)),
    case("self_update to a held key", |stage, group| {
        group.self_update(Some(stage.held.clone())).map(drop)
    }),
    case("self_update to another signer", |stage, group| {
        group.self_update(Some(stage.other.clone())).map(drop)
    }),
    case("update_leaf_node", |_, group| {
        group.update_leaf_node(leaf_node(), None).map(drop)
    }),
    case("update_leaf_node to another signer", |stage, group| {
        group
            .update_leaf_node(leaf_node(), Some(stage.other.clone()))
            .map(drop)
    }),
    case("update_group_context_extensions", |_, group| {
        group.update_group_context_extensions(Vec::new()).map(drop)
    }),
    Case {
        name: "commit_to_pending_proposals",
        prepare: queue_proposals,
        call: |_, group| group.commit_to_pending_proposals().map(drop),
    },
    Case {
        name: "commit_and_create_message",
        prepare: queue_proposals,
        call: |_, group| {
            group
                .commit_and_create_message(b"later".to_vec(), Vec::new())
                .map(drop)
        },
    },
    case("propose_add", |stage, group| {
        group.propose_add(stage.newcomer.key_package()).map(drop)
    }),
    case("propose_remove", |_, group| group.propose_remove(2).map(drop)),
    case("propose_self_update", |_, group| {
        group.propose_self_update(None).map(drop)
    }),
    case("propose_self_update to another signer", |stage, group| {
        group.propose_self_update(Some(stage.other.clone())).map(drop)
    }),
    case("propose_group_context_extensions", |_, group| {
        group.propose_group_context_extensions(Vec::new()).map(drop)
    }),
    case("propose_psk", |_, group| {
        group
            .propose_psk(PskId::External { id: b"psk".to_vec() })
            .map(drop)
    }),
    case("propose_leaf_node", |_, group| {
        group.propose_leaf_node(leaf_node(), None).map(drop)
    }),
    case("propose_custom", |_, group| {
        group.propose_custom(CUSTOM_PROPOSAL, b"vote".to_vec()).map(drop)
    }),
    case("leave", |_, group| group.leave().map(drop)),
    case("create_message", |_, group| {
        group
            .create_message(b"hello".to_vec(), b"data".to_vec())
            .map(drop)
    }),
    case("export_group_info", |_, group| {
        group.export_group_info(true).map(drop)
    }),
    case("propose_external_join", |stage, _| {
        let (me, identity) = (stage.me.client(), stage.me.identity.clone());
        me.propose_external_join(identity, GroupId(b"elsewhere".to_vec()), 7, None)
            .map(drop)
    }),
    case("join_by_external_commit", |stage, _| {
        let group_info = stage.peer.group(&stage.group).export_group_info(true).unwrap();
        let me = stage.me.client();
        me.join_by_external_commit(stage.me.identity.clone(), group_info, None)
            .map(drop)
    }),
    case("join_by_external_commit_with_psks", |stage, _| {
        let group_info = stage.peer.group(&stage.group).export_group_info(true).unwrap();
        let (me, identity) = (stage.me.client(), stage.me.identity.clone());
        me.join_by_external_commit_with_psks(identity, group_info, None, vec![b"psk".to_vec()])
            .map(drop)
    }),
    case("join_by_external_commit_with_leaf_node", |stage, _| {
        let group_info = stage.peer.group(&stage.group).export_group_info(true).unwrap();
        let (me, identity) = (stage.me.client(), stage.me.identity.clone());
        me.join_by_external_commit_with_leaf_node(identity, group_info, leaf_node(), None, Vec::new())
            .map(drop)
    }),
];

#[test]
fn a_signature_that_goes_wrong_in_any_call_changes_nothing() {
    let original = stage();
    for Case { name, prepare, call } in CASES {
        let counted = original.fork();
        prepare(&counted);
        counted.attach();
        call(&counted, &counted.me.group(&counted.group)).unwrap();
        let signatures = counted.signatures();
        assert!((1..=6).contains(&signatures), "{name}: {signatures}");

        let stage = original.fork();
        prepare(&stage);
        stage.attach();
        let group = stage.me.group(&stage.group);
        let before = stage.state();
        for fault in Fault::ALL {
            for after in 0..signatures {
                stage.hsm.goes_wrong(after, fault);
                let answer = call(&stage, &group);
                let place = format!("{name}: signature {after} {fault:?}");
                assert_eq!(answer, Err(MlsError::SignerFailed), "{place}");
                assert!(stage.hsm.went_wrong(), "{place}");
                assert!(stage.state() == before, "{place}: something has changed");
            }
        }
        // The same client can do it, and what it makes is good.
        call(&stage, &group).unwrap_or_else(|error| panic!("{name}: then {error:?}"));
        if let Some(bundle) = group.pending_commit().unwrap() {
            deliver(&stage.group, &stage.me, &bundle, &[]);
            stage.peer.receive(&stage.group, &bundle.commit);
            assert_agree(&stage.group, &[&stage.me, &stage.peer]);
        }
    }
}

#[test]
fn whatever_signs_needs_a_signer_after_each_opening() {
    let original = stage();
    for Case { name, prepare, call } in CASES {
        let stage = original.fork();
        prepare(&stage);
        let group = stage.me.group(&stage.group);
        let before = stage.state();
        assert_eq!(call(&stage, &group), Err(MlsError::SignerMissing), "{name}");
        assert!(stage.state() == before, "{name}: something has changed");
        stage.attach();
        call(&stage, &group).unwrap_or_else(|error| panic!("{name}: then {error:?}"));
    }
}

#[test]
fn a_group_moves_only_to_an_identity_whose_signer_is_attached() {
    let stage = stage().fork();
    let group = stage.me.group(&stage.group);
    let id = IdentityId(stage.hsm.public_key.clone());
    stage.me.client().attach_signer(id, stage.hsm.clone()).unwrap();
    let before = stage.state();
    for answer in [
        group.self_update(Some(stage.other.clone())).map(drop),
        group.propose_self_update(Some(stage.other.clone())).map(drop),
    ] {
        assert_eq!(answer, Err(MlsError::SignerMissing));
    }
    assert!(stage.state() == before);
    stage.attach();
    let bundle = group.self_update(Some(stage.other.clone())).unwrap();
    deliver(&stage.group, &stage.me, &bundle, &[&stage.peer, &stage.third]);
    assert_eq!(group.info().unwrap().identity, stage.other);
    let update = group.self_update(Some(stage.held.clone())).unwrap();
    deliver(&stage.group, &stage.me, &update, &[&stage.peer, &stage.third]);
    assert_agree(&stage.group, &[&stage.me, &stage.peer, &stage.third]);
    for id in [stage.other.clone(), IdentityId(stage.hsm.public_key.clone())] {
        stage.me.client().delete_identity(id).unwrap();
    }
    assert_eq!(
        stage
            .peer
            .read(&stage.group, &stage.me.send(&stage.group, "held")),
        "held"
    );
}

#[test]
fn receiving_joining_and_merging_need_no_signer() {
    let (alice, mut bob, carol) = (Device::new("alice"), Device::new("bob"), Device::new("carol"));
    let hsm = Hsm::new();
    bob.identity = hsm.create_identity(&bob, basic("bob")).id;
    let id = alice.create_group();
    let invitation = alice.group(&id).add_members(vec![bob.key_package()]).unwrap();
    alice.group(&id).merge_pending_commit().unwrap();
    bob.reload();
    hsm.signed();
    let welcome = invitation.welcome.unwrap();
    bob.client().inspect_welcome(welcome.clone(), None).unwrap();
    bob.join(&welcome);
    assert_eq!(bob.read(&id, &alice.send(&id, "hello")), "hello");
    let added = alice.group(&id).add_members(vec![carol.key_package()]).unwrap();
    deliver(&id, &alice, &added, &[&bob]);
    assert_agree(&id, &[&alice, &bob]);
    let identity = bob.client().identities().unwrap().remove(1);
    assert!(identity.external_signer);
    assert_eq!(identity.id, bob.identity);
    assert!(!bob.client().identities().unwrap()[0].external_signer);

    bob.client()
        .attach_signer(bob.identity.clone(), hsm.clone())
        .unwrap();
    let update = bob.group(&id).self_update(None).unwrap();
    bob.reload();
    hsm.signed();
    deliver(&id, &bob, &update, &[&alice]);
    let removal = alice.group(&id).remove_members(vec![1]).unwrap();
    deliver(&id, &alice, &removal, &[&bob]);
    assert!(!bob.group(&id).info().unwrap().is_active);
    assert_eq!(hsm.signed(), Vec::<Vec<u8>>::new());
}

/// A message that waits for a Commit is signed by the merge; without a signature it is given back.
#[test]
fn a_waiting_message_without_a_signature_is_given_back_and_the_commit_is_merged() {
    for (fault, by_echo) in [
        (None, false),
        (None, true),
        (Some(Fault::Fails), false),
        (Some(Fault::Panics), true),
    ] {
        let (alice, mut bob) = (Device::new("alice"), Device::new("bob"));
        let hsm = Hsm::new();
        bob.identity = hsm.create_identity(&bob, basic("bob")).id;
        let id = group_of(&[&alice, &bob]);
        let text = (b"later".to_vec(), b"with data".to_vec());
        let (plaintext, data) = text.clone();
        let commit = bob
            .group(&id)
            .commit_and_create_message(plaintext, data)
            .unwrap()
            .commit;
        bob.reload();
        if let Some(fault) = fault {
            bob.client()
                .attach_signer(bob.identity.clone(), hsm.clone())
                .unwrap();
            hsm.goes_wrong(0, fault);
        }
        let released = if by_echo {
            match bob.receive(&id, &commit) {
                ProcessedMessage::OwnCommit { released, .. } => released,
                other => panic!("{other:?}"),
            }
        } else {
            bob.group(&id).merge_pending_commit().unwrap().released
        };
        assert!(hsm.went_wrong());
        let [
            ProcessedMessage::MessageNotCreated {
                plaintext,
                authenticated_data,
                ..
            },
        ] = &released[..]
        else {
            panic!("{released:?}")
        };
        assert_eq!((plaintext, authenticated_data), (&text.0, &text.1));
        alice.receive(&id, &commit);
        // The group that stayed in memory does not send the data of the message that was not made.
        bob.client()
            .attach_signer(bob.identity.clone(), hsm.clone())
            .unwrap();
        let update = bob.group(&id).self_update(None).unwrap();
        let has_data = |bytes: &[u8]| bytes.windows(9).any(|window| window == b"with data");
        assert!(!has_data(&update.commit));
        deliver(&id, &bob, &update, &[&alice]);
        let again = bob.group(&id).create_message(text.0.clone(), Vec::new()).unwrap();
        match alice.receive(&id, &again) {
            ProcessedMessage::Application {
                plaintext,
                authenticated_data,
                ..
            } => {
                assert_eq!((plaintext, authenticated_data), (text.0, Vec::new()));
            }
            other => panic!("{other:?}"),
        }
        assert_agree(&id, &[&alice, &bob]);
    }
}

#[test]
fn a_signer_must_show_that_it_has_the_key() {
    let mut alice = Device::new("alice");
    let (hsm, stranger) = (Hsm::new(), Hsm::new());
    let create = |device: &Device, key: &[u8], signer: &Arc<Hsm>| {
        let client = device.client();
        client.create_identity_with_signer(basic("hsm"), SUITE, key.to_vec(), signer.clone())
    };
    let before = alice.dump();
    let key = hsm.public_key.as_slice();
    assert_eq!(create(&alice, key, &stranger), Err(MlsError::SignerFailed));
    // 2 is the y of no point.
    let no_point: Vec<u8> = std::iter::once(2).chain([0; 31]).collect();
    assert_eq!(create(&alice, &no_point, &hsm), Err(MlsError::SignerFailed));
    for fault in Fault::ALL {
        hsm.goes_wrong(0, fault);
        assert_eq!(
            create(&alice, key, &hsm),
            Err(MlsError::SignerFailed),
            "{fault:?}"
        );
    }
    for key in [&key[..31], &[key, &[0]].concat(), &[]] {
        let argument = "public_key".to_owned();
        let reason = ArgumentReason::WrongLength;
        let error = MlsError::InvalidArgument { argument, reason };
        assert_eq!(create(&alice, key, &hsm), Err(error));
    }
    let held = alice.identity.clone();
    assert_eq!(
        create(&alice, &held.0, &hsm),
        Err(MlsError::IdentityAlreadyExists)
    );
    assert!(alice.dump() == before);

    let identity = create(&alice, key, &hsm).unwrap();
    assert_eq!(create(&alice, key, &hsm), Err(MlsError::IdentityAlreadyExists));
    alice.reload();
    let attach = |device: &Device, id: &IdentityId, signer: &Arc<Hsm>| {
        device.client().attach_signer(id.clone(), signer.clone())
    };
    assert_eq!(
        attach(&alice, &identity.id, &stranger),
        Err(MlsError::SignerFailed)
    );
    let reason = ArgumentReason::OutOfRange;
    let argument = "identity".to_owned();
    let error = MlsError::InvalidArgument { argument, reason };
    assert_eq!(attach(&alice, &held, &hsm), Err(error));
    let unknown = IdentityId(stranger.public_key.clone());
    assert_eq!(
        attach(&alice, &unknown, &stranger),
        Err(MlsError::IdentityNotFound)
    );
    attach(&alice, &identity.id, &hsm).unwrap();
    // A wrong one does not take its place.
    assert_eq!(
        attach(&alice, &identity.id, &stranger),
        Err(MlsError::SignerFailed)
    );
    alice.client().create_group(identity.id.clone(), None).unwrap();
}

#[test]
fn a_challenge_is_nothing_that_mls_signs() {
    let (alice, hsm) = (Device::new("alice"), Hsm::new());
    let identity = hsm.create_identity(&alice, basic("hsm"));
    alice
        .client()
        .attach_signer(identity.id.clone(), hsm.clone())
        .unwrap();
    let challenges = hsm.signed();
    let start = [b"\xffmls-mobile signer challenge".as_slice(), &hsm.public_key].concat();
    for challenge in &challenges {
        assert_eq!(challenge.strip_prefix(&start[..]).unwrap().len(), 32);
    }
    assert_eq!(challenges.len(), 2);
    assert_ne!(challenges[0], challenges[1]);
    alice.client().create_group(identity.id.clone(), None).unwrap();
    alice.client().create_key_packages(identity.id, 1, None).unwrap();
    let signed = hsm.signed();
    assert!(signed.len() > 2);
    for content in signed {
        assert_eq!(&content[1..9], b"MLS 1.0 ");
    }
}

#[test]
fn a_signer_stays_through_a_suspension_and_goes_with_its_identity() {
    let (mut alice, hsm) = (Device::new("alice"), Hsm::new());
    alice.identity = hsm.create_identity(&alice, basic("hsm")).id;
    alice.client().suspend(1000).unwrap();
    let id = alice.identity.clone();
    let attached = alice.client().attach_signer(id.clone(), hsm.clone());
    assert_eq!(attached, Err(MlsError::Suspended));
    alice.client().resume().unwrap();
    alice.key_package();
    alice.client().delete_identity(id.clone()).unwrap();
    // The client holds it no more: made again by hand, the identity would need it again.
    assert_eq!(Arc::strong_count(&hsm), 1);
    let attached = alice.client().attach_signer(id, hsm.clone());
    assert_eq!(attached, Err(MlsError::IdentityNotFound));
    hsm.create_identity(&alice, basic("hsm"));
    alice.client().wipe().unwrap();
    assert_eq!(Arc::strong_count(&hsm), 1);
}

#[test]
fn a_moved_identity_needs_its_signer_on_the_other_device() {
    let (mut alice, bob, hsm) = (Device::new("alice"), Device::new("bob"), Hsm::new());
    alice.identity = hsm.create_identity(&alice, basic("alice")).id;
    let id = group_of(&[&alice, &bob]);
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    alice
        .client()
        .export_for_transfer(file("transfer"), NEW_KEY.to_vec())
        .unwrap();
    let config = ClientConfig::new(file("new.db"), NEW_KEY);
    let moved = MlsClient::import_transfer(file("transfer"), NEW_KEY.to_vec(), config, None, None).unwrap();
    let group = moved.group(id.clone()).unwrap();
    let answer = group.create_message(b"from the new phone".to_vec(), Vec::new());
    assert_eq!(answer, Err(MlsError::SignerMissing));
    moved.attach_signer(alice.identity.clone(), hsm.clone()).unwrap();
    let message = group
        .create_message(b"from the new phone".to_vec(), Vec::new())
        .unwrap();
    assert_eq!(bob.read(&id, &message), "from the new phone");
}

#[test]
fn a_signer_that_calls_back_gets_an_error_and_does_no_harm() {
    let (mut alice, bob, hsm) = (Device::new("alice"), Device::new("bob"), Hsm::new());
    hsm.calls_back(alice.client());
    alice.identity = hsm.create_identity(&alice, basic("alice")).id;
    alice
        .client()
        .attach_signer(alice.identity.clone(), hsm.clone())
        .unwrap();
    assert_eq!(hsm.answers(), vec![Some(MlsError::Reentrant); 6]);
    let id = group_of(&[&alice, &bob]);
    let message = alice.send(&id, "hello");
    let answers = hsm.answers();
    assert!(answers.len() > 6);
    assert_eq!(answers, vec![Some(MlsError::Reentrant); answers.len()]);
    assert_eq!(bob.read(&id, &message), "hello");
    assert_agree(&id, &[&alice, &bob]);
}

#[test]
fn two_signers_of_one_group_on_two_phones_talk() {
    let (mut alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let hsms = [Hsm::new(), Hsm::new()];
    for (device, hsm) in [&mut alice, &mut bob].into_iter().zip(&hsms) {
        device.identity = hsm.create_identity(device, basic("outside")).id;
    }
    let id = group_of(&[&alice, &bob]);
    for _ in 0..2 {
        reload(&mut [&mut alice, &mut bob]);
        for (device, hsm) in [&alice, &bob].into_iter().zip(&hsms) {
            device
                .client()
                .attach_signer(device.identity.clone(), hsm.clone())
                .unwrap();
        }
        assert_eq!(bob.read(&id, &alice.send(&id, "ping")), "ping");
        assert_eq!(alice.read(&id, &bob.send(&id, "pong")), "pong");
        let update = bob.group(&id).self_update(None).unwrap();
        deliver(&id, &bob, &update, &[&alice]);
        assert_agree(&id, &[&alice, &bob]);
    }
}
