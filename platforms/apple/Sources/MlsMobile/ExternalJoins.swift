import Foundation
import MlsMobileFFI

extension MlsClient {
    /// Drops the external Commit that waits: the delivery service refused it, because another Commit won. The old
    /// membership goes on as it was. Without one that waits nothing happens.
    ///
    /// Stored: nothing is left of the join. Messages that were kept and that only it could have read are dropped; the
    /// inbox names them (`earlyRefused`). To try again, join again instead: that keeps them. If the delivery service
    /// had accepted the Commit all the same, its echo removes the old membership: join again then.
    public func abandonExternalJoin(_ groupId: GroupId) async throws {
        try await core.write { try $0.abandonExternalJoin(groupId: groupId) }
    }

    /// Puts the new membership in the place of the old one: the delivery service accepted the Commit. The group is
    /// then active and in step, whatever it was before. Process what the delivery service had before the Commit
    /// first: the keys of the old membership are deleted, and its messages are `stale` from then on.
    ///
    /// Stored: the group in its new epoch, with the old one's configuration (that of the archive for one of
    /// `groupsToRejoin`, which it leaves), and the outcomes of early messages that
    /// it makes readable. An own Commit that was pending in the old membership is dropped. If the echo has confirmed
    /// the join already, and the group is still in the epoch that it began, the same epoch comes again and nothing
    /// changes.
    /// Errors: `noExternalJoin`.
    /// After a crash: it still waits, or the group is joined; calling again is safe.
    public func confirmExternalJoin(_ groupId: GroupId) async throws -> ExternalJoined {
        try await core.write { try $0.confirmExternalJoin(groupId: groupId) }
    }

    /// Makes an external Commit that joins the group of `groupInfo`, after the validator accepted it (RFC 9420,
    /// section 12.4.3.2): for a device that was not invited, that is out of step, or that was recovered
    /// (`groupsToRejoin`). If this identity is a member already, the Commit removes its old leaf. `ratchetTree` is
    /// needed if the GroupInfo does not carry it. It carries out no proposals of members, a SelfRemove neither: they end
    /// with the epoch, and who made them makes them again.
    ///
    /// Stored: the Commit with the group as it will be, until it is confirmed or abandoned; one that waits for the
    /// same group is replaced. An old membership stays usable meanwhile. Send `commit` to the delivery service;
    /// accepted, call `confirmExternalJoin`, or give its echo to `processMessages`; refused, get a new GroupInfo
    /// and join again, or call `abandonExternalJoin`. Messages of the new epoch that come before are kept
    /// (`early`).
    /// Errors: `groupInfoInvalid`, `messageMalformed`, `unsupportedCiphersuite`, `identityNotFound`,
    /// `credentialRejected`, `invalidArgument` (an identity of another ciphersuite, or of a credential type that not
    /// every member supports; over 32 MiB); after each of them a join that waited still does.
    /// After a crash: `pendingExternalJoin` gives the same Commit again.
    public func joinByExternalCommit(
        identity: IdentityId, groupInfo: Data, ratchetTree: Data? = nil
    ) async throws -> ExternalJoin {
        try await core.write {
            try $0.joinByExternalCommit(identity: identity, groupInfo: groupInfo, ratchetTree: ratchetTree)
        }
    }

    /// The external Commit that waits for this group, as it was handed out: after a restart, send it again.
    public func pendingExternalJoin(_ groupId: GroupId) async throws -> ExternalJoin? {
        try await core.read { try $0.pendingExternalJoin(groupId: groupId) }
    }

    /// Proposes from outside that a group adds this device (RFC 9420, section 12.1.8): for one that nobody has
    /// invited and that has no GroupInfo, or that the members are to decide about. It needs no more than the group's id
    /// and its current epoch, which the delivery service knows. While a leaf with this identity's key is in the group
    /// (this device is out of step there, was recovered, or has deleted the group), members cannot carry it out, and
    /// leave it out of their Commits: `joinByExternalCommit` then, or have a member `swapMembers`.
    ///
    /// Stored: a key package, made for the proposal; it is in `keyPackages` and counts for `replenishKeyPackages` until
    /// it is used, deleted or expired. Send `proposal` to the members, who see `externalJoinProposal` and add this
    /// device with `commitToPendingProposals`; their Welcome comes to `joinFromWelcome`. The proposal ends with the
    /// epoch: if another Commit wins, ask again for the new one, and delete the old `keyPackage`.
    /// Errors: `groupAlreadyExists` (this device is in it), `identityNotFound`, `invalidArgument` (`group_id`, `epoch`,
    /// or a field of `KeyPackageOptions`). Whether the group has the identity's ciphersuite, its members find out.
    /// After a crash: the key package is stored or it is not; ask again.
    public func proposeExternalJoin(
        identity: IdentityId, groupId: GroupId, epoch: UInt64, options: KeyPackageOptions? = nil
    ) async throws -> JoinProposal {
        try await core.write {
            try $0.proposeExternalJoin(identity: identity, groupId: groupId, epoch: epoch, options: options)
        }
    }
}
