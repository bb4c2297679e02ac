//! The command line.

use std::path::PathBuf;

use crate::Result;

pub const HELP: &str = "\
Three phones chat with end-to-end encryption through a delivery service, each with a database file of its own.

Usage: cargo run --example chat -- [OPTIONS]

Options:
  --service URL  go through a delivery service that runs already, instead of one that is built and started here
  --no-service   go through none: the phones hand each other what they have
  --members N    make one group of N members (2 to 5000) instead, with timings; without a service
  --keep DIR     leave the database files in DIR, which must not hold any yet
  --help         print this
";

#[derive(Default)]
pub struct Arguments {
    pub help: bool,
    pub keep: Option<PathBuf>,
    pub story: Story,
}

pub enum Story {
    Crowd(u32),
    Chat(Between),
}

/// What lies between the phones.
pub enum Between {
    OwnService,
    Service(String),
    Nothing,
}

impl Default for Story {
    fn default() -> Self {
        Self::Chat(Between::OwnService)
    }
}

pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Arguments> {
    let mut arguments = Arguments::default();
    let mut stories = Vec::new();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--help" | "-h" => arguments.help = true,
            "--keep" => {
                let folder = words.next().ok_or("--keep needs a folder")?;
                arguments.keep = Some(folder.into());
            }
            "--members" => {
                let number = words.next().ok_or("--members needs a number")?;
                stories.push(Story::Crowd(members(&number)?));
            }
            "--service" => {
                let address = words.next().ok_or("--service needs an address")?;
                stories.push(Story::Chat(Between::Service(address)));
            }
            "--no-service" => stories.push(Story::Chat(Between::Nothing)),
            other => {
                return Err(format!("unknown argument {other:?}; --help lists those that there are").into());
            }
        }
    }
    if stories.len() > 1 {
        return Err("--members, --service and --no-service exclude each other".into());
    }
    arguments.story = stories.pop().unwrap_or_default();
    Ok(arguments)
}

fn members(number: &str) -> Result<u32> {
    match number.parse() {
        Ok(members @ 2..=5000) => Ok(members),
        _ => Err(format!("--members takes a number from 2 to 5000, not {number:?}").into()),
    }
}
