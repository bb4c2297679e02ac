//! Proposals of this device (RFC 9420, section 12.1).

use super::{Core, Extension, IdentityId, MlsError, MlsGroup, ProposalBundle, call, commits::infos};
use crate::{
    error::Error,
    group::{Context, propose, propose::Proposed},
    storage::{Call, WriteTx},
};

impl MlsGroup {
    pub(super) fn propose(
        &self,
        name: &'static str,
        make: impl FnOnce(&mut Call<'_, WriteTx<'_>>, &Context) -> Result<Proposed, Error>,
    ) -> Result<ProposalBundle, MlsError> {
        call(&self.core, name, || {
            let Core { store, context } = &*self.core;
            store.write(|call| make(call, context))
        })
        .map(Into::into)
    }
}

#[uniffi::export]
impl MlsGroup {
    /// Proposes to add the owner of this key package, after the validator accepted it, and any Commit could.
    ///
    /// Stored: the proposal, queued for the next Commit of this device; its bytes are not. Send `proposal` to the group:
    /// a member can only follow a Commit whose proposals it has. Until a Commit, `create_message` answers
    /// `PendingProposalsExist`. It counts in this epoch only: what no Commit has carried out by its end is gone, and must
    /// be proposed again.
    /// Errors: `KeyPackageInvalid`, `MessageMalformed`, `UnsupportedCiphersuite`, `CredentialRejected`,
    /// `PendingCommitExists` and `StagedCommitExists` (the Commit that waits ends the epoch), `GroupDiverged`,
    /// `GroupInactive`, `GroupNotFound`; `PendingProposalsExist` (this device has 64 in the queue, or the group has
    /// 1024: commit first). The last holds for every proposal.
    /// After a crash: it is in `pending_proposals` or it is not. If it is there and may not have been sent, propose the
    /// same again, which gives the same reference and queues nothing twice, and send that.
    pub fn propose_add(&self, key_package: Vec<u8>) -> Result<ProposalBundle, MlsError> {
        self.propose("propose_add", |call, context| {
            propose::add(call, context, &self.id, &key_package)
        })
    }

    /// Proposes to remove the member at this leaf; this device too, for which `leave` is better. Stored, sent and kept
    /// as for `propose_add`.
    ///
    /// Errors: `MemberNotFound`, `PendingCommitExists`, `StagedCommitExists`, `GroupDiverged`, `GroupInactive`,
    /// `GroupNotFound`.
    pub fn propose_remove(&self, leaf_index: u32) -> Result<ProposalBundle, MlsError> {
        self.propose("propose_remove", |call, _| {
            propose::remove(call, &self.id, leaf_index)
        })
    }

    /// Proposes an Update: this device's leaf is renewed when another member commits it. A Commit of this device does
    /// not carry it out, but renews the leaf itself. With `new_identity` credential and signature key change too, from
    /// the merge of that Commit on, and not before; an own Commit of the epoch leaves them as they are.
    ///
    /// Stored and sent as for `propose_add`, with the new leaf's keys. Made again it is another proposal, and others
    /// commit the last of them. `new_identity` cannot be deleted before the epoch ends.
    /// Errors: `IdentityNotFound`, `InvalidArgument` (an identity of another ciphersuite, or of a credential type that
    /// not every member supports), `PendingCommitExists`, `StagedCommitExists`, `GroupDiverged`, `GroupInactive`,
    /// `GroupNotFound`.
    #[uniffi::method(default(new_identity = None))]
    pub fn propose_self_update(&self, new_identity: Option<IdentityId>) -> Result<ProposalBundle, MlsError> {
        let new_identity = new_identity.as_ref().map(|id| id.0.as_slice());
        self.propose("propose_self_update", |call, _| {
            propose::self_update(call, &self.id, new_identity, None)
        })
    }

    /// Proposes to replace the extensions of the GroupContext, all of them (RFC 9420, section 12.1.7). Stored, sent and
    /// kept as for `propose_add`.
    ///
    /// Errors: those of `update_group_context_extensions`.
    pub fn propose_group_context_extensions(
        &self,
        extensions: Vec<Extension>,
    ) -> Result<ProposalBundle, MlsError> {
        let extensions = infos(extensions);
        self.propose("propose_group_context_extensions", |call, _| {
            propose::group_context_extensions(call, &self.id, &extensions)
        })
    }

    /// Proposes what only the app understands: a proposal of a type that every member's capabilities list. Stored, sent
    /// and kept as for `propose_add`. What it means is for the app to carry out, once it is in a merged
    /// Commit (`CommitSummary.custom`). Devices list the type with `LeafNodeOptions.supported_proposals`, and
    /// `supported_by_all` tells whether all do. A Commit that carries one renews the keys of who makes it: other
    /// implementations may demand that.
    ///
    /// Errors: `InvalidArgument` (`proposal_type`: `OutOfRange` for a type that MLS defines or reserves for GREASE,
    /// `Unsupported` if not every member lists it; `payload`: over 1 MiB), `PendingCommitExists`, `StagedCommitExists`,
    /// `GroupDiverged`, `GroupInactive`, `GroupNotFound`.
    pub fn propose_custom(&self, proposal_type: u16, payload: Vec<u8>) -> Result<ProposalBundle, MlsError> {
        self.propose("propose_custom", |call, _| {
            propose::custom(call, &self.id, proposal_type, payload)
        })
    }

    /// Proposes that this device leaves: by SelfRemove, sent as a PublicMessage whatever the group's configuration, if
    /// every member supports it, else by a Remove of the own leaf. Nobody can commit their own removal, so the group
    /// stays active until another member's Commit says `self_removed`. If an epoch ends without it, call this again. The
    /// last member does not leave but deletes the group.
    ///
    /// Stored, sent and kept as for `propose_add`. Errors: `PendingCommitExists`, `StagedCommitExists`, `GroupDiverged`,
    /// `GroupInactive`, `GroupNotFound`.
    pub fn leave(&self) -> Result<ProposalBundle, MlsError> {
        self.propose("leave", |call, _| propose::leave(call, &self.id))
    }
}
