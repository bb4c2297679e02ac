//! Identities and key packages.

use std::{thread::sleep, time::Duration};

use mls_mobile::{IdentityId, KeyPackageRef};

use super::{Scenario, pair, short_lived, talk, usable};
use crate::common::{SUITE, basic, hsm::Hsm};

pub const IDENTITIES: &[Scenario] = &[
    Scenario {
        name: "create_identity",
        set_up: pair,
        call: |stage| {
            let identity = stage.me.client().create_identity(basic("second"), SUITE)?;
            Ok(identity.id.0)
        },
        check: |stage, id| {
            let identities = stage.me.client().identities().unwrap();
            assert_eq!(
                identities
                    .iter()
                    .map(|identity| &identity.id.0)
                    .collect::<Vec<_>>(),
                [&stage.me.identity.0, &id]
            );
            let packages = stage
                .me
                .client()
                .create_key_packages(IdentityId(id), 1, None)
                .unwrap();
            usable(stage, packages.into_iter().next().unwrap().bytes);
        },
    },
    Scenario {
        name: "create_identity_with_signer",
        set_up: || pair().with(|_| Hsm::shared().public_key.clone()),
        call: |stage| {
            let (client, signer) = (stage.me.client(), Hsm::shared());
            let key = stage.input.clone();
            let identity = client.create_identity_with_signer(basic("second"), SUITE, key, signer)?;
            Ok(identity.id.0)
        },
        check: |stage, id| {
            assert!(stage.me.client().identities().unwrap().remove(1).external_signer);
            let packages = stage
                .me
                .client()
                .create_key_packages(IdentityId(id), 1, None)
                .unwrap();
            usable(stage, packages.into_iter().next().unwrap().bytes);
        },
    },
    Scenario {
        name: "replace_credential",
        set_up: pair,
        call: |stage| {
            let client = stage.me.client();
            let identity = client.replace_credential(stage.me.identity.clone(), basic("renamed"))?;
            Ok(identity.id.0)
        },
        check: |stage, id| {
            let identity = stage.me.client().identities().unwrap().remove(0);
            assert_eq!((identity.id.0, identity.credential), (id, basic("renamed")));
            talk(stage, Vec::new());
            usable(stage, stage.me.key_package());
        },
    },
    Scenario {
        name: "delete_identity",
        set_up: || {
            pair().with(|stage| {
                let identity = stage
                    .me
                    .client()
                    .create_identity(basic("second"), SUITE)
                    .unwrap()
                    .id;
                stage
                    .me
                    .client()
                    .create_key_packages(identity.clone(), 2, None)
                    .unwrap();
                identity.0
            })
        },
        call: |stage| {
            let identity = IdentityId(stage.input.clone());
            stage.me.client().delete_identity(identity).map(|()| Vec::new())
        },
        check: |stage, nothing| {
            assert_eq!(stage.me.client().identities().unwrap().len(), 1);
            assert_eq!(stage.me.client().key_packages().unwrap(), []);
            talk(stage, nothing);
        },
    },
];

pub const KEY_PACKAGES: &[Scenario] = &[
    Scenario {
        name: "create_key_packages(2)",
        set_up: pair,
        call: |stage| {
            let identity = stage.me.identity.clone();
            let mut made = stage.me.client().create_key_packages(identity, 2, None)?;
            Ok(made.remove(1).bytes)
        },
        check: |stage, key_package| {
            assert_eq!(stage.me.client().key_packages().unwrap().len(), 2);
            usable(stage, key_package);
        },
    },
    Scenario {
        name: "replenish_key_packages (2 missing)",
        set_up: || pair().with(|stage| stage.me.key_package()),
        call: |stage| {
            let identity = stage.me.identity.clone();
            let mut made = stage.me.client().replenish_key_packages(identity, 3, None)?;
            Ok(made.remove(1).bytes)
        },
        check: |stage, key_package| {
            assert_eq!(stage.me.client().key_packages().unwrap().len(), 3);
            usable(stage, key_package);
        },
    },
    Scenario {
        name: "delete_key_package",
        set_up: || {
            pair().with(|stage| {
                stage.me.key_package();
                let packages = stage.me.client().key_packages().unwrap();
                packages.into_iter().next().unwrap().reference.0
            })
        },
        call: |stage| {
            let reference = KeyPackageRef(stage.input.clone());
            stage
                .me
                .client()
                .delete_key_package(reference)
                .map(|()| Vec::new())
        },
        check: |stage, nothing| {
            assert_eq!(stage.me.client().key_packages().unwrap(), []);
            talk(stage, nothing);
        },
    },
    Scenario {
        name: "delete_expired_key_packages",
        set_up: || {
            let stage = pair().with(|stage| stage.me.key_package());
            let identity = stage.me.identity.clone();
            stage
                .me
                .client()
                .create_key_packages(identity, 2, short_lived())
                .unwrap();
            sleep(Duration::from_millis(2100));
            stage
        },
        call: |stage| {
            let deleted = stage.me.client().delete_expired_key_packages()?;
            Ok(deleted.to_be_bytes().to_vec())
        },
        check: |stage, deleted| {
            assert_eq!(deleted, 2u64.to_be_bytes());
            usable(stage, stage.input.clone());
        },
    },
];
