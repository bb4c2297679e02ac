//! Pre-shared keys (RFC 9420, section 8.4): registered, proposed, given out.

use openmls::{
    group::{GroupEpoch, GroupId, ProposalError},
    prelude::PreSharedKeyProposal,
    schedule::{
        ExternalPsk, PreSharedKeyId, Psk, errors::PskError, psk::ResumptionPsk, psk::ResumptionPskUsage,
    },
};
use openmls_traits::{OpenMlsProvider, storage::StorageProvider as _, types::Ciphersuite};

use super::{
    check_active,
    outcome::PskInfo,
    propose::{self, Proposed},
    psk_rules, with_current_epoch,
};
use crate::{
    error::{ArgumentProblem, Error},
    message, policy,
    provider::Provider,
    storage::{Call, ReadTx, WriteTx, openmls::has_psk, tx::KeptFailure},
};

/// Stores an external PSK in place of one with the same id.
pub(crate) fn register(call: &mut Call<'_, WriteTx<'_>>, id: &[u8], secret: &[u8]) -> Result<(), Error> {
    check_id("id", id)?;
    check_bounds("secret", secret, policy::MAX_PSK)?;
    // The secret that this one replaces must not stay in the log.
    call.tx.erase();
    let provider = Provider::new(&call.tx)?;
    // The nonce belongs to a use of the PSK and is not stored.
    PreSharedKeyId::external(id.to_vec(), Vec::new())
        .store(&provider, secret)
        .map_err(Into::into)
}

/// Deletes an external PSK. Without one there is nothing to do.
pub(crate) fn delete(call: &mut Call<'_, WriteTx<'_>>, id: &[u8]) -> Result<(), Error> {
    check_id("id", id)?;
    call.tx.erase();
    let provider = Provider::new(&call.tx)?;
    provider.storage().delete_psk(&external(id)).map_err(Into::into)
}

fn external(id: &[u8]) -> Psk {
    Psk::External(ExternalPsk::new(id.to_vec()))
}

fn check_id(argument: &'static str, id: &[u8]) -> Result<(), Error> {
    check_bounds(argument, id, policy::MAX_PSK_ID)
}

fn check_bounds(argument: &'static str, bytes: &[u8], most: usize) -> Result<(), Error> {
    if bytes.is_empty() {
        return Err(Error::Argument {
            argument,
            problem: ArgumentProblem::Empty,
        });
    }
    message::check_length(argument, bytes, most)
}

/// Proposes to mix a PSK in, and queues the proposal.
pub(crate) fn propose(
    call: &mut Call<'_, WriteTx<'_>>,
    id: &GroupId,
    psk: &PskInfo,
) -> Result<Proposed, Error> {
    let psk = match psk {
        PskInfo::External { id } => {
            check_id("psk", id)?;
            external(id)
        }
        PskInfo::Resumption { group_id, epoch } => {
            if group_id != id.as_slice() {
                return Err(Error::Argument {
                    argument: "psk",
                    problem: ArgumentProblem::OutOfRange,
                });
            }
            let epoch = GroupEpoch::from(*epoch);
            Psk::Resumption(ResumptionPsk::new(
                ResumptionPskUsage::Application,
                id.clone(),
                epoch,
            ))
        }
    };
    propose::make(call, id, |live, signer| {
        if !psk_rules::is_here(live, &psk)? {
            return Err(PskError::KeyNotFound.into());
        }
        let psk = with_nonce(&live.provider, live.group.ciphersuite(), psk)?;
        let (proposal, reference) = live
            .group
            .propose_pre_shared_key(&live.provider, signer, psk)
            .map_err(proposal_error)?;
        Ok(Proposed {
            message: proposal.to_bytes()?,
            reference: reference.as_slice().to_vec(),
        })
    })
}

fn with_nonce(provider: &Provider<'_>, ciphersuite: Ciphersuite, psk: Psk) -> Result<PreSharedKeyId, Error> {
    PreSharedKeyId::new(ciphersuite, provider.rand(), psk).map_err(Into::into)
}

fn proposal_error(error: ProposalError<KeptFailure>) -> Error {
    match error {
        ProposalError::GroupStateError(error) => error.into(),
        ProposalError::LibraryError(error) => error.into(),
        ProposalError::StorageError(failure) => failure.into(),
        error => Error::ProposePsk(Box::new(error)),
    }
}

/// Proposals of these registered PSKs for an external Commit.
pub(super) fn for_external_commit(
    tx: &ReadTx<'_>,
    provider: &Provider<'_>,
    ciphersuite: Ciphersuite,
    ids: &[Vec<u8>],
) -> Result<Vec<PreSharedKeyProposal>, Error> {
    ids.iter()
        .map(|id| {
            let psk = external(id);
            if !has_psk(tx, &psk)? {
                return Err(PskError::KeyNotFound.into());
            }
            with_nonce(provider, ciphersuite, psk).map(PreSharedKeyProposal::new)
        })
        .collect()
}

/// Refuses what no list of PSK ids may be.
pub(super) fn check_ids(ids: &[Vec<u8>]) -> Result<(), Error> {
    let problem = |problem| Error::Argument {
        argument: "psk_ids",
        problem,
    };
    if ids.len() > policy::MAX_PSKS {
        return Err(problem(ArgumentProblem::TooLong));
    }
    if ids.iter().collect::<std::collections::BTreeSet<_>>().len() != ids.len() {
        return Err(problem(ArgumentProblem::Duplicate));
    }
    ids.iter().try_for_each(|id| check_id("psk_ids", id))
}

/// The resumption secret of an epoch, if it is still kept (RFC 9420, section 8.6).
pub(crate) fn resumption_psk(
    call: &mut Call<'_, ReadTx<'_>>,
    id: &GroupId,
    epoch: u64,
) -> Result<Option<Vec<u8>>, Error> {
    with_current_epoch(call, id, |live| {
        check_active(&live.group)?;
        let secret = live.group.get_past_resumption_psk(epoch.into());
        Ok(secret.map(|secret| secret.as_slice().to_vec()))
    })
}
