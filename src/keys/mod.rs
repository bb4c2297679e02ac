//! What a device is in MLS before it is in any group: identities, their signers, and key packages.

pub(crate) mod identity;
#[cfg(feature = "test-vectors")]
pub(crate) mod import;
pub(crate) mod key_package;
pub(crate) mod signer;
