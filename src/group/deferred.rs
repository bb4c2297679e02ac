//! Deferred writes of a batch. With every message OpenMLS hands storage all message secrets of the group, those of past
//! epochs too; a batch holds them back and writes them once for many messages, in the same transaction.
//!
//! Until then the group in memory is *ahead* of its rows and must not be lost, or the ratchet steps of messages that are
//! in the inbox would be lost with it. What could lose it, and what prevents that:
//! - A handshake that is refused: OpenMLS may have changed the group, so it is loaded again from its rows. It is flushed
//!   before the handshake's savepoint begins, and a handshake defers nothing ([`step`]).
//! - A message of a past epoch, if those are on disk only: the group is loaded again, so it is flushed before, too.
//! - An application message that is refused: OpenMLS 0.9.2 takes the ratchet's step last, when all else has succeeded
//!   (`process_unverified_message`). The group is as it was and stays in memory (`with_group`).
//! - Other groups need the memory: what leaves it is flushed ([`make_room`]).
//! - The end of the transaction: all are flushed before COMMIT ([`flush`]).
//! - A failure of storage, a panic, the end of the process: the transaction rolls back, inbox and ratchets together.

use std::time::SystemTime;

use openmls::group::{GroupId, PastEpochDeletion};

use crate::{
    error::Error,
    provider::Provider,
    storage::{
        Call, WriteTx,
        cache::LiveGroup,
        groups::GroupRecord,
        secret_parts::{Epochs, Touched},
        tx::KeptFailure,
    },
};

/// Runs `work`, which processes one message of a group and `needs` the secrets of these epochs, in its savepoint. The
/// outer error ends the transaction.
pub(super) fn step<T>(
    call: &mut Call<'_, WriteTx<'_>>,
    id: &GroupId,
    is_handshake: bool,
    needs: impl Fn(&GroupRecord) -> Epochs,
    work: impl FnOnce(&mut Call<'_, WriteTx<'_>>) -> Result<T, Error>,
) -> Result<Result<T, Error>, Error> {
    flush_those(call, |group| {
        let is_loaded_again = || group.secrets.lacks_past_epochs() && needs(&group.record) == Epochs::All;
        group.record.group_id == *id && (is_handshake || is_loaded_again())
    })?;
    call.tx.defer_message_secrets(!is_handshake);
    let result = call.savepoint(work);
    call.tx.defer_message_secrets(false);
    make_room(call)?;
    result
}

/// Writes what was held back, of every group.
pub(super) fn flush(call: &mut Call<'_, WriteTx<'_>>) -> Result<(), Error> {
    flush_those(call, |_| true)
}

fn flush_those(call: &mut Call<'_, WriteTx<'_>>, which: impl Fn(&LiveGroup) -> bool) -> Result<(), Error> {
    let (tx, mut groups) = call.tx_and_groups();
    groups.try_for_each(|group| if which(group) { write(tx, group) } else { Ok(()) })
}

/// Outside any savepoint: what a savepoint undid could not be written again.
fn make_room(call: &mut Call<'_, WriteTx<'_>>) -> Result<(), Error> {
    while let Some(mut group) = call.groups_over_budget() {
        write(&call.tx, &mut group)?;
    }
    Ok(())
}

fn write(tx: &WriteTx<'_>, group: &mut LiveGroup) -> Result<(), Error> {
    if group.is_ahead {
        // Deletes nothing: it is OpenMLS's only method that writes the message secrets and changes nothing else.
        let nothing = PastEpochDeletion::before_timestamp(SystemTime::UNIX_EPOCH);
        let provider = Provider::new(tx)?;
        let current_only = group.secrets.lacks_past_epochs();
        tx.lend_secrets(std::mem::take(&mut group.secrets));
        let write = || group.mls.delete_past_epoch_secrets(&provider, nothing);
        // Without its past epochs in memory it was flushed before anything but messages of the current one.
        let written = if current_only {
            tx.touching(Touched::Current, write)
        } else {
            write()
        };
        written.map_err(|_| KeptFailure)?;
        group.secrets = tx.take_secrets();
        group.is_ahead = false;
    }
    Ok(())
}
