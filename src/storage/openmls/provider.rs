//! The trait itself: each method names its entity and hands over.
//!
//! Written out rather than folded into macros: the trait's generics differ in order and number, and a reader who
//! comes from an OpenMLS method finds it here by name.

use openmls_traits::storage::{CURRENT_VERSION, StorageProvider, traits};

use super::{
    OpenMlsStorage, group_key, group_state, group_state::Kind, index, key_package_key, key_packages,
    key_pairs, key_pairs::ByPublicKey, leaf_nodes, message_secrets, proposals, psks, tree as ratchet_tree,
};
use crate::storage::{ReadTx, StorageError, codec, seal::Index, tx::KeptFailure};

const V: u16 = CURRENT_VERSION;

/// An epoch's key pairs belong to one leaf: both make the row's key.
fn epoch_key(
    tx: &ReadTx<'_>,
    epoch: &impl traits::EpochKey<V>,
    leaf_index: u32,
) -> Result<Index, StorageError> {
    tx.index("epoch", &codec::encode(&(epoch, leaf_index))?)
}

impl StorageProvider<V> for OpenMlsStorage<'_> {
    type Error = KeptFailure;

    // Values of a group that exist once.

    fn write_mls_join_config<
        GroupId: traits::GroupId<V>,
        MlsGroupJoinConfig: traits::MlsGroupJoinConfig<V>,
    >(
        &self,
        group_id: &GroupId,
        config: &MlsGroupJoinConfig,
    ) -> Result<(), KeptFailure> {
        if self.forgets_configuration {
            return Ok(());
        }
        self.writing(|tx| group_state::write(tx, &group_key(tx, group_id)?, Kind::JoinConfig, config))
    }

    fn mls_group_join_config<
        GroupId: traits::GroupId<V>,
        MlsGroupJoinConfig: traits::MlsGroupJoinConfig<V>,
    >(
        &self,
        group_id: &GroupId,
    ) -> Result<Option<MlsGroupJoinConfig>, KeptFailure> {
        self.reading(|tx| group_state::read(tx, &group_key(tx, group_id)?, Kind::JoinConfig))
    }

    fn delete_group_config<GroupId: traits::GroupId<V>>(
        &self,
        group_id: &GroupId,
    ) -> Result<(), KeptFailure> {
        self.writing(|tx| group_state::delete(tx, &group_key(tx, group_id)?, Kind::JoinConfig))
    }

    fn write_tree<GroupId: traits::GroupId<V>, TreeSync: traits::TreeSync<V>>(
        &self,
        group_id: &GroupId,
        tree: &TreeSync,
    ) -> Result<(), KeptFailure> {
        self.writing(|tx| ratchet_tree::write(tx, &group_key(tx, group_id)?, tree))
    }

    fn tree<GroupId: traits::GroupId<V>, TreeSync: traits::TreeSync<V>>(
        &self,
        group_id: &GroupId,
    ) -> Result<Option<TreeSync>, KeptFailure> {
        self.reading(|tx| ratchet_tree::read(tx, &group_key(tx, group_id)?))
    }

    fn delete_tree<GroupId: traits::GroupId<V>>(&self, group_id: &GroupId) -> Result<(), KeptFailure> {
        self.writing(|tx| ratchet_tree::delete(tx, &group_key(tx, group_id)?))
    }

    fn write_interim_transcript_hash<
        GroupId: traits::GroupId<V>,
        InterimTranscriptHash: traits::InterimTranscriptHash<V>,
    >(
        &self,
        group_id: &GroupId,
        hash: &InterimTranscriptHash,
    ) -> Result<(), KeptFailure> {
        self.writing(|tx| {
            group_state::write(tx, &group_key(tx, group_id)?, Kind::InterimTranscriptHash, hash)
        })
    }

    fn interim_transcript_hash<
        GroupId: traits::GroupId<V>,
        InterimTranscriptHash: traits::InterimTranscriptHash<V>,
    >(
        &self,
        group_id: &GroupId,
    ) -> Result<Option<InterimTranscriptHash>, KeptFailure> {
        self.reading(|tx| group_state::read(tx, &group_key(tx, group_id)?, Kind::InterimTranscriptHash))
    }

    fn delete_interim_transcript_hash<GroupId: traits::GroupId<V>>(
        &self,
        group_id: &GroupId,
    ) -> Result<(), KeptFailure> {
        self.writing(|tx| group_state::delete(tx, &group_key(tx, group_id)?, Kind::InterimTranscriptHash))
    }

    fn write_context<GroupId: traits::GroupId<V>, GroupContext: traits::GroupContext<V>>(
        &self,
        group_id: &GroupId,
        context: &GroupContext,
    ) -> Result<(), KeptFailure> {
        self.writing(|tx| group_state::write(tx, &group_key(tx, group_id)?, Kind::Context, context))
    }

    fn group_context<GroupId: traits::GroupId<V>, GroupContext: traits::GroupContext<V>>(
        &self,
        group_id: &GroupId,
    ) -> Result<Option<GroupContext>, KeptFailure> {
        self.reading(|tx| group_state::read(tx, &group_key(tx, group_id)?, Kind::Context))
    }

    fn delete_context<GroupId: traits::GroupId<V>>(&self, group_id: &GroupId) -> Result<(), KeptFailure> {
        self.writing(|tx| group_state::delete(tx, &group_key(tx, group_id)?, Kind::Context))
    }

    fn write_confirmation_tag<GroupId: traits::GroupId<V>, ConfirmationTag: traits::ConfirmationTag<V>>(
        &self,
        group_id: &GroupId,
        tag: &ConfirmationTag,
    ) -> Result<(), KeptFailure> {
        self.writing(|tx| group_state::write(tx, &group_key(tx, group_id)?, Kind::ConfirmationTag, tag))
    }

    fn confirmation_tag<GroupId: traits::GroupId<V>, ConfirmationTag: traits::ConfirmationTag<V>>(
        &self,
        group_id: &GroupId,
    ) -> Result<Option<ConfirmationTag>, KeptFailure> {
        self.reading(|tx| group_state::read(tx, &group_key(tx, group_id)?, Kind::ConfirmationTag))
    }

    fn delete_confirmation_tag<GroupId: traits::GroupId<V>>(
        &self,
        group_id: &GroupId,
    ) -> Result<(), KeptFailure> {
        self.writing(|tx| group_state::delete(tx, &group_key(tx, group_id)?, Kind::ConfirmationTag))
    }

    fn write_group_state<GroupState: traits::GroupState<V>, GroupId: traits::GroupId<V>>(
        &self,
        group_id: &GroupId,
        state: &GroupState,
    ) -> Result<(), KeptFailure> {
        self.writing(|tx| group_state::write(tx, &group_key(tx, group_id)?, Kind::GroupState, state))
    }

    fn group_state<GroupState: traits::GroupState<V>, GroupId: traits::GroupId<V>>(
        &self,
        group_id: &GroupId,
    ) -> Result<Option<GroupState>, KeptFailure> {
        self.reading(|tx| group_state::read(tx, &group_key(tx, group_id)?, Kind::GroupState))
    }

    fn delete_group_state<GroupId: traits::GroupId<V>>(&self, group_id: &GroupId) -> Result<(), KeptFailure> {
        self.writing(|tx| group_state::delete(tx, &group_key(tx, group_id)?, Kind::GroupState))
    }

    fn write_message_secrets<GroupId: traits::GroupId<V>, MessageSecrets: traits::MessageSecrets<V>>(
        &self,
        group_id: &GroupId,
        secrets: &MessageSecrets,
    ) -> Result<(), KeptFailure> {
        self.writing(|tx| {
            if tx.defers_message_secrets() {
                return Ok(());
            }
            message_secrets::write(tx, &group_key(tx, group_id)?, secrets)
        })
    }

    fn message_secrets<GroupId: traits::GroupId<V>, MessageSecrets: traits::MessageSecrets<V>>(
        &self,
        group_id: &GroupId,
    ) -> Result<Option<MessageSecrets>, KeptFailure> {
        self.reading(|tx| message_secrets::read(tx, &group_key(tx, group_id)?))
    }

    fn delete_message_secrets<GroupId: traits::GroupId<V>>(
        &self,
        group_id: &GroupId,
    ) -> Result<(), KeptFailure> {
        self.writing(|tx| message_secrets::delete(tx, &group_key(tx, group_id)?))
    }

    fn write_resumption_psk_store<
        GroupId: traits::GroupId<V>,
        ResumptionPskStore: traits::ResumptionPskStore<V>,
    >(
        &self,
        group_id: &GroupId,
        psks: &ResumptionPskStore,
    ) -> Result<(), KeptFailure> {
        self.writing(|tx| group_state::write(tx, &group_key(tx, group_id)?, Kind::ResumptionPskStore, psks))
    }

    fn resumption_psk_store<
        GroupId: traits::GroupId<V>,
        ResumptionPskStore: traits::ResumptionPskStore<V>,
    >(
        &self,
        group_id: &GroupId,
    ) -> Result<Option<ResumptionPskStore>, KeptFailure> {
        self.reading(|tx| group_state::read(tx, &group_key(tx, group_id)?, Kind::ResumptionPskStore))
    }

    fn delete_all_resumption_psk_secrets<GroupId: traits::GroupId<V>>(
        &self,
        group_id: &GroupId,
    ) -> Result<(), KeptFailure> {
        self.writing(|tx| group_state::delete(tx, &group_key(tx, group_id)?, Kind::ResumptionPskStore))
    }

    fn write_own_leaf_index<GroupId: traits::GroupId<V>, LeafNodeIndex: traits::LeafNodeIndex<V>>(
        &self,
        group_id: &GroupId,
        leaf_index: &LeafNodeIndex,
    ) -> Result<(), KeptFailure> {
        self.writing(|tx| group_state::write(tx, &group_key(tx, group_id)?, Kind::OwnLeafIndex, leaf_index))
    }

    fn own_leaf_index<GroupId: traits::GroupId<V>, LeafNodeIndex: traits::LeafNodeIndex<V>>(
        &self,
        group_id: &GroupId,
    ) -> Result<Option<LeafNodeIndex>, KeptFailure> {
        self.reading(|tx| group_state::read(tx, &group_key(tx, group_id)?, Kind::OwnLeafIndex))
    }

    fn delete_own_leaf_index<GroupId: traits::GroupId<V>>(
        &self,
        group_id: &GroupId,
    ) -> Result<(), KeptFailure> {
        self.writing(|tx| group_state::delete(tx, &group_key(tx, group_id)?, Kind::OwnLeafIndex))
    }

    fn write_group_epoch_secrets<
        GroupId: traits::GroupId<V>,
        GroupEpochSecrets: traits::GroupEpochSecrets<V>,
    >(
        &self,
        group_id: &GroupId,
        secrets: &GroupEpochSecrets,
    ) -> Result<(), KeptFailure> {
        self.writing(|tx| group_state::write(tx, &group_key(tx, group_id)?, Kind::GroupEpochSecrets, secrets))
    }

    fn group_epoch_secrets<GroupId: traits::GroupId<V>, GroupEpochSecrets: traits::GroupEpochSecrets<V>>(
        &self,
        group_id: &GroupId,
    ) -> Result<Option<GroupEpochSecrets>, KeptFailure> {
        self.reading(|tx| group_state::read(tx, &group_key(tx, group_id)?, Kind::GroupEpochSecrets))
    }

    fn delete_group_epoch_secrets<GroupId: traits::GroupId<V>>(
        &self,
        group_id: &GroupId,
    ) -> Result<(), KeptFailure> {
        self.writing(|tx| group_state::delete(tx, &group_key(tx, group_id)?, Kind::GroupEpochSecrets))
    }

    fn write_application_export_tree<
        GroupId: traits::GroupId<V>,
        ApplicationExportTree: traits::ApplicationExportTree<V>,
    >(
        &self,
        group_id: &GroupId,
        tree: &ApplicationExportTree,
    ) -> Result<(), KeptFailure> {
        self.writing(|tx| {
            group_state::write(tx, &group_key(tx, group_id)?, Kind::ApplicationExportTree, tree)
        })
    }

    fn application_export_tree<
        GroupId: traits::GroupId<V>,
        ApplicationExportTree: traits::ApplicationExportTree<V>,
    >(
        &self,
        group_id: &GroupId,
    ) -> Result<Option<ApplicationExportTree>, KeptFailure> {
        self.reading(|tx| group_state::read(tx, &group_key(tx, group_id)?, Kind::ApplicationExportTree))
    }

    fn delete_application_export_tree<
        GroupId: traits::GroupId<V>,
        ApplicationExportTree: traits::ApplicationExportTree<V>,
    >(
        &self,
        group_id: &GroupId,
    ) -> Result<(), KeptFailure> {
        self.writing(|tx| group_state::delete(tx, &group_key(tx, group_id)?, Kind::ApplicationExportTree))
    }

    // Lists of a group.

    fn append_own_leaf_node<GroupId: traits::GroupId<V>, LeafNode: traits::LeafNode<V>>(
        &self,
        group_id: &GroupId,
        leaf_node: &LeafNode,
    ) -> Result<(), KeptFailure> {
        self.writing(|tx| leaf_nodes::append(tx, &group_key(tx, group_id)?, leaf_node))
    }

    fn own_leaf_nodes<GroupId: traits::GroupId<V>, LeafNode: traits::LeafNode<V>>(
        &self,
        group_id: &GroupId,
    ) -> Result<Vec<LeafNode>, KeptFailure> {
        self.reading(|tx| leaf_nodes::list(tx, &group_key(tx, group_id)?))
    }

    fn delete_own_leaf_nodes<GroupId: traits::GroupId<V>>(
        &self,
        group_id: &GroupId,
    ) -> Result<(), KeptFailure> {
        self.writing(|tx| leaf_nodes::clear(tx, &group_key(tx, group_id)?))
    }

    fn queue_proposal<
        GroupId: traits::GroupId<V>,
        ProposalRef: traits::ProposalRef<V>,
        QueuedProposal: traits::QueuedProposal<V>,
    >(
        &self,
        group_id: &GroupId,
        proposal_ref: &ProposalRef,
        proposal: &QueuedProposal,
    ) -> Result<(), KeptFailure> {
        self.writing(|tx| {
            let reference = index(tx, "proposal", proposal_ref)?;
            proposals::queue(
                tx,
                &group_key(tx, group_id)?,
                &reference,
                &(proposal_ref, proposal),
            )
        })
    }

    fn queued_proposals<
        GroupId: traits::GroupId<V>,
        ProposalRef: traits::ProposalRef<V>,
        QueuedProposal: traits::QueuedProposal<V>,
    >(
        &self,
        group_id: &GroupId,
    ) -> Result<Vec<(ProposalRef, QueuedProposal)>, KeptFailure> {
        self.reading(|tx| proposals::list(tx, &group_key(tx, group_id)?))
    }

    fn queued_proposal_refs<GroupId: traits::GroupId<V>, ProposalRef: traits::ProposalRef<V>>(
        &self,
        group_id: &GroupId,
    ) -> Result<Vec<ProposalRef>, KeptFailure> {
        // The proposal itself has a type that this method does not know, so it is skipped over.
        let entries: Vec<(ProposalRef, serde::de::IgnoredAny)> =
            self.reading(|tx| proposals::list(tx, &group_key(tx, group_id)?))?;
        Ok(entries.into_iter().map(|(reference, _)| reference).collect())
    }

    fn remove_proposal<GroupId: traits::GroupId<V>, ProposalRef: traits::ProposalRef<V>>(
        &self,
        group_id: &GroupId,
        proposal_ref: &ProposalRef,
    ) -> Result<(), KeptFailure> {
        self.writing(|tx| {
            let reference = index(tx, "proposal", proposal_ref)?;
            proposals::remove(tx, &group_key(tx, group_id)?, &reference)
        })
    }

    fn clear_proposal_queue<GroupId: traits::GroupId<V>, ProposalRef: traits::ProposalRef<V>>(
        &self,
        group_id: &GroupId,
    ) -> Result<(), KeptFailure> {
        self.writing(|tx| proposals::clear(tx, &group_key(tx, group_id)?))
    }

    fn write_encryption_epoch_key_pairs<
        GroupId: traits::GroupId<V>,
        EpochKey: traits::EpochKey<V>,
        HpkeKeyPair: traits::HpkeKeyPair<V>,
    >(
        &self,
        group_id: &GroupId,
        epoch: &EpochKey,
        leaf_index: u32,
        key_pairs: &[HpkeKeyPair],
    ) -> Result<(), KeptFailure> {
        self.writing(|tx| {
            let epoch = epoch_key(tx, epoch, leaf_index)?;
            key_pairs::write_epoch(tx, &group_key(tx, group_id)?, &epoch, key_pairs)
        })
    }

    fn encryption_epoch_key_pairs<
        GroupId: traits::GroupId<V>,
        EpochKey: traits::EpochKey<V>,
        HpkeKeyPair: traits::HpkeKeyPair<V>,
    >(
        &self,
        group_id: &GroupId,
        epoch: &EpochKey,
        leaf_index: u32,
    ) -> Result<Vec<HpkeKeyPair>, KeptFailure> {
        self.reading(|tx| {
            let epoch = epoch_key(tx, epoch, leaf_index)?;
            key_pairs::read_epoch(tx, &group_key(tx, group_id)?, &epoch)
        })
    }

    fn delete_encryption_epoch_key_pairs<GroupId: traits::GroupId<V>, EpochKey: traits::EpochKey<V>>(
        &self,
        group_id: &GroupId,
        epoch: &EpochKey,
        leaf_index: u32,
    ) -> Result<(), KeptFailure> {
        self.writing(|tx| {
            let epoch = epoch_key(tx, epoch, leaf_index)?;
            key_pairs::delete_epoch(tx, &group_key(tx, group_id)?, &epoch)
        })
    }

    // Keys that belong to no group.

    fn write_signature_key_pair<
        SignaturePublicKey: traits::SignaturePublicKey<V>,
        SignatureKeyPair: traits::SignatureKeyPair<V>,
    >(
        &self,
        public_key: &SignaturePublicKey,
        key_pair: &SignatureKeyPair,
    ) -> Result<(), KeptFailure> {
        self.writing(|tx| {
            key_pairs::write(
                tx,
                ByPublicKey::Signature,
                &index(tx, "public key", public_key)?,
                key_pair,
            )
        })
    }

    fn signature_key_pair<
        SignaturePublicKey: traits::SignaturePublicKey<V>,
        SignatureKeyPair: traits::SignatureKeyPair<V>,
    >(
        &self,
        public_key: &SignaturePublicKey,
    ) -> Result<Option<SignatureKeyPair>, KeptFailure> {
        self.reading(|tx| key_pairs::read(tx, ByPublicKey::Signature, &index(tx, "public key", public_key)?))
    }

    fn delete_signature_key_pair<SignaturePublicKey: traits::SignaturePublicKey<V>>(
        &self,
        public_key: &SignaturePublicKey,
    ) -> Result<(), KeptFailure> {
        self.writing(|tx| {
            key_pairs::delete(tx, ByPublicKey::Signature, &index(tx, "public key", public_key)?)
        })
    }

    fn write_encryption_key_pair<
        EncryptionKey: traits::EncryptionKey<V>,
        HpkeKeyPair: traits::HpkeKeyPair<V>,
    >(
        &self,
        public_key: &EncryptionKey,
        key_pair: &HpkeKeyPair,
    ) -> Result<(), KeptFailure> {
        self.writing(|tx| {
            key_pairs::write(
                tx,
                ByPublicKey::Encryption,
                &index(tx, "public key", public_key)?,
                key_pair,
            )
        })
    }

    fn encryption_key_pair<HpkeKeyPair: traits::HpkeKeyPair<V>, EncryptionKey: traits::EncryptionKey<V>>(
        &self,
        public_key: &EncryptionKey,
    ) -> Result<Option<HpkeKeyPair>, KeptFailure> {
        self.reading(|tx| key_pairs::read(tx, ByPublicKey::Encryption, &index(tx, "public key", public_key)?))
    }

    fn delete_encryption_key_pair<EncryptionKey: traits::EncryptionKey<V>>(
        &self,
        public_key: &EncryptionKey,
    ) -> Result<(), KeptFailure> {
        self.writing(|tx| {
            key_pairs::delete(tx, ByPublicKey::Encryption, &index(tx, "public key", public_key)?)
        })
    }

    fn write_key_package<HashReference: traits::HashReference<V>, KeyPackage: traits::KeyPackage<V>>(
        &self,
        reference: &HashReference,
        key_package: &KeyPackage,
    ) -> Result<(), KeptFailure> {
        self.writing(|tx| key_packages::write(tx, &key_package_key(tx, reference)?, key_package))
    }

    fn key_package<HashReference: traits::HashReference<V>, KeyPackage: traits::KeyPackage<V>>(
        &self,
        reference: &HashReference,
    ) -> Result<Option<KeyPackage>, KeptFailure> {
        self.reading(|tx| key_packages::read(tx, &key_package_key(tx, reference)?))
    }

    fn delete_key_package<HashReference: traits::HashReference<V>>(
        &self,
        reference: &HashReference,
    ) -> Result<(), KeptFailure> {
        self.writing(|tx| key_packages::delete(tx, &key_package_key(tx, reference)?))
    }

    fn write_psk<PskId: traits::PskId<V>, PskBundle: traits::PskBundle<V>>(
        &self,
        psk_id: &PskId,
        psk: &PskBundle,
    ) -> Result<(), KeptFailure> {
        self.writing(|tx| psks::write(tx, &index(tx, "psk", psk_id)?, &codec::encode(psk_id)?, psk))
    }

    fn psk<PskBundle: traits::PskBundle<V>, PskId: traits::PskId<V>>(
        &self,
        psk_id: &PskId,
    ) -> Result<Option<PskBundle>, KeptFailure> {
        self.reading(|tx| psks::read(tx, &index(tx, "psk", psk_id)?))
    }

    fn delete_psk<PskId: traits::PskId<V>>(&self, psk_id: &PskId) -> Result<(), KeptFailure> {
        self.writing(|tx| psks::delete(tx, &index(tx, "psk", psk_id)?))
    }
}
