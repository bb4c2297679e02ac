import Foundation
import MlsMobile
import Testing

@Suite struct ProposalTests {
    @Test func S111_who_was_not_invited_asks_and_is_let_in() async throws {
        let pair = try await Pair()
        var carol = try await open(pair.folder, "carol")
        let owner = try await identity(carol, "carol")
        let options = KeyPackageOptions(leafNode: LeafNodeOptions(applicationId: Data("tablet".utf8)))
        let made = try await carol.proposeExternalJoin(
            identity: owner, groupId: pair.alices.id, epoch: 1, options: options)
        let asked = made.proposal
        #expect(try await carol.keyPackages().map(\.reference) == [made.keyPackage])
        await carol.close()
        for group in [pair.alices, pair.bobs] {
            guard case .externalJoinProposal(_, let reference, let summary, _) = try await group.processMessage(asked)
            else { Issue.record("not the proposal"); return }
            #expect(summary.sender == .newMember(credential: named("carol")))
            #expect(
                summary.kind == .add(member: NewMember(credential: named("carol"), signatureKey: owner.bytes)))
            #expect(try await group.pendingProposals() == [summary])
            #expect(summary.reference == reference)
        }
        let bundle = try await pair.alices.commitToPendingProposals()
        _ = try await pair.alices.mergePendingCommit()
        let seen = try #require(summary(try await pair.bobs.processMessage(bundle.commit)))
        #expect(seen.added.map(\.credential) == [named("carol")])

        carol = try await open(pair.folder, "carol")
        let carols = try await carol.joinFromWelcome(try #require(bundle.welcome))
        #expect(try await carol.keyPackages() == [])
        #expect(try await carols.leafNodes().map(\.leafNode.applicationId) == [nil, nil, Data("tablet".utf8)])
        try await agree(pair.alices, pair.bobs, carols)
    }

    @Test func S112_proposals_of_every_kind_are_carried_out_or_taken_back() async throws {
        let able = LeafNodeOptions(supportedExtensions: [0xf001], supportedProposals: [0xf002])
        let pair = try await Pair(leafNode: able)
        let carol = try await open(pair.folder, "carol")
        _ = try await invite(carol, "carol", to: pair.alices, leafNode: able, others: [pair.bobs])
        let dave = try await open(pair.folder, "dave")
        let daves = try await keyPackage(dave, "dave", leafNode: able)
        let renamed = try await identity(pair.alice, "renamed")
        // What the GroupContext has must be required of every member.
        let extensions = [
            Extension(extensionType: 3, data: Data([2, 0xf0, 0x01, 0, 0])),
            Extension(extensionType: 0xf001, data: Data("the room".utf8)),
        ]
        let vote = Data("vote".utf8)
        let proposals = [
            try await pair.alices.proposeAdd(daves),
            try await pair.alices.proposeRemove(2),
            try await pair.alices.proposeSelfUpdate(newIdentity: renamed),
            try await pair.alices.proposeGroupContextExtensions(extensions),
            try await pair.alices.proposeCustom(proposalType: 0xf002, payload: vote),
        ]
        let queued = try await pair.alices.pendingProposals()
        let carols = try #require(try await pair.alices.members().last)
        let invited = try #require(try await dave.identities().first).id
        #expect(queued.map(\.reference) == proposals.map(\.reference))
        #expect(
            queued.map(\.kind) == [
                .add(member: NewMember(credential: named("dave"), signatureKey: invited.bytes)),
                .remove(member: carols),
                .update(member: NewMember(credential: named("renamed"), signatureKey: renamed.bytes)),
                .groupContextExtensions,
                .custom(proposalType: 0xf002, payload: vote),
            ])
        for bundle in proposals { _ = try await pair.bobs.processMessage(bundle.proposal) }
        #expect(try await pair.bobs.pendingProposals() == queued)

        let bundle = try await pair.bobs.commitToPendingProposals()
        let own = try await pair.bobs.mergePendingCommit().summary
        let seen = try #require(summary(try await pair.alices.processMessage(bundle.commit)))
        #expect(seen == own)
        #expect(seen.added.map(\.credential) == [named("dave")])
        #expect(seen.removed == [carols])
        #expect(Set(seen.updated.map(\.after.credential)) == [named("renamed"), named("bob")])
        #expect(seen.extensionsChanged)
        #expect(seen.custom == [CustomProposal(leafIndex: 0, proposalType: 0xf002, payload: vote)])
        let state = try await pair.alices.info()
        #expect(state.extensions == extensions && state.identity == renamed && state.pendingProposals == [])
        try await agree(pair.alices, pair.bobs, try await dave.joinFromWelcome(try #require(bundle.welcome)))

        let unwanted = try await pair.alices.proposeRemove(1)
        let other = try await pair.alices.proposeCustom(proposalType: 0xf002, payload: vote)
        try await pair.alices.removePendingProposal(unwanted.reference)
        #expect(try await pair.alices.pendingProposals().map(\.reference) == [other.reference])
        await #expect(throws: MlsError.proposalNotFound) {
            try await pair.alices.removePendingProposal(unwanted.reference)
        }
        try await pair.alices.clearPendingProposals()
        #expect(try await pair.alices.pendingProposals() == [])
    }

    @Test func S113_a_pre_shared_key_is_mixed_in_until_it_is_deleted() async throws {
        let pair = try await Pair()
        let carol = try await open(pair.folder, "carol")
        let (id, secret) = (Data("meeting".utf8), Data(repeating: 7, count: 32))
        for client in [pair.alice, carol] { try await client.registerPsk(id: id, secret: secret) }
        try await pair.bob.registerPsk(id: id, secret: Data(repeating: 8, count: 32))
        let psk = PskId.external(id: id)
        let proposed = try await pair.alices.proposePsk(psk)
        guard case .proposal(_, _, let heard, _) = try await pair.bobs.processMessage(proposed.proposal)
        else { Issue.record("no proposal"); return }
        #expect(heard.kind == .preSharedKey(psk: psk))
        let commit = try await pair.alices.commitToPendingProposals().commit
        #expect(try await pair.alices.mergePendingCommit().summary.psks == [psk])
        await #expect(throws: MlsError.messageInvalid(reason: .signatureInvalid)) {
            try await pair.bobs.processMessage(commit)
        }
        try await pair.bob.registerPsk(id: id, secret: secret)
        #expect(summary(try await pair.bobs.processMessage(commit))?.psks == [psk])
        try await agree(pair.alices, pair.bobs)

        let first = try #require(try await pair.alices.resumptionPsk(epoch: 1))
        #expect(try await pair.bobs.resumptionPsk(epoch: 1) == first)
        let second = try #require(try await pair.bobs.resumptionPsk(epoch: 2))
        #expect(second != first && second.count == 32)
        #expect(try await pair.alices.resumptionPsk(epoch: 2) == second)
        #expect(try await pair.bobs.resumptionPsk(epoch: 0) == nil)

        let join = try await carol.joinByExternalCommitWithPsks(
            identity: try await identity(carol, "carol"),
            groupInfo: try await pair.alices.exportGroupInfo(withRatchetTree: false),
            ratchetTree: try await pair.alices.exportRatchetTree(), pskIds: [id])
        for group in [pair.alices, pair.bobs] {
            let seen = try #require(summary(try await group.processMessage(join.commit)))
            #expect(seen.psks == [psk] && seen.externalJoins.map(\.credential) == [named("carol")])
        }
        _ = try await carol.confirmExternalJoin(join.groupId)
        let carols = try await carol.group(join.groupId)
        try await agree(pair.alices, pair.bobs, carols)

        try await carol.deletePsk(id: id)
        await #expect(throws: MlsError.pskNotFound) { try await carols.proposePsk(psk) }
        _ = try await pair.bobs.proposePsk(psk)
    }
}
