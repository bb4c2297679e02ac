//! Own Commits of a group.

use super::{CommitBundle, Core, IdentityId, Merged, MlsError, MlsGroup, call};
use crate::{
    error::Error,
    group::{commit, pending},
    storage::{Call, WriteTx, pending::PendingCommitRecord},
};

impl MlsGroup {
    pub(super) fn commit(
        &self,
        name: &'static str,
        make: impl FnOnce(&mut Call<'_, WriteTx<'_>>) -> Result<PendingCommitRecord, Error>,
    ) -> Result<CommitBundle, MlsError> {
        call(&self.core, name, || self.core.store.write(make)).map(Into::into)
    }
}

#[uniffi::export]
impl MlsGroup {
    /// Makes a Commit that adds the owners of these key packages, and carries out all queued proposals.
    ///
    /// Stored: the Commit with its Welcome and GroupInfo, until it is merged or cleared. Send `commit` to the
    /// delivery service; accepted, send `welcome` to the new members and then call `merge_pending_commit`; refused,
    /// call `clear_pending_commit`. The group stays in its epoch until then.
    /// Errors: `InvalidArgument` (empty), `KeyPackageInvalid`, `MessageMalformed`, `UnsupportedCiphersuite`,
    /// `CredentialRejected`, `PendingCommitExists`, `StagedCommitExists`, `ResumptionPskWithAdds` (this device has
    /// proposed one: commit it first), `PskNotFound` (it was deleted since this device proposed it), `GroupDiverged`,
    /// `GroupInactive`, `GroupNotFound`.
    /// After a crash: `pending_commit` gives the same bundle again.
    pub fn add_members(&self, key_packages: Vec<Vec<u8>>) -> Result<CommitBundle, MlsError> {
        self.commit("add_members", |call| {
            commit::add_members(call, &self.core.context, &self.id, &key_packages)
        })
    }

    /// Makes a Commit that removes the members at these leaves, and carries out all queued proposals. Stored, sent
    /// and kept as for `add_members`.
    ///
    /// Errors: `InvalidArgument` (empty, twice the same, or this device's own leaf), `MemberNotFound`,
    /// `PendingCommitExists`, `StagedCommitExists`, `GroupDiverged`, `GroupInactive`, `GroupNotFound`.
    pub fn remove_members(&self, leaf_indices: Vec<u32>) -> Result<CommitBundle, MlsError> {
        self.commit("remove_members", |call| {
            commit::remove_members(call, &self.core.context, &self.id, &leaf_indices)
        })
    }

    /// Makes a Commit that renews this device's keys, so that who has stolen the old ones is locked out. With
    /// `new_identity` its credential and signature key change too; the group signs with them after the merge.
    /// Stored, sent and kept as for `add_members`.
    ///
    /// Errors: `IdentityNotFound`, `InvalidArgument` (an identity of another ciphersuite, or of a credential type
    /// that not every member supports), `PendingCommitExists`, `StagedCommitExists`,
    /// `GroupDiverged`, `GroupInactive`, `GroupNotFound`.
    #[uniffi::method(default(new_identity = None))]
    pub fn self_update(&self, new_identity: Option<IdentityId>) -> Result<CommitBundle, MlsError> {
        self.commit("self_update", |call| {
            commit::self_update(
                call,
                &self.core.context,
                &self.id,
                new_identity.as_ref().map(|id| id.0.as_slice()),
            )
        })
    }

    /// The own Commit that waits, as it was handed out: after a restart, send it again.
    pub fn pending_commit(&self) -> Result<Option<CommitBundle>, MlsError> {
        call(&self.core, "pending_commit", || {
            Ok(self
                .core
                .store
                .read(|call| pending::get(call, &self.id))?
                .map(Into::into))
        })
    }

    /// Merges the own Commit: the delivery service accepted it. The group enters the next epoch.
    ///
    /// Stored: the new epoch, and the outcomes of early messages that it makes readable; the Commit is forgotten, with
    /// its Welcome, which must have been sent before. If its own echo has merged it already, and no other Commit was made
    /// or merged since, its summary comes again and nothing changes.
    /// Errors: `NoPendingCommit` (it was merged before, cleared, or another member's Commit won), `StagedCommitExists` (another
    /// member's Commit waits for a decision), `GroupInactive`, `GroupNotFound`.
    pub fn merge_pending_commit(&self) -> Result<Merged, MlsError> {
        call(&self.core, "merge_pending_commit", || {
            let Core { store, context } = &*self.core;
            store.write(|call| pending::merge(call, context, &self.id))
        })
        .map(Into::into)
    }

    /// Drops the own Commit: the delivery service refused it. Without one nothing happens.
    ///
    /// Stored: until the epoch ends it is remembered, so that it is still merged if it comes back, because the
    /// delivery service did accept it.
    /// Errors: `GroupNotFound`.
    pub fn clear_pending_commit(&self) -> Result<(), MlsError> {
        call(&self.core, "clear_pending_commit", || {
            self.core.store.write(|call| pending::clear(call, &self.id))
        })
    }
}
