//! Three phones chat: the library's main job from an empty folder to a conversation, and a tour of its API.
//!
//! ```text
//! cargo run --example chat
//! cargo run --example chat -- --no-service
//! cargo run --release --example chat -- --members 500
//! ```
//!
//! Read `story.rs` first: it is the conversation, call by call. `phone.rs` is what an app would write around the
//! library, `network.rs` around the delivery service's client; `crowd.rs` is the large group.

#![allow(clippy::print_stdout, reason = "an example talks to its reader")]
#![allow(unreachable_pub, reason = "nobody imports an example")]

mod arguments;
mod by_hand;
mod crowd;
mod network;
mod phone;
mod show;
mod started;
mod story;

use std::{error::Error, path::Path, process::ExitCode};

use arguments::{Arguments, Between, Story};
use network::Network;
use started::Started;

/// Errors of the library, of the file system and of the arguments all end the example with their text.
type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Not `Termination`: it would print the error's `Debug` form.
            println!("chat: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let arguments = arguments::parse(std::env::args().skip(1))?;
    let Arguments { help, keep, story } = arguments;
    if help {
        print!("{}", arguments::HELP);
        return Ok(());
    }
    match keep {
        Some(folder) => {
            std::fs::create_dir_all(&folder)?;
            play(&folder, story)?;
            println!("\nThe database files are in {}.", folder.display());
        }
        None => {
            // Removed when it goes out of scope, whatever happens before.
            let folder = tempfile::tempdir()?;
            play(folder.path(), story)?;
        }
    }
    Ok(())
}

fn play(folder: &Path, story: Story) -> Result<()> {
    match story {
        Story::Crowd(members) => crowd::play(folder, members),
        Story::Chat(Between::Nothing) => story::play(folder, &Network::by_hand()),
        Story::Chat(Between::Service(address)) => story::play(folder, &Network::Service(address)),
        Story::Chat(Between::OwnService) => {
            let service = Started::start(folder)?;
            story::play(folder, &Network::Service(service.address.clone()))
        }
    }
}
