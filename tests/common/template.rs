//! Devices that are set up once and used many times: closed, and copied for each use.

use std::{fs, path::Path, sync::Arc};

use mls_mobile::{ClientConfig, CredentialValidator, IdentityId, MlsClient, MlsError};
use tempfile::TempDir;

use super::{AcceptAll, Device, KEY};

/// A closed device.
pub struct Template {
    folder: TempDir,
    name: String,
    identity: IdentityId,
}

impl Template {
    /// Closes the device. No handle to one of its groups may be left, or the file stays open.
    pub fn new(device: Device) -> Self {
        let Device {
            folder,
            name,
            identity,
            client,
            ..
        } = device;
        assert_eq!(Arc::strong_count(client.as_ref().unwrap()), 1);
        drop(client);
        Self {
            folder,
            name,
            identity,
        }
    }

    /// Puts a file beside the database; it is copied with it.
    pub fn put(&self, name: &str, content: &[u8]) {
        fs::write(self.folder.path().join(name), content).unwrap();
    }

    /// A copy of the folder, for a process that opens the database itself.
    pub fn copy(&self) -> TempDir {
        copy_of(self.folder.path())
    }

    /// A device over a copy.
    pub fn device(&self) -> Device {
        self.open(self.copy(), KEY).unwrap()
    }

    /// A device over a folder that [`Self::copy`] made.
    pub fn open(&self, folder: TempDir, key: [u8; 32]) -> Result<Device, MlsError> {
        let client = open_at(folder.path(), key)?;
        Ok(Device {
            key,
            folder,
            name: self.name.clone(),
            identity: self.identity.clone(),
            client: Some(client),
            validator: Some(Arc::new(AcceptAll)),
        })
    }
}

/// A file with this name beside the database says that its app has no validator.
pub const WITHOUT_VALIDATOR: &str = "without-validator";

/// Opens the database of a device's folder.
pub fn open_at(folder: &Path, key: [u8; 32]) -> Result<Arc<MlsClient>, MlsError> {
    let decides_later = folder.join(WITHOUT_VALIDATOR).exists();
    let validator = (!decides_later).then(|| Arc::new(AcceptAll) as Arc<dyn CredentialValidator>);
    MlsClient::open(ClientConfig::new(database(folder), key), validator, None)
}

/// The database of a device's folder.
pub fn database(folder: &Path) -> String {
    folder.join("mls.db").to_str().unwrap().to_owned()
}

/// A folder in memory where there is one: a killed process loses nothing that reached the kernel, whatever
/// the disk, so waiting for one would only take time.
pub fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        tempfile::tempdir_in(memory).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    }
}

/// A copy of a folder with closed files.
pub fn copy_of(folder: &Path) -> TempDir {
    let copy = scratch();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    copy
}
