//! Past epochs: how long their message keys stay, and their authenticators.

use std::time::UNIX_EPOCH;

use openmls::group::{
    DeletePastEpochSecretsError, GroupId, MlsGroup, PastEpochDeletion, PastEpochDeletionPolicy,
    SetPastEpochDeletionPolicyError,
};
use subtle::ConstantTimeEq as _;

use super::{Live, with_current_epoch, with_group};
use crate::{
    error::Error,
    policy::{self, GroupSettings},
    storage::{
        Call, ReadTx, WriteTx,
        groups::{self, GroupRecord},
        past_epochs,
        secret_parts::Epochs,
    },
};

/// Groups whose expired keys are deleted at the end of one batch: loading a large group takes milliseconds.
const SWEPT: u32 = 4;

/// Which past epochs' message keys go.
#[derive(Clone, Copy)]
pub(crate) enum Deletion {
    All,
    /// Of epochs that ended more than this many seconds ago.
    OlderThan(u64),
    AllButNewest(usize),
}

/// What an authenticator from elsewhere says.
pub(crate) enum Comparison {
    Same,
    Different,
    /// This device has none of that epoch.
    Unknown,
}

/// Keeps the authenticator of the epoch that is about to end.
pub(super) fn remember(live: &Live<'_, WriteTx<'_>>) -> Result<(), Error> {
    past_epochs::insert(
        live.tx,
        &live.record.group_id,
        live.group.epoch().as_u64(),
        live.group.epoch_authenticator().as_slice(),
    )
    .map_err(Into::into)
}

/// Notes the time at which an epoch ended, for as long as OpenMLS keeps its keys. The caller stores the record.
pub(super) fn ended(live: &mut Live<'_, WriteTx<'_>>) -> Result<(), Error> {
    let now = policy::now();
    // A removed device stays in the keys of its last epoch: for OpenMLS that one has not passed.
    if live.group.is_active() {
        live.record.past_keys.push(now, capacity(&live.group));
    }
    delete_expired(live, now).map(drop)
}

/// Deletes the keys that have outlived their epoch for long enough. It costs nothing if there are none.
pub(super) fn expire(live: &mut Live<'_, WriteTx<'_>>, now: u64) -> Result<(), Error> {
    if delete_expired(live, now)? {
        groups::update(live.tx, &live.record)?;
    }
    Ok(())
}

/// The epochs without which [`expire`] could not do its work at the same time.
pub(super) fn needed_to_expire(record: &GroupRecord, now: u64) -> Epochs {
    if record.past_keys.unexpired(now) < record.past_keys.epochs() {
        Epochs::All
    } else {
        Epochs::Current
    }
}

/// Whether there were any; the caller stores the record.
fn delete_expired(live: &mut Live<'_, WriteTx<'_>>, now: u64) -> Result<bool, Error> {
    let kept = live.record.past_keys.unexpired(now);
    let expired = kept < live.record.past_keys.epochs();
    if expired {
        keep_newest(live, kept)?;
    }
    Ok(expired)
}

/// As [`expire`], in a few of the groups that nobody has used since they were due.
pub(super) fn sweep(call: &mut Call<'_, WriteTx<'_>>) -> Result<(), Error> {
    let now = policy::now();
    let due = groups::past_keys_due(&call.tx, now, SWEPT)?;
    // A group that is damaged does not keep the others from it.
    due.iter().try_for_each(|id| {
        call.savepoint(|call| with_group(call, id, |live| expire(live, now)))
            .map(drop)
    })
}

/// Deletes message keys at the app's wish.
pub(crate) fn delete(
    call: &mut Call<'_, WriteTx<'_>>,
    id: &GroupId,
    deletion: Deletion,
) -> Result<(), Error> {
    with_group(call, id, |live| {
        let kept = match deletion {
            Deletion::All => 0,
            Deletion::OlderThan(seconds) => live.record.past_keys.younger_than(seconds, policy::now()),
            Deletion::AllButNewest(epochs) => epochs,
        };
        keep_newest(live, kept)?;
        groups::update(live.tx, &live.record).map_err(Into::into)
    })
}

/// Changes how many past epochs' keys are kept and for how long, before the rest of the configuration.
pub(super) fn configure(live: &mut Live<'_, WriteTx<'_>>, settings: &GroupSettings) -> Result<(), Error> {
    let most = settings.max_past_epochs as usize;
    if most < capacity(&live.group) {
        // To shrink its list, OpenMLS rotates it left by min(old - new, length) and cuts its end, which is right for a
        // full list only: else it loses the newest epochs, or puts them before older ones. So cut first, and raise
        // the bound so far that the rotation is by the whole length.
        keep_newest(live, most)?;
        let wide = PastEpochDeletionPolicy::MaxEpochs(most + policy::MAX_PAST_EPOCHS as usize);
        live.group
            .set_past_epoch_deletion_policy(&live.provider, wide)
            .map_err(|SetPastEpochDeletionPolicyError::StorageError(error)| error)?;
    }
    live.record.past_keys.lifetime = settings.past_epoch_lifetime_seconds;
    delete_expired(live, policy::now())?;
    groups::update(live.tx, &live.record).map_err(Into::into)
}

/// Deletes the keys of all past epochs but the newest `epochs`.
fn keep_newest(live: &mut Live<'_, WriteTx<'_>>, epochs: usize) -> Result<(), Error> {
    // Nothing is older than 1970: only the number counts, because OpenMLS takes an epoch's age from its beginning.
    let deletion = PastEpochDeletion::before_timestamp(UNIX_EPOCH).max_past_epochs(epochs);
    live.tx.erase();
    live.group
        .delete_past_epoch_secrets(&live.provider, deletion)
        .map_err(|DeletePastEpochSecretsError::StorageError(error)| error)?;
    live.record.past_keys.keep_newest(epochs);
    Ok(())
}

/// How many past epochs OpenMLS keeps in this group.
fn capacity(group: &MlsGroup) -> usize {
    match group.past_epoch_deletion_policy() {
        PastEpochDeletionPolicy::MaxEpochs(epochs) => *epochs,
        PastEpochDeletionPolicy::KeepAll => usize::MAX,
    }
}

/// Compares another member's authenticator with this device's of the same epoch.
pub(crate) fn compare_authenticator(
    call: &mut Call<'_, ReadTx<'_>>,
    id: &GroupId,
    epoch: u64,
    authenticator: &[u8],
) -> Result<Comparison, Error> {
    let record = groups::get(&call.tx, id)?.ok_or(Error::GroupNotFound)?;
    let ours = if epoch == record.epoch && record.is_active {
        Some(with_current_epoch(call, id, |live| {
            Ok(live.group.epoch_authenticator().as_slice().to_vec())
        })?)
    } else if epoch < record.epoch {
        past_epochs::get(&call.tx, id, epoch)?
    } else {
        None
    };
    Ok(match ours {
        None => Comparison::Unknown,
        Some(ours) if ours.ct_eq(authenticator).into() => Comparison::Same,
        Some(_) => Comparison::Different,
    })
}
