//! Joining by an external Commit (RFC 9420, section 12.4.3.2), beside the old membership (docs/adr/0013).
//!
//! OpenMLS merges an external Commit at once over the same group id. So it is built in a savepoint that is undone; the
//! rows that it made wait, sealed, until the delivery service has accepted the Commit.

use openmls::{
    group::{
        CommitMessageBundle, DeletePastEpochSecretsError, GroupEpoch, GroupId, MlsGroup, MlsGroupStateError,
        PastEpochDeletion,
    },
    prelude::{
        ContentType, MlsMessageBodyIn, PreSharedKeyProposal, Proposal, ProtocolMessage, RatchetTreeIn,
        Sender, group_info::VerifiableGroupInfo,
    },
};
use openmls_traits::OpenMlsProvider;
use serde::de::IgnoredAny;

use super::{
    Context, commit,
    configuration::Configuration,
    early, join, leaf_node, mailbox,
    outcome::{CommitInfo, MemberInfo, Outcome, Processed},
    own_message, pending, psks, recovery, summary,
    validator::{self, Question},
    with_group,
};
use crate::{
    error::{ArgumentProblem, Error, GroupInfoError, MessageError},
    keys::{
        identity::{self, Identity},
        leaf_node::{LeafNodeContent, LeafNodeOptions},
    },
    message, policy,
    provider::Provider,
    storage::{
        Call, ReadTx, WriteTx,
        early_messages::NewEarlyMessage,
        external_joins::{self, ExternalJoinRecord, GroupRows},
        groups::{self, GroupRecord},
        groups_to_rejoin, handled_commits, pending as pending_commits,
        per_group::PerGroup,
    },
};

/// What an app may choose about a join.
#[derive(Default)]
pub(crate) struct JoinOptions {
    pub(crate) ratchet_tree: Option<Vec<u8>>,
    pub(crate) psk_ids: Vec<Vec<u8>>,
    /// What the leaf says; the client's if absent.
    pub(crate) leaf_node: Option<LeafNodeOptions>,
}

/// What a join brought.
pub(crate) struct Joined {
    pub(crate) epoch: u64,
    /// The own Commit that was pending in the old membership.
    pub(crate) superseded: Option<Box<CommitInfo>>,
    pub(crate) released: Vec<Processed>,
}

/// Makes an external Commit and stores it, in place of one that waits.
pub(crate) fn join(
    call: &mut Call<'_, WriteTx<'_>>,
    context: &Context,
    identity: &[u8],
    group_info: &[u8],
    options: &JoinOptions,
) -> Result<ExternalJoinRecord<GroupRows>, Error> {
    psks::check_ids(&options.psk_ids)?;
    let group_info = parse(group_info)?;
    let ratchet_tree = options.ratchet_tree.as_deref();
    let ratchet_tree = ratchet_tree.map(join::parse_ratchet_tree).transpose()?;
    let identity = identity::get(&call.tx, identity)?;
    check_ciphersuite(&group_info, &identity)?;
    let leaf_node = options.leaf_node.as_ref().unwrap_or(&context.leaf_node);
    let leaf_node = leaf_node.content(identity.credential.credential_type())?;
    let (id, epoch) = (group_info.group_id().clone(), group_info.epoch().as_u64());
    if epoch > policy::MAX_JOINED_EPOCH {
        return Err(GroupInfoError::LastEpoch.into());
    }
    // The keys of a join that this one replaces must not stay in the log.
    call.tx.erase();
    let old = groups::get(&call.tx, &id)?;
    let Built {
        bundle,
        rows,
        old_leaf_remains,
    } = call.provisional(|call| {
        let leaf_node = (&identity, leaf_node);
        build(
            call,
            context,
            leaf_node,
            group_info,
            ratchet_tree,
            &options.psk_ids,
        )
    })?;
    let commit = commit::record(bundle, epoch)?;
    let record = ExternalJoinRecord {
        group_id: id,
        identity: identity.signature_key,
        commit: commit.commit,
        group_info: commit.group_info,
        epoch,
        in_race: old.is_some_and(|old| !has_ended(&old, epoch)),
        rows,
        old_leaf_remains,
    };
    external_joins::put(&call.tx, &record)?;
    Ok(record)
}

fn parse(group_info: &[u8]) -> Result<VerifiableGroupInfo, Error> {
    message::check_length("group_info", group_info, policy::MAX_MESSAGE)?;
    match message::parse(group_info)?.extract() {
        MlsMessageBodyIn::GroupInfo(group_info) => Ok(group_info),
        _ => Err(GroupInfoError::NotAGroupInfo.into()),
    }
}

fn check_ciphersuite(group_info: &VerifiableGroupInfo, identity: &Identity) -> Result<(), Error> {
    let ciphersuite = group_info.ciphersuite();
    if !policy::CIPHERSUITES.contains(&ciphersuite) {
        return Err(Error::UnsupportedCiphersuite(ciphersuite.into()));
    }
    if identity.ciphersuite == ciphersuite {
        Ok(())
    } else {
        Err(unfit_identity())
    }
}

fn unfit_identity() -> Error {
    Error::Argument {
        argument: "identity",
        problem: ArgumentProblem::OutOfRange,
    }
}

/// Whether this membership has seen a Commit that ended `epoch`.
fn has_ended(record: &GroupRecord, epoch: u64) -> bool {
    record.epoch.max(record.rejected_epoch.unwrap_or_default()) > epoch
}

/// What [`build`] leaves when it is undone.
struct Built {
    bundle: CommitMessageBundle,
    rows: GroupRows,
    old_leaf_remains: Option<u32>,
}

/// Lets OpenMLS join in the place of the old membership, and reads what it stored. The caller undoes it.
fn build(
    call: &mut Call<'_, WriteTx<'_>>,
    context: &Context,
    (identity, content): (&Identity, LeafNodeContent),
    group_info: VerifiableGroupInfo,
    ratchet_tree: Option<RatchetTreeIn>,
    psk_ids: &[Vec<u8>],
) -> Result<Built, Error> {
    let id = group_info.group_id().clone();
    let place = GroupRecord::new(id.clone(), identity.signature_key.clone(), 0, 0);
    groups::replace(&call.tx, &place)?;
    let provider = Provider::new(&call.tx)?;
    let psks = psks::for_external_commit(&call.tx, &provider, identity.ciphersuite, psk_ids)?;
    let member = (identity, content);
    let (mut group, bundle, resynced) =
        commit_externally(&provider, context, member, group_info, ratchet_tree, psks)?;
    if !commit::fits(&group, identity) {
        return Err(unfit_identity());
    }
    let own_leaf = group.own_leaf_node();
    if !own_leaf.is_some_and(|own| leaf_node::lists_credentials(own.capabilities(), &group)) {
        return Err(GroupInfoError::UnsupportedCredential.into());
    }
    // OpenMLS keeps the made-up keys with which it began as those of the past epoch: messages of that epoch would be
    // forgeries instead of stale.
    group
        .delete_past_epoch_secrets(&provider, PastEpochDeletion::delete_all())
        .map_err(|DeletePastEpochSecretsError::StorageError(failure)| failure)?;
    let members: Vec<MemberInfo> = group.members().map(summary::member).collect();
    validator::ask(
        context,
        &Question::ExternalJoin {
            group_id: id.as_slice(),
            members: &members,
        },
    )?;
    validator::ask_about_senders(context, id.as_slice(), group.extensions(), None)?;
    Ok(Built {
        bundle,
        rows: GroupRows::read(&call.tx, &id)?,
        old_leaf_remains: recovery::old_leaf_that_remains(&call.tx, &group, resynced)?,
    })
}

/// The last of what it gives tells whether the Commit removes an old leaf.
fn commit_externally(
    provider: &Provider<'_>,
    context: &Context,
    (identity, leaf_node): (&Identity, LeafNodeContent),
    group_info: VerifiableGroupInfo,
    ratchet_tree: Option<RatchetTreeIn>,
    psks: Vec<PreSharedKeyProposal>,
) -> Result<(MlsGroup, CommitMessageBundle, bool), GroupInfoError> {
    let commit_error = |error| GroupInfoError::Commit(Box::new(error));
    // Lifetimes of leaves are not checked (docs/adr/0007).
    let mut builder = MlsGroup::external_commit_builder()
        .with_config(context.settings.join_config())
        .skip_lifetime_validation();
    if let Some(ratchet_tree) = ratchet_tree {
        builder = builder.with_ratchet_tree(ratchet_tree);
    }
    let mut resynced = false;
    let (group, bundle) = builder
        .build_group(provider, group_info, identity.credential_with_key())
        .map_err(|error| GroupInfoError::Build(Box::new(error)))?
        .leaf_node_parameters(leaf_node.parameters())
        .add_psk_proposals(psks)
        .load_psks(provider.storage())
        .map_err(commit_error)?
        .create_group_info(true)
        .build(provider.rand(), provider.crypto(), &identity.signer, |proposal| {
            resynced |= matches!(proposal.proposal(), Proposal::Remove(_));
            true
        })
        .map_err(commit_error)?
        .finalize(provider)
        .map_err(GroupInfoError::Finalize)?;
    Ok((group, bundle, resynced))
}

/// The join that waits, to be sent again.
pub(crate) fn get(
    call: &mut Call<'_, ReadTx<'_>>,
    id: &GroupId,
) -> Result<Option<ExternalJoinRecord<IgnoredAny>>, Error> {
    external_joins::get(&call.tx, id).map_err(Into::into)
}

/// Puts the new membership in the place of the old one: the delivery service accepted the Commit. If its echo has done
/// so already, it says so again.
pub(crate) fn confirm(
    call: &mut Call<'_, WriteTx<'_>>,
    context: &Context,
    id: &GroupId,
) -> Result<Joined, Error> {
    let Some(join) = external_joins::get::<GroupRows>(&call.tx, id)? else {
        return confirmed_before(call, id);
    };
    let (superseded, own_message) = swap_in(call, context, &join)?;
    let released = early::release_group(call, context, id)?;
    Ok(Joined {
        epoch: join.epoch + 1,
        superseded,
        released: own_message.into_iter().chain(released).collect(),
    })
}

fn confirmed_before(call: &Call<'_, WriteTx<'_>>, id: &GroupId) -> Result<Joined, Error> {
    let epoch = groups::get(&call.tx, id)?
        .filter(|record| record.is_active && record.rejected_epoch.is_none())
        .and_then(|record| record.joined_epoch.filter(|joined| *joined == record.epoch))
        .ok_or(Error::NoExternalJoin)?;
    Ok(Joined {
        epoch,
        superseded: None,
        released: Vec::new(),
    })
}

/// Tells which own Commit was pending in the old membership, and gives back the message that waited for it.
fn swap_in(
    call: &mut Call<'_, WriteTx<'_>>,
    context: &Context,
    join: &ExternalJoinRecord<GroupRows>,
) -> Result<(Option<Box<CommitInfo>>, Option<Processed>), Error> {
    let id = &join.group_id;
    let (mut superseded, mut own_message) = (None, None);
    if let Some(record) = pending_commits::get(&call.tx, id)? {
        own_message = own_message::give_back(&call.tx, context, id, record.message)?;
        superseded = with_group(call, id, |live| Ok(pending::own_summary(&live.group)))?;
    }
    // Taken out and not put back.
    call.take_group(id);
    // The old membership's keys must not stay in the log.
    call.tx.erase();
    let configuration = Configuration::of(call, context, id)?;
    let epoch = join.epoch + 1;
    let record = GroupRecord {
        joined_epoch: Some(epoch),
        pads_to_buckets: configuration.pads_to_buckets,
        ..GroupRecord::new(id.clone(), join.identity.clone(), epoch, configuration.lifetime)
    };
    groups::replace(&call.tx, &record)?;
    join.rows.write(&call.tx, id)?;
    handled_commits::insert(&call.tx, id, &join.commit)?;
    external_joins::delete(&call.tx, id)?;
    groups_to_rejoin::delete(&call.tx, id)?;
    configuration.restore(call, id)?;
    Ok((superseded.map(Box::new), own_message))
}

/// Drops the join that waits, with the messages that only it could have read. Without one there is nothing to do.
pub(crate) fn abandon(
    call: &mut Call<'_, WriteTx<'_>>,
    context: &Context,
    id: &GroupId,
) -> Result<(), Error> {
    call.tx.erase();
    if !external_joins::delete(&call.tx, id)? {
        return Ok(());
    }
    match groups::get(&call.tx, id)? {
        Some(record) if record.is_active && record.rejected_epoch.is_none() => Ok(()),
        _ => early::refuse_ended(&call.tx, context, id, policy::MAX_EPOCH).map(drop),
    }
}

/// Whether a message is an external Commit: of all messages, only such a one can be the echo of a join.
pub(super) fn is_external_commit(message: &ProtocolMessage) -> bool {
    matches!(message, ProtocolMessage::PublicMessage(public)
        if public.content_type() == ContentType::Commit && *public.sender() == Sender::NewMemberCommit)
}

/// An external Commit without its confirmation tag. The signature does not cover the tag, and the old membership cannot
/// check it, because the Commit removes it: with another tag it would be obeyed.
fn without_tag(commit: &[u8]) -> Option<&[u8]> {
    Some(commit.split_last_chunk::<CONFIRMATION_TAG>()?.0)
}

/// Bytes of a confirmation tag: every suite of ours has SHA-256.
const CONFIRMATION_TAG: usize = 32;

/// Confirms the join that waits, if these are the bytes of its Commit, and no other Commit has won.
pub(super) fn echo(
    call: &mut Call<'_, WriteTx<'_>>,
    context: &Context,
    id: &GroupId,
    bytes: &[u8],
) -> Result<Option<Processed>, Error> {
    let Some(join) = external_joins::get::<GroupRows>(&call.tx, id)? else {
        return Ok(None);
    };
    if join.commit != bytes {
        return if without_tag(&join.commit) == without_tag(bytes) {
            Err(MessageError::DamagedEcho.into())
        } else {
            Ok(None)
        };
    }
    if let Some(old) = groups::get(&call.tx, id)?.filter(|_| join.in_race) {
        if has_ended(&old, join.epoch) {
            let outcome = Outcome::Stale { epoch: join.epoch };
            return mailbox::record(&call.tx, context, id.as_slice(), outcome).map(Some);
        }
        if old.epoch == join.epoch && PerGroup::Staged.exists(&call.tx, id)? {
            let outcome = Outcome::RivalStaged { epoch: join.epoch };
            return mailbox::record(&call.tx, context, id.as_slice(), outcome).map(Some);
        }
    }
    let (superseded, own_message) = swap_in(call, context, &join)?;
    let outcome = Outcome::OwnCommit {
        epoch: join.epoch + 1,
        welcome: None,
        group_info: join.group_info,
        superseded,
    };
    let mut processed = mailbox::record(&call.tx, context, id.as_slice(), outcome)?;
    processed.released = own_message
        .into_iter()
        .chain(early::release_group(call, context, id)?)
        .collect();
    Ok(Some(processed))
}

/// A message that the group here refused with `error`: one that a join which waits will read is kept for it.
pub(super) fn keep(
    call: &Call<'_, WriteTx<'_>>,
    context: &Context,
    id: &GroupId,
    bytes: &[u8],
    (epoch, content_type): (GroupEpoch, ContentType),
    error: Error,
) -> Result<Processed, Error> {
    if !is_out_of_reach(&error) {
        return Err(error);
    }
    let Some(join) = external_joins::get::<IgnoredAny>(&call.tx, id)? else {
        return Err(error);
    };
    let (received, current) = (epoch.as_u64(), join.epoch + 1);
    let outcome = if received < current {
        match error {
            Error::GroupNotFound | Error::GroupNotRejoined => Outcome::Stale { epoch: received },
            _ => return Err(error),
        }
    } else if received > policy::MAX_EPOCH || received - current > policy::MAX_EPOCHS_AHEAD {
        return Err(Error::WrongEpoch { current, received });
    } else {
        let new = NewEarlyMessage {
            epoch: received,
            is_commit: content_type == ContentType::Commit,
            bytes,
            received: policy::now(),
        };
        early::keep(&call.tx, context, id, &new)?
    };
    mailbox::record(&call.tx, context, id.as_slice(), outcome)
}

/// Whether there is no group that could read the message, or only one that never will.
fn is_out_of_reach(error: &Error) -> bool {
    matches!(
        error,
        Error::GroupNotFound
            | Error::GroupNotRejoined
            | Error::State(MlsGroupStateError::UseAfterEviction)
            | Error::GroupDiverged { .. }
            | Error::WrongEpoch { .. }
    )
}
