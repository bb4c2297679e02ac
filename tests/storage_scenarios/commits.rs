//! Own Commits, from making to merging or clearing.

use mls_mobile::IdentityId;

use super::{Scenario, THIRD, conclude, leaf_name, named_leaf, pair, talk, trio, update_pending};
use crate::common::{SUITE, assert_agree, basic};

pub const OWN_COMMITS: &[Scenario] = &[
    Scenario {
        name: "add_members",
        set_up: || pair().with(|stage| stage.third.key_package()),
        call: |stage| {
            let group = stage.handle();
            group.add_members(vec![stage.input.clone()]).map(|_| Vec::new())
        },
        check: |stage, nothing| {
            let welcome = stage.bundle().welcome.unwrap();
            conclude(stage, nothing);
            stage.third.client().join_from_welcome(welcome, None).unwrap();
            assert_agree(&stage.group, &[&stage.me, &stage.third]);
        },
    },
    Scenario {
        name: "remove_members",
        set_up: trio,
        call: |stage| {
            let group = stage.handle();
            group.remove_members(vec![THIRD]).map(|_| Vec::new())
        },
        check: |stage, nothing| {
            conclude(stage, nothing);
            assert_eq!(stage.me.member_names(&stage.group), ["peer", "me"]);
        },
    },
    Scenario {
        name: "self_update",
        set_up: pair,
        call: |stage| stage.handle().self_update(None).map(|_| Vec::new()),
        check: conclude,
    },
    Scenario {
        name: "update_leaf_node",
        set_up: pair,
        call: |stage| {
            let leaf_node = named_leaf(b"me here");
            stage
                .handle()
                .update_leaf_node(leaf_node, None)
                .map(|_| Vec::new())
        },
        check: |stage, nothing| {
            conclude(stage, nothing);
            assert_eq!(leaf_name(stage), Some(b"me here".to_vec()));
        },
    },
    Scenario {
        name: "self_update (new identity)",
        set_up: || {
            pair().with(|stage| {
                stage
                    .me
                    .client()
                    .create_identity(basic("renamed"), SUITE)
                    .unwrap()
                    .id
                    .0
            })
        },
        call: |stage| {
            let identity = Some(IdentityId(stage.input.clone()));
            stage.handle().self_update(identity).map(|_| Vec::new())
        },
        check: |stage, nothing| {
            conclude(stage, nothing);
            assert_eq!(stage.peer.member_names(&stage.group), ["peer", "renamed"]);
        },
    },
    Scenario {
        name: "merge_pending_commit",
        set_up: update_pending,
        call: |stage| stage.handle().merge_pending_commit().map(|_| Vec::new()),
        check: |stage, nothing| {
            stage.peer.receive(&stage.group, &stage.input);
            talk(stage, nothing);
        },
    },
    Scenario {
        name: "clear_pending_commit",
        set_up: update_pending,
        call: |stage| stage.handle().clear_pending_commit().map(|()| Vec::new()),
        check: |stage, nothing| {
            assert_eq!(stage.me.group(&stage.group).pending_commit().unwrap(), None);
            talk(stage, nothing);
        },
    },
];
