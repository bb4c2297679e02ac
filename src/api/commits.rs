//! Own Commits of a group.

use super::{CommitBundle, Core, Extension, IdentityId, Merged, MlsError, MlsGroup, call};
use crate::{
    error::Error,
    extension::ExtensionInfo,
    group::{commit, membership, own_message, pending},
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

pub(super) fn infos(extensions: Vec<Extension>) -> Vec<ExtensionInfo> {
    let info = |extension: Extension| (extension.extension_type, extension.data);
    extensions.into_iter().map(info).collect()
}

pub(super) fn extensions(infos: Vec<ExtensionInfo>) -> Vec<Extension> {
    infos.into_iter().map(extension).collect()
}

pub(super) fn extension((extension_type, data): ExtensionInfo) -> Extension {
    Extension { extension_type, data }
}

#[uniffi::export]
impl MlsGroup {
    /// Makes a Commit that adds the owners of these key packages, and carries out all queued proposals.
    ///
    /// Stored: the Commit with its Welcome and GroupInfo, until it is merged or cleared. Send `commit` to the
    /// delivery service; accepted, send `welcome` to the new members and then call `merge_pending_commit`; refused,
    /// call `clear_pending_commit`. The group stays in its epoch until then. Without `ratchet_tree_in_welcome` they need
    /// the new epoch's tree too: `export_ratchet_tree` right after the merge, before another Commit changes it.
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
    /// `PendingCommitExists`, `StagedCommitExists`, `PskNotFound` and `ResumptionPskWithAdds` (as for `add_members`, of
    /// what is queued), `GroupDiverged`, `GroupInactive`, `GroupNotFound`.
    pub fn remove_members(&self, leaf_indices: Vec<u32>) -> Result<CommitBundle, MlsError> {
        self.commit("remove_members", |call| {
            commit::remove_members(call, &self.core.context, &self.id, &leaf_indices)
        })
    }

    /// Makes a Commit that renews this device's keys, so that who has stolen the old ones is locked out. With
    /// `new_identity` its credential and signature key change too; the group signs with them after the merge. The
    /// identity that it has already brings in a credential that was replaced (`replace_credential`). What the leaf says
    /// otherwise stays (`update_leaf_node` changes it).
    /// Stored, sent and kept as for `add_members`.
    ///
    /// To change an identity everywhere, call this for each of `groups()` that is active and has the old one, after its
    /// pending Commit is merged or cleared; make key packages of the new identity; delete the groups that this device was
    /// removed from; then `delete_identity` takes the old one and its key packages. After a crash begin again: `groups()`
    /// tells which have moved.
    /// Errors: `IdentityNotFound`, `InvalidArgument` (an identity of another ciphersuite, or of a credential type
    /// that not every member supports), `PendingCommitExists`, `StagedCommitExists`, `PskNotFound` and
    /// `ResumptionPskWithAdds` (of what is queued), `GroupDiverged`, `GroupInactive`, `GroupNotFound`.
    #[uniffi::method(default(new_identity = None))]
    pub fn self_update(&self, new_identity: Option<IdentityId>) -> Result<CommitBundle, MlsError> {
        self.commit("self_update", |call| {
            commit::self_update(
                call,
                &self.core.context,
                &self.id,
                new_identity.as_ref().map(|id| id.0.as_slice()),
                None,
            )
        })
    }

    /// Makes a Commit that removes the members at the leaves `remove` and adds the owners of the key packages `add`, and
    /// carries out all queued proposals. Both lists need not have the same length. A device that has lost its state is
    /// added again so, under the same signature key. Stored, sent and kept as for `add_members`.
    ///
    /// Errors: those of `add_members` and `remove_members`.
    pub fn swap_members(&self, remove: Vec<u32>, add: Vec<Vec<u8>>) -> Result<CommitBundle, MlsError> {
        self.commit("swap_members", |call| {
            membership::swap_members(call, &self.core.context, &self.id, &remove, &add)
        })
    }

    /// Makes a Commit that replaces the extensions of the GroupContext, all of them, and carries out all queued
    /// proposals (RFC 9420, section 12.1.7). What is not in the list is gone: begin with `info().extensions`. Stored,
    /// sent and kept as for `add_members`.
    ///
    /// Errors: `InvalidArgument` with the argument `extensions` (`OutOfRange`: a type that a GroupContext cannot hold,
    /// such as 1, 2 or 4; `Duplicate`; `Malformed`: content that does not decode; `Unsupported`: a type other than
    /// required capabilities (3) and external senders (5) that is not in the required capabilities, or required
    /// capabilities that not every member has; `TooLong`: over 1 MiB together), `PendingCommitExists`,
    /// `StagedCommitExists`, `PskNotFound` and `ResumptionPskWithAdds` (of what is queued), `GroupDiverged`,
    /// `GroupInactive`, `GroupNotFound`.
    pub fn update_group_context_extensions(
        &self,
        extensions: Vec<Extension>,
    ) -> Result<CommitBundle, MlsError> {
        let extensions = infos(extensions);
        self.commit("update_group_context_extensions", |call| {
            membership::update_group_context_extensions(call, &self.core.context, &self.id, &extensions)
        })
    }

    /// Makes a Commit that carries out the queued proposals, as `commit_to_pending_proposals` does, and keeps a message
    /// that is encrypted in the moment in which the Commit is merged: for when queued proposals stop `create_message`.
    /// It cannot be encrypted sooner, because nobody has the keys of the new epoch before (docs/adr/0016). Join
    /// proposals of outsiders are carried out only if a validator has seen them.
    ///
    /// Stored: the Commit, as for `add_members`, and the plaintext with it. Send `commit`; accepted, call
    /// `merge_pending_commit`, or process the echo: `released`, and the inbox, then have the message to send
    /// (`MessageCreated`). If the Commit is cleared, another one wins, or the app's signer is missing or fails, they give the
    /// plaintext back (`MessageNotCreated`): try again. Without an inbox, what `released` had is lost with a crash, and a clear gives
    /// nothing back: keep the plaintext.
    /// Errors: `InvalidArgument` (over 16 MiB, or 1 MiB of authenticated data), `PendingCommitExists`,
    /// `StagedCommitExists`, `PskNotFound` and `ResumptionPskWithAdds` (as for `commit_to_pending_proposals`),
    /// `GroupDiverged`, `GroupInactive`, `GroupNotFound`.
    /// After a crash: `pending_commit` gives the same bundle again, and the message still waits for it.
    #[uniffi::method(default(authenticated_data))]
    pub fn commit_and_create_message(
        &self,
        plaintext: Vec<u8>,
        authenticated_data: Vec<u8>,
    ) -> Result<CommitBundle, MlsError> {
        self.commit("commit_and_create_message", |call| {
            let context = &self.core.context;
            own_message::commit_and_create(call, context, &self.id, plaintext, authenticated_data)
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
    /// Stored: the new epoch, the message of `commit_and_create_message`, and the outcomes of early messages that it
    /// makes readable; the Commit is forgotten, with
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
    /// delivery service did accept it. A message that waited for it (`commit_and_create_message`) is not sent: the inbox
    /// gives it back (`MessageNotCreated`).
    /// Errors: `GroupNotFound`.
    pub fn clear_pending_commit(&self) -> Result<(), MlsError> {
        call(&self.core, "clear_pending_commit", || {
            let Core { store, context } = &*self.core;
            store.write(|call| pending::clear(call, context, &self.id))
        })
    }
}
