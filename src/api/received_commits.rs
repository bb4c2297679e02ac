//! Received Commits that wait for the app, and messages that wait for a Commit.

use super::{Core, Merged, MlsError, MlsGroup, ProcessedMessage, call};
use crate::group::{early, staged};

#[uniffi::export]
impl MlsGroup {
    /// Merges the received Commit that waits (`CommitState.Staged`), because the app accepts what it changes;
    /// `info().staged_commit` tells it. The group enters the next epoch.
    ///
    /// Stored: the new epoch, and the outcomes of early messages that it makes readable. An own Commit that waits is
    /// cleared; `superseded` then says what it would have done.
    /// Errors: `NoStagedCommit`, `GroupInactive`, `GroupNotFound`.
    /// After a crash: it still waits, or it is merged.
    pub fn merge_staged_commit(&self) -> Result<Merged, MlsError> {
        call(&self.core, "merge_staged_commit", || {
            let Core { store, context } = &*self.core;
            store.write(|call| staged::merge(call, context, &self.id))
        })
        .map(Into::into)
    }

    /// Drops the received Commit that waits, for good: its keys are used up, so it can never be processed again, and
    /// the other members go on without this device. Messages of the current and past epochs can still be read;
    /// everything else answers `GroupDiverged`. Join the group again, or delete it.
    ///
    /// Stored: that the group went its own way. Own Commits that wait and early messages are dropped; the inbox names
    /// the latter (`EarlyRefused`), and gives a message that waited for an own Commit back (`MessageNotCreated`).
    /// Errors: `NoStagedCommit`, `GroupNotFound`.
    pub fn discard_staged_commit(&self) -> Result<(), MlsError> {
        call(&self.core, "discard_staged_commit", || {
            let Core { store, context } = &*self.core;
            store.write(|call| staged::discard(call, context, &self.id))
        })
    }

    /// Replays early messages that the group can read. Every merge does so by itself, and a join if there is an inbox;
    /// this is for a Commit among them that the validator refused (`EarlyRefusal.Rejected`) or that lacked a
    /// pre-shared key, once it would be accepted. One that is refused again stays and is not named again.
    ///
    /// Stored: what the messages change, and their outcomes in the inbox.
    /// Errors: `GroupNotFound`.
    pub fn release_early_messages(&self) -> Result<Vec<ProcessedMessage>, MlsError> {
        let released = call(&self.core, "release_early_messages", || {
            let Core { store, context } = &*self.core;
            store.write(|call| early::release_group(call, context, &self.id))
        })?;
        Ok(released.into_iter().map(Into::into).collect())
    }

    /// Gives up all messages that came too early, for good: when `EarlyBufferFull` comes again and again, because
    /// somebody sends forged ones, or because the Commit that they wait for is lost. Fetch what is missing afterwards,
    /// or join the group again.
    ///
    /// Stored: that they are gone; each is named (`EarlyRefused`), here and in the inbox.
    pub fn drop_early_messages(&self) -> Result<Vec<ProcessedMessage>, MlsError> {
        let dropped = call(&self.core, "drop_early_messages", || {
            let Core { store, context } = &*self.core;
            store.write(|call| early::drop_all(call, context, &self.id))
        })?;
        Ok(dropped.into_iter().map(Into::into).collect())
    }
}
