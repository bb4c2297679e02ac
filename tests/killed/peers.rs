//! What a killed app's peers see: every message, each once.

use mls_mobile::{GroupId, ProcessedMessage};

use crate::{
    common::{Device, assert_agree, name_of},
    scenarios::{Scene, WAITING, named_group},
};

/// Goes on in every group: the peers read what was returned before the kill, take a Commit that waits, and
/// talk.
pub fn go_on(scenario: &str, scene: &Scene, alice: Device, returned: &[u8]) {
    let path = alice.path();
    let main = named_group(path.parent().unwrap(), "main");
    let [bob, carol, dave] = [&scene.bob, &scene.carol, &scene.dave].map(|template| template.device());
    for peer in [&bob, &carol] {
        assert_eq!(peer.read(&main, returned), "returned", "{}", peer.name);
    }
    match scenario {
        "create_group" => {
            let id = alice.client().groups().unwrap().pop().unwrap().group_id;
            let key_package = bob.key_package();
            alice.group(&id).add_members(vec![key_package]).unwrap();
        }
        "create_key_packages" => {
            for key_package in alice.client().key_packages().unwrap() {
                let id = bob.create_group();
                let invitation = bob.group(&id).add_members(vec![key_package.bytes]).unwrap();
                bob.group(&id).merge_pending_commit().unwrap();
                alice
                    .client()
                    .join_from_welcome(invitation.welcome.unwrap(), None)
                    .unwrap();
            }
        }
        "process_commit_to_wait" => {
            alice.group(&main).merge_staged_commit().unwrap();
        }
        // Not sent yet: the app drops it, so that the peers can talk.
        "leave" | "propose_self_update" => alice.group(&main).clear_pending_proposals().unwrap(),
        scenario if scenario.ends_with("_message") && scenario != "keep_early_message" => {
            waiting_message(scenario, &alice, &main);
        }
        "keep_early_message" => {
            let commit = std::fs::read(path.parent().unwrap().join("input-1")).unwrap();
            alice.receive(&main, &commit);
            let read = alice.client().inbox(10).unwrap();
            assert_eq!(read.len(), 2, "the Commit and what it released");
        }
        "create_identity" => {
            for identity in alice.client().identities().unwrap() {
                alice.client().create_key_packages(identity.id, 1, None).unwrap();
            }
        }
        _ => {}
    }
    let devices = [&alice, &bob, &carol, &dave];
    for group in alice.client().groups().unwrap() {
        let gone_its_own_way = alice.group(&group.group_id).info().unwrap().rejected_epoch;
        if group.is_active && gone_its_own_way.is_none() {
            deliver_pending(&group.group_id, &alice, &devices);
            talk(&group.group_id, &alice, &devices);
        }
    }
}

/// A recovered alice rejoins her groups and talks.
pub fn come_back(scene: &Scene, alice: Device) {
    let [bob, carol] = [&scene.bob, &scene.carol].map(|template| template.device());
    let devices = [&alice, &bob, &carol];
    for group in alice.client().groups_to_rejoin().unwrap() {
        alice.rejoin(&group.group_id, &bob);
        let members = bob.member_names(&group.group_id);
        deliver_join(&group.group_id, &alice, &devices, &members);
        talk(&group.group_id, &alice, &devices);
    }
}

fn deliver_join(id: &GroupId, alice: &Device, devices: &[&Device], members: &[String]) {
    let join = alice.client().pending_external_join(id.clone()).unwrap().unwrap();
    for peer in devices.iter().filter(|peer| peer.name != alice.name) {
        if members.contains(&peer.name) {
            peer.receive(id, &join.commit);
        }
    }
    alice.client().confirm_external_join(id.clone()).unwrap();
}

/// The message of `commit_and_create_message` is in one place: with its Commit, encrypted, or given back.
fn waiting_message(scenario: &str, alice: &Device, id: &GroupId) {
    let settled = |alice: &Device| {
        let inbox = alice.client().inbox(10).unwrap().into_iter();
        let settled = inbox.filter(|entry| match &entry.outcome {
            ProcessedMessage::MessageCreated { .. } => true,
            ProcessedMessage::MessageNotCreated { plaintext, .. } => plaintext == WAITING,
            _ => false,
        });
        settled.count()
    };
    let expects_one = !matches!(scenario, "create_message" | "process_application_message");
    if alice.group(id).pending_commit().unwrap().is_some() {
        assert_eq!(settled(alice), 0, "{scenario}");
        if scenario.contains("clear") {
            alice.group(id).clear_pending_commit().unwrap();
            assert_eq!(settled(alice), 1, "{scenario}");
        }
    } else if expects_one && scenario != "commit_and_create_message" {
        assert_eq!(settled(alice), 1, "{scenario}");
    }
}

/// The delivery service accepts the Commit that waits, if there is one.
fn deliver_pending(id: &GroupId, alice: &Device, devices: &[&Device]) {
    if let Some(join) = alice.client().pending_external_join(id.clone()).unwrap() {
        for peer in devices.iter().filter(|peer| peer.name != alice.name) {
            if alice.member_names(id).contains(&peer.name) {
                peer.receive(id, &join.commit);
            }
        }
        alice.client().confirm_external_join(id.clone()).unwrap();
    }
    let Some(bundle) = alice.group(id).pending_commit().unwrap() else {
        return;
    };
    let old = alice.member_names(id);
    alice.group(id).merge_pending_commit().unwrap();
    let new = alice.member_names(id);
    for peer in devices.iter().filter(|peer| peer.name != alice.name) {
        if old.contains(&peer.name) {
            let outcome = peer.receive(id, &bundle.commit);
            assert!(matches!(outcome, ProcessedMessage::Commit { .. }), "{outcome:?}");
        } else if new.contains(&peer.name) {
            let welcome = bundle.welcome.clone().unwrap();
            peer.client().join_from_welcome(welcome, None).unwrap();
        }
    }
}

/// All members agree, and everybody reads a message of everybody else.
pub fn talk(id: &GroupId, alice: &Device, devices: &[&Device]) {
    let names = alice.group(id).members().unwrap();
    let names: Vec<_> = names.iter().map(|member| name_of(&member.credential)).collect();
    let present: Vec<&Device> = devices
        .iter()
        .copied()
        .filter(|device| names.contains(&device.name))
        .collect();
    assert_eq!(present.len(), names.len());
    assert_agree(id, &present);
    for sender in &present {
        let text = format!("{} is still here", sender.name);
        let message = sender.send(id, &text);
        for reader in present.iter().filter(|reader| reader.name != sender.name) {
            assert_eq!(reader.read(id, &message), text);
        }
    }
}
