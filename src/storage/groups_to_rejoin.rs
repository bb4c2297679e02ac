//! Groups of a recovery archive that were not rejoined yet: what the archive says of each.

use ::openmls::group::GroupId;
use rusqlite::params;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    error::StorageError,
    identities,
    openmls::group_key,
    per_group::PerGroup,
    seal::Index,
    tx::{ReadTx, WriteTx},
};

/// A group as the archive has it. `C` is how the app had set it up, or `IgnoredAny` for who does not need that.
#[derive(Serialize, Deserialize)]
pub(crate) struct GroupToRejoinRecord<C> {
    pub(crate) group_id: GroupId,
    /// The signature key of the identity that signed in it.
    #[serde(with = "serde_bytes")]
    pub(crate) identity: Vec<u8>,
    pub(crate) ciphersuite: u16,
    /// The epoch in which the lost device was when the archive was made.
    pub(crate) epoch: u64,
    pub(crate) own_leaf_index: u32,
    /// Whether the lost device was still a member.
    pub(crate) is_active: bool,
    pub(crate) configuration: C,
}

pub(crate) fn insert<C: Serialize>(
    tx: &WriteTx<'_>,
    record: &GroupToRejoinRecord<C>,
) -> Result<(), StorageError> {
    let group = group_key(tx, &record.group_id)?;
    tx.execute(
        "INSERT INTO group_to_rejoin (group_key, identity_key, value) VALUES (?1, ?2, ?3)",
        params![
            group,
            identities::key(tx, &record.identity)?,
            tx.seal(PerGroup::ToRejoin.place(&group), record)?
        ],
    )
    .map(drop)
}

pub(crate) fn get<C: DeserializeOwned>(
    tx: &ReadTx<'_>,
    id: &GroupId,
) -> Result<Option<GroupToRejoinRecord<C>>, StorageError> {
    PerGroup::ToRejoin.get(tx, id)
}

/// Whether the group waits to be rejoined, without opening it.
pub(crate) fn exists(tx: &ReadTx<'_>, id: &GroupId) -> Result<bool, StorageError> {
    PerGroup::ToRejoin.exists(tx, id)
}

pub(crate) fn list<C: DeserializeOwned>(
    tx: &ReadTx<'_>,
) -> Result<Vec<GroupToRejoinRecord<C>>, StorageError> {
    tx.rows(
        "SELECT group_key, value FROM group_to_rejoin ORDER BY id",
        [],
        |row| Ok((row.get::<_, Index>(0)?, row.get::<_, Vec<u8>>(1)?)),
    )?
    .iter()
    .map(|(group, sealed)| tx.open(PerGroup::ToRejoin.place(group), sealed))
    .collect()
}

/// Whether the old leaf of one of them is found by this identity.
pub(crate) fn any_signed_with(tx: &ReadTx<'_>, signature_key: &[u8]) -> Result<bool, StorageError> {
    let found = tx.row(
        "SELECT 1 FROM group_to_rejoin WHERE identity_key = ?1",
        params![identities::key(tx, signature_key)?],
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

pub(crate) fn delete(tx: &WriteTx<'_>, id: &GroupId) -> Result<bool, StorageError> {
    PerGroup::ToRejoin.delete(tx, id)
}
