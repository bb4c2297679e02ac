import Foundation
import MlsMobile
import MlsMobileFFI
import Testing

@Suite struct SignerTests {
    private struct NoAnswer: Error {}

    @Test func S90_a_key_outside_the_library_signs_after_it_is_attached() async throws {
        let (folder, key) = (try Folder(), try SigningKey())
        let first = try await open(folder, "alice")
        let owner = try await withSigner(first, key)
        let published = try key.publicKey
        #expect(owner.externalSigner && owner.id.bytes == published)
        let group = try await first.createGroup(identity: owner.id)
        let bob = try await open(folder, "bob")
        let bobs = try await invite(bob, "bob", to: group)
        await first.close()

        let second = try await open(folder, "alice")
        let again = try await second.group(group.id)
        await #expect(throws: MlsMobile.MlsError.signerMissing) { try await again.createMessage(Data()) }
        try await second.attachSigner(identity: owner.id, signer: Signs(key))
        let message = try await again.createMessage(Data("hello".utf8))
        #expect(text(try await bobs.processMessage(message)) == "hello")
        _ = try await bobs.processMessage(try await again.selfUpdate().commit)
        _ = try await again.mergePendingCommit()
        try await agree(again, bobs)
    }

    @Test func S91_a_signer_that_fails_changes_nothing() async throws {
        let (folder, key, other) = (try Folder(), try SigningKey(), try SigningKey())
        let alice = try await open(folder, "alice")
        let answer = Shared<@Sendable (Data) throws -> Data>({ try key.sign($0) })
        let owner = try await alice.createIdentityWithSigner(
            credential: .basic(identity: Data("alice".utf8)), ciphersuite: suite, publicKey: try key.publicKey,
            signer: Signs { try answer()($0) })
        let group = try await alice.createGroup(identity: owner.id)
        let bobs = try await invite(try await open(folder, "bob"), "bob", to: group)
        let before = try await group.info()
        let wrong: [@Sendable (Data) throws -> Data] = [
            { _ in throw NoAnswer() }, { _ in Data([1, 2, 3]) }, { try other.sign($0) },
        ]
        for wrong in wrong {
            await #expect(throws: MlsMobile.MlsError.signerFailed) {
                try await alice.attachSigner(identity: owner.id, signer: Signs(wrong))
            }
            answer.change { $0 = wrong }
            await #expect(throws: MlsMobile.MlsError.signerFailed) { try await group.createMessage(Data("lost".utf8)) }
            #expect(try await group.info() == before)
            answer.change { $0 = { try key.sign($0) } }
            let message = try await group.createMessage(Data("hello".utf8))
            #expect(text(try await bobs.processMessage(message)) == "hello")
        }
    }

    /// The layer has no call that a signer could make on its own thread, so this goes around it.
    @Test func S92_a_signer_that_calls_the_library_gets_reentrant() async throws {
        let (folder, key) = (try Folder(), try SigningKey())
        let (caught, native) = (Shared<[MlsMobileFFI.MlsError]>([]), Shared<MlsMobileFFI.MlsClient?>(nil))
        let signer = Signs { bytes in
            do { _ = try native()?.groups() } catch let error as MlsMobileFFI.MlsError {
                caught.change { $0.append(error) }
            }
            return try key.sign(bytes)
        }
        let alice = try MlsMobileFFI.MlsClient.open(config: config(folder, "alice"))
        native.change { $0 = alice }
        _ = try alice.createIdentityWithSigner(
            credential: .basic(identity: Data()), ciphersuite: suite, publicKey: try key.publicKey, signer: signer)
        native.change { $0 = nil }
        #expect(caught() == [.Reentrant])
    }

    @Test func S93_a_credential_is_replaced_for_the_same_key() async throws {
        let pair = try await Pair()
        let owner = try #require(try await pair.alice.identities().first)
        let renewed = Credential.basic(identity: Data("alice in wonderland".utf8))
        let replaced = try await pair.alice.replaceCredential(identity: owner.id, credential: renewed)
        #expect(replaced.id == owner.id && replaced.credential == renewed)
        #expect(try await pair.alice.identities() == [replaced])
        let commit = try await pair.alices.selfUpdate(newIdentity: owner.id).commit
        guard case .commit(_, let summary, .merged, _, _) = try await pair.bobs.processMessage(commit)
        else { Issue.record("not merged"); return }
        let updated = try #require(summary.updated.first)
        #expect(updated.before.credential == owner.credential && updated.after.credential == renewed)
        #expect(updated.before.signatureKey == updated.after.signatureKey)
        _ = try await pair.alices.mergePendingCommit()
        try await agree(pair.alices, pair.bobs)
    }

    private func withSigner(_ client: MlsMobile.MlsClient, _ key: SigningKey) async throws -> Identity {
        try await client.createIdentityWithSigner(
            credential: .basic(identity: Data("alice".utf8)), ciphersuite: suite, publicKey: try key.publicKey,
            signer: Signs(key))
    }
}
