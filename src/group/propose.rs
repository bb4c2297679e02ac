//! Proposals of this device, queued here at once and handed out to be sent (RFC 9420, section 12.1).

use openmls::{
    credentials::NewSignerBundle,
    group::{
        CreateCommitError, GroupId, MlsGroup, MlsGroupJoinConfig, MlsGroupStateError,
        PastEpochDeletionPolicy, ProposalError, Propose, ProposeSelfUpdateError, QueuedProposal,
    },
    prelude::{
        CustomProposal, MIXED_PLAINTEXT_WIRE_FORMAT_POLICY, MlsMessageOut, ProposalOrRefType, ProposalType,
    },
};
use openmls_traits::OpenMlsProvider;

use super::{
    Context, Live, check_in_step,
    commit::{self, Builder, Shaped, Signing, check_fits, check_key_package, check_members, references},
    extensions::{self, all_list, has_proposal},
    leaf_node, load, proposals, with_group,
};
use crate::{
    error::{ArgumentProblem, Error},
    extension::ExtensionInfo,
    keys::{
        identity::{self, Identity},
        key_package,
        leaf_node::LeafNodeOptions,
        signer::IdentitySigner,
    },
    message, policy,
    provider::Provider,
    storage::{Call, WriteTx, cache::LiveGroup, per_group::PerGroup, secret_parts::Epochs, tx::KeptFailure},
};

/// A proposal that was made and queued.
pub(crate) struct Proposed {
    pub(crate) message: Vec<u8>,
    pub(crate) reference: Vec<u8>,
}

/// Proposes to add the owner of this key package.
pub(crate) fn add(
    call: &mut Call<'_, WriteTx<'_>>,
    context: &Context,
    id: &GroupId,
    key_package: &[u8],
) -> Result<Proposed, Error> {
    let key_package = key_package::validate(key_package, &context.lifetimes)?;
    make(call, id, |live, signer| {
        check_key_package(context, live, &key_package)?;
        check_can_be_committed(live, |builder| Ok(builder.propose_adds([key_package.clone()])))?;
        queue(live, signer, Propose::Add(key_package))
    })
}

/// Proposes to remove the member at this leaf.
pub(crate) fn remove(
    call: &mut Call<'_, WriteTx<'_>>,
    id: &GroupId,
    leaf_index: u32,
) -> Result<Proposed, Error> {
    make(call, id, |live, signer| {
        check_members(&live.group, &[leaf_index])?;
        queue(live, signer, Propose::Remove(leaf_index))
    })
}

/// Proposes to renew the own leaf, with another identity or another content if one is given. The group signs with it
/// once another member has committed the proposal (`epoch::enter_next`).
pub(crate) fn self_update(
    call: &mut Call<'_, WriteTx<'_>>,
    id: &GroupId,
    new_identity: Option<&[u8]>,
    leaf_node: Option<&LeafNodeOptions>,
) -> Result<Proposed, Error> {
    let new_identity = new_identity.map(|id| identity::get(&call.tx, id)).transpose()?;
    make(call, id, |live, signer| {
        let parameters = leaf_node::own(live, new_identity.as_ref(), leaf_node)?.unwrap_or_default();
        let Some(identity) = &new_identity else {
            return queue(live, signer, Propose::Update(parameters));
        };
        check_fits(&live.group, identity)?;
        let new_signer = NewSignerBundle {
            signer: &identity.signer,
            credential_with_key: identity.credential_with_key(),
        };
        queue_by(live, |group, provider| {
            group
                .propose_self_update_with_new_signer(provider, signer, new_signer, parameters)
                .map(|(message, _)| message)
                .map_err(update_error)
        })
    })
}

fn update_error(error: ProposeSelfUpdateError<KeptFailure>) -> Error {
    ProposalError::from(error).into()
}

/// Proposes to replace the GroupContext's extensions, all of them.
pub(crate) fn group_context_extensions(
    call: &mut Call<'_, WriteTx<'_>>,
    id: &GroupId,
    extensions: &[ExtensionInfo],
) -> Result<Proposed, Error> {
    let extensions = extensions::parse(extensions)?;
    make(call, id, |live, signer| {
        extensions::check_supported(&live.group, &extensions)?;
        check_can_be_committed(live, |builder| {
            builder.propose_group_context_extensions(extensions.clone())
        })?;
        queue(live, signer, Propose::GroupContextExtensions(extensions))
    })
}

/// Proposes what only the app understands.
pub(crate) fn custom(
    call: &mut Call<'_, WriteTx<'_>>,
    id: &GroupId,
    proposal_type: u16,
    payload: Vec<u8>,
) -> Result<Proposed, Error> {
    let refused = |problem| Error::Argument {
        argument: "proposal_type",
        problem,
    };
    message::check_length("payload", &payload, policy::MAX_DATA)?;
    let kind = ProposalType::from(proposal_type);
    if !matches!(kind, ProposalType::Custom(_)) {
        return Err(refused(ArgumentProblem::OutOfRange));
    }
    make(call, id, |live, signer| {
        if !all_list(&live.group, |listed| has_proposal(listed, kind)) {
            return Err(refused(ArgumentProblem::Unsupported));
        }
        let proposal = CustomProposal::new(proposal_type, payload);
        queue(live, signer, Propose::Custom(proposal))
    })
}

/// Proposes that this device goes: by SelfRemove, which every Commit of another member must carry out, if all members
/// know it, else by a Remove of the own leaf.
pub(crate) fn leave(call: &mut Call<'_, WriteTx<'_>>, id: &GroupId) -> Result<Proposed, Error> {
    make(call, id, |live, signer| {
        let by_self_remove = all_list(&live.group, |listed| {
            listed.proposals().contains(&ProposalType::SelfRemove)
        });
        queue_by(live, |group, provider| {
            if by_self_remove {
                self_remove(group, provider, signer)
            } else {
                group.leave_group(provider, signer).map_err(Into::into)
            }
        })
    })
}

/// A SelfRemove goes as a PublicMessage, so that a member who joins by an external Commit can carry it out; OpenMLS
/// refuses it where the group sends PrivateMessages. Both configurations are written in this one transaction.
fn self_remove(
    group: &mut MlsGroup,
    provider: &Provider<'_>,
    signer: &IdentitySigner,
) -> Result<MlsMessageOut, Error> {
    let configured = group.configuration().clone();
    // Any limit of past epochs would delete their keys; the rest does not matter to one proposal.
    let public = MlsGroupJoinConfig::builder()
        .wire_format_policy(MIXED_PLAINTEXT_WIRE_FORMAT_POLICY)
        .set_past_epoch_deletion_policy(PastEpochDeletionPolicy::KeepAll)
        .build();
    group.set_configuration(provider.storage(), &public)?;
    let message = group.leave_group_via_self_remove(provider, signer)?;
    group.set_configuration(provider.storage(), &configured)?;
    Ok(message)
}

/// Lends `propose` the group and the signer of its identity, if a proposal may be made now. While a Commit waits none
/// may: it ends the epoch, and a proposal counts in its own epoch only.
pub(super) fn make(
    call: &mut Call<'_, WriteTx<'_>>,
    id: &GroupId,
    propose: impl FnOnce(&mut Live<'_, WriteTx<'_>>, &IdentitySigner) -> Result<Proposed, Error>,
) -> Result<Proposed, Error> {
    with_group(call, id, |live| {
        check_in_step(live)?;
        if PerGroup::Staged.exists(live.tx, id)? {
            return Err(Error::StagedCommitExists);
        }
        if live.group.pending_commit().is_some() {
            return Err(MlsGroupStateError::PendingCommit.into());
        }
        proposals::check_own_room(&live.group)?;
        let Identity { signer, .. } = identity::get(live.tx, &live.record.identity)?;
        propose(live, &signer)
    })
}

/// Refuses what no Commit could carry, with the queued proposals or without: others would drop it without a word.
fn check_can_be_committed(
    live: &mut Live<'_, WriteTx<'_>>,
    shape: impl Fn(Builder<'_>) -> Shaped<'_>,
) -> Result<(), Error> {
    let queued = references(live.group.pending_proposals());
    let Live { group, provider, .. } = live;
    let mut try_with = |accepts: &dyn Fn(&QueuedProposal) -> bool| {
        commit::build(group, provider, Signing::trial(None), &shape, accepts).map(drop)
    };
    let result = try_with(&|_| true)
        .or_else(|_| try_with(&|proposal| !queued.contains(proposal.proposal_reference_ref())));
    match result {
        // A queued one names a key that is not here: that says nothing of the new one.
        Err(Error::CreateCommit(error)) if matches!(*error, CreateCommitError::PskError(_)) => Ok(()),
        result => result,
    }
}

fn queue(
    live: &mut Live<'_, WriteTx<'_>>,
    signer: &IdentitySigner,
    propose: Propose,
) -> Result<Proposed, Error> {
    queue_by(live, |group, provider| {
        let (message, _) = group.propose(provider, signer, propose, ProposalOrRefType::Reference)?;
        Ok(message)
    })
}

/// Lets OpenMLS make a proposal and queue it. One that was made before in this epoch has the same reference, because
/// its signature is the same: OpenMLS then has it twice in memory, and once in its rows, from where it is taken again.
fn queue_by(
    live: &mut Live<'_, WriteTx<'_>>,
    make: impl FnOnce(&mut MlsGroup, &Provider<'_>) -> Result<MlsMessageOut, Error>,
) -> Result<Proposed, Error> {
    let before = references(live.group.pending_proposals());
    let Live { group, provider, .. } = live;
    let message = make(group, provider)?.to_bytes()?;
    let reference = references(group.pending_proposals())
        .pop()
        .ok_or(Error::ProposalNotFound)?;
    if before.contains(&reference) {
        let LiveGroup { mls, .. } = load(live.tx, &live.record.group_id, |_| Epochs::All)?;
        live.group = mls;
    }
    Ok(Proposed {
        message,
        reference: reference.as_slice().to_vec(),
    })
}
