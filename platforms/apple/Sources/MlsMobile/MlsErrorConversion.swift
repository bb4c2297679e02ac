import MlsMobileFFI

// Both ways name every case, so that a new one does not compile until it is here.

/// What native code throws, as apps know it.
func converted<Answer>(_ call: () throws -> Answer) throws -> Answer {
    do { return try call() } catch { throw MlsError(error) }
}

extension MlsError {
    init(_ error: any Error) {
        guard let error = error as? MlsMobileFFI.MlsError else {
            self = .internal(code: Self.bindingsFailed)
            return
        }
        self.init(generated: error)
    }

    init(generated error: MlsMobileFFI.MlsError) {
        switch error {
        case .GroupNotFound: self = .groupNotFound
        case .GroupNotRejoined: self = .groupNotRejoined
        case .GroupAlreadyExists: self = .groupAlreadyExists
        case .GroupInactive: self = .groupInactive
        case .IdentityNotFound: self = .identityNotFound
        case .IdentityAlreadyExists: self = .identityAlreadyExists
        case .IdentityInUse: self = .identityInUse
        case .KeyPackageNotFound: self = .keyPackageNotFound
        case .KeyPackageInvalid(let reason): self = .keyPackageInvalid(reason: reason)
        case .WelcomeInvalid(let reason): self = .welcomeInvalid(reason: reason)
        case .GroupInfoInvalid(let reason): self = .groupInfoInvalid(reason: reason)
        case .PendingCommitExists: self = .pendingCommitExists
        case .NoPendingCommit: self = .noPendingCommit
        case .StagedCommitExists: self = .stagedCommitExists
        case .NoStagedCommit: self = .noStagedCommit
        case .NoExternalJoin: self = .noExternalJoin
        case .GroupDiverged(let rejectedEpoch): self = .groupDiverged(rejectedEpoch: rejectedEpoch)
        case .EarlyBufferFull: self = .earlyBufferFull
        case .ProposalNotFound: self = .proposalNotFound
        case .PendingProposalsExist: self = .pendingProposalsExist
        case .PskNotFound: self = .pskNotFound
        case .ResumptionPskWithAdds: self = .resumptionPskWithAdds
        case .SecretAlreadyExported: self = .secretAlreadyExported
        case .WrongEpoch(let current, let received): self = .wrongEpoch(current: current, received: received)
        case .MessageInvalid(let reason): self = .messageInvalid(reason: reason)
        case .MessageMalformed: self = .messageMalformed
        case .CredentialRejected: self = .credentialRejected
        case .SignerMissing: self = .signerMissing
        case .SignerFailed: self = .signerFailed
        case .Reentrant: self = .reentrant
        case .MemberNotFound(let leafIndex): self = .memberNotFound(leafIndex: leafIndex)
        case .UnsupportedCiphersuite(let ciphersuite): self = .unsupportedCiphersuite(ciphersuite: ciphersuite)
        case .InvalidArgument(let argument, let reason): self = .invalidArgument(argument: argument, reason: reason)
        case .Wiped: self = .wiped
        case .Suspended: self = .suspended
        case .Transferred: self = .transferred
        case .RecoveryArchiveInvalid(let reason): self = .recoveryArchiveInvalid(reason: reason)
        case .RekeyPending: self = .rekeyPending
        case .StorageBusy: self = .storageBusy
        case .StorageLocked: self = .storageLocked
        case .StorageFull: self = .storageFull
        case .StorageReadOnly: self = .storageReadOnly
        case .StorageIo: self = .storageIo
        case .WrongDatabaseKey: self = .wrongDatabaseKey
        case .StorageCorrupt: self = .storageCorrupt
        case .StorageForeign: self = .storageForeign
        case .StorageTooNew(let found, let supported): self = .storageTooNew(found: found, supported: supported)
        case .StorageRolledBack(let found, let minimum): self = .storageRolledBack(found: found, minimum: minimum)
        case .Internal(let code): self = .internal(code: code)
        }
    }

    /// As the generated code has it; it knows nothing of the layer's own case.
    var generated: MlsMobileFFI.MlsError? {
        switch self {
        case .groupNotFound: .GroupNotFound
        case .groupNotRejoined: .GroupNotRejoined
        case .groupAlreadyExists: .GroupAlreadyExists
        case .groupInactive: .GroupInactive
        case .identityNotFound: .IdentityNotFound
        case .identityAlreadyExists: .IdentityAlreadyExists
        case .identityInUse: .IdentityInUse
        case .keyPackageNotFound: .KeyPackageNotFound
        case .keyPackageInvalid(let reason): .KeyPackageInvalid(reason: reason)
        case .welcomeInvalid(let reason): .WelcomeInvalid(reason: reason)
        case .groupInfoInvalid(let reason): .GroupInfoInvalid(reason: reason)
        case .pendingCommitExists: .PendingCommitExists
        case .noPendingCommit: .NoPendingCommit
        case .stagedCommitExists: .StagedCommitExists
        case .noStagedCommit: .NoStagedCommit
        case .noExternalJoin: .NoExternalJoin
        case .groupDiverged(let rejectedEpoch): .GroupDiverged(rejectedEpoch: rejectedEpoch)
        case .earlyBufferFull: .EarlyBufferFull
        case .proposalNotFound: .ProposalNotFound
        case .pendingProposalsExist: .PendingProposalsExist
        case .pskNotFound: .PskNotFound
        case .resumptionPskWithAdds: .ResumptionPskWithAdds
        case .secretAlreadyExported: .SecretAlreadyExported
        case .wrongEpoch(let current, let received): .WrongEpoch(current: current, received: received)
        case .messageInvalid(let reason): .MessageInvalid(reason: reason)
        case .messageMalformed: .MessageMalformed
        case .credentialRejected: .CredentialRejected
        case .signerMissing: .SignerMissing
        case .signerFailed: .SignerFailed
        case .reentrant: .Reentrant
        case .memberNotFound(let leafIndex): .MemberNotFound(leafIndex: leafIndex)
        case .unsupportedCiphersuite(let ciphersuite): .UnsupportedCiphersuite(ciphersuite: ciphersuite)
        case .invalidArgument(let argument, let reason): .InvalidArgument(argument: argument, reason: reason)
        case .wiped: .Wiped
        case .suspended: .Suspended
        case .transferred: .Transferred
        case .recoveryArchiveInvalid(let reason): .RecoveryArchiveInvalid(reason: reason)
        case .rekeyPending: .RekeyPending
        case .storageBusy: .StorageBusy
        case .storageLocked: .StorageLocked
        case .storageFull: .StorageFull
        case .storageReadOnly: .StorageReadOnly
        case .storageIo: .StorageIo
        case .wrongDatabaseKey: .WrongDatabaseKey
        case .storageCorrupt: .StorageCorrupt
        case .storageForeign: .StorageForeign
        case .storageTooNew(let found, let supported): .StorageTooNew(found: found, supported: supported)
        case .storageRolledBack(let found, let minimum): .StorageRolledBack(found: found, minimum: minimum)
        case .internal(let code): .Internal(code: code)
        case .closed: nil
        }
    }
}
