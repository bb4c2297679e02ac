//! A recovered phone: groups rejoined, settled by a Welcome, and given up.

use mls_mobile::MlsError;

use super::{Scenario, Stage, pair, talk};

pub const RECOVERY: &[Scenario] = &[
    Scenario {
        name: "join_by_external_commit (recovered)",
        set_up: || recovered().with(group_info),
        call: |stage| {
            let identity = stage.me.identity.clone();
            let join = stage
                .me
                .client()
                .join_by_external_commit(identity, stage.input.clone(), None)?;
            Ok(join.commit)
        },
        check: |stage, commit| {
            assert_eq!(waiting(stage), 1);
            stage.peer.follow(&stage.group, &commit);
            confirmed(stage, Vec::new());
        },
    },
    Scenario {
        name: "confirm_external_join (recovered)",
        set_up: || {
            rejoining()
                .with(|stage| stage.peer.send(&stage.group, "early"))
                .early()
        },
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
        name: "process_messages (echo of a rejoin)",
        set_up: || {
            rejoining().with(|stage| {
                let join = stage.me.client().pending_external_join(stage.group.clone());
                join.unwrap().unwrap().commit
            })
        },
        call: |stage| {
            let messages = vec![crate::common::incoming(&stage.input, 1)];
            let batch = stage.me.client().process_messages(messages, None)?;
            Ok(vec![u8::try_from(batch.outcomes.len()).unwrap()])
        },
        check: |stage, outcomes| {
            assert_eq!(outcomes, [1]);
            confirmed(stage, Vec::new());
        },
    },
    Scenario {
        name: "abandon_external_join (recovered)",
        set_up: rejoining,
        call: |stage| {
            let client = stage.me.client();
            client
                .abandon_external_join(stage.group.clone())
                .map(|()| Vec::new())
        },
        check: |stage, _| {
            assert_eq!(waiting(stage), 1);
            assert_eq!(stage.try_view().unwrap_err(), MlsError::GroupNotRejoined);
        },
    },
    Scenario {
        name: "join_from_welcome (recovered)",
        set_up: || {
            recovered().with(|stage| {
                let leaf = stage.peer.leaf_of(&stage.group, "me");
                let group = stage.peer.group(&stage.group);
                let swap = group
                    .swap_members(vec![leaf], vec![stage.me.key_package()])
                    .unwrap();
                stage.peer_commits(&swap);
                swap.welcome.unwrap()
            })
        },
        call: |stage| {
            let client = stage.me.client();
            client
                .join_from_welcome(stage.input.clone(), None)
                .map(|_| Vec::new())
        },
        check: |stage, nothing| {
            assert_eq!(waiting(stage), 0);
            talk(stage, nothing);
        },
    },
    Scenario {
        name: "forget_group_to_rejoin",
        set_up: || {
            rejoining()
                .with(|stage| stage.peer.send(&stage.group, "early"))
                .early()
        },
        call: |stage| {
            let client = stage.me.client();
            client
                .forget_group_to_rejoin(stage.group.clone())
                .map(|()| Vec::new())
        },
        check: |stage, _| {
            assert_eq!(waiting(stage), 0);
            assert_eq!(stage.try_view().unwrap_err(), MlsError::GroupNotFound);
        },
    },
];

impl Stage {
    /// `me` has kept its input for later.
    fn early(self) -> Self {
        let messages = vec![crate::common::incoming(&self.input, 1)];
        self.me.client().process_messages(messages, None).unwrap();
        self
    }
}

/// `me` was lost, and came back from an archive.
fn recovered() -> Stage {
    let Stage {
        me,
        peer,
        third,
        group,
        ..
    } = pair();
    let me = me.recovered(&me.archive());
    Stage::new([me, peer, third], group, Vec::new())
}

/// Its Commit waits, and `peer` has followed it.
fn rejoining() -> Stage {
    let stage = recovered();
    let join = stage.me.rejoin(&stage.group, &stage.peer);
    stage.peer.follow(&stage.group, &join.commit);
    stage
}

fn group_info(stage: &Stage) -> Vec<u8> {
    stage.peer.group(&stage.group).export_group_info(true).unwrap()
}

fn waiting(stage: &Stage) -> usize {
    stage.me.client().groups_to_rejoin().unwrap().len()
}

fn confirmed(stage: &Stage, nothing: Vec<u8>) {
    // Once more, whether it was confirmed before or not.
    let client = stage.me.client();
    client.confirm_external_join(stage.group.clone()).unwrap();
    assert_eq!(waiting(stage), 0);
    talk(stage, nothing);
}
