//! Groups: made, joined, set up and deleted.

use mls_mobile::{
    Extension, ExternalSender, GroupConfig, GroupId, LeafNodeOptions, MlsError, Padding, RequiredCapabilities,
};

use super::{Scenario, invited, invited_again, named_leaf, pair, talk, usable};
use crate::common::basic;

pub const GROUPS: &[Scenario] = &[
    Scenario {
        name: "create_group",
        set_up: pair,
        call: |stage| {
            Ok(stage
                .me
                .client()
                .create_group(stage.me.identity.clone(), None)?
                .id()?
                .0)
        },
        check: |stage, id| {
            let id = GroupId(id);
            assert_eq!(stage.me.client().groups().unwrap().len(), 2);
            stage
                .me
                .group(&id)
                .add_members(vec![stage.third.key_package()])
                .unwrap();
            assert_eq!(
                stage
                    .me
                    .group(&id)
                    .merge_pending_commit()
                    .unwrap()
                    .summary
                    .to_epoch,
                1
            );
            talk(stage, Vec::new());
        },
    },
    Scenario {
        name: "create_group (with all that it can begin with)",
        set_up: pair,
        call: |stage| {
            let leaf_node = LeafNodeOptions {
                supported_extensions: vec![0xf0e1],
                ..named_leaf(b"me")
            };
            let config = GroupConfig {
                leaf_node: Some(leaf_node),
                required_capabilities: Some(RequiredCapabilities {
                    proposals: vec![10],
                    ..RequiredCapabilities::default()
                }),
                extensions: vec![Extension {
                    extension_type: 0xf0e1,
                    data: b"room".to_vec(),
                }],
                external_senders: vec![ExternalSender {
                    signature_key: vec![1; 32],
                    credential: basic("server"),
                }],
                ..GroupConfig::default()
            };
            let identity = stage.me.identity.clone();
            Ok(stage.me.client().create_group(identity, Some(config))?.id()?.0)
        },
        check: |stage, id| {
            let group = stage.me.group(&GroupId(id));
            assert_eq!(group.info().unwrap().extensions.len(), 3);
            assert_eq!(group.external_senders().unwrap().len(), 1);
            group.self_update(None).unwrap();
            group.merge_pending_commit().unwrap();
            talk(stage, Vec::new());
        },
    },
    Scenario {
        name: "join_from_welcome",
        set_up: invited,
        call: |stage| {
            let joined = stage.me.client().join_from_welcome(stage.input.clone(), None);
            joined.map(|_| Vec::new())
        },
        check: talk,
    },
    Scenario {
        name: "join_from_welcome (after a removal)",
        set_up: invited_again,
        call: |stage| {
            let joined = stage.me.client().join_from_welcome(stage.input.clone(), None);
            joined.map(|_| Vec::new())
        },
        check: talk,
    },
    Scenario {
        name: "inspect_welcome",
        set_up: invited,
        call: |stage| {
            let info = stage.me.client().inspect_welcome(stage.input.clone(), None)?;
            Ok(info.group_id.0)
        },
        check: |stage, id| {
            assert_eq!(id, stage.group.0);
            stage
                .me
                .client()
                .join_from_welcome(stage.input.clone(), None)
                .unwrap();
            talk(stage, Vec::new());
        },
    },
    Scenario {
        name: "configure",
        set_up: pair,
        call: |stage| {
            let config = GroupConfig {
                max_past_epochs: 0,
                ..GroupConfig::default()
            };
            stage.handle().configure(config).map(|()| Vec::new())
        },
        check: talk,
    },
    Scenario {
        name: "configure (padding)",
        set_up: pair,
        call: |stage| {
            let config = GroupConfig {
                padding: Some(Padding::Off),
                ..GroupConfig::default()
            };
            stage.handle().configure(config).map(|()| Vec::new())
        },
        check: |stage, nothing| {
            let lengths = ["", "x"].map(|text| stage.me.send(&stage.group, text).len());
            assert_eq!(lengths[0] + 1, lengths[1]);
            talk(stage, nothing);
        },
    },
    Scenario {
        name: "delete",
        set_up: pair,
        call: |stage| stage.handle().delete().map(|()| Vec::new()),
        check: |stage, _| {
            assert_eq!(stage.try_view().unwrap_err(), MlsError::GroupNotFound);
            usable(stage, stage.me.key_package());
        },
    },
];
