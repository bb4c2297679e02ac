//! What a group's creator decides for all of it, in its first GroupContext and in the creator's own leaf.

use openmls::{
    group::{GroupContext, MlsGroupCreateConfig},
    prelude::{
        self, Credential, Extension, ExtensionType, Extensions, ProposalType, RequiredCapabilitiesExtension,
        SignaturePublicKey,
    },
};

use super::extensions;
use crate::{
    error::{ArgumentProblem, Error},
    extension::{self, ExtensionInfo, is_default},
    keys::{
        identity::Identity,
        leaf_node::{LeafNodeOptions, check_types},
    },
    policy::{self, GroupSettings, Lifetimes},
};

/// What every member must support (RFC 9420, section 11.1).
#[derive(Clone, Debug, Default)]
pub(crate) struct RequiredCapabilities {
    pub(crate) extensions: Vec<u16>,
    pub(crate) proposals: Vec<u16>,
    pub(crate) credentials: Vec<u16>,
}

/// What holds from the creation of a group on.
#[derive(Clone, Debug)]
pub(crate) struct Creation {
    /// What the creator's leaf says; the client's if absent.
    pub(crate) leaf_node: Option<LeafNodeOptions>,
    /// How long that leaf may live without an update.
    pub(crate) lifetime_seconds: u64,
    pub(crate) required: RequiredCapabilities,
    /// Those that the app gives a meaning to.
    pub(crate) extensions: Vec<ExtensionInfo>,
    pub(crate) external_senders: Vec<ExternalSender>,
}

/// Key and credential of a server that may propose.
pub(crate) type ExternalSender = (Vec<u8>, Credential);

/// The extension that names them, for a group that is there already.
pub(crate) fn external_senders_extension(
    external_senders: Vec<ExternalSender>,
) -> Result<ExtensionInfo, Error> {
    let only = Creation {
        external_senders,
        ..Creation::default()
    };
    let extension = only.external_senders()?;
    extension::info(&extension.ok_or(refused(SENDERS, ArgumentProblem::Empty))?)
}

/// The extension that requires these, and nothing else, for a group that is there already.
pub(crate) fn required_capabilities_extension(
    required: RequiredCapabilities,
) -> Result<ExtensionInfo, Error> {
    let only = Creation {
        required,
        ..Creation::default()
    };
    let extension = only.required()?;
    extension::info(&extension.ok_or(refused(REQUIRED, ArgumentProblem::Empty))?)
}

impl Default for Creation {
    fn default() -> Self {
        Self {
            leaf_node: None,
            lifetime_seconds: policy::DEFAULT_LIFETIME,
            required: RequiredCapabilities::default(),
            extensions: Vec::new(),
            external_senders: Vec::new(),
        }
    }
}

/// Bytes of an Ed25519 key: who proposes signs as the members do.
const SIGNATURE_KEY: usize = 32;

impl Creation {
    /// What can be said without an identity.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if let Some(leaf_node) = &self.leaf_node {
            leaf_node.check()?;
        }
        self.group_context_extensions().map(drop)
    }

    /// OpenMLS's settings. Refused if the creator's own leaf does not meet what it requires of others.
    pub(super) fn config(
        &self,
        settings: &GroupSettings,
        lifetimes: &Lifetimes,
        leaf_node: &LeafNodeOptions,
        identity: &Identity,
    ) -> Result<MlsGroupCreateConfig, Error> {
        let leaf_node = self.leaf_node.as_ref().unwrap_or(leaf_node);
        let content = leaf_node.content(identity.credential.credential_type())?;
        let extensions = self.group_context_extensions()?;
        if !extensions::meets(&content.capabilities, &extensions) {
            let listed = content.capabilities.extensions();
            let lists = |(kind, _): &ExtensionInfo| listed.contains(&ExtensionType::from(*kind));
            return Err(if self.extensions.iter().all(lists) {
                refused(REQUIRED, ArgumentProblem::Unsupported)
            } else {
                refused(EXTENSIONS, ArgumentProblem::Unsupported)
            });
        }
        let config = settings
            .create_config()
            .ciphersuite(identity.ciphersuite)
            .lifetime(lifetimes.of(self.lifetime_seconds)?)
            .with_group_context_extensions(extensions)
            .capabilities(content.capabilities)
            .with_leaf_node_extensions(content.extensions)
            .map_err(|_| refused("leaf_node", ArgumentProblem::OutOfRange))?;
        Ok(config.build())
    }

    fn group_context_extensions(&self) -> Result<Extensions<GroupContext>, Error> {
        let own_field = |(kind, _): &&ExtensionInfo| is_default(ExtensionType::from(*kind));
        if self.extensions.iter().any(|given| own_field(&given)) {
            return Err(refused(EXTENSIONS, ArgumentProblem::OutOfRange));
        }
        let mut all = extensions::parse(&self.extensions)?;
        let typed = [self.required()?, self.external_senders()?];
        for extension in typed.into_iter().flatten() {
            all.add_or_replace(extension)
                .map_err(|_| refused(EXTENSIONS, ArgumentProblem::OutOfRange))?;
        }
        Ok(all)
    }

    /// The types of the group's own extensions are among them: every member must support those (RFC 9420, section
    /// 12.1.7), and OpenMLS refuses to replace extensions that are not required.
    fn required(&self) -> Result<Option<Extension>, Error> {
        let RequiredCapabilities {
            extensions,
            proposals,
            credentials,
        } = &self.required;
        check_types(REQUIRED, extensions, |kind| kind != 0 && !is_default(kind.into()))?;
        check_types(REQUIRED, proposals, |kind| kind > 7)?;
        check_types(REQUIRED, credentials, |kind| kind != 0)?;
        let mut extension_types: Vec<ExtensionType> =
            extensions.iter().copied().map(ExtensionType::from).collect();
        for (kind, _) in &self.extensions {
            let kind = ExtensionType::from(*kind);
            if !extension_types.contains(&kind) {
                extension_types.push(kind);
            }
        }
        if extension_types.is_empty() && proposals.is_empty() && credentials.is_empty() {
            return Ok(None);
        }
        let proposal_types: Vec<ProposalType> = proposals.iter().copied().map(ProposalType::from).collect();
        let credential_types: Vec<_> = credentials.iter().copied().map(Into::into).collect();
        Ok(Some(Extension::RequiredCapabilities(
            RequiredCapabilitiesExtension::new(&extension_types, &proposal_types, &credential_types),
        )))
    }

    fn external_senders(&self) -> Result<Option<Extension>, Error> {
        let sender = |(signature_key, credential): &ExternalSender| {
            if signature_key.len() == SIGNATURE_KEY {
                let signature_key = SignaturePublicKey::from(signature_key.clone());
                Ok(prelude::ExternalSender::new(signature_key, credential.clone()))
            } else {
                Err(refused(SENDERS, ArgumentProblem::WrongLength))
            }
        };
        let length = |(_, credential): &ExternalSender| SIGNATURE_KEY + credential.serialized_content().len();
        if self.external_senders.iter().map(length).sum::<usize>() > policy::MAX_DATA {
            return Err(refused(SENDERS, ArgumentProblem::TooLong));
        }
        let senders = self
            .external_senders
            .iter()
            .map(sender)
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Some(senders)
            .filter(|senders| !senders.is_empty())
            .map(Extension::ExternalSenders))
    }
}

const REQUIRED: &str = "required_capabilities";
const EXTENSIONS: &str = "extensions";
const SENDERS: &str = "external_senders";

fn refused(argument: &'static str, problem: ArgumentProblem) -> Error {
    Error::Argument { argument, problem }
}
