//! What can be wrong with a GroupInfo that this device wants to join with.

use openmls::group::{CreateCommitError, ExternalCommitBuilderError, ExternalCommitBuilderFinalizeError};

use super::{error::MlsError, error_conversion::internal};
use crate::{error::GroupInfoError, storage::tx::KeptFailure};

/// What is wrong with a GroupInfo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum GroupInfoReason {
    /// The message is something else.
    NotAGroupInfo,
    /// Its signature does not verify, or its signer is no member.
    SignatureInvalid,
    /// The ratchet tree is neither in it nor beside it.
    RatchetTreeMissing,
    /// The ratchet tree is of another epoch or group, or breaks a rule of RFC 9420.
    RatchetTreeInvalid,
    /// It carries no usable `external_pub`: the group does not want external joins.
    ExternalJoinNotAllowed,
    /// The group needs something that this device's leaf does not list: an extension, a proposal, or the credential type
    /// of a member (`LeafNodeOptions.supported_credentials`).
    UnsupportedFeature,
}

impl From<GroupInfoError> for MlsError {
    fn from(error: GroupInfoError) -> Self {
        let reason = match error {
            GroupInfoError::NotAGroupInfo => GroupInfoReason::NotAGroupInfo,
            GroupInfoError::LastEpoch | GroupInfoError::UnsupportedCredential => {
                GroupInfoReason::UnsupportedFeature
            }
            GroupInfoError::Build(error) => return build_error(*error),
            GroupInfoError::Commit(error) => return commit_error(&error),
            GroupInfoError::Finalize(
                ExternalCommitBuilderFinalizeError::LibraryError(_)
                | ExternalCommitBuilderFinalizeError::StorageError(_)
                | ExternalCommitBuilderFinalizeError::MergeCommitError(_),
            ) => return internal(36),
        };
        Self::GroupInfoInvalid { reason }
    }
}

fn build_error(error: ExternalCommitBuilderError<KeptFailure>) -> MlsError {
    let reason = match error {
        ExternalCommitBuilderError::MissingRatchetTree => GroupInfoReason::RatchetTreeMissing,
        // The suite itself was looked at before, so it is the key that cannot be used.
        ExternalCommitBuilderError::MissingExternalPub
        | ExternalCommitBuilderError::UnsupportedCiphersuite(_) => GroupInfoReason::ExternalJoinNotAllowed,
        ExternalCommitBuilderError::PublicGroupError(error) => tree_reason(&error.to_string()),
        ExternalCommitBuilderError::LibraryError(_)
        | ExternalCommitBuilderError::StorageError(_)
        | ExternalCommitBuilderError::InvalidProposal(_) => return internal(37),
    };
    MlsError::GroupInfoInvalid { reason }
}

/// OpenMLS 0.9.2 does not export the type of this error, so that its text must tell; tests/external_join.rs holds it.
fn tree_reason(text: &str) -> GroupInfoReason {
    match text {
        "The signature on the GroupInfo is not valid." | "Sender not found in tree." => {
            GroupInfoReason::SignatureInvalid
        }
        "We don't support the version of the group we are trying to join." => {
            GroupInfoReason::UnsupportedFeature
        }
        _ => GroupInfoReason::RatchetTreeInvalid,
    }
}

/// Our own leaf is the only thing in the Commit that a group can object to.
fn commit_error(error: &CreateCommitError) -> MlsError {
    match error {
        CreateCommitError::LeafNodeValidation(_)
        | CreateCommitError::ProposalValidationError(_)
        | CreateCommitError::InvalidExternalCommit(_) => MlsError::GroupInfoInvalid {
            reason: GroupInfoReason::UnsupportedFeature,
        },
        _ => internal(38),
    }
}
