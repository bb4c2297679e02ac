//! The queue of proposals that the next Commit carries out (RFC 9420, section 12.4).

use openmls::{
    ciphersuite::hash_ref::ProposalRef,
    group::{GroupId, MlsGroup, MlsGroupStateError, RemoveProposalError},
    prelude::Sender,
};
use openmls_traits::OpenMlsProvider;

use super::{Live, with_group};
use crate::{
    error::Error,
    policy,
    storage::{Call, WriteTx},
};

/// Drops one proposal: this device will not commit it. Another member still may.
pub(crate) fn remove(
    call: &mut Call<'_, WriteTx<'_>>,
    id: &GroupId,
    reference: &ProposalRef,
) -> Result<(), Error> {
    with_group(call, id, |live| {
        let Live { group, provider, .. } = live;
        group
            .remove_pending_proposal(provider.storage(), reference)
            .map_err(|error| match error {
                RemoveProposalError::ProposalNotFound => Error::ProposalNotFound,
                RemoveProposalError::Storage(error) => error.into(),
            })
    })
}

/// Drops all of them.
pub(crate) fn clear(call: &mut Call<'_, WriteTx<'_>>, id: &GroupId) -> Result<(), Error> {
    with_group(call, id, |live| {
        let Live { group, provider, .. } = live;
        group
            .clear_pending_proposals(provider.storage())
            .map_err(Into::into)
    })
}

/// Whether another proposal of this sender can be queued. A queue without an end would be a group that no phone can
/// load, and one sender must not crowd out the others.
pub(super) fn have_room(group: &MlsGroup, sender: &Sender) -> bool {
    let of_the_sender = group
        .pending_proposals()
        .filter(|queued| queued.sender() == sender);
    group.pending_proposals().count() < policy::MAX_QUEUED_PROPOSALS
        && of_the_sender.count() < policy::MAX_QUEUED_OF_A_SENDER
}

/// As [`have_room`], for a proposal of our own: others would refuse it.
pub(super) fn check_own_room(group: &MlsGroup) -> Result<(), Error> {
    if have_room(group, &Sender::Member(group.own_leaf_index())) {
        Ok(())
    } else {
        Err(MlsGroupStateError::PendingProposal.into())
    }
}
