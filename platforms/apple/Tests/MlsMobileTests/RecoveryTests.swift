import Foundation
import MlsMobile
import Testing

@Suite struct RecoveryTests {
    private let recoveryKey = Data(repeating: 3, count: 32)

    @Test func S94_a_lost_phone_comes_back_and_its_old_leaf_is_gone() async throws {
        let pair = try await Pair()
        let owner = try #require(try await pair.alice.identities().first).id
        let revision = try await pair.alice.recoveryRevision()
        let archive = try await pair.alice.exportRecoveryArchive(recoveryKey: recoveryKey)
        for commit in try await pair.commits(2) { _ = try await pair.bobs.processMessage(commit) }
        #expect(try await pair.alice.recoveryRevision() == revision)
        _ = try await pair.alice.createGroup(identity: owner)
        #expect(try await pair.alice.recoveryRevision() != revision)
        await pair.alice.close()
        _ = try await pair.bobs.selfUpdate()
        _ = try await pair.bobs.mergePendingCommit()

        let recovered = try await recover(pair, archive)
        let waiting = try #require(try await recovered.groupsToRejoin().first)
        #expect(waiting.groupId == pair.alices.id && waiting.identity == owner)
        #expect(waiting.epoch == 1 && waiting.ownLeafIndex == 0 && waiting.isActive)
        await #expect(throws: MlsError.groupNotRejoined) { try await recovered.group(waiting.groupId) }
        let (join, group) = try await rejoin(recovered, waiting, pair.bobs)
        #expect(join.oldLeafRemains == nil)
        #expect(try await recovered.groupsToRejoin() == [])
        #expect(try await pair.bobs.members().count == 2)
        try await agree(group, pair.bobs)
    }

    @Test func S95_what_is_no_archive_of_this_key_leaves_no_file() async throws {
        let pair = try await Pair()
        let archive = try await pair.alice.exportRecoveryArchive(recoveryKey: recoveryKey)
        await #expect(throws: MlsError.recoveryArchiveInvalid(reason: .wrongKey)) {
            try await recover(pair, archive, key: key)
        }
        var changed = archive
        changed[changed.count - 1] ^= 1
        await #expect(throws: MlsError.recoveryArchiveInvalid(reason: .damaged)) { try await recover(pair, changed) }
        #expect(!FileManager.default.fileExists(atPath: pair.folder["recovered.db"].path))
        await #expect(throws: MlsError.invalidArgument(argument: "database_path", reason: .alreadyExists)) {
            try await MlsClient.recover(
                archive: archive, recoveryKey: recoveryKey, config: config(pair.folder, "alice"))
        }

        let recovered = try await recover(pair, archive)
        try await recovered.forgetGroupToRejoin(pair.alices.id)
        #expect(try await recovered.groupsToRejoin() == [])
        await #expect(throws: MlsError.groupNotFound) { try await recovered.group(pair.alices.id) }
    }

    @Test func S96_a_leaf_of_an_identity_that_the_archive_lacks_is_named_and_removed() async throws {
        let pair = try await Pair()
        let archive = try await pair.alice.exportRecoveryArchive(recoveryKey: recoveryKey)
        let newer = try await identity(pair.alice, "alice")
        _ = try await pair.bobs.processMessage(try await pair.alices.selfUpdate(newIdentity: newer).commit)
        _ = try await pair.alices.mergePendingCommit()
        await pair.alice.close()

        let recovered = try await recover(pair, archive)
        let waiting = try #require(try await recovered.groupsToRejoin().first)
        let (join, group) = try await rejoin(recovered, waiting, pair.bobs)
        let old = try #require(join.oldLeafRemains)
        #expect(old == 0)
        _ = try await pair.bobs.processMessage(try await group.removeMembers([old]).commit)
        _ = try await group.mergePendingCommit()
        #expect(try await group.members().count == 2)
        try await agree(group, pair.bobs)
    }

    private func recover(_ pair: Pair, _ archive: Data, key: Data? = nil) async throws -> MlsClient {
        try await MlsClient.recover(
            archive: archive, recoveryKey: key ?? recoveryKey, config: config(pair.folder, "recovered"),
            validator: Judge())
    }

    /// Joins again, with the help of a member who follows.
    private func rejoin(
        _ client: MlsClient, _ waiting: GroupToRejoin, _ member: MlsGroup
    ) async throws -> (ExternalJoin, MlsGroup) {
        let info = try await member.exportGroupInfo(withRatchetTree: true)
        let join = try await client.joinByExternalCommit(identity: waiting.identity, groupInfo: info)
        _ = try await member.processMessage(join.commit)
        _ = try await client.confirmExternalJoin(waiting.groupId)
        return (join, try await client.group(waiting.groupId))
    }
}
