//! Errors as apps see them: stable codes, and texts without bytes.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

use mls_mobile::{
    ArgumentReason, ClientConfig, GroupInfoReason, KeyPackageReason, MessageReason, MlsError,
    RecoveryArchiveReason, WelcomeReason,
};

/// Every variant with its code. The codes are in logs of apps for ever: a line here is never changed, only
/// added.
fn all() -> Vec<(MlsError, u32)> {
    use MlsError::*;
    vec![
        (GroupNotFound, 100),
        (GroupAlreadyExists, 101),
        (GroupInactive, 102),
        (MemberNotFound { leaf_index: 9 }, 103),
        (IdentityNotFound, 110),
        (IdentityInUse, 111),
        (IdentityAlreadyExists, 112),
        (KeyPackageNotFound, 120),
        (
            KeyPackageInvalid {
                reason: KeyPackageReason::Expired,
            },
            121,
        ),
        (
            WelcomeInvalid {
                reason: WelcomeReason::DecryptionFailed,
            },
            130,
        ),
        (
            GroupInfoInvalid {
                reason: GroupInfoReason::RatchetTreeMissing,
            },
            131,
        ),
        (NoExternalJoin, 146),
        (PendingCommitExists, 140),
        (NoPendingCommit, 141),
        (PendingProposalsExist, 142),
        (ProposalNotFound, 143),
        (
            WrongEpoch {
                current: 3,
                received: 5,
            },
            150,
        ),
        (
            MessageInvalid {
                reason: MessageReason::OtherGroup,
            },
            151,
        ),
        (MessageMalformed, 152),
        (CredentialRejected, 160),
        (Reentrant, 161),
        (SignerMissing, 162),
        (SignerFailed, 163),
        (UnsupportedCiphersuite { ciphersuite: 7 }, 170),
        (
            InvalidArgument {
                argument: "plaintext".to_owned(),
                reason: ArgumentReason::TooLong,
            },
            171,
        ),
        (StagedCommitExists, 144),
        (NoStagedCommit, 145),
        (GroupDiverged { rejected_epoch: 7 }, 104),
        (GroupNotRejoined, 105),
        (EarlyBufferFull, 153),
        (Wiped, 180),
        (Suspended, 181),
        (Transferred, 182),
        (RekeyPending, 183),
        (
            RecoveryArchiveInvalid {
                reason: RecoveryArchiveReason::WrongKey,
            },
            184,
        ),
        (PskNotFound, 190),
        (ResumptionPskWithAdds, 191),
        (SecretAlreadyExported, 192),
        (StorageBusy, 200),
        (StorageLocked, 201),
        (StorageFull, 202),
        (StorageReadOnly, 203),
        (StorageIo, 204),
        (WrongDatabaseKey, 205),
        (StorageCorrupt, 206),
        (StorageForeign, 207),
        (
            StorageTooNew {
                found: 9,
                supported: 1,
            },
            208,
        ),
        (StorageRolledBack { found: 1, minimum: 2 }, 209),
        (Internal { code: 1007 }, 1007),
    ]
}

/// Has no wildcard: a new variant does not compile until it is here, and the count then asks for its line in
/// `all`.
fn number_of_variants(error: &MlsError) -> usize {
    use MlsError::*;
    match error {
        GroupNotFound | GroupAlreadyExists | GroupInactive | MemberNotFound { .. } => 49,
        IdentityNotFound | IdentityInUse | KeyPackageNotFound | KeyPackageInvalid { .. } => 49,
        WelcomeInvalid { .. } | PendingCommitExists | NoPendingCommit | PendingProposalsExist => 49,
        ProposalNotFound | StagedCommitExists | NoStagedCommit | GroupDiverged { .. } | EarlyBufferFull => 49,
        WrongEpoch { .. } | MessageInvalid { .. } | MessageMalformed | CredentialRejected => 49,
        Reentrant | UnsupportedCiphersuite { .. } | InvalidArgument { .. } | Wiped => 49,
        Suspended | Transferred | RekeyPending | GroupInfoInvalid { .. } | NoExternalJoin => 49,
        StorageBusy | StorageLocked | StorageFull | StorageReadOnly | StorageIo => 49,
        WrongDatabaseKey | StorageCorrupt | StorageForeign | StorageTooNew { .. } => 49,
        StorageRolledBack { .. } | Internal { .. } => 49,
        GroupNotRejoined | RecoveryArchiveInvalid { .. } => 49,
        PskNotFound | ResumptionPskWithAdds | SecretAlreadyExported => 49,
        IdentityAlreadyExists | SignerMissing | SignerFailed => 49,
    }
}

#[test]
fn every_error_has_its_own_code_for_ever() {
    let all = all();
    assert_eq!(all.len(), number_of_variants(&all[0].0));
    let mut codes: Vec<u32> = all.iter().map(|(_, code)| *code).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), all.len());
    for (error, code) in all {
        assert_eq!(error.error_code(), code, "{error:?}");
    }
}

#[test]
fn the_text_of_an_error_is_a_short_line_without_bytes() {
    for (error, _) in all() {
        let text = error.to_string();
        assert!((10..100).contains(&text.len()), "{text}");
        assert!(text.is_ascii() && !text.contains(['[', '\n', '{', '"']), "{text}");
        // No number beyond those of the fields above: no hex dump, no list of bytes.
        let longest = text
            .split(|character: char| !character.is_ascii_hexdigit())
            .map(str::len)
            .max();
        assert!(longest <= Some(8), "{text}");
    }
}

#[test]
fn the_key_is_in_no_text_of_the_configuration() {
    let config = ClientConfig::new("/path/to/mls.db", *b"0123456789abcdef0123456789ABCDEF");
    let text = format!("{config:?} {config:#?}");
    assert!(!text.contains("48") && !text.contains("0123"), "{text}");
}
