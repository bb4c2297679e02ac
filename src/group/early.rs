//! Messages that come before their group can read them: kept, bounded, and replayed in the right order.

use openmls::group::GroupId;
use serde::de::IgnoredAny;

use super::{
    Context, Live, mailbox,
    outcome::{EarlyRefusal, Outcome, Processed},
    process, refusal, with_group,
};
use crate::{
    error::Error,
    policy,
    storage::{
        Call, WriteTx,
        early_messages::{self, EarlyMessage, NewEarlyMessage, Position},
        external_joins,
    },
};

/// Keeps a message for later. A full buffer refuses it, because what was accepted is never given up for it.
pub(super) fn keep(
    tx: &WriteTx<'_>,
    context: &Context,
    id: &GroupId,
    new: &NewEarlyMessage<'_>,
) -> Result<Outcome, Error> {
    let kept = Outcome::Early { epoch: new.epoch };
    if early_messages::contains(tx, id, new.bytes)? {
        return Ok(kept);
    }
    expire(tx, context, new.received)?;
    check_room(tx, context, id, new.bytes.len())?;
    early_messages::insert(tx, id, new)?;
    Ok(kept)
}

/// What waited for longer than the limit goes, and an inbox entry says so. Without an inbox nothing could say it, and
/// nothing goes.
fn expire(tx: &WriteTx<'_>, context: &Context, now: u64) -> Result<(), Error> {
    if !context.inbox {
        return Ok(());
    }
    let before = now.saturating_sub(context.early.age_seconds);
    while let Some(message) = early_messages::take_older_than(tx, before)? {
        let outcome = refused(&message, EarlyRefusal::Expired);
        mailbox::record(tx, context, &message.group_id, outcome)?;
    }
    Ok(())
}

fn check_room(tx: &WriteTx<'_>, context: &Context, id: &GroupId, length: usize) -> Result<(), Error> {
    let limits = &context.early;
    let length = u64::try_from(length).unwrap_or(u64::MAX);
    let group = early_messages::usage(tx, Some(id))?;
    let all = early_messages::usage(tx, None)?;
    let fits = |messages: u64, bytes: u64, most: u32, most_bytes: u64| {
        messages < most.into() && bytes.saturating_add(length) <= most_bytes
    };
    if fits(
        group.messages,
        group.bytes,
        limits.messages_per_group,
        limits.bytes_per_group,
    ) && fits(all.messages, all.bytes, limits.messages, limits.bytes)
    {
        Ok(())
    } else {
        Err(Error::EarlyBufferFull)
    }
}

/// Replays what this group can read now.
pub(crate) fn release_group(
    call: &mut Call<'_, WriteTx<'_>>,
    context: &Context,
    id: &GroupId,
) -> Result<Vec<Processed>, Error> {
    with_group(call, id, |live| release(live, context))
}

/// Replays what the group can read now, epoch by epoch: a Commit among them leads to the next. What a merge made of the
/// own message that waited for it comes right after the merge.
pub(super) fn release(live: &mut Live<'_, WriteTx<'_>>, context: &Context) -> Result<Vec<Processed>, Error> {
    let mut released = Vec::new();
    let mut after = Position::default();
    // Whether something was read since the last time from the start: it may be what another message waited for.
    let mut progress = false;
    loop {
        for outcome in std::mem::take(&mut live.own_messages) {
            let group_id = live.group.group_id().as_slice();
            released.push(mailbox::record(live.tx, context, group_id, outcome)?);
        }
        let (id, epoch) = (live.group.group_id(), live.group.epoch());
        if !live.group.is_active() {
            // What is of a later epoch may be for the next membership.
            let gone = refuse_ended(live.tx, context, id, epoch.as_u64())?;
            released.extend(gone);
            return Ok(released);
        }
        let Some(message) = early_messages::next(live.tx, id, epoch.as_u64(), after)? else {
            if !std::mem::take(&mut progress) {
                return Ok(released);
            }
            after = Position::default();
            continue;
        };
        after = message.position;
        if let Some(processed) = replay(live, context, &message)? {
            progress |= !matches!(processed.outcome, Outcome::EarlyRefused { .. });
            released.push(processed);
        }
        if live.group.epoch() != epoch {
            after = Position::default();
        }
    }
}

/// What became of a message that was kept; nothing if it goes on waiting.
fn replay(
    live: &mut Live<'_, WriteTx<'_>>,
    context: &Context,
    message: &EarlyMessage,
) -> Result<Option<Processed>, Error> {
    let result = live.attempt(|live| {
        let parsed = process::parse(&message.bytes)?;
        process::outcome(live, context, &message.bytes, parsed)
    })?;
    let outcome = match result {
        Ok(Outcome::Early { .. } | Outcome::RivalStaged { .. }) => return Ok(None),
        Ok(outcome) => outcome,
        // The app may decide otherwise later, and has no other copy of it. It is told once.
        Err(Error::CredentialRejected | Error::ValidatorFailed) => {
            return tell_once(live, context, message, EarlyRefusal::Rejected);
        }
        Err(error) if refusal::may_pass(&error) => return Ok(None),
        Err(error) if refusal::lacks_psk(&error) => {
            return tell_once(live, context, message, EarlyRefusal::PskMissing);
        }
        Err(error) => {
            refusal::note(live, &error)?;
            refused(message, EarlyRefusal::Invalid)
        }
    };
    early_messages::delete(live.tx, message.position)?;
    mailbox::record(live.tx, context, &message.group_id, outcome).map(Some)
}

/// The message goes on waiting, and the app is told the first time.
fn tell_once(
    live: &Live<'_, WriteTx<'_>>,
    context: &Context,
    message: &EarlyMessage,
    reason: EarlyRefusal,
) -> Result<Option<Processed>, Error> {
    if !early_messages::mark_rejected(live.tx, live.group.group_id(), &message.bytes)? {
        return Ok(None);
    }
    mailbox::record(live.tx, context, &message.group_id, refused(message, reason)).map(Some)
}

/// Keeps a Commit that the validator rejected in a batch, whose cursor goes past it: until the app has looked at the
/// inbox it has no other copy.
pub(super) fn keep_rejected(
    tx: &WriteTx<'_>,
    context: &Context,
    id: &GroupId,
    new: &NewEarlyMessage<'_>,
) -> Result<(), Error> {
    keep(tx, context, id, new)?;
    if !early_messages::mark_rejected(tx, id, new.bytes)? {
        return Ok(());
    }
    let outcome = Outcome::EarlyRefused {
        epoch: new.epoch,
        reason: EarlyRefusal::Rejected,
    };
    mailbox::record(tx, context, id.as_slice(), outcome).map(drop)
}

/// Gives up all that waits for this group at the app's wish.
pub(crate) fn drop_all(
    call: &mut Call<'_, WriteTx<'_>>,
    context: &Context,
    id: &GroupId,
) -> Result<Vec<Processed>, Error> {
    refuse_up_to(&call.tx, context, id, policy::MAX_EPOCH, EarlyRefusal::Dropped)
}

/// Gives up what waits for a membership that has ended, up to the epoch `last`, but what an external join that waits
/// will read.
pub(super) fn refuse_ended(
    tx: &WriteTx<'_>,
    context: &Context,
    id: &GroupId,
    last: u64,
) -> Result<Vec<Processed>, Error> {
    let join = external_joins::get::<IgnoredAny>(tx, id)?;
    let last = join.map_or(last, |join| last.min(join.epoch));
    refuse_up_to(tx, context, id, last, EarlyRefusal::GroupEnded)
}

fn refuse_up_to(
    tx: &WriteTx<'_>,
    context: &Context,
    id: &GroupId,
    last: u64,
    reason: EarlyRefusal,
) -> Result<Vec<Processed>, Error> {
    let mut gone = Vec::new();
    while let Some(message) = early_messages::next(tx, id, last, Position::default())? {
        early_messages::delete(tx, message.position)?;
        let outcome = refused(&message, reason);
        gone.push(mailbox::record(tx, context, &message.group_id, outcome)?);
    }
    Ok(gone)
}

fn refused(message: &EarlyMessage, reason: EarlyRefusal) -> Outcome {
    Outcome::EarlyRefused {
        epoch: message.position.epoch,
        reason,
    }
}
