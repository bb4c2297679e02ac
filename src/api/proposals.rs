//! Queued proposals of a group.

use super::{CommitBundle, MlsError, MlsGroup, ProposalRef, ProposalSummary, call};
use crate::group::{commit, proposals, state};

#[uniffi::export]
impl MlsGroup {
    /// The proposals that the next Commit will carry out, in the order in which they came; this device's own Update and
    /// removal only if another member makes it.
    pub fn pending_proposals(&self) -> Result<Vec<ProposalSummary>, MlsError> {
        call(&self.core, "pending_proposals", || {
            let view = self.core.store.read(|call| state::view(call, &self.id))?;
            Ok(view.pending_proposals.into_iter().map(Into::into).collect())
        })
    }

    /// Drops a queued proposal: this device will not commit it. If another member commits it, that Commit misses it
    /// here and answers `MessageInvalid { ProposalMissing }`, for good: an encrypted proposal cannot be had a second
    /// time. So drop only what nobody can commit.
    ///
    /// Stored: that it is gone. Nothing is sent. Errors: `ProposalNotFound`, `GroupNotFound`.
    pub fn remove_pending_proposal(&self, reference: ProposalRef) -> Result<(), MlsError> {
        call(&self.core, "remove_pending_proposal", || {
            let reference = reference.into_mls()?;
            self.core
                .store
                .write(|call| proposals::remove(call, &self.id, &reference))
        })
    }

    /// Drops all queued proposals, as `remove_pending_proposal` does each.
    pub fn clear_pending_proposals(&self) -> Result<(), MlsError> {
        call(&self.core, "clear_pending_proposals", || {
            self.core.store.write(|call| proposals::clear(call, &self.id))
        })
    }

    /// Makes a Commit that carries out the queued proposals, those that can be carried out together, and renews this
    /// device's keys unless only Adds and pre-shared keys are queued. Stored, sent and kept as for `add_members`.
    ///
    /// Errors: `PendingCommitExists`, `StagedCommitExists`, `PskNotFound` and `ResumptionPskWithAdds` (for proposals of
    /// this device; others' are left out), `GroupDiverged`, `GroupInactive`, `GroupNotFound`.
    pub fn commit_to_pending_proposals(&self) -> Result<CommitBundle, MlsError> {
        self.commit("commit_to_pending_proposals", |call| {
            commit::commit_to_pending_proposals(call, &self.core.context, &self.id)
        })
    }
}
