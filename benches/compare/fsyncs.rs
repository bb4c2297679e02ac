//! How often an operation makes the disk write, counted at the kernel.

use std::{fs, path::Path, process::Command};

use crate::{
    contestant::MARK,
    operations::{Effort, Operation},
    rival::{Rival, Start},
    room::Room,
};

/// Rounds that are counted, after one that warms up. What works through many messages at once is counted once.
fn rounds(operation: Operation) -> usize {
    match operation {
        Operation::AfterReopening | Operation::TenGroups => 1,
        _ => 3,
    }
}

/// The fsyncs of each sample of each operation; nothing where system calls cannot be traced.
pub(crate) fn count(
    start: &Start,
    room: &Room,
    operations: &[Operation],
    folder: &Path,
) -> Option<Vec<Vec<u32>>> {
    Command::new("strace").arg("-V").output().ok()?;
    let trace = folder.join("trace");
    let mut rival = Rival::start_traced(start, &trace);
    let mut samples = Vec::new();
    for operation in operations {
        operation.begin(&mut rival, room);
        let effort = Effort {
            rounds: rounds(*operation),
            in_a_round: operation.effort_of(room.members, false).in_a_round,
        };
        let counted = (0..=effort.rounds).map(|round| operation.round(&mut rival, room, round, effort).len());
        samples.push(counted.collect::<Vec<_>>());
    }
    rival.end();
    let mut counts = between_marks(&fs::read_to_string(trace).unwrap()).into_iter();
    let of_operation = samples.into_iter().map(|rounds| {
        let rounds: Vec<Vec<u32>> = rounds
            .into_iter()
            .map(|samples| counts.by_ref().take(samples).collect())
            .collect();
        rounds.into_iter().skip(1).flatten().collect()
    });
    Some(of_operation.collect())
}

fn between_marks(trace: &str) -> Vec<u32> {
    let mut counts = Vec::new();
    let mut current = None;
    for line in trace.lines() {
        match (line.split_once(MARK), &mut current) {
            (Some((_, mark)), _) if mark.starts_with("on") => current = Some(0),
            (Some(_), count) => counts.extend(count.take()),
            // A call that another thread interrupts is told in two lines; only the first has the parenthesis.
            (None, Some(count)) if line.contains("sync(") => *count += 1,
            _ => {}
        }
    }
    counts
}
