//! Creating, listing, configuring and deleting groups.

use openmls::group::{GroupId, MlsGroup};

use super::{Context, creation::Creation, past_epochs, recovery, with_group};
use crate::{
    error::{ArgumentProblem, Error},
    keys::identity,
    padding::Padding,
    policy::{self, GroupSettings},
    provider::Provider,
    storage::{
        Call, ReadTx, WriteTx,
        cache::LiveGroup,
        early_messages, external_joins,
        groups::{self, GroupRecord},
        groups_to_rejoin,
    },
};
use openmls_traits::OpenMlsProvider;

/// Creates a group with this device as its only member (RFC 9420, section 11).
pub(crate) fn create(
    call: &mut Call<'_, WriteTx<'_>>,
    context: &Context,
    identity: &[u8],
    id: Option<GroupId>,
    (settings, creation): (&GroupSettings, &Creation),
) -> Result<GroupId, Error> {
    settings.check()?;
    let identity = identity::get(&call.tx, identity)?;
    let provider = Provider::new(&call.tx)?;
    let id = match id {
        Some(id) => checked(id)?,
        None => GroupId::random(provider.rand()),
    };
    if groups::get(&call.tx, &id)?.is_some()
        || external_joins::exists(&call.tx, &id)?
        || groups_to_rejoin::exists(&call.tx, &id)?
    {
        return Err(Error::GroupAlreadyExists);
    }
    let config = creation.config(settings, &context.lifetimes, &context.leaf_node, &identity)?;
    let mls = MlsGroup::new_with_group_id(
        &provider,
        &identity.signer,
        &config,
        id.clone(),
        identity.credential_with_key(),
    )?;
    let lifetime = settings.past_epoch_lifetime_seconds;
    let record = GroupRecord {
        pads_to_buckets: settings.padding == Padding::Buckets,
        ..GroupRecord::new(id.clone(), identity.signature_key, 0, lifetime)
    };
    groups::insert(&call.tx, &record)?;
    call.keep_group(LiveGroup::new(&call.tx, mls, record));
    Ok(id)
}

pub(super) fn checked(id: GroupId) -> Result<GroupId, Error> {
    let problem = match id.as_slice().len() {
        0 => ArgumentProblem::Empty,
        length if length > policy::MAX_GROUP_ID => ArgumentProblem::TooLong,
        _ => return Ok(id),
    };
    Err(Error::Argument {
        argument: "group_id",
        problem,
    })
}

/// Whether there is such a group, without loading it.
pub(crate) fn exists(call: &mut Call<'_, ReadTx<'_>>, id: &GroupId) -> Result<(), Error> {
    groups::get(&call.tx, id)?
        .map(drop)
        .ok_or_else(|| recovery::missing(&call.tx, id))
}

/// All groups, without loading any.
pub(crate) fn list(call: &mut Call<'_, ReadTx<'_>>) -> Result<Vec<GroupRecord>, Error> {
    groups::list(&call.tx).map_err(Into::into)
}

/// Changes how the group behaves on this device; nothing is sent.
pub(crate) fn configure(
    call: &mut Call<'_, WriteTx<'_>>,
    id: &GroupId,
    settings: &GroupSettings,
) -> Result<(), Error> {
    settings.check()?;
    // Fewer past epochs delete their keys.
    call.tx.erase();
    with_group(call, id, |live| {
        live.record.pads_to_buckets = settings.padding == Padding::Buckets;
        past_epochs::configure(live, settings)?;
        live.group
            .set_configuration(live.provider.storage(), &settings.join_config())
            .map_err(Into::into)
    })
}

/// Deletes every key and row of the group on this device. Inbox entries stay until they are acknowledged.
pub(crate) fn delete(call: &mut Call<'_, WriteTx<'_>>, id: &GroupId) -> Result<(), Error> {
    // Taken out and not put back.
    call.take_group(id);
    call.tx.erase();
    early_messages::clear(&call.tx, id)?;
    external_joins::delete(&call.tx, id)?;
    if !groups::delete(&call.tx, id)? {
        return Err(Error::GroupNotFound);
    }
    Ok(())
}
