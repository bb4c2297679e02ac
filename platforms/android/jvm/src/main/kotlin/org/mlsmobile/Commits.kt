package org.mlsmobile

/**
 * Makes a Commit that adds the owners of these key packages, and carries out all queued proposals.
 *
 * Stored: the Commit with its Welcome and GroupInfo, until it is merged or cleared. Send `commit` to the delivery
 * service; accepted, send `welcome` to the new members and then call [mergePendingCommit]; refused, call
 * [clearPendingCommit]. The group stays in its epoch until then. Without `ratchetTreeInWelcome` they need the new epoch's
 * tree too: [exportRatchetTree] right after the merge, before another Commit changes it.
 * Errors: `InvalidArgument` (empty), `KeyPackageInvalid`, `MessageMalformed`, `UnsupportedCiphersuite`,
 * `CredentialRejected`, `PendingCommitExists`, `StagedCommitExists`, `ResumptionPskWithAdds` (this device has proposed
 * one: commit it first), `PskNotFound` (it was deleted since this device proposed it), `GroupDiverged`,
 * `GroupInactive`, `GroupNotFound`.
 * After a crash: [pendingCommit] gives the same bundle again.
 */
public suspend fun MlsGroup.addMembers(keyPackages: List<ByteArray>): CommitBundle =
    write { it.addMembers(keyPackages) }

/**
 * Makes a Commit that removes the members at these leaves, and carries out all queued proposals. Stored, sent and kept
 * as for [addMembers].
 *
 * Errors: `InvalidArgument` (empty, twice the same, or this device's own leaf), `MemberNotFound`,
 * `PendingCommitExists`, `StagedCommitExists`, `PskNotFound` and `ResumptionPskWithAdds` (as for [addMembers], of what is
 * queued), `GroupDiverged`, `GroupInactive`, `GroupNotFound`.
 */
public suspend fun MlsGroup.removeMembers(leafIndices: List<UInt>): CommitBundle =
    write { it.removeMembers(leafIndices) }

/**
 * Makes a Commit that renews this device's keys, so that who has stolen the old ones is locked out. With `newIdentity`
 * its credential and signature key change too; the group signs with them after the merge. The identity that it has
 * already brings in a credential that was replaced ([replaceCredential]). What the leaf says otherwise stays
 * ([updateLeafNode] changes it).
 *
 * To change an identity everywhere, call this for each of [groups] that is active and has the old one, after its pending
 * Commit is merged or cleared; make key packages of the new identity; delete the groups that this device was removed
 * from; then [deleteIdentity] takes the old one and its key packages. After a crash begin again: [groups] tells which
 * have moved.
 *
 * Stored, sent and kept as for [addMembers].
 *
 * Errors: `IdentityNotFound`, `InvalidArgument` (an identity of another ciphersuite, or of a credential type that not
 * every member supports), `PendingCommitExists`, `StagedCommitExists`, `PskNotFound` and `ResumptionPskWithAdds` (of what
 * is queued), `GroupDiverged`, `GroupInactive`, `GroupNotFound`.
 */
public suspend fun MlsGroup.selfUpdate(newIdentity: IdentityId? = null): CommitBundle =
    write { it.selfUpdate(newIdentity) }

/**
 * Makes a Commit that removes the members at the leaves `remove` and adds the owners of the key packages `add`, and
 * carries out all queued proposals. Both lists need not have the same length. A device that has lost its state is
 * added again so, under the same signature key. Stored, sent and kept as for [addMembers].
 *
 * Errors: those of [addMembers] and [removeMembers].
 */
public suspend fun MlsGroup.swapMembers(remove: List<UInt>, add: List<ByteArray>): CommitBundle =
    write { it.swapMembers(remove, add) }

/**
 * Makes a Commit that replaces the extensions of the GroupContext, all of them, and carries out all queued proposals
 * (RFC 9420, section 12.1.7). What is not in the list is gone: begin with `info().extensions`. Stored, sent and kept
 * as for [addMembers].
 *
 * Errors: `InvalidArgument` with the argument `extensions` (`OutOfRange`: a type that a GroupContext cannot hold, such
 * as 1, 2 or 4; `Duplicate`; `Malformed`: content that does not decode; `Unsupported`: a type other than required
 * capabilities (3) and external senders (5) that is not in the required capabilities, or required capabilities that
 * not every member has; `TooLong`: over 1 MiB together), `PendingCommitExists`, `StagedCommitExists`, `PskNotFound` and
 * `ResumptionPskWithAdds` (of what is queued), `GroupDiverged`, `GroupInactive`, `GroupNotFound`.
 */
public suspend fun MlsGroup.updateGroupContextExtensions(extensions: List<Extension>): CommitBundle =
    write { it.updateGroupContextExtensions(extensions) }

/**
 * Makes a Commit that carries out the queued proposals, as [commitToPendingProposals] does, and keeps a message that
 * is encrypted in the moment in which the Commit is merged: for when queued proposals stop [createMessage]. It cannot
 * be encrypted sooner, because nobody has the keys of the new epoch before (docs/adr/0016). Join proposals of
 * outsiders are carried out only if a validator has seen them.
 *
 * Stored: the Commit, as for [addMembers], and the plaintext with it. Send `commit`; accepted, call
 * [mergePendingCommit], or process the echo: `released`, and the inbox, then have the message to send
 * (`MessageCreated`). If the Commit is cleared, another one wins, or the app's signer is missing or fails, they give the
 * plaintext back (`MessageNotCreated`): try again. Without an inbox, what `released` had is lost with a crash, and a clear gives
 * nothing back: keep the plaintext.
 * Errors: `InvalidArgument` (over 16 MiB, or 1 MiB of authenticated data), `PendingCommitExists`,
 * `StagedCommitExists`, `PskNotFound` and `ResumptionPskWithAdds` (as for [commitToPendingProposals]), `GroupDiverged`,
 * `GroupInactive`, `GroupNotFound`.
 * After a crash: [pendingCommit] gives the same bundle again, and the message still waits for it.
 */
public suspend fun MlsGroup.commitAndCreateMessage(
    plaintext: ByteArray,
    authenticatedData: ByteArray = byteArrayOf(),
): CommitBundle = write { it.commitAndCreateMessage(plaintext, authenticatedData) }

/** The own Commit that waits, as it was handed out: after a restart, send it again. */
public suspend fun MlsGroup.pendingCommit(): CommitBundle? = read { it.pendingCommit() }

/**
 * Merges the own Commit: the delivery service accepted it. The group enters the next epoch.
 *
 * Stored: the new epoch, the message of [commitAndCreateMessage], and the outcomes of early messages that it makes
 * readable; the Commit is forgotten, with its Welcome, which must have been sent before. If its own echo has merged it
 * already, and no other Commit was made or merged since, its summary comes again and nothing changes.
 * Errors: `NoPendingCommit` (it was merged before, cleared, or another member's Commit won), `StagedCommitExists`
 * (another member's Commit waits for a decision), `GroupInactive`, `GroupNotFound`.
 */
public suspend fun MlsGroup.mergePendingCommit(): Merged = write { it.mergePendingCommit() }

/**
 * Drops the own Commit: the delivery service refused it. Without one nothing happens.
 *
 * Stored: until the epoch ends it is remembered, so that it is still merged if it comes back, because the delivery
 * service did accept it. A message that waited for it ([commitAndCreateMessage]) is not sent: the inbox gives it back
 * (`MessageNotCreated`).
 * Errors: `GroupNotFound`.
 */
public suspend fun MlsGroup.clearPendingCommit(): Unit = write { it.clearPendingCommit() }
