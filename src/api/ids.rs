//! Names as types: bytes that the languages can use as keys of a map.

use openmls::prelude as mls;
use tls_codec::{DeserializeBytes as _, Serialize as _, VLBytes};

use crate::error::Error;

/// A group's id: bytes that the group's creator chose, the same for every member.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupId(pub Vec<u8>);
uniffi::custom_newtype!(GroupId, Vec<u8>);

/// An identity's id: its public signature key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IdentityId(pub Vec<u8>);
uniffi::custom_newtype!(IdentityId, Vec<u8>);

/// A key package's hash reference (RFC 9420, section 5.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyPackageRef(pub Vec<u8>);
uniffi::custom_newtype!(KeyPackageRef, Vec<u8>);

/// A proposal's hash reference (RFC 9420, section 5.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProposalRef(pub Vec<u8>);
uniffi::custom_newtype!(ProposalRef, Vec<u8>);

impl KeyPackageRef {
    pub(super) fn into_mls(self) -> Result<mls::KeyPackageRef, Error> {
        hash_reference(self.0)
    }
}

impl ProposalRef {
    pub(super) fn into_mls(self) -> Result<HashReference, Error> {
        hash_reference(self.0)
    }
}

/// Both kinds of reference are one type in OpenMLS.
type HashReference = openmls::ciphersuite::hash_ref::ProposalRef;

/// OpenMLS makes references only by hashing, but they decode as RFC 9420, section 5.2, says.
fn hash_reference(bytes: Vec<u8>) -> Result<HashReference, Error> {
    let encoded = VLBytes::new(bytes).tls_serialize_detached()?;
    HashReference::tls_deserialize_exact_bytes(&encoded).map_err(Into::into)
}

impl From<GroupId> for mls::GroupId {
    fn from(id: GroupId) -> Self {
        Self::from_slice(&id.0)
    }
}

impl From<&mls::GroupId> for GroupId {
    fn from(id: &mls::GroupId) -> Self {
        Self(id.to_vec())
    }
}
