//! Joining a group by an external Commit, or asking to be added.

use super::{
    CommitSummary, Core, GroupId, IdentityId, KeyPackageOptions, KeyPackageRef, LeafNodeOptions, MlsClient,
    MlsError, ProcessedMessage, call,
};
use crate::{
    group::{
        external_join::{self, JoinOptions},
        join_proposal,
    },
    storage::external_joins::ExternalJoinRecord,
};

/// An external Commit that waits for the delivery service's answer.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ExternalJoin {
    /// The group that it joins.
    pub group_id: GroupId,
    /// For the members, through the delivery service, which accepts one Commit an epoch.
    pub commit: Vec<u8>,
    /// For the delivery service, once the Commit was accepted: the next one to join by itself needs it.
    pub group_info: Option<Vec<u8>>,
    /// The epoch that the Commit ends; its message is of this epoch.
    pub epoch: u64,
    /// A leaf that may be this device's old one and that the Commit does not remove, because it has another signature
    /// key than the identity which joins: after a recovery, that of an identity which is newer than the archive. Or it
    /// has the key of another identity here: join with that one instead. Else look at it in `members` and remove it, here
    /// or at another member, once the join is confirmed: who has the old phone reads the group as long as it is there.
    /// Where several devices of a user have the same credential, it may be another of them. A leaf that had changed to a
    /// credential which the archive does not have is not found: compare `members` with what the app knows of its users.
    pub old_leaf_remains: Option<u32>,
}

impl<R> From<ExternalJoinRecord<R>> for ExternalJoin {
    fn from(record: ExternalJoinRecord<R>) -> Self {
        Self {
            group_id: (&record.group_id).into(),
            commit: record.commit,
            group_info: record.group_info,
            epoch: record.epoch,
            old_leaf_remains: record.old_leaf_remains,
        }
    }
}

/// What an external join brought.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ExternalJoined {
    /// The group that was joined.
    pub group_id: GroupId,
    /// The epoch that the join began.
    pub epoch: u64,
    /// What became of the own message that waited for a Commit in the old membership, and of messages that had come
    /// early, in the order in which they were read.
    pub released: Vec<ProcessedMessage>,
    /// The own Commit that was pending in the old membership: the app may want to make the same changes again.
    pub superseded: Option<CommitSummary>,
}

/// A proposal to add this device, made from outside the group.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct JoinProposal {
    /// For the members.
    pub proposal: Vec<u8>,
    /// The key package in it: no Welcome will come for it once the epoch has ended without an Add.
    pub key_package: KeyPackageRef,
}

impl MlsClient {
    pub(super) fn join_externally(
        &self,
        name: &'static str,
        identity: &IdentityId,
        group_info: &[u8],
        options: &JoinOptions,
    ) -> Result<ExternalJoin, MlsError> {
        call(&self.core, name, || {
            let Core { store, context } = &*self.core;
            store.write(|call| external_join::join(call, context, &identity.0, group_info, options))
        })
        .map(Into::into)
    }
}

#[uniffi::export]
impl MlsClient {
    /// Makes an external Commit that joins the group of `group_info`, after the validator accepted it (RFC 9420,
    /// section 12.4.3.2): for a device that was not invited, that is out of step, or that was recovered
    /// (`groups_to_rejoin`). If this identity is a member already, the Commit removes its old leaf. `ratchet_tree` is
    /// needed if the GroupInfo does not carry it. It carries out no proposals of members, a SelfRemove neither: they end
    /// with the epoch, and who made them makes them again.
    ///
    /// Stored: the Commit with the group as it will be, until it is confirmed or abandoned; one that waits for the
    /// same group is replaced. An old membership stays usable meanwhile. Send `commit` to the delivery service;
    /// accepted, call `confirm_external_join`, or give its echo to `process_messages`; refused, get a new GroupInfo
    /// and join again, or call `abandon_external_join`. Messages of the new epoch that come before are kept
    /// (`Early`).
    /// Errors: `GroupInfoInvalid`, `MessageMalformed`, `UnsupportedCiphersuite`, `IdentityNotFound`,
    /// `CredentialRejected`, `InvalidArgument` (an identity of another ciphersuite, or of a credential type that not
    /// every member supports; over 32 MiB); after each of them a join that waited still does.
    /// After a crash: `pending_external_join` gives the same Commit again.
    #[uniffi::method(default(ratchet_tree = None))]
    pub fn join_by_external_commit(
        &self,
        identity: IdentityId,
        group_info: Vec<u8>,
        ratchet_tree: Option<Vec<u8>>,
    ) -> Result<ExternalJoin, MlsError> {
        let name = "join_by_external_commit";
        let options = JoinOptions {
            ratchet_tree,
            ..JoinOptions::default()
        };
        self.join_externally(name, &identity, &group_info, &options)
    }

    /// As `join_by_external_commit`, with this device's leaf saying `leaf_node` instead of the client's, and with
    /// pre-shared keys as `join_by_external_commit_with_psks` takes them.
    ///
    /// Errors: those of both; `InvalidArgument` with the field of `LeafNodeOptions` that no leaf can hold.
    #[uniffi::method(default(ratchet_tree = None, psk_ids = []))]
    pub fn join_by_external_commit_with_leaf_node(
        &self,
        identity: IdentityId,
        group_info: Vec<u8>,
        leaf_node: LeafNodeOptions,
        ratchet_tree: Option<Vec<u8>>,
        psk_ids: Vec<Vec<u8>>,
    ) -> Result<ExternalJoin, MlsError> {
        let options = JoinOptions {
            ratchet_tree,
            psk_ids,
            leaf_node: Some(leaf_node.into()),
        };
        let name = "join_by_external_commit_with_leaf_node";
        self.join_externally(name, &identity, &group_info, &options)
    }

    /// Proposes from outside that a group adds this device (RFC 9420, section 12.1.8): for one that nobody has
    /// invited and that has no GroupInfo, or that the members are to decide about. It needs no more than the group's id
    /// and its current epoch, which the delivery service knows. While a leaf with this identity's key is in the group
    /// (this device is out of step there, was recovered, or has deleted the group), members cannot carry it out, and
    /// leave it out of their Commits: `join_by_external_commit` then, or have a member `swap_members`.
    ///
    /// Stored: a key package, made for the proposal; it is in `key_packages` and counts for `replenish_key_packages`
    /// until it is used, deleted or expired. Send `proposal` to the members, who see `ExternalJoinProposal` and add
    /// this device with `commit_to_pending_proposals`; their Welcome comes to `join_from_welcome`. The proposal ends
    /// with the epoch: if another Commit wins, ask again for the new one, and delete the old `key_package`.
    /// Errors: `GroupAlreadyExists` (this device is in it), `IdentityNotFound`, `InvalidArgument` (`group_id`, `epoch`,
    /// or a field of `KeyPackageOptions`). Whether the group has the identity's ciphersuite, its members find out.
    /// After a crash: the key package is stored or it is not; ask again.
    #[uniffi::method(default(options = None))]
    pub fn propose_external_join(
        &self,
        identity: IdentityId,
        group_id: GroupId,
        epoch: u64,
        options: Option<KeyPackageOptions>,
    ) -> Result<JoinProposal, MlsError> {
        call(&self.core, "propose_external_join", || {
            let Core { store, context } = &*self.core;
            let options = options.unwrap_or_default().resolve(context);
            let group = (group_id.into(), epoch);
            let (proposal, reference) =
                store.write(|call| join_proposal::propose(call, context, &identity.0, group, &options))?;
            Ok(JoinProposal {
                proposal,
                key_package: KeyPackageRef(reference.as_slice().to_vec()),
            })
        })
    }

    /// The external Commit that waits for this group, as it was handed out: after a restart, send it again.
    pub fn pending_external_join(&self, group_id: GroupId) -> Result<Option<ExternalJoin>, MlsError> {
        let join = call(&self.core, "pending_external_join", || {
            let id = group_id.into();
            self.core.store.read(|call| external_join::get(call, &id))
        })?;
        Ok(join.map(Into::into))
    }

    /// Puts the new membership in the place of the old one: the delivery service accepted the Commit. The group is
    /// then active and in step, whatever it was before. Process what the delivery service had before the Commit
    /// first: the keys of the old membership are deleted, and its messages are `Stale` from then on.
    ///
    /// Stored: the group in its new epoch, with the old one's configuration (that of the archive for one of
    /// `groups_to_rejoin`, which it leaves), and the outcomes of early messages that
    /// it makes readable. An own Commit that was pending in the old membership is dropped. If the echo has confirmed
    /// the join already, and the group is still in the epoch that it began, the same epoch comes again and nothing
    /// changes.
    /// Errors: `NoExternalJoin`.
    /// After a crash: it still waits, or the group is joined; calling again is safe.
    pub fn confirm_external_join(&self, group_id: GroupId) -> Result<ExternalJoined, MlsError> {
        let joined = call(&self.core, "confirm_external_join", || {
            let Core { store, context } = &*self.core;
            let id = group_id.clone().into();
            store.write(|call| external_join::confirm(call, context, &id))
        })?;
        Ok(ExternalJoined {
            group_id,
            epoch: joined.epoch,
            released: joined.released.into_iter().map(Into::into).collect(),
            superseded: joined.superseded.map(|summary| (*summary).into()),
        })
    }

    /// Drops the external Commit that waits: the delivery service refused it, because another Commit won. The old
    /// membership goes on as it was. Without one that waits nothing happens.
    ///
    /// Stored: nothing is left of the join. Messages that were kept and that only it could have read are dropped; the
    /// inbox names them (`EarlyRefused`). To try again, join again instead: that keeps them. If the delivery service had
    /// accepted the Commit all the same, its echo removes the old membership: join again then.
    pub fn abandon_external_join(&self, group_id: GroupId) -> Result<(), MlsError> {
        call(&self.core, "abandon_external_join", || {
            let Core { store, context } = &*self.core;
            let id = group_id.into();
            store.write(|call| external_join::abandon(call, context, &id))
        })
    }
}
