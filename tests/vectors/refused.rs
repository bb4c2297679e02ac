//! What differs from a vector in one bit or one part is refused, and what is whole still passes.

use mls_mobile::{KeyPackageReason, MlsError, WelcomeReason};

use super::{
    common::Device,
    file::{Bytes, COMMITS, PassiveClient, WELCOMES},
    passive::{assert_authenticator, follow},
    with_a_bit_changed,
};

/// How often a Commit is damaged, each time elsewhere.
const DAMAGES: usize = 6;

fn assert_not_joined(case: &PassiveClient, device: &Device, reason: WelcomeReason) {
    let refused = case.try_to_join(device).err();
    assert_eq!(refused, Some(MlsError::WelcomeInvalid { reason }));
    assert_eq!(device.client().groups().unwrap(), []);
}

#[test]
fn a_key_package_with_a_bit_changed_is_not_imported() {
    let Some(cases) = WELCOMES.ours() else { return };
    let device = Device::new("phone");
    let before = device.client().identities();
    for case in &cases {
        let whole = &case.key_package.0;
        let imported = device.client().import_key_package(
            &with_a_bit_changed(whole, whole.len() - 1),
            case.init_priv.0.clone(),
            case.encryption_priv.0.clone(),
            case.signature_priv.0.clone(),
        );
        let reason = KeyPackageReason::SignatureInvalid;
        assert_eq!(imported.err(), Some(MlsError::KeyPackageInvalid { reason }));
    }
    assert_eq!(device.client().key_packages(), Ok(Vec::new()));
    assert_eq!(device.client().identities(), before);
}

#[test]
fn a_commit_with_a_bit_changed_is_not_followed() {
    let Some(cases) = COMMITS.ours() else { return };
    for case in &cases {
        let (mut device, id) = case.joined();
        let mut authenticator = case.initial_epoch_authenticator.clone();
        for epoch in &case.epochs {
            for proposal in &epoch.proposals {
                device.receive(&id, &proposal.0);
            }
            let commit = &epoch.commit.0;
            // Behind what routes it: version, wire format, group id (32 bytes with their length), epoch.
            let content = 4 + 33 + 8;
            let last = commit.len() - 1;
            for n in 0..=DAMAGES {
                let at = content + (last - content) * n / DAMAGES;
                let damaged = with_a_bit_changed(commit, at);
                let refused = device.group(&id).process_message(damaged).err();
                assert!(
                    matches!(
                        refused,
                        Some(MlsError::MessageInvalid { .. } | MlsError::MessageMalformed)
                    ),
                    "byte {at} of {last}: {refused:?}"
                );
                assert_authenticator(&device, &id, &authenticator.0);
            }
            device.reload();
            device.follow(&id, commit);
            authenticator = epoch.epoch_authenticator.clone();
            assert_authenticator(&device, &id, &authenticator.0);
        }
    }
}

#[test]
fn a_commit_without_its_proposals_waits_for_them() {
    let Some(cases) = COMMITS.ours() else { return };
    let mut waited = 0;
    for case in &cases {
        let (mut device, id) = case.joined();
        follow(&mut device, &id, &case.epochs[0]);
        let epoch = &case.epochs[1];
        if epoch.proposals.is_empty() {
            continue;
        }
        device.receive(&id, &epoch.commit.0);
        assert_authenticator(&device, &id, &case.epochs[0].epoch_authenticator.0);
        for proposal in &epoch.proposals {
            device.reload();
            device.receive(&id, &proposal.0);
        }
        assert_authenticator(&device, &id, &epoch.epoch_authenticator.0);
        waited += 1;
    }
    assert_eq!(waited, 14);
}

#[test]
fn a_welcome_waits_for_its_pre_shared_key() {
    let Some(mut cases) = WELCOMES.ours() else { return };
    cases.retain(|case| !case.external_psks.is_empty());
    assert_eq!(cases.len(), 8);
    for case in &cases {
        let mut device = case.device();
        assert_not_joined(case, &device, WelcomeReason::PskMissing);
        let id = case.external_psks[0].psk_id.0.clone();
        device.client().register_psk(id, b"another".to_vec()).unwrap();
        assert_not_joined(case, &device, WelcomeReason::DecryptionFailed);
        case.register_psks(&mut device);
        let id = case.try_to_join(&device).unwrap();
        assert_authenticator(&device, &id, &case.initial_epoch_authenticator.0);
    }
}

#[test]
fn a_welcome_is_joined_with_its_own_tree_only() {
    let Some(mut cases) = WELCOMES.ours() else { return };
    cases.retain(|case| case.ratchet_tree.is_some());
    assert_eq!(cases.len(), 8);
    for (case, other) in cases.iter().zip(cases.iter().cycle().skip(1)) {
        let mut device = case.device();
        case.register_psks(&mut device);
        let without = PassiveClient {
            ratchet_tree: None,
            ..case.clone()
        };
        assert_not_joined(&without, &device, WelcomeReason::RatchetTreeMissing);
        let with_another = PassiveClient {
            ratchet_tree: other.ratchet_tree.clone(),
            ..case.clone()
        };
        assert_not_joined(&with_another, &device, WelcomeReason::RatchetTreeInvalid);
        let id = case.try_to_join(&device).unwrap();
        assert_authenticator(&device, &id, &case.initial_epoch_authenticator.0);
    }
}

#[test]
fn a_welcome_is_joined_with_its_own_keys_only() {
    let Some(cases) = WELCOMES.ours() else { return };
    for (case, other) in cases.iter().zip(cases.iter().cycle().skip(1)) {
        let another_init_key = PassiveClient {
            init_priv: other.init_priv.clone(),
            ..case.clone()
        };
        let mut device = another_init_key.device();
        case.register_psks(&mut device);
        assert_not_joined(case, &device, WelcomeReason::DecryptionFailed);
        let damaged = PassiveClient {
            welcome: Bytes(with_a_bit_changed(&case.welcome.0, case.welcome.0.len() - 1)),
            ..case.clone()
        };
        let mut device = case.device();
        case.register_psks(&mut device);
        assert_not_joined(&damaged, &device, WelcomeReason::DecryptionFailed);
        let id = case.try_to_join(&device).unwrap();
        assert_authenticator(&device, &id, &case.initial_epoch_authenticator.0);
    }
}
