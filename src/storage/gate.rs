//! The gate: one call at a time, none while suspended, and none from within a call.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, ThreadId},
    time::{Duration, Instant},
};

/// Why a call is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The calling thread is inside a call: a callback called back.
    Reentrant,
    Suspended,
}

#[derive(Default)]
pub(super) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    inside: Option<ThreadId>,
    suspended: bool,
    /// Threads that wait for the running call: without any, nobody is woken.
    waiting: usize,
}

/// The right to be inside, given back when it is dropped.
pub(super) struct Pass<'g>(&'g Gate);

impl Gate {
    /// Waits for the running call to end; refused as soon as a suspension begins.
    pub(super) fn enter(&self) -> Result<Pass<'_>, Refusal> {
        self.wait(self.lock(), |state| {
            if state.suspended {
                Err(Refusal::Suspended)
            } else {
                Ok(())
            }
        })
    }

    /// Lets nobody in any more and waits for the running call. At the deadline `interrupt` is called, and the call
    /// ends at its next statement. The pass is for closing what is open.
    pub(super) fn suspend(&self, deadline: Duration, interrupt: impl FnOnce()) -> Result<Pass<'_>, Refusal> {
        let mut state = self.lock();
        refuse_reentrance(&state)?;
        state.suspended = true;
        // Those who wait outside must hear that they are refused.
        self.changed.notify_all();
        let until = Instant::now() + deadline;
        while state.inside.is_some() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                drop(state);
                interrupt();
                state = self.lock();
                break;
            }
            state.waiting += 1;
            state = self
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            state.waiting -= 1;
        }
        self.wait(state, |_| Ok(()))
    }

    /// Enters whether suspended or not, to open what was closed.
    pub(super) fn enter_suspended(&self) -> Result<Pass<'_>, Refusal> {
        self.wait(self.lock(), |_| Ok(()))
    }

    /// Lets calls in again.
    pub(super) fn resume(&self) {
        self.lock().suspended = false;
    }

    fn wait<'g>(
        &'g self,
        mut state: MutexGuard<'g, State>,
        check: impl Fn(&State) -> Result<(), Refusal>,
    ) -> Result<Pass<'g>, Refusal> {
        refuse_reentrance(&state)?;
        loop {
            check(&state)?;
            if state.inside.is_none() {
                state.inside = Some(thread::current().id());
                return Ok(Pass(self));
            }
            state.waiting += 1;
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refuse_reentrance(state: &State) -> Result<(), Refusal> {
    if state.inside == Some(thread::current().id()) {
        Err(Refusal::Reentrant)
    } else {
        Ok(())
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.inside = None;
        let is_awaited = state.waiting > 0;
        drop(state);
        if is_awaited {
            self.0.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering},
        },
        thread,
        time::Duration,
    };

    use super::{Gate, Refusal};

    #[test]
    fn a_call_from_within_a_call_is_refused_and_not_waited_for() {
        let gate = Gate::default();
        let _inside = gate.enter().ok().unwrap();
        assert_eq!(gate.enter().err(), Some(Refusal::Reentrant));
        assert_eq!(
            gate.suspend(Duration::ZERO, || ()).err(),
            Some(Refusal::Reentrant)
        );
    }

    #[test]
    fn who_waits_outside_is_refused_when_a_suspension_begins() {
        let gate = Arc::new(Gate::default());
        let inside = gate.enter().ok().unwrap();
        let (waiting, suspending) = (Arc::clone(&gate), Arc::clone(&gate));
        let waiter = thread::spawn(move || waiting.enter().err());
        let interrupted = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&interrupted);
        let suspender = thread::spawn(move || {
            suspending
                .suspend(Duration::ZERO, || flag.store(true, Ordering::Release))
                .is_ok()
        });
        assert_eq!(waiter.join().unwrap(), Some(Refusal::Suspended));
        while !interrupted.load(Ordering::Acquire) {
            thread::yield_now();
        }
        drop(inside);
        assert!(suspender.join().unwrap());
        assert_eq!(gate.enter().err(), Some(Refusal::Suspended));
        gate.resume();
        assert!(gate.enter().is_ok());
    }
}
