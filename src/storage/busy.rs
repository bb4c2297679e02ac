//! Waiting for another process's lock: for as long as the app configured, but not into a suspension.

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Sleep between two tries. Short, because a batch gives way for only a little longer than this.
const STEP: Duration = Duration::from_millis(2);

thread_local! {
    /// SQLite's busy handler takes no context, but it runs on the calling thread.
    static PATIENCE: RefCell<Option<Patience>> = const { RefCell::new(None) };
}

struct Patience {
    until: Instant,
    interrupted: Arc<AtomicBool>,
}

/// SQLite's busy handler of every connection: `true` tries again.
pub(super) fn handler(_tries: i32) -> bool {
    let wait = PATIENCE.with_borrow(|patience| {
        patience
            .as_ref()
            .is_some_and(|it| Instant::now() < it.until && !it.interrupted.load(Ordering::Acquire))
    });
    if wait {
        thread::sleep(STEP);
    }
    wait
}

/// Lets statements that `run` executes wait for locks; outside of it they never do.
pub(super) fn with_patience<T>(
    timeout: Duration,
    interrupted: &Arc<AtomicBool>,
    run: impl FnOnce() -> T,
) -> T {
    let patience = Patience {
        until: Instant::now() + timeout,
        interrupted: Arc::clone(interrupted),
    };
    PATIENCE.set(Some(patience));
    let result = run();
    PATIENCE.set(None);
    result
}
