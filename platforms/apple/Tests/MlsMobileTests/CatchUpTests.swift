import Foundation
import MlsMobile
import Testing

@Suite struct CatchUpTests {
    @Test func S30_a_batch_of_two_groups_comes_in_order_with_its_cursor() async throws {
        let pair = try await Pair()
        let owner = try #require(try await pair.alice.identities().first).id
        let second = try await pair.alice.createGroup(identity: owner)
        _ = try await invite(pair.bob, "bob too", to: second)
        var messages: [Data] = []
        for index in 0..<100 {
            let group = index % 2 == 0 ? pair.alices : second
            messages.append(try await group.createMessage(Data("\(index)".utf8)))
        }
        let batch = try await pair.bob.processMessages(incoming(messages))
        #expect(batch.stoppedAt == nil)
        let read = batch.outcomes.map { outcome -> String? in
            guard case .processed(let group, let message) = outcome else { return nil }
            return (text(message) ?? "") + (group == second.id ? " second" : " first")
        }
        let sent: [String?] = (0..<100).map { index in index % 2 == 0 ? "\(index) first" : "\(index) second" }
        #expect(read == sent)
        #expect(try await pair.bob.cursor() == Data("100".utf8))
    }

    @Test func S31_what_a_batch_refuses_carries_its_error_and_stops_nothing() async throws {
        let pair = try await Pair()
        let owner = try #require(try await pair.alice.identities().first).id
        let unknown = try await pair.alice.createGroup(identity: owner)
        var damaged = try await pair.alices.createMessage(Data("damaged".utf8))
        damaged[damaged.count - 1] ^= 1
        let good = try await pair.messages(["one", "two"])
        let batch = try await pair.bob.processMessages(
            incoming([
                good[0], damaged, try await unknown.createMessage(Data()), Data("nothing".utf8), good[1],
            ]))
        #expect(batch.stoppedAt == nil && batch.error == nil)
        let refused: [BatchOutcome] = [
            .failed(groupId: pair.bobs.id, error: .messageInvalid(reason: .decryptionFailed)),
            .failed(groupId: unknown.id, error: .groupNotFound),
            .failed(groupId: nil, error: .messageMalformed),
        ]
        #expect(Array(batch.outcomes[1...3]) == refused)
        #expect(texts(try await pair.bob.inbox(limit: 10)) == ["one", "two"])
    }

    @Test func S32_a_batch_goes_on_where_its_budget_stopped_it() async throws {
        let pair = try await Pair(bob: .slow(20))
        let commits = incoming(try await pair.commits(12))
        let options = ProcessOptions(budget: .milliseconds(50))
        var (next, batches) = (0, 0)
        while next < commits.count {
            let batch = try await pair.bob.processMessages(Array(commits[next...]), options: options)
            #expect(batch.error == nil)
            #expect(batch.outcomes.count == batch.stoppedAt ?? commits.count - next)
            for outcome in batch.outcomes {
                guard case .processed(_, .commit) = outcome else { Issue.record("\(outcome)"); return }
            }
            next += batch.outcomes.count
            batches += 1
            #expect(try await pair.bob.cursor() == Data("\(next)".utf8))
            try #require(batches <= 100)
        }
        #expect(batches > 1)
        try await agree(pair.alices, pair.bobs)
    }

    @Test func S33_a_read_answers_while_a_batch_runs() async throws {
        let pair = try await Pair(bob: .slow(50))
        let commits = incoming(try await pair.commits(60))
        let ended = Shared(false)
        let batch = Task {
            let batch = try await pair.bob.processMessages(commits)
            ended.change { $0 = true }
            return batch
        }
        // Begun, when it has asked the validator.
        while (pair.judge?.asked().count ?? 2) < 2 { try await Task.sleep(for: .milliseconds(5)) }
        _ = try await pair.bobs.info()
        #expect(!ended())
        #expect(try await batch.value.outcomes.count == 60)
    }
}
