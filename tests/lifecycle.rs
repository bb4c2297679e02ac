//! From an empty folder to a conversation and back, with every device reloaded from disk after each step.

mod common;

use common::{Device, assert_agree, deliver, group_of, reload};
use mls_mobile::{MlsError, ProcessedMessage};

#[test]
fn three_devices_form_a_group_talk_and_part() {
    let (mut alice, mut bob, mut carol) = (Device::new("alice"), Device::new("bob"), Device::new("carol"));
    let id = alice.create_group();
    reload(&mut [&mut alice, &mut bob, &mut carol]);

    let key_packages = vec![bob.key_package(), carol.key_package()];
    reload(&mut [&mut alice, &mut bob, &mut carol]);
    let bundle = alice.group(&id).add_members(key_packages).unwrap();
    reload(&mut [&mut alice]);
    assert_eq!(alice.group(&id).pending_commit().unwrap().unwrap(), bundle);
    alice.group(&id).merge_pending_commit().unwrap();
    reload(&mut [&mut alice]);
    for device in [&bob, &carol] {
        device
            .client()
            .join_from_welcome(bundle.welcome.clone().unwrap(), None)
            .unwrap();
    }
    reload(&mut [&mut alice, &mut bob, &mut carol]);
    assert_agree(&id, &[&alice, &bob, &carol]);
    assert_eq!(alice.member_names(&id), ["alice", "bob", "carol"]);

    let hello = bob.send(&id, "hello");
    reload(&mut [&mut alice, &mut bob, &mut carol]);
    assert_eq!(alice.read(&id, &hello), "hello");
    assert_eq!(carol.read(&id, &hello), "hello");
    reload(&mut [&mut alice, &mut bob, &mut carol]);
    assert_eq!(bob.receive(&id, &hello), ProcessedMessage::OwnMessage);
    assert_eq!(carol.receive(&id, &hello), ProcessedMessage::Duplicate);

    let removal = alice
        .group(&id)
        .remove_members(vec![alice.leaf_of(&id, "carol")])
        .unwrap();
    reload(&mut [&mut alice]);
    deliver(&id, &alice, &removal, &[&bob, &carol]);
    reload(&mut [&mut alice, &mut bob, &mut carol]);
    assert_agree(&id, &[&alice, &bob]);
    assert!(!carol.group(&id).info().unwrap().is_active);
    let error = carol
        .group(&id)
        .create_message(b"still here?".to_vec(), Vec::new())
        .unwrap_err();
    assert_eq!(error, MlsError::GroupInactive);
    assert_eq!(bob.read(&id, &alice.send(&id, "she is gone")), "she is gone");
}

#[test]
fn a_removed_device_can_be_invited_again() {
    let (alice, mut bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let removal = alice.group(&id).remove_members(vec![1]).unwrap();
    deliver(&id, &alice, &removal, &[&bob]);
    bob.reload();
    let invitation = alice.group(&id).add_members(vec![bob.key_package()]).unwrap();
    alice.group(&id).merge_pending_commit().unwrap();
    bob.client()
        .join_from_welcome(invitation.welcome.unwrap(), None)
        .unwrap();
    bob.reload();
    assert_agree(&id, &[&alice, &bob]);
    assert_eq!(bob.read(&id, &alice.send(&id, "welcome back")), "welcome back");
}
