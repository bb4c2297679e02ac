//! The step into the next epoch: all that ends with the old one, in one place.

use openmls::group::MlsGroup;

use super::{Live, outcome::CommitInfo, own_message, past_epochs};
use crate::{
    error::Error,
    provider::Provider,
    storage::{WriteTx, cleared_commits, groups, handled_commits, pending, per_group::PerGroup},
};

/// How the epoch comes to its end.
pub(super) enum By<'s> {
    /// Our own Commit came back, perhaps before the app knew that it was accepted: its merge must answer the same.
    OurEcho(&'s CommitInfo),
    /// The app merged a Commit, ours or another's, or accepted it by its validator.
    Decision,
}

/// Lets `merge` bring the group into the next epoch, and settles what waited for the end of this one. `commit` is the
/// Commit's bytes, known from now on for a duplicate.
pub(super) fn enter_next(
    live: &mut Live<'_, WriteTx<'_>>,
    commit: &[u8],
    by: By<'_>,
    merge: impl FnOnce(&mut MlsGroup, &Provider<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    // The old epoch's keys must not stay in the log.
    live.tx.erase();
    past_epochs::remember(live)?;
    merge(&mut live.group, &live.provider)?;
    past_epochs::ended(live)?;
    live.record.epoch = live.group.epoch().as_u64();
    live.record.is_active = live.group.is_active();
    live.record.fork_suspected = false;
    if let Some(leaf_node) = live.group.own_leaf_node().filter(|_| live.group.is_active()) {
        // Another identity since a Commit of ours, or since somebody committed our Update.
        live.record.identity = leaf_node.signature_key().as_slice().to_vec();
    }
    groups::update(live.tx, &live.record)?;
    own_message::settle(live, commit)?;
    let (tx, id) = (live.tx, live.group.group_id());
    pending::delete(tx, id)?;
    PerGroup::Staged.delete(tx, id)?;
    cleared_commits::clear(tx, id)?;
    handled_commits::insert(tx, id, commit)?;
    match by {
        By::OurEcho(summary) => PerGroup::Merged.put(tx, id, summary),
        By::Decision => PerGroup::Merged.delete(tx, id).map(drop),
    }
    .map_err(Into::into)
}
