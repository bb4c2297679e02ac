//! What the app gives the library to call: a validator, signers and a log sink. All synchronous, all may fail.

use std::{panic::AssertUnwindSafe, sync::Arc};

use super::{CommitSummary, Credential, ExternalSender, GroupId, Member, NewMember, ProposalSummary};
use crate::{
    group::validator::{Question, Validator},
    log::{Level, Sink},
    signing::AppSigner,
};

/// A callback failed: it threw, or it could not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum CallbackError {
    /// Counts as a refusal.
    #[error("the callback failed")]
    Failed,
}

/// An exception that the app's language threw; its text may hold anything, so it is dropped here.
impl From<uniffi::UnexpectedUniFFICallbackError> for CallbackError {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed
    }
}

/// What the app is asked to judge.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum ValidationRequest {
    /// A received Commit, before it is merged. Refused, it can be processed again later.
    Commit {
        /// The group.
        group_id: GroupId,
        /// What it changes.
        summary: CommitSummary,
    },
    /// A received proposal, before it is queued.
    Proposal {
        /// The group.
        group_id: GroupId,
        /// What it asks for.
        summary: ProposalSummary,
    },
    /// An invitation, before the group is joined. Refused, the key package stays.
    Welcome {
        /// The group.
        group_id: GroupId,
        /// Who invites.
        sender: Option<Credential>,
        /// Everybody in it.
        members: Vec<Member>,
    },
    /// A group that this device is about to join by an external Commit, before the Commit is handed out.
    ExternalJoin {
        /// The group.
        group_id: GroupId,
        /// Everybody in it after the join, this device too.
        members: Vec<Member>,
    },
    /// The servers that may propose to the group from outside (RFC 9420, section 12.1.8.1): of a group that this device
    /// is about to join, or as a received proposal or Commit would make them. Asked after the request that brings them.
    ExternalSenders {
        /// The group.
        group_id: GroupId,
        /// All of them.
        senders: Vec<ExternalSender>,
    },
    /// A key package that this device is about to add.
    KeyPackage {
        /// The group.
        group_id: GroupId,
        /// Who would be added.
        member: NewMember,
    },
}

/// Decides who is let in: whether credentials are genuine, and whether changes are wanted. `x509_validator` is a ready
/// one for certificates, with an app's own behind it.
///
/// A member's new credential must also be its rightful successor (RFC 9420, section 5.3.1): compare `before` and `after` in
/// `CommitSummary.updated`, and the sender of a proposal with its `Update`. So must who comes in by an external Commit be
/// for the member that this Commit removes (section 12.4.3.2): compare `CommitSummary.external_joins` with `removed`. MLS
/// itself lets whoever has the GroupInfo take any member's place, and every member remove any other.
///
/// It runs inside the call's transaction: answer within a second, without a user interface, and without calling the
/// library, which answers `Reentrant`; do not wait for another thread that calls it, which would wait for you.
#[uniffi::export(with_foreign)]
pub trait CredentialValidator: Send + Sync {
    /// `true` lets it happen; `false` and any failure refuse it, and the call answers `CredentialRejected`.
    fn validate(&self, request: ValidationRequest) -> Result<bool, CallbackError>;
}

/// Signs with a private key that the library never sees: one in an HSM, or in the system's key store.
///
/// It runs inside the call's transaction, several times for a Commit: answer within a second, and without calling the
/// library, which answers `Reentrant`; do not wait for another thread that calls it, which would wait for you.
///
/// What it gets is either a `SignContent` of MLS (RFC 9420, section 5.1.2), which begins with the length of its label and
/// then `MLS 1.0 `, or a challenge that shows that the key is the right one: the byte 0xff, the text
/// `mls-mobile signer challenge`, the public key, and 32 random bytes. No `SignContent` begins with 0xff. Use the key for
/// nothing else.
#[uniffi::export(with_foreign)]
pub trait Signer: Send + Sync {
    /// The Ed25519 signature of `bytes`, 64 bytes (RFC 8032, without a hash before it). It is verified before it is used;
    /// a wrong one, and any failure, makes the call answer `SignerFailed` and change nothing.
    fn sign(&self, bytes: Vec<u8>) -> Result<Vec<u8>, CallbackError>;
}

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum LogLevel {
    /// Something ended as it should.
    Info,
    /// Something is unusual.
    Warn,
    /// A call failed.
    Error,
}

/// A number in a log line.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LogField {
    /// What it counts or says.
    pub name: String,
    /// A count, a duration or an error code; never an identifier.
    pub value: u64,
}

/// Takes the library's log: verbs, counts and codes, nothing secret.
#[uniffi::export(with_foreign)]
pub trait LogSink: Send + Sync {
    /// A failure is ignored. The same rules as for a validator: quick, and no calls back.
    fn log(&self, level: LogLevel, event: String, fields: Vec<LogField>) -> Result<(), CallbackError>;
}

pub(super) struct ForeignValidator(pub(super) Arc<dyn CredentialValidator>);

impl Validator for ForeignValidator {
    fn accepts(&self, question: &Question<'_>) -> Option<bool> {
        let request = question.into();
        unless_it_panics(|| self.0.validate(request))
    }
}

pub(super) struct ForeignSigner(pub(super) Arc<dyn Signer>);

impl AppSigner for ForeignSigner {
    fn sign(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        unless_it_panics(|| self.0.sign(bytes.to_vec()))
    }
}

impl From<&Question<'_>> for ValidationRequest {
    fn from(question: &Question<'_>) -> Self {
        let group = |id: &[u8]| GroupId(id.to_vec());
        match *question {
            Question::Commit { group_id, summary } => Self::Commit {
                group_id: group(group_id),
                summary: summary.clone().into(),
            },
            Question::Proposal { group_id, summary } => Self::Proposal {
                group_id: group(group_id),
                summary: summary.clone().into(),
            },
            Question::Welcome {
                group_id,
                sender,
                members,
            } => Self::Welcome {
                group_id: group(group_id),
                sender: sender.map(Into::into),
                members: members.iter().cloned().map(Into::into).collect(),
            },
            Question::ExternalJoin { group_id, members } => Self::ExternalJoin {
                group_id: group(group_id),
                members: members.iter().cloned().map(Into::into).collect(),
            },
            Question::ExternalSenders { group_id, senders } => Self::ExternalSenders {
                group_id: group(group_id),
                senders: senders.iter().cloned().map(Into::into).collect(),
            },
            Question::KeyPackage { group_id, member } => Self::KeyPackage {
                group_id: group(group_id),
                member: member.clone().into(),
            },
        }
    }
}

pub(super) struct ForeignSink(pub(super) Arc<dyn LogSink>);

impl Sink for ForeignSink {
    fn write(&self, level: Level, event: &'static str, fields: &[(&'static str, u64)]) {
        let level = match level {
            Level::Info => LogLevel::Info,
            Level::Warn => LogLevel::Warn,
            Level::Error => LogLevel::Error,
        };
        let fields = fields
            .iter()
            .map(|&(name, value)| LogField {
                name: name.to_owned(),
                value,
            })
            .collect();
        // A log that fails must not make the call fail.
        let _ = unless_it_panics(|| self.0.log(level, event.to_owned(), fields));
    }
}

/// What a callback answers. One in Rust may panic; from other languages uniffi has made an error of it.
fn unless_it_panics<T>(run: impl FnOnce() -> Result<T, CallbackError>) -> Option<T> {
    // Whatever the app's own state is afterwards, ours is only lent to it.
    std::panic::catch_unwind(AssertUnwindSafe(run)).ok()?.ok()
}
