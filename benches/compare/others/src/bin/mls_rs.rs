//! mls-rs with the SQLite provider and the RustCrypto provider that come with it, each with its defaults.

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
use mls_rs::{
    CipherSuite, CipherSuiteProvider as _, Client, CryptoProvider as _, ExtensionList, Group, MlsMessage,
    client_builder::{
        BaseSqlConfig, ClientBuilder, PaddingMode, WithCryptoProvider, WithIdentityProvider, WithMlsRules,
    },
    crypto::SignatureSecretKey,
    group::ReceivedMessage,
    identity::{
        SigningIdentity,
        basic::{BasicCredential, BasicIdentityProvider},
    },
    mls_rules::{CommitOptions, DefaultMlsRules, EncryptionOptions},
};
use mls_rs_crypto_rustcrypto::RustCryptoProvider;
use mls_rs_provider_sqlite::{SqLiteDataStorageEngine, connection_strategy::FileConnectionStrategy};

const SUITE: CipherSuite = CipherSuite::CURVE25519_CHACHA;

type Config = WithMlsRules<
    DefaultMlsRules,
    WithCryptoProvider<RustCryptoProvider, WithIdentityProvider<BasicIdentityProvider, BaseSqlConfig>>,
>;

struct MlsRs {
    client: Client<Config>,
    groups: HashMap<Vec<u8>, Group<Config>>,
}

impl MlsRs {
    fn group(&mut self, id: &[u8]) -> &mut Group<Config> {
        let Self { client, groups } = self;
        groups
            .entry(id.to_vec())
            .or_insert_with(|| client.load_group(id).unwrap())
    }
}

/// The app keeps its signature key, because the provider does not.
fn key(folder: &Path) -> (SignatureSecretKey, Vec<u8>) {
    let (secret, public) = (folder.join("secret"), folder.join("public"));
    if let (Ok(secret), Ok(public)) = (fs::read(&secret), fs::read(&public)) {
        return (secret.into(), public);
    }
    let provider = RustCryptoProvider::new().cipher_suite_provider(SUITE).unwrap();
    let made = provider.signature_key_generate().unwrap();
    fs::write(secret, made.0.as_bytes()).unwrap();
    fs::write(public, made.1.as_bytes()).unwrap();
    (made.0, made.1.to_vec())
}

impl Contestant for MlsRs {
    fn open(folder: &Path) -> Self {
        let strategy = FileConnectionStrategy::new(&folder.join("mls-rs.db"));
        let engine = SqLiteDataStorageEngine::new(strategy).unwrap();
        let (secret, public) = key(folder);
        let credential = BasicCredential::new(b"contestant".to_vec()).into_credential();
        // Commits are encrypted and carry the tree, as those of the other contestants.
        let rules = DefaultMlsRules::new()
            .with_commit_options(CommitOptions::new().with_ratchet_tree_extension(true))
            .with_encryption_options(EncryptionOptions::new(true, PaddingMode::StepFunction));
        let client = ClientBuilder::new_sqlite(engine)
            .unwrap()
            .identity_provider(BasicIdentityProvider)
            .crypto_provider(RustCryptoProvider::new())
            .mls_rules(rules)
            .signing_identity(SigningIdentity::new(credential, public.into()), secret, SUITE)
            .build();
        Self {
            client,
            groups: HashMap::new(),
        }
    }

    fn key_packages(&mut self, count: usize) -> Vec<Vec<u8>> {
        let none = ExtensionList::new;
        let make = |_| {
            let made = self.client.generate_key_package_message(none(), none(), None);
            made.unwrap().to_bytes().unwrap()
        };
        (0..count).map(make).collect()
    }

    fn join(&mut self, welcome: &[u8]) {
        let welcome = MlsMessage::from_bytes(welcome).unwrap();
        let (mut group, _) = self.client.join_group(None, &welcome, None).unwrap();
        group.write_to_storage().unwrap();
        self.groups.insert(group.group_id().to_vec(), group);
    }

    fn load(&mut self, group: &[u8]) {
        self.group(group);
    }

    fn process(&mut self, group: &[u8], message: &[u8]) {
        let group = self.group(group);
        let message = MlsMessage::from_bytes(message).unwrap();
        match group.process_incoming_message(message).unwrap() {
            ReceivedMessage::ApplicationMessage(_) | ReceivedMessage::Commit(_) => {}
            other => panic!("{other:?}"),
        }
        group.write_to_storage().unwrap();
    }

    fn encrypt(&mut self, group: &[u8], plaintext: &[u8]) -> Vec<u8> {
        let group = self.group(group);
        let message = group.encrypt_application_message(plaintext, Vec::new()).unwrap();
        group.write_to_storage().unwrap();
        message.to_bytes().unwrap()
    }

    fn commit(&mut self, group: &[u8]) -> Vec<u8> {
        let group = self.group(group);
        let made = group.commit_builder().build().unwrap();
        group.write_to_storage().unwrap();
        made.commit_message.to_bytes().unwrap()
    }

    fn merge(&mut self, group: &[u8]) {
        let group = self.group(group);
        group.apply_pending_commit().unwrap();
        group.write_to_storage().unwrap();
    }

    fn clear(&mut self, group: &[u8]) {
        let group = self.group(group);
        group.clear_pending_commit();
        group.write_to_storage().unwrap();
    }

    /// The library writes a group when it is told to: once at the end is one transaction a group.
    fn catch_up(&mut self, messages: Vec<(Vec<u8>, Vec<u8>)>) {
        for (group, message) in messages {
            let group = self.group(&group);
            let message = MlsMessage::from_bytes(&message).unwrap();
            std::hint::black_box(group.process_incoming_message(message).unwrap());
        }
        for group in self.groups.values_mut() {
            group.write_to_storage().unwrap();
        }
    }
}

fn main() {
    contestant::serve::<MlsRs>();
}
