package org.mlsmobile

/** Runs a native call, and gives its errors the types that apps see. */
internal inline fun <T> typed(block: () -> T): T =
    try {
        block()
    } catch (error: FfiException) {
        throw error.typed()
    } catch (_: InternalException) {
        // A panic that was caught at the boundary. Its text may hold anything, so it is dropped here.
        throw MlsException.Internal(PANIC, "internal error $PANIC")
    }

/** Number and words are the native side's, so that all languages say the same. */
internal fun FfiException.typed(): MlsException {
    val code = errorCode()
    val text = toString()
    return when (this) {
        is FfiException.GroupNotFound -> MlsException.GroupNotFound(code, text)
        is FfiException.GroupNotRejoined -> MlsException.GroupNotRejoined(code, text)
        is FfiException.GroupAlreadyExists -> MlsException.GroupAlreadyExists(code, text)
        is FfiException.GroupInactive -> MlsException.GroupInactive(code, text)
        is FfiException.IdentityNotFound -> MlsException.IdentityNotFound(code, text)
        is FfiException.IdentityAlreadyExists -> MlsException.IdentityAlreadyExists(code, text)
        is FfiException.IdentityInUse -> MlsException.IdentityInUse(code, text)
        is FfiException.KeyPackageNotFound -> MlsException.KeyPackageNotFound(code, text)
        is FfiException.KeyPackageInvalid -> MlsException.KeyPackageInvalid(code, text, reason)
        is FfiException.WelcomeInvalid -> MlsException.WelcomeInvalid(code, text, reason)
        is FfiException.GroupInfoInvalid -> MlsException.GroupInfoInvalid(code, text, reason)
        is FfiException.PendingCommitExists -> MlsException.PendingCommitExists(code, text)
        is FfiException.NoPendingCommit -> MlsException.NoPendingCommit(code, text)
        is FfiException.StagedCommitExists -> MlsException.StagedCommitExists(code, text)
        is FfiException.NoStagedCommit -> MlsException.NoStagedCommit(code, text)
        is FfiException.NoExternalJoin -> MlsException.NoExternalJoin(code, text)
        is FfiException.GroupDiverged -> MlsException.GroupDiverged(code, text, rejectedEpoch)
        is FfiException.EarlyBufferFull -> MlsException.EarlyBufferFull(code, text)
        is FfiException.ProposalNotFound -> MlsException.ProposalNotFound(code, text)
        is FfiException.PendingProposalsExist -> MlsException.PendingProposalsExist(code, text)
        is FfiException.PskNotFound -> MlsException.PskNotFound(code, text)
        is FfiException.ResumptionPskWithAdds -> MlsException.ResumptionPskWithAdds(code, text)
        is FfiException.SecretAlreadyExported -> MlsException.SecretAlreadyExported(code, text)
        is FfiException.WrongEpoch -> MlsException.WrongEpoch(code, text, current, received)
        is FfiException.MessageInvalid -> MlsException.MessageInvalid(code, text, reason)
        is FfiException.MessageMalformed -> MlsException.MessageMalformed(code, text)
        is FfiException.CredentialRejected -> MlsException.CredentialRejected(code, text)
        is FfiException.SignerMissing -> MlsException.SignerMissing(code, text)
        is FfiException.SignerFailed -> MlsException.SignerFailed(code, text)
        is FfiException.Reentrant -> MlsException.Reentrant(code, text)
        is FfiException.MemberNotFound -> MlsException.MemberNotFound(code, text, leafIndex)
        is FfiException.UnsupportedCiphersuite -> MlsException.UnsupportedCiphersuite(code, text, ciphersuite)
        is FfiException.InvalidArgument -> MlsException.InvalidArgument(code, text, argument, reason)
        is FfiException.Wiped -> MlsException.Wiped(code, text)
        is FfiException.Suspended -> MlsException.Suspended(code, text)
        is FfiException.Transferred -> MlsException.Transferred(code, text)
        is FfiException.RecoveryArchiveInvalid -> MlsException.RecoveryArchiveInvalid(code, text, reason)
        is FfiException.RekeyPending -> MlsException.RekeyPending(code, text)
        is FfiException.StorageBusy -> MlsException.StorageBusy(code, text)
        is FfiException.StorageLocked -> MlsException.StorageLocked(code, text)
        is FfiException.StorageFull -> MlsException.StorageFull(code, text)
        is FfiException.StorageReadOnly -> MlsException.StorageReadOnly(code, text)
        is FfiException.StorageIo -> MlsException.StorageIo(code, text)
        is FfiException.WrongDatabaseKey -> MlsException.WrongDatabaseKey(code, text)
        is FfiException.StorageCorrupt -> MlsException.StorageCorrupt(code, text)
        is FfiException.StorageForeign -> MlsException.StorageForeign(code, text)
        is FfiException.StorageTooNew -> MlsException.StorageTooNew(code, text, found, supported)
        is FfiException.StorageRolledBack -> MlsException.StorageRolledBack(code, text, found, minimum)
        is FfiException.Internal -> MlsException.Internal(code, text)
    }
}

internal const val PANIC: UInt = 1000u
