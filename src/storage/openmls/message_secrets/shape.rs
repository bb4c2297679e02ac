//! The structs of OpenMLS that hold message secrets, as they name themselves and their fields to serde.

use crate::storage::secret_parts::List;

/// A struct of OpenMLS 0.9.2, as it names itself to serde.
pub(super) struct Shape {
    pub(super) name: &'static str,
    pub(super) fields: &'static [(&'static str, Field)],
}

/// What becomes of a field.
#[derive(Clone, Copy)]
pub(super) enum Field {
    /// Encoded into the skeleton.
    Plain,
    /// The same, and it numbers the epoch.
    Number,
    Struct(&'static Shape),
    PastEpochs,
    /// Opens the secrets: up to here they are keys and group context.
    Tree,
    Entries(List),
    Members,
}

pub(super) const STORE: Shape = Shape {
    name: "MessageSecretsStore",
    fields: &[
        ("max_epochs", Field::Plain),
        ("past_epoch_trees", Field::PastEpochs),
        ("message_secrets", Field::Struct(&SECRETS)),
    ],
};

pub(super) const PAST_EPOCH: Shape = Shape {
    name: "EpochTree",
    fields: &[
        ("epoch", Field::Number),
        ("message_secrets", Field::Struct(&SECRETS)),
        ("leaves", Field::Members),
    ],
};

pub(super) const SECRETS: Shape = Shape {
    name: "MessageSecrets",
    fields: &[
        ("sender_data_secret", Field::Plain),
        ("membership_key", Field::Plain),
        ("confirmation_key", Field::Plain),
        ("serialized_context", Field::Plain),
        ("secret_tree", Field::Tree),
        ("added_at", Field::Plain),
    ],
};

pub(super) const TREE: Shape = Shape {
    name: "SecretTree",
    fields: &[
        ("own_index", Field::Plain),
        ("leaf_nodes", Field::Entries(List::LeafNodes)),
        ("parent_nodes", Field::Entries(List::ParentNodes)),
        (
            "handshake_sender_ratchets",
            Field::Entries(List::HandshakeRatchets),
        ),
        (
            "application_sender_ratchets",
            Field::Entries(List::ApplicationRatchets),
        ),
        ("size", Field::Plain),
    ],
};
