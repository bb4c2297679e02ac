//! The app's say in who is let in.

use openmls::prelude::Credential;

use super::{
    Context,
    outcome::{CommitInfo, MemberInfo, NewMemberInfo, ProposalInfo},
};
use crate::{
    error::Error,
    log::{Level, Log},
};

/// What the app is asked about.
pub(crate) enum Question<'q> {
    /// A received Commit, before it is merged.
    Commit {
        group_id: &'q [u8],
        summary: &'q CommitInfo,
    },
    /// A received proposal, before it is queued.
    Proposal {
        group_id: &'q [u8],
        summary: &'q ProposalInfo,
    },
    /// A group that this device was invited to, before it is joined.
    Welcome {
        group_id: &'q [u8],
        sender: Option<&'q Credential>,
        members: &'q [MemberInfo],
    },
    /// A key package that this device is about to add.
    KeyPackage {
        group_id: &'q [u8],
        member: &'q NewMemberInfo,
    },
}

/// Answers `None` when the callback failed, which counts as a refusal.
pub(crate) trait Validator: Send + Sync {
    fn accepts(&self, question: &Question<'_>) -> Option<bool>;
}

/// A callback that takes longer holds up every other call on the database, so it is worth a line in the log.
const SLOW: std::time::Duration = std::time::Duration::from_secs(1);

/// Without a validator everything is accepted that MLS itself accepts and a member did.
pub(crate) fn ask(context: &Context, question: &Question<'_>) -> Result<(), Error> {
    let Some(validator) = &context.validator else {
        return Ok(());
    };
    let start = std::time::Instant::now();
    let answer = validator.accepts(question);
    report(&context.log, start.elapsed(), answer);
    if answer == Some(true) {
        Ok(())
    } else {
        Err(Error::CredentialRejected)
    }
}

/// Somebody outside wants in. Nobody in the group has vouched for that, so without a validator the answer is no:
/// otherwise the delivery service could add itself.
pub(crate) fn ask_about_outsider(context: &Context, question: &Question<'_>) -> Result<(), Error> {
    if context.validator.is_none() {
        return Err(Error::CredentialRejected);
    }
    ask(context, question)
}

fn report(log: &Log, elapsed: std::time::Duration, answer: Option<bool>) {
    if elapsed > SLOW {
        let milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        log.event(Level::Warn, "validator_slow", &[("milliseconds", milliseconds)]);
    }
    if answer.is_none() {
        log.event(Level::Error, "validator_failed", &[]);
    }
}
