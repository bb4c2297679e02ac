import Foundation
import Testing

@testable import MlsMobile

@Suite struct ConfigurationTests {
    @Test func durations_stay_within_what_the_library_counts() {
        #expect(Duration.milliseconds(1500).milliseconds == 1500)
        #expect(Duration.seconds(-1).milliseconds == 0)
        #expect(Duration.seconds(10_000_000).milliseconds == .max)
        #expect(Duration.milliseconds(1500).wholeSeconds == 1)
        #expect(Duration.seconds(-1).wholeSeconds == 0)
    }

    @Test func a_key_package_tells_its_lifetime_in_dates() async throws {
        let client = try await open(try Folder(), "alice")
        let packages = try await client.createKeyPackages(
            identity: try await identity(client, "alice"), count: 1,
            options: KeyPackageOptions(lifetime: .seconds(24 * 3600)))
        let lifetime = try #require(packages.first).lifetime
        #expect(lifetime.contains(Date()))
        #expect(abs(lifetime.upperBound.timeIntervalSinceNow - 24 * 3600) < 60)
        let info = try await client.inspectKeyPackage(try #require(packages.first).bytes)
        #expect(info.lifetime == lifetime)
    }

    @Test func S97_what_a_group_was_created_with_is_told_and_stays() async throws {
        let folder = try Folder()
        let alice = try await open(folder, "alice")
        let owner = try await identity(alice, "alice")
        let id = GroupId(Data("a group of the app".utf8))
        let own = Extension(extensionType: 0xf001, data: Data("of the group".utf8))
        let sender = ExternalSender(signatureKey: owner.bytes, credential: .basic(identity: Data("server".utf8)))
        let leaf = LeafNodeOptions(
            applicationId: Data("phone".utf8), supportedExtensions: [0xf001, 0xf002], supportedProposals: [0xf003],
            supportedCredentials: [0xf004])
        let required = RequiredCapabilities(extensions: [0xf002], proposals: [0xf003], credentials: [0xf004])
        let group = try await alice.createGroup(
            identity: owner,
            config: GroupConfig(
                groupId: id, leafNode: leaf, requiredCapabilities: required, extensions: [own],
                externalSenders: [sender]))
        #expect(group.id == id)
        await alice.close()

        let again = try await open(folder, "alice").group(id)
        #expect(try await again.info().extensions.contains(own))
        #expect(try await again.externalSenders() == [sender])
        let leaves = try await again.leafNodes()
        #expect(leaves.map(\.leafIndex) == [0])
        #expect(leaves.first?.leafNode.applicationId == leaf.applicationId)
        let supported = try await again.supportedByAll()
        #expect(supported == leaves.first?.leafNode.capabilities)
        #expect(Set(supported.extensions).isSuperset(of: [0xf001, 0xf002]))
        #expect(supported.proposals.contains(0xf003) && supported.credentials.contains(0xf004))
        #expect(try defaultCiphersuite() == suite)

        for (field, config) in [
            ("group_id", GroupConfig(groupId: id)), ("leaf_node", GroupConfig(leafNode: leaf)),
            ("required_capabilities", GroupConfig(requiredCapabilities: required)),
            ("extensions", GroupConfig(extensions: [own])),
            ("external_senders", GroupConfig(externalSenders: [sender])),
        ] {
            await #expect(throws: MlsError.invalidArgument(argument: field, reason: .onlyAtCreation)) {
                try await again.configure(config)
            }
        }
    }

    @Test func S98_members_see_what_leaves_say() async throws {
        let pair = try await Pair()
        let said = { (name: String) in LeafNodeOptions(applicationId: Data(name.utf8)) }
        _ = try await pair.bobs.processMessage(try await pair.alices.updateLeafNode(said("of Alice")).commit)
        _ = try await pair.alices.mergePendingCommit()
        #expect(try await names(pair.alices) == ["of Alice", nil])
        #expect(try await names(pair.bobs) == ["of Alice", nil])

        _ = try await pair.alices.processMessage(try await pair.bobs.proposeLeafNode(said("of Bob")).proposal)
        _ = try await pair.bobs.processMessage(try await pair.alices.commitToPendingProposals().commit)
        _ = try await pair.alices.mergePendingCommit()
        #expect(try await names(pair.alices) == ["of Alice", "of Bob"])
        #expect(try await names(pair.bobs) == ["of Alice", "of Bob"])

        let carol = try await open(pair.folder, "carol")
        let join = try await carol.joinByExternalCommitWithLeafNode(
            identity: try await identity(carol, "carol"),
            groupInfo: try await pair.alices.exportGroupInfo(withRatchetTree: true), leafNode: said("of Carol"))
        for group in [pair.alices, pair.bobs] { _ = try await group.processMessage(join.commit) }
        _ = try await carol.confirmExternalJoin(join.groupId)
        let carols = try await carol.group(join.groupId)
        for group in [pair.alices, pair.bobs, carols] {
            #expect(try await names(group) == ["of Alice", "of Bob", "of Carol"])
        }
        try await agree(pair.alices, pair.bobs, carols)
    }

    @Test(arguments: [(Padding.off, false), (.block(size: 1024), true), (.buckets, true)])
    func S99_padding_hides_how_long_a_message_is(padding: Padding, hides: Bool) async throws {
        let pair = try await Pair()
        try await pair.alices.configure(GroupConfig(padding: padding))
        var lengths: Set<Int> = []
        for words in ["a", String(repeating: "b", count: 100)] {
            let message = try await pair.alices.createMessage(Data(words.utf8))
            lengths.insert(message.count)
            #expect(text(try await pair.bobs.processMessage(message)) == words)
        }
        #expect((lengths.count == 1) == hides)
    }

    @Test func S100_lifetimes_bound_those_of_key_packages() async throws {
        let folder = try Folder()
        let database = folder["alice.db"].path
        let day = Duration.seconds(24 * 3600)
        let config = { (lifetimes: Lifetimes) in
            ClientConfig(databasePath: database, databaseKey: key, lifetimes: lifetimes)
        }
        for (field, impossible) in [
            ("maximum_lifetime_seconds", Lifetimes(maximum: .zero)),
            ("clock_skew_seconds", Lifetimes(maximum: day, clockSkew: day * 2)),
        ] {
            await #expect(throws: MlsError.invalidArgument(argument: field, reason: .outOfRange)) {
                try await MlsClient.open(config: config(impossible))
            }
        }
        let client = try await MlsClient.open(config: config(Lifetimes(maximum: day)))
        let owner = try await identity(client, "alice")
        let half = KeyPackageOptions(lifetime: day / 2)
        let package = try #require(try await client.createKeyPackages(identity: owner, count: 1, options: half).first)
        #expect(package.lifetime.contains(Date()))
        #expect(abs(package.lifetime.upperBound.timeIntervalSinceNow - 12 * 3600) < 60)
        await #expect(throws: MlsError.invalidArgument(argument: "lifetime_seconds", reason: .outOfRange)) {
            try await client.createKeyPackages(
                identity: owner, count: 1, options: KeyPackageOptions(lifetime: day * 2))
        }
    }

    /// What the leaves call their owners.
    private func names(_ group: MlsGroup) async throws -> [String?] {
        try await group.leafNodes().map { member in
            member.leafNode.applicationId.map { String(decoding: $0, as: UTF8.self) }
        }
    }
}
