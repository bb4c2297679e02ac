//! The own Commit between its making and the delivery service's answer, and what follows every merge.

use openmls::{
    group::{GroupId, MlsGroup},
    prelude::Sender,
};
use openmls_traits::OpenMlsProvider;

use super::{Live, check_active, outcome::CommitInfo, summary, with_group};
use crate::{
    error::Error,
    storage::{
        Call, ReadTx, WriteTx, groups, handled_commits,
        pending::{self, PendingCommitRecord},
    },
};

/// The pending Commit as it was handed out, to be sent again.
pub(crate) fn get(
    call: &mut Call<'_, ReadTx<'_>>,
    id: &GroupId,
) -> Result<Option<PendingCommitRecord>, Error> {
    groups::get(&call.tx, id)?.ok_or(Error::GroupNotFound)?;
    pending::get(&call.tx, id).map_err(Into::into)
}

/// Merges the pending Commit: the delivery service accepted it.
pub(crate) fn merge(call: &mut Call<'_, WriteTx<'_>>, id: &GroupId) -> Result<CommitInfo, Error> {
    with_group(call, id, merge_live)
}

/// Drops the pending Commit: the delivery service refused it. Without one there is nothing to do.
pub(crate) fn clear(call: &mut Call<'_, WriteTx<'_>>, id: &GroupId) -> Result<(), Error> {
    with_group(call, id, |live| {
        live.group.clear_pending_commit(live.provider.storage())?;
        pending::delete(live.tx, live.group.group_id()).map_err(Into::into)
    })
}

pub(super) fn merge_live(live: &mut Live<'_, WriteTx<'_>>) -> Result<CommitInfo, Error> {
    check_active(&live.group)?;
    let record = pending::get(live.tx, live.group.group_id())?.ok_or(Error::NoPendingCommit)?;
    let summary = own_summary(&live.group).ok_or(Error::NoPendingCommit)?;
    live.group.merge_pending_commit(&live.provider)?;
    if let Some(identity) = record.new_identity {
        live.record.identity = identity;
    }
    after_merge(live, &record.commit)?;
    Ok(summary)
}

/// The pending own Commit in words, if there is one.
pub(super) fn own_summary(group: &MlsGroup) -> Option<CommitInfo> {
    let staged = group.pending_commit()?;
    let credential = group.credential().ok()?.clone();
    Some(summary::commit(
        group,
        staged,
        &Sender::Member(group.own_leaf_index()),
        credential,
    ))
}

/// What every merge leaves: the new epoch in the listing, no pending Commit, and the Commit known for a duplicate.
pub(super) fn after_merge(live: &mut Live<'_, WriteTx<'_>>, commit: &[u8]) -> Result<(), Error> {
    // The old epoch's keys must not stay in the log.
    live.tx.erase();
    live.record.epoch = live.group.epoch().as_u64();
    live.record.is_active = live.group.is_active();
    groups::update(live.tx, &live.record)?;
    pending::delete(live.tx, live.group.group_id())?;
    handled_commits::insert(live.tx, live.group.group_id(), commit).map_err(Into::into)
}
