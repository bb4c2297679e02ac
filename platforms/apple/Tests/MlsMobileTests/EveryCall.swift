import Foundation
import MlsMobile

typealias Call = (name: String, call: @Sendable () async throws -> Void)

/// Every call of a client; `CoverageTests` compares the names with the generated protocol's.
func clientCalls(_ client: MlsClient, _ group: GroupId) -> [Call] {
    let (owner, data, signer) = (IdentityId(Data([1])), Data([1]), Signs { $0 })
    return [
        ("createGroup", { _ = try await client.createGroup(identity: owner) }),
        ("group", { _ = try await client.group(group) }),
        ("groups", { _ = try await client.groups() }),
        ("inspectWelcome", { _ = try await client.inspectWelcome(data) }),
        ("joinFromWelcome", { _ = try await client.joinFromWelcome(data) }),
        ("abandonExternalJoin", { try await client.abandonExternalJoin(group) }),
        ("confirmExternalJoin", { _ = try await client.confirmExternalJoin(group) }),
        ("joinByExternalCommit", { _ = try await client.joinByExternalCommit(identity: owner, groupInfo: data) }),
        (
            "joinByExternalCommitWithLeafNode",
            {
                _ = try await client.joinByExternalCommitWithLeafNode(
                    identity: owner, groupInfo: data, leafNode: LeafNodeOptions())
            }
        ),
        ("pendingExternalJoin", { _ = try await client.pendingExternalJoin(group) }),
        ("attachSigner", { try await client.attachSigner(identity: owner, signer: signer) }),
        ("createIdentity", { _ = try await identity(client, "name") }),
        (
            "createIdentityWithSigner",
            {
                _ = try await client.createIdentityWithSigner(
                    credential: .basic(identity: data), ciphersuite: suite, publicKey: data, signer: signer)
            }
        ),
        ("deleteIdentity", { try await client.deleteIdentity(owner) }),
        ("identities", { _ = try await client.identities() }),
        (
            "replaceCredential",
            { _ = try await client.replaceCredential(identity: owner, credential: .basic(identity: data)) }
        ),
        ("createKeyPackages", { _ = try await client.createKeyPackages(identity: owner, count: 1) }),
        ("deleteExpiredKeyPackages", { _ = try await client.deleteExpiredKeyPackages() }),
        ("deleteKeyPackage", { try await client.deleteKeyPackage(KeyPackageRef(data)) }),
        ("inspectKeyPackage", { _ = try await client.inspectKeyPackage(data) }),
        ("keyPackages", { _ = try await client.keyPackages() }),
        ("replenishKeyPackages", { _ = try await client.replenishKeyPackages(identity: owner, target: 1) }),
        ("deletePsk", { try await client.deletePsk(id: data) }),
        (
            "joinByExternalCommitWithPsks",
            {
                _ = try await client.joinByExternalCommitWithPsks(
                    identity: owner, groupInfo: data, ratchetTree: nil, pskIds: [])
            }
        ),
        (
            "proposeExternalJoin",
            { _ = try await client.proposeExternalJoin(identity: owner, groupId: group, epoch: 1) }
        ),
        ("registerPsk", { try await client.registerPsk(id: data, secret: data) }),
        ("acknowledge", { try await client.acknowledge([1]) }),
        ("cursor", { _ = try await client.cursor() }),
        ("inbox", { _ = try await client.inbox(limit: 1) }),
        ("messageInfo", { _ = try await client.messageInfo(data) }),
        ("processMessages", { _ = try await client.processMessages([]) }),
        ("exportRecoveryArchive", { _ = try await client.exportRecoveryArchive(recoveryKey: data) }),
        ("forgetGroupToRejoin", { try await client.forgetGroupToRejoin(group) }),
        ("groupsToRejoin", { _ = try await client.groupsToRejoin() }),
        ("recoveryRevision", { _ = try await client.recoveryRevision() }),
        ("confirmRekey", { try await client.confirmRekey() }),
        ("exportForTransfer", { try await client.exportForTransfer(to: repository, transferKey: data) }),
        ("rekey", { try await client.rekey(newKey: data) }),
        ("resume", { try await client.resume() }),
        ("rotateDataKey", { try await client.rotateDataKey() }),
        ("storageInfo", { _ = try await client.storageInfo() }),
        ("suspend", { try await client.suspend(deadline: .zero) }),
        ("wipe", { try await client.wipe() }),
    ]
}

/// Every call of a group.
func groupCalls(_ group: MlsGroup) -> [Call] {
    let data = Data([1])
    return [
        ("addMembers", { _ = try await group.addMembers([data]) }),
        ("clearPendingCommit", { try await group.clearPendingCommit() }),
        ("commitAndCreateMessage", { _ = try await group.commitAndCreateMessage(data) }),
        ("mergePendingCommit", { _ = try await group.mergePendingCommit() }),
        ("pendingCommit", { _ = try await group.pendingCommit() }),
        ("removeMembers", { _ = try await group.removeMembers([1]) }),
        ("selfUpdate", { _ = try await group.selfUpdate() }),
        ("swapMembers", { _ = try await group.swapMembers(remove: [], add: []) }),
        ("updateGroupContextExtensions", { _ = try await group.updateGroupContextExtensions([]) }),
        ("epochAuthenticator", { _ = try await group.epochAuthenticator() }),
        ("exportGroupInfo", { _ = try await group.exportGroupInfo(withRatchetTree: true) }),
        ("exportRatchetTree", { _ = try await group.exportRatchetTree() }),
        ("exportSecret", { _ = try await group.exportSecret(label: "", context: data, length: 1) }),
        ("safeExportSecret", { _ = try await group.safeExportSecret(componentId: 1) }),
        ("configure", { try await group.configure(GroupConfig()) }),
        ("delete", { try await group.delete() }),
        ("externalSenders", { _ = try await group.externalSenders() }),
        ("info", { _ = try await group.info() }),
        ("members", { _ = try await group.members() }),
        ("leafNodes", { _ = try await group.leafNodes() }),
        ("proposeLeafNode", { _ = try await group.proposeLeafNode(LeafNodeOptions()) }),
        ("supportedByAll", { _ = try await group.supportedByAll() }),
        ("updateLeafNode", { _ = try await group.updateLeafNode(LeafNodeOptions()) }),
        ("createMessage", { _ = try await group.createMessage(data) }),
        ("processMessage", { _ = try await group.processMessage(data) }),
        ("compareAuthenticator", { _ = try await group.compareAuthenticator(epoch: 1, authenticator: data) }),
        ("deletePastEpochSecrets", { try await group.deletePastEpochSecrets(.all) }),
        ("clearPendingProposals", { try await group.clearPendingProposals() }),
        ("commitToPendingProposals", { _ = try await group.commitToPendingProposals() }),
        ("pendingProposals", { _ = try await group.pendingProposals() }),
        ("removePendingProposal", { try await group.removePendingProposal(ProposalRef(data)) }),
        ("leave", { _ = try await group.leave() }),
        ("proposeAdd", { _ = try await group.proposeAdd(data) }),
        ("proposeCustom", { _ = try await group.proposeCustom(proposalType: 1, payload: data) }),
        ("proposeGroupContextExtensions", { _ = try await group.proposeGroupContextExtensions([]) }),
        ("proposeRemove", { _ = try await group.proposeRemove(1) }),
        ("proposeSelfUpdate", { _ = try await group.proposeSelfUpdate() }),
        ("proposePsk", { _ = try await group.proposePsk(.external(id: data)) }),
        ("resumptionPsk", { _ = try await group.resumptionPsk(epoch: 1) }),
        ("discardStagedCommit", { try await group.discardStagedCommit() }),
        ("dropEarlyMessages", { _ = try await group.dropEarlyMessages() }),
        ("mergeStagedCommit", { _ = try await group.mergeStagedCommit() }),
        ("releaseEarlyMessages", { _ = try await group.releaseEarlyMessages() }),
    ]
}
