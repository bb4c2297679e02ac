//! Named points of a transaction, at which the tests let storage fail or stop a process.
//!
//! Every statement passes `hit` before and after it runs, as do `BEGIN`, `COMMIT` and the return to the app.
//! Without the feature `fault-injection` a point is an empty function.

use super::error::StorageError;

/// Where a call is.
#[cfg_attr(
    not(feature = "fault-injection"),
    expect(unreachable_pub, reason = "public with the feature only")
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// Before `BEGIN`.
    BeforeBegin,
    /// Before a statement.
    BeforeStatement,
    /// After a statement.
    AfterStatement,
    /// Before `COMMIT`.
    BeforeCommit,
    /// After `COMMIT`, before the call returns.
    AfterCommit,
}

#[cfg(not(feature = "fault-injection"))]
#[inline(always)]
pub(crate) fn hit(_point: Point) -> Result<(), StorageError> {
    Ok(())
}

#[cfg(feature = "fault-injection")]
pub(crate) use enabled::{budget, hit, unsealed};
#[cfg(not(feature = "fault-injection"))]
#[inline(always)]
pub(crate) fn unsealed() -> bool {
    false
}
#[cfg(not(feature = "fault-injection"))]
#[inline(always)]
pub(crate) fn budget(leaves: usize) -> usize {
    leaves
}

#[cfg(feature = "fault-injection")]
pub use enabled::{Plan, arm, disarm, limit_live_groups, switch_sealing_off};

#[cfg(feature = "fault-injection")]
mod enabled {
    use std::{
        cell::RefCell,
        sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    };

    use super::{Point, StorageError};

    /// What happens at the points that the calling thread passes.
    #[derive(Clone, Copy, Debug)]
    pub enum Plan {
        /// Only count them.
        Count,
        /// Let the `n`-th (from 0) fail as a disk error. Points after `COMMIT` cannot fail and are not counted.
        FailAt(u64),
        /// Call `park` at the `n`-th (from 0), whichever it is.
        ParkAt(u64, fn(Point)),
    }

    thread_local! {
        static ARMED: RefCell<Option<(Plan, u64)>> = const { RefCell::new(None) };
    }

    /// Starts counting at 0 for this thread.
    pub fn arm(plan: Plan) {
        ARMED.with(|armed| *armed.borrow_mut() = Some((plan, 0)));
    }

    /// Ends the plan and tells how many points were passed.
    pub fn disarm() -> u64 {
        ARMED
            .with(|armed| armed.borrow_mut().take())
            .map_or(0, |(_, count)| count)
    }

    static UNSEALED: AtomicBool = AtomicBool::new(false);

    /// Lets this process write values in clear, so that a test can search the files for what was deleted.
    pub fn switch_sealing_off() {
        UNSEALED.store(true, Ordering::Relaxed);
    }

    pub(crate) fn unsealed() -> bool {
        UNSEALED.load(Ordering::Relaxed)
    }

    static LIVE_LEAVES: AtomicUsize = AtomicUsize::new(usize::MAX);

    /// Lets this process keep fewer groups in memory, so that a test needs no large ones to see them leave it.
    pub fn limit_live_groups(leaves: usize) {
        LIVE_LEAVES.store(leaves, Ordering::Relaxed);
    }

    pub(crate) fn budget(leaves: usize) -> usize {
        leaves.min(LIVE_LEAVES.load(Ordering::Relaxed))
    }

    pub(crate) fn hit(point: Point) -> Result<(), StorageError> {
        let armed = ARMED.with(|armed| *armed.borrow());
        let Some((plan, count)) = armed else { return Ok(()) };
        if matches!(plan, Plan::FailAt(_)) && point == Point::AfterCommit {
            return Ok(());
        }
        ARMED.with(|armed| *armed.borrow_mut() = Some((plan, count + 1)));
        match plan {
            Plan::FailAt(n) if n == count => Err(StorageError::Io(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR),
                None,
            ))),
            Plan::ParkAt(n, park) if n == count => {
                park(point);
                Ok(())
            }
            Plan::Count | Plan::FailAt(_) | Plan::ParkAt(..) => Ok(()),
        }
    }
}
