//! The fuzz targets, a little of each: every seed, and some damage to seeds that is the same each time. The campaigns
//! are run with libFuzzer: docs/fuzzing.md.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod common;
mod mutations;
#[path = "../fuzz/src/targets/mod.rs"]
mod targets;

use common::template::scratch;
use mutations::{Random, damaged};
use targets::{ALL, Session, World};
use tempfile::TempDir;

/// Seeds of a target that are run: those of one kind are next to each other.
const SEEDS: usize = 40;

/// Damaged inputs; those of a batch are many messages, and a file is copied.
fn damaged_inputs(target: &str) -> usize {
    match target {
        "transfer" => 30,
        "database" | "process_messages" | "recover" => 60,
        _ => 400,
    }
}

fn session() -> (TempDir, Session) {
    let folder = scratch();
    let world = World::create(&folder.path().join("world"));
    let session = Session::new(world, folder.path().to_owned());
    (folder, session)
}

#[test]
fn no_input_of_a_fuzz_target_breaks_a_promise() {
    let (_folder, mut session) = session();
    for (target, run) in ALL {
        let seeds = session.world.seeds_of(target).to_vec();
        assert!(!seeds.is_empty(), "{target} has no seeds");
        for seed in seeds.iter().step_by(seeds.len().div_ceil(SEEDS)) {
            run(&mut session, seed);
        }
        let mut random = Random::new();
        for _ in 0..damaged_inputs(target) {
            let seed = &seeds[random.below(seeds.len())];
            let (_, input) = damaged(seed, &seeds, &mut random);
            run(&mut session, &input);
        }
    }
}

/// Whether seeds of a target that begin with this byte change something.
fn is_accepted(session: &mut Session, target: &str, first: u8) -> bool {
    let before = session.changes();
    for seed in session.world.seeds_of(target).to_vec() {
        if seed[0] == first {
            session.run(target, &seed);
        }
    }
    session.changes() > before
}

/// Otherwise she would be refused for her signatures or keys, and what she says would never be looked at.
#[test]
fn what_mallory_says_rightly_is_accepted() {
    let (_folder, mut session) = session();
    let mut accepted = |what, target, first| {
        assert!(is_accepted(&mut session, target, first), "{what}");
    };
    for (what, first) in [
        ("an encrypted message", 9),
        ("a proposal", 16),
        ("an encrypted proposal", 17),
        ("a proposal of an external sender", 18),
        ("a guest's proposal to be added", 20),
        ("a Commit", 24),
        ("an external Commit", 30),
    ] {
        accepted(what, "forged_message", first);
    }
    accepted("a Commit made by OpenMLS", "commit", 1);
    accepted("a Welcome", "forged_welcome", 0);
    accepted("a GroupInfo", "group_info", 1);
    accepted("a key package", "key_package", 1);
    accepted("certificates of her authority", "x509", 1);
    accepted("a content that is sealed again", "recover", 1);
}

#[test]
fn only_where_no_fork_is_suspected_a_message_that_does_not_decrypt_changes_something() {
    let (_folder, mut session) = session();
    let mut input = session.world.seeds_of("process_message")[0].clone();
    *input.last_mut().unwrap() ^= 1;
    for (state, changes) in [(0, 0), (7, 1)] {
        input[0] = state;
        session.run("process_message", &input);
        assert_eq!(session.changes(), changes, "state {state}");
    }
}

#[test]
fn a_world_that_was_kept_is_the_same_when_it_is_opened() {
    let (folder, session) = session();
    let opened = World::open(&folder.path().join("world")).unwrap();
    assert_eq!(opened.seeds, session.world.seeds);
    let mut again = Session::new(opened, folder.path().to_owned());
    again.run("process_message", &session.world.seeds_of("process_message")[0]);
    assert_eq!(again.changes(), 1);
}
