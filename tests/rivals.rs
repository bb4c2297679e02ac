//! The delivery service's answer to an own Commit: refused, echoed, or beaten by a rival.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use common::{Device, advance, assert_agree, basic, deliver, group_of, reload};
use mls_mobile::{CommitState, GroupConfig, GroupId, MlsError, NewMember, ProcessedMessage, Sender};

fn member(leaf_index: u32, name: &str) -> Sender {
    Sender::Member {
        leaf_index,
        credential: basic(name),
    }
}

fn three() -> (Device, Device, Device, GroupId) {
    let (alice, bob, carol) = (Device::new("alice"), Device::new("bob"), Device::new("carol"));
    let id = group_of(&[&alice, &bob, &carol]);
    (alice, bob, carol, id)
}

#[test]
fn after_a_clear_another_commit_can_be_made() {
    let (mut alice, mut bob, carol, id) = three();
    let refused = alice.group(&id).remove_members(vec![1]).unwrap();
    alice.reload();
    alice.group(&id).clear_pending_commit().unwrap();
    alice.reload();
    assert_eq!(alice.group(&id).pending_commit().unwrap(), None);
    assert!(!alice.group(&id).info().unwrap().has_pending_commit);
    let error = alice.group(&id).merge_pending_commit().unwrap_err();
    assert_eq!(error, MlsError::NoPendingCommit);
    let accepted = advance(&id, &alice, &[&bob, &carol]);
    assert_ne!(accepted.commit, refused.commit);
    bob.reload();
    assert_eq!(
        bob.receive(&id, &refused.commit),
        ProcessedMessage::Stale { epoch: 1 }
    );
    assert_agree(&id, &[&alice, &bob, &carol]);
    assert_eq!(alice.member_names(&id), ["alice", "bob", "carol"]);
}

#[test]
fn the_own_commit_that_comes_back_is_merged_and_then_a_duplicate() {
    let (mut alice, mut bob, carol, id) = three();
    let bundle = alice.group(&id).self_update(None).unwrap();
    alice.reload();
    let epoch = match alice.receive(&id, &bundle.commit) {
        ProcessedMessage::OwnCommit { epoch, .. } => epoch,
        other => panic!("{other:?}"),
    };
    assert_eq!(epoch, 2);
    alice.reload();
    assert_eq!(alice.epoch(&id), 2);
    assert_eq!(alice.group(&id).pending_commit().unwrap(), None);
    assert_eq!(alice.receive(&id, &bundle.commit), ProcessedMessage::Duplicate);
    let merged = alice.group(&id).merge_pending_commit().unwrap();
    assert_eq!(merged.summary.to_epoch, 2);
    assert_eq!(alice.epoch(&id), 2);

    for device in [&bob, &carol] {
        device.follow(&id, &bundle.commit);
    }
    bob.reload();
    assert_eq!(bob.receive(&id, &bundle.commit), ProcessedMessage::Duplicate);
    assert_agree(&id, &[&alice, &bob, &carol]);
}

#[test]
fn a_cleared_commit_that_was_accepted_after_all_is_merged_when_it_comes_back() {
    for public_handshakes in [false, true] {
        let (mut alice, bob, carol, id) = three();
        let dave = Device::new("dave");
        let config = GroupConfig {
            public_handshakes,
            ..GroupConfig::default()
        };
        alice.group(&id).configure(config).unwrap();
        let accepted = alice.group(&id).add_members(vec![dave.key_package()]).unwrap();
        alice.group(&id).clear_pending_commit().unwrap();
        alice.reload();
        let tried_again = alice.group(&id).remove_members(vec![1]).unwrap();
        alice.reload();
        let outcome = alice.receive(&id, &accepted.commit);
        let ProcessedMessage::OwnCommit {
            epoch,
            welcome,
            superseded,
            ..
        } = outcome
        else {
            panic!("public: {public_handshakes}: {outcome:?}")
        };
        assert_eq!((epoch, &welcome), (2, &accepted.welcome));
        assert_eq!(superseded.unwrap().removed.len(), 1);
        assert_eq!(alice.group(&id).pending_commit().unwrap(), None);
        alice.reload();
        for device in [&bob, &carol] {
            device.follow(&id, &accepted.commit);
            let stale = device.receive(&id, &tried_again.commit);
            assert_eq!(stale, ProcessedMessage::Stale { epoch: 1 });
        }
        dave.join(&welcome.unwrap());
        assert_agree(&id, &[&alice, &bob, &carol, &dave]);
        assert_eq!(alice.receive(&id, &accepted.commit), ProcessedMessage::Duplicate);
    }
}

#[test]
fn a_cleared_commit_is_forgotten_when_its_epoch_ends() {
    let (mut alice, bob, carol, id) = three();
    let cleared = alice.group(&id).self_update(None).unwrap();
    alice.group(&id).clear_pending_commit().unwrap();
    advance(&id, &bob, &[&alice, &carol]);
    alice.reload();
    assert_eq!(
        alice.receive(&id, &cleared.commit),
        ProcessedMessage::Stale { epoch: 1 }
    );
    assert_agree(&id, &[&alice, &bob, &carol]);
}

#[test]
fn the_echo_of_a_commit_that_was_merged_by_hand_is_a_duplicate() {
    let (mut alice, bob, carol, id) = three();
    let bundle = advance(&id, &alice, &[&bob, &carol]);
    alice.reload();
    assert_eq!(alice.receive(&id, &bundle.commit), ProcessedMessage::Duplicate);
    assert_eq!(alice.epoch(&id), 2);
}

#[test]
fn a_rival_commit_wins_and_tells_what_ours_would_have_done() {
    let (mut alice, mut bob, mut carol, id) = three();
    let dave = Device::new("dave");
    let ours = alice.group(&id).add_members(vec![dave.key_package()]).unwrap();
    let rival = bob.group(&id).remove_members(vec![2]).unwrap();
    reload(&mut [&mut alice, &mut bob, &mut carol]);
    bob.group(&id).merge_pending_commit().unwrap();
    let (summary, superseded) = match alice.receive(&id, &rival.commit) {
        ProcessedMessage::Commit {
            summary,
            state: CommitState::Merged,
            superseded,
            ..
        } => (summary, superseded.unwrap()),
        other => panic!("{other:?}"),
    };
    assert_eq!(summary.committer, member(1, "bob"));
    assert_eq!(summary.removed[0].credential, basic("carol"));
    assert_eq!(superseded.committer, member(0, "alice"));
    let dave_as_added = NewMember {
        credential: basic("dave"),
        signature_key: dave.identity.0.clone(),
    };
    assert_eq!(superseded.added, [dave_as_added]);
    assert_eq!((superseded.from_epoch, superseded.to_epoch), (1, 2));
    alice.reload();
    assert_eq!(alice.group(&id).pending_commit().unwrap(), None);
    // The loser's Commit does nothing any more, wherever it arrives.
    assert_eq!(
        alice.receive(&id, &ours.commit),
        ProcessedMessage::Stale { epoch: 1 }
    );
    assert_eq!(
        bob.receive(&id, &ours.commit),
        ProcessedMessage::Stale { epoch: 1 }
    );
    assert_agree(&id, &[&alice, &bob]);
    assert_eq!(alice.member_names(&id), ["alice", "bob"]);
    // And it can be made again.
    let again = alice.group(&id).add_members(vec![dave.key_package()]).unwrap();
    deliver(&id, &alice, &again, &[&bob]);
    dave.join(&again.welcome.unwrap());
    assert_agree(&id, &[&alice, &bob, &dave]);
}

#[test]
fn a_rival_that_removes_us_leaves_no_pending_commit() {
    let (mut alice, bob, _carol, id) = three();
    alice.group(&id).self_update(None).unwrap();
    let rival = bob.group(&id).remove_members(vec![0]).unwrap();
    let (summary, superseded) = alice.follow(&id, &rival.commit);
    assert!(summary.self_removed);
    assert_eq!(superseded.unwrap().committer, member(0, "alice"));
    alice.reload();
    assert!(!alice.group(&id).info().unwrap().has_pending_commit);
    assert_eq!(alice.group(&id).pending_commit().unwrap(), None);
}

#[test]
fn the_welcome_of_an_own_commit_that_an_extension_merged_is_not_lost() {
    let (mut alice, bob, carol) = (Device::new("alice"), Device::new("bob"), Device::new("carol"));
    let id = common::group_of(&[&alice, &bob]);
    let bundle = alice.group(&id).add_members(vec![carol.key_package()]).unwrap();
    // The Commit was sent, and the app died before it had sent the Welcome. Its extension sees the echo.
    let extension = alice.open_again(|_| ());
    extension
        .group(id.clone())
        .unwrap()
        .process_message(bundle.commit.clone())
        .unwrap();
    drop(extension);
    alice.reload();
    assert_eq!(alice.group(&id).pending_commit().unwrap(), None);
    let entry = alice.client().inbox(10).unwrap().pop().unwrap();
    let ProcessedMessage::OwnCommit {
        epoch: 2,
        welcome: Some(welcome),
        group_info: Some(_),
        ..
    } = entry.outcome
    else {
        panic!("{entry:?}")
    };
    assert_eq!(Some(&welcome), bundle.welcome.as_ref());
    carol.client().join_from_welcome(welcome, None).unwrap();
    common::assert_agree(&id, &[&alice, &carol]);
}
