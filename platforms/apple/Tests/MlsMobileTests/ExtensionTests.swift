import Foundation
import MlsMobile
import Testing

@Suite struct ExtensionTests {
    @Test func S70_the_handler_returns_batch_and_inbox_and_holds_no_file() async throws {
        let pair = try await Pair()
        await pair.bob.close()
        let handler = NotificationHandler(config: config(pair.folder, "bob"), validator: Judge())
        let messages = incoming(try await pair.messages(["one", "two"]) + pair.commits(1))
        let result = try await handler.handle(messages, budget: .seconds(20))
        #expect(result.batch.outcomes.count == 3 && result.batch.stoppedAt == nil)
        #expect(texts(result.inbox) == ["one", "two"])
        #expect(try held(pair) == [])
        try await agree(pair.alices, try await open(pair.folder, "bob").group(pair.bobs.id))

        let wrong = NotificationHandler(config: config(pair.folder, "bob", key: Data(repeating: 1, count: 32)))
        await #expect(throws: MlsError.wrongDatabaseKey) { try await wrong.handle(messages, budget: .zero) }
        let cancelled = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await handler.handle(messages, budget: .seconds(20))
        }
        cancelled.cancel()
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        // The client that looked at the group above is gone with its last handle.
        try await until { (try? held(pair)) == [] }
    }

    @Test func S71_an_extension_in_a_second_process_works_beside_the_app() async throws {
        let pair = try await Pair()
        let words = (0..<50).map(String.init)
        for (index, message) in try await pair.messages(words).enumerated() {
            try message.write(to: pair.folder["\(index)"])
        }
        var lists = pair.bob.inboxUpdates().makeAsyncIterator()
        #expect(try await lists.next() == [])
        let folder = pair.folder.url.path
        let (status, output) = try await Task.detached { try run("test-process", ["notify", folder]) }.value
        #expect(status == 0)
        #expect(output.hasPrefix("handled 50 inbox 50 "))
        print("S71:", output)
        await pair.bob.refresh()
        #expect(texts(try #require(try await lists.next())) == words)
        let answer = try await pair.bobs.createMessage(Data("answer".utf8))
        #expect(text(try await pair.alices.processMessage(answer)) == "answer")
    }

    /// `check-apple.sh` compiles them.
    @Test(arguments: [
        "NotificationService.swift", "AppLifecycle.swift", "Phone.swift", "Start.swift", "Validator.swift",
    ])
    func S72_each_adapter_is_short(file: String) throws {
        let path = repository.appending(path: "platforms/apple/Samples/" + file)
        let lines = try String(contentsOf: path, encoding: .utf8).split(
            separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count <= 31)
    }

    private func held(_ pair: Pair) throws -> [String] {
        try pair.folder.held().filter { $0.contains("bob") }
    }
}
