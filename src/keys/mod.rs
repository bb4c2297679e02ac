//! What a device is in MLS before it is in any group: identities, their signers, key packages, and what
//! its leaves say.

pub(crate) mod identity;
#[cfg(feature = "test-vectors")]
pub(crate) mod import;
pub(crate) mod key_package;
pub(crate) mod leaf_node;
pub(crate) mod signer;
