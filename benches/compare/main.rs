//! This library through its facade, beside the floor under it, the naive design, and mls-rs: each a process of its own
//! that takes its turn in every round, so that whatever else the machine does hits all of them.
//!
//! `cargo bench --bench compare -- [MEMBERS…] [OPTIONS]`; without numbers 2, 32, 256, 1000 and 5000 members.
//!
//! - `--only decrypt,join`: these operations
//! - `--without naive,mls-rs`: not these contestants
//! - `--also NAME=PROGRAM`: another build of this bench, as a further contestant: before and after in one run
//! - `--growth`, `--large`: also 8, 128, 512 and 2000 members; also 10,000
//! - `--quick`: a third of the rounds
//! - `report`: writes the tables and plots of docs/performance.md from the figures of earlier runs

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a bench prints and stops at the first failure"
)]

mod contestant;
mod floor;
mod fsyncs;
mod member;
mod memory;
mod operations;
mod ours;
mod plot;
mod report;
mod results;
mod rival;
mod room;
mod tree;

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use operations::Operation;
use results::{Figures, Results, median, summary};
use rival::{Rival, Start};
use room::Room;

/// Where the figures of all runs are kept; two runs at once would overwrite each other's.
const RESULTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/compare/results.tsv");

struct Run {
    members: Vec<u32>,
    operations: Vec<Operation>,
    starts: Vec<Start>,
    quick: bool,
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).filter(|it| it != "--bench").collect();
    match arguments.first().map(String::as_str) {
        Some("ours") => contestant::serve::<ours::Ours>(),
        Some("floor") => contestant::serve::<floor::Floor>(),
        Some("report") => report::write(&Results::read(Path::new(RESULTS))),
        _ => compare(&Run::new(&arguments)),
    }
}

impl Run {
    fn new(arguments: &[String]) -> Self {
        let mut run = Self {
            members: Vec::new(),
            operations: operations::ALL.to_vec(),
            starts: starts(),
            quick: false,
        };
        let mut further = Vec::new();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().unwrap_or_else(|| panic!("{argument} what?"));
            match argument.as_str() {
                "--only" => {
                    let names: Vec<&str> = value().split(',').collect();
                    run.operations.retain(|it| names.contains(&it.name()));
                    assert_eq!(run.operations.len(), names.len(), "unknown among {names:?}");
                }
                "--without" => {
                    let names: Vec<&str> = value().split(',').collect();
                    run.starts.retain(|it| !names.contains(&it.name.as_str()));
                }
                "--also" => {
                    let (name, program) = value().split_once('=').unwrap();
                    let root = disk();
                    run.starts
                        .push(Start::new(name, program.into(), Some("ours"), &root));
                }
                "--growth" => further.extend([8, 128, 512, 2000]),
                "--large" => further.push(10_000),
                "--quick" => run.quick = true,
                number => run
                    .members
                    .push(number.parse().unwrap_or_else(|_| panic!("{number}?"))),
            }
        }
        if run.members.is_empty() {
            run.members = vec![2, 32, 256, 1000, 5000];
        }
        run.members.extend(further);
        run.members.sort_unstable();
        run
    }
}

/// On the disk that the build is on: what the system has for temporary files may be memory.
fn disk() -> PathBuf {
    Path::new(RESULTS).parent().unwrap().to_path_buf()
}

/// What another package builds, whose SQLite is of another version.
fn others() -> PathBuf {
    disk().join("others")
}

fn starts() -> Vec<Start> {
    let me = env::current_exe().unwrap();
    let others = others().join("release");
    let disk = disk();
    let mut starts = vec![
        Start::new("ours", me.clone(), Some("ours"), &disk),
        Start::new("floor", me.clone(), Some("floor"), &disk),
        Start::new("naive", others.join("naive"), None, &disk),
        Start::new("mls-rs", others.join("mls_rs"), None, &disk),
    ];
    // A disk whose fsync costs nothing: what synchronous NORMAL would be, which the library does not offer.
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        starts.insert(1, Start::new("ours-unsynced", me, Some("ours"), memory));
    }
    starts
}

fn build_others() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/compare/others");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--bins", "--manifest-path"])
        .arg(folder.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(others())
        .status();
    assert!(built.unwrap().success());
}

fn compare(run: &Run) {
    std::fs::create_dir_all(disk()).unwrap();
    if run.starts.iter().any(|it| it.program.starts_with(others())) {
        build_others();
    }
    let file = Path::new(RESULTS);
    for members in &run.members {
        let at = run.operations.iter().copied().filter(|it| it.at(*members));
        // What is of one group is measured where there is only that one.
        let (ten, one): (Vec<_>, Vec<_>) = at.partition(|it| *it == Operation::TenGroups);
        for operations in [one, ten].iter().filter(|it| !it.is_empty()) {
            let mut results = Results::read(file);
            measure(run, *members, operations, &mut results);
            results.write(file);
        }
    }
}

fn measure(run: &Run, members: u32, operations: &[Operation], results: &mut Results) {
    let plan = operations::plan(operations, members);
    println!("\n{members} members");
    let mut rooms = Vec::new();
    for start in &run.starts {
        let folder = tempfile::tempdir_in(&start.root).unwrap();
        let mut rival = Rival::start(start);
        let room = Room::new(folder.path(), &mut rival, plan);
        rooms.push((rival, room, folder));
    }
    let counts: Vec<_> = rooms
        .iter()
        .map(|(rival, room, folder)| fsyncs::count(&rival.start, room, operations, folder.path()))
        .collect();
    for (number, operation) in operations.iter().enumerate() {
        let samples = rounds(*operation, &mut rooms, run.quick);
        println!(
            "  {:<46} {:>9} {:>7} {:>9} {:>9} {:>10} {:>7}",
            operation.title(),
            "median ms",
            "ratio",
            "least ms",
            "CPU ms",
            "written",
            "fsyncs"
        );
        for (((rival, ..), samples), counts) in rooms.iter().zip(&samples).zip(&counts) {
            if !samples.is_empty() {
                let figures = summary(samples, counts.as_ref().map(|counts| &counts[number]));
                results.set(members, operation.name(), rival.name(), figures);
            }
        }
        for (rival, ..) in &rooms {
            let figure = |name: &str| results.get(members, operation.name(), rival.name(), name);
            let floor = results.get(members, operation.name(), "floor", "wall");
            print(rival.name(), floor, figure);
        }
    }
    for (rival, room, _folder) in rooms.iter_mut().filter(|it| it.1.groups.len() == 1) {
        let figures = footprint(rival, room);
        println!(
            "  {:<46} database {:>8.0} KiB, a loaded group {:>7.0} KiB, at most {:>8.0} KiB",
            rival.name(),
            figures["database"] / 1024.0,
            figures["loaded"],
            figures["peak"],
        );
        results.set(members, "footprint", rival.name(), figures);
    }
    for (rival, ..) in rooms {
        rival.end();
    }
}

/// The samples of each contestant.
fn rounds(
    operation: Operation,
    rooms: &mut [(Rival, Room, tempfile::TempDir)],
    quick: bool,
) -> Vec<Vec<rival::Sample>> {
    let mut samples = vec![Vec::new(); rooms.len()];
    for (rival, room, _) in &mut *rooms {
        operation.begin(rival, room);
    }
    let effort = operation.effort_of(rooms[0].1.members, quick);
    for round in 0..=effort.rounds {
        for ((rival, room, _), samples) in rooms.iter_mut().zip(&mut samples) {
            if operation.needs_a_file() && rival.name() == "floor" {
                continue;
            }
            let taken = operation.round(rival, room, round, effort);
            // The first round warms up.
            if round > 0 {
                samples.extend(taken);
            }
        }
    }
    samples
}

fn print(name: &str, floor: Option<f64>, figure: impl Fn(&str) -> Option<f64>) {
    let Some(wall) = figure("wall") else { return };
    let number = |name| figure(name).unwrap_or(f64::NAN);
    println!(
        "    {name:<44} {wall:>9.3} {:<7} {:>9.3} {:>9.3} {:>10.0} {:>7}",
        floor.map_or_else(String::new, |floor| format!("x{:.2}", wall / floor)),
        number("least"),
        number("cpu"),
        number("written-mean"),
        report::fsyncs(&figure),
    );
}

/// What a room takes: on disk, in memory when its group is loaded by a process that has just begun, and at most while
/// that process works through the messages of one group.
fn footprint(rival: &mut Rival, room: &Room) -> Figures {
    let mut grown = Vec::new();
    let mut peaks = Vec::new();
    for _ in 0..3 {
        rival::copy(&room.joined, &room.work);
        let mut fresh = Rival::start(&rival.start);
        fresh.open(&room.work);
        let before = fresh.memory().now;
        fresh.ask("load", &[room.group()]);
        grown.push(fresh.memory().now - before);
        Operation::AfterReopening.once(&mut fresh, room);
        peaks.push(fresh.memory().peak);
        fresh.end();
    }
    Figures::from([
        ("loaded".to_owned(), median(grown)),
        ("peak".to_owned(), median(peaks)),
        ("database".to_owned(), rival::size(&room.joined)),
    ])
}
