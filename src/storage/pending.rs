//! The own Commit that waits for the delivery service's answer.

use ::openmls::group::GroupId;
use serde::{Deserialize, Serialize};

use super::{
    error::StorageError,
    per_group::PerGroup,
    tx::{ReadTx, WriteTx},
};

/// What `commit_and_create_message` sends once its Commit is merged.
#[derive(Serialize, Deserialize)]
pub(crate) struct WaitingMessage {
    #[serde(with = "serde_bytes")]
    pub(crate) plaintext: Vec<u8>,
    #[serde(with = "serde_bytes")]
    pub(crate) authenticated_data: Vec<u8>,
}

/// All that is needed to send the Commit again, and to know it when it comes back.
#[derive(Serialize, Deserialize)]
pub(crate) struct PendingCommitRecord {
    #[serde(with = "serde_bytes")]
    pub(crate) commit: Vec<u8>,
    #[serde(with = "serde_bytes")]
    pub(crate) welcome: Option<Vec<u8>>,
    #[serde(with = "serde_bytes")]
    pub(crate) group_info: Option<Vec<u8>>,
    /// The epoch that the Commit ends.
    pub(crate) epoch: u64,
    /// The signature key of the identity that signs after the merge, when the Commit changes it.
    #[serde(with = "serde_bytes")]
    pub(crate) new_identity: Option<Vec<u8>>,
    /// Encrypted in the transaction that merges the Commit, because its keys are those of the next epoch.
    #[serde(default)]
    pub(crate) message: Option<WaitingMessage>,
}

pub(crate) fn put(tx: &WriteTx<'_>, id: &GroupId, record: &PendingCommitRecord) -> Result<(), StorageError> {
    PerGroup::Pending.put(tx, id, record)
}

pub(crate) fn get(tx: &ReadTx<'_>, id: &GroupId) -> Result<Option<PendingCommitRecord>, StorageError> {
    PerGroup::Pending.get(tx, id)
}

/// Whether a pending Commit makes its group sign with this identity once it is merged.
pub(crate) fn any_moves_to(tx: &ReadTx<'_>, signature_key: &[u8]) -> Result<bool, StorageError> {
    Ok(PerGroup::Pending
        .all::<PendingCommitRecord>(tx)?
        .iter()
        .any(|record| record.new_identity.as_deref() == Some(signature_key)))
}

pub(crate) fn delete(tx: &WriteTx<'_>, id: &GroupId) -> Result<(), StorageError> {
    PerGroup::Pending.delete(tx, id).map(drop)
}
