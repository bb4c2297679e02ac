//! Storage that fails at every point of every call: the call answers `StorageIo`, nothing has changed in the
//! file or
//! in memory, and the same call then works on the same client.
//!
//! A point is before and after each statement, before `BEGIN` and before `COMMIT` (`fault.rs`). Each failure
//! gets
//! fresh copies of the same database files, and each point fails twice: with the group on disk only, and
//! with the
//! group already in memory, because the two ways differ in their statements and in what must be forgotten.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "test code"
)]

mod common;
mod storage_scenarios;

use std::panic::{self, AssertUnwindSafe};

use common::{Device, assert_agree, group_of};
use mls_mobile::{
    GroupId, MlsClient, MlsError, MlsGroup,
    fault::{self, Plan},
};
use storage_scenarios::{Scenario, Stage};

/// Runs `call` and lets its `point`-th point fail; tells the answer and how many points were passed.
fn with_failure<T>(point: u64, call: impl FnOnce() -> T) -> (T, u64) {
    fault::arm(Plan::FailAt(point));
    let answer = call();
    (answer, fault::disarm())
}

/// More points than any call has: counts those that can fail, without the one after `COMMIT`.
const NEVER: u64 = u64::MAX;

/// Copies the stage; `warm` also loads the group into the cache.
fn fork(stage: &Stage, warm: bool) -> Stage {
    let copy = stage.fork();
    if warm {
        let _ = copy.try_view();
    }
    copy
}

fn check(scenario: &Scenario) {
    let original = (scenario.set_up)();
    let mut counts = [0; 2];
    for (count, warm) in counts.iter_mut().zip([false, true]) {
        let stage = fork(&original, warm);
        let (answer, points) = with_failure(NEVER, || (scenario.call)(&stage));
        (scenario.check)(&stage, answer.unwrap());
        for point in 0..points {
            let place = format!("{}, point {point} of {points}, warm: {warm}", scenario.name);
            fail_once(scenario, &fork(&original, warm), point, &place);
        }
        *count = points;
    }
    let [cold, warm] = counts;
    assert!(cold > 3, "{} runs no statement", scenario.name);
    println!(
        "{:<40} {cold:>4} points from disk, {warm:>4} from memory",
        scenario.name
    );
}

fn fail_once(scenario: &Scenario, stage: &Stage, point: u64, place: &str) {
    let before = stage.me.dump();
    let (answer, _) = with_failure(point, || (scenario.call)(stage));
    assert_eq!(answer.unwrap_err(), MlsError::StorageIo, "{place}");
    assert!(before == stage.me.dump(), "{place}: the file has changed");
    let answer = (scenario.call)(stage).unwrap_or_else(|error| panic!("{place}: then {error:?}"));
    (scenario.check)(stage, answer);
}

#[test]
fn a_failed_call_on_identities_changes_nothing_and_can_be_repeated() {
    storage_scenarios::IDENTITIES.iter().for_each(check);
}

#[test]
fn a_failed_call_on_key_packages_changes_nothing_and_can_be_repeated() {
    storage_scenarios::KEY_PACKAGES.iter().for_each(check);
}

#[test]
fn a_failed_call_on_groups_changes_nothing_and_can_be_repeated() {
    storage_scenarios::GROUPS.iter().for_each(check);
}

#[test]
fn a_failed_external_join_changes_nothing_and_can_be_repeated() {
    storage_scenarios::EXTERNAL_JOINS.iter().for_each(check);
}

#[test]
fn a_failed_call_of_a_recovered_phone_changes_nothing_and_can_be_repeated() {
    storage_scenarios::RECOVERY.iter().for_each(check);
}

#[test]
fn a_failed_own_commit_changes_nothing_and_can_be_repeated() {
    storage_scenarios::OWN_COMMITS.iter().for_each(check);
}

#[test]
fn a_failed_call_on_psks_or_once_only_secrets_changes_nothing_and_can_be_repeated() {
    storage_scenarios::PSKS.iter().for_each(check);
}

#[test]
fn a_failed_proposal_or_waiting_message_changes_nothing_and_can_be_repeated() {
    storage_scenarios::PROPOSING.iter().for_each(check);
}

#[test]
fn a_failed_message_changes_nothing_and_can_be_repeated() {
    storage_scenarios::MESSAGES.iter().for_each(check);
}

#[test]
fn a_failure_in_what_receiving_keeps_changes_nothing_and_can_be_repeated() {
    storage_scenarios::RECEIVING.iter().for_each(check);
}

#[test]
fn a_waiting_external_join_costs_an_application_message_no_statement() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let points = |device: &Device| {
        let (group, message) = (device.group(&id), alice.send(&id, "hello"));
        // Loads the group, whatever was done before.
        device.read(&id, &alice.send(&id, "first"));
        let (answer, points) = with_failure(NEVER, || group.process_message(message));
        answer.unwrap();
        points
    };
    let before = points(&bob);
    let group_info = alice.group(&id).export_group_info(true).unwrap();
    bob.client()
        .join_by_external_commit(bob.identity.clone(), group_info, None)
        .unwrap();
    assert_eq!(points(&bob), before);
}

/// After a failure the group in memory is as it was, not as the failed call had made it.
#[test]
fn a_failed_call_leaves_no_trace_in_memory() {
    let all = [
        storage_scenarios::GROUPS,
        storage_scenarios::EXTERNAL_JOINS,
        storage_scenarios::OWN_COMMITS,
        storage_scenarios::PROPOSING,
        storage_scenarios::MESSAGES,
        storage_scenarios::RECEIVING,
    ];
    for scenario in all.into_iter().flatten() {
        let original = (scenario.set_up)();
        let other = fork(&original, true);
        let (_, points) = with_failure(NEVER, || (scenario.call)(&other));
        let stage = fork(&original, true);
        let before = stage.try_view();
        // Backwards: the last point is before COMMIT, when everything has been done. Looking loads the group
        // again.
        for point in (0..points).rev().step_by(5) {
            let (answer, _) = with_failure(point, || (scenario.call)(&stage));
            assert_eq!(
                answer.unwrap_err(),
                MlsError::StorageIo,
                "{}, {point}",
                scenario.name
            );
            assert_eq!(stage.try_view(), before, "{}, {point}", scenario.name);
        }
    }
}

#[test]
fn a_panic_inside_a_call_harms_nothing_and_the_client_recovers() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let commit = alice.group(&id).self_update(None).unwrap();
    let before = bob.group(&id).info().unwrap();
    for point in [3, 9, 20] {
        fault::arm(Plan::ParkAt(point, |_| panic!("inside the call")));
        let call = || bob.group(&id).process_message(commit.commit.clone());
        assert!(panic::catch_unwind(AssertUnwindSafe(call)).is_err());
        fault::disarm();
        // Not reopened: the same client has to recover.
        assert_eq!(bob.group(&id).info().unwrap(), before);
    }
    common::deliver(&id, &alice, &commit, &[&bob]);
    assert_agree(&id, &[&alice, &bob]);
}

/// A call that reads, with what it reads thrown away.
type Read = fn(&MlsClient, &MlsGroup, GroupId) -> Result<(), MlsError>;

const READS: &[(&str, Read)] = &[
    ("identities", |client, _, _| client.identities().map(drop)),
    ("key_packages", |client, _, _| client.key_packages().map(drop)),
    ("groups", |client, _, _| client.groups().map(drop)),
    ("group", |client, _, id| client.group(id).map(drop)),
    ("inbox", |client, _, _| client.inbox(10).map(drop)),
    ("storage_info", |client, _, _| client.storage_info().map(drop)),
    ("export_recovery_archive", |client, _, _| {
        client.export_recovery_archive(vec![5; 32]).map(drop)
    }),
    ("recovery_revision", |client, _, _| {
        client.recovery_revision().map(drop)
    }),
    ("groups_to_rejoin", |client, _, _| {
        client.groups_to_rejoin().map(drop)
    }),
    ("info", |_, group, _| group.info().map(drop)),
    ("members", |_, group, _| group.members().map(drop)),
    ("external_senders", |_, group, _| {
        group.external_senders().map(drop)
    }),
    ("pending_commit", |_, group, _| group.pending_commit().map(drop)),
    ("pending_external_join", |client, _, id| {
        client.pending_external_join(id).map(drop)
    }),
    ("epoch_authenticator", |_, group, _| {
        group.epoch_authenticator().map(drop)
    }),
    ("export_secret", |_, group, _| {
        group
            .export_secret("label".to_owned(), b"context".to_vec(), 32)
            .map(drop)
    }),
];

#[test]
fn a_failed_read_says_so_and_the_next_one_works() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    alice.read(&id, &bob.send(&id, "for the inbox"));
    for (name, read) in READS {
        let device = alice.fork();
        let group = device.group(&id);
        let run = || read(device.client(), &group, id.clone());
        let mut point = 0;
        loop {
            // Each failure clears the cache, so that every round reads from disk and passes the same points.
            let (answer, passed) = with_failure(point, run);
            if passed <= point {
                answer.unwrap();
                break;
            }
            assert_eq!(answer.unwrap_err(), MlsError::StorageIo, "{name}, point {point}");
            point += 1;
        }
        assert!(point > 0, "{name} runs no statement");
        run().unwrap();
        assert_agree(&id, &[&device, &bob]);
        println!("{name:<40} {point:>4} points from disk");
    }
}
