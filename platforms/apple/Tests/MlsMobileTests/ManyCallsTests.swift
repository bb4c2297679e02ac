import Foundation
import MlsMobile
import Testing

@Suite struct ManyCallsTests {
    @Test func S60_ten_thousand_calls_leave_no_memory_behind() throws {
        let folder = try Folder()
        let (status, output) = try run("test-process", ["calls", folder.url.path])
        try #require(status == 0)
        print("S60:", output)
        let growth = try #require(output.firstMatch(of: /calls 10000 growth (-?\d+) KiB/)?.1)
        // A leak of 250 bytes a call would show; the allocator's own variation does not.
        #expect(try #require(Int(growth)) < 2000)
    }

    @Test func S61_eight_tasks_in_four_groups_get_every_message_once() async throws {
        let pair = try await Pair()
        let owner = try #require(try await pair.alice.identities().first).id
        var groups = [(pair.alices, pair.bobs)]
        for index in 1..<4 {
            let group = try await pair.alice.createGroup(identity: owner)
            groups.append((group, try await invite(pair.bob, "bob \(index)", to: group)))
        }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for task in 0..<8 {
                let (from, to) = groups[task % 4]
                tasks.addTask {
                    for index in 0..<25 {
                        let message = try await from.createMessage(Data("\(task) \(index)".utf8))
                        let outcome = try await to.processMessage(message)
                        #expect(text(outcome) == "\(task) \(index)")
                    }
                }
            }
            try await tasks.waitForAll()
        }
        let received = texts(try await pair.bob.inbox(limit: 1000))
        #expect(received.count == 200 && Set(received).count == 200)
    }

    @Test func S62_a_call_that_is_cancelled_before_it_starts_did_nothing() async throws {
        let held = Held()
        let pair = try await Pair(bob: held.judge)
        let commits = try await pair.commits(1)
        async let batch = pair.bob.processMessages(incoming(commits))
        await held.untilInside()
        let waiting = Task { try await pair.bobs.selfUpdate() }
        try await Task.sleep(for: .milliseconds(50))
        waiting.cancel()
        held.letGo()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        _ = try await batch
        #expect(try await pair.bobs.pendingCommit() == nil)

        let late = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await pair.bobs.selfUpdate()
        }
        late.cancel()
        await #expect(throws: CancellationError.self) { try await late.value }
        #expect(try await pair.bobs.pendingCommit() == nil)
    }

    @Test func S63_a_call_that_is_cancelled_while_it_runs_completes() async throws {
        let held = Held()
        let pair = try await Pair(bob: held.judge)
        let commit = try #require(try await pair.commits(1).first)
        let running = Task { try await pair.bobs.processMessage(commit) }
        await held.untilInside()
        running.cancel()
        held.letGo()
        guard case .commit(_, _, .merged, _, _) = try await running.value
        else { Issue.record("not merged"); return }
        #expect(try await pair.bobs.info().epoch == 2)
    }

    @Test func S64_a_batch_that_is_cancelled_ends_by_its_budget() async throws {
        let pair = try await Pair(bob: .slow(50))
        let commits = incoming(try await pair.commits(60))
        let running = Task {
            try await pair.bob.processMessages(commits, options: ProcessOptions(budget: .seconds(1)))
        }
        while (pair.judge?.asked().count ?? 2) < 2 { try await Task.sleep(for: .milliseconds(5)) }
        running.cancel()
        let batch = try await running.value
        #expect(batch.error == nil)
        #expect(batch.stoppedAt == batch.outcomes.count)
        #expect(batch.outcomes.count > 1)
        #expect(try await pair.bob.group(pair.bobs.id).info().epoch == UInt64(1 + batch.outcomes.count))
    }

    @Test func S65_ids_are_keys_and_read_as_hex() async throws {
        let pair = try await Pair()
        #expect([pair.alices.id: "ours"][pair.bobs.id] == "ours")
        let bytes = Data([0, 0x0a, 0xff])
        #expect(Set([KeyPackageRef(bytes), KeyPackageRef(bytes)]).count == 1)
        #expect(Set([ProposalRef(bytes), ProposalRef(bytes + [1])]).count == 2)
        #expect("\(GroupId(bytes)) \(IdentityId(bytes))" == "000aff 000aff")
        #expect("\(KeyPackageRef(bytes)) \(ProposalRef(bytes))" == "000aff 000aff")
    }

    @Test func calls_that_wait_do_not_hold_the_threads_of_other_tasks() async throws {
        let holders = (0..<8).map { _ in Held() }
        var batches: [Task<Void, any Error>] = []
        for held in holders {
            let pair = try await Pair(bob: held.judge)
            let commits = incoming(try await pair.commits(1))
            batches.append(Task { _ = try await pair.bob.processMessages(commits) })
            await held.untilInside()
        }
        // More of them than Swift has threads: with the shared ones this would wait for ever.
        let answer = await Task.detached { await Task { 1 }.value }.value
        #expect(answer == 1)
        for held in holders { held.letGo() }
        for batch in batches { try await batch.value }
    }
}
