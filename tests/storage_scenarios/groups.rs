//! Groups: made, joined, set up and deleted.

use mls_mobile::{GroupConfig, GroupId, MlsError};

use super::{Scenario, invited, invited_again, pair, talk, usable};

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
        name: "delete",
        set_up: pair,
        call: |stage| stage.handle().delete().map(|()| Vec::new()),
        check: |stage, _| {
            assert_eq!(stage.try_view().unwrap_err(), MlsError::GroupNotFound);
            usable(stage, stage.me.key_package());
        },
    },
];
