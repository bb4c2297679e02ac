//! A phone that is lost, and the one that takes its place.

use std::{path::Path, sync::Arc};

use mls_mobile::{ClientConfig, ExternalJoin, GroupId, MlsClient, MlsError};

use super::{AcceptAll, Device, KEY};

pub const RECOVERY_KEY: [u8; 32] = [5; 32];

impl Device {
    pub fn archive(&self) -> Vec<u8> {
        self.client()
            .export_recovery_archive(RECOVERY_KEY.to_vec())
            .unwrap()
    }

    /// A new phone of the same user, made from an archive.
    pub fn recovered(&self, archive: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let client = recover_at(folder.path(), archive, RECOVERY_KEY).unwrap();
        Self {
            key: KEY,
            folder,
            name: self.name.clone(),
            identity: self.identity.clone(),
            client: Some(client),
            validator: Some(Arc::new(AcceptAll)),
        }
    }

    /// Rejoins a group with the GroupInfo that `member` gives; the Commit waits.
    pub fn rejoin(&self, id: &GroupId, member: &Self) -> ExternalJoin {
        let group_info = member.group(id).export_group_info(true).unwrap();
        self.client()
            .join_by_external_commit(self.identity.clone(), group_info, None)
            .unwrap()
    }
}

/// Makes the database in a device's folder.
pub fn recover_at(folder: &Path, archive: &[u8], key: [u8; 32]) -> Result<Arc<MlsClient>, MlsError> {
    let config = ClientConfig::new(super::template::database(folder), KEY);
    MlsClient::recover(
        archive.to_vec(),
        key.to_vec(),
        config,
        Some(Arc::new(AcceptAll)),
        None,
    )
}
