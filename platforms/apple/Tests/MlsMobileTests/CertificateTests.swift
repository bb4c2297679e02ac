import Foundation
import MlsMobile
import Testing

/// Certificates where there are some; other credentials are for `next`.
func lenient(_ next: Judge) throws -> any CredentialValidator {
    try x509ValidatorWithOthers(roots: try roots(), next: next)
}

private func roots() throws -> [Data] {
    [try Data(contentsOf: repository.appending(path: "tests/fixtures/root.der"))]
}

@Suite struct CertificateTests {
    private struct NoOpinion: Error {}

    @Test func S26_certificates_are_asked_for_unless_the_app_judges_others() async throws {
        for (roots, reason) in [([], ArgumentReason.empty), ([Data("no root".utf8)], .malformed)] {
            let refusal = MlsError.invalidArgument(argument: "roots", reason: reason)
            #expect(throws: refusal) { try x509Validator(roots: roots) }
            #expect(throws: refusal) { try x509ValidatorWithOthers(roots: roots, next: Judge()) }
        }
        let folder = try Folder()
        let package = try await keyPackage(try await open(folder, "bob"), "bob")

        let unasked = Judge()
        let strict = try x509Validator(roots: try roots(), next: unasked)
        let first = try await group(try await opened(folder, "first", strict))
        await #expect(throws: MlsError.credentialRejected) { try await first.addMembers([package]) }
        #expect(unasked.asked().isEmpty)

        let throwing = Shared(false)
        let next = Judge { _ in
            if throwing() { throw NoOpinion() }
            return true
        }
        let second = try await group(try await opened(folder, "second", try lenient(next)))
        throwing.change { $0 = true }
        await #expect(throws: MlsError.credentialRejected) { try await second.addMembers([package]) }
        throwing.change { $0 = false }
        #expect(try await second.addMembers([package]).welcome != nil)
        #expect(next.asked().count == 2)
    }

    @Test func S27_external_senders_are_judged_after_the_welcome() async throws {
        let (folder, accepts) = (try Folder(), Shared(false))
        let judge = Judge { request in
            if case .externalSenders = request { return accepts() }
            return true
        }
        let bob = try await opened(folder, "bob", judge)
        let alice = try await open(folder, "alice")
        let sender = ExternalSender(
            signatureKey: try await identity(alice, "server").bytes, credential: .basic(identity: Data("server".utf8)))
        let alices = try await alice.createGroup(
            identity: try await identity(alice, "alice"), config: GroupConfig(externalSenders: [sender]))
        let adding = try await alices.addMembers([try await keyPackage(bob, "bob")])
        let welcome = try #require(adding.welcome)
        _ = try await alices.mergePendingCommit()

        await #expect(throws: MlsError.credentialRejected) { try await bob.joinFromWelcome(welcome) }
        accepts.change { $0 = true }
        let bobs = try await bob.joinFromWelcome(welcome)
        let asked = judge.asked()
        let kinds = asked.map { String("\($0)".prefix { $0 != "(" }) }
        #expect(kinds == ["welcome", "externalSenders", "welcome", "externalSenders"])
        #expect(asked.last == .externalSenders(groupId: bobs.id, senders: [sender]))
        try await agree(alices, bobs)
    }

    private func opened(
        _ folder: Folder, _ name: String, _ validator: any CredentialValidator
    ) async throws -> MlsClient {
        try await MlsClient.open(config: config(folder, name), validator: validator)
    }

    private func group(_ client: MlsClient) async throws -> MlsGroup {
        try await client.createGroup(identity: try await identity(client, "owner"))
    }
}
