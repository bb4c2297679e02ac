//! Catching up: many messages over many groups, in short transactions.

use std::time::{Duration, Instant};

use openmls::{group::GroupId, prelude::ContentType};

use super::{
    Context, deferred, early,
    outcome::Processed,
    past_epochs,
    process::{self, Attempt, Writes},
};
use crate::{
    error::Error,
    policy,
    storage::{Call, Store, WriteTx, early_messages::NewEarlyMessage, header},
};

/// A transaction of a batch commits after this long, so that another process gets in within 250 ms.
const SLICE: Duration = Duration::from_millis(200);
/// How long a batch gives way between two transactions: longer than the step in which others try for the lock.
const GIVE_WAY: Duration = Duration::from_millis(4);

/// A message, and the app's resume point once it is handled.
pub(crate) struct Incoming {
    pub(crate) bytes: Vec<u8>,
    pub(crate) cursor: Option<Vec<u8>>,
}

/// What became of one message of a batch.
pub(crate) enum Handled {
    Processed {
        group_id: GroupId,
        processed: Processed,
    },
    Failed {
        /// Absent if the bytes do not tell.
        group_id: Option<GroupId>,
        error: Error,
    },
}

/// What became of a batch.
pub(crate) struct Batch {
    pub(crate) handled: Vec<Handled>,
    /// The first message that was not handled, and the error that stopped there, if it was no budget.
    pub(crate) stopped: Option<(usize, Option<Error>)>,
}

/// Handles messages in order until the budget is spent, storing each one's cursor with what it changed. It stops
/// before a message that there is no room to keep, or that the validator could not judge, and at a failure of storage;
/// what came before is committed. Its end is an erasure point.
pub(crate) fn process(
    store: &Store,
    context: &Context,
    messages: &[Incoming],
    budget: Option<Duration>,
) -> Result<Batch, Error> {
    let batch = run(store, context, messages, budget)?;
    // What was handled is committed, so an erasure that fails is not the batch's failure: it stays pending.
    drop(store.erase());
    Ok(batch)
}

fn run(
    store: &Store,
    context: &Context,
    messages: &[Incoming],
    budget: Option<Duration>,
) -> Result<Batch, Error> {
    let end = budget.map(|budget| Instant::now() + budget);
    let mut handled = Vec::with_capacity(messages.len());
    loop {
        let rest = messages.get(handled.len()..).unwrap_or_default();
        if !rest.is_empty() && end.is_some_and(|end| Instant::now() >= end) {
            let at = handled.len();
            return Ok(Batch {
                handled,
                stopped: Some((at, None)),
            });
        }
        match store.write(|call| slice(call, context, rest, end)) {
            Ok(mut slice) => {
                handled.append(&mut slice.handled);
                if let Some(error) = slice.stopped_by {
                    let at = handled.len();
                    return Ok(Batch {
                        handled,
                        stopped: Some((at, Some(error))),
                    });
                }
            }
            // Nothing was handled: the call as a whole failed.
            Err(error) if handled.is_empty() => return Err(error),
            Err(error) => {
                let at = handled.len();
                return Ok(Batch {
                    handled,
                    stopped: Some((at, Some(error))),
                });
            }
        }
        if handled.len() == messages.len() {
            return Ok(Batch {
                handled,
                stopped: None,
            });
        }
        std::thread::sleep(GIVE_WAY);
    }
}

/// The part of a batch that one transaction holds.
struct Slice {
    handled: Vec<Handled>,
    stopped_by: Option<Error>,
}

fn slice(
    call: &mut Call<'_, WriteTx<'_>>,
    context: &Context,
    messages: &[Incoming],
    end: Option<Instant>,
) -> Result<Slice, Error> {
    let slice_end = Instant::now() + SLICE;
    let until = end.map_or(slice_end, |end| end.min(slice_end));
    let mut handled = Vec::new();
    let mut stopped_by = None;
    let mut cursor = None;
    for message in messages {
        // At least one, so that a batch always moves on.
        if !handled.is_empty() && Instant::now() >= until {
            break;
        }
        let outcome = match handle(call, context, message)? {
            // Not taken, and nobody decided against it: it must be given again.
            Handled::Failed {
                error: error @ (Error::EarlyBufferFull | Error::ValidatorFailed),
                ..
            } => {
                stopped_by = Some(error);
                break;
            }
            outcome => outcome,
        };
        cursor = message.cursor.as_deref().or(cursor);
        handled.push(outcome);
    }
    if let Some(cursor) = cursor {
        header::set_cursor(&call.tx, cursor)?;
    }
    // Before the sweep, for which a group may have to be loaded again.
    deferred::flush(call)?;
    if handled.len() == messages.len() {
        past_epochs::sweep(call)?;
    }
    Ok(Slice { handled, stopped_by })
}

/// One message in its savepoint. The outer error is one of storage, which ends the transaction.
fn handle(call: &mut Call<'_, WriteTx<'_>>, context: &Context, message: &Incoming) -> Result<Handled, Error> {
    let parsed = match process::parse(&message.bytes) {
        Ok(parsed) => parsed,
        Err(error) => {
            return Ok(Handled::Failed {
                group_id: None,
                error,
            });
        }
    };
    let group_id = parsed.group_id().clone();
    let kept = NewEarlyMessage {
        epoch: parsed.epoch().as_u64(),
        is_commit: parsed.content_type() == ContentType::Commit,
        bytes: &message.bytes,
        received: policy::now(),
    };
    let error = match process::attempt(call, context, &message.bytes, parsed, Writes::Deferred)? {
        Attempt::Processed(processed) => return Ok(Handled::Processed { group_id, processed }),
        Attempt::Refused { error, .. } => error,
    };
    let error = match error {
        Error::CredentialRejected if kept.is_commit => {
            let keep =
                |call: &mut Call<'_, WriteTx<'_>>| early::keep_rejected(&call.tx, context, &group_id, &kept);
            call.savepoint(keep)?.err().unwrap_or(error)
        }
        error => error,
    };
    Ok(Handled::Failed {
        group_id: Some(group_id),
        error,
    })
}
