//! One SQLite file: opening, transactions, sealing, and a module for each kind of row.
//!
//! Nothing above this module knows SQL; nothing in it knows MLS verbs. Rows of OpenMLS's own state are in
//! [`openmls`]; the other modules hold what OpenMLS does not keep.

pub(crate) mod busy;
pub(crate) mod cache;
pub(crate) mod call;
pub(crate) mod cleared_commits;
pub(crate) mod codec;
mod cut;
pub(crate) mod early_messages;
pub(crate) mod erasure;
pub(crate) mod error;
pub(crate) mod external_joins;
#[cfg(feature = "fault-injection")]
pub mod fault;
#[cfg(not(feature = "fault-injection"))]
pub(crate) mod fault;
pub(crate) mod gate;
pub(crate) mod groups;
pub(crate) mod groups_to_rejoin;
pub(crate) mod handled_commits;
pub(crate) mod header;
pub(crate) mod identities;
pub(crate) mod inbox;
pub(crate) mod key_packages;
pub(crate) mod key_slots;
pub(crate) mod lifecycle;
mod log_pages;
pub(crate) mod migrations;
mod nonces;
pub(crate) mod open;
pub(crate) mod openmls;
pub(crate) mod past_epochs;
pub(crate) mod past_keys;
pub(crate) mod pending;
pub(crate) mod per_group;
pub(crate) mod recover;
pub(crate) mod recovery_archive;
pub(crate) mod rekey;
pub(crate) mod reseal;
pub(crate) mod seal;
pub(crate) mod secret_parts;
pub(crate) mod store;
mod transaction;
pub(crate) mod transfer;
pub(crate) mod tree_parts;
pub(crate) mod tx;

pub(crate) use call::Call;
pub(crate) use error::{ArchiveProblem, PathProblem, StorageError};
pub(crate) use store::Store;
pub(crate) use tx::{ReadTx, WriteTx};
