import Foundation
import MlsMobile
import Testing

@Suite struct DevicesTests {
    @Test func S10_messages_go_both_ways_and_come_once() async throws {
        let pair = try await Pair()
        for (from, to, name) in [(pair.alices, pair.bobs, "alice"), (pair.bobs, pair.alices, "bob")] {
            let (plaintext, data) = (Data("from \(name)".utf8), Data("data of \(name)".utf8))
            let message = try await from.createMessage(plaintext, authenticatedData: data)
            guard
                case .application(_, .member(_, let credential), 1, plaintext, data) =
                    try await to.processMessage(message)
            else { Issue.record("not the message"); return }
            #expect(credential == .basic(identity: Data(name.utf8)))
            #expect(try await to.processMessage(message) == .duplicate)
            #expect(try await from.processMessage(message) == .ownMessage)
        }
        try await agree(pair.alices, pair.bobs)
    }

    @Test func S11_who_is_removed_reads_but_does_not_send() async throws {
        let pair = try await Pair()
        let carol = try await open(pair.folder, "carol")
        let package = try await keyPackage(carol, "carol")
        let adding = try await pair.alices.addMembers([package])
        _ = try await pair.alices.mergePendingCommit()
        _ = try await pair.bobs.processMessage(adding.commit)
        let carols = try await carol.joinFromWelcome(try #require(adding.welcome))
        try await agree(pair.alices, pair.bobs, carols)

        let removing = try await pair.bobs.removeMembers([2])
        _ = try await pair.bobs.mergePendingCommit()
        for group in [pair.alices, carols] {
            guard case .commit(_, let summary, .merged, _, _) = try await group.processMessage(removing.commit)
            else { Issue.record("not merged"); return }
            #expect(summary.removed.map(\.leafIndex) == [2])
        }
        try await agree(pair.alices, pair.bobs)
        #expect(try await carols.info().isActive == false)
        await #expect(throws: MlsError.groupInactive) { try await carols.createMessage(Data()) }
    }

    @Test func S12_a_queued_proposal_is_committed_before_a_message() async throws {
        let pair = try await Pair()
        let leaving = try await pair.bobs.leave()
        _ = try await pair.alices.processMessage(leaving.proposal)
        await #expect(throws: MlsError.pendingProposalsExist) {
            try await pair.alices.createMessage(Data("hello".utf8))
        }
        let bundle = try await pair.alices.commitToPendingProposals()
        _ = try await pair.alices.mergePendingCommit()
        _ = try await pair.alices.createMessage(Data("hello".utf8))
        guard case .commit(_, let summary, .merged, _, _) = try await pair.bobs.processMessage(bundle.commit)
        else { Issue.record("not merged"); return }
        #expect(summary.selfRemoved)
    }

    @Test func S13_of_two_commits_the_first_wins_and_the_other_is_told() async throws {
        let pair = try await Pair()
        let carol = try await open(pair.folder, "carol")
        _ = try await pair.alices.addMembers([try await keyPackage(carol, "carol")])
        let first = try await pair.bobs.selfUpdate()
        _ = try await pair.bobs.mergePendingCommit()
        guard
            case .commit(_, _, .merged, _, let superseded) = try await pair.alices.processMessage(first.commit)
        else { Issue.record("not merged"); return }
        #expect(try #require(superseded).added.map(\.credential) == [.basic(identity: Data("carol".utf8))])
        #expect(try await pair.alices.pendingCommit() == nil)
        #expect(try await pair.alices.info().epoch == 2)
        try await agree(pair.alices, pair.bobs)
    }

    @Test func S14_an_external_join_waits_until_it_is_confirmed() async throws {
        let pair = try await Pair()
        let carol = try await open(pair.folder, "carol")
        let info = try await pair.alices.exportGroupInfo(withRatchetTree: true)
        let join = try await carol.joinByExternalCommit(identity: try await identity(carol, "carol"), groupInfo: info)
        await #expect(throws: MlsError.groupNotFound) { try await carol.group(join.groupId) }
        #expect(try await carol.pendingExternalJoin(join.groupId) == join)
        for group in [pair.alices, pair.bobs] { _ = try await group.processMessage(join.commit) }
        let joined = try await carol.confirmExternalJoin(join.groupId)
        #expect(joined.epoch == 2)
        try await agree(pair.alices, pair.bobs, try await carol.group(join.groupId))
    }

    @Test func S15_members_export_the_same_and_tell_forks_by_authenticators() async throws {
        let pair = try await Pair()
        let context = Data("context".utf8)
        let secret = try await pair.alices.exportSecret(label: "label", context: context, length: 48)
        #expect(secret.count == 48)
        #expect(try await pair.bobs.exportSecret(label: "label", context: context, length: 48) == secret)
        #expect(try await pair.bobs.exportSecret(label: "other", context: context, length: 48) != secret)
        let own = try await pair.alices.epochAuthenticator()
        #expect(try await pair.bobs.compareAuthenticator(epoch: 1, authenticator: own) == .same)
        #expect(try await pair.bobs.compareAuthenticator(epoch: 1, authenticator: secret) == .different)
        #expect(try await pair.bobs.compareAuthenticator(epoch: 9, authenticator: own) == .unknown)
    }
}
