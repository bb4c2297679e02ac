//! A member that is no client of this library: OpenMLS itself, for messages that the facade does not make
//! yet.

#![allow(clippy::indexing_slicing, reason = "test code")]

use openmls::{
    prelude::{
        BasicCredential, Capabilities, Ciphersuite, Credential, CredentialType, CredentialWithKey, Extension,
        Extensions, ExternalProposal, ExternalSender, GroupContext, GroupEpoch, GroupId, JoinProposal,
        KeyPackage, KeyPackageBuilder, KeyPackageBundle, KeyPackageIn, LeafNodeIndex, LeafNodeParameters,
        Lifetime, MIXED_CIPHERTEXT_WIRE_FORMAT_POLICY, MIXED_PLAINTEXT_WIRE_FORMAT_POLICY, MlsGroup,
        MlsGroupCreateConfig, MlsGroupJoinConfig, MlsMessageBodyIn, MlsMessageIn, MlsMessageOut,
        OpenMlsProvider, PreSharedKeyProposal, ProcessedMessageContent, Proposal, ProposalType,
        ProtocolVersion, RequiredCapabilitiesExtension, SenderExtensionIndex, StagedWelcome,
        tls_codec::{DeserializeBytes as _, Serialize as _, VLBytes},
    },
    schedule::{
        ExternalPsk, PreSharedKeyId, Psk,
        psk::{ResumptionPsk, ResumptionPskUsage},
    },
};
use openmls_libcrux_crypto::Provider;
use openmls_traits::{
    crypto::OpenMlsCrypto as _,
    signatures::{Signer, SignerError},
    storage::StorageProvider as _,
    types::SignatureScheme,
};
use serde::{Deserialize, Serialize};

const SUITE: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519;

/// OpenMLS with its state in memory.
pub struct RawPeer {
    provider: Provider,
    signer: Key,
    credential: CredentialWithKey,
    group: Option<MlsGroup>,
}

/// What an external sender proposes.
#[derive(Clone)]
pub enum FromOutside<'k> {
    Add(&'k [u8]),
    Remove(u32),
    NoExtensions,
    Extensions(Extensions<GroupContext>),
}

/// A peer in a group, as bytes.
#[derive(Clone, Serialize, Deserialize)]
pub struct SavedPeer {
    storage: Vec<(Vec<u8>, Vec<u8>)>,
    signing_key: Vec<u8>,
    signature_key: Vec<u8>,
    identity: Vec<u8>,
    group_id: Vec<u8>,
}

/// What goes into a Commit of [`RawPeer::try_commit`].
#[derive(Default)]
pub struct CommitParts {
    pub adds: Vec<Vec<u8>>,
    pub removed: Vec<u32>,
    pub psks: Vec<Psk>,
    pub proposals: Vec<Proposal>,
    pub group_context_extensions: Option<Extensions<GroupContext>>,
    pub with_path: bool,
    pub leaf_node: LeafNodeParameters,
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
        Self::with_certificate(|_| credential)
    }

    /// With a credential that may depend on its public key.
    pub fn with_certificate(certify: impl FnOnce(&[u8]) -> Credential) -> Self {
        let provider = Provider::new().unwrap();
        let (private, public) = provider
            .crypto()
            .signature_key_gen(SignatureScheme::ED25519)
            .unwrap();
        let credential = certify(&public);
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
        to_bytes(MlsMessageOut::from(self.new_key_package()))
    }

    /// The same keys, in no group.
    pub fn elsewhere(&self) -> Self {
        Self {
            provider: Provider::new().unwrap(),
            signer: Key(Provider::new().unwrap(), self.signer.1.clone()),
            credential: self.credential.clone(),
            group: None,
        }
    }

    pub fn save(&self) -> SavedPeer {
        let values = self.provider.storage().values.read().unwrap();
        SavedPeer {
            storage: values.clone().into_iter().collect(),
            signing_key: self.signer.1.clone(),
            signature_key: self.signature_key(),
            identity: self.credential.credential.serialized_content().to_vec(),
            group_id: self.group.as_ref().unwrap().group_id().to_vec(),
        }
    }

    pub fn restore(saved: &SavedPeer) -> Self {
        let provider = Provider::new().unwrap();
        *provider.storage().values.write().unwrap() = saved.storage.iter().cloned().collect();
        let group = MlsGroup::load(provider.storage(), &GroupId::from_slice(&saved.group_id));
        Self {
            group: group.unwrap(),
            provider,
            signer: Key(Provider::new().unwrap(), saved.signing_key.clone()),
            credential: CredentialWithKey {
                credential: BasicCredential::new(saved.identity.clone()).into(),
                signature_key: saved.signature_key.clone().into(),
            },
        }
    }

    /// The private key that opens a Welcome to one of its key packages; joining deletes it.
    pub fn init_private_key(&self, key_package: &[u8]) -> Vec<u8> {
        let reference = self
            .parse_key_package(key_package)
            .hash_ref(self.provider.crypto());
        let bundle: Option<KeyPackageBundle> =
            self.provider.storage().key_package(&reference.unwrap()).unwrap();
        bundle.unwrap().init_private_key().to_vec()
    }

    pub fn signing_key(&self) -> &[u8] {
        &self.signer.1
    }

    pub fn leaf_index(&self) -> u32 {
        self.group.as_ref().unwrap().own_leaf_index().u32()
    }

    pub fn leaf_count(&self) -> usize {
        self.group.as_ref().unwrap().members().count()
    }

    /// Valid between these times, in seconds since 1970.
    pub fn key_package_between(&self, not_before: u64, not_after: u64) -> Vec<u8> {
        let builder = KeyPackage::builder().key_package_lifetime(Lifetime::init(not_before, not_after));
        to_bytes(MlsMessageOut::from(self.build(builder)))
    }

    fn new_key_package(&self) -> KeyPackage {
        self.build(KeyPackage::builder())
    }

    fn build(&self, builder: KeyPackageBuilder) -> KeyPackage {
        builder
            .leaf_node_capabilities(capabilities())
            .build(SUITE, &self.provider, &self.signer, self.credential.clone())
            .unwrap()
            .into_key_package()
    }

    /// Asks from outside to be added to a group that it knows by name and epoch only.
    pub fn ask_to_join(&self, group_id: &[u8], epoch: u64) -> Vec<u8> {
        type Storage = <Provider as OpenMlsProvider>::StorageProvider;
        let group_id = GroupId::from_slice(group_id);
        let proposal =
            JoinProposal::new::<Storage>(self.new_key_package(), group_id, epoch.into(), &self.signer);
        to_bytes(proposal.unwrap())
    }

    /// Joins by an external Commit, for which a GroupInfo with the tree is enough.
    pub fn join_by_external_commit(&mut self, group_info: &[u8]) -> Vec<u8> {
        let MlsMessageBodyIn::GroupInfo(group_info) = parse(group_info) else {
            panic!("no GroupInfo")
        };
        let leaf_node = LeafNodeParameters::builder()
            .with_capabilities(capabilities())
            .build();
        let (group, bundle) = MlsGroup::external_commit_builder()
            .with_config(MlsGroupJoinConfig::builder().build())
            .build_group(&self.provider, group_info, self.credential.clone())
            .unwrap()
            .leaf_node_parameters(leaf_node)
            .load_psks(self.provider.storage())
            .unwrap()
            .build(self.provider.rand(), self.provider.crypto(), &self.signer, |_| {
                true
            })
            .unwrap()
            .finalize(&self.provider)
            .unwrap();
        self.group = Some(group);
        to_bytes(bundle.into_commit())
    }

    /// A GroupInfo of the group with its tree, rightly signed, of which `keep` decides the extensions by their type.
    pub fn group_info(&self, epoch: Option<u64>, keep: impl Fn(u16) -> bool) -> Vec<u8> {
        let group = self.group.as_ref().unwrap();
        let message = group
            .export_group_info(self.provider.crypto(), &self.signer, true)
            .unwrap();
        let message = to_bytes(message);
        // version, wire format; then version, ciphersuite and group id of the GroupContext
        let (head, rest) = message.split_at(4);
        let id_end = rest.len() - opaque(&rest[4..]).1.len();
        let mut context = rest[..id_end].to_vec();
        context.extend_from_slice(&epoch.unwrap_or(group.epoch().as_u64()).to_be_bytes());
        let mut rest = &rest[id_end + 8..];
        // tree hash, confirmed transcript hash, extensions of the GroupContext
        for _ in 0..3 {
            let after = opaque(rest).1;
            context.extend_from_slice(&rest[..rest.len() - after.len()]);
            rest = after;
        }
        let (mut extensions, rest) = opaque(rest);
        let mut kept = Vec::new();
        while !extensions.is_empty() {
            let after = opaque(&extensions[2..]).1;
            let (extension, _) = extensions.split_at(extensions.len() - after.len());
            if keep(u16::from_be_bytes([extension[0], extension[1]])) {
                kept.extend_from_slice(extension);
            }
            extensions = after;
        }
        let confirmation_tag_and_signer = &rest[..rest.len() - opaque(rest).1.len() + 4];
        let content = [&context, &vector(&kept), confirmation_tag_and_signer].concat();
        let to_sign = [vector(b"MLS 1.0 GroupInfoTBS"), vector(&content)].concat();
        let signature = self.signer.sign(&to_sign).unwrap();
        [head, &content, &vector(&signature)].concat()
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
        let config = MlsGroupJoinConfig::builder()
            .wire_format_policy(policy)
            .number_of_resumption_psks(3)
            .build();
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

    /// A group of its own, which members must support a proposal type for.
    pub fn create_group_that_requires_a_proposal_type(&mut self, proposal_type: u16) {
        let proposal_type = ProposalType::Custom(proposal_type);
        let required = RequiredCapabilitiesExtension::new(&[], &[proposal_type], &[]);
        let capabilities = Capabilities::builder().proposals(vec![proposal_type]).build();
        let config = MlsGroupCreateConfig::builder()
            .ciphersuite(SUITE)
            .capabilities(capabilities)
            .with_group_context_extensions(
                Extensions::single(Extension::RequiredCapabilities(required)).unwrap(),
            )
            .build();
        let group = MlsGroup::new(&self.provider, &self.signer, &config, self.credential.clone());
        self.group = Some(group.unwrap());
    }

    /// A group of its own, whose Welcomes carry the tree.
    pub fn create_group(&mut self) {
        let config = MlsGroupCreateConfig::builder()
            .ciphersuite(SUITE)
            .use_ratchet_tree_extension(true)
            .build();
        let group = MlsGroup::new(&self.provider, &self.signer, &config, self.credential.clone());
        self.group = Some(group.unwrap());
    }

    /// Adds and merges: the Welcome.
    pub fn add(&mut self, key_package: &[u8]) -> Vec<u8> {
        let key_package = self.parse_key_package(key_package);
        let group = self.group.as_mut().unwrap();
        let (_, welcome, _) = group
            .add_members(&self.provider, &self.signer, &[key_package])
            .unwrap();
        group.merge_pending_commit(&self.provider).unwrap();
        to_bytes(welcome)
    }

    /// Adds and at once requires a proposal type of everybody, without a look at who supports it: the Welcome.
    pub fn add_and_require(&mut self, key_package: &[u8], proposal_type: u16) -> Vec<u8> {
        let key_package = self.parse_key_package(key_package);
        let proposal_type = ProposalType::Custom(proposal_type);
        let required = RequiredCapabilitiesExtension::new(&[], &[proposal_type], &[]);
        let extensions = Extensions::single(Extension::RequiredCapabilities(required)).unwrap();
        let able = Capabilities::builder().proposals(vec![proposal_type]).build();
        let leaf_node = LeafNodeParameters::builder().with_capabilities(able).build();
        let provider = &self.provider;
        let group = self.group.as_mut().unwrap();
        let bundle = group
            .commit_builder()
            .leaf_node_parameters(leaf_node)
            .propose_adds([key_package])
            .propose_group_context_extensions(extensions)
            .unwrap()
            .load_psks(provider.storage())
            .unwrap()
            .build(provider.rand(), provider.crypto(), &self.signer, |_| true)
            .unwrap()
            .stage_commit(provider)
            .unwrap();
        group.merge_pending_commit(provider).unwrap();
        to_bytes(bundle.into_messages().1.unwrap())
    }

    pub fn ratchet_tree(&self) -> Vec<u8> {
        let tree = self.group.as_ref().unwrap().export_ratchet_tree();
        tree.tls_serialize_detached().unwrap()
    }

    /// Makes itself the group's external sender, by a Commit that it merges.
    pub fn become_external_sender(&mut self) -> Vec<u8> {
        let CredentialWithKey {
            credential,
            signature_key,
        } = self.credential.clone();
        let senders = Extension::ExternalSenders(vec![ExternalSender::new(signature_key, credential)]);
        let group = self.group.as_mut().unwrap();
        let (commit, _, _) = group
            .update_group_context_extensions(
                &self.provider,
                Extensions::single(senders).unwrap(),
                &self.signer,
            )
            .unwrap();
        group.merge_pending_commit(&self.provider).unwrap();
        to_bytes(commit)
    }

    /// As the group's external sender, proposes to add somebody.
    pub fn propose_add_from_outside(&self, group_id: &[u8], epoch: u64, key_package: &[u8]) -> Vec<u8> {
        let proposal = ExternalProposal::new_add::<Provider>(
            self.parse_key_package(key_package),
            GroupId::from_slice(group_id),
            epoch.into(),
            &self.signer,
            SenderExtensionIndex::new(0),
        );
        to_bytes(proposal.unwrap())
    }

    fn parse_key_package(&self, key_package: &[u8]) -> KeyPackage {
        let MlsMessageBodyIn::KeyPackage(key_package) = parse(key_package) else {
            panic!("no key package")
        };
        validate(key_package, &self.provider)
    }

    pub fn propose_add(&mut self, key_package: &[u8]) -> Vec<u8> {
        let MlsMessageBodyIn::KeyPackage(key_package) = parse(key_package) else {
            panic!("no key package")
        };
        let key_package = validate(key_package, &self.provider);
        let group = self.group.as_mut().unwrap();
        let (message, _) = group
            .propose_add_member(&self.provider, &self.signer, &key_package)
            .unwrap();
        to_bytes(message)
    }

    pub fn propose_self_update(&mut self) -> Vec<u8> {
        let group = self.group.as_mut().unwrap();
        let (message, _) = group
            .propose_self_update(&self.provider, &self.signer, LeafNodeParameters::default())
            .unwrap();
        to_bytes(message)
    }

    pub fn register_psk(&self, id: &[u8], secret: &[u8]) {
        let id = PreSharedKeyId::external(id.to_vec(), Vec::new());
        id.store(&self.provider, secret).unwrap();
    }

    fn with_nonce(&self, psk: Psk) -> PreSharedKeyId {
        PreSharedKeyId::new(SUITE, self.provider.rand(), psk).unwrap()
    }

    /// Proposes what nobody needs to have.
    pub fn propose_psk(&mut self, psk: Psk) -> Vec<u8> {
        let id = self.with_nonce(psk);
        self.propose_psk_id(id)
    }

    pub fn propose_psk_id(&mut self, id: PreSharedKeyId) -> Vec<u8> {
        let group = self.group.as_mut().unwrap();
        group.clear_pending_commit(self.provider.storage()).unwrap();
        let (message, _) = group
            .propose_pre_shared_key(&self.provider, &self.signer, id)
            .unwrap();
        to_bytes(message)
    }

    /// Queues another member's proposal.
    pub fn queue(&mut self, proposal: &[u8]) {
        let message = MlsMessageIn::tls_deserialize_exact_bytes(proposal).unwrap();
        let group = self.group.as_mut().unwrap();
        let processed = group
            .process_message(&self.provider, message.try_into_protocol_message().unwrap())
            .unwrap();
        let ProcessedMessageContent::ProposalMessage(queued) = processed.into_content() else {
            panic!("no proposal")
        };
        group
            .store_pending_proposal(self.provider.storage(), *queued)
            .unwrap();
    }

    /// A Commit with these proposals by value, whatever RFC 9420 says of them. It is not merged: the next one replaces it.
    pub fn commit(&mut self, add: Option<&[u8]>, psks: &[Psk]) -> Vec<u8> {
        let adds = add.map(|bytes| {
            let MlsMessageBodyIn::KeyPackage(key_package) = parse(bytes) else {
                panic!("no key package")
            };
            validate(key_package, &self.provider)
        });
        let psks: Vec<Proposal> = psks
            .iter()
            .map(|psk| {
                Proposal::PreSharedKey(Box::new(PreSharedKeyProposal::new(self.with_nonce(psk.clone()))))
            })
            .collect();
        let group = self.group.as_mut().unwrap();
        group.clear_pending_commit(self.provider.storage()).unwrap();
        let bundle = group
            .commit_builder()
            .propose_adds(adds)
            .add_proposals(psks)
            .load_psks(self.provider.storage())
            .unwrap()
            .build(self.provider.rand(), self.provider.crypto(), &self.signer, |_| {
                true
            })
            .unwrap()
            .stage_commit(&self.provider)
            .unwrap();
        to_bytes(bundle.into_commit())
    }

    /// Merges the Commit of [`Self::commit`].
    pub fn merge(&mut self) {
        let group = self.group.as_mut().unwrap();
        group.merge_pending_commit(&self.provider).unwrap();
    }

    /// A Commit with all this and nothing from the queue, if OpenMLS makes it. It is not merged: the next one
    /// replaces it.
    pub fn try_commit(&mut self, parts: CommitParts) -> Option<Vec<u8>> {
        let adds: Vec<KeyPackage> = parts
            .adds
            .iter()
            .map(|bytes| self.try_key_package(bytes))
            .collect::<Option<_>>()?;
        let psks = parts
            .psks
            .into_iter()
            .map(|psk| Proposal::PreSharedKey(Box::new(PreSharedKeyProposal::new(self.with_nonce(psk)))));
        let proposals: Vec<_> = psks.chain(parts.proposals).collect();
        let group = self.group.as_mut()?;
        group.clear_pending_commit(self.provider.storage()).unwrap();
        group.clear_pending_proposals(self.provider.storage()).unwrap();
        let mut builder = group
            .commit_builder()
            .force_self_update(parts.with_path)
            .propose_adds(adds)
            .propose_removals(parts.removed.into_iter().map(LeafNodeIndex::new))
            .add_proposals(proposals)
            .leaf_node_parameters(parts.leaf_node);
        if let Some(extensions) = parts.group_context_extensions {
            builder = builder.propose_group_context_extensions(extensions).ok()?;
        }
        let bundle = builder
            .load_psks(self.provider.storage())
            .ok()?
            .build(self.provider.rand(), self.provider.crypto(), &self.signer, |_| {
                true
            })
            .ok()?
            .stage_commit(&self.provider)
            .ok()?;
        Some(to_bytes(bundle.into_commit()))
    }

    fn try_key_package(&self, bytes: &[u8]) -> Option<KeyPackage> {
        let message = MlsMessageIn::tls_deserialize_exact_bytes(bytes).ok()?;
        let MlsMessageBodyIn::KeyPackage(key_package) = message.extract() else {
            return None;
        };
        key_package
            .validate(self.provider.crypto(), ProtocolVersion::Mls10)
            .ok()
    }

    /// Processes a Commit of another member.
    pub fn follow(&mut self, commit: &[u8]) {
        let message = MlsMessageIn::tls_deserialize_exact_bytes(commit).unwrap();
        let group = self.group.as_mut().unwrap();
        let processed = group
            .process_message(&self.provider, message.try_into_protocol_message().unwrap())
            .unwrap();
        let ProcessedMessageContent::StagedCommitMessage(staged) = processed.into_content() else {
            panic!("no Commit")
        };
        group.merge_staged_commit(&self.provider, *staged).unwrap();
    }

    /// Commits what is in its queue, and merges that.
    pub fn commit_queue(&mut self) -> Vec<u8> {
        let group = self.group.as_mut().unwrap();
        let (commit, _, _) = group
            .commit_to_pending_proposals(&self.provider, &self.signer)
            .unwrap();
        group.merge_pending_commit(&self.provider).unwrap();
        to_bytes(commit)
    }

    /// The content of an external senders extension that names this peer only.
    pub fn as_external_sender(&self) -> Vec<u8> {
        let CredentialWithKey {
            credential,
            signature_key,
        } = self.credential.clone();
        vec![ExternalSender::new(signature_key, credential)]
            .tls_serialize_detached()
            .unwrap()
    }

    pub fn signature_key(&self) -> Vec<u8> {
        self.credential.signature_key.as_slice().to_vec()
    }

    /// Proposes to a group as its first external sender.
    pub fn propose_from_outside(&self, group_id: &[u8], epoch: u64, proposal: FromOutside<'_>) -> Vec<u8> {
        let (id, epoch) = (GroupId::from_slice(group_id), GroupEpoch::from(epoch));
        let (signer, index) = (&self.signer, SenderExtensionIndex::new(0));
        let message =
            match proposal {
                FromOutside::Add(key_package) => {
                    let MlsMessageBodyIn::KeyPackage(key_package) = parse(key_package) else {
                        panic!("no key package")
                    };
                    let key_package = validate(key_package, &self.provider);
                    ExternalProposal::new_add::<Provider>(key_package, id, epoch, signer, index).unwrap()
                }
                FromOutside::Remove(leaf_index) => {
                    let removed = LeafNodeIndex::new(leaf_index);
                    ExternalProposal::new_remove::<Provider>(removed, id, epoch, signer, index).unwrap()
                }
                FromOutside::NoExtensions => {
                    return self.propose_from_outside(
                        group_id,
                        epoch.as_u64(),
                        FromOutside::Extensions(Extensions::empty()),
                    );
                }
                FromOutside::Extensions(extensions) => ExternalProposal::new_group_context_extensions::<
                    Provider,
                >(extensions, id, epoch, signer, index)
                .unwrap(),
            };
        to_bytes(message)
    }

    pub fn authenticator(&self) -> Vec<u8> {
        self.group
            .as_ref()
            .unwrap()
            .epoch_authenticator()
            .as_slice()
            .to_vec()
    }

    pub fn propose_remove(&mut self, leaf_index: u32) -> Vec<u8> {
        let group = self.group.as_mut().unwrap();
        let (message, _) = group
            .propose_remove_member(&self.provider, &self.signer, LeafNodeIndex::new(leaf_index))
            .unwrap();
        to_bytes(message)
    }
}

pub fn external_psk(id: &[u8]) -> Psk {
    Psk::External(ExternalPsk::new(id.to_vec()))
}

pub fn resumption_psk(group_id: &[u8], epoch: u64) -> Psk {
    Psk::Resumption(ResumptionPsk::new(
        ResumptionPskUsage::Application,
        GroupId::from_slice(group_id),
        epoch.into(),
    ))
}

/// Of a use that is not for a group's own epochs.
pub fn branch_psk(group_id: &[u8], epoch: u64) -> Psk {
    Psk::Resumption(ResumptionPsk::new(
        ResumptionPskUsage::Branch,
        GroupId::from_slice(group_id),
        epoch.into(),
    ))
}

/// The vector at the start of `bytes`, and what follows it.
fn opaque(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (content, rest) = VLBytes::tls_deserialize_bytes(bytes).unwrap();
    let end = bytes.len() - rest.len();
    (&bytes[end - content.as_slice().len()..end], rest)
}

fn vector(content: &[u8]) -> Vec<u8> {
    VLBytes::new(content.to_vec()).tls_serialize_detached().unwrap()
}

fn capabilities() -> Capabilities {
    Capabilities::builder()
        .credentials(vec![CredentialType::Basic, CredentialType::X509])
        .build()
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
