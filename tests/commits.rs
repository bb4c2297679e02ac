//! Own Commits: what they tell everybody, what waits until the answer, and what is refused.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use common::{Device, advance, assert_agree, basic, deliver, group_of, reload};
use mls_mobile::{ArgumentReason, Credential, GroupId, MlsError, NewMember, Sender};

fn member(leaf_index: u32, name: &str) -> Sender {
    Sender::Member {
        leaf_index,
        credential: basic(name),
    }
}

fn newcomer(device: &Device) -> NewMember {
    NewMember {
        credential: basic(&device.name),
        signature_key: device.identity.0.clone(),
    }
}

fn three() -> (Device, Device, Device, GroupId) {
    let (alice, bob, carol) = (Device::new("alice"), Device::new("bob"), Device::new("carol"));
    let id = group_of(&[&alice, &bob, &carol]);
    (alice, bob, carol, id)
}

#[test]
fn an_add_tells_everybody_who_comes() {
    let (mut alice, mut bob, mut carol, id) = three();
    let (mut dave, mut erin) = (Device::new("dave"), Device::new("erin"));
    let packages = vec![dave.key_package(), erin.key_package()];
    let bundle = bob.group(&id).add_members(packages).unwrap();
    assert_eq!(bundle.epoch, 1);
    assert!(bundle.group_info.is_some());
    // Made, but not yet accepted: nobody has moved.
    assert_eq!(bob.epoch(&id), 1);
    assert_eq!(bob.member_names(&id), ["alice", "bob", "carol"]);
    bob.reload();
    let own = bob.group(&id).merge_pending_commit().unwrap().summary;
    reload(&mut [&mut alice, &mut bob, &mut carol]);
    for peer in [&alice, &carol] {
        let (summary, superseded) = peer.follow(&id, &bundle.commit);
        assert_eq!(summary, own);
        assert_eq!(superseded, None);
    }
    assert_eq!((own.from_epoch, own.to_epoch), (1, 2));
    assert_eq!(own.committer, member(1, "bob"));
    assert_eq!(own.added, [newcomer(&dave), newcomer(&erin)]);
    assert_eq!(
        (own.removed, own.external_joins, own.psks),
        (vec![], vec![], vec![])
    );
    assert!(!own.self_removed && !own.extensions_changed);
    for device in [&dave, &erin] {
        device.join(bundle.welcome.as_ref().unwrap());
    }
    reload(&mut [&mut alice, &mut bob, &mut carol, &mut dave, &mut erin]);
    assert_agree(&id, &[&alice, &bob, &carol, &dave, &erin]);
    assert_eq!(dave.member_names(&id), ["alice", "bob", "carol", "dave", "erin"]);
}

#[test]
fn a_removal_tells_everybody_who_goes_and_the_removed_one_that_it_is_itself() {
    let (mut alice, mut bob, mut carol, id) = three();
    let gone = alice.group(&id).members().unwrap().remove(1);
    let bundle = carol.group(&id).remove_members(vec![1]).unwrap();
    assert_eq!(bundle.welcome, None);
    carol.group(&id).merge_pending_commit().unwrap();
    reload(&mut [&mut alice, &mut bob, &mut carol]);
    for (device, self_removed) in [(&alice, false), (&bob, true)] {
        let (summary, _) = device.follow(&id, &bundle.commit);
        assert_eq!(summary.removed, std::slice::from_ref(&gone));
        assert_eq!(summary.self_removed, self_removed);
        assert_eq!(summary.committer, member(2, "carol"));
        assert_eq!(summary.added, []);
    }
    reload(&mut [&mut alice, &mut bob, &mut carol]);
    assert_agree(&id, &[&alice, &carol]);
    let info = bob.group(&id).info().unwrap();
    assert!(!info.is_active);
    assert!(!bob.client().groups().unwrap()[0].is_active);
    for result in [
        bob.group(&id).self_update(None).map(drop),
        bob.group(&id).remove_members(vec![0]).map(drop),
        bob.group(&id)
            .add_members(vec![Device::new("dave").key_package()])
            .map(drop),
        bob.group(&id)
            .export_secret("label".to_owned(), Vec::new(), 32)
            .map(drop),
    ] {
        assert_eq!(result.unwrap_err(), MlsError::GroupInactive);
    }
}

#[test]
fn an_update_names_the_renewed_leaf_and_changes_the_authenticator() {
    let (mut alice, mut bob, carol, id) = three();
    let before = bob.authenticator(&id);
    let bundle = alice.group(&id).self_update(None).unwrap();
    assert_eq!((bundle.epoch, &bundle.welcome), (1, &None));
    alice.group(&id).merge_pending_commit().unwrap();
    reload(&mut [&mut alice, &mut bob]);
    let (summary, _) = bob.follow(&id, &bundle.commit);
    assert_eq!(summary.updated.len(), 1);
    assert_eq!(summary.updated[0].before, summary.updated[0].after);
    assert_eq!(summary.updated[0].after, bob.group(&id).members().unwrap()[0]);
    assert_eq!((summary.from_epoch, summary.to_epoch), (1, 2));
    carol.follow(&id, &bundle.commit);
    assert_agree(&id, &[&alice, &bob, &carol]);
    assert_ne!(bob.authenticator(&id), before);
}

#[test]
fn the_pending_bundle_survives_restarts_and_is_gone_after_the_merge() {
    let (mut alice, bob, carol, id) = three();
    assert_eq!(alice.group(&id).pending_commit().unwrap(), None);
    let dave = Device::new("dave");
    let bundle = alice.group(&id).add_members(vec![dave.key_package()]).unwrap();
    for _ in 0..2 {
        alice.reload();
        assert_eq!(alice.group(&id).pending_commit().unwrap().as_ref(), Some(&bundle));
        assert!(alice.group(&id).info().unwrap().has_pending_commit);
    }
    deliver(&id, &alice, &bundle, &[&bob, &carol]);
    assert_eq!(alice.group(&id).pending_commit().unwrap(), None);
    alice.reload();
    assert_eq!(alice.group(&id).pending_commit().unwrap(), None);
    assert!(!alice.group(&id).info().unwrap().has_pending_commit);
    assert_eq!(
        alice.group(&id).merge_pending_commit().unwrap_err(),
        MlsError::NoPendingCommit
    );
}

#[test]
fn merging_after_the_echo_answers_the_same_until_it_would_mean_another_commit() {
    let (mut alice, bob, carol, id) = three();
    let merge = |device: &Device| device.group(&id).merge_pending_commit();
    let bundle = alice.group(&id).self_update(None).unwrap();
    alice.receive(&id, &bundle.commit);
    for _ in 0..2 {
        alice.reload();
        assert_eq!(merge(&alice).unwrap().summary.to_epoch, 2);
        assert_eq!(alice.epoch(&id), 2);
    }
    for device in [&bob, &carol] {
        device.follow(&id, &bundle.commit);
    }
    assert_agree(&id, &[&alice, &bob, &carol]);

    // A later own Commit that was cleared is not the one that was merged.
    alice.group(&id).self_update(None).unwrap();
    alice.group(&id).clear_pending_commit().unwrap();
    alice.reload();
    assert_eq!(merge(&alice), Err(MlsError::NoPendingCommit));

    // Neither is another member's.
    let bundle = alice.group(&id).self_update(None).unwrap();
    for device in [&alice, &bob, &carol] {
        device.receive(&id, &bundle.commit);
    }
    advance(&id, &bob, &[&alice, &carol]);
    assert_eq!(merge(&alice), Err(MlsError::NoPendingCommit));
}

#[test]
fn one_own_commit_waits_at_a_time() {
    let (mut alice, bob, carol, id) = three();
    let dave = Device::new("dave");
    let group = alice.group(&id);
    assert_eq!(
        group.merge_pending_commit().unwrap_err(),
        MlsError::NoPendingCommit
    );
    group.clear_pending_commit().unwrap();
    let bundle = group.self_update(None).unwrap();
    drop(group);
    alice.reload();
    let group = alice.group(&id);
    for result in [
        group.self_update(None),
        group.remove_members(vec![1]),
        group.add_members(vec![dave.key_package()]),
    ] {
        assert_eq!(result.unwrap_err(), MlsError::PendingCommitExists);
        assert_eq!(group.pending_commit().unwrap().as_ref(), Some(&bundle));
    }
    // A message may still be sent, in the epoch that has not ended.
    assert_eq!(bob.read(&id, &alice.send(&id, "waiting")), "waiting");
    deliver(&id, &alice, &bundle, &[&bob, &carol]);
    assert_agree(&id, &[&alice, &bob, &carol]);
}

#[test]
fn removals_that_make_no_sense_are_refused_and_change_nothing() {
    let (mut alice, bob, carol, id) = three();
    let argument = |argument: &str, reason| MlsError::InvalidArgument {
        argument: argument.to_owned(),
        reason,
    };
    let leaves = |reason| argument("leaf_indices", reason);
    let cases = [
        (vec![], leaves(ArgumentReason::Empty)),
        (vec![1, 2, 1], leaves(ArgumentReason::Duplicate)),
        (vec![0], leaves(ArgumentReason::OutOfRange)),
        (vec![1, 0], leaves(ArgumentReason::OutOfRange)),
        (vec![1, 3], MlsError::MemberNotFound { leaf_index: 3 }),
        (vec![u32::MAX], MlsError::MemberNotFound { leaf_index: u32::MAX }),
    ];
    for (leaf_indices, expected) in cases {
        let error = alice.group(&id).remove_members(leaf_indices.clone()).unwrap_err();
        assert_eq!(error, expected, "{leaf_indices:?}");
        assert_eq!(alice.group(&id).pending_commit().unwrap(), None);
    }
    let error = alice.group(&id).add_members(Vec::new()).unwrap_err();
    assert_eq!(error, argument("key_packages", ArgumentReason::Empty));
    alice.reload();
    advance(&id, &alice, &[&bob, &carol]);
    assert_agree(&id, &[&alice, &bob, &carol]);
}

#[test]
fn a_blank_leaf_is_no_member_and_is_given_to_the_next_newcomer() {
    let (mut alice, bob, carol, id) = three();
    let removal = alice.group(&id).remove_members(vec![1]).unwrap();
    deliver(&id, &alice, &removal, &[&bob, &carol]);
    alice.reload();
    let error = alice.group(&id).remove_members(vec![1]).unwrap_err();
    assert_eq!(error, MlsError::MemberNotFound { leaf_index: 1 });
    let dave = Device::new("dave");
    let add = alice.group(&id).add_members(vec![dave.key_package()]).unwrap();
    deliver(&id, &alice, &add, &[&carol]);
    dave.join(&add.welcome.unwrap());
    assert_agree(&id, &[&alice, &carol, &dave]);
    assert_eq!(dave.group(&id).info().unwrap().own_leaf_index, 1);
    let names: Vec<Credential> = ["alice", "dave", "carol"].map(basic).into();
    let members = carol.group(&id).members().unwrap();
    assert_eq!(
        members
            .into_iter()
            .map(|member| member.credential)
            .collect::<Vec<_>>(),
        names
    );
}

#[test]
fn a_swap_lets_a_device_without_its_state_come_back_under_its_key() {
    let (mut alice, mut bob, mut carol, id) = three();
    let dave = Device::new("dave");
    let again = carol.fork();
    let key_packages = vec![again.key_package(), dave.key_package()];
    again.group(&id).delete().unwrap();
    // An Add alone would make her a second member.
    assert!(matches!(
        alice.group(&id).add_members(key_packages.clone()),
        Err(MlsError::KeyPackageInvalid { .. })
    ));
    let bundle = alice.group(&id).swap_members(vec![2], key_packages).unwrap();
    alice.reload();
    let own = alice.group(&id).merge_pending_commit().unwrap().summary;
    assert_eq!((own.removed.len(), own.added.len()), (1, 2));
    assert_eq!(bob.follow(&id, &bundle.commit).0, own);
    assert!(carol.follow(&id, &bundle.commit).0.self_removed);
    for device in [&again, &dave] {
        device.join(bundle.welcome.as_ref().unwrap());
    }
    reload(&mut [&mut alice, &mut bob, &mut carol]);
    assert_agree(&id, &[&alice, &bob, &again, &dave]);
    assert_eq!(alice.member_names(&id), ["alice", "bob", "carol", "dave"]);
    assert!(!carol.group(&id).info().unwrap().is_active);
}

#[test]
fn swaps_that_make_no_sense_are_refused() {
    let (alice, bob, _, id) = three();
    let dave = Device::new("dave").key_package();
    let argument = |argument: &str, reason| MlsError::InvalidArgument {
        argument: argument.to_owned(),
        reason,
    };
    let group = alice.group(&id);
    for (remove, add, expected) in [
        (
            vec![],
            vec![dave.clone()],
            argument("remove", ArgumentReason::Empty),
        ),
        (vec![1], vec![], argument("add", ArgumentReason::Empty)),
        (
            vec![1, 1],
            vec![dave.clone()],
            argument("remove", ArgumentReason::Duplicate),
        ),
        (
            vec![0],
            vec![dave.clone()],
            argument("remove", ArgumentReason::OutOfRange),
        ),
        (
            vec![9],
            vec![dave.clone()],
            MlsError::MemberNotFound { leaf_index: 9 },
        ),
        (vec![1], vec![vec![1]], MlsError::MessageMalformed),
    ] {
        assert_eq!(group.swap_members(remove, add), Err(expected));
    }
    // Bob stays, so he cannot be added.
    assert!(matches!(
        group.swap_members(vec![2], vec![bob.key_package()]),
        Err(MlsError::KeyPackageInvalid { .. })
    ));
    assert_eq!(group.pending_commit().unwrap(), None);
}
