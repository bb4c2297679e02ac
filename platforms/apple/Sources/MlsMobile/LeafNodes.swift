import Foundation
import MlsMobileFFI

// What leaf nodes say of their members (RFC 9420, sections 5.3.3 and 7.2).

extension MlsClient {
    /// As `joinByExternalCommit`, with this device's leaf saying `leafNode` instead of the client's, and with
    /// pre-shared keys as `joinByExternalCommitWithPsks` takes them.
    ///
    /// Errors: those of both; `invalidArgument` with the field of `LeafNodeOptions` that no leaf can hold.
    public func joinByExternalCommitWithLeafNode(
        identity: IdentityId, groupInfo: Data, leafNode: LeafNodeOptions, ratchetTree: Data? = nil,
        pskIds: [Data] = []
    ) async throws -> ExternalJoin {
        try await core.write {
            try $0.joinByExternalCommitWithLeafNode(
                identity: identity, groupInfo: groupInfo, leafNode: leafNode, ratchetTree: ratchetTree, pskIds: pskIds)
        }
    }
}

extension MlsGroup {
    /// What the members' leaves say, in leaf order. After this device was removed: as they were before that.
    ///
    /// Errors: `groupNotFound`.
    public func leafNodes() async throws -> [MemberLeaf] {
        try await read { try $0.leafNodes() }
    }

    /// As `proposeSelfUpdate`, and this device's leaf says something else once another member has committed it.
    ///
    /// Errors: those of `proposeSelfUpdate` and `updateLeafNode`.
    public func proposeLeafNode(
        _ leafNode: LeafNodeOptions, newIdentity: IdentityId? = nil
    ) async throws -> ProposalBundle {
        try await write { try $0.proposeLeafNode(leafNode: leafNode, newIdentity: newIdentity) }
    }

    /// What every member lists: what may be required of all, used in the GroupContext, or proposed.
    ///
    /// Errors: `groupNotFound`.
    public func supportedByAll() async throws -> Capabilities {
        try await read { try $0.supportedByAll() }
    }

    /// As `selfUpdate`, and this device's leaf says something else from the merge on. What it said before is gone:
    /// give all of it. Stored, sent and kept as for `addMembers`.
    ///
    /// Errors: those of `selfUpdate`; `invalidArgument` (`leafNode`, `unsupported`: the leaf would lack what the
    /// group requires or members use; else the field of `LeafNodeOptions` that no leaf can hold).
    public func updateLeafNode(
        _ leafNode: LeafNodeOptions, newIdentity: IdentityId? = nil
    ) async throws -> CommitBundle {
        try await write { try $0.updateLeafNode(leafNode: leafNode, newIdentity: newIdentity) }
    }
}
