//! A member that is no client of this library: OpenMLS itself, for messages that the facade does not make
//! yet.

use openmls::prelude::{
    BasicCredential, Capabilities, Ciphersuite, Credential, CredentialType, CredentialWithKey, KeyPackage,
    KeyPackageIn, LeafNodeIndex, MIXED_CIPHERTEXT_WIRE_FORMAT_POLICY, MIXED_PLAINTEXT_WIRE_FORMAT_POLICY,
    MlsGroup, MlsGroupCreateConfig, MlsGroupJoinConfig, MlsMessageBodyIn, MlsMessageIn, MlsMessageOut,
    OpenMlsProvider, ProtocolVersion, StagedWelcome,
    tls_codec::{DeserializeBytes as _, Serialize as _},
};
use openmls_libcrux_crypto::Provider;
use openmls_traits::{
    crypto::OpenMlsCrypto as _,
    signatures::{Signer, SignerError},
    types::SignatureScheme,
};

const SUITE: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519;

/// OpenMLS with its state in memory.
pub struct RawPeer {
    provider: Provider,
    signer: Key,
    credential: CredentialWithKey,
    group: Option<MlsGroup>,
}

struct Key(Provider, Vec<u8>);

impl Signer for Key {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        self.0
            .crypto()
            .sign(SignatureScheme::ED25519, payload, &self.1)
            .map_err(SignerError::CryptoError)
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

impl RawPeer {
    pub fn new(name: &str) -> Self {
        Self::with_credential(BasicCredential::new(name.as_bytes().to_vec()).into())
    }

    pub fn with_credential(credential: Credential) -> Self {
        let provider = Provider::new().unwrap();
        let (private, public) = provider
            .crypto()
            .signature_key_gen(SignatureScheme::ED25519)
            .unwrap();
        Self {
            provider,
            signer: Key(Provider::new().unwrap(), private),
            credential: CredentialWithKey {
                credential,
                signature_key: public.into(),
            },
            group: None,
        }
    }

    pub fn key_package(&self) -> Vec<u8> {
        let capabilities = Capabilities::builder()
            .credentials(vec![CredentialType::Basic, CredentialType::X509])
            .build();
        let bundle = KeyPackage::builder()
            .leaf_node_capabilities(capabilities)
            .build(SUITE, &self.provider, &self.signer, self.credential.clone())
            .unwrap();
        to_bytes(MlsMessageOut::from(bundle.key_package().clone()))
    }

    /// Joins; sends proposals as PublicMessage or as PrivateMessage.
    pub fn join(&mut self, welcome: &[u8], public_handshakes: bool) {
        let MlsMessageBodyIn::Welcome(welcome) = parse(welcome) else {
            panic!("no Welcome")
        };
        let policy = if public_handshakes {
            MIXED_PLAINTEXT_WIRE_FORMAT_POLICY
        } else {
            MIXED_CIPHERTEXT_WIRE_FORMAT_POLICY
        };
        let config = MlsGroupJoinConfig::builder().wire_format_policy(policy).build();
        let group = StagedWelcome::new_from_welcome(&self.provider, &config, welcome, None)
            .unwrap()
            .into_group(&self.provider)
            .unwrap();
        self.group = Some(group);
    }

    /// A group with the owner of `key_package` in it, whose Welcome carries no tree: Welcome and tree.
    pub fn invite(&mut self, key_package: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let config = MlsGroupCreateConfig::builder()
            .ciphersuite(SUITE)
            .use_ratchet_tree_extension(false)
            .build();
        let mut group =
            MlsGroup::new(&self.provider, &self.signer, &config, self.credential.clone()).unwrap();
        let MlsMessageBodyIn::KeyPackage(key_package) = parse(key_package) else {
            panic!("no key package")
        };
        let key_package = validate(key_package, &self.provider);
        let (_, welcome, _) = group
            .add_members(&self.provider, &self.signer, &[key_package])
            .unwrap();
        group.merge_pending_commit(&self.provider).unwrap();
        let tree = group.export_ratchet_tree().tls_serialize_detached().unwrap();
        self.group = Some(group);
        (to_bytes(welcome), tree)
    }

    pub fn propose_remove(&mut self, leaf_index: u32) -> Vec<u8> {
        let group = self.group.as_mut().unwrap();
        let (message, _) = group
            .propose_remove_member(&self.provider, &self.signer, LeafNodeIndex::new(leaf_index))
            .unwrap();
        to_bytes(message)
    }
}

fn validate(key_package: KeyPackageIn, provider: &Provider) -> KeyPackage {
    key_package
        .validate(provider.crypto(), ProtocolVersion::Mls10)
        .unwrap()
}

fn to_bytes(message: MlsMessageOut) -> Vec<u8> {
    message.to_bytes().unwrap()
}

fn parse(bytes: &[u8]) -> MlsMessageBodyIn {
    MlsMessageIn::tls_deserialize_exact_bytes(bytes)
        .unwrap()
        .extract()
}
