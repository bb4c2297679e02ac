//! The inbox: outcomes that the app has not acknowledged.

use super::{outcome::InboxRecord, process::Processed};
use crate::{
    error::Error,
    storage::{Call, ReadTx, WriteTx, header, inbox},
};

/// An entry with the group that it belongs to.
pub(crate) struct Entry {
    pub(crate) id: u64,
    pub(crate) group_id: Vec<u8>,
    pub(crate) processed: Processed,
}

/// The oldest `limit` entries.
pub(crate) fn list(call: &mut Call<'_, ReadTx<'_>>, limit: u32) -> Result<Vec<Entry>, Error> {
    let records = inbox::list::<InboxRecord>(&call.tx, limit)?;
    Ok(records
        .into_iter()
        .map(|(id, InboxRecord { group_id, outcome })| Entry {
            id,
            group_id,
            processed: Processed {
                id: Some(id),
                outcome,
            },
        })
        .collect())
}

/// The resume point that the last batch stored.
pub(crate) fn cursor(call: &mut Call<'_, ReadTx<'_>>) -> Result<Option<Vec<u8>>, Error> {
    header::cursor(&call.tx).map_err(Into::into)
}

/// Deletes entries; unknown ids are no error.
pub(crate) fn acknowledge(call: &mut Call<'_, WriteTx<'_>>, ids: &[u64]) -> Result<(), Error> {
    inbox::delete(&call.tx, ids).map_err(Into::into)
}
