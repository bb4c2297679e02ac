//! Storage for OpenMLS in memory, which from a moment on drops what it is given: reads find what was there before, and
//! the key pairs of the groups' own leaves and paths, without which no further Commit could be processed.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    convert::Infallible,
};

use openmls_traits::storage::{CURRENT_VERSION, StorageProvider, traits};
use serde::{Serialize, de::DeserializeOwned};

const V: u16 = CURRENT_VERSION;

pub(crate) type Values = HashMap<Vec<u8>, Vec<u8>>;

#[derive(Default)]
pub(crate) struct Memory {
    values: RefCell<Values>,
    drops: Cell<bool>,
}

fn encode(value: &(impl Serialize + ?Sized)) -> Vec<u8> {
    rmp_serde::to_vec_named(value).unwrap()
}

impl Memory {
    pub(crate) fn new(values: Values) -> Self {
        Self {
            values: RefCell::new(values),
            drops: Cell::new(false),
        }
    }

    pub(crate) fn values(&self) -> Values {
        self.values.borrow().clone()
    }

    pub(crate) fn drop_writes(&self) {
        self.drops.set(true);
    }

    fn keep(
        &self,
        kind: &str,
        key: impl Serialize,
        value: &(impl Serialize + ?Sized),
    ) -> Result<(), Infallible> {
        let key = encode(&(kind, key));
        self.values.borrow_mut().insert(key, encode(value));
        Ok(())
    }

    fn put(
        &self,
        kind: &str,
        key: impl Serialize,
        value: &(impl Serialize + ?Sized),
    ) -> Result<(), Infallible> {
        if self.drops.get() {
            return Ok(());
        }
        self.keep(kind, key, value)
    }

    fn get<T: DeserializeOwned>(&self, kind: &str, key: impl Serialize) -> Result<Option<T>, Infallible> {
        let values = self.values.borrow();
        let value = values.get(&encode(&(kind, key)));
        Ok(value.map(|value| rmp_serde::from_slice(value).unwrap()))
    }

    fn remove(&self, kind: &str, key: impl Serialize) -> Result<(), Infallible> {
        if !self.drops.get() {
            self.values.borrow_mut().remove(&encode(&(kind, key)));
        }
        Ok(())
    }
}

/// A value that a group has once.
macro_rules! group_value {
    ($entity:ident, $write:ident, $read:ident, $delete:ident) => {
        fn $write<G: traits::GroupId<V>, T: traits::$entity<V>>(
            &self,
            group: &G,
            value: &T,
        ) -> Result<(), Infallible> {
            self.put(stringify!($entity), group, value)
        }

        fn $read<G: traits::GroupId<V>, T: traits::$entity<V>>(
            &self,
            group: &G,
        ) -> Result<Option<T>, Infallible> {
            self.get(stringify!($entity), group)
        }

        fn $delete<G: traits::GroupId<V>>(&self, group: &G) -> Result<(), Infallible> {
            self.remove(stringify!($entity), group)
        }
    };
}

/// Something with a key of its own; the getters' generics differ in order.
macro_rules! keyed_value {
    ($key:ident, $entity:ident, $write:ident, $delete:ident) => {
        fn $write<K: traits::$key<V>, T: traits::$entity<V>>(
            &self,
            key: &K,
            value: &T,
        ) -> Result<(), Infallible> {
            self.put(stringify!($entity), key, value)
        }

        fn $delete<K: traits::$key<V>>(&self, key: &K) -> Result<(), Infallible> {
            self.remove(stringify!($entity), key)
        }
    };
}

impl StorageProvider<V> for Memory {
    type Error = Infallible;

    group_value!(
        MlsGroupJoinConfig,
        write_mls_join_config,
        mls_group_join_config,
        delete_group_config
    );
    group_value!(TreeSync, write_tree, tree, delete_tree);
    group_value!(
        InterimTranscriptHash,
        write_interim_transcript_hash,
        interim_transcript_hash,
        delete_interim_transcript_hash
    );
    group_value!(GroupContext, write_context, group_context, delete_context);
    group_value!(
        ConfirmationTag,
        write_confirmation_tag,
        confirmation_tag,
        delete_confirmation_tag
    );
    group_value!(
        MessageSecrets,
        write_message_secrets,
        message_secrets,
        delete_message_secrets
    );
    group_value!(
        ResumptionPskStore,
        write_resumption_psk_store,
        resumption_psk_store,
        delete_all_resumption_psk_secrets
    );
    group_value!(
        LeafNodeIndex,
        write_own_leaf_index,
        own_leaf_index,
        delete_own_leaf_index
    );
    group_value!(
        GroupEpochSecrets,
        write_group_epoch_secrets,
        group_epoch_secrets,
        delete_group_epoch_secrets
    );

    keyed_value!(
        SignaturePublicKey,
        SignatureKeyPair,
        write_signature_key_pair,
        delete_signature_key_pair
    );
    keyed_value!(HashReference, KeyPackage, write_key_package, delete_key_package);
    keyed_value!(PskId, PskBundle, write_psk, delete_psk);

    fn write_group_state<S: traits::GroupState<V>, G: traits::GroupId<V>>(
        &self,
        group: &G,
        state: &S,
    ) -> Result<(), Infallible> {
        self.put("GroupState", group, state)
    }

    fn group_state<S: traits::GroupState<V>, G: traits::GroupId<V>>(
        &self,
        group: &G,
    ) -> Result<Option<S>, Infallible> {
        self.get("GroupState", group)
    }

    fn delete_group_state<G: traits::GroupId<V>>(&self, group: &G) -> Result<(), Infallible> {
        self.remove("GroupState", group)
    }

    fn write_application_export_tree<G: traits::GroupId<V>, T: traits::ApplicationExportTree<V>>(
        &self,
        group: &G,
        tree: &T,
    ) -> Result<(), Infallible> {
        self.put("ApplicationExportTree", group, tree)
    }

    fn application_export_tree<G: traits::GroupId<V>, T: traits::ApplicationExportTree<V>>(
        &self,
        group: &G,
    ) -> Result<Option<T>, Infallible> {
        self.get("ApplicationExportTree", group)
    }

    fn delete_application_export_tree<G: traits::GroupId<V>, T: traits::ApplicationExportTree<V>>(
        &self,
        group: &G,
    ) -> Result<(), Infallible> {
        self.remove("ApplicationExportTree", group)
    }

    fn signature_key_pair<K: traits::SignaturePublicKey<V>, T: traits::SignatureKeyPair<V>>(
        &self,
        key: &K,
    ) -> Result<Option<T>, Infallible> {
        self.get("SignatureKeyPair", key)
    }

    fn key_package<K: traits::HashReference<V>, T: traits::KeyPackage<V>>(
        &self,
        key: &K,
    ) -> Result<Option<T>, Infallible> {
        self.get("KeyPackage", key)
    }

    fn psk<T: traits::PskBundle<V>, K: traits::PskId<V>>(&self, key: &K) -> Result<Option<T>, Infallible> {
        self.get("PskBundle", key)
    }

    // Kept: what is read again while the group is in memory.

    fn write_encryption_key_pair<K: traits::EncryptionKey<V>, T: traits::HpkeKeyPair<V>>(
        &self,
        key: &K,
        pair: &T,
    ) -> Result<(), Infallible> {
        self.keep("HpkeKeyPair", key, pair)
    }

    fn encryption_key_pair<T: traits::HpkeKeyPair<V>, K: traits::EncryptionKey<V>>(
        &self,
        key: &K,
    ) -> Result<Option<T>, Infallible> {
        self.get("HpkeKeyPair", key)
    }

    fn delete_encryption_key_pair<K: traits::EncryptionKey<V>>(&self, key: &K) -> Result<(), Infallible> {
        self.values.borrow_mut().remove(&encode(&("HpkeKeyPair", key)));
        Ok(())
    }

    fn write_encryption_epoch_key_pairs<
        G: traits::GroupId<V>,
        E: traits::EpochKey<V>,
        T: traits::HpkeKeyPair<V>,
    >(
        &self,
        group: &G,
        epoch: &E,
        leaf: u32,
        pairs: &[T],
    ) -> Result<(), Infallible> {
        self.keep("EpochKeyPairs", (group, epoch, leaf), pairs)
    }

    fn encryption_epoch_key_pairs<
        G: traits::GroupId<V>,
        E: traits::EpochKey<V>,
        T: traits::HpkeKeyPair<V>,
    >(
        &self,
        group: &G,
        epoch: &E,
        leaf: u32,
    ) -> Result<Vec<T>, Infallible> {
        let pairs = self.get("EpochKeyPairs", (group, epoch, leaf))?;
        Ok(pairs.unwrap_or_default())
    }

    fn delete_encryption_epoch_key_pairs<G: traits::GroupId<V>, E: traits::EpochKey<V>>(
        &self,
        group: &G,
        epoch: &E,
        leaf: u32,
    ) -> Result<(), Infallible> {
        let key = encode(&("EpochKeyPairs", (group, epoch, leaf)));
        self.values.borrow_mut().remove(&key);
        Ok(())
    }

    // Empty: no member of a bench proposes, and an own leaf is stored for an Update proposal only.

    fn append_own_leaf_node<G: traits::GroupId<V>, T: traits::LeafNode<V>>(
        &self,
        _group: &G,
        _leaf_node: &T,
    ) -> Result<(), Infallible> {
        Ok(())
    }

    fn own_leaf_nodes<G: traits::GroupId<V>, T: traits::LeafNode<V>>(
        &self,
        _group: &G,
    ) -> Result<Vec<T>, Infallible> {
        Ok(Vec::new())
    }

    fn delete_own_leaf_nodes<G: traits::GroupId<V>>(&self, _group: &G) -> Result<(), Infallible> {
        Ok(())
    }

    fn queue_proposal<G: traits::GroupId<V>, R: traits::ProposalRef<V>, T: traits::QueuedProposal<V>>(
        &self,
        _group: &G,
        _reference: &R,
        _proposal: &T,
    ) -> Result<(), Infallible> {
        Ok(())
    }

    fn queued_proposal_refs<G: traits::GroupId<V>, R: traits::ProposalRef<V>>(
        &self,
        _group: &G,
    ) -> Result<Vec<R>, Infallible> {
        Ok(Vec::new())
    }

    fn queued_proposals<G: traits::GroupId<V>, R: traits::ProposalRef<V>, T: traits::QueuedProposal<V>>(
        &self,
        _group: &G,
    ) -> Result<Vec<(R, T)>, Infallible> {
        Ok(Vec::new())
    }

    fn remove_proposal<G: traits::GroupId<V>, R: traits::ProposalRef<V>>(
        &self,
        _group: &G,
        _reference: &R,
    ) -> Result<(), Infallible> {
        Ok(())
    }

    fn clear_proposal_queue<G: traits::GroupId<V>, R: traits::ProposalRef<V>>(
        &self,
        _group: &G,
    ) -> Result<(), Infallible> {
        Ok(())
    }
}
