//! What a call costs in Rust, and what it costs more from Swift and Kotlin: `scripts/ffi-cost.sh` runs this.
//!
//! - `prepare FOLDER`: a closed phone's database, and messages for it, which all languages read
//! - `run FOLDER`: the calls from Rust, through the facade; a line for each figure, as the programs in Swift and Kotlin
//!   (platforms/apple/benches, platforms/android/benches) print them: contestant, call, figure, nanoseconds or bytes
//! - `report FILE`: prints the lines of all rounds as a table, and writes the table of docs/performance.md

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a bench prints and stops at the first failure"
)]

mod fixture;
mod report;

use std::{
    env,
    hint::black_box,
    path::Path,
    time::{Duration, Instant},
};

use fixture::{LARGE, Phone, SMALL, Size};

fn main() {
    let arguments: Vec<String> = env::args().skip(1).filter(|it| it != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["prepare", folder] => fixture::prepare(Path::new(folder)),
        ["run", folder] => run(Path::new(folder)),
        ["report", file] => report::write(Path::new(file)),
        _ => panic!("prepare FOLDER, run FOLDER or report FILE; scripts/ffi-cost.sh does all"),
    }
}

fn run(folder: &Path) {
    let phone = Phone::copy(folder);
    let group = phone.group(&SMALL);
    measure("id", &SMALL, |_| {
        black_box(group.id().unwrap());
    });
    for size in [&SMALL, &LARGE] {
        let phone = Phone::copy(folder);
        let messages = fixture::messages(folder, size);
        // The bytes are there before the time is taken, as in the other languages.
        let mut given = messages.clone().into_iter();
        measure(&format!("info-{}", size.name), size, |_| {
            black_box(phone.client.message_info(given.next().unwrap()).unwrap());
        });
        let group = phone.group(size);
        let mut plaintexts = vec![vec![7; size.bytes]; messages.len()].into_iter();
        measure(&format!("create-{}", size.name), size, |_| {
            let plaintext = plaintexts.next().unwrap();
            black_box(group.create_message(plaintext, Vec::new()).unwrap());
        });
        let mut given = messages.into_iter();
        measure(&format!("process-{}", size.name), size, |_| {
            black_box(group.process_message(given.next().unwrap()).unwrap());
        });
    }
}

/// Median and least of a call, after a warm-up.
fn measure(call: &str, size: &Size, mut run: impl FnMut(usize)) {
    for index in 0..size.calls / 5 {
        run(index);
    }
    let mut times: Vec<Duration> = (0..size.calls)
        .map(|index| {
            let begin = Instant::now();
            run(index);
            begin.elapsed()
        })
        .collect();
    times.sort_unstable();
    for (figure, time) in [("median", times[times.len() / 2]), ("least", times[0])] {
        println!("rust\t{call}\t{figure}\t{}", time.as_nanos());
    }
}
