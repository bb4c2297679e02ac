//! Receiving for all groups of a client: routing, batches, and the inbox.

use std::time::Duration;

use super::{Batch, InboxEntry, IncomingMessage, MessageInfo, MlsClient, MlsError, ProcessOptions, call};
use crate::{
    group::{batch, mailbox},
    message,
};

#[uniffi::export]
impl MlsClient {
    /// Reads what a message says about itself. It needs no state and proves nothing: use it to route.
    ///
    /// Errors: `MessageMalformed`, `InvalidArgument`.
    pub fn message_info(&self, message: Vec<u8>) -> Result<MessageInfo, MlsError> {
        call(&self.core, "message_info", || {
            message::info(&message).map(Into::into)
        })
    }

    /// Processes messages of any groups in order, as `MlsGroup.process_message` does each: for catching up after a
    /// start, or in a notification extension.
    ///
    /// Stored: as for each message, in transactions that aim at 200 ms, so that another process gets its turn; a
    /// message's `cursor` is stored together with what the message changed. A batch that was handled to its end, an
    /// empty one too, also deletes past epochs' keys that have expired, in a few groups that nothing else has used.
    /// It stops when `budget_ms` is spent, before a message that there is no room to keep (`EarlyBufferFull`), before
    /// one that the validator could not judge because it failed (`CredentialRejected`), and at a failure of storage;
    /// `stopped_at` says where, and `error` why if it was not the budget. What came before is kept; go on there.
    /// A message that is refused for itself does not stop it, and neither does one that the validator decided against,
    /// or one for a group that is not here (join from Welcomes first): its outcome carries the error. A Commit that the
    /// validator decided against is kept and named in the inbox (`EarlyRefused`), because the cursor goes past it:
    /// `release_early_messages` asks again.
    /// After a crash: continue at `cursor`, and read the inbox.
    #[uniffi::method(default(options = None))]
    pub fn process_messages(
        &self,
        messages: Vec<IncomingMessage>,
        options: Option<ProcessOptions>,
    ) -> Result<Batch, MlsError> {
        let batch = call(&self.core, "process_messages", || {
            let messages: Vec<_> = messages.into_iter().map(Into::into).collect();
            let budget = options.and_then(|options| options.budget_ms);
            let budget = budget.map(|milliseconds| Duration::from_millis(milliseconds.into()));
            batch::process(&self.core.store, &self.core.context, &messages, budget)
        })?;
        Ok(batch.into())
    }

    /// The `cursor` of the last message that a batch handled, never of one that it did not reach.
    pub fn cursor(&self) -> Result<Option<Vec<u8>>, MlsError> {
        call(&self.core, "cursor", || self.core.store.read(mailbox::cursor))
    }

    /// The oldest `limit` outcomes that were not acknowledged, oldest first: read them after every start, because a
    /// notification extension may have processed messages that the app has not seen.
    pub fn inbox(&self, limit: u32) -> Result<Vec<InboxEntry>, MlsError> {
        call(&self.core, "inbox", || {
            let entries = self.core.store.read(|call| mailbox::list(call, limit))?;
            Ok(entries.into_iter().map(Into::into).collect())
        })
    }

    /// Deletes entries that the app has saved. Ids that are gone already are no error, so it can be repeated.
    pub fn acknowledge(&self, ids: Vec<u64>) -> Result<(), MlsError> {
        call(&self.core, "acknowledge", || {
            self.core.store.write(|call| mailbox::acknowledge(call, &ids))
        })
    }
}
