//! Pre-shared keys and secrets that can be exported once.

use mls_mobile::{MlsError, PskId};

use super::{Scenario, Stage, conclude, pair, proposed_by, talk};
use crate::common::raw::external_psk;

const ID: &[u8] = b"psk";
const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

fn psk() -> PskId {
    PskId::External { id: ID.to_vec() }
}

fn registered(stage: Stage) -> Stage {
    for device in [&stage.me, &stage.peer] {
        device
            .client()
            .register_psk(ID.to_vec(), SECRET.to_vec())
            .unwrap();
    }
    stage
}

pub const PSKS: &[Scenario] = &[
    Scenario {
        name: "register_psk",
        set_up: pair,
        call: |stage| {
            let client = stage.me.client();
            client
                .register_psk(ID.to_vec(), SECRET.to_vec())
                .map(|()| Vec::new())
        },
        check: |stage, nothing| {
            stage
                .peer
                .client()
                .register_psk(ID.to_vec(), SECRET.to_vec())
                .unwrap();
            let proposed = stage.me.group(&stage.group).propose_psk(psk()).unwrap();
            stage.peer.receive(&stage.group, &proposed.proposal);
            stage
                .me
                .group(&stage.group)
                .commit_to_pending_proposals()
                .unwrap();
            conclude(stage, nothing);
        },
    },
    Scenario {
        name: "delete_psk",
        set_up: || registered(pair()),
        call: |stage| {
            let client = stage.me.client();
            client.delete_psk(ID.to_vec()).map(|()| Vec::new())
        },
        check: |stage, nothing| {
            let proposed = stage.me.group(&stage.group).propose_psk(psk());
            assert_eq!(proposed.unwrap_err(), MlsError::PskNotFound);
            talk(stage, nothing);
        },
    },
    Scenario {
        name: "propose_psk",
        set_up: || registered(pair()),
        call: |stage| stage.handle().propose_psk(psk()).map(|bundle| bundle.proposal),
        check: |stage, proposal| {
            stage.peer.receive(&stage.group, &proposal);
            let commit = stage.peer.group(&stage.group).commit_to_pending_proposals();
            let commit = stage.peer_commits(&commit.unwrap());
            let (summary, _) = stage.me.follow(&stage.group, &commit);
            assert_eq!(summary.psks, [psk()]);
            talk(stage, Vec::new());
        },
    },
    Scenario {
        name: "self_update (a PSK is left out)",
        set_up: || {
            let stage = proposed_by(|raw, _| raw.propose_psk(external_psk(b"unknown")));
            stage.me.receive(&stage.group, &stage.input);
            stage.peer.receive(&stage.group, &stage.input);
            stage
        },
        call: |stage| stage.handle().self_update(None).map(|_| Vec::new()),
        check: |stage, nothing| {
            assert_eq!(stage.try_view().unwrap().pending_proposals.len(), 1);
            conclude(stage, nothing);
        },
    },
    Scenario {
        name: "safe_export_secret",
        set_up: pair,
        call: |stage| stage.handle().safe_export_secret(5),
        check: |stage, secret| {
            assert_eq!(stage.peer.group(&stage.group).safe_export_secret(5), Ok(secret));
            let again = stage.me.group(&stage.group).safe_export_secret(5);
            assert_eq!(again, Err(MlsError::SecretAlreadyExported));
            talk(stage, Vec::new());
        },
    },
    Scenario {
        name: "join_by_external_commit_with_psks",
        set_up: || {
            registered(pair()).with(|stage| stage.peer.group(&stage.group).export_group_info(true).unwrap())
        },
        call: |stage| {
            let join = stage.me.client().join_by_external_commit_with_psks(
                stage.me.identity.clone(),
                stage.input.clone(),
                None,
                vec![ID.to_vec()],
            )?;
            Ok(join.commit)
        },
        check: |stage, commit| {
            stage.peer.follow(&stage.group, &commit);
            let client = stage.me.client();
            client.confirm_external_join(stage.group.clone()).unwrap();
            talk(stage, Vec::new());
        },
    },
];
