//! From the internal error to the app's: every variant, so that a new one does not compile until it has a meaning.

use openmls::{
    framing::errors::{MessageDecryptionError, SecretTreeError},
    group::{
        CreateCommitError, CreateMessageError, ExportGroupInfoError, ExportSecretError, LeaveGroupError,
        MergePendingCommitError, MlsGroupStateError, NewGroupError, ProcessMessageError, ProposalError,
        ProposalValidationError, SafeExportSecretError, StageCommitError, ValidationError, WelcomeError,
    },
    prelude::{KeyPackageNewError, KeyPackageVerifyError},
    schedule::{PprfError, errors::PskError},
    treesync::errors::LifetimeError,
};

use super::error::{
    ArgumentReason, KeyPackageReason, MessageReason, MlsError, RecoveryArchiveReason, WelcomeReason,
};
use crate::{
    error::{ArgumentProblem, Error, KeyPackageError, MessageError},
    storage::{ArchiveProblem, PathProblem, StorageError, tx::KeptFailure},
};

impl From<Error> for MlsError {
    fn from(error: Error) -> Self {
        match error {
            Error::Storage(error) => error.into(),
            Error::Crypto(_) => internal(1),
            Error::Wiped => Self::Wiped,
            Error::Suspended => Self::Suspended,
            Error::Reentrant => Self::Reentrant,
            Error::Argument { argument, problem } => Self::InvalidArgument {
                argument: argument.to_owned(),
                reason: problem.into(),
            },
            Error::Malformed => Self::MessageMalformed,
            Error::IdentityNotFound => Self::IdentityNotFound,
            Error::IdentityInUse => Self::IdentityInUse,
            Error::IdentityAlreadyExists => Self::IdentityAlreadyExists,
            Error::UnsupportedCiphersuite(ciphersuite) => Self::UnsupportedCiphersuite { ciphersuite },
            Error::KeyPackageNotFound => Self::KeyPackageNotFound,
            Error::KeyPackage(error) => Self::KeyPackageInvalid { reason: error.into() },
            Error::KeyPackageNew(error) => error.into(),
            Error::GroupNotFound => Self::GroupNotFound,
            Error::GroupNotRejoined => Self::GroupNotRejoined,
            Error::GroupAlreadyExists => Self::GroupAlreadyExists,
            Error::MemberNotFound(leaf_index) => Self::MemberNotFound { leaf_index },
            Error::NewGroup(error) => error.into(),
            Error::NotAWelcome => Self::WelcomeInvalid {
                reason: WelcomeReason::NotAWelcome,
            },
            Error::WelcomeEpoch => Self::WelcomeInvalid {
                reason: WelcomeReason::UnsupportedFeature,
            },
            Error::Welcome(error) => (*error).into(),
            Error::GroupInfo(error) => error.into(),
            Error::NoExternalJoin => Self::NoExternalJoin,
            Error::ProposalNotFound => Self::ProposalNotFound,
            Error::NoPendingCommit => Self::NoPendingCommit,
            Error::StagedCommitExists => Self::StagedCommitExists,
            Error::NoStagedCommit => Self::NoStagedCommit,
            Error::GroupDiverged { rejected_epoch } => Self::GroupDiverged { rejected_epoch },
            Error::ResumptionPskWithAdds => Self::ResumptionPskWithAdds,
            Error::Psk(error) => psk_error(&error),
            Error::ProposePsk(_) => internal(50),
            Error::EarlyBufferFull => Self::EarlyBufferFull,
            Error::State(error) => error.into(),
            Error::CreateCommit(error) => (*error).into(),
            Error::Propose(error) => match *error {
                ProposalError::GroupStateError(error) => error.into(),
                _ => internal(39),
            },
            Error::Leave(LeaveGroupError::GroupStateError(error)) => error.into(),
            Error::Leave(_) => internal(39),
            Error::StageCommit(_) => internal(2),
            Error::MergePending(MergePendingCommitError::MlsGroupStateError(error)) => error.into(),
            Error::MergePending(MergePendingCommitError::MergeCommitError(_)) | Error::Merge(_) => {
                internal(3)
            }
            Error::CreateMessage(CreateMessageError::GroupStateError(error)) => error.into(),
            Error::CreateMessage(CreateMessageError::LibraryError(_)) => internal(4),
            Error::WrongEpoch { current, received } => Self::WrongEpoch { current, received },
            Error::Message(error) => error.into(),
            Error::CredentialRejected | Error::ValidatorFailed => Self::CredentialRejected,
            Error::SignerMissing => Self::SignerMissing,
            Error::SignerFailed => Self::SignerFailed,
            Error::ExportSecret(ExportSecretError::GroupStateError(error)) => error.into(),
            Error::ExportSecret(ExportSecretError::KeyLengthTooLong) => Self::InvalidArgument {
                argument: "length".to_owned(),
                reason: ArgumentReason::TooLong,
            },
            Error::ExportSecret(ExportSecretError::LibraryError(_)) => internal(5),
            Error::SafeExportSecret(error) => error.into(),
            Error::ExportGroupInfo(ExportGroupInfoError::GroupStateError(error)) => error.into(),
            Error::ExportGroupInfo(
                ExportGroupInfoError::LibraryError(_) | ExportGroupInfoError::InvalidExtensionError(_),
            ) => internal(9),
            Error::Encode(_) => internal(6),
            Error::Library(_) => internal(7),
            Error::KeptFailure(_) => internal(8),
        }
    }
}

/// Codes of internal errors start at 1000; docs/errors.md lists them.
pub(super) fn internal(code: u32) -> MlsError {
    MlsError::Internal { code: 1000 + code }
}

impl From<StorageError> for MlsError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Busy => Self::StorageBusy,
            StorageError::Locked => Self::StorageLocked,
            StorageError::Full => Self::StorageFull,
            StorageError::ReadOnly => Self::StorageReadOnly,
            StorageError::Io(_) => Self::StorageIo,
            StorageError::Path { argument, problem } => Self::InvalidArgument {
                argument: argument.to_owned(),
                reason: problem.into(),
            },
            StorageError::Corrupt => Self::StorageCorrupt,
            StorageError::WrongKey => Self::WrongDatabaseKey,
            StorageError::NotOurs => Self::StorageForeign,
            StorageError::TooNew { found, supported } => Self::StorageTooNew { found, supported },
            StorageError::TooOld { found, minimum } => Self::StorageRolledBack { found, minimum },
            StorageError::Interrupted => Self::Suspended,
            StorageError::Transferred => Self::Transferred,
            StorageError::Archive(problem) => Self::RecoveryArchiveInvalid {
                reason: problem.into(),
            },
            StorageError::RekeyPending => Self::RekeyPending,
            StorageError::Encode(_) => internal(20),
            StorageError::TooLarge => internal(21),
            StorageError::Crypto => internal(22),
            StorageError::WriteInRead => internal(23),
            StorageError::LostWrites => internal(25),
            StorageError::LacksPastEpochs => internal(26),
            StorageError::Sqlite(_) => internal(24),
        }
    }
}

impl From<ArgumentProblem> for ArgumentReason {
    fn from(problem: ArgumentProblem) -> Self {
        match problem {
            ArgumentProblem::Empty => Self::Empty,
            ArgumentProblem::TooLong => Self::TooLong,
            ArgumentProblem::WrongLength => Self::WrongLength,
            ArgumentProblem::OutOfRange => Self::OutOfRange,
            ArgumentProblem::Duplicate => Self::Duplicate,
            ArgumentProblem::Malformed => Self::Malformed,
            ArgumentProblem::Unsupported => Self::Unsupported,
            ArgumentProblem::OnlyAtCreation => Self::OnlyAtCreation,
        }
    }
}

impl From<PathProblem> for ArgumentReason {
    fn from(problem: PathProblem) -> Self {
        match problem {
            PathProblem::Empty => Self::Empty,
            PathProblem::Impossible => Self::OutOfRange,
            PathProblem::FolderMissing => Self::FolderMissing,
            PathProblem::NotAFile => Self::NotAFile,
            PathProblem::AlreadyExists => Self::AlreadyExists,
        }
    }
}

impl From<ArchiveProblem> for RecoveryArchiveReason {
    fn from(problem: ArchiveProblem) -> Self {
        match problem {
            ArchiveProblem::NotAnArchive => Self::NotAnArchive,
            ArchiveProblem::WrongKey => Self::WrongKey,
            ArchiveProblem::Damaged => Self::Damaged,
            ArchiveProblem::TooNew => Self::TooNew,
            ArchiveProblem::TooLarge => Self::TooLarge,
        }
    }
}

impl From<KeyPackageError> for KeyPackageReason {
    fn from(error: KeyPackageError) -> Self {
        match error {
            KeyPackageError::NotAKeyPackage => Self::NotAKeyPackage,
            KeyPackageError::LifetimeTooLong => Self::LifetimeUnacceptable,
            KeyPackageError::OtherCiphersuite => Self::OtherCiphersuite,
            KeyPackageError::Duplicate => Self::DuplicateKey,
            KeyPackageError::CapabilitiesInsufficient => Self::CapabilitiesInsufficient,
            KeyPackageError::Verify(error) => match error {
                KeyPackageVerifyError::LifetimeError(LifetimeError::Expired { .. }) => Self::Expired,
                KeyPackageVerifyError::LifetimeError(_) => Self::NotYetValid,
                KeyPackageVerifyError::MissingLifetime => Self::LifetimeUnacceptable,
                KeyPackageVerifyError::InvalidSignature | KeyPackageVerifyError::InvalidLeafNodeSignature => {
                    Self::SignatureInvalid
                }
                KeyPackageVerifyError::InvalidProtocolVersion => Self::UnsupportedVersion,
                KeyPackageVerifyError::UnsupportedExtension
                | KeyPackageVerifyError::ExtensionTypeNotValidInKeyPackage(_) => Self::ExtensionInvalid,
                KeyPackageVerifyError::InvalidLeafNodeSourceType
                | KeyPackageVerifyError::InitKeyEqualsEncryptionKey
                | KeyPackageVerifyError::LibraryError(_) => Self::ContentInvalid,
            },
        }
    }
}

impl From<KeyPackageNewError> for MlsError {
    fn from(error: KeyPackageNewError) -> Self {
        match error {
            KeyPackageNewError::UnsupportedCiphersuite(ciphersuite) => Self::UnsupportedCiphersuite {
                ciphersuite: ciphersuite.into(),
            },
            KeyPackageNewError::CiphersuiteSignatureSchemeMismatch
            | KeyPackageNewError::SignatureError(_)
            | KeyPackageNewError::LibraryError(_)
            | KeyPackageNewError::StorageError => internal(30),
        }
    }
}

impl From<NewGroupError<KeptFailure>> for MlsError {
    fn from(error: NewGroupError<KeptFailure>) -> Self {
        match error {
            NewGroupError::GroupAlreadyExists => Self::GroupAlreadyExists,
            NewGroupError::UnsupportedCiphersuite(ciphersuite) => Self::UnsupportedCiphersuite {
                ciphersuite: ciphersuite.into(),
            },
            NewGroupError::UnsupportedProposalType
            | NewGroupError::UnsupportedExtensionType
            | NewGroupError::InvalidExtensions(_) => Self::InvalidArgument {
                argument: "extensions".to_owned(),
                reason: ArgumentReason::OutOfRange,
            },
            NewGroupError::LibraryError(_)
            | NewGroupError::NoMatchingKeyPackage
            | NewGroupError::StorageError(_) => internal(31),
        }
    }
}

impl From<WelcomeError<KeptFailure>> for MlsError {
    fn from(error: WelcomeError<KeptFailure>) -> Self {
        let reason = match error {
            WelcomeError::GroupAlreadyExists => return Self::GroupAlreadyExists,
            WelcomeError::UnsupportedCiphersuite(ciphersuite) => {
                return Self::UnsupportedCiphersuite {
                    ciphersuite: ciphersuite.into(),
                };
            }
            WelcomeError::LibraryError(_) | WelcomeError::StorageError(_) => return internal(32),
            WelcomeError::NotAWelcomeMessage => WelcomeReason::NotAWelcome,
            WelcomeError::NoMatchingKeyPackage
            | WelcomeError::JoinerSecretNotFound
            | WelcomeError::PrivateInitKeyNotFound
            | WelcomeError::NoMatchingEncryptionKey => WelcomeReason::NoMatchingKeyPackage,
            WelcomeError::MissingRatchetTree => WelcomeReason::RatchetTreeMissing,
            WelcomeError::UnableToDecrypt
            | WelcomeError::MalformedWelcomeMessage
            | WelcomeError::GroupSecrets(_)
            | WelcomeError::GroupInfo(_)
            | WelcomeError::KeySchedule(_) => WelcomeReason::DecryptionFailed,
            WelcomeError::ConfirmationTagMismatch
            | WelcomeError::InvalidGroupInfoSignature
            | WelcomeError::UnknownSender => WelcomeReason::SignatureInvalid,
            WelcomeError::CiphersuiteMismatch
            | WelcomeError::UnsupportedMlsVersion
            | WelcomeError::UnsupportedCapability
            | WelcomeError::UnsupportedExtensions => WelcomeReason::UnsupportedFeature,
            WelcomeError::Psk(_) => WelcomeReason::PskMissing,
            WelcomeError::PublicTreeError(_)
            | WelcomeError::PublicGroupError(_)
            | WelcomeError::LeafNodeValidation(_) => WelcomeReason::RatchetTreeInvalid,
        };
        Self::WelcomeInvalid { reason }
    }
}

impl From<MlsGroupStateError> for MlsError {
    fn from(error: MlsGroupStateError) -> Self {
        match error {
            MlsGroupStateError::UseAfterEviction => Self::GroupInactive,
            MlsGroupStateError::PendingProposal => Self::PendingProposalsExist,
            MlsGroupStateError::PendingCommit => Self::PendingCommitExists,
            MlsGroupStateError::NoPendingCommit => Self::NoPendingCommit,
            MlsGroupStateError::PendingProposalNotFound | MlsGroupStateError::LibraryError(_) => internal(33),
        }
    }
}

impl From<CreateCommitError> for MlsError {
    fn from(error: CreateCommitError) -> Self {
        use KeyPackageReason::{CapabilitiesInsufficient, DuplicateKey, OtherCiphersuite};
        let own_leaf = || Self::InvalidArgument {
            argument: "leaf_indices".to_owned(),
            reason: ArgumentReason::OutOfRange,
        };
        match error {
            CreateCommitError::CannotRemoveSelf => own_leaf(),
            CreateCommitError::ProposalValidationError(error) => match error {
                ProposalValidationError::DuplicateSignatureKey
                | ProposalValidationError::DuplicateEncryptionKey
                | ProposalValidationError::DuplicateInitKey
                | ProposalValidationError::InitEncryptionKeyCollision => {
                    Self::KeyPackageInvalid { reason: DuplicateKey }
                }
                ProposalValidationError::InsufficientCapabilities
                | ProposalValidationError::LeafNodeValidation(_)
                | ProposalValidationError::UnsupportedProposalType => Self::KeyPackageInvalid {
                    reason: CapabilitiesInsufficient,
                },
                ProposalValidationError::InvalidAddProposalCiphersuiteOrVersion => Self::KeyPackageInvalid {
                    reason: OtherCiphersuite,
                },
                _ => Self::MessageInvalid {
                    reason: MessageReason::ProposalInvalid,
                },
            },
            CreateCommitError::PskError(error) => psk_error(&error),
            _ => internal(34),
        }
    }
}

fn psk_error(error: &PskError) -> MlsError {
    match error {
        PskError::KeyNotFound => MlsError::PskNotFound,
        _ => internal(51),
    }
}

impl From<SafeExportSecretError<KeptFailure>> for MlsError {
    fn from(error: SafeExportSecretError<KeptFailure>) -> Self {
        match error {
            SafeExportSecretError::GroupState(error) => error.into(),
            SafeExportSecretError::ApplicationExportTree(PprfError::PuncturedInput) => {
                Self::SecretAlreadyExported
            }
            SafeExportSecretError::ApplicationExportTree(PprfError::IndexOutOfBounds) => {
                Self::InvalidArgument {
                    argument: "component_id".to_owned(),
                    reason: ArgumentReason::OutOfRange,
                }
            }
            SafeExportSecretError::ApplicationExportTree(_)
            | SafeExportSecretError::Unsupported
            | SafeExportSecretError::Storage(_) => internal(52),
        }
    }
}

impl From<MessageError> for MlsError {
    fn from(error: MessageError) -> Self {
        let reason = match error {
            MessageError::OtherGroup => MessageReason::OtherGroup,
            MessageError::NotAGroupMessage => MessageReason::NotAGroupMessage,
            MessageError::UnknownOwnCommit => MessageReason::UnknownOwnCommit,
            MessageError::DamagedEcho => MessageReason::SignatureInvalid,
            MessageError::AppDataUpdate => MessageReason::UnsupportedFeature,
            MessageError::TooManyProposals => MessageReason::TooManyProposals,
            MessageError::OtherGroupsPsk => MessageReason::OtherGroupsPsk,
            MessageError::PskInvalid | MessageError::ExtensionsUnsupported => MessageReason::ProposalInvalid,
            MessageError::PskUnsupported => MessageReason::UnsupportedFeature,
            MessageError::Process(error) => return (*error).into(),
        };
        Self::MessageInvalid { reason }
    }
}

impl From<ProcessMessageError<KeptFailure>> for MlsError {
    fn from(error: ProcessMessageError<KeptFailure>) -> Self {
        let reason = match error {
            ProcessMessageError::LibraryError(_) | ProcessMessageError::StorageError(_) => {
                return internal(35);
            }
            ProcessMessageError::GroupStateError(error) => return error.into(),
            ProcessMessageError::ValidationError(error) => validation_reason(error),
            ProcessMessageError::InvalidCommit(error) => commit_reason(&error),
            ProcessMessageError::UnauthorizedExternalApplicationMessage
            | ProcessMessageError::UnauthorizedExternalCommitMessage => MessageReason::SenderInvalid,
            ProcessMessageError::IncompatibleWireFormat
            | ProcessMessageError::UnsupportedProposalType
            | ProcessMessageError::MalformedSafeAad => MessageReason::UnsupportedFeature,
        };
        Self::MessageInvalid { reason }
    }
}

fn validation_reason(error: ValidationError) -> MessageReason {
    match error {
        ValidationError::UnableToDecrypt(MessageDecryptionError::SecretTreeError(error)) => match error {
            SecretTreeError::TooDistantInThePast => MessageReason::GenerationTooOld,
            SecretTreeError::TooDistantInTheFuture | SecretTreeError::RatchetTooLong => {
                MessageReason::GenerationTooNew
            }
            SecretTreeError::IndexOutOfBounds => MessageReason::SenderInvalid,
            _ => MessageReason::DecryptionFailed,
        },
        ValidationError::UnableToDecrypt(MessageDecryptionError::GenerationOutOfBound) => {
            MessageReason::GenerationTooOld
        }
        ValidationError::UnableToDecrypt(_) => MessageReason::DecryptionFailed,
        ValidationError::InvalidSignature
        | ValidationError::InvalidMembershipTag
        | ValidationError::MissingMembershipTag
        | ValidationError::MissingConfirmationTag
        | ValidationError::InvalidLeafNodeSignature => MessageReason::SignatureInvalid,
        ValidationError::UnknownMember
        | ValidationError::UnauthorizedExternalSender
        | ValidationError::NoExternalSendersExtension
        | ValidationError::InvalidSenderType
        | ValidationError::NonMemberApplicationMessage => MessageReason::SenderInvalid,
        _ => MessageReason::ProposalInvalid,
    }
}

fn commit_reason(error: &StageCommitError) -> MessageReason {
    match error {
        StageCommitError::MissingProposal => MessageReason::ProposalMissing,
        StageCommitError::OwnCommitMismatch => MessageReason::UnknownOwnCommit,
        StageCommitError::PskError(PskError::KeyNotFound) => MessageReason::PskMissing,
        StageCommitError::ConfirmationTagMissing
        | StageCommitError::ConfirmationTagMismatch
        | StageCommitError::PathLeafNodeVerificationFailure => MessageReason::SignatureInvalid,
        StageCommitError::SenderTypeExternal
        | StageCommitError::SenderTypeNewMemberProposal
        | StageCommitError::InconsistentSenderIndex => MessageReason::SenderInvalid,
        _ => MessageReason::ProposalInvalid,
    }
}
