//! The internal error: rich, for the code and its tests. It never crosses the FFI; `api::error` converts it.

use openmls::{
    framing::errors::MlsMessageError,
    group::{
        CommitBuilderStageError, CreateCommitError, CreateMessageError, ExportGroupInfoError,
        ExportSecretError, ExternalCommitBuilderError, ExternalCommitBuilderFinalizeError, LeaveGroupError,
        MergeCommitError, MergePendingCommitError, MlsGroupStateError, NewGroupError, ProcessMessageError,
        ProposalError, SafeExportSecretError, WelcomeError,
    },
    prelude::{KeyPackageNewError, KeyPackageVerifyError, LibraryError},
    schedule::errors::PskError,
};
use openmls_traits::types::CryptoError;

use crate::storage::{StorageError, tx::KeptFailure};

/// Everything that can go wrong in a call.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("the cryptography failed")]
    Crypto(#[from] CryptoError),
    #[error("the database was wiped")]
    Wiped,
    #[error("the client is suspended")]
    Suspended,
    #[error("a callback called back into the library")]
    Reentrant,

    #[error("argument {argument}: {problem:?}")]
    Argument {
        argument: &'static str,
        problem: ArgumentProblem,
    },
    #[error("the bytes are no MLS message")]
    Malformed,

    #[error("no such identity")]
    IdentityNotFound,
    #[error("an identity with this signature key exists")]
    IdentityAlreadyExists,
    #[error("groups still sign with this identity")]
    IdentityInUse,
    #[error("ciphersuite {0:#06x} is not supported")]
    UnsupportedCiphersuite(u16),

    #[error("no such key package")]
    KeyPackageNotFound,
    #[error(transparent)]
    KeyPackage(#[from] KeyPackageError),
    #[error(transparent)]
    KeyPackageNew(#[from] KeyPackageNewError),

    #[error("no such group")]
    GroupNotFound,
    #[error("the group of a recovery archive was not rejoined yet")]
    GroupNotRejoined,
    #[error("a group with this id exists")]
    GroupAlreadyExists,
    #[error("no member has leaf index {0}")]
    MemberNotFound(u32),
    #[error(transparent)]
    NewGroup(#[from] NewGroupError<KeptFailure>),

    #[error("the message is no Welcome")]
    NotAWelcome,
    #[error("the Welcome is to an epoch that no honest group reaches")]
    WelcomeEpoch,
    #[error(transparent)]
    Welcome(#[from] Box<WelcomeError<KeptFailure>>),

    #[error(transparent)]
    GroupInfo(#[from] GroupInfoError),
    #[error("no external join waits")]
    NoExternalJoin,

    #[error("no such proposal is queued")]
    ProposalNotFound,
    #[error(transparent)]
    Propose(#[from] Box<ProposalError<KeptFailure>>),
    #[error(transparent)]
    Leave(#[from] LeaveGroupError<KeptFailure>),
    #[error("there is no pending Commit")]
    NoPendingCommit,
    #[error("a received Commit waits for a decision")]
    StagedCommitExists,
    #[error("no received Commit waits for a decision")]
    NoStagedCommit,
    #[error("this device rejected the Commit that began epoch {rejected_epoch}")]
    GroupDiverged { rejected_epoch: u64 },
    #[error("no room for another early message")]
    EarlyBufferFull,
    #[error(transparent)]
    State(#[from] MlsGroupStateError),
    #[error(transparent)]
    CreateCommit(#[from] Box<CreateCommitError>),
    #[error("a resumption PSK and Adds do not go into one Commit")]
    ResumptionPskWithAdds,
    #[error(transparent)]
    Psk(#[from] PskError),
    #[error(transparent)]
    ProposePsk(Box<ProposalError<KeptFailure>>),
    #[error(transparent)]
    StageCommit(#[from] CommitBuilderStageError<KeptFailure>),
    #[error(transparent)]
    MergePending(#[from] MergePendingCommitError<KeptFailure>),
    #[error(transparent)]
    Merge(#[from] MergeCommitError<KeptFailure>),

    #[error(transparent)]
    CreateMessage(#[from] CreateMessageError),
    #[error("the group is at epoch {current}, the message at {received}")]
    WrongEpoch { current: u64, received: u64 },
    #[error(transparent)]
    Message(#[from] MessageError),
    #[error("the app's validator refused")]
    CredentialRejected,
    #[error("the app's validator gave no answer, which counts as a refusal")]
    ValidatorFailed,
    #[error("no signer is attached to the identity")]
    SignerMissing,
    #[error("the app's signer gave no valid signature")]
    SignerFailed,
    #[error(transparent)]
    ExportSecret(#[from] ExportSecretError),
    #[error(transparent)]
    SafeExportSecret(#[from] SafeExportSecretError<KeptFailure>),
    #[error(transparent)]
    ExportGroupInfo(#[from] ExportGroupInfoError),
    #[error("a message of our own could not be encoded")]
    Encode(#[from] MlsMessageError),
    #[error(transparent)]
    Library(#[from] LibraryError),
    #[error(transparent)]
    KeptFailure(#[from] KeptFailure),
}

/// What is wrong with an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ArgumentProblem {
    Empty,
    TooLong,
    WrongLength,
    OutOfRange,
    Duplicate,
    Malformed,
    Unsupported,
    OnlyAtCreation,
}

/// Why a key package is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyPackageError {
    #[error("the message is no key package")]
    NotAKeyPackage,
    #[error("its lifetime is longer than the policy allows")]
    LifetimeTooLong,
    #[error("its ciphersuite is not the group's")]
    OtherCiphersuite,
    #[error("it is given twice")]
    Duplicate,
    #[error("its leaf does not support what the group requires")]
    CapabilitiesInsufficient,
    #[error(transparent)]
    Verify(#[from] KeyPackageVerifyError),
}

/// Why a GroupInfo cannot be joined with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GroupInfoError {
    #[error("the message is no GroupInfo")]
    NotAGroupInfo,
    #[error("no epoch can follow its epoch")]
    LastEpoch,
    #[error("a member has a credential of a type that the joining leaf does not list")]
    UnsupportedCredential,
    #[error(transparent)]
    Build(Box<ExternalCommitBuilderError<KeptFailure>>),
    #[error(transparent)]
    Commit(Box<CreateCommitError>),
    #[error(transparent)]
    Finalize(ExternalCommitBuilderFinalizeError<KeptFailure>),
}

/// Why a message is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MessageError {
    #[error("the message is for another group")]
    OtherGroup,
    #[error("a Welcome, GroupInfo or key package is not for a group's members")]
    NotAGroupMessage,
    #[error("a Commit from this device that it did not make or no longer knows")]
    UnknownOwnCommit,
    #[error("our own external Commit came back with another confirmation tag")]
    DamagedEcho,
    #[error("a Commit whose app data needs an interpreter")]
    AppDataUpdate,
    #[error("the queue is full of proposals, or of this sender's")]
    TooManyProposals,
    #[error("it changes the group's extensions to what a member does not support")]
    ExtensionsUnsupported,
    #[error("it names another group's resumption PSK")]
    OtherGroupsPsk,
    #[error("it names a PSK in a way that RFC 9420 forbids")]
    PskInvalid,
    #[error("it names a PSK of a draft")]
    PskUnsupported,
    #[error(transparent)]
    Process(Box<ProcessMessageError<KeptFailure>>),
}

impl From<WelcomeError<KeptFailure>> for Error {
    fn from(error: WelcomeError<KeptFailure>) -> Self {
        Self::Welcome(Box::new(error))
    }
}

impl From<CreateCommitError> for Error {
    fn from(error: CreateCommitError) -> Self {
        Self::CreateCommit(Box::new(error))
    }
}

impl From<ProposalError<KeptFailure>> for Error {
    fn from(error: ProposalError<KeptFailure>) -> Self {
        Self::Propose(Box::new(error))
    }
}

impl From<ProcessMessageError<KeptFailure>> for Error {
    fn from(error: ProcessMessageError<KeptFailure>) -> Self {
        MessageError::Process(Box::new(error)).into()
    }
}

/// Bytes from outside that do not decode; the position would say nothing to an app.
impl From<tls_codec::Error> for Error {
    fn from(_: tls_codec::Error) -> Self {
        Self::Malformed
    }
}
