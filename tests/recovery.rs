//! A lost phone: a new one comes back to its groups, from an archive that has no key of any epoch.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use common::{Device, advance, assert_agree, basic, deliver, group_of, hsm::Hsm, incoming};
use mls_mobile::{
    BatchOutcome, Ciphersuite, GroupConfig, GroupId, GroupToRejoin, MlsError, ProcessedMessage, PskId,
    WireFormat,
};

fn waiting(device: &Device) -> Vec<GroupToRejoin> {
    device.client().groups_to_rejoin().unwrap()
}

fn waiting_ids(device: &Device) -> Vec<GroupId> {
    waiting(device).into_iter().map(|group| group.group_id).collect()
}

/// Rejoins, the members follow and see the old leaf go, and the join is confirmed.
fn come_back(id: &GroupId, device: &mut Device, members: &[&Device]) {
    let join = device.rejoin(id, members[0]);
    assert_eq!(join.old_leaf_remains, None);
    for member in members {
        let (summary, _) = member.follow(id, &join.commit);
        assert_eq!(summary.removed.len(), 1);
        assert_eq!(summary.removed[0].credential, basic(&device.name));
        assert_eq!(summary.external_joins.len(), 1);
    }
    device.reload();
    device.client().confirm_external_join(id.clone()).unwrap();
    device.reload();
}

/// All agree, and each reads the others.
fn talk(id: &GroupId, devices: &[&Device]) {
    assert_agree(id, devices);
    for sender in devices {
        let message = sender.send(id, &sender.name);
        for reader in devices.iter().filter(|reader| reader.name != sender.name) {
            assert_eq!(reader.read(id, &message), sender.name);
        }
    }
}

fn suites() -> [Ciphersuite; 3] {
    [
        Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519,
        Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519,
        Ciphersuite::MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519,
    ]
}

#[test]
fn a_lost_phone_comes_back_to_its_identities_keys_and_groups() {
    for suite in suites() {
        let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| Device::with_suite(name, suite));
        let groups = [
            group_of(&[&bob, &alice, &carol]),
            group_of(&[&alice, &bob, &carol]),
        ];
        let work = alice.client().create_identity(basic("work"), suite).unwrap();
        for device in [&alice, &bob, &carol] {
            device
                .client()
                .register_psk(b"psk".to_vec(), vec![8; 32])
                .unwrap();
        }
        let archive = alice.archive();
        // Nobody notices yet: the others go on.
        advance(&groups[0], &bob, &[&carol]);
        let unread = bob.send(&groups[0], "unread");

        let mut new = alice.recovered(&archive);
        drop(alice);
        new.reload();
        let identities = new.client().identities().unwrap();
        let ids: Vec<_> = identities.iter().map(|identity| &identity.id).collect();
        assert_eq!(ids, [&new.identity, &work.id]);
        assert_eq!(new.client().groups().unwrap(), []);
        assert_eq!(new.client().key_packages().unwrap(), []);
        let expected = |id: &GroupId, own_leaf_index| GroupToRejoin {
            group_id: id.clone(),
            identity: new.identity.clone(),
            ciphersuite: suite,
            epoch: 1,
            own_leaf_index,
            is_active: true,
        };
        assert_eq!(waiting(&new), [expected(&groups[0], 1), expected(&groups[1], 0)]);

        for id in &groups {
            assert_eq!(
                new.client().group(id.clone()).err(),
                Some(MlsError::GroupNotRejoined)
            );
        }
        let mut batch = new
            .client()
            .process_messages(vec![incoming(&unread, 1)], None)
            .unwrap();
        let outcome = batch.outcomes.remove(0);
        assert!(
            matches!(&outcome, BatchOutcome::Failed { error, .. } if *error == MlsError::GroupNotRejoined),
            "{outcome:?}"
        );
        for (index, id) in groups.iter().enumerate() {
            assert_eq!(waiting_ids(&new), groups[index..]);
            come_back(id, &mut new, &[&bob, &carol]);
            talk(id, &[&new, &bob, &carol]);
            advance(id, &new, &[&bob, &carol]);
            advance(id, &carol, &[&new, &bob]);
        }
        assert_eq!(waiting(&new), []);
        assert_eq!(
            new.receive(&groups[0], &unread),
            ProcessedMessage::Stale { epoch: 2 }
        );
        // The shared secret came along.
        let group = new.group(&groups[0]);
        let proposal = group
            .propose_psk(PskId::External { id: b"psk".to_vec() })
            .unwrap();
        for member in [&bob, &carol] {
            member.receive(&groups[0], &proposal.proposal);
        }
        let commit = group.commit_to_pending_proposals().unwrap();
        deliver(&groups[0], &new, &commit, &[&bob, &carol]);
        talk(&groups[0], &[&new, &bob, &carol]);
    }
}

#[test]
fn a_group_comes_back_as_the_app_had_set_it_up() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&bob, &alice]);
    let config = GroupConfig {
        public_handshakes: true,
        max_past_epochs: 0,
        ..GroupConfig::default()
    };
    alice.group(&id).configure(config).unwrap();
    let by_commit = |new: &mut Device| come_back(&id, new, &[&bob]);
    let by_welcome = |new: &mut Device| {
        let leaf = bob.leaf_of(&id, "alice");
        let swap = bob
            .group(&id)
            .swap_members(vec![leaf], vec![new.key_package()])
            .unwrap();
        bob.group(&id).merge_pending_commit().unwrap();
        new.join(&swap.welcome.unwrap());
    };
    let archive = alice.archive();
    let ways: [&dyn Fn(&mut Device); 2] = [&by_commit, &by_welcome];
    for come_back in ways {
        let mut new = alice.recovered(&archive);
        come_back(&mut new);
        assert_eq!(waiting(&new), []);
        talk(&id, &[&new, &bob]);
        let late = bob.send(&id, "late");
        let update = advance(&id, &new, &[&bob]);
        let info = new.client().message_info(update.commit).unwrap();
        assert_eq!(info.wire_format, WireFormat::PublicMessage);
        let epoch = new.epoch(&id) - 1;
        assert_eq!(new.receive(&id, &late), ProcessedMessage::Stale { epoch });
    }
}

#[test]
fn a_leaf_under_a_key_that_the_archive_lacks_is_reported_and_can_be_removed() {
    let (mut alice, bob, carol) = (Device::new("alice"), Device::new("bob"), Device::new("carol"));
    let id = group_of(&[&bob, &carol, &alice]);
    let archive = alice.archive();
    // The identity changes, and no new archive is made.
    let newer = alice
        .client()
        .create_identity(basic("alice"), common::SUITE)
        .unwrap();
    let update = alice.group(&id).self_update(Some(newer.id)).unwrap();
    deliver(&id, &alice, &update, &[&bob, &carol]);

    let mut new = alice.recovered(&archive);
    let join = new.rejoin(&id, &bob);
    assert_eq!(join.old_leaf_remains, Some(2));
    new.reload();
    assert_eq!(
        new.client().pending_external_join(id.clone()).unwrap(),
        Some(join.clone())
    );
    for member in [&bob, &carol, &alice] {
        assert_eq!(member.follow(&id, &join.commit).0.removed, []);
    }
    new.client().confirm_external_join(id.clone()).unwrap();
    talk(&id, &[&bob, &carol]);
    let removal = new.group(&id).remove_members(vec![2]).unwrap();
    deliver(&id, &new, &removal, &[&bob, &carol, &alice]);
    talk(&id, &[&new, &bob, &carol]);
    alice.reload();
    assert!(!alice.group(&id).info().unwrap().is_active);
}

#[test]
fn a_leaf_of_another_identity_in_the_archive_is_reported_until_that_one_joins() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&bob, &alice]);
    let newer = alice
        .client()
        .create_identity(basic("alice 2"), common::SUITE)
        .unwrap();
    let archive = alice.archive();
    // So it is without a loss: the Commit would make a second leaf of this device.
    let group_info = bob.group(&id).export_group_info(true).unwrap();
    let second = alice
        .client()
        .join_by_external_commit(newer.id.clone(), group_info, None)
        .unwrap();
    assert_eq!(second.old_leaf_remains, Some(1));
    alice.client().abandon_external_join(id.clone()).unwrap();
    let update = alice.group(&id).self_update(Some(newer.id.clone())).unwrap();
    deliver(&id, &alice, &update, &[&bob]);

    let mut new = alice.recovered(&archive);
    assert_eq!(new.rejoin(&id, &bob).old_leaf_remains, Some(1));
    // A new join takes the place of the one that waits.
    new.identity = newer.id;
    let join = new.rejoin(&id, &bob);
    assert_eq!(join.old_leaf_remains, None);
    assert_eq!(bob.follow(&id, &join.commit).0.removed.len(), 1);
    new.client().confirm_external_join(id.clone()).unwrap();
    talk(&id, &[&new, &bob]);
    assert_eq!(bob.member_names(&id), ["bob", "alice 2"]);
}

#[test]
fn a_leaf_that_was_removed_and_whose_place_another_has_is_not_reported() {
    let (alice, bob, dave) = (Device::new("alice"), Device::new("bob"), Device::new("dave"));
    let id = group_of(&[&bob, &alice]);
    let new = alice.recovered(&alice.archive());
    let swap = bob
        .group(&id)
        .swap_members(vec![1], vec![dave.key_package()])
        .unwrap();
    bob.group(&id).merge_pending_commit().unwrap();
    dave.join(&swap.welcome.unwrap());
    assert_eq!(bob.leaf_of(&id, "dave"), 1);

    let join = new.rejoin(&id, &bob);
    assert_eq!(join.old_leaf_remains, None);
    for member in [&bob, &dave] {
        assert_eq!(member.follow(&id, &join.commit).0.removed, []);
    }
    new.client().confirm_external_join(id.clone()).unwrap();
    talk(&id, &[&new, &bob, &dave]);
    // Of a stranger's join nothing is reported either.
    let stranger = Device::new("stranger");
    assert_eq!(stranger.rejoin(&id, &bob).old_leaf_remains, None);
}

#[test]
fn two_phones_from_one_archive_follow_each_other_and_the_last_one_stays() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&bob, &alice]);
    let archive = alice.archive();
    let [mut first, second] = [0, 1].map(|_| alice.recovered(&archive));
    come_back(&id, &mut first, &[&bob]);
    talk(&id, &[&first, &bob]);
    let before = first.send(&id, "from the first");
    let join = second.rejoin(&id, &bob);
    assert_eq!(join.old_leaf_remains, None);
    second.client().confirm_external_join(id.clone()).unwrap();
    assert_eq!(bob.read(&id, &before), "from the first");
    bob.follow(&id, &join.commit);
    // An ordinary removal, for the first and for the phone that was lost.
    assert_eq!(first.follow(&id, &join.commit).0.removed.len(), 1);
    first.reload();
    assert_eq!(
        first.group(&id).create_message(b"no".to_vec(), Vec::new()).err(),
        Some(MlsError::GroupInactive)
    );
    talk(&id, &[&second, &bob]);
    assert_eq!(
        first.group(&id).process_message(bob.send(&id, "after")).err(),
        Some(MlsError::GroupInactive)
    );
    // It can come back in the same way, as long as the app lets it.
    let join = first.rejoin(&id, &bob);
    bob.follow(&id, &join.commit);
    second.follow(&id, &join.commit);
    first.client().confirm_external_join(id.clone()).unwrap();
    talk(&id, &[&first, &bob]);
}

#[test]
fn an_abandoned_join_leaves_the_group_waiting_and_an_echo_settles_it() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&bob, &alice]);
    let mut new = alice.recovered(&alice.archive());
    new.rejoin(&id, &bob);
    assert_eq!(waiting_ids(&new), std::slice::from_ref(&id));
    new.client().abandon_external_join(id.clone()).unwrap();
    new.reload();
    assert_eq!(waiting_ids(&new), std::slice::from_ref(&id));
    assert_eq!(
        new.client().confirm_external_join(id.clone()).err(),
        Some(MlsError::NoExternalJoin)
    );

    let old = bob.send(&id, "old");
    let join = new.rejoin(&id, &bob);
    bob.follow(&id, &join.commit);
    let early = bob.send(&id, "early");
    new.reload();
    let messages = [&old, &early, &join.commit].map(|bytes| incoming(bytes, 1));
    let batch = new.client().process_messages(messages.to_vec(), None).unwrap();
    let outcomes: Vec<_> = batch
        .outcomes
        .into_iter()
        .map(|outcome| match outcome {
            BatchOutcome::Processed { outcome, .. } => outcome,
            failed @ BatchOutcome::Failed { .. } => panic!("{failed:?}"),
        })
        .collect();
    assert_eq!(
        outcomes[..2],
        [
            ProcessedMessage::Stale { epoch: 1 },
            ProcessedMessage::Early { epoch: 2 }
        ]
    );
    let ProcessedMessage::OwnCommit { released, .. } = &outcomes[2] else {
        panic!("{outcomes:?}")
    };
    assert_eq!(common::texts(released), ["early"]);
    assert_eq!(waiting(&new), []);
    new.reload();
    talk(&id, &[&new, &bob]);
}

#[test]
fn a_group_that_waits_keeps_its_id_and_its_identity_until_it_is_forgotten() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let ids = [group_of(&[&bob, &alice]), group_of(&[&bob, &alice])];
    let mut new = alice.recovered(&alice.archive());
    let client = |device: &Device| std::sync::Arc::clone(device.client());
    let other = client(&new)
        .create_identity(basic("other"), common::SUITE)
        .unwrap();
    let create = |device: &Device| {
        let config = GroupConfig {
            group_id: Some(ids[0].clone()),
            ..GroupConfig::default()
        };
        device
            .client()
            .create_group(other.id.clone(), Some(config))
            .map(drop)
    };
    assert_eq!(create(&new), Err(MlsError::GroupAlreadyExists));
    assert_eq!(
        client(&new).delete_identity(new.identity.clone()),
        Err(MlsError::IdentityInUse)
    );
    let join = new.rejoin(&ids[0], &bob);
    for _ in 0..2 {
        client(&new).forget_group_to_rejoin(ids[0].clone()).unwrap();
        assert_eq!(waiting_ids(&new), ids[1..]);
    }
    assert_eq!(
        client(&new).confirm_external_join(join.group_id).err(),
        Some(MlsError::NoExternalJoin)
    );
    assert_eq!(
        new.client().group(ids[0].clone()).err(),
        Some(MlsError::GroupNotFound)
    );
    create(&new).unwrap();
    client(&new).forget_group_to_rejoin(ids[1].clone()).unwrap();
    client(&new).delete_identity(new.identity.clone()).unwrap();
    new.reload();
    assert_eq!(waiting(&new), []);
    // One that is there is not touched.
    client(&new).forget_group_to_rejoin(ids[0].clone()).unwrap();
    assert_eq!(new.epoch(&ids[0]), 0);
}

#[test]
fn a_group_that_the_lost_phone_was_removed_from_says_so() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&bob, &alice]);
    let removal = bob.group(&id).remove_members(vec![1]).unwrap();
    deliver(&id, &bob, &removal, &[&alice]);
    let new = alice.recovered(&alice.archive());
    assert!(!waiting(&new)[0].is_active);
}

#[test]
fn an_identity_whose_key_is_outside_comes_back_and_waits_for_its_signer() {
    let (mut alice, bob) = (Device::new("alice"), Device::new("bob"));
    let hsm = Hsm::new();
    alice.identity = hsm.create_identity(&alice, basic("alice")).id;
    let id = group_of(&[&bob, &alice]);
    let archive = alice.archive();
    let identities = alice.client().identities().unwrap();
    drop(alice);

    let phone = Device::new("alice");
    let mut new = phone.recovered(&archive);
    new.identity = identities[1].id.clone();
    assert_eq!(new.client().identities().unwrap(), identities);
    assert_eq!(waiting(&new)[0].identity, new.identity);
    let group_info = bob.group(&id).export_group_info(true).unwrap();
    let join = |new: &Device| {
        new.client()
            .join_by_external_commit(new.identity.clone(), group_info.clone(), None)
    };
    assert_eq!(join(&new).err(), Some(MlsError::SignerMissing));
    assert_eq!(waiting_ids(&new), std::slice::from_ref(&id));
    // A key that is not the identity's is of no use.
    assert_eq!(
        new.client().attach_signer(new.identity.clone(), Hsm::new()),
        Err(MlsError::SignerFailed)
    );
    new.reload();
    assert_eq!(join(&new).err(), Some(MlsError::SignerMissing));
    new.client()
        .attach_signer(new.identity.clone(), hsm.clone())
        .unwrap();
    let join = join(&new).unwrap();
    assert_eq!(join.old_leaf_remains, None);
    assert_eq!(bob.follow(&id, &join.commit).0.removed.len(), 1);
    // Confirming needs none.
    new.reload();
    new.client().confirm_external_join(id.clone()).unwrap();
    assert_eq!(new.read(&id, &bob.send(&id, "welcome back")), "welcome back");
    assert_eq!(
        new.group(&id).create_message(b"no".to_vec(), Vec::new()).err(),
        Some(MlsError::SignerMissing)
    );
    new.client().attach_signer(new.identity.clone(), hsm).unwrap();
    talk(&id, &[&new, &bob]);
}

#[test]
fn a_phone_lost_in_the_middle_of_a_change_comes_back_by_the_identity_that_won() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&bob, &alice]);
    let newer = alice
        .client()
        .create_identity(basic("alice 2"), common::SUITE)
        .unwrap();
    let update = alice.group(&id).self_update(Some(newer.id.clone())).unwrap();
    let archive = alice.archive();
    for won in [false, true] {
        let mut new = alice.recovered(&archive);
        assert_eq!(waiting(&new)[0].identity, alice.identity);
        if won {
            bob.follow(&id, &update.commit);
            assert_eq!(new.rejoin(&id, &bob).old_leaf_remains, Some(1));
            new.identity = newer.id.clone();
        }
        let join = new.rejoin(&id, &bob);
        assert_eq!(join.old_leaf_remains, None);
        let bob = bob.fork();
        assert_eq!(bob.follow(&id, &join.commit).0.removed.len(), 1);
        new.client().confirm_external_join(id.clone()).unwrap();
        talk(&id, &[&new, &bob]);
    }
}

#[test]
fn a_group_with_a_staged_commit_or_a_waiting_join_is_archived_as_it_was_before() {
    let (alice, bob) = (Device::without_validator("alice"), Device::new("bob"));
    let id = group_of(&[&bob, &alice]);
    let before = alice.client().recovery_revision().unwrap();
    let commit = bob.group(&id).self_update(None).unwrap().commit;
    bob.group(&id).merge_pending_commit().unwrap();
    alice.receive(&id, &commit);
    alice.rejoin(&id, &bob);
    assert_eq!(alice.client().recovery_revision().unwrap(), before);
    let mut new = alice.recovered(&alice.archive());
    assert_eq!(waiting(&new)[0].epoch, 1);
    come_back(&id, &mut new, &[&bob]);
    talk(&id, &[&new, &bob]);
}
