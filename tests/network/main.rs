//! Devices, a delivery service and everything that can go wrong between them: messages come late, twice, in any order
//! and for a while not at all, answers are lost or misunderstood, storage fails, apps are killed and started again. In
//! the end all members agree, and each has read each message of its epochs once; only what reaches a device after its
//! own removal it cannot read.
//!
//! Every history has a seed, which a failure prints, with the shortest history that still fails.
//! `MLS_NETWORK_SEED=<seed>` plays it again; keys are new each time, all choices are the same. `MLS_NETWORK_CASES` and
//! `MLS_NETWORK_STEPS` say how many histories there are and about how long they are. The ignored test is the long
//! run, in which processes are killed too: `cargo test --all-features --test network -- --ignored long`.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

#[path = "../common/mod.rs"]
mod common;

mod call;
mod commits;
mod end;
mod judge;
mod phone;
mod receive;
mod script;
mod service;
mod world;

use std::{cell::RefCell, env, panic};

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use world::{Tally, World};

/// How many histories are played, how long they are, and whether processes are killed.
struct Plan {
    cases: u64,
    steps: usize,
    processes: bool,
}

#[test]
fn whatever_the_network_does_all_agree_and_read_everything_once() {
    play(Plan {
        cases: 30,
        steps: 60,
        processes: false,
    });
}

#[test]
#[ignore = "minutes: the long run"]
fn long_whatever_the_network_does_all_agree_and_read_everything_once() {
    play(Plan {
        cases: 200,
        steps: 150,
        processes: true,
    });
}

#[test]
#[ignore = "a child process of the other tests"]
fn child() {
    phone::child_main();
}

fn number(name: &str) -> Option<u64> {
    let value = env::var(name).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name} is no number: {value}")),
    )
}

fn play(plan: Plan) {
    let steps = number("MLS_NETWORK_STEPS").map_or(plan.steps, |steps| usize::try_from(steps).unwrap());
    let (first, cases) = match number("MLS_NETWORK_SEED") {
        Some(seed) => (seed, number("MLS_NETWORK_CASES").unwrap_or(1)),
        None => (
            // Short enough to type.
            u64::from(getrandom::u32().unwrap()),
            number("MLS_NETWORK_CASES").unwrap_or(plan.cases),
        ),
    };
    common::child::say(&format!("seeds {first} to {}", first + cases - 1));
    let tally = RefCell::new(Tally::new());
    for seed in first..first + cases {
        play_one(seed, steps, plan.processes, &tally);
    }
    common::child::say(&format!("{:?}", tally.borrow()));
}

fn play_one(seed: u64, steps: usize, processes: bool, tally: &RefCell<Tally>) {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases: 1,
        max_shrink_iters: 2000,
        max_shrink_time: 120_000,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let scripts = script::scripts(steps, processes);
    let result = quietly(|| {
        TestRunner::new_with_rng(config, rng).run(&scripts, |script| {
            for (what, times) in World::play(&script) {
                *tally.borrow_mut().entry(what).or_default() += times;
            }
            Ok::<(), TestCaseError>(())
        })
    });
    match result {
        Ok(()) => {}
        Err(TestError::Fail(reason, script)) => panic!(
            "{reason}\nthe shortest history that fails: {script}\n\
             play it again with MLS_NETWORK_SEED={seed} MLS_NETWORK_STEPS={steps} cargo test --all-features --test \
             network{}",
            if processes { " -- --ignored long" } else { "" }
        ),
        Err(error) => panic!("{error}"),
    }
}

/// Without a word for each of the many failures on the way to the shortest.
fn quietly<T>(run: impl FnOnce() -> T) -> T {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| ()));
    let result = run();
    panic::set_hook(hook);
    result
}
