//! The safe exporter: the same for all members, and once per component and epoch.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod common;

use common::{Device, advance, deliver, group_of, reload};
use mls_mobile::MlsError;

#[test]
fn each_components_secret_is_the_same_for_all_and_exported_once() {
    let (mut alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let mut secrets = Vec::new();
    for component_id in [0, 1, 0x8000, u16::MAX] {
        let secret = alice.group(&id).safe_export_secret(component_id).unwrap();
        reload(&mut [&mut alice, &mut bob]);
        assert_eq!(secret.len(), 32);
        assert_eq!(
            bob.group(&id).safe_export_secret(component_id),
            Ok(secret.clone())
        );
        secrets.push(secret);
        for device in [&mut alice, &mut bob] {
            for _ in 0..2 {
                let again = device.group(&id).safe_export_secret(component_id);
                assert_eq!(again, Err(MlsError::SecretAlreadyExported));
                device.reload();
            }
        }
    }
    secrets.sort();
    secrets.dedup();
    assert_eq!(secrets.len(), 4);

    // The next epoch has others.
    advance(&id, &alice, &[&bob]);
    reload(&mut [&mut alice, &mut bob]);
    let next = alice.group(&id).safe_export_secret(1).unwrap();
    assert!(!secrets.contains(&next));
    assert_eq!(bob.group(&id).safe_export_secret(1), Ok(next));
}

#[test]
fn an_export_by_another_process_counts() {
    let alice = Device::new("alice");
    let id = group_of(&[&alice]);
    let extension = alice.open_again(|_| {});
    let there = extension.group(id.clone()).unwrap();
    let here = alice.group(&id);
    // Both have the group in memory.
    here.safe_export_secret(1).unwrap();
    assert_eq!(there.safe_export_secret(1), Err(MlsError::SecretAlreadyExported));
    there.safe_export_secret(2).unwrap();
    assert_eq!(here.safe_export_secret(2), Err(MlsError::SecretAlreadyExported));
}

#[test]
fn an_export_survives_commits_that_are_not_merged() {
    let (mut alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    alice.group(&id).self_update(None).unwrap();
    let secret = alice.group(&id).safe_export_secret(7).unwrap();
    assert_eq!(bob.group(&id).safe_export_secret(7), Ok(secret));
    alice.reload();
    alice.group(&id).clear_pending_commit().unwrap();
    assert_eq!(
        alice.group(&id).safe_export_secret(7),
        Err(MlsError::SecretAlreadyExported)
    );
}

#[test]
fn who_joined_from_outside_exports_too_and_who_was_removed_does_not() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice]);
    let group_info = alice.group(&id).export_group_info(true).unwrap();
    let join = bob
        .client()
        .join_by_external_commit(bob.identity.clone(), group_info, None)
        .unwrap();
    alice.follow(&id, &join.commit);
    bob.client().confirm_external_join(id.clone()).unwrap();
    let secret = alice.group(&id).safe_export_secret(3).unwrap();
    assert_eq!(bob.group(&id).safe_export_secret(3), Ok(secret));

    let removal = alice.group(&id).remove_members(vec![1]).unwrap();
    deliver(&id, &alice, &removal, &[&bob]);
    assert_eq!(bob.group(&id).safe_export_secret(4), Err(MlsError::GroupInactive));
}
