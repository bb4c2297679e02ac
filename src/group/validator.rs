//! The app's say in who is let in.

use openmls::{
    group::GroupContext,
    prelude::{Credential, Extensions},
};

use super::{
    Context,
    outcome::{CommitInfo, MemberInfo, NewMemberInfo, ProposalInfo},
    summary,
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
    /// A group that this device is about to join by an external Commit, as it will be.
    ExternalJoin {
        group_id: &'q [u8],
        members: &'q [MemberInfo],
    },
    /// The servers that may propose to a group: in one that this device joins, or after a change.
    ExternalSenders {
        group_id: &'q [u8],
        senders: &'q [NewMemberInfo],
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

/// What the app says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Accepted,
    /// There is nobody to ask.
    Unasked,
}

/// Asks the app. A refusal is an error, and so is a validator that fails, because that must not let anybody in.
pub(crate) fn ask(context: &Context, question: &Question<'_>) -> Result<Answer, Error> {
    let Some(validator) = &context.validator else {
        return Ok(Answer::Unasked);
    };
    let start = std::time::Instant::now();
    let answer = validator.accepts(question);
    report(&context.log, start.elapsed(), answer);
    match answer {
        Some(true) => Ok(Answer::Accepted),
        Some(false) => Err(Error::CredentialRejected),
        None => Err(Error::ValidatorFailed),
    }
}

/// Asks about the external senders among these extensions, if they are others than before (RFC 9420, section 5.3.1).
pub(super) fn ask_about_senders(
    context: &Context,
    group_id: &[u8],
    extensions: &Extensions<GroupContext>,
    before: Option<&Extensions<GroupContext>>,
) -> Result<(), Error> {
    let senders = extensions.external_senders();
    if senders == before.and_then(Extensions::external_senders) {
        return Ok(());
    }
    let senders: Vec<_> = senders
        .into_iter()
        .flatten()
        .map(summary::external_sender)
        .collect::<Option<_>>()
        .ok_or(Error::Malformed)?;
    if senders.is_empty() {
        return Ok(());
    }
    let senders = senders.as_slice();
    ask(context, &Question::ExternalSenders { group_id, senders }).map(drop)
}

fn report(log: &Log, elapsed: std::time::Duration, answer: Option<bool>) {
    let milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    let (level, event) = match answer {
        None => (Level::Error, "validator_failed"),
        Some(_) if elapsed > SLOW => (Level::Warn, "validator_slow"),
        Some(_) => (Level::Info, "validator_answered"),
    };
    log.event(level, event, &[("milliseconds", milliseconds)]);
}
