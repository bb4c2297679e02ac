import Foundation
import MlsMobileFFI

extension MlsGroup {
    /// Proposes that this device leaves: by SelfRemove, sent as a PublicMessage whatever the group's configuration, if
    /// every member supports it, else by a Remove of the own leaf. Nobody can commit their own removal, so the group
    /// stays active until another member's Commit says `selfRemoved`. If an epoch ends without it, call this again. The
    /// last member does not leave but deletes the group.
    ///
    /// Stored, sent and kept as for `proposeAdd`. Errors: `pendingCommitExists`, `stagedCommitExists`, `groupDiverged`,
    /// `groupInactive`, `groupNotFound`.
    public func leave() async throws -> ProposalBundle {
        try await write { try $0.leave() }
    }

    /// Proposes to add the owner of this key package, after the validator accepted it, and any Commit could.
    ///
    /// Stored: the proposal, queued for the next Commit of this device; its bytes are not. Send `proposal` to the
    /// group: a member can only follow a Commit whose proposals it has. Until a Commit, `createMessage` answers
    /// `pendingProposalsExist`. It counts in this epoch only: what no Commit has carried out by its end is gone, and
    /// must be proposed again.
    /// Errors: `keyPackageInvalid`, `messageMalformed`, `unsupportedCiphersuite`, `credentialRejected`,
    /// `pendingCommitExists` and `stagedCommitExists` (the Commit that waits ends the epoch), `groupDiverged`,
    /// `groupInactive`, `groupNotFound`; `pendingProposalsExist` (this device has 64 in the queue, or the group has
    /// 1024: commit first). The last holds for every proposal.
    /// After a crash: it is in `pendingProposals` or it is not. If it is there and may not have been sent, propose the
    /// same again, which gives the same reference and queues nothing twice, and send that.
    public func proposeAdd(_ keyPackage: Data) async throws -> ProposalBundle {
        try await write { try $0.proposeAdd(keyPackage: keyPackage) }
    }

    /// Proposes what only the app understands: a proposal of a type that every member's capabilities list. Stored, sent
    /// and kept as for `proposeAdd`. What it means is for the app to carry out, once it is in a merged
    /// Commit (`CommitSummary.custom`). Devices list the type with `LeafNodeOptions.supportedProposals`, and
    /// `supportedByAll` tells whether all do. A Commit that carries one renews the keys of who makes it: other
    /// implementations may demand that.
    ///
    /// Errors: `invalidArgument` (`proposalType`: `outOfRange` for a type that MLS defines or reserves for GREASE,
    /// `unsupported` if not every member lists it; `payload`: over 1 MiB), `pendingCommitExists`, `stagedCommitExists`,
    /// `groupDiverged`, `groupInactive`, `groupNotFound`.
    public func proposeCustom(
        proposalType: UInt16, payload: Data
    ) async throws -> ProposalBundle {
        try await write { try $0.proposeCustom(proposalType: proposalType, payload: payload) }
    }

    /// Proposes to replace the extensions of the GroupContext, all of them (RFC 9420, section 12.1.7). Stored, sent and
    /// kept as for `proposeAdd`.
    ///
    /// Errors: those of `updateGroupContextExtensions`.
    public func proposeGroupContextExtensions(
        _ extensions: [Extension]
    ) async throws -> ProposalBundle {
        try await write { try $0.proposeGroupContextExtensions(extensions: extensions) }
    }

    /// Proposes to remove the member at this leaf; this device too, for which `leave` is better. Stored, sent and kept
    /// as for `proposeAdd`.
    ///
    /// Errors: `memberNotFound`, `pendingCommitExists`, `stagedCommitExists`, `groupDiverged`, `groupInactive`,
    /// `groupNotFound`.
    public func proposeRemove(_ leafIndex: UInt32) async throws -> ProposalBundle {
        try await write { try $0.proposeRemove(leafIndex: leafIndex) }
    }

    /// Proposes an Update: this device's leaf is renewed when another member commits it. A Commit of this device does
    /// not carry it out, but renews the leaf itself. With `newIdentity` credential and signature key change too, from
    /// the merge of that Commit on, and not before; an own Commit of the epoch leaves them as they are.
    ///
    /// Stored and sent as for `proposeAdd`, with the new leaf's keys. Made again it is another proposal, and others
    /// commit the last of them. `newIdentity` cannot be deleted before the epoch ends.
    /// Errors: `identityNotFound`, `invalidArgument` (an identity of another ciphersuite, or of a credential type that
    /// not every member supports), `pendingCommitExists`, `stagedCommitExists`, `groupDiverged`, `groupInactive`,
    /// `groupNotFound`.
    public func proposeSelfUpdate(newIdentity: IdentityId? = nil) async throws -> ProposalBundle {
        try await write { try $0.proposeSelfUpdate(newIdentity: newIdentity) }
    }
}
