//! What an app writes around the library and the client.

use std::sync::Arc;

use mls_delivery_client::{
    DeliveryClient, DeliveryError,
    wire::{self, Bytes, CreateGroup, Kind, Submit},
};
use mls_mobile::{
    CallbackError, Ciphersuite, ClientConfig, CommitBundle, Credential, CredentialValidator, GroupId,
    IdentityId, KeyPackageOptions, LeafNodeOptions, MlsClient, MlsError, MlsGroup, ProcessedMessage,
    ValidationRequest,
};
use tempfile::TempDir;

/// 0x0003.
pub const SUITE: u16 = 3;
const KEY: [u8; 32] = [7; 32];

pub struct Phone {
    folder: TempDir,
    client: Option<Arc<MlsClient>>,
    pub identity: IdentityId,
    pub service: DeliveryClient,
    pub device: Bytes,
    token: String,
    cursor: u64,
    /// What was said to it.
    pub read: Vec<String>,
}

impl Phone {
    /// A registered device with a key package that waits to be claimed.
    pub fn new(name: &str, address: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let client = open(&folder);
        let credential = Credential::Basic {
            identity: name.as_bytes().to_vec(),
        };
        let suite = Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519;
        let identity = client.create_identity(credential, suite).unwrap().id;
        let mut service = DeliveryClient::new(address);
        let token = register(&client, &identity, &mut service);
        let phone = Self {
            folder,
            client: Some(client),
            device: wire::device_id(&identity.0),
            identity,
            service,
            token,
            cursor: 0,
            read: Vec::new(),
        };
        phone.publish_key_packages(1, false);
        phone
    }

    pub fn reopen(&mut self, address: &str) {
        self.client = None;
        self.client = Some(open(&self.folder));
        self.service = DeliveryClient::new(address).with_token(self.token.clone());
    }

    pub fn client(&self) -> &Arc<MlsClient> {
        self.client.as_ref().unwrap()
    }

    pub fn group(&self, group: &Bytes) -> Arc<MlsGroup> {
        self.client().group(GroupId(group.0.clone())).unwrap()
    }

    /// Publishes `count` key packages, instead of those that are there; one more of last resort if that is asked for.
    pub fn publish_key_packages(&self, count: u32, last_resort: bool) -> Vec<Vec<u8>> {
        self.service.withdraw_key_packages().unwrap();
        let make = |count, last_resort| {
            let options = KeyPackageOptions {
                last_resort,
                ..KeyPackageOptions::default()
            };
            let made = self
                .client()
                .create_key_packages(self.identity.clone(), count, Some(options));
            made.unwrap().into_iter().map(|key_package| key_package.bytes)
        };
        let mut key_packages: Vec<_> = make(count, false).collect();
        key_packages.extend(make(u32::from(last_resort), true));
        self.service.publish_key_packages(key_packages.clone()).unwrap();
        key_packages
    }

    pub fn create_group(&self) -> Bytes {
        self.create(None)
    }

    pub fn create_group_with_secret(&self, secret: &[u8]) -> Bytes {
        // SHA-256, as of a signature key.
        self.create(Some(wire::device_id(secret)))
    }

    fn create(&self, join_secret_hash: Option<Bytes>) -> Bytes {
        let group = self.client().create_group(self.identity.clone(), None).unwrap();
        let group = Bytes(group.id().unwrap().0);
        let new = CreateGroup {
            group: group.clone(),
            epoch: 0,
            join_secret_hash,
        };
        self.service.create_group(&new).unwrap();
        group
    }

    pub fn invite(&self, group: &Bytes, others: &[&Self]) {
        let claim = |other: &&Self| self.service.claim_key_package(&other.device, SUITE).unwrap();
        let bundle = self
            .group(group)
            .add_members(others.iter().map(claim).collect())
            .unwrap();
        let added = others.iter().map(|other| other.device.clone()).collect();
        self.commit(group, bundle, added, Vec::new());
    }

    pub fn remove(&self, group: &Bytes, other: &Self) {
        let members = self.group(group).members().unwrap();
        let member = members
            .iter()
            .find(|member| member.signature_key == other.identity.0)
            .unwrap();
        let bundle = self.group(group).remove_members(vec![member.leaf_index]).unwrap();
        self.commit(group, bundle, Vec::new(), vec![other.device.clone()]);
    }

    fn commit(&self, group: &Bytes, bundle: CommitBundle, added: Vec<Bytes>, removed: Vec<Bytes>) {
        let submit = Submit {
            commit: bundle.commit.into(),
            added,
            removed,
            welcome: bundle.welcome.map(Bytes),
            ..Submit::default()
        };
        let accepted = self.service.submit(group, &submit).unwrap();
        assert!(accepted.unknown_devices.is_empty());
        self.group(group).merge_pending_commit().unwrap();
    }

    pub fn say(&self, group: &Bytes, text: &str) {
        self.try_say(group, text).unwrap();
    }

    pub fn try_say(&self, group: &Bytes, text: &str) -> Result<(), Refused> {
        let message = self
            .group(group)
            .create_message(text.as_bytes().to_vec(), Vec::new());
        let message = message.map_err(|_: MlsError| Refused)?;
        self.service
            .send_message(group, &message)
            .map_err(|_: DeliveryError| Refused)?;
        Ok(())
    }

    /// Takes all that is in the queue. What is processed is on this device's disk, so it is acknowledged.
    pub fn catch_up(&mut self) {
        loop {
            let page = self.service.read_queue(self.cursor, 100, 0).unwrap();
            assert_eq!(page.missed, 0);
            for delivery in &page.deliveries {
                if delivery.kind == Kind::Welcome {
                    self.client()
                        .join_from_welcome(delivery.bytes.0.clone(), None)
                        .unwrap();
                    continue;
                }
                let processed = self
                    .group(&delivery.group)
                    .process_message(delivery.bytes.0.clone())
                    .unwrap();
                if let ProcessedMessage::Application { plaintext, .. } = processed {
                    self.read.push(String::from_utf8(plaintext).unwrap());
                }
            }
            self.cursor = page.cursor;
            self.service.acknowledge(page.cursor, 0).unwrap();
            if page.deliveries.is_empty() {
                return;
            }
        }
    }

    pub fn agrees_with(&self, other: &Self, group: &Bytes) -> bool {
        let authenticator = |phone: &Self| phone.group(group).epoch_authenticator().unwrap();
        authenticator(self) == authenticator(other)
    }
}

#[derive(Debug)]
pub struct Refused;

/// The key package that proves the identity is deleted at once: nobody was, or will be, added with it.
fn register(client: &MlsClient, identity: &IdentityId, service: &mut DeliveryClient) -> String {
    let leaf_node = LeafNodeOptions {
        application_id: Some(service.challenge().unwrap()),
        ..LeafNodeOptions::default()
    };
    let options = KeyPackageOptions {
        leaf_node: Some(leaf_node),
        ..KeyPackageOptions::default()
    };
    let proof = client
        .create_key_packages(identity.clone(), 1, Some(options))
        .unwrap()
        .remove(0);
    client.delete_key_package(proof.reference).unwrap();
    service.register(proof.bytes).unwrap().token
}

fn open(folder: &TempDir) -> Arc<MlsClient> {
    let path = folder.path().join("mls.db");
    MlsClient::open(
        ClientConfig::new(path.to_str().unwrap(), KEY),
        Some(Arc::new(AcceptAll)),
        None,
    )
    .unwrap()
}

struct AcceptAll;

impl CredentialValidator for AcceptAll {
    fn validate(&self, _request: ValidationRequest) -> Result<bool, CallbackError> {
        Ok(true)
    }
}
