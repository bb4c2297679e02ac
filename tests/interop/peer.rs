//! A member that is mls-rs: another implementation of RFC 9420, with other cryptography (RustCrypto) and other
//! defaults. Everything that goes in and out of it is bytes.

use mls_mobile::Ciphersuite;
use mls_rs::{
    CipherSuite, CipherSuiteProvider as _, Client, CryptoProvider as _, Extension, ExtensionList, Group,
    MlsMessage,
    client_builder::{BaseConfig, PaddingMode, WithCryptoProvider, WithIdentityProvider, WithMlsRules},
    error::MlsError,
    extension::ExtensionType,
    group::{
        Capabilities, CommitBuilder, CommitEffect, CommitMessageDescription, ExportedTree, ReceivedMessage,
        proposal::ProposalType,
    },
    identity::{
        SigningIdentity,
        basic::{BasicCredential, BasicIdentityProvider},
    },
    mls_rules::{CommitOptions, DefaultMlsRules, EncryptionOptions},
};
use mls_rs_crypto_rustcrypto::RustCryptoProvider;

use super::{Way, party::Made};

type Config = WithMlsRules<
    DefaultMlsRules,
    WithCryptoProvider<RustCryptoProvider, WithIdentityProvider<BasicIdentityProvider, BaseConfig>>,
>;

/// Custom proposals of this type need a path in their Commit, says each of these peers; those of other types do not.
pub(crate) const NEEDS_PATH: u16 = 0xf043;

/// An mls-rs client with its storage in memory, in one group.
pub(crate) struct Peer {
    pub(crate) name: String,
    client: Client<Config>,
    suite: CipherSuite,
    group: Option<Group<Config>>,
}

impl Peer {
    pub(crate) fn new(name: &str, way: Way) -> Self {
        Self::supporting(name, way, &[], &[])
    }

    /// A peer whose leaf lists these types too.
    pub(crate) fn supporting(name: &str, way: Way, extensions: &[u16], proposals: &[u16]) -> Self {
        let suite = suite(way.suite);
        let provider = RustCryptoProvider::new();
        let (secret, public) = provider
            .cipher_suite_provider(suite)
            .unwrap()
            .signature_key_generate()
            .unwrap();
        let credential = BasicCredential::new(name.as_bytes().to_vec()).into_credential();
        let rules = DefaultMlsRules::new()
            .with_commit_options(CommitOptions::new().with_ratchet_tree_extension(!way.tree_outside))
            .with_encryption_options(EncryptionOptions::new(
                !way.theirs_public,
                PaddingMode::StepFunction,
            ))
            .with_custom_proposals_that_require_update_path(vec![ProposalType::new(NEEDS_PATH)]);
        let client = Client::builder()
            .identity_provider(BasicIdentityProvider)
            .crypto_provider(provider)
            .mls_rules(rules)
            .extension_types(extensions.iter().copied().map(ExtensionType::new))
            .custom_proposal_types(proposals.iter().copied().map(ProposalType::new))
            .signing_identity(SigningIdentity::new(credential, public), secret, suite)
            .build();
        Self {
            name: name.to_owned(),
            client,
            suite,
            group: None,
        }
    }

    pub(crate) fn group(&mut self) -> &mut Group<Config> {
        self.group.as_mut().unwrap()
    }

    fn current(&self) -> &Group<Config> {
        self.group.as_ref().unwrap()
    }

    /// Forgets the group, as a phone that lost its database and kept its signature key.
    pub(crate) fn lose_group(&mut self) {
        self.group = None;
    }

    /// Writes the group to its storage and loads it again, so that what is kept for late messages comes from there.
    pub(crate) fn reload(&mut self) {
        let mut group = self.group.take().unwrap();
        group.write_to_storage().unwrap();
        self.group = Some(self.client.load_group(group.group_id()).unwrap());
    }

    pub(crate) fn key_package(&self) -> Vec<u8> {
        let key_package =
            self.client
                .generate_key_package_message(ExtensionList::new(), ExtensionList::new(), None);
        bytes(&key_package.unwrap())
    }

    /// A key package whose leaf has an extension of this type.
    pub(crate) fn key_package_with(&self, extension_type: u16) -> Vec<u8> {
        let mut extensions = ExtensionList::new();
        extensions.set(Extension::new(ExtensionType::new(extension_type), vec![1, 2, 3]));
        let key_package = self
            .client
            .generate_key_package_message(ExtensionList::new(), extensions, None);
        bytes(&key_package.unwrap())
    }

    /// What a member's leaf lists.
    pub(crate) fn capabilities(&self, leaf_index: u32) -> Capabilities {
        let member = self.current().member_at_index(leaf_index);
        member.unwrap().capabilities().clone()
    }

    pub(crate) fn create_group(&mut self) -> Vec<u8> {
        let group = self.client.group_builder().unwrap().build().unwrap();
        let id = group.group_id().to_vec();
        self.group = Some(group);
        id
    }

    pub(crate) fn join(&mut self, welcome: &[u8], tree: Option<&[u8]>) -> Result<(), MlsError> {
        let tree = tree.map(|tree| ExportedTree::from_bytes(tree).unwrap());
        let (group, _) = self.client.join_group(tree, &parse(welcome), None)?;
        self.group = Some(group);
        Ok(())
    }

    /// Joins by an external Commit, which also removes the leaf `old`.
    pub(crate) fn join_by_external_commit(
        &mut self,
        group_info: &[u8],
        tree: Option<&[u8]>,
        old: Option<u32>,
    ) -> Vec<u8> {
        let mut builder = self.client.external_commit_builder().unwrap();
        if let Some(tree) = tree {
            builder = builder.with_tree_data(ExportedTree::from_bytes(tree).unwrap());
        }
        if let Some(old) = old {
            builder = builder.with_removal(old);
        }
        let (group, commit) = builder.build(parse(group_info)).unwrap();
        self.group = Some(group);
        bytes(&commit)
    }

    /// As [`Self::join_by_external_commit`], with a pre-shared key mixed in.
    pub(crate) fn join_by_external_commit_with_psk(&mut self, group_info: &[u8], id: &[u8]) -> Vec<u8> {
        let builder = self.client.external_commit_builder().unwrap();
        let builder = builder.with_external_psk(id.to_vec().into());
        let (group, commit) = builder.build(parse(group_info)).unwrap();
        self.group = Some(group);
        bytes(&commit)
    }

    pub(crate) fn register_psk(&self, id: &[u8], secret: &[u8]) {
        let mut store = self.client.secret_store();
        store.insert(id.to_vec().into(), secret.to_vec().into());
    }

    /// Asks from outside to be added.
    pub(crate) fn ask_to_join(&self, group_info: &[u8]) -> Vec<u8> {
        let (info, none) = (parse(group_info), ExtensionList::new);
        let proposal = self
            .client
            .external_add_proposal(&info, None, vec![], none(), none(), None);
        bytes(&proposal.unwrap())
    }

    /// Makes a Commit of what `fill` puts in and of the proposals that wait; it is merged by [`Self::merge`].
    pub(crate) fn commit<F>(&mut self, fill: F) -> Made
    where
        F: FnOnce(CommitBuilder<'_, Config>) -> Result<CommitBuilder<'_, Config>, MlsError>,
    {
        let made = fill(self.group().commit_builder()).unwrap().build().unwrap();
        assert!(made.unused_proposals.is_empty(), "{}", self.name);
        assert!(made.welcome_messages.len() <= 1);
        Made {
            commit: bytes(&made.commit_message),
            welcome: made.welcome_messages.first().map(bytes),
        }
    }

    pub(crate) fn merge(&mut self) -> CommitMessageDescription {
        self.group().apply_pending_commit().unwrap()
    }

    pub(crate) fn clear(&mut self) {
        self.group().clear_pending_commit();
    }

    pub(crate) fn process(&mut self, message: &[u8]) -> Result<ReceivedMessage, MlsError> {
        self.group().process_incoming_message(parse(message))
    }

    /// Processes a Commit of another member; whether this one is still in the group.
    pub(crate) fn follow(&mut self, commit: &[u8]) -> bool {
        match self.process(commit).unwrap() {
            ReceivedMessage::Commit(commit) => matches!(commit.effect, CommitEffect::NewEpoch(_)),
            other => panic!("{}: {other:?}", self.name),
        }
    }

    pub(crate) fn queue(&mut self, proposal: &[u8]) {
        match self.process(proposal).unwrap() {
            ReceivedMessage::Proposal(_) => {}
            other => panic!("{}: {other:?}", self.name),
        }
    }

    pub(crate) fn send(&mut self, text: &str) -> Vec<u8> {
        let message = self
            .group()
            .encrypt_application_message(text.as_bytes(), Vec::new());
        bytes(&message.unwrap())
    }

    pub(crate) fn read(&mut self, message: &[u8]) -> String {
        match self.process(message).unwrap() {
            ReceivedMessage::ApplicationMessage(message) => {
                String::from_utf8(message.data().to_vec()).unwrap()
            }
            other => panic!("{}: {other:?}", self.name),
        }
    }

    pub(crate) fn group_info(&self, with_ratchet_tree: bool) -> Vec<u8> {
        let info = self
            .current()
            .group_info_message_allowing_ext_commit(with_ratchet_tree);
        bytes(&info.unwrap())
    }

    pub(crate) fn tree(&self) -> Vec<u8> {
        self.current().export_tree().to_bytes().unwrap()
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.current().current_epoch()
    }

    pub(crate) fn authenticator(&self) -> Vec<u8> {
        self.current().epoch_authenticator().unwrap().to_vec()
    }

    pub(crate) fn export(&self, label: &str, context: &[u8], length: usize) -> Vec<u8> {
        let secret = self.current().export_secret(label.as_bytes(), context, length);
        secret.unwrap().to_vec()
    }

    /// Leaf, name and signature key of each member.
    pub(crate) fn members(&self) -> Vec<(u32, String, Vec<u8>)> {
        self.current()
            .roster()
            .members_iter()
            .map(|member| {
                let identity = member.signing_identity;
                let name = identity.credential.as_basic().unwrap().identifier.clone();
                (
                    member.index,
                    String::from_utf8(name).unwrap(),
                    identity.signature_key.to_vec(),
                )
            })
            .collect()
    }

    /// A new signature key under the same name, for an update of the identity.
    pub(crate) fn new_identity(&self) -> (mls_rs::crypto::SignatureSecretKey, SigningIdentity) {
        let (secret, public) = RustCryptoProvider::new()
            .cipher_suite_provider(self.suite)
            .unwrap()
            .signature_key_generate()
            .unwrap();
        let credential = BasicCredential::new(self.name.as_bytes().to_vec()).into_credential();
        (secret, SigningIdentity::new(credential, public))
    }
}

pub(crate) fn parse(bytes: &[u8]) -> MlsMessage {
    MlsMessage::from_bytes(bytes).unwrap()
}

pub(crate) fn bytes(message: &MlsMessage) -> Vec<u8> {
    message.to_bytes().unwrap()
}

fn suite(suite: Ciphersuite) -> CipherSuite {
    match suite {
        Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519 => CipherSuite::CURVE25519_AES128,
        Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519 => CipherSuite::CURVE25519_CHACHA,
        Ciphersuite::MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519 => panic!("mls-rs has no X-Wing"),
    }
}
