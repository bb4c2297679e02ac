//! The error that apps see: a variant for each thing that they can act on, with a number that never changes.

use super::group_info_error::GroupInfoReason;

/// Why a call did nothing. Every error leaves groups and database as they were before the call.
///
/// Each variant has a stable number, [`MlsError::error_code`], for logs and for support. No variant carries a key, a
/// plaintext, an identifier or the text of a dependency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
#[uniffi::export(Display)]
pub enum MlsError {
    /// No group with this id is in the database. It was never joined here, or it was deleted.
    #[error("there is no such group")]
    GroupNotFound,
    /// The group came with a recovery archive and waits to be rejoined. Join it by an external Commit or from a Welcome,
    /// or forget it.
    #[error("the group was not rejoined yet")]
    GroupNotRejoined,
    /// A group with this id exists already. Delete it first, or keep using it.
    #[error("a group with this id exists already")]
    GroupAlreadyExists,
    /// This device was removed from the group. What is there can be read; the group can be deleted or joined again. A
    /// message that comes after the removal is not read any more, even if it was sent before it.
    #[error("this device was removed from the group")]
    GroupInactive,
    /// No identity with this id is in the database.
    #[error("there is no such identity")]
    IdentityNotFound,
    /// An identity with this public key exists already: attach its signer (`attach_signer`), or use another key.
    #[error("an identity with this public key exists already")]
    IdentityAlreadyExists,
    /// Groups still sign with this identity, or wait to be rejoined with it. Change their identity or delete them first.
    #[error("groups still use this identity")]
    IdentityInUse,
    /// No key package with this reference is in the database: it was used, deleted, or is another device's.
    #[error("there is no such key package")]
    KeyPackageNotFound,
    /// A key package cannot be used. Ask its owner's delivery service for another.
    #[error("the key package is invalid: {reason:?}")]
    KeyPackageInvalid {
        /// What is wrong with it.
        reason: KeyPackageReason,
    },
    /// A Welcome cannot be used.
    #[error("the Welcome is invalid: {reason:?}")]
    WelcomeInvalid {
        /// What is wrong with it.
        reason: WelcomeReason,
    },
    /// A GroupInfo cannot be joined with. Get another from the delivery service or a member.
    #[error("the GroupInfo is invalid: {reason:?}")]
    GroupInfoInvalid {
        /// What is wrong with it.
        reason: GroupInfoReason,
    },
    /// The group has an own Commit that waits. Merge it or clear it first.
    #[error("an own Commit is pending")]
    PendingCommitExists,
    /// The group has no own Commit that waits.
    #[error("no own Commit is pending")]
    NoPendingCommit,
    /// A received Commit waits for a decision. Merge it or discard it first.
    #[error("a received Commit waits for a decision")]
    StagedCommitExists,
    /// No received Commit waits for a decision.
    #[error("no received Commit waits for a decision")]
    NoStagedCommit,
    /// No external join waits for this group: it was abandoned, replaced by a Welcome, or the group has moved on since.
    #[error("no external join waits for this group")]
    NoExternalJoin,
    /// This device discarded a Commit that the others follow. The group can only be read, deleted, or joined again.
    #[error("this device rejected the Commit that began epoch {rejected_epoch}")]
    GroupDiverged {
        /// The epoch that the discarded Commit began.
        rejected_epoch: u64,
    },
    /// There is no room to keep another message that came too early. It was not taken: give it again when the group
    /// has moved on.
    #[error("no room for another early message")]
    EarlyBufferFull,
    /// No proposal with this reference is queued: it was committed, dropped, or is of another epoch.
    #[error("no such proposal is queued")]
    ProposalNotFound,
    /// Queued proposals must be committed before a message can be sent (RFC 9420, section 12.4). Commit first.
    #[error("queued proposals must be committed first")]
    PendingProposalsExist,
    /// A pre-shared key is not here: the external one was never registered or was deleted, or the resumption secret of
    /// that epoch is not kept. Register it, or do without.
    #[error("the pre-shared key is not here")]
    PskNotFound,
    /// A Commit would add members and mix in a resumption PSK, which new members cannot have (docs/adr/0017). Make two
    /// Commits: remove one of the proposals, or commit the queue first.
    #[error("a resumption PSK and Adds do not go into one Commit")]
    ResumptionPskWithAdds,
    /// The component's secret of this epoch was exported before. Each exists once (forward secrecy): keep what it gave,
    /// or wait for the next epoch.
    #[error("the secret of this epoch was exported already")]
    SecretAlreadyExported,
    /// A message of an epoch so far ahead that it is no message of the group's near future. Skip it.
    #[error("the group is at epoch {current}, the message at {received}")]
    WrongEpoch {
        /// The group's epoch.
        current: u64,
        /// The message's epoch.
        received: u64,
    },
    /// A message that decodes, but that this group must not accept. Skip it.
    #[error("the message is invalid: {reason:?}")]
    MessageInvalid {
        /// What is wrong with it.
        reason: MessageReason,
    },
    /// The bytes are no MLS message: damaged, cut short, or something else. Skip them.
    #[error("the bytes are no MLS message")]
    MessageMalformed,
    /// The app's `CredentialValidator` refused, or it failed.
    #[error("the credential was rejected")]
    CredentialRejected,
    /// The identity's key is outside the library, and no signer was attached since `open`. Call `attach_signer`.
    #[error("no signer is attached to the identity")]
    SignerMissing,
    /// The app's `Signer` failed, or what it returned is no signature by the identity's key. Try again.
    #[error("the signer gave no valid signature")]
    SignerFailed,
    /// A callback called back into the library. Let it answer first.
    #[error("a callback called back into the library")]
    Reentrant,
    /// No member of the group has this leaf index.
    #[error("no member has leaf index {leaf_index}")]
    MemberNotFound {
        /// The leaf index that was given.
        leaf_index: u32,
    },
    /// This library does not compute the ciphersuite.
    #[error("ciphersuite {ciphersuite} is not supported")]
    UnsupportedCiphersuite {
        /// Its number in the IANA registry.
        ciphersuite: u16,
    },
    /// An argument is out of its bounds.
    #[error("invalid argument {argument}: {reason:?}")]
    InvalidArgument {
        /// The parameter's or field's name.
        argument: String,
        /// What is wrong with it.
        reason: ArgumentReason,
    },
    /// `wipe` has removed the database. Open a new client.
    #[error("the database was wiped")]
    Wiped,
    /// The client is suspended, or was suspended while the call ran: it did nothing. Call `resume` first.
    #[error("the client is suspended")]
    Suspended,
    /// The database was moved to another device, or is on its way. It never works here again.
    #[error("the database was moved to another device")]
    Transferred,
    /// A recovery archive cannot be used, or not be made.
    #[error("the recovery archive is invalid: {reason:?}")]
    RecoveryArchiveInvalid {
        /// What is wrong with it.
        reason: RecoveryArchiveReason,
    },
    /// `rekey` was not confirmed. Confirm it, or call `rekey` again, first.
    #[error("a change of the database key waits to be confirmed")]
    RekeyPending,
    /// Another process held the database for longer than `busy_timeout_ms`. Try again.
    #[error("the database is in use")]
    StorageBusy,
    /// The operating system does not let the file be opened: the device has not been unlocked since it started, or the
    /// app may not write there.
    #[error("the database file cannot be opened now")]
    StorageLocked,
    /// No space is left. Free some and try again.
    #[error("no space left on the device")]
    StorageFull,
    /// The file, or its folder, cannot be written.
    #[error("the database file is read-only")]
    StorageReadOnly,
    /// The disk failed. Try again; if it stays, the device is failing.
    #[error("the disk answered with an error")]
    StorageIo,
    /// The key does not open this database. The file is untouched.
    #[error("the database key is wrong")]
    WrongDatabaseKey,
    /// The file is damaged. Nothing was deleted; restore the membership from other devices.
    #[error("the database is damaged")]
    StorageCorrupt,
    /// The file is another program's, or no database at all. It is untouched.
    #[error("the file is not a database of this library")]
    StorageForeign,
    /// A newer version of the library wrote this file. Update the app; from a client that was open, end this process: the
    /// app was updated while it ran.
    #[error("the database has schema {found}, this library knows {supported}")]
    StorageTooNew {
        /// The file's schema version.
        found: u32,
        /// The newest version that this library knows.
        supported: u32,
    },
    /// The file is older than `minimum_generation`: an old copy was put back. Using it would reuse keys.
    #[error("the database is an old copy: generation {found}, expected {minimum}")]
    StorageRolledBack {
        /// The file's generation.
        found: u64,
        /// What the app expected at least.
        minimum: u64,
    },
    /// A fault of the library. Report the code.
    #[error("internal error {code}")]
    Internal {
        /// Says where; see docs/errors.md.
        code: u32,
    },
}

#[uniffi::export]
impl MlsError {
    /// The variant's stable number, the same in every version and language. (A method `code` would be hidden by the
    /// field of `Internal` in Python.)
    pub fn error_code(&self) -> u32 {
        match self {
            Self::GroupNotFound => 100,
            Self::GroupAlreadyExists => 101,
            Self::GroupInactive => 102,
            Self::MemberNotFound { .. } => 103,
            Self::GroupDiverged { .. } => 104,
            Self::GroupNotRejoined => 105,
            Self::IdentityNotFound => 110,
            Self::IdentityInUse => 111,
            Self::IdentityAlreadyExists => 112,
            Self::KeyPackageNotFound => 120,
            Self::KeyPackageInvalid { .. } => 121,
            Self::WelcomeInvalid { .. } => 130,
            Self::GroupInfoInvalid { .. } => 131,
            Self::PendingCommitExists => 140,
            Self::NoPendingCommit => 141,
            Self::PendingProposalsExist => 142,
            Self::ProposalNotFound => 143,
            Self::StagedCommitExists => 144,
            Self::NoStagedCommit => 145,
            Self::NoExternalJoin => 146,
            Self::PskNotFound => 190,
            Self::ResumptionPskWithAdds => 191,
            Self::SecretAlreadyExported => 192,
            Self::WrongEpoch { .. } => 150,
            Self::MessageInvalid { .. } => 151,
            Self::MessageMalformed => 152,
            Self::EarlyBufferFull => 153,
            Self::CredentialRejected => 160,
            Self::Reentrant => 161,
            Self::SignerMissing => 162,
            Self::SignerFailed => 163,
            Self::UnsupportedCiphersuite { .. } => 170,
            Self::InvalidArgument { .. } => 171,
            Self::Wiped => 180,
            Self::Suspended => 181,
            Self::Transferred => 182,
            Self::RekeyPending => 183,
            Self::RecoveryArchiveInvalid { .. } => 184,
            Self::StorageBusy => 200,
            Self::StorageLocked => 201,
            Self::StorageFull => 202,
            Self::StorageReadOnly => 203,
            Self::StorageIo => 204,
            Self::WrongDatabaseKey => 205,
            Self::StorageCorrupt => 206,
            Self::StorageForeign => 207,
            Self::StorageTooNew { .. } => 208,
            Self::StorageRolledBack { .. } => 209,
            Self::Internal { code } => *code,
        }
    }
}

/// What is wrong with a key package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum KeyPackageReason {
    /// The message is something else.
    NotAKeyPackage,
    /// A signature does not verify.
    SignatureInvalid,
    /// Its lifetime is over.
    Expired,
    /// Its lifetime has not begun: one of the clocks is wrong.
    NotYetValid,
    /// Its lifetime is missing, or longer than the client's `maximum_lifetime_seconds`.
    LifetimeUnacceptable,
    /// It is for another protocol version.
    UnsupportedVersion,
    /// Its ciphersuite is not the group's.
    OtherCiphersuite,
    /// It carries an extension that it does not list, or that has no place in a key package.
    ExtensionInvalid,
    /// One of its keys is already in the group, or twice among those that are added.
    DuplicateKey,
    /// It does not support what the group requires.
    CapabilitiesInsufficient,
    /// Its content breaks another rule of RFC 9420, section 10.1.
    ContentInvalid,
}

/// What is wrong with a Welcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum WelcomeReason {
    /// The message is something else.
    NotAWelcome,
    /// It was made for a key package that is not here: used before, deleted, or another device's.
    NoMatchingKeyPackage,
    /// The ratchet tree is neither in it nor beside it.
    RatchetTreeMissing,
    /// It does not decrypt.
    DecryptionFailed,
    /// A signature or the confirmation tag does not verify.
    SignatureInvalid,
    /// The group needs something that this device does not support.
    UnsupportedFeature,
    /// A pre-shared key that it names is not registered here.
    PskMissing,
    /// The ratchet tree breaks a rule of RFC 9420.
    RatchetTreeInvalid,
}

/// Why a group does not accept a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum MessageReason {
    /// It is for another group.
    OtherGroup,
    /// It is a Welcome, a GroupInfo or a key package: those go to other calls.
    NotAGroupMessage,
    /// It does not decrypt: damaged, forged, or from a group that has forked.
    DecryptionFailed,
    /// Its key was deleted: it is older than `out_of_order_tolerance` allows.
    GenerationTooOld,
    /// It is further ahead than `maximum_forward_distance` allows.
    GenerationTooNew,
    /// A signature, membership tag or confirmation tag does not verify.
    SignatureInvalid,
    /// Its sender is not in the group, or may not send this.
    SenderInvalid,
    /// A Commit refers to a proposal that has not arrived.
    ProposalMissing,
    /// A Commit or proposal breaks a rule of RFC 9420.
    ProposalInvalid,
    /// A Commit names a pre-shared key that is not registered here.
    PskMissing,
    /// It names the resumption PSK of another group.
    OtherGroupsPsk,
    /// A Commit from this device that it does not know: from a restored copy, or cleared and gone.
    UnknownOwnCommit,
    /// It uses an extension that this library does not offer.
    UnsupportedFeature,
    /// A proposal, and too many are queued, or too many of its sender's, or it is too large. Commit what is queued;
    /// then it can be given again.
    TooManyProposals,
}

/// What is wrong with a recovery archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum RecoveryArchiveReason {
    /// The bytes are something else.
    NotAnArchive,
    /// It was made with another key.
    WrongKey,
    /// It was changed or cut.
    Damaged,
    /// A newer version of the library made it: update the app.
    TooNew,
    /// It is, or would be, larger than 64 MiB.
    TooLarge,
}

/// What is wrong with an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum ArgumentReason {
    /// It is empty.
    Empty,
    /// It is longer than allowed.
    TooLong,
    /// It must have one certain length.
    WrongLength,
    /// Its value is not in the range that is allowed.
    OutOfRange,
    /// It names something twice.
    Duplicate,
    /// Its content does not decode.
    Malformed,
    /// Not every member of the group supports it; of a group that is created, the own leaf does not
    /// (`LeafNodeOptions`).
    Unsupported,
    /// It holds from the group's creation on, and `configure` cannot change it.
    OnlyAtCreation,
    /// It names a file that exists already.
    AlreadyExists,
    /// The folder that should hold the file does not exist.
    FolderMissing,
    /// It is a folder, or something else that is no file.
    NotAFile,
}
