//! The naive design: OpenMLS over libcrux with openmls_sqlite_storage as its documents set it up, which is JSON, each
//! statement a transaction, and the default journal.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    missing_docs,
    reason = "a bench stops at the first failure"
)]

#[path = "../../../contestant.rs"]
mod contestant;

use std::{collections::HashMap, fs, path::Path};

use contestant::Contestant;
use openmls::prelude::{
    BasicCredential, Ciphersuite, CredentialWithKey, GroupId, KeyPackage, LeafNodeParameters,
    MIXED_CIPHERTEXT_WIRE_FORMAT_POLICY, MlsGroup, MlsGroupJoinConfig, MlsMessageBodyIn, MlsMessageIn,
    MlsMessageOut, ProcessedMessageContent, SenderRatchetConfiguration, StagedWelcome,
    tls_codec::{DeserializeBytes, Serialize as _},
};
use openmls_basic_credential::SignatureKeyPair;
use openmls_libcrux_crypto::CryptoProvider;
use openmls_sqlite_storage::{Codec, SqliteStorageProvider};
use openmls_traits::{OpenMlsProvider, types::SignatureScheme};
use rusqlite::Connection;
use serde::{Serialize, de::DeserializeOwned};

const SUITE: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519;

#[derive(Default)]
struct Json;

impl Codec for Json {
    type Error = serde_json::Error;

    fn to_vec<T: Serialize>(value: &T) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(value)
    }

    fn from_slice<T: DeserializeOwned>(slice: &[u8]) -> Result<T, serde_json::Error> {
        serde_json::from_slice(slice)
    }
}

struct Provider {
    crypto: CryptoProvider,
    storage: SqliteStorageProvider<Json, Connection>,
}

impl OpenMlsProvider for Provider {
    type CryptoProvider = CryptoProvider;
    type RandProvider = CryptoProvider;
    type StorageProvider = SqliteStorageProvider<Json, Connection>;

    fn storage(&self) -> &Self::StorageProvider {
        &self.storage
    }

    fn crypto(&self) -> &CryptoProvider {
        &self.crypto
    }

    fn rand(&self) -> &CryptoProvider {
        &self.crypto
    }
}

struct Naive {
    provider: Provider,
    signer: SignatureKeyPair,
    groups: HashMap<Vec<u8>, MlsGroup>,
}

/// The same as that of the other contestants.
fn config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(MIXED_CIPHERTEXT_WIRE_FORMAT_POLICY)
        .max_past_epochs(3)
        .number_of_resumption_psks(3)
        .sender_ratchet_configuration(SenderRatchetConfiguration::new(64, 2000))
        .use_ratchet_tree_extension(true)
        .build()
}

fn bytes(message: &MlsMessageOut) -> Vec<u8> {
    message.tls_serialize_detached().unwrap()
}

fn parse(bytes: &[u8]) -> MlsMessageIn {
    MlsMessageIn::tls_deserialize_exact_bytes(bytes).unwrap()
}

impl Naive {
    fn group(&mut self, id: &[u8]) -> (&Provider, &SignatureKeyPair, &mut MlsGroup) {
        let Self {
            provider,
            signer,
            groups,
        } = self;
        let group = groups.entry(id.to_vec()).or_insert_with(|| {
            let id = GroupId::from_slice(id);
            MlsGroup::load(&provider.storage, &id).unwrap().unwrap()
        });
        (provider, signer, group)
    }
}

impl Contestant for Naive {
    fn open(folder: &Path) -> Self {
        let mut storage = SqliteStorageProvider::new(Connection::open(folder.join("naive.db")).unwrap());
        storage.run_migrations().unwrap();
        // The app remembers who it is.
        let name = folder.join("public");
        let signer = match fs::read(&name) {
            Ok(public) => SignatureKeyPair::read(&storage, &public, SignatureScheme::ED25519).unwrap(),
            Err(_) => {
                let signer = SignatureKeyPair::new(SignatureScheme::ED25519).unwrap();
                signer.store(&storage).unwrap();
                fs::write(name, signer.public()).unwrap();
                signer
            }
        };
        Self {
            provider: Provider {
                crypto: CryptoProvider::new().unwrap(),
                storage,
            },
            signer,
            groups: HashMap::new(),
        }
    }

    fn key_packages(&mut self, count: usize) -> Vec<Vec<u8>> {
        let Self { provider, signer, .. } = self;
        let make = |_| {
            let credential = CredentialWithKey {
                credential: BasicCredential::new(b"contestant".to_vec()).into(),
                signature_key: signer.public().into(),
            };
            let made = KeyPackage::builder().build(SUITE, provider, signer, credential);
            bytes(&made.unwrap().key_package().clone().into())
        };
        (0..count).map(make).collect()
    }

    fn join(&mut self, welcome: &[u8]) {
        let MlsMessageBodyIn::Welcome(welcome) = parse(welcome).extract() else {
            panic!("not a Welcome")
        };
        let group = StagedWelcome::new_from_welcome(&self.provider, &config(), welcome, None)
            .unwrap()
            .into_group(&self.provider)
            .unwrap();
        self.groups.insert(group.group_id().to_vec(), group);
    }

    fn load(&mut self, group: &[u8]) {
        self.group(group);
    }

    fn process(&mut self, group: &[u8], message: &[u8]) {
        let (provider, _, group) = self.group(group);
        let message = parse(message).try_into_protocol_message().unwrap();
        match group.process_message(provider, message).unwrap().into_content() {
            ProcessedMessageContent::ApplicationMessage(message) => {
                std::hint::black_box(message.into_bytes());
            }
            ProcessedMessageContent::StagedCommitMessage(commit) => {
                group.merge_staged_commit(provider, *commit).unwrap();
            }
            _ => panic!("neither a message nor a Commit"),
        }
    }

    fn encrypt(&mut self, group: &[u8], plaintext: &[u8]) -> Vec<u8> {
        let (provider, signer, group) = self.group(group);
        bytes(&group.create_message(provider, signer, plaintext).unwrap())
    }

    fn commit(&mut self, group: &[u8]) -> Vec<u8> {
        let (provider, signer, group) = self.group(group);
        let made = group.self_update(provider, signer, LeafNodeParameters::default());
        bytes(&made.unwrap().into_commit())
    }

    fn merge(&mut self, group: &[u8]) {
        let (provider, _, group) = self.group(group);
        group.merge_pending_commit(provider).unwrap();
    }

    fn clear(&mut self, group: &[u8]) {
        let (provider, _, group) = self.group(group);
        group.clear_pending_commit(&provider.storage).unwrap();
    }

    fn catch_up(&mut self, messages: Vec<(Vec<u8>, Vec<u8>)>) {
        for (group, message) in messages {
            self.process(&group, &message);
        }
    }
}

fn main() {
    contestant::serve::<Naive>();
}
