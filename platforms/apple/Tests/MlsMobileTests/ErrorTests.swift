import Foundation
@testable import MlsMobile
import MlsMobileFFI
import Testing

/// One of each, with data that can be told apart.
private let generated: [MlsMobileFFI.MlsError] = [
    .GroupNotFound, .GroupNotRejoined, .GroupAlreadyExists, .GroupInactive, .IdentityNotFound, .IdentityAlreadyExists,
    .IdentityInUse, .KeyPackageNotFound, .KeyPackageInvalid(reason: .expired),
    .WelcomeInvalid(reason: .ratchetTreeMissing), .GroupInfoInvalid(reason: .signatureInvalid), .PendingCommitExists,
    .NoPendingCommit, .StagedCommitExists, .NoStagedCommit, .NoExternalJoin, .GroupDiverged(rejectedEpoch: 7),
    .EarlyBufferFull, .ProposalNotFound, .PendingProposalsExist, .PskNotFound, .ResumptionPskWithAdds,
    .SecretAlreadyExported, .WrongEpoch(current: 8, received: 9), .MessageInvalid(reason: .pskMissing),
    .MessageMalformed, .CredentialRejected, .SignerMissing, .SignerFailed, .Reentrant, .MemberNotFound(leafIndex: 10),
    .UnsupportedCiphersuite(ciphersuite: 11), .InvalidArgument(argument: "argument", reason: .tooLong), .Wiped,
    .Suspended, .Transferred, .RecoveryArchiveInvalid(reason: .wrongKey), .RekeyPending, .StorageBusy, .StorageLocked,
    .StorageFull, .StorageReadOnly, .StorageIo, .WrongDatabaseKey, .StorageCorrupt, .StorageForeign,
    .StorageTooNew(found: 12, supported: 13), .StorageRolledBack(found: 14, minimum: 15), .Internal(code: 1001),
]

@Suite struct ErrorTests {
    @Test func S50_every_error_keeps_its_name_its_data_and_its_code() throws {
        let path = repository.appending(path: "bindings/swift/MlsMobileFFI.swift")
        let source = try String(contentsOf: path, encoding: .utf8)
        let start = try #require(source.range(of: "\nenum MlsError: Swift.Error"))
        let end = try #require(source.range(of: "public func errorCode", range: start.upperBound..<source.endIndex))
        let names = source[start.upperBound..<end.lowerBound].matches(of: /\n    case (\w+)/).map { String($0.1) }
        #expect(names == generated.map { name($0) })

        let conversion = try String(
            contentsOf: repository.appending(path: "platforms/apple/Sources/MlsMobile/MlsErrorConversion.swift"),
            encoding: .utf8)
        var codes: Set<UInt32> = [MlsMobile.MlsError.closed.code]
        for error in generated {
            let ours = MlsMobile.MlsError(error)
            #expect(ours.generated == error)
            #expect(ours.code == error.errorCode())
            #expect(ours.description == error.description)
            let own = name(error).prefix(1).lowercased() + name(error).dropFirst()
            #expect(conversion.contains("\(name(error)): self = .\(own)") || conversion.contains("): self = .\(own)("))
            codes.insert(ours.code)
        }
        #expect(codes.count == names.count + 1)
    }

    @Test func S51_errors_carry_true_data() async throws {
        let pair = try await Pair()
        await #expect(throws: failure(.memberNotFound(leafIndex: 9))) { try await pair.alices.removeMembers([9]) }
        let shortKey = config(pair.folder, "new", key: Data([1]))
        await #expect(throws: failure(.invalidArgument(argument: "database_key", reason: .wrongLength))) {
            try await MlsMobile.MlsClient.open(config: shortKey)
        }
        var damaged = try await keyPackage(pair.bob, "bob")
        damaged[damaged.count - 1] ^= 1
        await #expect(throws: failure(.keyPackageInvalid(reason: .signatureInvalid))) { [damaged] in
            try await pair.alice.inspectKeyPackage(damaged)
        }
        let carol = try await open(pair.folder, "carol")
        let welcome = try #require(try await pair.alices.addMembers([try await keyPackage(carol, "carol")]).welcome)
        await #expect(throws: failure(.welcomeInvalid(reason: .noMatchingKeyPackage))) {
            try await pair.bob.joinFromWelcome(welcome)
        }
        await #expect(throws: failure(.messageInvalid(reason: .notAGroupMessage))) {
            try await pair.bobs.processMessage(welcome)
        }
        let generation = try await pair.bob.storageInfo().generation
        await pair.bob.close()
        let (path, later) = (pair.folder["bob.db"].path, generation + 1)
        let expecting = ClientConfig(databasePath: path, databaseKey: key, minimumGeneration: later)
        await #expect(throws: failure(.storageRolledBack(found: generation, minimum: later))) {
            try await MlsMobile.MlsClient.open(config: expecting)
        }
        let staging = try await open(pair.folder, "bob", nil).group(pair.bobs.id)
        try await pair.alices.clearPendingCommit()
        _ = try await staging.processMessage(try #require(try await pair.commits(1).first))
        try await staging.discardStagedCommit()
        await #expect(throws: failure(.groupDiverged(rejectedEpoch: 2))) { try await staging.selfUpdate() }
    }

    @Test func S52_the_text_says_what_happened_and_no_more() async throws {
        for error in generated.map({ MlsMobile.MlsError($0) }) + [.closed] {
            #expect(error.localizedDescription == error.description)
            #expect(error.description.contains(" "))
            #expect(!error.description.contains("MlsError"))
        }
        let client = try await open(try Folder(), "alice")
        let secret = Data("secret name".utf8)
        let hex = GroupId(secret).description
        do {
            _ = try await client.group(GroupId(secret))
            Issue.record("no error")
        } catch {
            let text = "\(error) \(error.localizedDescription)"
            #expect(!text.contains("secret name") && !text.contains(hex))
        }
    }

    @Test func what_is_no_error_of_the_library_is_a_fault_of_the_bindings() {
        #expect(MlsMobile.MlsError(CancellationError()) == .internal(code: 1000))
    }

    private func failure(_ error: MlsMobile.MlsError) -> MlsMobile.MlsError { error }

    private func name(_ error: MlsMobileFFI.MlsError) -> String {
        let text = Mirror(reflecting: error).children.first?.label ?? String(reflecting: error)
        return text.split(separator: ".").last.map(String.init) ?? ""
    }
}
