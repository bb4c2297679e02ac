//! Joining from a Welcome (RFC 9420, section 12.4.3.1), and looking at one first.

use openmls::{
    group::{GroupId, ProcessedWelcome, StagedWelcome, WelcomeError},
    messages::EncryptedGroupSecrets,
    prelude::{
        Capabilities, Ciphersuite, KeyPackageBundle, MlsMessageBodyIn, RatchetTreeIn, Welcome,
        group_info::VerifiableGroupInfo,
    },
};
use openmls_traits::{OpenMlsProvider as _, storage::StorageProvider as _};
use tls_codec::{Deserialize as _, DeserializeBytes as _, Serialize as _, VLBytes};

use super::{
    Context,
    configuration::Configuration,
    early,
    extensions::meets,
    outcome::MemberInfo,
    summary,
    validator::{self, Question},
};
use crate::{
    error::Error,
    keys::identity,
    message, policy,
    provider::Provider,
    storage::{
        Call, StorageError, WriteTx,
        cache::LiveGroup,
        external_joins,
        groups::{self, GroupRecord},
        groups_to_rejoin, key_packages,
    },
    verification::{self, Verified},
};

/// What a Welcome says, once it is opened and verified.
pub(crate) struct WelcomeInfo {
    pub(crate) group_id: GroupId,
    pub(crate) epoch: u64,
    pub(crate) ciphersuite: u16,
    pub(crate) sender: Option<MemberInfo>,
    pub(crate) members: Vec<MemberInfo>,
    pub(crate) own_leaf_index: u32,
}

/// Opens and verifies a Welcome. The caller rolls back, because opening uses the key package up.
pub(crate) fn inspect(
    call: &mut Call<'_, WriteTx<'_>>,
    context: &Context,
    welcome: &[u8],
    ratchet_tree: Option<&[u8]>,
) -> Result<WelcomeInfo, Error> {
    let processed = open(&call.tx, context, welcome)?;
    stage(&call.tx, processed, ratchet_tree, Existing::Ignore).map(|staged| describe(&staged))
}

/// Joins the group. The key package is deleted, unless it is one of last resort.
pub(crate) fn join(
    call: &mut Call<'_, WriteTx<'_>>,
    context: &Context,
    welcome: &[u8],
    ratchet_tree: Option<&[u8]>,
) -> Result<GroupId, Error> {
    let processed = open(&call.tx, context, welcome)?;
    let configuration = Configuration::of(call, context, processed.unverified_group_info().group_id())?;
    leave_room(call, processed.unverified_group_info().group_id())?;
    // The invitation came first; the delivery service accepts only one of the two.
    external_joins::delete(&call.tx, processed.unverified_group_info().group_id())?;
    groups_to_rejoin::delete(&call.tx, processed.unverified_group_info().group_id())?;
    let staged = stage(&call.tx, processed, ratchet_tree, Existing::Refuse)?;
    let info = describe(&staged);
    validator::ask(
        context,
        &Question::Welcome {
            group_id: info.group_id.as_slice(),
            sender: info.sender.as_ref().map(|sender| &sender.credential),
            members: &info.members,
        },
    )?;
    let extensions = staged.group_context().extensions();
    validator::ask_about_senders(context, info.group_id.as_slice(), extensions, None)?;
    let own_leaf = staged.own_leaf_node().ok_or(Error::IdentityNotFound)?;
    let identity = identity::get(&call.tx, own_leaf.signature_key().as_slice())?;
    // The key package was used: its private keys must not stay in the log.
    call.tx.erase();
    let mls = staged.into_group(&Provider::new(&call.tx)?)?;
    let id = info.group_id.clone();
    let record = GroupRecord {
        pads_to_buckets: configuration.pads_to_buckets,
        ..GroupRecord::new(id, identity.signature_key, info.epoch, configuration.lifetime)
    };
    groups::insert(&call.tx, &record)?;
    call.keep_group(LiveGroup::new(&call.tx, mls, record));
    configuration.restore(call, &info.group_id)?;
    if context.inbox {
        // Messages may have overtaken the Welcome. Without an inbox nothing would tell what became of them.
        early::release_group(call, context, &info.group_id)?;
    }
    Ok(info.group_id)
}

/// A device that was removed, or went its own way, may be invited again: its old membership makes room. What has come
/// early stays: it may be for the new one.
fn leave_room(call: &mut Call<'_, WriteTx<'_>>, id: &GroupId) -> Result<(), Error> {
    let Some(record) = groups::get(&call.tx, id)? else {
        return Ok(());
    };
    if record.is_active && record.rejected_epoch.is_none() {
        return Err(Error::GroupAlreadyExists);
    }
    // Taken out and not put back.
    call.take_group(id);
    call.tx.erase();
    groups::delete(&call.tx, id)?;
    Ok(())
}

fn open(tx: &WriteTx<'_>, context: &Context, welcome: &[u8]) -> Result<ProcessedWelcome, Error> {
    message::check_length("welcome", welcome, policy::MAX_MESSAGE)?;
    let provider = &Provider::new(tx)?;
    let (welcome, listed) = for_us(tx, provider, &parse(welcome)?)?;
    let processed = ProcessedWelcome::new_from_welcome(provider, &context.settings.join_config(), welcome)?;
    let extensions = processed.unverified_group_info().group_context().extensions();
    if !meets(&listed, extensions) {
        return Err(WelcomeError::UnsupportedCapability.into());
    }
    if processed.unverified_group_info().epoch().as_u64() > policy::MAX_JOINED_EPOCH {
        return Err(Error::WelcomeEpoch);
    }
    Ok(processed)
}

/// The Welcome with the secrets that are for us and no others, and what our leaf there supports. OpenMLS asks storage
/// about each, and a message has room for a million. Capabilities are asked before the key package is used up; later
/// OpenMLS would only say that some leaf in the tree is not as it must be.
fn for_us(
    tx: &WriteTx<'_>,
    provider: &Provider<'_>,
    welcome: &Welcome,
) -> Result<(Welcome, Capabilities), Error> {
    // The references of another suite are hashes of another length.
    let ciphersuite = welcome.ciphersuite();
    if !policy::CIPHERSUITES.contains(&ciphersuite) {
        return Err(Error::UnsupportedCiphersuite(ciphersuite.into()));
    }
    let secrets = welcome.secrets();
    let references = || secrets.iter().map(EncryptedGroupSecrets::new_member);
    let reference = key_packages::first_here(tx, references())?.ok_or(WelcomeError::NoMatchingKeyPackage)?;
    let ours = references().position(|named| named == reference);
    let ours = ours
        .and_then(|at| secrets.get(at))
        .ok_or(WelcomeError::NoMatchingKeyPackage)?;
    // A listed key package whose keys are gone was damaged.
    let bundle: KeyPackageBundle = provider
        .storage()
        .key_package(&reference)?
        .ok_or(StorageError::Corrupt)?;
    let listed = bundle.key_package().leaf_node().capabilities().clone();

    // struct { CipherSuite cipher_suite; EncryptedGroupSecrets secrets<V>; opaque encrypted_group_info<V>; } Welcome
    let encoded = welcome.tls_serialize_detached()?;
    let (_, rest) = Ciphersuite::tls_deserialize_bytes(&encoded)?;
    let (_, group_info) = VLBytes::tls_deserialize_bytes(rest)?;
    let only = VLBytes::new(ours.tls_serialize_detached()?);
    let encoded = [
        &ciphersuite.tls_serialize_detached()?,
        &only.tls_serialize_detached()?,
        group_info,
    ]
    .concat();
    Ok((Welcome::tls_deserialize(&mut encoded.as_slice())?, listed))
}

fn parse(welcome: &[u8]) -> Result<Welcome, Error> {
    match message::parse(welcome)?.extract() {
        MlsMessageBodyIn::Welcome(welcome) => Ok(welcome),
        _ => Err(Error::NotAWelcome),
    }
}

/// What to do when the group is already there.
enum Existing {
    Refuse,
    /// For looking only: an invitation to a group that one is in can still be read.
    Ignore,
}

fn stage(
    tx: &WriteTx<'_>,
    processed: ProcessedWelcome,
    ratchet_tree: Option<&[u8]>,
    existing: Existing,
) -> Result<StagedWelcome, Error> {
    let ratchet_tree = ratchet_tree.map(parse_ratchet_tree).transpose()?;
    let verified = verify_leaves(processed.unverified_group_info(), ratchet_tree.as_ref())?;
    let provider = &Provider::knowing(tx, verified)?;
    // Lifetimes of leaves in the tree are not checked: a member that has not updated for months does not keep
    // others out (RFC 9420, section 7.3; docs/adr/0007).
    let mut builder = openmls::group::JoinBuilder::new(provider, processed).skip_lifetime_validation();
    if matches!(existing, Existing::Ignore) {
        builder = builder.replace_old_group();
    }
    if let Some(ratchet_tree) = ratchet_tree {
        builder = builder.with_ratchet_tree(ratchet_tree);
    }
    builder.build().map_err(Into::into)
}

/// Verifies the leaves of the tree that OpenMLS will take ahead of it: the one in the GroupInfo comes first.
pub(super) fn verify_leaves(
    group_info: &VerifiableGroupInfo,
    ratchet_tree: Option<&RatchetTreeIn>,
) -> Result<Verified, Error> {
    let within = group_info.extensions().ratchet_tree();
    let tree = within.map(|extension| extension.ratchet_tree()).or(ratchet_tree);
    tree.map_or(Ok(Verified::default()), |tree| {
        verification::of_tree(tree, group_info.ciphersuite(), group_info.group_id())
    })
    .map_err(Into::into)
}

/// Decodes a ratchet tree that travels beside what it belongs to.
pub(super) fn parse_ratchet_tree(bytes: &[u8]) -> Result<RatchetTreeIn, Error> {
    message::check_length("ratchet_tree", bytes, policy::MAX_MESSAGE)?;
    // Not `DeserializeBytes`: in debug builds it panics on a vector that is cut.
    RatchetTreeIn::tls_deserialize_exact(bytes).map_err(Into::into)
}

fn describe(staged: &StagedWelcome) -> WelcomeInfo {
    let members: Vec<MemberInfo> = staged.members().map(summary::member).collect();
    let sender = staged.welcome_sender_index().u32();
    WelcomeInfo {
        group_id: staged.group_context().group_id().clone(),
        epoch: staged.group_context().epoch().as_u64(),
        ciphersuite: staged.group_context().ciphersuite().into(),
        sender: members.iter().find(|member| member.leaf_index == sender).cloned(),
        own_leaf_index: staged.own_leaf_index().u32(),
        members,
    }
}
