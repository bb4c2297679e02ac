//! What a message's refusal means: nothing at all, or that the group may have forked.

use openmls::{
    framing::errors::{MessageDecryptionError, SecretTreeError},
    group::{ProcessMessageError, StageCommitError, ValidationError},
    schedule::errors::PskError,
};

use super::{Live, outcome::Outcome};
use crate::{
    error::{Error, MessageError},
    storage::{WriteTx, groups, tx::KeptFailure},
};

/// Refusals that are no errors: the message was read before, or its keys are gone as they should be.
pub(super) fn expected(
    error: &ProcessMessageError<KeptFailure>,
    received: u64,
    current: u64,
) -> Option<Outcome> {
    let ProcessMessageError::ValidationError(error) = error else {
        return None;
    };
    match error {
        ValidationError::UnableToDecrypt(MessageDecryptionError::SecretTreeError(
            SecretTreeError::SecretReuseError,
        )) => Some(Outcome::Duplicate),
        ValidationError::NoPastEpochData => Some(Outcome::Stale { epoch: received }),
        ValidationError::UnableToDecrypt(MessageDecryptionError::SecretTreeError(
            SecretTreeError::TooDistantInThePast,
        )) if received < current => Some(Outcome::Stale { epoch: received }),
        _ => None,
    }
}

/// Whether a Commit names proposals that have not come yet.
pub(super) fn lacks_proposals(error: &ProcessMessageError<KeptFailure>) -> bool {
    matches!(
        error,
        ProcessMessageError::InvalidCommit(StageCommitError::MissingProposal)
    )
}

/// Whether a message that was kept may be accepted later: other messages of its sender come first.
pub(super) fn may_pass(error: &Error) -> bool {
    matches!(error, Error::Message(MessageError::Process(error))
        if matches!(**error, ProcessMessageError::ValidationError(ValidationError::UnableToDecrypt(
            MessageDecryptionError::SecretTreeError(SecretTreeError::TooDistantInTheFuture)))))
}

/// Whether a Commit names a PSK that is not here: with it the same bytes are read.
pub(super) fn lacks_psk(error: &Error) -> bool {
    matches!(error, Error::Message(MessageError::Process(error))
        if matches!(**error, ProcessMessageError::InvalidCommit(StageCommitError::PskError(PskError::KeyNotFound))))
}

/// Whether its sender seems to have other keys for an epoch than we have. One such message may be garbage; it proves
/// nothing.
pub(super) fn hints_at_a_fork(error: &Error) -> bool {
    let Error::Message(MessageError::Process(error)) = error else {
        return false;
    };
    matches!(
        **error,
        ProcessMessageError::ValidationError(
            ValidationError::UnableToDecrypt(MessageDecryptionError::AeadError)
                | ValidationError::InvalidMembershipTag
                | ValidationError::InvalidSignature
        ) | ProcessMessageError::InvalidCommit(
            StageCommitError::ConfirmationTagMismatch | StageCommitError::UpdatePathError(_)
        )
    )
}

/// Raises the suspicion of a fork, until the epoch ends, if this refusal hints at one; tells whether it is new.
pub(super) fn note(live: &mut Live<'_, WriteTx<'_>>, error: &Error) -> Result<bool, Error> {
    if live.record.fork_suspected || !hints_at_a_fork(error) {
        return Ok(false);
    }
    live.record.fork_suspected = true;
    groups::update(live.tx, &live.record)?;
    Ok(true)
}
