//! What can go wrong between a call and its file.

use rusqlite::{ErrorCode, ffi};

/// A failure of storage, sorted by what an app can do about it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StorageError {
    #[error("another process held the write lock for longer than the busy timeout")]
    Busy,
    #[error("the operating system does not let the file be opened now")]
    Locked,
    #[error("the device has no space left")]
    Full,
    #[error("the file or its folder cannot be written")]
    ReadOnly,
    #[error("the disk answered with an error")]
    Io(#[source] rusqlite::Error),
    #[error("the path cannot name a database")]
    Path {
        argument: &'static str,
        problem: PathProblem,
    },
    #[error("a page or a value is damaged")]
    Corrupt,
    #[error("the database key opens no key slot")]
    WrongKey,
    #[error("the file is a database of another program, or no database")]
    NotOurs,
    #[error("schema {found} is newer than {supported}")]
    TooNew { found: u32, supported: u32 },
    #[error("the file is older than the app's minimum generation")]
    TooOld { found: u64, minimum: u64 },
    #[error("a value could not be encoded")]
    Encode(#[source] rmp_serde::encode::Error),
    #[error("a value is too large to be sealed")]
    TooLarge,
    #[error("the cryptography failed, for want of randomness")]
    Crypto,
    #[error("a suspension's deadline has passed")]
    Interrupted,
    #[error("the database was moved to another device")]
    Transferred,
    #[error("the recovery archive cannot be used: {0:?}")]
    Archive(ArchiveProblem),
    #[error("a change of the database key waits to be confirmed")]
    RekeyPending,
    #[error("a write was tried in a read transaction")]
    WriteInRead,
    #[error("a group with writes held back failed after it had changed")]
    LostWrites,
    #[error("past epochs are on disk only, and a write would have lost them")]
    LacksPastEpochs,
    #[error("SQLite refused a statement")]
    Sqlite(#[source] rusqlite::Error),
}

/// Why a path cannot name a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PathProblem {
    Empty,
    /// It holds a zero byte, or there is no working folder that it could start from.
    Impossible,
    FolderMissing,
    NotAFile,
    /// Nothing that is there is overwritten.
    AlreadyExists,
}

/// Why a recovery archive cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ArchiveProblem {
    NotAnArchive,
    WrongKey,
    Damaged,
    TooNew,
    TooLarge,
}

impl From<ArchiveProblem> for StorageError {
    fn from(problem: ArchiveProblem) -> Self {
        Self::Archive(problem)
    }
}

impl From<rusqlite::Error> for StorageError {
    fn from(error: rusqlite::Error) -> Self {
        let Some(code) = error.sqlite_error_code() else {
            return match error {
                // Only damage makes these: all statements are constants that the tests run, so one that does not
                // compile ("no such column") tells of the schema in the file, and tables are STRICT, so that no
                // column has another type.
                rusqlite::Error::SqlInputError { .. }
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::Utf8Error(..) => Self::Corrupt,
                _ => Self::Sqlite(error),
            };
        };
        // The shared memory of the log could not grow: an error of the disk to SQLite, but the disk is only full.
        if error.sqlite_error().map(|error| error.extended_code) == Some(ffi::SQLITE_IOERR_SHMSIZE) {
            return Self::Full;
        }
        match code {
            // LOCKED is a conflict between two statements of this process: for the app the same as BUSY.
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Busy,
            ErrorCode::DiskFull => Self::Full,
            // Unknown is SQLITE_ERROR, such as "unsupported file format"; see above. A row is looked for before one that
            // refers to it or has its key is written, so only a damaged index breaks a constraint.
            ErrorCode::DatabaseCorrupt | ErrorCode::ConstraintViolation | ErrorCode::Unknown => Self::Corrupt,
            ErrorCode::NotADatabase => Self::NotOurs,
            ErrorCode::ReadOnly => Self::ReadOnly,
            ErrorCode::CannotOpen
            | ErrorCode::PermissionDenied
            | ErrorCode::AuthorizationForStatementDenied => Self::Locked,
            ErrorCode::OperationInterrupted => Self::Interrupted,
            ErrorCode::SystemIoFailure | ErrorCode::FileLockingProtocolFailed => Self::Io(error),
            _ => Self::Sqlite(error),
        }
    }
}
