import Foundation
import MlsMobileFFI

extension MlsGroup {
    /// Drops all queued proposals, as `removePendingProposal` does each.
    public func clearPendingProposals() async throws {
        try await write { try $0.clearPendingProposals() }
    }

    /// Makes a Commit that carries out the queued proposals, those that can be carried out together, and renews this
    /// device's keys unless only Adds and pre-shared keys are queued. Stored, sent and kept as for `addMembers`.
    ///
    /// Errors: `pendingCommitExists`, `stagedCommitExists`, `pskNotFound` and `resumptionPskWithAdds` (for proposals of
    /// this device; others' are left out), `groupDiverged`, `groupInactive`, `groupNotFound`.
    public func commitToPendingProposals() async throws -> CommitBundle {
        try await write { try $0.commitToPendingProposals() }
    }

    /// The proposals that the next Commit will carry out, in the order in which they came; this device's own Update and
    /// removal only if another member makes it.
    public func pendingProposals() async throws -> [ProposalSummary] {
        try await read { try $0.pendingProposals() }
    }

    /// Drops a queued proposal: this device will not commit it. If another member commits it, that Commit misses it
    /// here and answers `messageInvalid (proposalMissing)`, for good: an encrypted proposal cannot be had a second
    /// time. So drop only what nobody can commit.
    ///
    /// Stored: that it is gone. Nothing is sent. Errors: `proposalNotFound`, `groupNotFound`.
    public func removePendingProposal(_ reference: ProposalRef) async throws {
        try await write { try $0.removePendingProposal(reference: reference) }
    }
}
