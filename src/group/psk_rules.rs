//! Which pre-shared keys a proposal or Commit may name (docs/adr/0017). OpenMLS finds a resumption PSK by its epoch
//! alone, and mixes every queued PSK into an own Commit, those too that the Commit leaves out.

use std::{cell::Cell, collections::HashSet};

use openmls::{
    ciphersuite::hash_ref::ProposalRef,
    group::{MlsGroup, QueuedProposal, RemoveProposalError, StagedCommit},
    prelude::{PreSharedKeyProposal, Proposal, Sender},
    schedule::{PreSharedKeyId, Psk, errors::PskError, psk::ResumptionPskUsage},
};
use openmls_traits::OpenMlsProvider;
use tls_codec::{DeserializeBytes as _, Serialize as _};

use super::Live;
use crate::{
    error::{Error, MessageError},
    storage::{StorageError, WriteTx, openmls::has_psk},
};

/// What a proposal names. OpenMLS keeps it to itself; it encodes as RFC 9420, section 12.1.4, says.
pub(super) fn named(proposal: &PreSharedKeyProposal) -> Option<PreSharedKeyId> {
    PreSharedKeyId::tls_deserialize_exact_bytes(&proposal.tls_serialize_detached().ok()?).ok()
}

/// Whether this device has the secret.
pub(super) fn is_here(live: &Live<'_, WriteTx<'_>>, psk: &Psk) -> Result<bool, StorageError> {
    match psk {
        Psk::External(_) => has_psk(live.tx, psk),
        Psk::Resumption(resumption) => {
            let secret = live.group.get_past_resumption_psk(resumption.psk_epoch());
            Ok(resumption.psk_group_id() == live.group.group_id() && secret.is_some())
        }
        // A draft that the facade does not offer.
        Psk::Application(_) => Ok(false),
    }
}

/// Refuses a PSK that no Commit of this group may carry.
fn check(group: &MlsGroup, proposal: &PreSharedKeyProposal) -> Result<(), MessageError> {
    let named = named(proposal).ok_or(MessageError::PskInvalid)?;
    match named.psk() {
        Psk::Resumption(psk) if psk.psk_group_id() != group.group_id() => {
            return Err(MessageError::OtherGroupsPsk);
        }
        Psk::Resumption(psk) if psk.usage() != ResumptionPskUsage::Application => {
            return Err(MessageError::PskInvalid);
        }
        Psk::External(_) | Psk::Resumption(_) => {}
        Psk::Application(_) => return Err(MessageError::PskUnsupported),
    }
    if named.psk_nonce().len() == group.ciphersuite().hash_length() {
        Ok(())
    } else {
        Err(MessageError::PskInvalid)
    }
}

/// Looks at a received proposal before it is queued.
pub(super) fn check_proposal(group: &MlsGroup, proposal: &Proposal) -> Result<(), MessageError> {
    match proposal {
        Proposal::PreSharedKey(proposal) => check(group, proposal),
        _ => Ok(()),
    }
}

/// Looks at a received Commit before anything is kept of it. OpenMLS has looked the PSKs up by then, without effect.
pub(super) fn check_commit(group: &MlsGroup, staged: &StagedCommit) -> Result<(), MessageError> {
    staged
        .queued_proposals()
        .try_for_each(|queued| check_proposal(group, queued.proposal()))
}

/// Whether the proposals of an own Commit have both Adds and a resumption PSK, which those who are added cannot have. Who
/// is a member can follow such a Commit, and does (docs/adr/0021).
#[derive(Clone, Default)]
pub(super) struct Mix {
    adds: Cell<bool>,
    resumption: Cell<bool>,
}

impl Mix {
    pub(super) fn see(&self, proposal: &Proposal) {
        match proposal {
            Proposal::Add(_) => self.adds.set(true),
            _ if is_resumption(proposal) => self.resumption.set(true),
            _ => {}
        }
    }

    pub(super) fn is_forbidden(&self) -> bool {
        self.adds.get() && self.resumption.get()
    }
}

fn is_resumption(proposal: &Proposal) -> bool {
    matches!(proposal, Proposal::PreSharedKey(proposal)
        if named(proposal).is_some_and(|id| matches!(id.psk(), Psk::Resumption(_))))
}

fn is_own(group: &MlsGroup, queued: &QueuedProposal) -> bool {
    *queued.sender() == Sender::Member(group.own_leaf_index())
}

/// Takes PSK proposals out of the queue that no Commit of ours can carry, or OpenMLS could make none at all. One of our
/// own is an error instead: the app asked for it.
pub(super) fn take_unusable(live: &mut Live<'_, WriteTx<'_>>) -> Result<Vec<QueuedProposal>, Error> {
    let mut seen = HashSet::new();
    let mut unusable = Vec::new();
    for queued in live.group.pending_proposals() {
        let Proposal::PreSharedKey(proposal) = queued.proposal() else {
            continue;
        };
        let usable = match named(proposal) {
            Some(id) if check(&live.group, proposal).is_ok() && is_here(live, id.psk())? => {
                // One id twice is refused by those who receive it (RFC 9420, section 12.2).
                seen.insert(id)
            }
            _ => false,
        };
        if usable {
            continue;
        }
        if is_own(&live.group, queued) {
            return Err(PskError::KeyNotFound.into());
        }
        unusable.push(queued.proposal_reference_ref().clone());
    }
    take(live, &unusable)
}

/// Takes those PSK proposals out of the queue that `refused` names.
pub(super) fn take(
    live: &mut Live<'_, WriteTx<'_>>,
    refused: &[ProposalRef],
) -> Result<Vec<QueuedProposal>, Error> {
    let is_refused = |queued: &&QueuedProposal| {
        matches!(queued.proposal(), Proposal::PreSharedKey(_))
            && refused.contains(queued.proposal_reference_ref())
    };
    let taken: Vec<QueuedProposal> = live
        .group
        .pending_proposals()
        .filter(is_refused)
        .cloned()
        .collect();
    let Live { group, provider, .. } = live;
    for queued in &taken {
        group
            .remove_pending_proposal(provider.storage(), queued.proposal_reference_ref())
            .map_err(|error| match error {
                RemoveProposalError::ProposalNotFound => Error::ProposalNotFound,
                RemoveProposalError::Storage(error) => error.into(),
            })?;
    }
    Ok(taken)
}

/// Puts them back, behind the others: another member's Commit may refer to them.
pub(super) fn put_back(live: &mut Live<'_, WriteTx<'_>>, taken: Vec<QueuedProposal>) -> Result<(), Error> {
    let Live { group, provider, .. } = live;
    for queued in taken {
        group.store_pending_proposal(provider.storage(), queued)?;
    }
    Ok(())
}

/// Refuses an own Commit that leaves one of our own proposals out because Adds and resumption PSKs do not go together.
pub(super) fn check_left_out(group: &MlsGroup, refused: &[ProposalRef]) -> Result<(), Error> {
    let mix = Mix::default();
    let carried = group
        .pending_commit()
        .into_iter()
        .flat_map(StagedCommit::queued_proposals);
    carried.for_each(|queued| mix.see(queued.proposal()));
    for queued in group.pending_proposals() {
        if is_own(group, queued) && refused.contains(queued.proposal_reference_ref()) {
            let both = mix.clone();
            both.see(queued.proposal());
            if both.is_forbidden() {
                return Err(Error::ResumptionPskWithAdds);
            }
        }
    }
    Ok(())
}
