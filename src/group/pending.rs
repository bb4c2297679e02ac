//! The own Commit between its making and the delivery service's answer (RFC 9420, section 14).

use openmls::{
    group::{GroupId, MlsGroup, StagedCommit},
    prelude::Sender,
};
use openmls_traits::OpenMlsProvider;
use serde::{Deserialize, Serialize};

use super::{
    Context, Live, check_active, early,
    epoch::{self, By},
    outcome::{CommitInfo, Merged, Outcome},
    own_message, summary, with_group,
};
use crate::{
    error::Error,
    storage::{
        Call, ReadTx, WriteTx, cleared_commits, groups,
        pending::{self, PendingCommitRecord},
        per_group::PerGroup,
    },
};

/// A cleared Commit with all that is needed to merge it when it comes back. `S` is OpenMLS's `StagedCommit`, owned or
/// borrowed.
#[derive(Serialize, Deserialize)]
struct Cleared<S> {
    record: PendingCommitRecord,
    summary: CommitInfo,
    staged: S,
}

/// The pending Commit as it was handed out, to be sent again.
pub(crate) fn get(
    call: &mut Call<'_, ReadTx<'_>>,
    id: &GroupId,
) -> Result<Option<PendingCommitRecord>, Error> {
    groups::get(&call.tx, id)?.ok_or(Error::GroupNotFound)?;
    pending::get(&call.tx, id).map_err(Into::into)
}

/// Merges the pending Commit: the delivery service accepted it. If its echo has merged it already, it says so again.
pub(crate) fn merge(
    call: &mut Call<'_, WriteTx<'_>>,
    context: &Context,
    id: &GroupId,
) -> Result<Merged, Error> {
    with_group(call, id, |live| {
        check_active(&live.group)?;
        let Some(record) = pending::get(live.tx, id)? else {
            return merged_by_echo(live);
        };
        if PerGroup::Staged.exists(live.tx, id)? {
            return Err(Error::StagedCommitExists);
        }
        let summary = own_summary(&live.group).ok_or(Error::NoPendingCommit)?;
        merge_pending(live, &record, By::Decision)?;
        Ok(Merged {
            summary,
            superseded: None,
            released: early::release(live, context)?,
        })
    })
}

/// The delivery service's answer may come after the echo: what it was asked for is done.
fn merged_by_echo(live: &Live<'_, WriteTx<'_>>) -> Result<Merged, Error> {
    let summary = PerGroup::Merged
        .get(live.tx, live.group.group_id())?
        .ok_or(Error::NoPendingCommit)?;
    Ok(Merged {
        summary,
        superseded: None,
        released: Vec::new(),
    })
}

/// Drops the pending Commit: the delivery service refused it. Without one there is nothing to do. Until the epoch
/// ends it is remembered, because the answer may have been wrong; the message that waited for it is not.
pub(crate) fn clear(call: &mut Call<'_, WriteTx<'_>>, context: &Context, id: &GroupId) -> Result<(), Error> {
    with_group(call, id, |live| {
        if let Some(mut record) = pending::get(live.tx, id)? {
            own_message::give_back(live.tx, context, id, record.message.take())?;
            remember(live, record)?;
        }
        live.group.clear_pending_commit(live.provider.storage())?;
        pending::delete(live.tx, id).map_err(Into::into)
    })
}

fn remember(live: &Live<'_, WriteTx<'_>>, record: PendingCommitRecord) -> Result<(), Error> {
    let summary = own_summary(&live.group).ok_or(Error::NoPendingCommit)?;
    let staged = live.group.pending_commit().ok_or(Error::NoPendingCommit)?;
    let commit = record.commit.clone();
    let new_identity = record.new_identity.clone();
    let cleared = Cleared {
        record,
        summary,
        staged,
    };
    let id = live.group.group_id();
    cleared_commits::insert(live.tx, id, &commit, new_identity.as_deref(), &cleared).map_err(Into::into)
}

/// Our own Commit, if these are its bytes: the pending one, or one that was cleared in this epoch. It is merged. Its
/// Welcome goes into the outcome, because the app may not have sent it yet.
pub(super) fn echo(live: &mut Live<'_, WriteTx<'_>>, bytes: &[u8]) -> Result<Option<Outcome>, Error> {
    let id = live.group.group_id().clone();
    if let Some(record) = pending::get(live.tx, &id)?.filter(|record| record.commit == bytes) {
        let (welcome, group_info) = (record.welcome.clone(), record.group_info.clone());
        let summary = own_summary(&live.group).ok_or(Error::NoPendingCommit)?;
        merge_pending(live, &record, By::OurEcho(&summary))?;
        return Ok(Some(Outcome::OwnCommit {
            epoch: summary.to_epoch,
            welcome,
            group_info,
            superseded: None,
        }));
    }
    let Some(cleared) = cleared_commits::get::<Cleared<StagedCommit>>(live.tx, &id, bytes)? else {
        return Ok(None);
    };
    let superseded = own_summary(&live.group).map(Box::new);
    let Cleared {
        record,
        summary,
        staged,
    } = cleared;
    epoch::enter_next(live, bytes, By::OurEcho(&summary), |group, provider| {
        group.merge_staged_commit(provider, staged).map_err(Into::into)
    })?;
    Ok(Some(Outcome::OwnCommit {
        epoch: summary.to_epoch,
        welcome: record.welcome,
        group_info: record.group_info,
        superseded,
    }))
}

fn merge_pending(
    live: &mut Live<'_, WriteTx<'_>>,
    record: &PendingCommitRecord,
    by: By<'_>,
) -> Result<(), Error> {
    epoch::enter_next(live, &record.commit, by, |group, provider| {
        group.merge_pending_commit(provider).map_err(Into::into)
    })
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
