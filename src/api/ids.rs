//! Names as types: bytes that the languages can use as keys of a map.

use openmls::prelude as mls;

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
