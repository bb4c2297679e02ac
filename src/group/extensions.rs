//! The GroupContext's extensions (RFC 9420, section 12.1.7): taken from the app, checked, shown.

use openmls::{
    group::{GroupContext, GroupId, MlsGroup},
    prelude::{Capabilities, Extension, ExtensionType, Extensions, InvalidExtensionError, ProposalType},
};
use tls_codec::{DeserializeBytes as _, Serialize as _, VLBytes};

use super::{outcome::NewMemberInfo, summary, with_group};
use crate::{
    error::{ArgumentProblem, Error},
    policy,
    storage::{Call, ReadTx},
};

/// Type and content of an extension.
pub(crate) type ExtensionInfo = (u16, Vec<u8>);

/// The servers that may propose (RFC 9420, section 12.1.8.1), in the order of their index.
pub(crate) fn external_senders(
    call: &mut Call<'_, ReadTx<'_>>,
    id: &GroupId,
) -> Result<Vec<NewMemberInfo>, Error> {
    with_group(call, id, |live| {
        let senders = live.group.extensions().external_senders();
        Ok(senders
            .into_iter()
            .flatten()
            .filter_map(summary::external_sender)
            .collect())
    })
}

pub(super) fn info(extension: &Extension) -> Result<ExtensionInfo, Error> {
    let encoded = extension.tls_serialize_detached()?;
    // struct { uint16 extension_type; opaque extension_data<V>; } (RFC 9420, section 7.2)
    let data = encoded.get(2..).unwrap_or_default();
    let (content, _) = VLBytes::tls_deserialize_bytes(data)?;
    Ok((extension.extension_type().into(), content.as_slice().to_vec()))
}

/// What the app gives, if a GroupContext can hold it.
pub(super) fn parse(extensions: &[ExtensionInfo]) -> Result<Extensions<GroupContext>, Error> {
    let length: usize = extensions.iter().map(|(_, data)| data.len()).sum();
    if length > policy::MAX_DATA {
        return Err(problem(ArgumentProblem::TooLong));
    }
    let parsed = extensions.iter().map(parse_one).collect::<Result<_, _>>()?;
    Extensions::from_vec(parsed).map_err(|error| {
        problem(match error {
            InvalidExtensionError::Duplicate => ArgumentProblem::Duplicate,
            _ => ArgumentProblem::OutOfRange,
        })
    })
}

fn parse_one((extension_type, data): &ExtensionInfo) -> Result<Extension, Error> {
    // GREASE says nothing, and must not be in a GroupContext (RFC 9420, section 13.5).
    if matches!(ExtensionType::from(*extension_type), ExtensionType::Grease(_)) {
        return Err(problem(ArgumentProblem::OutOfRange));
    }
    let mut encoded = extension_type.to_be_bytes().to_vec();
    encoded.extend(VLBytes::new(data.clone()).tls_serialize_detached()?);
    // No length may be longer than it must be, or each side would hash another GroupContext; tls_codec refuses those.
    Extension::tls_deserialize_exact_bytes(&encoded).map_err(|_| problem(ArgumentProblem::Malformed))
}

/// Whether every member supports them, and has what a new list of required capabilities asks for (RFC 9420, sections
/// 11.1 and 12.1.7). OpenMLS looks at required extension types only.
pub(super) fn check_supported(group: &MlsGroup, extensions: &Extensions<GroupContext>) -> Result<(), Error> {
    let required = extensions.required_capabilities();
    let all_support = extensions.iter().all(|extension| {
        let kind = extension.extension_type();
        // OpenMLS wants others in the required capabilities too, and its members refuse a Commit without.
        let is_required = || required.is_some_and(|required| required.extension_types().contains(&kind));
        is_default_extension(kind) || (is_required() && all_list(group, |listed| has_extension(listed, kind)))
    });
    let all_have = required.is_none_or(|required| {
        all_list(group, |listed| {
            let extensions = required.extension_types().iter();
            let proposals = required.proposal_types().iter();
            let credentials = required.credential_types().iter();
            extensions.copied().all(|kind| has_extension(listed, kind))
                && proposals.copied().all(|kind| has_proposal(listed, kind))
                && credentials
                    .copied()
                    .all(|kind| listed.credentials().contains(&kind))
        })
    });
    if all_support && all_have {
        Ok(())
    } else {
        Err(problem(ArgumentProblem::Unsupported))
    }
}

/// Whether every member's capabilities list what a predicate looks for.
pub(super) fn all_list(group: &MlsGroup, lists: impl Fn(&Capabilities) -> bool) -> bool {
    group.members().all(|member| {
        let leaf_node = group.public_group().leaf(member.index);
        leaf_node.is_some_and(|leaf_node| lists(leaf_node.capabilities()))
    })
}

/// Types that everybody supports without saying so (RFC 9420, section 7.2).
fn is_default_extension(kind: ExtensionType) -> bool {
    (1..=5).contains(&u16::from(kind))
}

fn has_extension(capabilities: &Capabilities, kind: ExtensionType) -> bool {
    is_default_extension(kind) || capabilities.extensions().contains(&kind)
}

pub(super) fn has_proposal(capabilities: &Capabilities, kind: ProposalType) -> bool {
    (1..=7).contains(&u16::from(kind)) || capabilities.proposals().contains(&kind)
}

const ARGUMENT: &str = "extensions";

fn problem(problem: ArgumentProblem) -> Error {
    Error::Argument {
        argument: ARGUMENT,
        problem,
    }
}
