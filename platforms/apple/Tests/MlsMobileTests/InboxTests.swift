import Foundation
import MlsMobile
import Testing

@Suite struct InboxTests {
    @Test func S40_entries_stay_until_they_are_acknowledged() async throws {
        let pair = try await Pair()
        _ = try await pair.bob.processMessages(incoming(try await pair.messages(["one", "two", "three"])))
        await pair.bob.close()
        let again = try await open(pair.folder, "bob")
        let entries = try await again.inbox(limit: 10)
        #expect(texts(entries) == ["one", "two", "three"])
        try await again.acknowledge(entries.prefix(2).map(\.id))
        #expect(texts(try await again.inbox(limit: 10)) == ["three"])
        try await again.acknowledge(entries.map(\.id))
        #expect(try await again.inbox(limit: 10) == [])
    }

    @Test func S41_the_stream_gives_the_whole_list_at_first_and_after_each_change() async throws {
        let pair = try await Pair()
        let messages = try await pair.messages(["one", "two"])
        let seen = Shared<[[String]]>([])
        let watching = Task { [bob = pair.bob] in
            for try await entries in bob.inboxUpdates() { seen.change { $0.append(texts(entries)) } }
        }
        try await until { seen() == [[]] }
        _ = try await pair.bobs.processMessage(messages[0])
        try await until { seen() == [[], ["one"]] }
        // A call that changes nothing in the inbox is no news.
        _ = try await pair.bobs.createMessage(Data())
        try await Task.sleep(for: .milliseconds(200))
        #expect(seen() == [[], ["one"]])
        _ = try await pair.bob.processMessages(incoming([messages[1]]))
        try await until { seen() == [[], ["one"], ["one", "two"]] }
        let first = try #require(try await pair.bob.inbox(limit: 1).first)
        try await pair.bob.acknowledge([first.id])
        try await until { seen() == [[], ["one"], ["one", "two"], ["two"]] }
        watching.cancel()
        try await watching.value
    }

    @Test func S42_the_stream_rests_while_suspended_and_ends_with_the_client() async throws {
        let pair = try await Pair()
        let seen = Shared<[[String]]>([])
        let watching = Task { [bob = pair.bob] in
            for try await entries in bob.inboxUpdates() { seen.change { $0.append(texts(entries)) } }
        }
        try await until { seen() == [[]] }
        try await pair.bob.suspend(deadline: .seconds(1))
        await pair.bob.refresh()
        try await Task.sleep(for: .milliseconds(200))
        #expect(seen() == [[]])
        try await pair.bob.resume()
        try await until { seen() == [[], []] }
        await pair.bob.close()
        try await watching.value
        #expect(seen() == [[], []])
        for try await _ in pair.bob.inboxUpdates() { Issue.record("a list from a closed client") }
    }

    @Test func S43_what_another_process_brought_shows_after_refresh() async throws {
        let pair = try await Pair()
        let seen = Shared<[[String]]>([])
        let watching = Task { [bob = pair.bob] in
            for try await entries in bob.inboxUpdates() { seen.change { $0.append(texts(entries)) } }
        }
        try await until { seen() == [[]] }
        let other = try await open(pair.folder, "bob")
        _ = try await other.processMessages(incoming(try await pair.messages(["one"])))
        try await Task.sleep(for: .milliseconds(200))
        #expect(seen() == [[]])
        await pair.bob.refresh()
        try await until { seen() == [[], ["one"]] }
        watching.cancel()
        try await watching.value
    }

    @Test func a_watcher_that_goes_away_is_forgotten() async throws {
        let pair = try await Pair()
        for _ in 0..<3 {
            let watching = Task { [bob = pair.bob] in
                for try await _ in bob.inboxUpdates() {}
            }
            try await Task.sleep(for: .milliseconds(20))
            watching.cancel()
            try await watching.value
        }
        _ = try await pair.bobs.createMessage(Data())
    }
}

/// Waits for what other tasks bring about, 10 seconds at most.
func until(_ condition: () -> Bool) async throws {
    for _ in 0..<1000 where !condition() { try await Task.sleep(for: .milliseconds(10)) }
    #expect(condition())
}
