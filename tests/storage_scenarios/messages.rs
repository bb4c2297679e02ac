//! Messages out and in, and the inbox.

use super::{Scenario, conclude, pair, process, proposed, talk, update_pending};

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
        name: "acknowledge(2)",
        set_up: || {
            pair().with(|stage| {
                for text in ["one", "two"] {
                    stage.me.read(&stage.group, &stage.peer.send(&stage.group, text));
                }
                Vec::new()
            })
        },
        call: |stage| stage.me.client().acknowledge(vec![1, 2]).map(|()| Vec::new()),
        check: |stage, nothing| {
            assert_eq!(stage.me.client().inbox(10).unwrap(), []);
            talk(stage, nothing);
        },
    },
];
