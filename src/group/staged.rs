//! A received Commit that waits for the app's decision, because no validator decides at once.

use openmls::group::{GroupId, StagedCommit};
use openmls_traits::OpenMlsProvider;
use serde::{Deserialize, Serialize, de::IgnoredAny};

use super::{
    Context, Live, check_active, early,
    epoch::{self, By},
    outcome::{CommitInfo, Merged, Outcome},
    own_message,
    pending::own_summary,
    with_group,
};
use crate::{
    error::Error,
    policy,
    storage::{
        Call, ReadTx, WriteTx, cleared_commits, groups, handled_commits, pending, per_group::PerGroup,
    },
};

/// What is stored. `S` is OpenMLS's `StagedCommit`: owned, borrowed, or passed over.
#[derive(Serialize, Deserialize)]
struct Staged<S> {
    summary: CommitInfo,
    #[serde(with = "serde_bytes")]
    commit: Vec<u8>,
    staged: S,
}

/// Whether a Commit waits in this group.
pub(super) fn exists(live: &Live<'_, WriteTx<'_>>) -> Result<bool, Error> {
    PerGroup::Staged
        .exists(live.tx, live.group.group_id())
        .map_err(Into::into)
}

/// The Commit that waits, in words.
pub(super) fn summary(tx: &ReadTx<'_>, id: &GroupId) -> Result<Option<CommitInfo>, Error> {
    let found = PerGroup::Staged.get::<Staged<IgnoredAny>>(tx, id)?;
    Ok(found.map(|found| found.summary))
}

/// Keeps a Commit until the app decides. Its sender's ratchet has moved past it, so its bytes are a duplicate from
/// now on.
pub(super) fn keep(
    live: &Live<'_, WriteTx<'_>>,
    commit: &[u8],
    staged: &StagedCommit,
    summary: CommitInfo,
) -> Result<Outcome, Error> {
    let record = Staged {
        summary,
        commit: commit.to_vec(),
        staged,
    };
    let id = live.group.group_id();
    PerGroup::Staged.put(live.tx, id, &record)?;
    handled_commits::insert(live.tx, id, commit)?;
    Ok(Outcome::Commit {
        summary: record.summary,
        superseded: None,
        staged: true,
    })
}

/// Merges it: the app accepts what it changes. It wins over our own pending Commit.
pub(crate) fn merge(
    call: &mut Call<'_, WriteTx<'_>>,
    context: &Context,
    id: &GroupId,
) -> Result<Merged, Error> {
    with_group(call, id, |live| {
        check_active(&live.group)?;
        let Staged {
            summary,
            commit,
            staged,
        } = PerGroup::Staged
            .get::<Staged<StagedCommit>>(live.tx, id)?
            .ok_or(Error::NoStagedCommit)?;
        let superseded = take_over(live, &commit, staged)?;
        Ok(Merged {
            summary,
            superseded,
            released: early::release(live, context)?,
        })
    })
}

/// Merges another member's Commit, and tells which own pending one it won against: the delivery service had it first.
pub(super) fn take_over(
    live: &mut Live<'_, WriteTx<'_>>,
    commit: &[u8],
    staged: StagedCommit,
) -> Result<Option<Box<CommitInfo>>, Error> {
    let superseded = own_summary(&live.group).map(Box::new);
    epoch::enter_next(live, commit, By::Decision, |group, provider| {
        group.merge_staged_commit(provider, staged).map_err(Into::into)
    })?;
    Ok(superseded)
}

/// Drops it for good: the app does not follow the others. Own Commits of this epoch are dropped with it.
pub(crate) fn discard(
    call: &mut Call<'_, WriteTx<'_>>,
    context: &Context,
    id: &GroupId,
) -> Result<(), Error> {
    with_group(call, id, |live| {
        let summary = summary(live.tx, id)?.ok_or(Error::NoStagedCommit)?;
        // The keys of the epoch that is not entered must not stay in the log.
        live.tx.erase();
        PerGroup::Staged.delete(live.tx, id)?;
        let own = pending::get(live.tx, id)?;
        own_message::give_back(live.tx, context, id, own.and_then(|own| own.message))?;
        live.group.clear_pending_commit(live.provider.storage())?;
        pending::delete(live.tx, id)?;
        cleared_commits::clear(live.tx, id)?;
        PerGroup::Merged.delete(live.tx, id)?;
        live.record.rejected_epoch = Some(summary.to_epoch);
        groups::update(live.tx, &live.record)?;
        early::refuse_ended(live.tx, context, id, policy::MAX_EPOCH).map(drop)
    })
}
