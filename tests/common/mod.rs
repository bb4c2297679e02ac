//! Devices for tests: each with a database file of its own, closed and opened again between steps.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    reason = "test code; each test file uses a part of this"
)]

pub mod child;
pub mod closed;
pub mod fork;
pub mod hsm;
pub mod parts;
pub mod raw;
pub mod recovered;
pub mod template;

use std::{path::PathBuf, sync::Arc};

use mls_mobile::{
    CallbackError, Ciphersuite, ClientConfig, CommitBundle, CommitSummary, Credential, CredentialValidator,
    GroupConfig, GroupId, IdentityId, IncomingMessage, MlsClient, MlsGroup, ProcessedMessage,
    ValidationRequest,
};
use tempfile::TempDir;

pub const SUITE: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519;
pub const KEY: [u8; 32] = [7; 32];

/// A phone: a folder with a database, and an identity in it.
pub struct Device {
    folder: TempDir,
    pub name: String,
    pub identity: IdentityId,
    /// The key that the app has; the next `reload` opens with it.
    pub key: [u8; 32],
    client: Option<Arc<MlsClient>>,
    validator: Option<Arc<dyn CredentialValidator>>,
}

impl Device {
    pub fn new(name: &str) -> Self {
        Self::with_suite(name, SUITE)
    }

    pub fn with_suite(name: &str, suite: Ciphersuite) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let validator: Option<Arc<dyn CredentialValidator>> = Some(Arc::new(AcceptAll));
        let client = open(&folder, KEY, validator.clone());
        let identity = client.create_identity(basic(name), suite).unwrap().id;
        Self {
            folder,
            name: name.to_owned(),
            identity,
            key: KEY,
            client: Some(client),
            validator,
        }
    }

    /// A phone whose app decides about each received Commit after it was processed.
    pub fn without_validator(name: &str) -> Self {
        Self::new(name).decides_later()
    }

    pub fn with_validator(name: &str, validator: Arc<dyn CredentialValidator>) -> Self {
        Self::new(name).judged_by(validator)
    }

    /// The same device from now on with this validator.
    pub fn judged_by(mut self, validator: Arc<dyn CredentialValidator>) -> Self {
        self.validator = Some(validator);
        self.reload();
        self
    }

    pub fn client(&self) -> &Arc<MlsClient> {
        self.client.as_ref().unwrap()
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("mls.db")
    }

    /// Closes the database and opens it again, as an app that was ended and started.
    pub fn reload(&mut self) {
        self.client = None;
        self.client = Some(open(&self.folder, self.key, self.validator.clone()));
    }

    /// The same device from now on without a validator: received Commits wait.
    pub fn decides_later(mut self) -> Self {
        self.validator = None;
        self.reload();
        self
    }

    /// Another client on the same file, as an app and its notification extension have.
    pub fn open_again(&self, change: impl FnOnce(&mut ClientConfig)) -> Arc<MlsClient> {
        let mut config = ClientConfig::new(self.path().to_str().unwrap(), self.key);
        change(&mut config);
        MlsClient::open(config, self.validator.clone(), None).unwrap()
    }

    /// As [`Self::open_again`], for an app that decides about Commits later.
    pub fn open_without_validator(&self) -> Arc<MlsClient> {
        let config = ClientConfig::new(self.path().to_str().unwrap(), self.key);
        MlsClient::open(config, None, None).unwrap()
    }

    pub fn key_package(&self) -> Vec<u8> {
        self.client()
            .create_key_packages(self.identity.clone(), 1, None)
            .unwrap()
            .remove(0)
            .bytes
    }

    pub fn create_group(&self) -> GroupId {
        self.create_group_with(None)
    }

    pub fn create_group_with(&self, config: Option<GroupConfig>) -> GroupId {
        self.client()
            .create_group(self.identity.clone(), config)
            .unwrap()
            .id()
            .unwrap()
    }

    pub fn group(&self, id: &GroupId) -> Arc<MlsGroup> {
        self.client().group(id.clone()).unwrap()
    }

    pub fn epoch(&self, id: &GroupId) -> u64 {
        self.group(id).info().unwrap().epoch
    }

    pub fn authenticator(&self, id: &GroupId) -> Vec<u8> {
        self.group(id).epoch_authenticator().unwrap()
    }

    pub fn send(&self, id: &GroupId, text: &str) -> Vec<u8> {
        self.group(id)
            .create_message(text.as_bytes().to_vec(), Vec::new())
            .unwrap()
    }

    pub fn receive(&self, id: &GroupId, message: &[u8]) -> ProcessedMessage {
        self.group(id).process_message(message.to_vec()).unwrap()
    }

    /// The plaintext of a message that must be one for the user.
    pub fn read(&self, id: &GroupId, message: &[u8]) -> String {
        match self.receive(id, message) {
            ProcessedMessage::Application { plaintext, .. } => String::from_utf8(plaintext).unwrap(),
            other => panic!("{}: {other:?}", self.name),
        }
    }

    pub fn join(&self, welcome: &[u8]) -> GroupId {
        let group = self.client().join_from_welcome(welcome.to_vec(), None).unwrap();
        group.id().unwrap()
    }

    /// Processes another member's Commit: what it changed, and what the own pending one would have.
    pub fn follow(&self, id: &GroupId, commit: &[u8]) -> (CommitSummary, Option<CommitSummary>) {
        match self.receive(id, commit) {
            ProcessedMessage::Commit {
                summary, superseded, ..
            } => (summary, superseded),
            other => panic!("{}: {other:?}", self.name),
        }
    }

    pub fn leaf_of(&self, id: &GroupId, name: &str) -> u32 {
        let credential = basic(name);
        self.group(id)
            .members()
            .unwrap()
            .into_iter()
            .find(|member| member.credential == credential)
            .unwrap_or_else(|| panic!("{name} is no member"))
            .leaf_index
    }

    /// Names of the members, in leaf order.
    pub fn member_names(&self, id: &GroupId) -> Vec<String> {
        self.group(id)
            .members()
            .unwrap()
            .into_iter()
            .map(|member| name_of(&member.credential))
            .collect()
    }
}

/// A validator that lets everything happen.
pub struct AcceptAll;

impl CredentialValidator for AcceptAll {
    fn validate(&self, _request: ValidationRequest) -> Result<bool, CallbackError> {
        Ok(true)
    }
}

fn open(folder: &TempDir, key: [u8; 32], validator: Option<Arc<dyn CredentialValidator>>) -> Arc<MlsClient> {
    let path = folder.path().join("mls.db");
    MlsClient::open(ClientConfig::new(path.to_str().unwrap(), key), validator, None).unwrap()
}

pub fn basic(name: &str) -> Credential {
    Credential::Basic {
        identity: name.as_bytes().to_vec(),
    }
}

pub fn name_of(credential: &Credential) -> String {
    match credential {
        Credential::Basic { identity } => String::from_utf8(identity.clone()).unwrap(),
        other => panic!("{other:?}"),
    }
}

/// The plaintexts among outcomes.
pub fn texts(outcomes: &[ProcessedMessage]) -> Vec<String> {
    outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            ProcessedMessage::Application { plaintext, .. } => {
                Some(String::from_utf8(plaintext.clone()).unwrap())
            }
            _ => None,
        })
        .collect()
}

/// A message of a batch with a number for its cursor.
pub fn incoming(message: &[u8], cursor: u32) -> IncomingMessage {
    IncomingMessage {
        bytes: message.to_vec(),
        cursor: Some(cursor.to_be_bytes().to_vec()),
    }
}

/// Closes and opens every device.
pub fn reload(devices: &mut [&mut Device]) {
    devices.iter_mut().for_each(|device| device.reload());
}

/// Lets the committer merge its pending Commit and every other member process it.
pub fn deliver(id: &GroupId, committer: &Device, commit: &CommitBundle, others: &[&Device]) {
    committer.group(id).merge_pending_commit().unwrap();
    for other in others {
        assert!(matches!(
            other.receive(id, &commit.commit),
            ProcessedMessage::Commit { .. }
        ));
    }
}

/// Begins a new epoch by an update of the committer's keys.
pub fn advance(id: &GroupId, committer: &Device, others: &[&Device]) -> CommitBundle {
    let update = committer.group(id).self_update(None).unwrap();
    deliver(id, committer, &update, others);
    update
}

/// A group of all these devices, made by the first, who adds the others in one Commit.
pub fn group_of(devices: &[&Device]) -> GroupId {
    let (creator, others) = devices.split_first().unwrap();
    let id = creator.create_group();
    if others.is_empty() {
        return id;
    }
    let key_packages = others.iter().map(|device| device.key_package()).collect();
    let bundle = creator.group(&id).add_members(key_packages).unwrap();
    creator.group(&id).merge_pending_commit().unwrap();
    for other in others {
        other
            .client()
            .join_from_welcome(bundle.welcome.clone().unwrap(), None)
            .unwrap();
    }
    id
}

/// Asserts that all devices are in the same epoch with the same members and the same authenticator.
pub fn assert_agree(id: &GroupId, devices: &[&Device]) {
    let (first, others) = devices.split_first().unwrap();
    let expected = (
        first.epoch(id),
        first.authenticator(id),
        first.group(id).members().unwrap(),
    );
    for other in others {
        let found = (
            other.epoch(id),
            other.authenticator(id),
            other.group(id).members().unwrap(),
        );
        assert_eq!(found, expected, "{} and {}", first.name, other.name);
    }
}
