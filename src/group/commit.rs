//! Own Commits: built, stored with what they bring, and handed out to be sent (RFC 9420, section 12.4).

use std::collections::BTreeSet;

use openmls::{
    ciphersuite::hash_ref::ProposalRef,
    credentials::NewSignerBundle,
    group::{
        CommitBuilder, CommitMessageBundle, CreateCommitError, GroupId, Initial, MlsGroup,
        MlsGroupStateError, QueuedProposal,
    },
    prelude::{Complete, CredentialWithKey, KeyPackage, LeafNodeIndex, MlsMessageOut, Proposal, Sender},
};
use openmls_traits::{OpenMlsProvider, signatures::Signer};

use super::{
    Context, Live, check_in_step,
    extensions::{self, NewTogether},
    leaf_node,
    outcome::NewMemberInfo,
    psk_rules::{self, Mix},
    summary,
    validator::{self, Answer, Question},
    with_group,
};
use crate::{
    error::{ArgumentProblem, Error, KeyPackageError},
    keys::{
        identity::{self, Identity},
        key_package,
        leaf_node::LeafNodeOptions,
        signer::TrialSigner,
    },
    policy,
    provider::Provider,
    storage::{
        Call, WriteTx,
        pending::{self, PendingCommitRecord},
        per_group::PerGroup,
    },
};

/// Adds the owners of these key packages, in one Commit with all queued proposals.
pub(crate) fn add_members(
    call: &mut Call<'_, WriteTx<'_>>,
    context: &Context,
    id: &GroupId,
    key_packages: &[Vec<u8>],
) -> Result<PendingCommitRecord, Error> {
    let key_packages = parse_key_packages(context, "key_packages", key_packages)?;
    with_group(call, id, |live| {
        for key_package in &key_packages {
            check_key_package(context, live, key_package)?;
        }
        commit(live, context, None, Outsiders::LeaveOut, |builder| {
            Ok(builder.propose_adds(key_packages.iter().cloned()))
        })
    })
}

/// Whether a Commit could add them is for OpenMLS and the validator to say.
pub(super) fn parse_key_packages(
    context: &Context,
    argument: &'static str,
    key_packages: &[Vec<u8>],
) -> Result<Vec<KeyPackage>, Error> {
    check_not_empty(argument, key_packages)?;
    // OpenMLS would take one given twice for one, and no longer add as many members as the app asked for.
    if key_packages.iter().collect::<BTreeSet<_>>().len() != key_packages.len() {
        return Err(KeyPackageError::Duplicate.into());
    }
    key_package::validate_all(key_packages, &context.lifetimes)
}

pub(super) fn check_key_package(
    context: &Context,
    live: &Live<'_, WriteTx<'_>>,
    key_package: &KeyPackage,
) -> Result<(), Error> {
    if key_package.ciphersuite() != live.group.ciphersuite() {
        return Err(KeyPackageError::OtherCiphersuite.into());
    }
    let leaf_node = key_package.leaf_node();
    // OpenMLS compares with the required capabilities only, not with the extensions that are there.
    if !extensions::meets(leaf_node.capabilities(), live.group.extensions()) {
        return Err(KeyPackageError::CapabilitiesInsufficient.into());
    }
    let member = NewMemberInfo {
        credential: leaf_node.credential().clone(),
        signature_key: leaf_node.signature_key().as_slice().to_vec(),
    };
    validator::ask(
        context,
        &Question::KeyPackage {
            group_id: live.group.group_id().as_slice(),
            member: &member,
        },
    )
    .map(drop)
}

/// Removes the members at these leaves, in one Commit with all queued proposals.
pub(crate) fn remove_members(
    call: &mut Call<'_, WriteTx<'_>>,
    context: &Context,
    id: &GroupId,
    leaf_indices: &[u32],
) -> Result<PendingCommitRecord, Error> {
    check_leaf_indices("leaf_indices", leaf_indices)?;
    with_group(call, id, |live| {
        check_members(&live.group, leaf_indices)?;
        commit(live, context, None, Outsiders::LeaveOut, |builder| {
            Ok(builder.propose_removals(leaf_indices.iter().copied().map(LeafNodeIndex::new)))
        })
    })
}

pub(super) fn check_leaf_indices(argument: &'static str, leaf_indices: &[u32]) -> Result<(), Error> {
    check_not_empty(argument, leaf_indices)?;
    if leaf_indices.iter().collect::<BTreeSet<_>>().len() != leaf_indices.len() {
        return Err(Error::Argument {
            argument,
            problem: ArgumentProblem::Duplicate,
        });
    }
    Ok(())
}

pub(super) fn check_members(group: &MlsGroup, leaf_indices: &[u32]) -> Result<(), Error> {
    match leaf_indices
        .iter()
        .find(|index| group.member_at(LeafNodeIndex::new(**index)).is_none())
    {
        Some(index) => Err(Error::MemberNotFound(*index)),
        None => Ok(()),
    }
}

/// Renews the own leaf and path, with another identity or another content of the leaf if one is given.
pub(crate) fn self_update(
    call: &mut Call<'_, WriteTx<'_>>,
    context: &Context,
    id: &GroupId,
    new_identity: Option<&[u8]>,
    leaf_node: Option<&LeafNodeOptions>,
) -> Result<PendingCommitRecord, Error> {
    let new_identity = new_identity.map(|id| identity::get(&call.tx, id)).transpose()?;
    let new_identity = new_identity.as_ref();
    with_group(call, id, |live| {
        let parameters = leaf_node::own(live, new_identity, leaf_node)?;
        commit(live, context, new_identity, Outsiders::LeaveOut, |builder| {
            let builder = builder.force_self_update(true);
            Ok(match &parameters {
                Some(parameters) => builder.leaf_node_parameters(parameters.clone()),
                None => builder,
            })
        })
    })
}

/// Carries out the queued proposals and nothing else: those of outsiders too, because the app asks for it.
pub(crate) fn commit_to_pending_proposals(
    call: &mut Call<'_, WriteTx<'_>>,
    context: &Context,
    id: &GroupId,
) -> Result<PendingCommitRecord, Error> {
    with_group(call, id, |live| {
        commit(live, context, None, Outsiders::Admit, |builder| Ok(builder))
    })
}

pub(super) fn check_not_empty<T>(argument: &'static str, list: &[T]) -> Result<(), Error> {
    if list.is_empty() {
        Err(Error::Argument {
            argument,
            problem: ArgumentProblem::Empty,
        })
    } else {
        Ok(())
    }
}

/// Builds the Commit that `shape` describes and stores it with its Welcome and GroupInfo. It carries out the queued
/// proposals that can be carried out together; merging it forgets the others.
pub(super) fn commit(
    live: &mut Live<'_, WriteTx<'_>>,
    context: &Context,
    new_identity: Option<&Identity>,
    outsiders: Outsiders,
    shape: impl Fn(Builder<'_>) -> Shaped<'_>,
) -> Result<PendingCommitRecord, Error> {
    check_can_commit(live, new_identity)?;
    let epoch = live.group.epoch().as_u64();
    let signer = identity::get(live.tx, &live.record.identity)?.signer;
    let signing = Signing {
        signer: &signer,
        moves_to: new_identity.map(|identity| (&identity.signer, identity.credential_with_key())),
    };
    let mut left_out = psk_rules::take_unusable(live)?;
    let Live { group, provider, .. } = live;
    let provider = &*provider;
    let unwanted = unwanted(context, group, outsiders);
    let refused = refused_proposals(group, unwanted, |group, accepts| {
        build(group, provider, Signing::trial(new_identity), &shape, accepts).is_ok()
    });
    left_out.append(&mut psk_rules::take(live, &refused)?);
    let Live { group, provider, .. } = live;
    let provider = &*provider;
    let accepts = |queued: &QueuedProposal| !refused.contains(queued.proposal_reference_ref());
    let bundle = build(group, provider, signing, &shape, &accepts)?.stage_commit(provider)?;
    psk_rules::put_back(live, left_out)?;
    psk_rules::check_left_out(&live.group, &refused)?;
    let record = PendingCommitRecord {
        new_identity: new_identity.map(|identity| identity.signature_key.clone()),
        ..record(bundle, epoch)?
    };
    let id = live.group.group_id();
    pending::put(live.tx, id, &record)?;
    // From now on `merge_pending_commit` means this Commit and no earlier one.
    PerGroup::Merged.delete(live.tx, id)?;
    Ok(record)
}

/// Which queued proposals a Commit takes along.
type Accepts<'a> = &'a dyn Fn(&QueuedProposal) -> bool;
pub(super) type Builder<'g> = CommitBuilder<'g, Initial>;
pub(super) type Shaped<'g> = Result<Builder<'g>, CreateCommitError>;

/// Who signs a Commit, and as whom the own leaf goes on if the Commit changes its identity.
pub(super) struct Signing<'s, S: Signer> {
    signer: &'s S,
    moves_to: Option<(&'s S, CredentialWithKey)>,
}

impl Signing<'static, TrialSigner> {
    /// For a Commit that is built only to see whether it can be.
    pub(super) fn trial(new_identity: Option<&Identity>) -> Self {
        Self {
            signer: &TrialSigner,
            moves_to: new_identity.map(|identity| (&TrialSigner, identity.credential_with_key())),
        }
    }
}

pub(super) fn build<'g, S: Signer>(
    group: &'g mut MlsGroup,
    provider: &'g Provider<'_>,
    Signing { signer, moves_to }: Signing<'_, S>,
    shape: &impl Fn(Builder<'_>) -> Shaped<'_>,
    accepts: Accepts<'_>,
) -> Result<CommitBuilder<'g, Complete>, Error> {
    let (rand, crypto) = (provider.rand(), provider.crypto());
    // Other implementations demand a path beside what OpenMLS does not know to need one; it is always allowed.
    let renews = group
        .pending_proposals()
        .any(|queued| matches!(queued.proposal(), Proposal::Custom(_)));
    let builder = shape(group.commit_builder().force_self_update(renews))?
        .load_psks(provider.storage())?
        .create_group_info(true);
    // Our own changes pass through the filter too.
    let (mix, together) = (Mix::default(), NewTogether::default());
    let accepts = |queued: &QueuedProposal| {
        let accepted = accepts(queued);
        if accepted {
            mix.see(queued.proposal());
            together.see(queued.proposal());
        }
        accepted
    };
    let built = match moves_to {
        None => builder.build(rand, crypto, signer, accepts),
        Some((signer_after, credential_with_key)) => {
            let new_signer = NewSignerBundle {
                signer: signer_after,
                credential_with_key,
            };
            builder.build_with_new_signer(rand, crypto, signer, new_signer, accepts)
        }
    }?;
    if mix.is_forbidden() {
        return Err(Error::ResumptionPskWithAdds);
    }
    if !together.fit() {
        return Err(KeyPackageError::CapabilitiesInsufficient.into());
    }
    Ok(built)
}

/// Whether a Commit lets in whom no member proposed, if there is no validator to ask (docs/adr/0012).
#[derive(Clone, Copy)]
pub(super) enum Outsiders {
    Admit,
    LeaveOut,
}

/// Queued proposals of people and servers outside that add somebody, and that the app does not want, and extensions that
/// would lock members out. A validator is asked now, because another client without one may have queued them.
fn unwanted(context: &Context, group: &MlsGroup, outsiders: Outsiders) -> Vec<ProposalRef> {
    let group_id = group.group_id().as_slice();
    let is_unwanted = |queued: &&QueuedProposal| {
        if !extensions::is_for_all(group, queued.proposal()) {
            return true;
        }
        let adds = matches!(queued.proposal(), Proposal::Add(_));
        if !adds || matches!(queued.sender(), Sender::Member(_)) {
            return false;
        }
        let Some(credential) = summary::proposer(group, queued) else {
            return true;
        };
        let summary = summary::proposal(group, queued, credential);
        let question = Question::Proposal {
            group_id,
            summary: &summary,
        };
        match validator::ask(context, &question) {
            Ok(Answer::Accepted) => false,
            Ok(Answer::Unasked) => matches!(outsiders, Outsiders::LeaveOut),
            Err(_) => true,
        }
    };
    references(group.pending_proposals().filter(is_unwanted))
}

pub(super) fn references<'q>(queued: impl Iterator<Item = &'q QueuedProposal>) -> Vec<ProposalRef> {
    queued
        .map(|queued| queued.proposal_reference_ref().clone())
        .collect()
}

/// Queued proposals that our Commit leaves out: the unwanted ones, and those that no Commit of ours can carry, our own
/// removal or what conflicts with what came before. One member could otherwise stop everybody from committing.
fn refused_proposals(
    group: &mut MlsGroup,
    unwanted: Vec<ProposalRef>,
    mut can_build: impl FnMut(&mut MlsGroup, Accepts<'_>) -> bool,
) -> Vec<ProposalRef> {
    let mut can_build_without = |group: &mut MlsGroup, refused: &[ProposalRef]| {
        can_build(group, &|queued| {
            !refused.contains(queued.proposal_reference_ref())
        })
    };
    let mut refused = references(group.pending_proposals());
    let candidates: Vec<ProposalRef> = refused
        .iter()
        .filter(|proposal| !unwanted.contains(proposal))
        .take(policy::MAX_TRIED_PROPOSALS)
        .cloned()
        .collect();
    if candidates.is_empty() || can_build_without(group, &unwanted) {
        return unwanted;
    }
    // One by one, the oldest first. The filter names whom to refuse, because our own changes pass through it too.
    for proposal in candidates {
        refused.retain(|other| *other != proposal);
        if !can_build_without(group, &refused) {
            refused.push(proposal);
        }
    }
    refused
}

fn check_can_commit(live: &Live<'_, WriteTx<'_>>, new_identity: Option<&Identity>) -> Result<(), Error> {
    check_in_step(live)?;
    if PerGroup::Staged.exists(live.tx, live.group.group_id())? {
        return Err(Error::StagedCommitExists);
    }
    if live.group.pending_commit().is_some() {
        return Err(MlsGroupStateError::PendingCommit.into());
    }
    new_identity.map_or(Ok(()), |identity| check_fits(&live.group, identity))
}

pub(super) fn check_fits(group: &MlsGroup, identity: &Identity) -> Result<(), Error> {
    if fits(group, identity) {
        Ok(())
    } else {
        Err(Error::Argument {
            argument: "new_identity",
            problem: ArgumentProblem::OutOfRange,
        })
    }
}

/// Whether all members could accept a leaf of this identity (RFC 9420, section 7.3). OpenMLS does not look at an own
/// leaf, so the Commit would be made, refused by everybody else, and merged by us alone.
pub(super) fn fits(group: &MlsGroup, identity: &Identity) -> bool {
    let credential_type = identity.credential.credential_type();
    identity.ciphersuite == group.ciphersuite()
        && group.members().all(|member| {
            group
                .public_group()
                .leaf(member.index)
                .is_some_and(|leaf| leaf.capabilities().credentials().contains(&credential_type))
        })
}

pub(super) fn record(bundle: CommitMessageBundle, epoch: u64) -> Result<PendingCommitRecord, Error> {
    let to_bytes = |message: MlsMessageOut| message.to_bytes();
    let (commit, welcome, group_info) = bundle.into_messages();
    Ok(PendingCommitRecord {
        commit: to_bytes(commit)?,
        welcome: welcome.map(to_bytes).transpose()?,
        group_info: group_info.map(to_bytes).transpose()?,
        epoch,
        new_identity: None,
        message: None,
    })
}
