//! The command line.

use std::path::PathBuf;

use crate::Result;

pub const HELP: &str = "\
Three phones chat with end-to-end encryption, each with a database file of its own.

Usage: cargo run --release --example chat -- [OPTIONS]

Options:
  --members N   make one group of N members (2 to 5000) instead, with timings
  --keep DIR    leave the database files in DIR, which must not hold any yet
  --help        print this
";

#[derive(Default)]
pub struct Arguments {
    pub help: bool,
    pub keep: Option<PathBuf>,
    pub members: Option<u32>,
}

pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Arguments> {
    let mut arguments = Arguments::default();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--help" | "-h" => arguments.help = true,
            "--keep" => {
                let folder = words.next().ok_or("--keep needs a folder")?;
                arguments.keep = Some(folder.into());
            }
            "--members" => {
                let number = words.next().ok_or("--members needs a number")?;
                arguments.members = Some(members(&number)?);
            }
            other => {
                return Err(format!("unknown argument {other:?}; --help lists those that there are").into());
            }
        }
    }
    Ok(arguments)
}

fn members(number: &str) -> Result<u32> {
    match number.parse() {
        Ok(members @ 2..=5000) => Ok(members),
        _ => Err(format!("--members takes a number from 2 to 5000, not {number:?}").into()),
    }
}
