//! What the fuzz targets share: a session in a prepared world (docs/fuzzing.md).

use std::{
    cell::RefCell,
    env, fs,
    path::{Path, PathBuf},
};

#[path = "../../tests/common/mod.rs"]
mod common;
pub mod targets;

use targets::{Session, World};

thread_local! {
    static SESSION: RefCell<Option<Session>> = const { RefCell::new(None) };
}

/// Runs an input of this target. The first one opens the world in `MLS_FUZZ_WORLD`, or makes one.
pub fn run(target: &str, input: &[u8]) {
    SESSION.with_borrow_mut(|session| session.get_or_insert_with(start).run(target, input));
}

fn start() -> Session {
    let scratch = scratch();
    let kept = env::var_os("MLS_FUZZ_WORLD").and_then(|folder| World::open(Path::new(&folder)));
    let world = kept.unwrap_or_else(|| World::create(&scratch.join("world")));
    Session::new(world, scratch)
}

/// Where databases are copied to: `MLS_FUZZ_SCRATCH`, which the caller removes, or a folder in memory that libFuzzer,
/// which ends without cleaning up, leaves behind.
fn scratch() -> PathBuf {
    if let Some(folder) = env::var_os("MLS_FUZZ_SCRATCH") {
        fs::create_dir_all(&folder).expect("MLS_FUZZ_SCRATCH is a folder");
        return folder.into();
    }
    common::template::scratch().keep()
}
