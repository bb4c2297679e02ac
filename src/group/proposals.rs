//! The queue of proposals that the next Commit carries out (RFC 9420, section 12.4).

use openmls::{
    ciphersuite::hash_ref::ProposalRef,
    group::{GroupId, RemoveProposalError},
};
use openmls_traits::OpenMlsProvider;

use super::{Live, with_group};
use crate::{
    error::Error,
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
