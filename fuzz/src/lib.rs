//! What the fuzz targets share: a session in a prepared world (docs/fuzzing.md).

use std::{
    cell::RefCell,
    env, fs,
    path::{Path, PathBuf},
};

#[path = "../../tests/common/mod.rs"]
mod common;
pub mod targets;

#[cfg(unix)]
use rusqlite::ffi;
use targets::{Session, World};

thread_local! {
    static SESSION: RefCell<Option<Session>> = const { RefCell::new(None) };
}

/// Runs an input of this target. The first one opens the world in `MLS_FUZZ_WORLD`. Where there is none, it makes one,
/// and puts the inputs to start from into `MLS_FUZZ_CORPUS`.
pub fn run(target: &str, input: &[u8]) {
    SESSION.with_borrow_mut(|session| session.get_or_insert_with(start).run(target, input));
}

fn start() -> Session {
    own_the_database();
    // OpenMLS encrypts paths with rayon: on this thread, nobody waits for another one.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1);
    pool.use_current_thread().build_global().expect("the first pool");
    let scratch = scratch();
    let folder = env::var_os("MLS_FUZZ_WORLD").map_or_else(|| scratch.join("world"), PathBuf::from);
    let world = World::open(&folder).unwrap_or_else(|| create(&folder));
    let mut session = Session::new(world, scratch);
    // Often enough for a million inputs.
    session.look_every = 32;
    session
}

/// Nobody else opens the databases: SQLite keeps its locks and the index of the log in memory and spares the kernel's
/// calls for them. What reaches the file is the same.
fn own_the_database() {
    #[cfg(unix)]
    // SAFETY: no connection is open yet, and what is found by this name lives as long as the process.
    unsafe {
        let alone = ffi::sqlite3_vfs_find(c"unix-excl".as_ptr());
        assert_eq!(ffi::sqlite3_vfs_register(alone, 1), ffi::SQLITE_OK);
    }
}

fn create(folder: &Path) -> World {
    let world = World::create(folder);
    if let Some(corpus) = env::var_os("MLS_FUZZ_CORPUS") {
        world.write_seeds(Path::new(&corpus));
    }
    world
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
