//! The inbox: outcomes that the app has not acknowledged.

use super::{
    Context,
    outcome::{InboxRecord, Outcome, Processed},
};
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

/// Puts an outcome into the inbox, if a user would see it.
pub(super) fn record(
    tx: &WriteTx<'_>,
    context: &Context,
    group_id: &[u8],
    outcome: Outcome,
) -> Result<Processed, Error> {
    let record = InboxRecord {
        group_id: group_id.to_vec(),
        outcome,
    };
    let id = if context.inbox && record.outcome.is_for_the_inbox() {
        Some(inbox::append(tx, &record)?)
    } else {
        None
    };
    Ok(Processed {
        id,
        outcome: record.outcome,
        released: Vec::new(),
    })
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
                released: Vec::new(),
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
