//! A member that is OpenMLS over libcrux: the floor, and who sits at the other end of each group.

use std::{fs, path::Path};

use openmls::prelude::{
    BasicCredential, Ciphersuite, CredentialWithKey, GroupId, KeyPackage, LeafNodeParameters,
    MIXED_CIPHERTEXT_WIRE_FORMAT_POLICY, MlsGroup, MlsGroupCreateConfig, MlsGroupJoinConfig,
    MlsMessageBodyIn, MlsMessageIn, MlsMessageOut, ProcessedMessageContent, SenderRatchetConfiguration,
    StagedWelcome,
    tls_codec::{DeserializeBytes, Serialize},
};
use openmls_libcrux_crypto::CryptoProvider;
use openmls_traits::{
    OpenMlsProvider,
    crypto::OpenMlsCrypto,
    signatures::{Signer, SignerError},
    types::SignatureScheme,
};

use crate::memory::Memory;

pub(crate) const SUITE: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519;

pub(crate) struct Provider {
    crypto: CryptoProvider,
    memory: Memory,
}

impl OpenMlsProvider for Provider {
    type CryptoProvider = CryptoProvider;
    type RandProvider = CryptoProvider;
    type StorageProvider = Memory;

    fn storage(&self) -> &Memory {
        &self.memory
    }

    fn crypto(&self) -> &CryptoProvider {
        &self.crypto
    }

    fn rand(&self) -> &CryptoProvider {
        &self.crypto
    }
}

/// Signs with libcrux, as everything else here.
struct Key {
    crypto: CryptoProvider,
    private: Vec<u8>,
    public: Vec<u8>,
}

impl Signer for Key {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        self.crypto
            .sign(SignatureScheme::ED25519, payload, &self.private)
            .map_err(|_| SignerError::SigningError)
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

impl Key {
    fn new(private: Vec<u8>, public: Vec<u8>) -> Self {
        Self {
            crypto: CryptoProvider::new().unwrap(),
            private,
            public,
        }
    }
}

pub(crate) struct Member {
    pub(crate) provider: Provider,
    name: String,
    key: Key,
}

pub(crate) fn group_id(bytes: &[u8]) -> GroupId {
    GroupId::from_slice(bytes)
}

/// What this library's facade has as defaults, but for padding.
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

impl Member {
    pub(crate) fn new(name: &str) -> Self {
        let crypto = CryptoProvider::new().unwrap();
        let (private, public) = crypto.signature_key_gen(SignatureScheme::ED25519).unwrap();
        Self {
            provider: Provider {
                crypto,
                memory: Memory::default(),
            },
            name: name.to_owned(),
            key: Key::new(private, public),
        }
    }

    /// What [`Self::write`] has left.
    pub(crate) fn read(file: &Path) -> Option<Self> {
        let bytes = fs::read(file).ok()?;
        let (name, private, public, values) = rmp_serde::from_slice(&bytes).unwrap();
        Some(Self {
            provider: Provider {
                crypto: CryptoProvider::new().unwrap(),
                memory: Memory::new(values),
            },
            name,
            key: Key::new(private, public),
        })
    }

    pub(crate) fn write(&self, file: &Path) {
        let Key { private, public, .. } = &self.key;
        let all = (&self.name, private, public, self.provider.memory.values());
        fs::write(file, rmp_serde::to_vec(&all).unwrap()).unwrap();
    }

    pub(crate) fn drop_writes(&self) {
        self.provider.memory.drop_writes();
    }

    fn credential(&self) -> CredentialWithKey {
        CredentialWithKey {
            credential: BasicCredential::new(self.name.clone().into_bytes()).into(),
            signature_key: self.key.public.clone().into(),
        }
    }

    pub(crate) fn key_package(&self) -> Vec<u8> {
        let made = KeyPackage::builder().build(SUITE, &self.provider, &self.key, self.credential());
        bytes(&made.unwrap().key_package().clone().into())
    }

    pub(crate) fn create(&self, id: &GroupId) -> MlsGroup {
        let config = MlsGroupCreateConfig::builder()
            .ciphersuite(SUITE)
            .wire_format_policy(MIXED_CIPHERTEXT_WIRE_FORMAT_POLICY)
            .max_past_epochs(3)
            .sender_ratchet_configuration(SenderRatchetConfiguration::new(64, 2000))
            .use_ratchet_tree_extension(true)
            .build();
        MlsGroup::new_with_group_id(&self.provider, &self.key, &config, id.clone(), self.credential())
            .unwrap()
    }

    /// Joins by an external Commit, which nobody will ever receive: it is there for a tree that was made elsewhere.
    pub(crate) fn take_over(&self, group_info: &[u8]) -> MlsGroup {
        let MlsMessageBodyIn::GroupInfo(info) = parse(group_info).extract() else {
            panic!("not a GroupInfo")
        };
        let builder = MlsGroup::external_commit_builder().with_config(config());
        let (group, _) = builder
            .build_group(&self.provider, info, self.credential())
            .unwrap()
            .leaf_node_parameters(LeafNodeParameters::default())
            .load_psks(self.provider.storage())
            .unwrap()
            .build(self.provider.rand(), self.provider.crypto(), &self.key, |_| true)
            .unwrap()
            .finalize(&self.provider)
            .unwrap();
        group
    }

    pub(crate) fn load(&self, id: &GroupId) -> MlsGroup {
        MlsGroup::load(&self.provider.memory, id).unwrap().unwrap()
    }

    /// Adds a member and returns its Welcome.
    pub(crate) fn add(&self, group: &mut MlsGroup, key_package: &[u8]) -> Vec<u8> {
        let MlsMessageBodyIn::KeyPackage(key_package) = parse(key_package).extract() else {
            panic!("not a key package")
        };
        let version = openmls::prelude::ProtocolVersion::Mls10;
        let key_package = key_package.validate(self.provider.crypto(), version).unwrap();
        let (_, welcome, _) = group
            .add_members(&self.provider, &self.key, &[key_package])
            .unwrap();
        self.merge(group);
        bytes(&welcome)
    }

    pub(crate) fn join(&self, welcome: &[u8]) -> MlsGroup {
        let MlsMessageBodyIn::Welcome(welcome) = parse(welcome).extract() else {
            panic!("not a Welcome")
        };
        StagedWelcome::new_from_welcome(&self.provider, &config(), welcome, None)
            .unwrap()
            .into_group(&self.provider)
            .unwrap()
    }

    pub(crate) fn process(&self, group: &mut MlsGroup, message: &[u8]) {
        let message = parse(message).try_into_protocol_message().unwrap();
        match group
            .process_message(&self.provider, message)
            .unwrap()
            .into_content()
        {
            ProcessedMessageContent::ApplicationMessage(message) => {
                std::hint::black_box(message.into_bytes());
            }
            ProcessedMessageContent::StagedCommitMessage(commit) => {
                group.merge_staged_commit(&self.provider, *commit).unwrap();
            }
            _ => panic!("neither a message nor a Commit"),
        }
    }

    pub(crate) fn encrypt(&self, group: &mut MlsGroup, plaintext: &[u8]) -> Vec<u8> {
        bytes(
            &group
                .create_message(&self.provider, &self.key, plaintext)
                .unwrap(),
        )
    }

    pub(crate) fn commit(&self, group: &mut MlsGroup) -> Vec<u8> {
        let made = group.self_update(&self.provider, &self.key, LeafNodeParameters::default());
        bytes(&made.unwrap().into_commit())
    }

    pub(crate) fn merge(&self, group: &mut MlsGroup) {
        group.merge_pending_commit(&self.provider).unwrap();
    }

    pub(crate) fn clear(&self, group: &mut MlsGroup) {
        group.clear_pending_commit(&self.provider.memory).unwrap();
    }
}
