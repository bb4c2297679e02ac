//! A device that nobody has invited asks the members to add it (RFC 9420, section 12.1.8).

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use common::{Device, advance, assert_agree, deliver, group_of, reload};
use mls_mobile::{
    ArgumentReason, Ciphersuite, GroupId, IdentityId, JoinProposal, KeyPackageOptions, LeafNodeOptions,
    MessageReason, MlsError, ProcessedMessage, Sender,
};

fn try_to_ask(device: &Device, id: &GroupId, epoch: u64) -> Result<JoinProposal, MlsError> {
    let identity = device.identity.clone();
    device
        .client()
        .propose_external_join(identity, id.clone(), epoch, None)
}

fn ask(device: &Device, id: &GroupId, epoch: u64) -> Vec<u8> {
    try_to_ask(device, id, epoch).unwrap().proposal
}

/// `by` commits to what is queued; the others follow and the newcomer joins.
fn let_in(id: &GroupId, by: &Device, others: &[&Device], newcomer: &Device) {
    let bundle = by.group(id).commit_to_pending_proposals().unwrap();
    deliver(id, by, &bundle, others);
    newcomer.join(&bundle.welcome.unwrap());
}

#[test]
fn a_device_that_knows_a_group_by_id_and_epoch_is_added_by_a_member_that_lets_it_in() {
    let (mut alice, mut bob, mut carol) = (Device::new("alice"), Device::new("bob"), Device::new("carol"));
    let id = group_of(&[&alice, &bob]);
    let proposal = ask(&carol, &id, 1);
    carol.reload();
    assert_eq!(carol.client().key_packages().unwrap().len(), 1);
    for member in [&alice, &bob] {
        let outcome = member.receive(&id, &proposal);
        let ProcessedMessage::ExternalJoinProposal { summary, .. } = outcome else {
            panic!("{outcome:?}")
        };
        assert!(matches!(summary.sender, Sender::NewMember { .. }));
    }
    reload(&mut [&mut alice, &mut bob]);
    let_in(&id, &alice, &[&bob], &carol);
    reload(&mut [&mut alice, &mut bob, &mut carol]);
    assert_agree(&id, &[&alice, &bob, &carol]);
    assert_eq!(alice.member_names(&id), ["alice", "bob", "carol"]);
    assert_eq!(alice.read(&id, &carol.send(&id, "thank you")), "thank you");
    assert_eq!(carol.client().key_packages().unwrap(), []);
}

#[test]
fn what_was_asked_ends_with_the_epoch_and_can_be_asked_again() {
    let (alice, bob, carol) = (Device::new("alice"), Device::new("bob"), Device::new("carol"));
    let id = group_of(&[&alice, &bob]);
    let published = carol.key_package();
    let JoinProposal {
        proposal,
        key_package: unused,
    } = try_to_ask(&carol, &id, 1).unwrap();
    alice.receive(&id, &proposal);
    advance(&id, &bob, &[&alice]);
    assert_eq!(alice.group(&id).info().unwrap().pending_proposals, []);
    assert!(matches!(
        alice.receive(&id, &proposal),
        ProcessedMessage::Stale { epoch: 1 }
    ));
    carol.client().delete_key_package(unused).unwrap();
    let left = carol.client().key_packages().unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].bytes, published);
    let again = ask(&carol, &id, 2);
    for member in [&alice, &bob] {
        member.receive(&id, &again);
    }
    let_in(&id, &alice, &[&bob], &carol);
    assert_agree(&id, &[&alice, &bob, &carol]);
}

#[test]
fn a_device_that_was_removed_can_ask_and_one_that_is_in_it_need_not() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let before = bob.dump();
    assert_eq!(try_to_ask(&bob, &id, 1), Err(MlsError::GroupAlreadyExists));
    assert!(bob.dump() == before);
    let removal = alice.group(&id).remove_members(vec![1]).unwrap();
    deliver(&id, &alice, &removal, &[&bob]);
    let proposal = ask(&bob, &id, 2);
    alice.receive(&id, &proposal);
    let_in(&id, &alice, &[], &bob);
    assert_agree(&id, &[&alice, &bob]);
}

#[test]
fn the_leaf_says_what_the_key_package_is_to_say() {
    let (alice, carol) = (Device::new("alice"), Device::new("carol"));
    let id = alice.create_group();
    let options = KeyPackageOptions {
        leaf_node: Some(LeafNodeOptions {
            application_id: Some(b"carol's tablet".to_vec()),
            ..LeafNodeOptions::default()
        }),
        ..KeyPackageOptions::default()
    };
    let (client, identity) = (carol.client(), carol.identity.clone());
    let proposal = client
        .propose_external_join(identity, id.clone(), 0, Some(options))
        .unwrap()
        .proposal;
    alice.receive(&id, &proposal);
    let_in(&id, &alice, &[], &carol);
    let leaf = carol.group(&id).leaf_nodes().unwrap().remove(1);
    assert_eq!(leaf.leaf_node.application_id.unwrap(), b"carol's tablet");
}

#[test]
fn what_no_group_can_be_asked_is_refused_and_leaves_nothing() {
    let carol = Device::new("carol");
    let before = carol.dump();
    let invalid = |argument: &str, reason| MlsError::InvalidArgument {
        argument: argument.to_owned(),
        reason,
    };
    let group = |length| GroupId(vec![1; length]);
    for (id, epoch, error) in [
        (group(0), 0, invalid("group_id", ArgumentReason::Empty)),
        (group(256), 0, invalid("group_id", ArgumentReason::TooLong)),
        (group(16), u64::MAX, invalid("epoch", ArgumentReason::OutOfRange)),
    ] {
        assert_eq!(try_to_ask(&carol, &id, epoch), Err(error));
    }
    let unknown = IdentityId(vec![1; 32]);
    let client = carol.client();
    assert_eq!(
        client.propose_external_join(unknown, group(16), 0, None),
        Err(MlsError::IdentityNotFound)
    );
    let options = KeyPackageOptions {
        lifetime_seconds: 0,
        ..KeyPackageOptions::default()
    };
    assert_eq!(
        client.propose_external_join(carol.identity.clone(), group(16), 0, Some(options)),
        Err(invalid("lifetime_seconds", ArgumentReason::OutOfRange))
    );
    assert!(carol.dump() == before);
}

#[test]
fn members_refuse_who_has_another_ciphersuite() {
    let alice = Device::new("alice");
    let aes = Device::with_suite("aes", Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519);
    let id = alice.create_group();
    let proposal = ask(&aes, &id, 0);
    let before = alice.dump();
    assert_eq!(
        alice.group(&id).process_message(proposal),
        Err(MlsError::MessageInvalid {
            reason: MessageReason::ProposalInvalid
        })
    );
    assert!(alice.dump() == before);
}

/// The old leaf has the key of the new one: members cannot have both.
#[test]
fn who_is_still_in_the_tree_is_left_out_until_the_old_leaf_has_gone() {
    let (alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    bob.group(&id).delete().unwrap();
    bob.reload();
    let proposal = ask(&bob, &id, 1);
    alice.receive(&id, &proposal);
    let bundle = alice.group(&id).commit_to_pending_proposals().unwrap();
    assert_eq!(bundle.welcome, None);
    alice.group(&id).merge_pending_commit().unwrap();
    assert_eq!(alice.member_names(&id), ["alice", "bob"]);
    let removal = alice.group(&id).remove_members(vec![1]).unwrap();
    deliver(&id, &alice, &removal, &[]);
    let proposal = ask(&bob, &id, 3);
    alice.receive(&id, &proposal);
    let_in(&id, &alice, &[], &bob);
    assert_agree(&id, &[&alice, &bob]);
}
