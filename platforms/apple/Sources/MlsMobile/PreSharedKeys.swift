import Foundation
import MlsMobileFFI

extension MlsClient {
    /// Deletes an external pre-shared key, for all groups. Without one nothing happens, so that it can be called again
    /// after a crash. Epochs that began with it stay readable; a Commit that names it and comes later does not.
    ///
    /// Stored: that it is gone. Nothing is sent. This is an erasure point. Errors: `invalidArgument`.
    public func deletePsk(id: Data) async throws {
        try await core.write { try $0.deletePsk(id: id) }
    }

    /// As `joinByExternalCommit`, with registered pre-shared keys mixed in: who joins shows the members that it has
    /// them, and only members who have them can follow (RFC 9420, section 12.4.3.2). Resumption PSKs cannot be named,
    /// because the group that joins anew has no past.
    ///
    /// Errors: those of `joinByExternalCommit`, `pskNotFound`, `invalidArgument` (over 64 ids, one of them twice or
    /// empty). Stored, sent and kept as there.
    public func joinByExternalCommitWithPsks(
        identity: IdentityId, groupInfo: Data, ratchetTree: Data?, pskIds: [Data]
    ) async throws -> ExternalJoin {
        try await core.write {
            try $0.joinByExternalCommitWithPsks(
                identity: identity, groupInfo: groupInfo, ratchetTree: ratchetTree, pskIds: pskIds)
        }
    }

    /// Stores an external pre-shared key, a secret that the app shares with members in another way, for Commits and
    /// Welcomes that name it by `id` (RFC 9420, section 8.4). It is for all groups. A secret of the same id is
    /// replaced: use a new id for a new secret, or members who have different ones cannot follow each other; a Commit
    /// with another secret is `signatureInvalid` and looks like a fork (`forkSuspected`).
    ///
    /// `id` has 1 to 1024 bytes and is sent to the members; `secret` has 1 to 65536, and as many random ones as the
    /// groups' hash is long, 32, for full strength. Stored: both, sealed. Nothing is sent. The bytes that this call
    /// got are wiped; those that the app still holds are the app's to wipe. This is an erasure point.
    /// Errors: `invalidArgument`.
    /// After a crash: the old secret is there or the new one; call it again.
    /// Then process again what was refused with `pskMissing`, and call `releaseEarlyMessages`.
    public func registerPsk(id: Data, secret: Data) async throws {
        try await core.write { try $0.registerPsk(id: id, secret: secret) }
    }
}

extension MlsGroup {
    /// Proposes to mix a pre-shared key into the next epoch's secrets (RFC 9420, section 12.1.4): an external one that
    /// is registered here, or the resumption secret of an epoch of this group (`GroupConfig.resumptionPsks` says of
    /// which). Then `commitToPendingProposals`, here or at another member, carries it out; the order of several is that
    /// in which they were proposed.
    ///
    /// Every member must have the secret, or cannot follow the Commit: members who joined after an epoch have no
    /// resumption secret of it. So Adds and a resumption PSK do not go into one Commit: if it had to leave out a
    /// proposal of this device, the answer is `resumptionPskWithAdds`; one of another member is left out.
    /// Stored: the proposal in the queue. Send `proposal` to the delivery service before a Commit that carries it out.
    /// Errors: `pskNotFound`, `invalidArgument` (an empty or long id, another group's PSK), `pendingCommitExists`,
    /// `stagedCommitExists`, `groupDiverged`, `groupInactive`, `groupNotFound`.
    /// After a crash: it is in the queue or not. What was not sent must be removed, because its bytes are lost.
    public func proposePsk(_ psk: PskId) async throws -> ProposalBundle {
        try await write { try $0.proposePsk(psk: psk) }
    }

    /// The resumption secret of an epoch of this group, the current one included (RFC 9420, section 8.6): members
    /// derive the same, to prove to each other that they were members in that epoch. Absent if it is not kept: see
    /// `GroupConfig.resumptionPsks`. To mix one in, name it in `proposePsk` instead. Nothing is stored.
    ///
    /// Errors: `groupInactive`, `groupNotFound`.
    public func resumptionPsk(epoch: UInt64) async throws -> Data? {
        try await read { try $0.resumptionPsk(epoch: epoch) }
    }
}
