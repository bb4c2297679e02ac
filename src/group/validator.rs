//! The app's say in who is let in.

use openmls::prelude::Credential;

use super::{
    Context,
    outcome::{CommitInfo, MemberInfo, NewMemberInfo, ProposalInfo, SenderInfo},
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

impl Question<'_> {
    /// Whether somebody wants in for whom nobody in the group has vouched.
    fn is_from_outside(&self) -> bool {
        let sender = match self {
            Self::Commit { summary, .. } => &summary.committer,
            Self::Proposal { summary, .. } => &summary.sender,
            Self::Welcome { .. } | Self::KeyPackage { .. } => return false,
        };
        matches!(sender, SenderInfo::NewMember { .. })
    }
}

/// Answers `None` when the callback failed, which counts as a refusal.
pub(crate) trait Validator: Send + Sync {
    fn accepts(&self, question: &Question<'_>) -> Option<bool>;
}

/// A callback that takes longer holds up every other call on the database, so it is worth a line in the log.
const SLOW: std::time::Duration = std::time::Duration::from_secs(1);

/// Without a validator everything is accepted that MLS itself accepts and a member did; who comes from outside is not,
/// or the delivery service could add itself (docs/adr/0012).
pub(crate) fn ask(context: &Context, question: &Question<'_>) -> Result<(), Error> {
    let Some(validator) = &context.validator else {
        return if question.is_from_outside() {
            Err(Error::CredentialRejected)
        } else {
            Ok(())
        };
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

fn report(log: &Log, elapsed: std::time::Duration, answer: Option<bool>) {
    if elapsed > SLOW {
        let milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        log.event(Level::Warn, "validator_slow", &[("milliseconds", milliseconds)]);
    }
    if answer.is_none() {
        log.event(Level::Error, "validator_failed", &[]);
    }
}
