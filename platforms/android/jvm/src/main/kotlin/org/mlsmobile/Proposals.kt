package org.mlsmobile

/**
 * The proposals that the next Commit will carry out, in the order in which they came; this device's own Update and
 * removal only if another member makes it.
 */
public suspend fun MlsGroup.pendingProposals(): List<ProposalSummary> = read { it.pendingProposals() }

/**
 * Drops a queued proposal: this device will not commit it. If another member commits it, that Commit misses it here
 * and answers `MessageInvalid { ProposalMissing }`, for good: an encrypted proposal cannot be had a second time. So
 * drop only what nobody can commit.
 *
 * Stored: that it is gone. Nothing is sent. Errors: `ProposalNotFound`, `GroupNotFound`.
 */
public suspend fun MlsGroup.removePendingProposal(reference: ProposalRef): Unit =
    write { it.removePendingProposal(reference) }

/** Drops all queued proposals, as [removePendingProposal] does each. */
public suspend fun MlsGroup.clearPendingProposals(): Unit = write { it.clearPendingProposals() }

/**
 * Makes a Commit that carries out the queued proposals, those that can be carried out together, and renews this
 * device's keys unless only Adds and pre-shared keys are queued. Stored, sent and kept as for [addMembers].
 *
 * Errors: `PendingCommitExists`, `StagedCommitExists`, `PskNotFound` and `ResumptionPskWithAdds` (for proposals of this
 * device; others' are left out), `GroupDiverged`, `GroupInactive`, `GroupNotFound`.
 */
public suspend fun MlsGroup.commitToPendingProposals(): CommitBundle = write { it.commitToPendingProposals() }
