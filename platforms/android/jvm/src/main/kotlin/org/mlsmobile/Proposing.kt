package org.mlsmobile

/**
 * Proposes to add the owner of this key package, after the validator accepted it, and any Commit could.
 *
 * Stored: the proposal, queued for the next Commit of this device; its bytes are not. Send `proposal` to the group: a
 * member can only follow a Commit whose proposals it has. Until a Commit, [createMessage] answers
 * `PendingProposalsExist`. It counts in this epoch only: what no Commit has carried out by its end is gone, and must
 * be proposed again.
 * Errors: `KeyPackageInvalid`, `MessageMalformed`, `UnsupportedCiphersuite`, `CredentialRejected`,
 * `PendingCommitExists` and `StagedCommitExists` (the Commit that waits ends the epoch), `GroupDiverged`,
 * `GroupInactive`, `GroupNotFound`; `PendingProposalsExist` (this device has 64 in the queue, or the group has 1024:
 * commit first). The last holds for every proposal.
 * After a crash: it is in [pendingProposals] or it is not. If it is there and may not have been sent, propose the same
 * again, which gives the same reference and queues nothing twice, and send that.
 */
public suspend fun MlsGroup.proposeAdd(keyPackage: ByteArray): ProposalBundle = write { it.proposeAdd(keyPackage) }

/**
 * Proposes to remove the member at this leaf; this device too, for which [leave] is better. Stored, sent and kept as
 * for [proposeAdd].
 *
 * Errors: `MemberNotFound`, `PendingCommitExists`, `StagedCommitExists`, `GroupDiverged`, `GroupInactive`,
 * `GroupNotFound`.
 */
public suspend fun MlsGroup.proposeRemove(leafIndex: UInt): ProposalBundle = write { it.proposeRemove(leafIndex) }

/**
 * Proposes an Update: this device's leaf is renewed when another member commits it. A Commit of this device does not
 * carry it out, but renews the leaf itself. With `newIdentity` credential and signature key change too, from the merge
 * of that Commit on, and not before; an own Commit of the epoch leaves them as they are.
 *
 * Stored and sent as for [proposeAdd], with the new leaf's keys. Made again it is another proposal, and others commit
 * the last of them. `newIdentity` cannot be deleted before the epoch ends.
 * Errors: `IdentityNotFound`, `InvalidArgument` (an identity of another ciphersuite, or of a credential type that not
 * every member supports), `PendingCommitExists`, `StagedCommitExists`, `GroupDiverged`, `GroupInactive`,
 * `GroupNotFound`.
 */
public suspend fun MlsGroup.proposeSelfUpdate(newIdentity: IdentityId? = null): ProposalBundle =
    write { it.proposeSelfUpdate(newIdentity) }

/**
 * Proposes to replace the extensions of the GroupContext, all of them (RFC 9420, section 12.1.7). Stored, sent and
 * kept as for [proposeAdd].
 *
 * Errors: those of [updateGroupContextExtensions].
 */
public suspend fun MlsGroup.proposeGroupContextExtensions(extensions: List<Extension>): ProposalBundle =
    write { it.proposeGroupContextExtensions(extensions) }

/**
 * Proposes what only the app understands: a proposal of a type that every member's capabilities list. Stored, sent and
 * kept as for [proposeAdd]. What it means is for the app to carry out, once it is in a merged Commit
 * (`CommitSummary.custom`). Devices list the type with `LeafNodeOptions.supportedProposals`, and [supportedByAll] tells
 * whether all do. A Commit that carries one renews the keys of who makes it: other implementations may demand that.
 *
 * Errors: `InvalidArgument` (`proposalType`: `OutOfRange` for a type that MLS defines or reserves for GREASE,
 * `Unsupported` if not every member lists it; `payload`: over 1 MiB), `PendingCommitExists`, `StagedCommitExists`,
 * `GroupDiverged`, `GroupInactive`, `GroupNotFound`.
 */
public suspend fun MlsGroup.proposeCustom(proposalType: UShort, payload: ByteArray): ProposalBundle =
    write { it.proposeCustom(proposalType, payload) }

/**
 * Proposes that this device leaves: by SelfRemove, sent as a PublicMessage whatever the group's configuration, if
 * every member supports it, else by a Remove of the own leaf. Nobody can commit their own removal, so the group stays
 * active until another member's Commit says `selfRemoved`. If an epoch ends without it, call this again. The last
 * member does not leave but deletes the group.
 *
 * Stored, sent and kept as for [proposeAdd]. Errors: `PendingCommitExists`, `StagedCommitExists`, `GroupDiverged`,
 * `GroupInactive`, `GroupNotFound`.
 */
public suspend fun MlsGroup.leave(): ProposalBundle = write { it.leave() }
