//! What is done with an input: one function for each target, the same for libFuzzer and for the tests.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code; the fuzzer and the tests each use a part of this"
)]

mod archives;
mod arguments;
mod certificates;
mod commits;
mod files;
mod folder;
mod invitations;
mod live;
mod mallory;
mod messages;
mod packages;
mod seeds;
mod wire;
mod world;

use std::{collections::HashMap, fs, path::PathBuf};

use live::Live;
use wire::Crypto;
pub use world::World;

use crate::common::raw::RawPeer;

/// Runs one input.
pub type Run = fn(&mut Session, &[u8]);

/// Every target by its name.
pub const ALL: [(&str, Run); 14] = [
    ("decode", messages::decode),
    ("process_message", messages::process_message),
    ("process_messages", messages::process_messages),
    ("forged_message", messages::forged_message),
    ("commit", commits::commit),
    ("welcome", invitations::welcome),
    ("forged_welcome", invitations::forged_welcome),
    ("group_info", invitations::group_info),
    ("key_package", packages::key_package),
    ("arguments", arguments::arguments),
    ("x509", certificates::x509),
    ("recover", archives::recover),
    ("database", files::database),
    ("transfer", files::transfer),
];

/// A world, and the clients that inputs have been given to.
pub struct Session {
    pub world: World,
    pub scratch: PathBuf,
    /// How many inputs that changed something there are to each whose change is read from the file again.
    pub look_every: u64,
    crypto: Crypto,
    peer: RawPeer,
    clients: HashMap<&'static str, Live>,
    files: HashMap<String, Vec<u8>>,
    root: Vec<u8>,
    /// Inputs without a client that were accepted.
    accepted: u64,
}

impl Session {
    /// Copies of the world's databases go into `scratch`.
    pub fn new(world: World, scratch: PathBuf) -> Self {
        let crypto = Crypto::new();
        Self {
            peer: RawPeer::restore(&world.peer),
            root: certificates::root(&world.mallory, &crypto),
            world,
            scratch,
            look_every: 8,
            crypto,
            clients: HashMap::new(),
            files: HashMap::new(),
            accepted: 0,
        }
    }

    /// Runs an input of the target with this name.
    pub fn run(&mut self, target: &str, input: &[u8]) {
        let (_, run) = ALL.iter().find(|(name, _)| *name == target).unwrap();
        run(self, input);
    }

    /// How many inputs changed something, or were accepted where nothing is there to be changed.
    pub fn changes(&self) -> u64 {
        let changes: u64 = self.clients.values().map(|live| live.changes).sum();
        changes + self.accepted
    }

    /// A file of the world.
    fn file(&mut self, name: &str) -> &[u8] {
        let read = || fs::read(self.world.state(name)).unwrap();
        self.files.entry(name.to_owned()).or_insert_with(read)
    }

    /// The client over this state of the world.
    fn live(&mut self, state: &'static str) -> &mut Live {
        self.clients.entry(state).or_insert_with(|| {
            let may_suspect = state == world::UNSUSPECTING;
            Live::new(
                &self.world.state(state),
                &self.scratch,
                may_suspect,
                self.look_every,
            )
        })
    }
}
