import Foundation
import MlsMobile
import Testing

@Suite struct LifecycleTests {
    @Test func S01_what_a_call_returned_is_there_after_closing_and_opening() async throws {
        let folder = try Folder()
        let first = try await open(folder, "alice")
        let owner = try await identity(first, "alice")
        let group = try await first.createGroup(identity: owner)
        _ = try await group.selfUpdate()
        _ = try await group.mergePendingCommit()
        await first.close()

        let second = try await open(folder, "alice")
        #expect(try await second.identities().map(\.id) == [owner])
        #expect(try await second.groups().map(\.groupId) == [group.id])
        #expect(try await second.group(group.id).info().epoch == 1)
    }

    @Test func S02_after_close_every_call_throws_closed_and_the_file_is_free() async throws {
        let pair = try await Pair()
        await pair.bob.close()
        let calls = clientCalls(pair.bob, pair.bobs.id) + groupCalls(pair.bobs)
        for (name, call) in calls {
            await #expect(throws: MlsError.closed, "\(name)") { try await call() }
        }
        await pair.bob.close()
        #expect(try pair.folder.held().filter { $0.contains("bob") } == [])
        let again = try await open(pair.folder, "bob")
        #expect(try await again.group(pair.bobs.id).info().epoch == 1)
    }

    @Test func S03_close_waits_for_the_batch_that_runs() async throws {
        let held = Held()
        let pair = try await Pair(bob: held.judge)
        let commits = try await pair.commits(1)
        async let batch = pair.bob.processMessages(incoming(commits))
        await held.untilInside()
        let closed = Shared(false)
        let closing = Task {
            await pair.bob.close()
            closed.change { $0 = true }
        }
        try await Task.sleep(for: .milliseconds(100))
        #expect(!closed())
        held.letGo()
        #expect(try await batch.outcomes.count == 1)
        await closing.value
        await #expect(throws: MlsError.closed) { try await pair.bob.groups() }
    }

    @Test func S04_a_suspended_client_answers_suspended_until_it_is_resumed() async throws {
        let pair = try await Pair()
        for _ in 0..<2 { try await pair.bob.suspend(deadline: .seconds(1)) }
        #expect(try pair.folder.held().filter { $0.contains("bob") } == [])
        await #expect(throws: MlsError.suspended) { try await pair.bob.groups() }
        await #expect(throws: MlsError.suspended) { try await pair.bobs.createMessage(Data()) }
        for _ in 0..<2 { try await pair.bob.resume() }
        #expect(try await pair.bob.groups().count == 1)
    }

    @Test func S05_suspend_ends_a_batch_and_nothing_is_lost_or_doubled() async throws {
        let pair = try await Pair(bob: .slow(30))
        var messages: [Data] = []
        for index in 0..<40 {
            messages += try await pair.commits(1)
            messages += try await pair.messages(["\(index)"])
        }
        let all = incoming(messages)
        let batch = Task { try await pair.bob.processMessages(all) }
        try await Task.sleep(for: .milliseconds(100))
        let others = (0..<4).map { _ in
            Task { [bob = pair.bob] in _ = try await bob.groups() }
        }
        // The whole batch takes 1200 ms at least, so it is in the middle.
        try await pair.bob.suspend(deadline: .milliseconds(100))
        for other in others {
            if case .failure(let error) = await other.result {
                #expect(error as? MlsError == .suspended)
            }
        }
        let stopped: Int
        switch await batch.result {
        case .success(let batch):
            #expect(batch.error == .suspended)
            stopped = try #require(batch.stoppedAt)
        case .failure(let error):
            #expect(error as? MlsError == .suspended)
            stopped = 0
        }
        try await pair.bob.resume()
        let rest = try await pair.bob.processMessages(Array(all[stopped...]))
        #expect(rest.stoppedAt == nil)
        #expect(texts(try await pair.bob.inbox(limit: 1000)) == (0..<40).map(String.init))
    }

    @Test func S06_both_keys_open_until_the_new_one_is_confirmed() async throws {
        let folder = try Folder()
        let new = Data(repeating: 7, count: 32)
        let client = try await open(folder, "alice")
        try await client.rekey(newKey: new)
        for either in [key, new] {
            try await MlsClient.open(config: config(folder, "alice", key: either)).close()
        }
        let confirming = try await MlsClient.open(config: config(folder, "alice", key: new))
        try await confirming.confirmRekey()
        await client.close()
        await confirming.close()
        await #expect(throws: MlsError.wrongDatabaseKey) { try await open(folder, "alice") }
        try await MlsClient.open(config: config(folder, "alice", key: new)).close()
    }

    @Test func S07_a_database_moves_and_the_old_client_answers_transferred() async throws {
        let pair = try await Pair()
        let (file, transferKey) = (pair.folder["moved"], Data(repeating: 9, count: 32))
        try await pair.bob.exportForTransfer(to: file, transferKey: transferKey)
        await #expect(throws: MlsError.transferred) { try await pair.bobs.createMessage(Data()) }
        let there = config(pair.folder, "new", key: Data(repeating: 8, count: 32))
        let moved = try await MlsClient.importTransfer(from: file, transferKey: transferKey, config: there)
        #expect(!FileManager.default.fileExists(atPath: file.path))
        try await agree(pair.alices, try await moved.group(pair.bobs.id))
    }

    @Test func S08_wipe_removes_the_files() async throws {
        let pair = try await Pair()
        try await pair.bob.wipe()
        let left = try FileManager.default.contentsOfDirectory(atPath: pair.folder.url.path)
        #expect(left.filter { $0.hasPrefix("bob") } == [])
        await #expect(throws: MlsError.wiped) { try await pair.bob.groups() }
        await #expect(throws: MlsError.wiped) { try await pair.bobs.info() }
    }
}
