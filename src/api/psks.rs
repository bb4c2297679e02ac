//! Pre-shared keys: registered on this device, and proposed in a group.

use zeroize::Zeroizing;

use super::{ExternalJoin, IdentityId, MlsClient, MlsError, MlsGroup, ProposalBundle, PskId, call};
use crate::group::{external_join::JoinOptions, psks};

#[uniffi::export]
impl MlsClient {
    /// Stores an external pre-shared key, a secret that the app shares with members in another way, for Commits and
    /// Welcomes that name it by `id` (RFC 9420, section 8.4). It is for all groups. A secret of the same id is
    /// replaced: use a new id for a new secret, or members who have different ones cannot follow each other; a Commit
    /// with another secret is `SignatureInvalid` and looks like a fork (`fork_suspected`).
    ///
    /// `id` has 1 to 1024 bytes and is sent to the members; `secret` has 1 to 65536, and as many random ones as the
    /// groups' hash is long, 32, for full strength. Stored: both, sealed. Nothing is sent. The bytes that this call
    /// got are wiped; those that the app still holds are the app's to wipe. This is an erasure point.
    /// Errors: `InvalidArgument`.
    /// After a crash: the old secret is there or the new one; call it again.
    /// Then process again what was refused with `PskMissing`, and call `release_early_messages`.
    pub fn register_psk(&self, id: Vec<u8>, secret: Vec<u8>) -> Result<(), MlsError> {
        let secret = Zeroizing::new(secret);
        call(&self.core, "register_psk", || {
            self.core.store.write(|call| psks::register(call, &id, &secret))
        })
    }

    /// Deletes an external pre-shared key, for all groups. Without one nothing happens, so that it can be called again
    /// after a crash. Epochs that began with it stay readable; a Commit that names it and comes later does not.
    ///
    /// Stored: that it is gone. Nothing is sent. This is an erasure point. Errors: `InvalidArgument`.
    pub fn delete_psk(&self, id: Vec<u8>) -> Result<(), MlsError> {
        call(&self.core, "delete_psk", || {
            self.core.store.write(|call| psks::delete(call, &id))
        })
    }

    /// As `join_by_external_commit`, with registered pre-shared keys mixed in: who joins shows the members that it has
    /// them, and only members who have them can follow (RFC 9420, section 12.4.3.2). Resumption PSKs cannot be named,
    /// because the group that joins anew has no past.
    ///
    /// Errors: those of `join_by_external_commit`, `PskNotFound`, `InvalidArgument` (over 64 ids, one of them twice or
    /// empty). Stored, sent and kept as there.
    pub fn join_by_external_commit_with_psks(
        &self,
        identity: IdentityId,
        group_info: Vec<u8>,
        ratchet_tree: Option<Vec<u8>>,
        psk_ids: Vec<Vec<u8>>,
    ) -> Result<ExternalJoin, MlsError> {
        let name = "join_by_external_commit_with_psks";
        let options = JoinOptions {
            ratchet_tree,
            psk_ids,
            leaf_node: None,
        };
        self.join_externally(name, &identity, &group_info, &options)
    }
}

#[uniffi::export]
impl MlsGroup {
    /// Proposes to mix a pre-shared key into the next epoch's secrets (RFC 9420, section 12.1.4): an external one that
    /// is registered here, or the resumption secret of an epoch of this group (`GroupConfig.resumption_psks` says of
    /// which). Then `commit_to_pending_proposals`, here or at another member, carries it out; the order of several is
    /// that in which they were proposed.
    ///
    /// Every member must have the secret, or cannot follow the Commit: members who joined after an epoch have no
    /// resumption secret of it. So Adds and a resumption PSK do not go into one Commit: if it had to leave out a proposal
    /// of this device, the answer is `ResumptionPskWithAdds`; one of another member is left out.
    /// Stored: the proposal in the queue. Send `proposal` to the delivery service before a Commit that carries it out.
    /// Errors: `PskNotFound`, `InvalidArgument` (an empty or long id, another group's PSK), `PendingCommitExists`,
    /// `StagedCommitExists`, `GroupDiverged`, `GroupInactive`, `GroupNotFound`.
    /// After a crash: it is in the queue or not. What was not sent must be removed, because its bytes are lost.
    pub fn propose_psk(&self, psk: PskId) -> Result<ProposalBundle, MlsError> {
        let proposed = call(&self.core, "propose_psk", || {
            let psk = psk.into();
            self.core.store.write(|call| psks::propose(call, &self.id, &psk))
        })?;
        Ok(proposed.into())
    }

    /// The resumption secret of an epoch of this group, the current one included (RFC 9420, section 8.6): members
    /// derive the same, to prove to each other that they were members in that epoch. Absent if it is not kept: see
    /// `GroupConfig.resumption_psks`. To mix one in, name it in `propose_psk` instead. Nothing is stored.
    ///
    /// Errors: `GroupInactive`, `GroupNotFound`.
    pub fn resumption_psk(&self, epoch: u64) -> Result<Option<Vec<u8>>, MlsError> {
        call(&self.core, "resumption_psk", || {
            self.core
                .store
                .read(|call| psks::resumption_psk(call, &self.id, epoch))
        })
    }
}
