//! Messages out and in, and the inbox.

use mls_mobile::{IncomingMessage, MlsError, PastEpochDeletion, ProcessedMessage};

use super::{Scenario, Stage, conclude, pair, process, proposed, talk, trio, update_pending};
use crate::common::group_of;

/// Messages in two groups in turn, a damaged one, a Commit in one group, and a message of its new epoch: a batch whose
/// input is each message behind its length.
fn batch() -> Stage {
    pair().with(|stage| {
        let Stage { me, peer, group, .. } = stage;
        let other = group_of(&[peer, me]);
        let mut messages: Vec<Vec<u8>> = [group, &other, group, &other]
            .map(|id| peer.send(id, "hello"))
            .into();
        let mut damaged = peer.send(group, "damaged");
        *damaged.last_mut().unwrap() ^= 1;
        messages.push(damaged);
        messages.push(stage.peer_commits(&peer.group(group).self_update(None).unwrap()));
        messages.extend([group, &other].map(|id| peer.send(id, "hello")));
        messages
            .iter()
            .flat_map(|it| [&u32::try_from(it.len()).unwrap().to_be_bytes(), it.as_slice()].concat())
            .collect()
    })
}

fn process_batch(stage: &Stage) -> Result<Vec<u8>, MlsError> {
    let mut rest = stage.input.as_slice();
    let mut messages = Vec::new();
    while let Some((length, following)) = rest.split_first_chunk() {
        let (bytes, following) = following.split_at(u32::from_be_bytes(*length) as usize);
        messages.push(IncomingMessage {
            bytes: bytes.to_vec(),
            cursor: Some(vec![u8::try_from(messages.len()).unwrap()]),
        });
        rest = following;
    }
    let batch = stage.me.client().process_messages(messages, None)?;
    batch.error.map_or(Ok(Vec::new()), Err)
}

pub const MESSAGES: &[Scenario] = &[
    Scenario {
        name: "create_message",
        set_up: pair,
        call: |stage| stage.handle().create_message(b"hello".to_vec(), b"data".to_vec()),
        check: |stage, message| {
            assert_eq!(stage.peer.read(&stage.group, &message), "hello");
            talk(stage, Vec::new());
        },
    },
    Scenario {
        name: "process_message (application)",
        set_up: || pair().with(|stage| stage.peer.send(&stage.group, "hello")),
        call: process,
        check: |stage, nothing| {
            assert_eq!(stage.me.client().inbox(10).unwrap().len(), 1);
            talk(stage, nothing);
        },
    },
    Scenario {
        name: "process_message (late, of a past epoch)",
        set_up: || {
            trio().with(|stage| {
                let late = stage.third.send(&stage.group, "late");
                let bundle = stage.peer.group(&stage.group).self_update(None).unwrap();
                let commit = stage.peer_commits(&bundle);
                stage.me.receive(&stage.group, &commit);
                stage.third.receive(&stage.group, &commit);
                late
            })
        },
        call: process,
        check: |stage, _| {
            assert_eq!(
                stage.me.receive(&stage.group, &stage.input),
                ProcessedMessage::Duplicate
            );
            talk(stage, Vec::new());
        },
    },
    Scenario {
        name: "delete_past_epoch_secrets",
        set_up: || {
            trio().with(|stage| {
                let bundle = stage.peer.group(&stage.group).self_update(None).unwrap();
                let commit = stage.peer_commits(&bundle);
                stage.me.receive(&stage.group, &commit);
                Vec::new()
            })
        },
        call: |stage| {
            let all = PastEpochDeletion::All;
            stage.handle().delete_past_epoch_secrets(all)?;
            Ok(Vec::new())
        },
        check: talk,
    },
    Scenario {
        name: "process_message (Commit)",
        set_up: || {
            pair().with(|stage| {
                let bundle = stage.peer.group(&stage.group).self_update(None).unwrap();
                stage.peer_commits(&bundle)
            })
        },
        call: process,
        check: talk,
    },
    Scenario {
        name: "process_message (own Commit's echo)",
        set_up: update_pending,
        call: process,
        check: |stage, nothing| {
            stage.peer.receive(&stage.group, &stage.input);
            talk(stage, nothing);
        },
    },
    Scenario {
        name: "process_message (rival Commit)",
        set_up: || {
            update_pending().with(|stage| {
                let bundle = stage.peer.group(&stage.group).self_update(None).unwrap();
                stage.peer_commits(&bundle)
            })
        },
        call: process,
        check: |stage, nothing| {
            assert_eq!(stage.me.group(&stage.group).pending_commit().unwrap(), None);
            talk(stage, nothing);
        },
    },
    Scenario {
        name: "process_message (own removal)",
        set_up: || {
            pair().with(|stage| {
                let leaf = stage.peer.leaf_of(&stage.group, "me");
                let removal = stage.peer.group(&stage.group).remove_members(vec![leaf]).unwrap();
                stage.peer_commits(&removal)
            })
        },
        call: process,
        check: |stage, _| assert!(!stage.try_view().unwrap().is_active),
    },
    Scenario {
        name: "process_message (proposal)",
        set_up: proposed,
        call: process,
        check: |stage, nothing| {
            assert_eq!(stage.try_view().unwrap().pending_proposals.len(), 1);
            stage.peer.receive(&stage.group, &stage.input);
            stage.me.group(&stage.group).self_update(None).unwrap();
            conclude(stage, nothing);
            assert_eq!(stage.me.member_names(&stage.group), ["peer", "me", "raw"]);
        },
    },
    Scenario {
        name: "process_messages (two groups)",
        set_up: batch,
        call: process_batch,
        check: |stage, nothing| {
            // Six messages and the Commit, whichever call brought them: none is lost, none is there twice.
            assert_eq!(stage.me.client().inbox(10).unwrap().len(), 7);
            assert_eq!(stage.me.client().cursor().unwrap(), Some(vec![7]));
            talk(stage, nothing);
        },
    },
    Scenario {
        name: "acknowledge(2)",
        set_up: || {
            pair().with(|stage| {
                for text in ["one", "two"] {
                    stage.me.read(&stage.group, &stage.peer.send(&stage.group, text));
                }
                Vec::new()
            })
        },
        call: |stage| {
            let entries = stage.me.client().inbox(10)?;
            let ids = entries.into_iter().map(|entry| entry.id).collect();
            stage.me.client().acknowledge(ids).map(|()| Vec::new())
        },
        check: |stage, nothing| {
            assert_eq!(stage.me.client().inbox(10).unwrap(), []);
            talk(stage, nothing);
        },
    },
];
