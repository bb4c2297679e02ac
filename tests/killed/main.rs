//! A process is parked at a point of a call, killed with SIGKILL, and its database opened again: there is the
//! old state or the new one, whole, the group still talks to its peers, and nothing that was returned is
//! lost.
//!
//! Each test goes through every point of one call: before and after each statement and COMMIT, and before the
//! return.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

#[path = "../common/mod.rs"]
mod common;
mod peers;
mod recovery;
mod scenarios;
mod state;
mod transfer;
mod whenever;

use std::{fs, path::Path, thread, time::Duration};

use common::{
    child::{self, Child},
    template::open_at,
};
use mls_mobile::{
    ProcessedMessage,
    fault::{self, Plan, Point},
};
use scenarios::Scene;
use state::Dump;
use tempfile::TempDir;

/// A test for each call: its name is the scenario's.
macro_rules! kill_anywhere_in {
    ($($scenario:ident),* $(,)?) => { mod kill_anywhere_in {
        $( #[test] fn $scenario() { super::kill_anywhere(stringify!($scenario)); } )*
    } };
}

kill_anywhere_in! {
    create_identity,
    create_identity_with_signer,
    create_key_packages,
    create_group,
    join_from_welcome,
    add_members,
    remove_members,
    self_update,
    merge_pending_commit,
    clear_pending_commit,
    create_message,
    process_application_message,
    process_commit,
    process_rival_commit,
    process_own_echo,
    process_own_removal,
    leave,
    propose_self_update,
    commit_and_create_message,
    merge_pending_commit_with_message,
    clear_pending_commit_with_message,
    process_own_echo_with_message,
    process_rival_commit_with_message,
    join_by_external_commit,
    confirm_external_join,
    abandon_external_join,
    process_external_join_echo,
    confirm_rejoin,
    forget_group_to_rejoin,
    process_commit_to_wait,
    process_commit_that_releases,
    process_echo_of_cleared_commit,
    keep_early_message,
    merge_staged_commit,
    discard_staged_commit,
    process_messages,
    process_messages_with_a_budget,
    acknowledge,
    delete_group,
    register_psk,
    delete_psk,
    safe_export_secret,
    rekey,
    confirm_rekey,
    rotate_data_key,
}

/// Where a child is when it is killed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Parked {
    BeforeCommit,
    AfterCommit,
    /// The call returned before it reached the point; the child waits to be released.
    Not,
}

/// Goes through the points of a call.
fn kill_anywhere(scenario: &str) {
    let scene = Scene::of(scenario);
    let before = Dump::of(scene.alice.device().client());
    let (after, points) = undisturbed(scenario, &scene);
    // What the call must do at all, so that old and new are not the same by accident.
    assert_eq!(
        after.inbox.len(),
        before.inbox.len() + received(scenario) - acknowledged(scenario)
    );
    assert!(after.generation > before.generation + 1);
    let mut seen = (0, 0);
    for point in 0..points {
        let folder = scene.alice.copy();
        let parked = kill_at(scenario, folder.path(), point);
        match parked {
            Parked::BeforeCommit => seen.0 += 1,
            Parked::AfterCommit => seen.1 += 1,
            // Batches are cut by the clock, so a run may have fewer transactions than the one that counted.
            Parked::Not => assert!(is_batch(scenario), "{scenario}: point {point} of {points}"),
        }
        check(scenario, &scene, folder, &before, &after, parked);
    }
    assert!(
        seen.0 > 0 && seen.1 > 0,
        "{scenario}: the kills were on one side of COMMIT only"
    );
    child::say(&format!("{scenario}: killed at {points} points"));
}

fn is_batch(scenario: &str) -> bool {
    scenario.starts_with("process_messages")
}

/// How many inbox entries the call makes.
fn received(scenario: &str) -> usize {
    match scenario {
        scenario if is_batch(scenario) => scenarios::BATCH,
        "process_commit_that_releases"
        | "process_own_echo_with_message"
        | "process_rival_commit_with_message" => 2,
        "merge_pending_commit_with_message" | "clear_pending_commit_with_message" => 1,
        "merge_staged_commit" | "discard_staged_commit" => 1,
        scenario if scenario.starts_with("process_") => 1,
        _ => 0,
    }
}

/// How many inbox entries the call removes.
fn acknowledged(scenario: &str) -> usize {
    if scenario == "acknowledge" { 2 } else { 0 }
}

/// The state after the call when nobody kills it, and how many points it has.
fn undisturbed(scenario: &str, scene: &Scene) -> (Dump, u64) {
    let folder = scene.alice.copy();
    let points = points_of(scenario, folder.path());
    let key = scenarios::assert_keys(scenario, true, folder.path());
    (Dump::of(&open_at(folder.path(), key).unwrap()), points)
}

/// Makes the call in a child that nobody kills, and tells how many points it passed.
fn points_of(scenario: &str, folder: &Path) -> u64 {
    let mut child = start(scenario, folder, u64::MAX);
    let heard = child.hear();
    child.release();
    child.finish();
    heard.strip_prefix("returned ").unwrap().parse().unwrap()
}

fn start(scenario: &str, folder: &Path, point: u64) -> Child {
    let arguments = [
        ("MLS_SCENARIO", scenario),
        ("MLS_FOLDER", folder.to_str().unwrap()),
        ("MLS_POINT", &point.to_string()),
    ];
    Child::start("child", &arguments)
}

fn kill_at(scenario: &str, folder: &Path, point: u64) -> Parked {
    let child = start(scenario, folder, point);
    let parked = match child.hear().as_str() {
        "parked AfterCommit" => Parked::AfterCommit,
        heard if heard.starts_with("parked ") => Parked::BeforeCommit,
        _ => Parked::Not,
    };
    child.kill();
    parked
}

/// The child's side: an app that sends a message, and is killed in its next call.
#[test]
#[ignore = "a child process of the other tests"]
fn child() {
    let Some(scenario) = child::argument("MLS_SCENARIO") else {
        return;
    };
    let folder = child::argument("MLS_FOLDER").unwrap();
    let point = child::argument("MLS_POINT").unwrap().parse().unwrap();
    if scenario == whenever::SCENARIO {
        whenever::chat(Path::new(&folder));
    }
    let run = if scenario == "import_transfer" {
        transfer::import_call(Path::new(&folder))
    } else if scenario == "recover" {
        recovery::recover_call(Path::new(&folder))
    } else {
        let folder = Path::new(&folder);
        let client = open_at(folder, common::KEY).unwrap();
        let main = client.group(scenarios::named_group(folder, "main")).unwrap();
        let message = main.create_message(b"returned".to_vec(), Vec::new()).unwrap();
        fs::write(folder.join("returned-message"), message).unwrap();
        scenarios::call(&scenario, &client, folder)
    };
    fault::arm(Plan::ParkAt(point, park));
    run();
    child::say(&format!("returned {}", fault::disarm()));
    child::wait();
}

fn park(point: Point) {
    child::say(&format!("parked {point:?}"));
    loop {
        thread::sleep(Duration::from_secs(3600));
    }
}

/// Opens the database of a killed app and goes on, as the app would.
fn check(scenario: &str, scene: &Scene, folder: TempDir, before: &Dump, after: &Dump, parked: Parked) {
    let committed = parked != Parked::BeforeCommit;
    let key = scenarios::assert_keys(scenario, committed, folder.path());
    let returned = fs::read(folder.path().join("returned-message")).unwrap();
    let returned_cursor = fs::read(folder.path().join("returned-cursor")).ok();
    let alice = scene.alice.open(folder, key).unwrap();
    let found = Dump::of(alice.client());
    if is_batch(scenario) {
        assert_prefix(before, &found, after);
        // What a batch had returned is there, and what it had committed without returning.
        assert!(found.cursor >= returned_cursor);
        assert!(parked != Parked::AfterCommit || found.cursor > returned_cursor);
    } else if committed {
        assert_eq!(found.shape(), after.shape(), "{scenario}: the new state");
        assert_eq!(found.generation, after.generation, "{scenario}: the new state");
    } else {
        found.assert_same(before);
        // Raised by the message that was sent before, and not by this call.
        assert!(
            found.generation > before.generation && found.generation < after.generation,
            "{scenario}: the old state"
        );
    }

    // The app makes the call again, or goes on, and gets to the same state.
    let path = alice.path();
    let folder = path.parent().unwrap();
    if is_batch(scenario) || !committed {
        let outcomes = scenarios::call(scenario, alice.client(), folder)();
        assert!(!outcomes.contains(&ProcessedMessage::Duplicate), "{outcomes:?}");
    } else if scenario.starts_with("process_") {
        let outcomes = scenarios::call(scenario, alice.client(), folder)();
        assert_eq!(outcomes, [ProcessedMessage::Duplicate]);
    }
    let recovered = Dump::of(alice.client());
    assert_eq!(
        recovered.shape(),
        after.shape(),
        "{scenario}: the state after the recovery"
    );
    scenarios::assert_done(scenario, alice.client(), folder);
    if is_batch(scenario) {
        // Every message and every membership change, once, in order.
        let outcomes = |dump: &Dump| -> Vec<_> { dump.inbox.iter().map(|it| it.outcome.clone()).collect() };
        assert_eq!(outcomes(&recovered), outcomes(after));
        let again = alice
            .client()
            .process_messages(scenarios::messages(folder), None)
            .unwrap();
        assert!(
            scenarios::processed(again)
                .iter()
                .all(|it| *it == ProcessedMessage::Duplicate)
        );
    }
    peers::go_on(scenario, scene, alice, &returned);
}

/// A batch may stop between two messages: the inbox, the cursor and the groups are those of one such place.
fn assert_prefix(before: &Dump, found: &Dump, after: &Dump) {
    let handled = found.cursor.as_ref().map_or(0, |cursor| usize::from(cursor[0]));
    assert_eq!(found.inbox, after.inbox[..handled]);
    // The fourth message is the Commit.
    let groups = if handled < 4 {
        &before.groups
    } else {
        &after.groups
    };
    assert_eq!(&found.groups, groups);
    assert_eq!(
        (&found.identities, &found.key_packages),
        (&before.identities, &before.key_packages)
    );
}
