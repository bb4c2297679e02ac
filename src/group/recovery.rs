//! A lost phone: what a recovery archive holds, and the groups of one that wait to be rejoined.
//!
//! The archive has what a new device needs to be found and to come back, and nothing of any epoch: it can be restored
//! any number of times, because nothing in it is used once (docs/adr/0022).

use std::{collections::BTreeSet, path::Path};

use openmls::{
    group::{GroupId, MlsGroup},
    prelude::LeafNodeIndex,
};
use openmls_traits::storage::StorageProvider as _;
use serde::{Deserialize, Serialize, de::IgnoredAny};
use tls_codec::Serialize as _;

use super::configuration::Configuration;
use crate::{
    error::Error,
    keys::identity,
    secret::{Secret, SecretBytes},
    storage::{
        ArchiveProblem, Call, ReadTx, StorageError, WriteTx, codec, early_messages, external_joins,
        groups::{self, GroupRecord},
        groups_to_rejoin::{self, GroupToRejoinRecord},
        identities::{self, IdentityRecord},
        openmls::{Transaction as _, psks},
        recover, recovery_archive,
    },
};

type ArchivedGroup = GroupToRejoinRecord<Configuration>;

/// What is in an archive: records as the database has them. A field may be appended if it has a default.
#[derive(Serialize, Deserialize)]
struct Content {
    identities: Vec<IdentityRecord>,
    psks: Vec<StoredPsk>,
    groups: Vec<ArchivedGroup>,
}

/// A registered PSK as it is stored.
#[derive(Serialize, Deserialize, zeroize::Zeroize, zeroize::ZeroizeOnDrop)]
struct StoredPsk(#[serde(with = "serde_bytes")] Vec<u8>);

impl Content {
    fn read(tx: &ReadTx<'_>) -> Result<Self, Error> {
        let psks = psks::list(tx)?
            .into_iter()
            .map(|mut stored| StoredPsk(std::mem::take(&mut *stored)));
        let groups = groups::list(tx)?
            .into_iter()
            .map(|record| archived(tx, record))
            .chain(groups_to_rejoin::list(tx)?.into_iter().map(Ok));
        Ok(Self {
            identities: identities::list(tx)?,
            psks: psks.collect(),
            groups: groups.collect::<Result<_, Error>>()?,
        })
    }

    fn encode(&self) -> Result<SecretBytes, StorageError> {
        codec::encode(self)
    }

    /// An archive is sealed by who has its key. What was damaged before that is damaged all the same.
    fn decode(bytes: &[u8]) -> Result<Self, StorageError> {
        let content: Self = codec::decode(bytes).map_err(|_| ArchiveProblem::Damaged)?;
        let identities: BTreeSet<&[u8]> = content
            .identities
            .iter()
            .map(|identity| identity.signature_key.as_slice())
            .collect();
        let groups: BTreeSet<&[u8]> = content
            .groups
            .iter()
            .map(|group| group.group_id.as_slice())
            .collect();
        let is_sound = identities.len() == content.identities.len()
            && groups.len() == content.groups.len()
            && content
                .groups
                .iter()
                .all(|group| identities.contains(group.identity.as_slice()));
        if is_sound {
            Ok(content)
        } else {
            Err(ArchiveProblem::Damaged.into())
        }
    }

    fn write(&self, tx: &WriteTx<'_>) -> Result<(), StorageError> {
        for identity in &self.identities {
            identities::insert(tx, identity)?;
        }
        for StoredPsk(stored) in &self.psks {
            psks::restore(tx, stored)?;
        }
        for group in &self.groups {
            groups_to_rejoin::insert(tx, group)?;
        }
        Ok(())
    }
}

fn archived(tx: &ReadTx<'_>, record: GroupRecord) -> Result<ArchivedGroup, Error> {
    let leaf_index: LeafNodeIndex = tx
        .storage()
        .own_leaf_index(&record.group_id)?
        .ok_or(StorageError::Corrupt)?;
    let identity = identities::get(tx, &record.identity)?.ok_or(StorageError::Corrupt)?;
    Ok(GroupToRejoinRecord {
        configuration: Configuration::of_record(tx, &record)?,
        group_id: record.group_id,
        identity: record.identity,
        ciphersuite: identity.ciphersuite,
        epoch: record.epoch,
        own_leaf_index: leaf_index.u32(),
        is_active: record.is_active,
    })
}

/// Seals everything that is needed to come back under the key that the app keeps.
pub(crate) fn export(call: &mut Call<'_, ReadTx<'_>>, recovery_key: &Secret<32>) -> Result<Vec<u8>, Error> {
    let content = Content::read(&call.tx)?.encode()?;
    recovery_archive::seal(recovery_key, &content).map_err(Into::into)
}

/// A number that changes with the content of the archive, the groups' epochs apart: a keyed hash, because the content
/// is secret and the number is not.
pub(crate) fn revision(call: &mut Call<'_, ReadTx<'_>>) -> Result<u64, Error> {
    let mut content = Content::read(&call.tx)?;
    content.groups.iter_mut().for_each(|group| group.epoch = 0);
    let hash = call.tx.index("recovery", &content.encode()?)?;
    let (first, _) = hash.split_first_chunk().ok_or(StorageError::Crypto)?;
    Ok(u64::from_be_bytes(*first))
}

/// Makes the database at `target` from an archive.
pub(crate) fn recover(
    archive: &[u8],
    recovery_key: &Secret<32>,
    target: &Path,
    database_key: &Secret<32>,
    minimum_generation: Option<u64>,
) -> Result<(), Error> {
    let content = Content::decode(&recovery_archive::open(recovery_key, archive)?)?;
    recover::create(target, database_key, minimum_generation, |tx| {
        content.write(tx)?;
        // Those that do not parse would be found by every later call.
        match identity::list(tx) {
            Err(Error::Storage(StorageError::Corrupt)) => Err(ArchiveProblem::Damaged.into()),
            Err(Error::Storage(error)) => Err(error),
            _ => Ok(()),
        }
    })
    .map_err(Into::into)
}

/// The groups that wait to be rejoined.
pub(crate) fn list(call: &mut Call<'_, ReadTx<'_>>) -> Result<Vec<GroupToRejoinRecord<IgnoredAny>>, Error> {
    groups_to_rejoin::list(&call.tx).map_err(Into::into)
}

/// Gives a group up, and an external join that waits for it. One that does not wait to be rejoined is left alone.
pub(crate) fn forget(call: &mut Call<'_, WriteTx<'_>>, id: &GroupId) -> Result<(), Error> {
    call.tx.erase();
    if groups_to_rejoin::delete(&call.tx, id)? {
        external_joins::delete(&call.tx, id)?;
        early_messages::clear(&call.tx, id)?;
    }
    Ok(())
}

/// Why there is no such group.
pub(super) fn missing(tx: &ReadTx<'_>, id: &GroupId) -> Error {
    match groups_to_rejoin::exists(tx, id) {
        Ok(true) => Error::GroupNotRejoined,
        Ok(false) => Error::GroupNotFound,
        Err(error) => error.into(),
    }
}

/// The leaf of a lost device that an external Commit has left in the tree, because it is under another key than that of
/// the identity which joined. `resynced` tells whether the Commit has removed the one under that key.
pub(super) fn old_leaf_that_remains(
    tx: &ReadTx<'_>,
    group: &MlsGroup,
    resynced: bool,
) -> Result<Option<u32>, Error> {
    let ours = identities::list(tx)?;
    let own_leaf = group.own_leaf_index();
    let others = || group.members().filter(move |member| member.index != own_leaf);
    let has_our_key = |key: &[u8]| ours.iter().any(|identity| identity.signature_key == key);
    if let Some(member) = others().find(|member| has_our_key(&member.signature_key)) {
        return Ok(Some(member.index.u32()));
    }
    let Some(waiting) = groups_to_rejoin::get::<IgnoredAny>(tx, group.group_id())? else {
        return Ok(None);
    };
    if resynced {
        return Ok(None);
    }
    let mut found = None;
    for member in others() {
        let credential = member.credential.tls_serialize_detached()?;
        if ours.iter().any(|identity| identity.credential == credential) {
            let index = member.index.u32();
            // A device that changed its identity has kept its place.
            if index == waiting.own_leaf_index {
                return Ok(Some(index));
            }
            found = found.or(Some(index));
        }
    }
    Ok(found)
}
