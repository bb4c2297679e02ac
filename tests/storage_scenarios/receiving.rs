//! What receiving keeps: Commits that wait for the app, own ones that come back late, and early messages.

use mls_mobile::{CommitState, ProcessedMessage};

use super::{Scenario, Stage, pair, process, talk, update_pending};

pub const RECEIVING: &[Scenario] = &[
    Scenario {
        name: "process_message (Commit, to wait)",
        set_up: commit_without_validator,
        call: process,
        check: |stage, nothing| {
            assert!(stage.try_view().unwrap().staged_commit.is_some());
            stage.me.group(&stage.group).merge_staged_commit().unwrap();
            talk(stage, nothing);
        },
    },
    Scenario {
        name: "merge_staged_commit",
        set_up: staged_with_early,
        call: |stage| {
            let released = stage.handle().merge_staged_commit()?.released;
            assert_eq!(released.len(), 1);
            Ok(Vec::new())
        },
        check: |stage, nothing| {
            assert_eq!(stage.me.client().inbox(10).unwrap().len(), 2);
            talk(stage, nothing);
        },
    },
    Scenario {
        name: "discard_staged_commit",
        set_up: staged_with_early,
        call: |stage| stage.handle().discard_staged_commit().map(|()| Vec::new()),
        check: |stage, _| {
            let state = stage.try_view().unwrap();
            assert_eq!((state.rejected_epoch, state.early_messages), (Some(2), 0));
        },
    },
    Scenario {
        name: "process_message (early)",
        set_up: || {
            pair().with(|stage| {
                peer_updates(stage);
                stage.peer.send(&stage.group, "early")
            })
        },
        call: process,
        check: |stage, _| {
            assert_eq!(stage.try_view().unwrap().early_messages, 1);
            assert_eq!(process(stage), Ok(Vec::new()));
            assert_eq!(stage.try_view().unwrap().early_messages, 1);
        },
    },
    Scenario {
        name: "process_message (Commit that releases)",
        set_up: || {
            pair().with(|stage| {
                let first = peer_updates(stage);
                let second = peer_updates(stage);
                let text = stage.peer.send(&stage.group, "early");
                for early in [&text, &second] {
                    stage.me.receive(&stage.group, early);
                }
                first
            })
        },
        call: process,
        check: |stage, nothing| {
            assert_eq!(stage.me.client().inbox(10).unwrap().len(), 3);
            talk(stage, nothing);
        },
    },
    Scenario {
        name: "process_message (cleared Commit's echo)",
        set_up: || {
            let stage = update_pending();
            stage.me.group(&stage.group).clear_pending_commit().unwrap();
            stage
        },
        call: process,
        check: |stage, nothing| {
            stage.peer.receive(&stage.group, &stage.input);
            talk(stage, nothing);
        },
    },
    Scenario {
        name: "process_message (first that does not decrypt)",
        set_up: || {
            pair().with(|stage| {
                let mut damaged = stage.peer.send(&stage.group, "damaged");
                *damaged.last_mut().unwrap() ^= 1;
                damaged
            })
        },
        call: |stage| match stage.handle().process_message(stage.input.clone()) {
            Err(mls_mobile::MlsError::MessageInvalid { .. }) => Ok(Vec::new()),
            Err(error) => Err(error),
            Ok(outcome) => panic!("{outcome:?}"),
        },
        check: |stage, nothing| {
            assert!(stage.try_view().unwrap().fork_suspected);
            talk(stage, nothing);
        },
    },
];

fn peer_updates(stage: &Stage) -> Vec<u8> {
    let bundle = stage.peer.group(&stage.group).self_update(None).unwrap();
    stage.peer_commits(&bundle)
}

fn commit_without_validator() -> Stage {
    pair().decides_later().with(peer_updates)
}

/// A Commit of the peer waits, and a message of the epoch that it begins.
fn staged_with_early() -> Stage {
    let stage = commit_without_validator();
    let outcome = stage.me.receive(&stage.group, &stage.input);
    assert!(matches!(
        outcome,
        ProcessedMessage::Commit {
            state: CommitState::Staged,
            ..
        }
    ));
    let early = stage.peer.send(&stage.group, "early");
    stage.me.receive(&stage.group, &early);
    stage
}
