//! How the app had set a group up, carried over to a new membership in it.

use openmls::group::{GroupId, MlsGroupJoinConfig};
use openmls_traits::{OpenMlsProvider as _, storage::StorageProvider as _};
use serde::{Deserialize, Serialize};

use super::{Context, with_group};
use crate::{
    error::Error,
    padding::Padding,
    storage::{
        Call, ReadTx, WriteTx,
        groups::{self, GroupRecord},
        groups_to_rejoin,
        openmls::Transaction as _,
    },
};

/// The configuration of a membership that ends or was lost, or the client's where there is none. Archives have it too: a
/// field may be appended if it has a default.
#[derive(Serialize, Deserialize)]
pub(super) struct Configuration {
    join_config: Option<MlsGroupJoinConfig>,
    /// Seconds that a past epoch's keys outlive it.
    pub(super) lifetime: u64,
    #[serde(default)]
    pub(super) pads_to_buckets: bool,
}

impl Configuration {
    /// Read before the old membership's rows go.
    pub(super) fn of(call: &Call<'_, WriteTx<'_>>, context: &Context, id: &GroupId) -> Result<Self, Error> {
        if let Some(old) = groups::get(&call.tx, id)? {
            return Self::of_record(&call.tx, &old);
        }
        let lost = groups_to_rejoin::get(&call.tx, id)?;
        Ok(lost.map_or_else(
            || Self {
                join_config: None,
                lifetime: context.settings.past_epoch_lifetime_seconds,
                pads_to_buckets: context.settings.padding == Padding::Buckets,
            },
            |lost| lost.configuration,
        ))
    }

    /// That of a group which is here.
    pub(super) fn of_record(tx: &ReadTx<'_>, record: &GroupRecord) -> Result<Self, Error> {
        Ok(Self {
            join_config: tx.storage().mls_group_join_config(&record.group_id)?,
            lifetime: record.past_keys.lifetime,
            pads_to_buckets: record.pads_to_buckets,
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
