import Foundation
import MlsMobile
import Testing

/// Calls that an app makes now and then, besides those about proposals.
@Suite struct NowAndThenTests {
    @Test func S114_members_and_extensions_change_and_secrets_go() async throws {
        let pair = try await Pair()
        let (carol, dave) = (try await open(pair.folder, "carol"), try await open(pair.folder, "dave"))
        let carols = try await invite(carol, "carol", to: pair.alices, others: [pair.bobs])
        let old = try await pair.messages(["late", "too late"])

        let swap = try await pair.alices.swapMembers(remove: [2], add: [try await keyPackage(dave, "dave")])
        _ = try await pair.alices.mergePendingCommit()
        for group in [pair.bobs, carols] {
            let seen = try #require(summary(try await group.processMessage(swap.commit)))
            #expect(seen.removed.map(\.credential) == [named("carol")])
            #expect(seen.added.map(\.credential) == [named("dave")])
        }
        let daves = try await dave.joinFromWelcome(try #require(swap.welcome))
        #expect(try await carols.info().isActive == false)
        #expect(try await pair.bobs.members().map(\.credential) == ["alice", "bob", "dave"].map(named))

        // Required of every member: SelfRemove, and basic credentials.
        let required = RequiredCapabilities(extensions: [], proposals: [10], credentials: [1])
        let server = ExternalSender(signatureKey: Data(repeating: 1, count: 32), credential: named("server"))
        let extensions = [try requiredCapabilitiesExtension(required), try externalSendersExtension([server])]
        #expect(extensions[0] == Extension(extensionType: 3, data: Data([0, 2, 0, 10, 2, 0, 1])))
        let change = try await pair.alices.updateGroupContextExtensions(extensions).commit
        _ = try await pair.alices.mergePendingCommit()
        for group in [pair.bobs, daves] {
            #expect(summary(try await group.processMessage(change))?.extensionsChanged == true)
            #expect(try await group.info().extensions == extensions)
            #expect(try await group.externalSenders() == [server])
        }

        let update = try await pair.bobs.proposeSelfUpdate().proposal
        for group in [pair.alices, daves] { _ = try await group.processMessage(update) }
        let (words, data) = (Data("and on".utf8), Data("data".utf8))
        await #expect(throws: MlsError.pendingProposalsExist) { try await pair.alices.createMessage(words) }
        let commit = try await pair.alices.commitAndCreateMessage(words, authenticatedData: data).commit
        guard
            case .messageCreated(_, 5, let message)? = try await pair.alices.mergePendingCommit().released.first
        else { Issue.record("no message"); return }
        for group in [pair.bobs, daves] {
            let seen = try #require(summary(try await group.processMessage(commit)))
            #expect(Set(seen.updated.map(\.after.leafIndex)) == [0, 1])
            guard case .application(_, _, 5, words, data) = try await group.processMessage(message)
            else { Issue.record("not the message"); return }
        }
        try await agree(pair.alices, pair.bobs, daves)

        let secret = try await pair.alices.safeExportSecret(componentId: 7)
        #expect(secret.count == 32)
        #expect(try await pair.bobs.safeExportSecret(componentId: 7) == secret)
        for group in [pair.alices, pair.bobs] {
            await #expect(throws: MlsError.secretAlreadyExported) { try await group.safeExportSecret(componentId: 7) }
            #expect(try await group.safeExportSecret(componentId: 8) != secret)
        }

        try await pair.bobs.deletePastEpochSecrets(.olderThan(.seconds(3600)))
        #expect(text(try await pair.bobs.processMessage(old[0])) == "late")
        try await pair.bobs.deletePastEpochSecrets(.all)
        for group in [pair.bobs, daves] { #expect(try await group.processMessage(old[1]) == .stale(epoch: 2)) }
        await #expect(throws: MlsError.groupInactive) { try await carols.processMessage(old[1]) }
    }

    @Test func S115_early_messages_are_dropped_or_come_out_with_the_commit() async throws {
        let pair = try await Pair()
        let commit = try #require(try await pair.commits(1).first)
        let messages = try await pair.messages(["one", "two"])
        try await early(messages, of: [2, 2], pair.bobs)
        let dropped = try await pair.bobs.dropEarlyMessages()
        #expect(dropped.count == 2)
        for outcome in dropped {
            guard case .earlyRefused(_, 2, .dropped) = outcome else { Issue.record("\(outcome)"); continue }
        }
        #expect(try await pair.bobs.info().earlyMessages == 0)

        try await early(messages, of: [2, 2], pair.bobs)
        // Without the Commit nothing can be read, and nothing is lost.
        #expect(try await pair.bobs.releaseEarlyMessages() == [])
        #expect(try await pair.bobs.info().earlyMessages == 2)
        guard case .commit(_, _, .merged, let released, _) = try await pair.bobs.processMessage(commit)
        else { Issue.record("not merged"); return }
        #expect(released.map(text) == ["one", "two"])
        #expect(try await pair.bobs.releaseEarlyMessages() == [])
        #expect(try await pair.bobs.info().earlyMessages == 0)
        try await agree(pair.alices, pair.bobs)
    }

    @Test func S115_an_early_commit_that_was_refused_is_released_when_it_is_accepted() async throws {
        let refused = Shared<UInt64?>(2)
        let pair = try await Pair(
            bob: Judge { request in
                guard case .commit(_, let summary) = request else { return true }
                return summary.fromEpoch != refused()
            })
        let commits = try await pair.commits(2)
        try await early([commits[1]] + pair.messages(["after both"]), of: [2, 3], pair.bobs)
        guard
            case .commit(_, _, .merged, let told, _) = try await pair.bobs.processMessage(commits[0]),
            case .earlyRefused(_, 2, .rejected)? = told.first
        else { Issue.record("not refused"); return }
        #expect(told.count == 1)
        #expect(try await pair.bobs.info().earlyMessages == 2)
        refused.change { $0 = nil }
        let released = try await pair.bobs.releaseEarlyMessages()
        #expect(released.first.flatMap(summary)?.toEpoch == 3)
        #expect(released.compactMap(text) == ["after both"])
        try await agree(pair.alices, pair.bobs)
    }

    @Test func S116_key_packages_a_welcome_a_join_and_an_identity_are_looked_after() async throws {
        let folder = try Folder()
        let (alice, bob) = (try await open(folder, "alice"), try await open(folder, "bob"))
        let owner = try await identity(bob, "bob")
        let package = try await keyPackages(of: owner, bob)

        let alices = try await alice.createGroup(
            identity: try await identity(alice, "alice"), config: GroupConfig(ratchetTreeInWelcome: false))
        let welcome = try #require(try await alices.addMembers([package.bytes]).welcome)
        _ = try await alices.mergePendingCommit()
        let tree = try await alices.exportRatchetTree()
        await #expect(throws: MlsError.welcomeInvalid(reason: .ratchetTreeMissing)) {
            try await bob.inspectWelcome(welcome)
        }
        let invitation = try await bob.inspectWelcome(welcome, ratchetTree: tree)
        #expect(try await bob.groups() == [])
        let bobs = try await bob.joinFromWelcome(welcome, ratchetTree: tree)
        #expect(try await bob.keyPackages().count == 2)
        let (state, members) = (try await bobs.info(), try await bobs.members())
        #expect(
            invitation
                == WelcomeInfo(
                    groupId: bobs.id, epoch: state.epoch, ciphersuite: state.ciphersuite, sender: members.first,
                    members: members, ownLeafIndex: state.ownLeafIndex))
        #expect(bobs.id == alices.id && state.epoch == 1 && state.ownLeafIndex == 1)

        let message = try await alices.createMessage(Data("hello".utf8))
        let info = MessageInfo(groupId: bobs.id, epoch: 1, kind: .application, wireFormat: .privateMessage)
        #expect(try await bob.messageInfo(message) == info)

        let groupInfo = try await alices.exportGroupInfo(withRatchetTree: true)
        let join = try await bob.joinByExternalCommit(identity: owner, groupInfo: groupInfo)
        #expect(try await bob.pendingExternalJoin(bobs.id) == join)
        try await bob.abandonExternalJoin(bobs.id)
        #expect(try await bob.pendingExternalJoin(bobs.id) == nil)
        await #expect(throws: MlsError.noExternalJoin) { try await bob.confirmExternalJoin(bobs.id) }

        let again = try await rotated(bob, folder)
        #expect(try await again.identities().map(\.id) == [owner])
        #expect(try await again.keyPackages().count == 2)
        let group = try await again.group(bobs.id)
        #expect(try await group.info() == state)
        #expect(text(try await group.processMessage(message)) == "hello")
        try await agree(alices, group)

        await #expect(throws: MlsError.identityInUse) { try await again.deleteIdentity(owner) }
        try await group.delete()
        try await again.deleteIdentity(owner)
        #expect(try await again.identities() == [])
        #expect(try await again.keyPackages() == [])
    }

    /// Gives a group what it cannot read yet: each is kept, and counted.
    private func early(_ messages: [Data], of epochs: [UInt64], _ group: MlsGroup) async throws {
        for (index, (message, epoch)) in zip(messages, epochs).enumerated() {
            #expect(try await group.processMessage(message) == .early(epoch: epoch))
            #expect(try await group.info().earlyMessages == UInt32(index + 1))
        }
    }

    /// Makes key packages and deletes what is not wanted; three are left, of which this is one.
    private func keyPackages(of owner: IdentityId, _ client: MlsClient) async throws -> KeyPackage {
        let made = try await client.replenishKeyPackages(identity: owner, target: 3)
        try #require(made.map(\.identity) == [owner, owner, owner])
        #expect(try await client.keyPackages() == made)
        try await client.deleteKeyPackage(made[0].reference)
        #expect(try await client.keyPackages() == Array(made[1...]))

        let brief = try await client.replenishKeyPackages(
            identity: owner, target: 3, options: KeyPackageOptions(lifetime: .seconds(1)))
        #expect(brief.count == 1)
        try await Task.sleep(for: .seconds(2))
        #expect(try await client.keyPackages() == made[1...] + brief)
        #expect(try await client.deleteExpiredKeyPackages() == 1)
        #expect(try await client.deleteExpiredKeyPackages() == 0)
        let more = try await client.replenishKeyPackages(identity: owner, target: 3)
        #expect(try await client.keyPackages() == made[1...] + more)
        #expect(more.count == 1)
        return made[1]
    }

    /// Rotates the data key, once a change of the database's key is confirmed, and opens the client again.
    private func rotated(_ client: MlsClient, _ folder: Folder) async throws -> MlsClient {
        let newKey = Data(repeating: 9, count: 32)
        try await client.rekey(newKey: newKey)
        await #expect(throws: MlsError.rekeyPending) { try await client.rotateDataKey() }
        try await client.confirmRekey()
        try await client.rotateDataKey()
        await client.close()
        return try await MlsClient.open(config: config(folder, "bob", key: newKey), validator: Judge())
    }
}
