//! Own proposals, and messages that wait for an own Commit.

use mls_mobile::{Extension, IdentityId, MlsError, ProcessedMessage, ProposalBundle};

use super::{Scenario, Stage, THIRD, conclude, leaf_name, named_leaf, pair, talk, trio};
use crate::common::{SUITE, assert_agree, basic};

pub const PROPOSING: &[Scenario] = &[
    Scenario {
        name: "propose_add",
        set_up: || pair().with(|stage| stage.third.key_package()),
        call: |stage| sent(stage.handle().propose_add(stage.input.clone())),
        check: |stage, proposal| {
            peer_commits(stage, &proposal);
            assert_eq!(stage.me.member_names(&stage.group).len(), 3);
        },
    },
    Scenario {
        name: "propose_remove",
        set_up: trio,
        call: |stage| sent(stage.handle().propose_remove(THIRD)),
        check: |stage, proposal| {
            peer_commits(stage, &proposal);
            assert_eq!(stage.me.member_names(&stage.group), ["peer", "me"]);
        },
    },
    Scenario {
        name: "propose_self_update (new identity)",
        set_up: || {
            pair().with(|stage| {
                let client = stage.me.client();
                client.create_identity(basic("renamed"), SUITE).unwrap().id.0
            })
        },
        call: |stage| {
            let identity = Some(IdentityId(stage.input.clone()));
            sent(stage.handle().propose_self_update(identity))
        },
        check: |stage, proposal| {
            peer_commits(stage, &proposal);
            assert_eq!(stage.peer.member_names(&stage.group), ["peer", "renamed"]);
        },
    },
    Scenario {
        name: "propose_leaf_node",
        set_up: pair,
        call: |stage| sent(stage.handle().propose_leaf_node(named_leaf(b"me here"), None)),
        check: |stage, proposal| {
            peer_commits(stage, &proposal);
            assert_eq!(leaf_name(stage), Some(b"me here".to_vec()));
        },
    },
    Scenario {
        name: "propose_group_context_extensions",
        set_up: pair,
        call: |stage| {
            sent(
                stage
                    .handle()
                    .propose_group_context_extensions(nothing_required()),
            )
        },
        check: |stage, proposal| {
            peer_commits(stage, &proposal);
            assert_eq!(stage.try_view().unwrap().extensions, nothing_required());
        },
    },
    Scenario {
        name: "leave",
        set_up: pair,
        call: |stage| sent(stage.handle().leave()),
        check: |stage, proposal| {
            stage.peer.receive(&stage.group, &proposal);
            let bundle = stage.peer.group(&stage.group).self_update(None).unwrap();
            stage.me.receive(&stage.group, &bundle.commit);
            assert!(!stage.try_view().unwrap().is_active);
        },
    },
    Scenario {
        name: "process_message (a Commit of the own Update)",
        set_up: || {
            pair().with(|stage| {
                let client = stage.me.client();
                let renamed = client.create_identity(basic("renamed"), SUITE).unwrap().id;
                let proposal = stage.me.group(&stage.group).propose_self_update(Some(renamed));
                stage.peer.receive(&stage.group, &proposal.unwrap().proposal);
                let bundle = stage.peer.group(&stage.group).commit_to_pending_proposals();
                stage.peer_commits(&bundle.unwrap())
            })
        },
        call: super::process,
        check: |stage, nothing| {
            talk(stage, nothing);
            assert_eq!(stage.peer.member_names(&stage.group), ["peer", "renamed"]);
        },
    },
    Scenario {
        name: "swap_members",
        set_up: || trio().with(|stage| stage.third.key_package()),
        call: |stage| {
            let swap = stage
                .handle()
                .swap_members(vec![THIRD], vec![stage.input.clone()]);
            swap.map(|_| Vec::new())
        },
        check: |stage, nothing| {
            let welcome = stage.bundle().welcome.unwrap();
            conclude(stage, nothing);
            stage.third.group(&stage.group).delete().unwrap();
            stage.third.join(&welcome);
            assert_agree(&stage.group, &[&stage.me, &stage.third]);
        },
    },
    Scenario {
        name: "update_group_context_extensions",
        set_up: pair,
        call: |stage| {
            let update = stage.handle().update_group_context_extensions(nothing_required());
            update.map(|_| Vec::new())
        },
        check: conclude,
    },
    Scenario {
        name: "commit_and_create_message",
        set_up: pair,
        call: |stage| with_message(stage).map(|_| Vec::new()),
        check: |stage, _| {
            let commit = stage.bundle().commit;
            stage.me.group(&stage.group).merge_pending_commit().unwrap();
            message_arrives(stage, &commit);
        },
    },
    Scenario {
        name: "merge_pending_commit (a message waits)",
        set_up: message_waits,
        call: |stage| stage.handle().merge_pending_commit().map(|_| Vec::new()),
        check: |stage, _| message_arrives(stage, &stage.input),
    },
    Scenario {
        name: "process_message (the echo, and a message waits)",
        set_up: message_waits,
        call: super::process,
        check: |stage, _| message_arrives(stage, &stage.input),
    },
    Scenario {
        name: "process_message (a rival, and a message waits)",
        set_up: || {
            message_waits().with(|stage| {
                let rival = stage.peer.group(&stage.group).self_update(None).unwrap();
                stage.peer_commits(&rival)
            })
        },
        call: super::process,
        check: given_back,
    },
    Scenario {
        name: "clear_pending_commit (a message waits)",
        set_up: message_waits,
        call: |stage| stage.handle().clear_pending_commit().map(|()| Vec::new()),
        check: given_back,
    },
];

const TEXT: &[u8] = b"with the Commit";

fn sent(bundle: Result<ProposalBundle, MlsError>) -> Result<Vec<u8>, MlsError> {
    bundle.map(|bundle| bundle.proposal)
}

fn nothing_required() -> Vec<Extension> {
    vec![Extension {
        extension_type: 3,
        data: vec![0; 3],
    }]
}

/// `peer` takes the proposal and commits it; both agree on what comes of it.
fn peer_commits(stage: &Stage, proposal: &[u8]) {
    let outcome = stage.peer.receive(&stage.group, proposal);
    assert!(
        matches!(outcome, ProcessedMessage::Proposal { .. }),
        "{outcome:?}"
    );
    assert_eq!(stage.try_view().unwrap().pending_proposals.len(), 1);
    let bundle = stage.peer.group(&stage.group).commit_to_pending_proposals();
    let commit = stage.peer_commits(&bundle.unwrap());
    let (summary, _) = stage.me.follow(&stage.group, &commit);
    assert_eq!(summary.from_epoch + 1, summary.to_epoch);
    talk(stage, Vec::new());
}

fn with_message(stage: &Stage) -> Result<Vec<u8>, MlsError> {
    let bundle = stage
        .handle()
        .commit_and_create_message(TEXT.to_vec(), Vec::new());
    bundle.map(|bundle| bundle.commit)
}

fn message_waits() -> Stage {
    pair().with(|stage| with_message(stage).unwrap())
}

/// The message is in the inbox once, and `peer` reads it.
fn message_arrives(stage: &Stage, commit: &[u8]) {
    let inbox = stage.me.client().inbox(10).unwrap().into_iter();
    let messages: Vec<_> = inbox
        .filter_map(|entry| match entry.outcome {
            ProcessedMessage::MessageCreated { bytes, .. } => Some(bytes),
            _ => None,
        })
        .collect();
    assert_eq!(messages.len(), 1);
    stage.peer.follow(&stage.group, commit);
    assert_eq!(
        stage
            .peer
            .read(&stage.group, messages.first().unwrap())
            .as_bytes(),
        TEXT
    );
    talk(stage, Vec::new());
}

/// The plaintext is in the inbox once.
fn given_back(stage: &Stage, nothing: Vec<u8>) {
    let inbox = stage.me.client().inbox(10).unwrap().into_iter();
    let plaintexts: Vec<_> = inbox
        .filter_map(|entry| match entry.outcome {
            ProcessedMessage::MessageNotCreated { plaintext, .. } => Some(plaintext),
            _ => None,
        })
        .collect();
    assert_eq!(plaintexts, [TEXT]);
    talk(stage, nothing);
}
