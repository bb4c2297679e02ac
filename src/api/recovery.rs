//! A lost phone: an archive without keys of any epoch, and coming back with it.

use std::{path::Path, sync::Arc};

use super::{
    Ciphersuite, ClientConfig, CredentialValidator, GroupId, IdentityId, LogSink, MlsClient, MlsError, call,
    client::secret,
};
use crate::{group::recovery, storage::groups_to_rejoin::GroupToRejoinRecord};

/// A group of a recovery archive that was not rejoined yet.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct GroupToRejoin {
    /// The group's id: ask the delivery service or a member for its GroupInfo.
    pub group_id: GroupId,
    /// The identity that signed in it: join with this one, so that the Commit finds the old leaf and removes it.
    pub identity: IdentityId,
    /// The group's suite, and the identity's.
    pub ciphersuite: Ciphersuite,
    /// The epoch in which the lost device was when the archive was made; the group has moved on since.
    pub epoch: u64,
    /// The lost device's place in the tree at that time.
    pub own_leaf_index: u32,
    /// Whether the lost device was still a member. If not, the others had removed it: ask before coming back.
    pub is_active: bool,
}

impl<C> TryFrom<GroupToRejoinRecord<C>> for GroupToRejoin {
    type Error = MlsError;

    fn try_from(record: GroupToRejoinRecord<C>) -> Result<Self, MlsError> {
        Ok(Self {
            group_id: (&record.group_id).into(),
            identity: IdentityId(record.identity),
            ciphersuite: record.ciphersuite.try_into()?,
            epoch: record.epoch,
            own_leaf_index: record.own_leaf_index,
            is_active: record.is_active,
        })
    }
}

#[uniffi::export]
impl MlsClient {
    /// Makes an archive from which `recover` makes a new database when this phone is lost: identities with their private
    /// keys, registered pre-shared keys, and of each group its id, epoch, identity, leaf index and configuration. No
    /// ratchet or epoch secret, no key package, no message and nothing that is pending is in it, so that it may be kept
    /// in a file or any cloud, and restored any number of times. A copy of the whole state is not offered: it would use
    /// keys twice.
    ///
    /// `recovery_key` is 32 random bytes, for this purpose only. A passphrase is not a key: make one at random, show it
    /// to the user as words or groups of digits to be written down, or keep it where the user's other devices find it,
    /// but not beside the archive: who has both can join as this device. The archive's size is 16 KiB or a larger power
    /// of two, and 78 bytes; it says little about the number of groups.
    /// Export again when a group was joined, left or deleted, an identity was made or changed in a group, or a
    /// pre-shared key or a configuration changed: `recovery_revision` tells. Epochs that pass need no new archive.
    ///
    /// Stored and sent: nothing. Errors: `InvalidArgument` (not 32 bytes), `RecoveryArchiveInvalid` (`TooLarge`: over
    /// 64 MiB), those of storage.
    pub fn export_recovery_archive(&self, recovery_key: Vec<u8>) -> Result<Vec<u8>, MlsError> {
        call(&self.core, "export_recovery_archive", || {
            let recovery_key = secret("recovery_key", recovery_key)?;
            self.core.store.read(|call| recovery::export(call, &recovery_key))
        })
    }

    /// A number that is another one when an archive made now would have other content, epochs apart. Ask for it right
    /// before `export_recovery_archive`, keep it with the archive, and compare after groups or identities have changed:
    /// if it differs, export again. It costs a few times as much as `groups`, and says nothing about the content. A new
    /// version of the library may give another number for the same content.
    ///
    /// Nothing is stored. Errors: those of storage.
    pub fn recovery_revision(&self) -> Result<u64, MlsError> {
        call(&self.core, "recovery_revision", || {
            self.core.store.read(recovery::revision)
        })
    }

    /// Makes a new database at `config.database_path`, which must not exist, from an archive of
    /// `export_recovery_archive`, and opens it. `config.database_key` is a new key; leave `minimum_generation` out: a new
    /// database begins to count anew.
    ///
    /// Stored: the identities and pre-shared keys, and the groups, which wait to be rejoined: for each of
    /// `groups_to_rejoin` call `join_by_external_commit`. Nothing else is left of the lost device: its key packages
    /// do not work here, so have the delivery service drop them and publish new ones; messages that were not
    /// processed cannot be read. An identity whose key is outside the library needs its signer attached.
    /// If somebody else may have the lost phone, he can still sign as its identities: create new ones, and move each
    /// group to one with `self_update` once it is rejoined.
    ///
    /// Restored on two phones, the archive makes two devices of which the members keep the one that joins last: its
    /// Commit removes the other, which is then told so (`GroupInactive`).
    /// Errors: `RecoveryArchiveInvalid` (another key; changed, cut or no archive; of a newer version), `InvalidArgument`
    /// (a key that is not 32 bytes; the path; `AlreadyExists`), `StorageRolledBack`, `StorageBusy` (another call makes a
    /// database in this folder), and as `open`. An archive or argument that is refused leaves nothing on the disk. After
    /// an error of storage or a crash: if there is a database, it is whole, so open it; else repeat the call.
    #[uniffi::constructor(default(validator = None, log_sink = None))]
    pub fn recover(
        archive: Vec<u8>,
        recovery_key: Vec<u8>,
        config: ClientConfig,
        validator: Option<Arc<dyn CredentialValidator>>,
        log_sink: Option<Arc<dyn LogSink>>,
    ) -> Result<Arc<Self>, MlsError> {
        let target = config.database_path.clone();
        let minimum_generation = config.minimum_generation;
        Self::start("recover", config, validator, log_sink, |database_key| {
            let recovery_key = secret("recovery_key", recovery_key)?;
            let target = Path::new(&target);
            recovery::recover(&archive, &recovery_key, target, database_key, minimum_generation)
        })
    }

    /// The groups of the archive that this database was recovered from and that wait to be rejoined, in the order in
    /// which the lost device had them. `group` and messages for them answer `GroupNotRejoined`. Get the GroupInfo of
    /// each and call `join_by_external_commit` with its `identity`, or have a member invite this device: a Welcome for
    /// the group settles it too. The group gets back its configuration, except what is chosen when a group is joined.
    ///
    /// A group leaves this list when it is joined (`confirm_external_join` or the Commit's echo, `join_from_welcome`) or
    /// forgotten. Archives that are made here name it until then. Nothing is stored. Errors: those of storage.
    pub fn groups_to_rejoin(&self) -> Result<Vec<GroupToRejoin>, MlsError> {
        let groups = call(&self.core, "groups_to_rejoin", || {
            self.core.store.read(recovery::list)
        })?;
        groups.into_iter().map(TryInto::try_into).collect()
    }

    /// Gives up a group that waits to be rejoined, with an external join that waits for it. The others are not told: the
    /// lost device's leaf stays until a member removes it. For any other group nothing happens, so that it can be called
    /// again after a crash.
    ///
    /// Stored: that the group is gone. Errors: those of storage.
    pub fn forget_group_to_rejoin(&self, group_id: GroupId) -> Result<(), MlsError> {
        call(&self.core, "forget_group_to_rejoin", || {
            let id = group_id.into();
            self.core.store.write(|call| recovery::forget(call, &id))
        })
    }
}
