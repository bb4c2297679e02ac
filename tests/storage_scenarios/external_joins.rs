//! External joins: made, confirmed and abandoned, with an old membership and without.

use mls_mobile::{ExternalJoin, GroupId, MlsError, ProcessedMessage};

use super::{Scenario, Stage, leaf_name, named_leaf, pair, process, talk};
use crate::common::{Device, group_of};

pub const EXTERNAL_JOINS: &[Scenario] = &[
    Scenario {
        name: "join_by_external_commit (member)",
        set_up: || pair().with(group_info),
        call: join,
        check: |stage, commit| {
            assert_eq!(waiting(stage).unwrap().commit, commit);
            talk(stage, Vec::new());
            accepted(stage, &commit);
            confirmed(stage, Vec::new());
        },
    },
    Scenario {
        name: "join_by_external_commit (outsider)",
        set_up: || outside().with(group_info),
        call: join,
        check: |stage, commit| {
            accepted(stage, &commit);
            confirmed(stage, Vec::new());
        },
    },
    Scenario {
        name: "join_by_external_commit_with_leaf_node",
        set_up: || outside().with(group_info),
        call: |stage| {
            let (client, identity) = (stage.me.client(), stage.me.identity.clone());
            let info = stage.input.clone();
            client
                .join_by_external_commit_with_leaf_node(
                    identity,
                    info,
                    named_leaf(b"me here"),
                    None,
                    Vec::new(),
                )
                .map(|join| join.commit)
        },
        check: |stage, commit| {
            accepted(stage, &commit);
            confirmed(stage, Vec::new());
            assert_eq!(leaf_name(stage), Some(b"me here".to_vec()));
        },
    },
    Scenario {
        name: "propose_external_join",
        set_up: outside,
        call: |stage| {
            let (client, identity) = (stage.me.client(), stage.me.identity.clone());
            client
                .propose_external_join(identity, stage.group.clone(), 1, None)
                .map(|made| made.proposal)
        },
        check: |stage, proposal| {
            stage.peer.receive(&stage.group, &proposal);
            let group = stage.peer.group(&stage.group);
            let bundle = group.commit_to_pending_proposals().unwrap();
            group.merge_pending_commit().unwrap();
            stage.me.join(&bundle.welcome.unwrap());
            talk(stage, Vec::new());
        },
    },
    Scenario {
        name: "join_by_external_commit (again)",
        set_up: || made(pair()).with(group_info),
        call: join,
        check: |stage, commit| {
            assert_eq!(waiting(stage).unwrap().commit, commit);
            accepted(stage, &commit);
            confirmed(stage, Vec::new());
        },
    },
    Scenario {
        name: "confirm_external_join (member)",
        set_up: || early(made(pair())),
        call: |stage| {
            let client = stage.me.client();
            client
                .confirm_external_join(stage.group.clone())
                .map(|joined| vec![u8::try_from(joined.released.len()).unwrap()])
        },
        check: |stage, released| {
            assert_eq!(released, [1]);
            confirmed(stage, Vec::new());
        },
    },
    Scenario {
        name: "confirm_external_join (outsider)",
        set_up: || early(made(outside())),
        call: |stage| {
            let client = stage.me.client();
            client
                .confirm_external_join(stage.group.clone())
                .map(|joined| vec![u8::try_from(joined.released.len()).unwrap()])
        },
        check: |stage, released| {
            assert_eq!(released, [1]);
            confirmed(stage, Vec::new());
        },
    },
    Scenario {
        name: "process_message (echo of an external join)",
        set_up: || early(made(pair())).with(|stage| waiting(stage).unwrap().commit),
        call: process,
        check: |stage, nothing| {
            assert_eq!(stage.me.client().inbox(10).unwrap().len(), 2);
            confirmed(stage, nothing);
        },
    },
    Scenario {
        name: "process_message (early, before the join)",
        set_up: || {
            let stage = made(pair());
            accepted(&stage, &waiting(&stage).unwrap().commit);
            stage.with(|stage| stage.peer.send(&stage.group, "early"))
        },
        call: process,
        check: |stage, nothing| {
            let joined = stage
                .me
                .client()
                .confirm_external_join(stage.group.clone())
                .unwrap();
            assert_eq!(joined.released.len(), 1);
            talk(stage, nothing);
        },
    },
    Scenario {
        name: "abandon_external_join (member)",
        set_up: || made(pair()),
        call: abandon,
        check: |stage, nothing| {
            assert_eq!(waiting(stage), None);
            talk(stage, nothing);
        },
    },
    Scenario {
        name: "abandon_external_join (outsider)",
        set_up: || early(made(outside())),
        call: abandon,
        check: |stage, _| {
            assert_eq!(waiting(stage), None);
            assert_eq!(stage.try_view().unwrap_err(), MlsError::GroupNotFound);
            // The message that was kept for it.
            let inbox = stage.me.client().inbox(10).unwrap();
            assert!(matches!(
                inbox.first().unwrap().outcome,
                ProcessedMessage::EarlyRefused { .. }
            ));
        },
    },
];

/// `peer` made a group with `third`; `me` is outside.
fn outside() -> Stage {
    let [me, peer, third] = ["me", "peer", "third"].map(Device::new);
    let group = group_of(&[&peer, &third]);
    Stage::new([me, peer, third], group, Vec::new())
}

fn group_info(stage: &Stage) -> Vec<u8> {
    stage.peer.group(&stage.group).export_group_info(true).unwrap()
}

fn join(stage: &Stage) -> Result<Vec<u8>, MlsError> {
    let identity = stage.me.identity.clone();
    let join = stage
        .me
        .client()
        .join_by_external_commit(identity, stage.input.clone(), None)?;
    Ok(join.commit)
}

fn abandon(stage: &Stage) -> Result<Vec<u8>, MlsError> {
    let group: GroupId = stage.group.clone();
    stage
        .me
        .client()
        .abandon_external_join(group)
        .map(|()| Vec::new())
}

/// A join waits.
fn made(stage: Stage) -> Stage {
    let stage = stage.with(group_info);
    join(&stage).unwrap();
    stage
}

/// The delivery service accepted it, and a message of the new epoch came before.
fn early(stage: Stage) -> Stage {
    accepted(&stage, &waiting(&stage).unwrap().commit);
    let message = stage.peer.send(&stage.group, "early");
    let messages = vec![crate::common::incoming(&message, 1)];
    stage.me.client().process_messages(messages, None).unwrap();
    stage
}

fn waiting(stage: &Stage) -> Option<ExternalJoin> {
    let client = stage.me.client();
    client.pending_external_join(stage.group.clone()).unwrap()
}

fn accepted(stage: &Stage, commit: &[u8]) {
    stage.peer.follow(&stage.group, commit);
}

fn confirmed(stage: &Stage, nothing: Vec<u8>) {
    // Once more, whether it was confirmed before or not.
    stage
        .me
        .client()
        .confirm_external_join(stage.group.clone())
        .unwrap();
    assert_eq!(waiting(stage), None);
    talk(stage, nothing);
}
