package org.mlsmobile

/**
 * What the members' leaves say, in leaf order. After this device was removed: as they were before that.
 *
 * Errors: `GroupNotFound`.
 */
public suspend fun MlsGroup.leafNodes(): List<MemberLeaf> = read { it.leafNodes() }

/**
 * What every member lists: what may be required of all, used in the GroupContext, or proposed.
 *
 * Errors: `GroupNotFound`.
 */
public suspend fun MlsGroup.supportedByAll(): Capabilities = read { it.supportedByAll() }

/**
 * As [selfUpdate], and this device's leaf says something else from the merge on. What it said before is gone: give all
 * of it. Stored, sent and kept as for [addMembers].
 *
 * Errors: those of [selfUpdate]; `InvalidArgument` (`leaf_node`, `Unsupported`: the leaf would lack what the group
 * requires or members use; else the field of `LeafNodeOptions` that no leaf can hold).
 */
public suspend fun MlsGroup.updateLeafNode(leafNode: LeafNodeOptions, newIdentity: IdentityId? = null): CommitBundle =
    write { it.updateLeafNode(leafNode, newIdentity) }

/**
 * As [proposeSelfUpdate], and this device's leaf says something else once another member has committed it.
 *
 * Errors: those of [proposeSelfUpdate] and [updateLeafNode].
 */
public suspend fun MlsGroup.proposeLeafNode(leafNode: LeafNodeOptions, newIdentity: IdentityId? = null): ProposalBundle =
    write { it.proposeLeafNode(leafNode, newIdentity) }

/**
 * As [joinByExternalCommit], with this device's leaf saying `leafNode` instead of the client's, and with pre-shared keys
 * as [joinByExternalCommitWithPsks] takes them.
 *
 * Errors: those of both; `InvalidArgument` with the field of `LeafNodeOptions` that no leaf can hold.
 */
public suspend fun MlsClient.joinByExternalCommitWithLeafNode(
    identity: IdentityId,
    groupInfo: ByteArray,
    leafNode: LeafNodeOptions,
    ratchetTree: ByteArray? = null,
    pskIds: List<ByteArray> = emptyList(),
): ExternalJoin = write { it.joinByExternalCommitWithLeafNode(identity, groupInfo, leafNode, ratchetTree, pskIds) }
