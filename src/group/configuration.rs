//! How the app had set a group up, carried over to a new membership in it.

use openmls::group::{GroupId, MlsGroupJoinConfig};
use openmls_traits::{OpenMlsProvider as _, storage::StorageProvider as _};

use super::{Context, with_group};
use crate::{
    error::Error,
    padding::Padding,
    policy::GroupSettings,
    storage::{Call, WriteTx, groups, openmls::Transaction as _},
};

/// The configuration of a membership that ends, or the client's where there is none.
pub(super) struct Configuration {
    join_config: Option<MlsGroupJoinConfig>,
    /// Seconds that a past epoch's keys outlive it.
    pub(super) lifetime: u64,
    pub(super) pads_to_buckets: bool,
}

impl Configuration {
    /// Read before the old membership's rows go.
    pub(super) fn of(call: &Call<'_, WriteTx<'_>>, context: &Context, id: &GroupId) -> Result<Self, Error> {
        let old = groups::get(&call.tx, id)?;
        let (lifetime, pads_to_buckets) = old.map_or_else(
            || {
                let GroupSettings { padding, .. } = context.settings;
                let lifetime = context.settings.past_epoch_lifetime_seconds;
                (lifetime, padding == Padding::Buckets)
            },
            |old| (old.past_keys.lifetime, old.pads_to_buckets),
        );
        Ok(Self {
            join_config: call.tx.storage().mls_group_join_config(id)?,
            lifetime,
            pads_to_buckets,
        })
    }

    /// Sets the new membership up, which has no past epochs yet.
    pub(super) fn restore(self, call: &mut Call<'_, WriteTx<'_>>, id: &GroupId) -> Result<(), Error> {
        let Some(join_config) = self.join_config else {
            return Ok(());
        };
        with_group(call, id, |live| {
            live.group
                .set_configuration(live.provider.storage(), &join_config)
                .map_err(Into::into)
        })
    }
}
