import Foundation
import MlsMobile
import MlsMobileFFI
import Testing

@Suite struct ValidatorTests {
    private struct NoOpinion: Error {}

    @Test func S20_without_a_validator_a_commit_waits_across_a_restart() async throws {
        let pair = try await Pair(bob: nil)
        let commit = try #require(try await pair.commits(1).first)
        guard case .commit(_, let summary, .staged, _, _) = try await pair.bobs.processMessage(commit)
        else { Issue.record("not staged"); return }
        #expect(summary.updated.map(\.after.leafIndex) == [0])
        await pair.bob.close()
        let bobs = try await open(pair.folder, "bob", nil).group(pair.bobs.id)
        #expect(try await bobs.info().stagedCommit == summary)
        #expect(try await bobs.mergeStagedCommit().summary == summary)
        try await agree(pair.alices, bobs)
    }

    @Test func S21_who_discards_a_commit_has_diverged() async throws {
        let pair = try await Pair(bob: nil)
        _ = try await pair.bobs.processMessage(try #require(try await pair.commits(1).first))
        try await pair.bobs.discardStagedCommit()
        await #expect(throws: MlsError.groupDiverged(rejectedEpoch: 2)) {
            try await pair.bobs.createMessage(Data())
        }
        #expect(try await pair.bobs.info().rejectedEpoch == 2)
    }

    @Test func S22_a_validator_refuses_and_nothing_changes_until_it_accepts() async throws {
        let accepts = Shared(true)
        let judge = Judge { _ in accepts() }
        let pair = try await Pair(bob: judge)
        let commit = try #require(try await pair.commits(1).first)
        let before = try await pair.bobs.info()
        accepts.change { $0 = false }
        await #expect(throws: MlsError.credentialRejected) { try await pair.bobs.processMessage(commit) }
        #expect(try await pair.bobs.info() == before)
        accepts.change { $0 = true }
        _ = try await pair.bobs.processMessage(commit)
        try await agree(pair.alices, pair.bobs)

        let proposal = try await pair.alices.proposeSelfUpdate().proposal
        _ = try await pair.bobs.processMessage(proposal)
        _ = try await pair.bobs.commitToPendingProposals()
        let carol = try await open(pair.folder, "carol")
        try await pair.bobs.clearPendingCommit()
        _ = try await pair.bobs.addMembers([try await keyPackage(carol, "carol")])
        let kinds = judge.asked().map { String("\($0)".prefix { $0 != "(" }) }
        #expect(kinds == ["welcome", "commit", "commit", "proposal", "keyPackage"])
    }

    @Test func S23_a_validator_that_throws_refuses() async throws {
        let pair = try await Pair(
            bob: Judge { request in
                if case .commit = request { throw NoOpinion() }
                return true
            })
        let commit = try #require(try await pair.commits(1).first)
        await #expect(throws: MlsError.credentialRejected) { try await pair.bobs.processMessage(commit) }
        #expect(try await pair.bobs.info().epoch == 1)
        let message = try await pair.bobs.createMessage(Data("still here".utf8))
        #expect(text(try await pair.alices.processMessage(message)) == "still here")
    }

    /// The layer has no call that a validator could make on its own thread, so this goes around it.
    @Test func S24_a_validator_that_calls_the_library_gets_reentrant() async throws {
        let pair = try await Pair()
        let (caught, native) = (Shared<[MlsMobileFFI.MlsError]>([]), Shared<MlsMobileFFI.MlsClient?>(nil))
        let judge = Judge { _ in
            do { _ = try native()?.groups() } catch let error as MlsMobileFFI.MlsError {
                caught.change { $0.append(error) }
            }
            return true
        }
        let carol = try MlsMobileFFI.MlsClient.open(config: config(pair.folder, "carol"), validator: judge)
        native.change { $0 = carol }
        let owner = try carol.createIdentity(credential: .basic(identity: Data()), ciphersuite: suite).id
        let package = try #require(try carol.createKeyPackages(identity: owner, count: 1).first)
        let welcome = try #require(try await pair.alices.addMembers([package.bytes]).welcome)
        _ = try carol.joinFromWelcome(welcome: welcome)
        #expect(caught() == [.Reentrant])
    }

    @Test func S24_a_validator_may_start_a_task_that_calls_the_library() async throws {
        let (client, answer) = (Shared<MlsMobile.MlsClient?>(nil), Shared<Task<Int, any Error>?>(nil))
        let judge = Judge { request in
            if case .commit = request {
                answer.change { $0 = Task { try await client()?.groups().count ?? 0 } }
            }
            return true
        }
        let pair = try await Pair(bob: judge)
        client.change { $0 = pair.bob }
        _ = try await pair.bobs.processMessage(try #require(try await pair.commits(1).first))
        #expect(try await answer()?.value == 1)
        client.change { $0 = nil }
    }

    /// The layer has no call that a validator could make on its own thread, so this goes around it.
    @Test func S26_the_validator_behind_the_certificates_gets_reentrant() async throws {
        let (caught, native) = (Shared<[MlsMobileFFI.MlsError]>([]), Shared<MlsMobileFFI.MlsClient?>(nil))
        let next = Judge { _ in
            do { _ = try native()?.groups() } catch let error as MlsMobileFFI.MlsError {
                caught.change { $0.append(error) }
            }
            return true
        }
        let folder = try Folder()
        let package = try await keyPackage(try await open(folder, "bob"), "bob")
        let validator = try lenient(next)
        let alice = try MlsMobileFFI.MlsClient.open(config: config(folder, "alice"), validator: validator)
        let owner = try alice.createIdentity(credential: .basic(identity: Data()), ciphersuite: suite).id
        let group = try alice.createGroup(identity: owner, config: nil)
        native.change { $0 = alice }
        _ = try group.addMembers(keyPackages: [package])
        native.change { $0 = nil }
        #expect(caught() == [.Reentrant])
    }

    @Test func S25_a_log_sink_gets_names_and_numbers_and_disturbs_nothing() async throws {
        final class Sink: LogSink {
            let lines = Shared<[String]>([])
            func log(level: LogLevel, event: String, fields: [LogField]) throws {
                lines.change { $0.append("\(level) \(event) \(fields.map { "\($0.name)=\($0.value)" })") }
                throw NoOpinion()
            }
        }
        let (folder, sink) = (try Folder(), Sink())
        let client = try await MlsClient.open(config: config(folder, "alice"), logSink: sink)
        await #expect(throws: MlsError.groupNotFound) { try await client.group(GroupId(Data("secret".utf8))) }
        #expect(sink.lines() == ["info opened []", "error group [\"code=100\"]"])
    }
}
