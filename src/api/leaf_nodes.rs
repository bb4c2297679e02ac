//! What leaf nodes say of their members (RFC 9420, sections 5.3.3 and 7.2), and what a group requires of them.

use super::{
    CommitBundle, Extension, IdentityId, MlsError, MlsGroup, ProposalBundle, call,
    commits::{extensions, infos},
};
use crate::{
    group::{commit, creation, leaf_node, propose},
    keys,
};

/// What the leaves of this device say, besides what the library itself supports. It is public to every member, and in
/// key packages to the delivery service. A leaf keeps it until it is replaced by another.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LeafNodeOptions {
    /// The app's own name for this device in the group (RFC 9420, section 5.3.3). MLS does not look into it, and two
    /// members may say the same.
    #[uniffi(default = None)]
    pub application_id: Option<Vec<u8>>,
    /// Extensions of the leaf that the app gives a meaning to; their types are supported without being listed.
    /// 64 KiB together with the application id.
    #[uniffi(default)]
    pub extensions: Vec<Extension>,
    /// Types of extensions that the app handles, here or in the GroupContext, beyond those of RFC 9420.
    #[uniffi(default)]
    pub supported_extensions: Vec<u16>,
    /// Types of custom proposals that the app handles: `propose_custom` needs them with every member.
    #[uniffi(default)]
    pub supported_proposals: Vec<u16>,
    /// Types of credentials that the app accepts besides basic ones and X.509.
    #[uniffi(default)]
    pub supported_credentials: Vec<u16>,
    /// Also list random values without a meaning, so that no implementation comes to rely on a fixed list (RFC 9420,
    /// section 13.5). Nobody sees them in this interface.
    #[uniffi(default = true)]
    pub grease: bool,
}

impl Default for LeafNodeOptions {
    fn default() -> Self {
        Self {
            application_id: None,
            extensions: Vec::new(),
            supported_extensions: Vec::new(),
            supported_proposals: Vec::new(),
            supported_credentials: Vec::new(),
            grease: true,
        }
    }
}

impl From<LeafNodeOptions> for keys::leaf_node::LeafNodeOptions {
    fn from(options: LeafNodeOptions) -> Self {
        Self {
            application_id: options.application_id,
            extensions: infos(options.extensions),
            supported_extensions: options.supported_extensions,
            supported_proposals: options.supported_proposals,
            supported_credentials: options.supported_credentials,
            grease: options.grease,
        }
    }
}

/// What a leaf lists as supported (RFC 9420, section 7.2), in the order of the numbers. What RFC 9420 itself makes every
/// member support is not listed: extensions 1 to 5 and proposals 1 to 7.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Capabilities {
    /// Suites.
    pub ciphersuites: Vec<u16>,
    /// Types of extensions.
    pub extensions: Vec<u16>,
    /// Types of proposals.
    pub proposals: Vec<u16>,
    /// Types of credentials.
    pub credentials: Vec<u16>,
}

impl From<keys::leaf_node::Supported> for Capabilities {
    fn from(supported: keys::leaf_node::Supported) -> Self {
        Self {
            ciphersuites: supported.ciphersuites.into_iter().collect(),
            extensions: supported.extensions.into_iter().collect(),
            proposals: supported.proposals.into_iter().collect(),
            credentials: supported.credentials.into_iter().collect(),
        }
    }
}

/// What a leaf says of its owner.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LeafNode {
    /// The owner's own name for itself, if it has one.
    pub application_id: Option<Vec<u8>>,
    /// The leaf's other extensions.
    pub extensions: Vec<Extension>,
    /// What its owner supports.
    pub capabilities: Capabilities,
}

impl From<keys::leaf_node::LeafNodeView> for LeafNode {
    fn from(view: keys::leaf_node::LeafNodeView) -> Self {
        Self {
            application_id: view.application_id,
            extensions: extensions(view.extensions),
            capabilities: view.supported.into(),
        }
    }
}

/// A member's leaf.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct MemberLeaf {
    /// The member's place in the tree, as in `Member`.
    pub leaf_index: u32,
    /// What the leaf says.
    pub leaf_node: LeafNode,
}

/// What every member of a group must support (RFC 9420, section 11.1).
#[derive(Debug, Clone, Default, PartialEq, Eq, uniffi::Record)]
pub struct RequiredCapabilities {
    /// Types of extensions. Those of the group's own extensions need not be named.
    #[uniffi(default)]
    pub extensions: Vec<u16>,
    /// Types of proposals.
    #[uniffi(default)]
    pub proposals: Vec<u16>,
    /// Types of credentials.
    #[uniffi(default)]
    pub credentials: Vec<u16>,
}

impl From<RequiredCapabilities> for creation::RequiredCapabilities {
    fn from(required: RequiredCapabilities) -> Self {
        Self {
            extensions: required.extensions,
            proposals: required.proposals,
            credentials: required.credentials,
        }
    }
}

#[uniffi::export]
impl MlsGroup {
    /// What the members' leaves say, in leaf order. After this device was removed: as they were before that.
    ///
    /// Errors: `GroupNotFound`.
    pub fn leaf_nodes(&self) -> Result<Vec<MemberLeaf>, MlsError> {
        call(&self.core, "leaf_nodes", || {
            let leaves = self.core.store.read(|call| leaf_node::list(call, &self.id))?;
            let leaf = |(leaf_index, view): (u32, keys::leaf_node::LeafNodeView)| MemberLeaf {
                leaf_index,
                leaf_node: view.into(),
            };
            Ok(leaves.into_iter().map(leaf).collect())
        })
    }

    /// What every member lists: what may be required of all, used in the GroupContext, or proposed.
    ///
    /// Errors: `GroupNotFound`.
    pub fn supported_by_all(&self) -> Result<Capabilities, MlsError> {
        call(&self.core, "supported_by_all", || {
            let supported = self
                .core
                .store
                .read(|call| leaf_node::supported_by_all(call, &self.id))?;
            Ok(supported.into())
        })
    }

    /// As `self_update`, and this device's leaf says something else from the merge on. What it said before is gone:
    /// give all of it. Stored, sent and kept as for `add_members`.
    ///
    /// Errors: those of `self_update`; `InvalidArgument` (`leaf_node`, `Unsupported`: the leaf would lack what the
    /// group requires or members use; else the field of `LeafNodeOptions` that no leaf can hold).
    #[uniffi::method(default(new_identity = None))]
    pub fn update_leaf_node(
        &self,
        leaf_node: LeafNodeOptions,
        new_identity: Option<IdentityId>,
    ) -> Result<CommitBundle, MlsError> {
        let leaf_node = leaf_node.into();
        let new_identity = new_identity.as_ref().map(|id| id.0.as_slice());
        self.commit("update_leaf_node", |call| {
            commit::self_update(call, &self.core.context, &self.id, new_identity, Some(&leaf_node))
        })
    }

    /// As `propose_self_update`, and this device's leaf says something else once another member has committed it.
    ///
    /// Errors: those of `propose_self_update` and `update_leaf_node`.
    #[uniffi::method(default(new_identity = None))]
    pub fn propose_leaf_node(
        &self,
        leaf_node: LeafNodeOptions,
        new_identity: Option<IdentityId>,
    ) -> Result<ProposalBundle, MlsError> {
        let leaf_node = leaf_node.into();
        let new_identity = new_identity.as_ref().map(|id| id.0.as_slice());
        self.propose("propose_leaf_node", |call, _| {
            propose::self_update(call, &self.id, new_identity, Some(&leaf_node))
        })
    }
}
