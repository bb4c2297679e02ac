//! Extensions of the GroupContext that the library knows, for `update_group_context_extensions`.

use super::{Extension, ExternalSender, MlsError, RequiredCapabilities, commits, config};
use crate::group::creation;

/// The extension that names the servers which may propose (RFC 9420, section 12.1.8.1), for
/// `update_group_context_extensions` and `propose_group_context_extensions`: put it in the place of the one of type 5, or
/// leave that out for a group without such servers. Nothing is stored.
///
/// Errors: `InvalidArgument` with the argument `external_senders` (`Empty`; `WrongLength`: a key that is not one of
/// Ed25519; `TooLong`: keys and credentials over 1 MiB together) or a credential's.
#[uniffi::export]
pub fn external_senders_extension(external_senders: Vec<ExternalSender>) -> Result<Extension, MlsError> {
    let senders = config::senders(external_senders)?;
    Ok(commits::extension(creation::external_senders_extension(senders)?))
}

/// The extension that says what every member must support (RFC 9420, section 11.1), for
/// `update_group_context_extensions` and `propose_group_context_extensions`: put it in the place of the one of type 3.
/// Unlike at a group's creation, the types of the group's other extensions must be named. Nothing is stored.
///
/// Errors: `InvalidArgument` with the argument `required_capabilities` (`Empty`; `OutOfRange`: a type that needs not be
/// required; `Duplicate`; `TooLong`: over 256 of a kind).
#[uniffi::export]
pub fn required_capabilities_extension(
    required_capabilities: RequiredCapabilities,
) -> Result<Extension, MlsError> {
    let required = required_capabilities.into();
    Ok(commits::extension(creation::required_capabilities_extension(
        required,
    )?))
}
