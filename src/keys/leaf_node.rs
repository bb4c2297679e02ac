//! What our leaves say of this device: application id, extensions, capabilities and GREASE (RFC 9420, sections 5.3.3,
//! 7.2 and 13.5).

use std::{cell::Cell, collections::BTreeSet};

use openmls::{
    grease::is_grease_value,
    prelude::{
        ApplicationIdExtension, Capabilities, CredentialType, Extension, ExtensionType, Extensions, LeafNode,
        LeafNodeParameters, ProposalType, ProtocolVersion,
    },
};
use openmls_traits::{random::OpenMlsRand, types::CryptoError};

use crate::{
    crypto::random_array,
    error::{ArgumentProblem, Error},
    extension::{self, ExtensionInfo},
    policy,
};

/// What an app may want its leaves to say. The default says what the library itself supports.
#[derive(Clone, Debug)]
pub(crate) struct LeafNodeOptions {
    pub(crate) application_id: Option<Vec<u8>>,
    pub(crate) extensions: Vec<ExtensionInfo>,
    pub(crate) supported_extensions: Vec<u16>,
    pub(crate) supported_proposals: Vec<u16>,
    pub(crate) supported_credentials: Vec<u16>,
    pub(crate) grease: bool,
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

/// A leaf node's content that the app has a say in.
#[derive(Clone)]
pub(crate) struct LeafNodeContent {
    pub(crate) capabilities: Capabilities,
    pub(crate) extensions: Extensions<LeafNode>,
}

impl LeafNodeContent {
    pub(crate) fn parameters(self) -> LeafNodeParameters {
        LeafNodeParameters::builder()
            .with_capabilities(self.capabilities)
            .with_extensions(self.extensions)
            .build()
    }
}

impl LeafNodeOptions {
    /// Refuses what a leaf node cannot say, or what would make every ratchet tree large.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let application_id = self.application_id.as_ref().map_or(0, Vec::len);
        if application_id > policy::MAX_LEAF_EXTENSIONS {
            return Err(refused("application_id", ArgumentProblem::TooLong));
        }
        let length: usize = self.extensions.iter().map(|(_, data)| data.len()).sum();
        if application_id + length > policy::MAX_LEAF_EXTENSIONS {
            return Err(refused(EXTENSIONS, ArgumentProblem::TooLong));
        }
        let types = self.extensions.iter().map(|(kind, _)| *kind).collect::<Vec<_>>();
        check_types(EXTENSIONS, &types, is_app_extension)?;
        check_types(
            "supported_extensions",
            &self.supported_extensions,
            is_app_extension,
        )?;
        check_types("supported_proposals", &self.supported_proposals, |kind| {
            matches!(kind.into(), ProposalType::Custom(1..))
        })?;
        check_types("supported_credentials", &self.supported_credentials, |kind| {
            matches!(kind.into(), CredentialType::Other(1..))
        })
    }

    /// For a leaf with a credential of the type `own`.
    pub(crate) fn content(&self, own: CredentialType) -> Result<LeafNodeContent, Error> {
        self.check()?;
        let application_id = self
            .application_id
            .iter()
            .map(|id| Ok(Extension::ApplicationId(ApplicationIdExtension::new(id))));
        let extensions = self
            .extensions
            .iter()
            .map(|given| extension::parse(EXTENSIONS, given));
        let extensions = application_id.chain(extensions).collect::<Result<_, _>>()?;
        Ok(LeafNodeContent {
            capabilities: self.capabilities(own)?,
            extensions: Extensions::from_vec(extensions)
                .map_err(|_| refused(EXTENSIONS, ArgumentProblem::OutOfRange))?,
        })
    }

    /// Always the own credential's type too, or nobody could accept the leaf (RFC 9420, section 7.3), and the types of
    /// the leaf's extensions. Default types are never listed: mls-rs refuses them.
    fn capabilities(&self, own: CredentialType) -> Result<Capabilities, Error> {
        let used = self.extensions.iter().map(|(kind, _)| *kind);
        let extensions = used
            .chain(self.supported_extensions.iter().copied())
            .map(ExtensionType::from);
        let proposals = self.supported_proposals.iter().copied().map(ProposalType::from);
        let credentials = self
            .supported_credentials
            .iter()
            .copied()
            .map(CredentialType::from);
        let capabilities = Capabilities::new(
            Some(&[ProtocolVersion::Mls10]),
            Some(&policy::CIPHERSUITES),
            Some(&each_once([ExtensionType::LastResort], extensions)),
            Some(&each_once([ProposalType::SelfRemove], proposals)),
            Some(&each_once(
                [CredentialType::Basic, CredentialType::X509],
                [own].into_iter().chain(credentials),
            )),
        );
        Ok(if self.grease {
            capabilities.with_grease(&Drawn::new()?)
        } else {
            capabilities
        })
    }
}

const EXTENSIONS: &str = "extensions";
/// How many types of a kind an app may list.
const MAX_TYPES: usize = 256;

fn refused(argument: &'static str, problem: ArgumentProblem) -> Error {
    Error::Argument { argument, problem }
}

/// Types that the app gives a meaning to: not those of MLS itself, of drafts that the facade does not offer, or GREASE.
fn is_app_extension(kind: u16) -> bool {
    matches!(kind.into(), ExtensionType::Unknown(1..))
}

pub(crate) fn check_types(
    argument: &'static str,
    types: &[u16],
    is_allowed: impl Fn(u16) -> bool,
) -> Result<(), Error> {
    if types.len() > MAX_TYPES {
        return Err(refused(argument, ArgumentProblem::TooLong));
    }
    if types.iter().collect::<BTreeSet<_>>().len() != types.len() {
        return Err(refused(argument, ArgumentProblem::Duplicate));
    }
    if types
        .iter()
        .any(|kind| is_grease_value(*kind) || !is_allowed(*kind))
    {
        return Err(refused(argument, ArgumentProblem::OutOfRange));
    }
    Ok(())
}

fn each_once<T: PartialEq>(always: impl Into<Vec<T>>, more: impl Iterator<Item = T>) -> Vec<T> {
    let mut all = always.into();
    for one in more {
        if !all.contains(&one) {
            all.push(one);
        }
    }
    all
}

/// Random bytes for GREASE, drawn before, because OpenMLS panics if there are none.
struct Drawn {
    bytes: [u8; 4],
    used: Cell<usize>,
}

impl Drawn {
    fn new() -> Result<Self, CryptoError> {
        Ok(Self {
            bytes: random_array()?,
            used: Cell::new(0),
        })
    }

    fn next(&self) -> u8 {
        let used = self.used.replace(self.used.get() + 1);
        self.bytes.get(used).copied().unwrap_or_default()
    }
}

impl OpenMlsRand for Drawn {
    type Error = CryptoError;

    fn random_array<const N: usize>(&self) -> Result<[u8; N], CryptoError> {
        Ok(std::array::from_fn(|_| self.next()))
    }

    fn random_vec(&self, len: usize) -> Result<Vec<u8>, CryptoError> {
        Ok((0..len).map(|_| self.next()).collect())
    }
}

/// What another leaf says, without GREASE.
pub(crate) struct LeafNodeView {
    pub(crate) application_id: Option<Vec<u8>>,
    pub(crate) extensions: Vec<ExtensionInfo>,
    pub(crate) supported: Supported,
}

/// What a leaf's capabilities list (RFC 9420, section 7.2), without GREASE and in the order of their numbers.
#[derive(Clone)]
pub(crate) struct Supported {
    pub(crate) ciphersuites: BTreeSet<u16>,
    pub(crate) extensions: BTreeSet<u16>,
    pub(crate) proposals: BTreeSet<u16>,
    pub(crate) credentials: BTreeSet<u16>,
}

impl From<&Capabilities> for Supported {
    fn from(listed: &Capabilities) -> Self {
        fn real(types: impl Iterator<Item = u16>) -> BTreeSet<u16> {
            types.filter(|kind| !is_grease_value(*kind)).collect()
        }
        Self {
            ciphersuites: real(listed.ciphersuites().iter().map(|suite| suite.value())),
            extensions: real(listed.extensions().iter().map(|kind| (*kind).into())),
            proposals: real(listed.proposals().iter().map(|kind| (*kind).into())),
            credentials: real(listed.credentials().iter().map(|kind| (*kind).into())),
        }
    }
}

impl Supported {
    /// What both list.
    pub(crate) fn and(&self, other: &Self) -> Self {
        Self {
            ciphersuites: &self.ciphersuites & &other.ciphersuites,
            extensions: &self.extensions & &other.extensions,
            proposals: &self.proposals & &other.proposals,
            credentials: &self.credentials & &other.credentials,
        }
    }
}

impl TryFrom<&LeafNode> for LeafNodeView {
    type Error = Error;

    fn try_from(leaf_node: &LeafNode) -> Result<Self, Error> {
        let extensions = leaf_node.extensions();
        let others = extensions
            .iter()
            .filter(|extension| extension.extension_type() != ExtensionType::ApplicationId);
        Ok(Self {
            application_id: extensions.application_id().map(|id| id.as_slice().to_vec()),
            extensions: extension::infos(others)?,
            supported: leaf_node.capabilities().into(),
        })
    }
}
