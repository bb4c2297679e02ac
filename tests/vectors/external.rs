//! A phone joins a vector's group with a GroupInfo that the passive client signs: so its signature key is the one that it
//! should be, and what the vectors left it with is a whole group.

use super::{
    common::{Device, assert_agree},
    file::{COMMITS, PassiveClient, WELCOMES},
    passive::follow,
};

fn a_phone_joins(case: &PassiveClient) {
    let (mut passive, id) = case.joined();
    for epoch in &case.epochs {
        follow(&mut passive, &id, epoch);
    }
    let suite = super::SUITES
        .into_iter()
        .find(|suite| super::number(*suite) == case.cipher_suite);
    let mut phone = Device::with_suite("phone", suite.unwrap());
    let info = passive.group(&id).export_group_info(true).unwrap();
    let identity = phone.identity.clone();
    let join = phone.client().join_by_external_commit(identity, info, None);
    passive.follow(&id, &join.unwrap().commit);
    phone.client().confirm_external_join(id.clone()).unwrap();
    passive.reload();
    phone.reload();
    assert_agree(&id, &[&passive, &phone]);
    let message = passive.send(&id, "no longer passive");
    assert_eq!(phone.read(&id, &message), "no longer passive");
    let update = passive.group(&id).self_update(None).unwrap();
    passive.group(&id).merge_pending_commit().unwrap();
    phone.follow(&id, &update.commit);
    assert_agree(&id, &[&passive, &phone]);
}

#[test]
fn a_phone_joins_the_groups_of_the_passive_clients() {
    for file in [WELCOMES, COMMITS] {
        let Some(cases) = file.ours() else { return };
        cases.iter().for_each(a_phone_joins);
    }
}
