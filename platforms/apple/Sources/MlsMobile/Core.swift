import MlsMobileFFI

/// What a client and its groups share. Reads have a queue of their own, so that they do not wait behind a batch, and
/// `suspend` has one, so that it waits for nothing but its deadline.
final class Core: Sendable {
    private let writer: Worker
    private let reader: Worker
    private let control: Worker
    let inboxChanges = InboxChanges()

    /// Opens a client on the queue that its calls will run on.
    static func open(_ make: @Sendable () throws -> MlsMobileFFI.MlsClient) async throws -> Core {
        try Task.checkCancellation()
        let writer = Worker("writes")
        return try await Core(writer, writer.open(make))
    }

    private init(_ writer: Worker, _ client: MlsMobileFFI.MlsClient) {
        self.writer = writer
        reader = Worker("reads", client)
        control = Worker("control", client)
    }

    func read<Answer: Sendable>(
        _ call: @Sendable (MlsMobileFFI.MlsClient) throws -> Answer
    ) async throws -> Answer {
        try Task.checkCancellation()
        return try await reader.run(call)
    }

    func write<Answer: Sendable>(
        _ call: @Sendable (MlsMobileFFI.MlsClient) throws -> Answer
    ) async throws -> Answer {
        try Task.checkCancellation()
        let answer = try await writer.run(call)
        await inboxChanges.signal()
        return answer
    }

    func control<Answer: Sendable>(
        _ call: @Sendable (MlsMobileFFI.MlsClient) throws -> Answer
    ) async throws -> Answer {
        try Task.checkCancellation()
        return try await control.run(call)
    }

    func read<Answer: Sendable>(
        in group: GroupId, _ call: @Sendable (MlsMobileFFI.MlsGroup) throws -> Answer
    ) async throws -> Answer {
        try Task.checkCancellation()
        return try await reader.run(in: group, call)
    }

    func write<Answer: Sendable>(
        in group: GroupId, _ call: @Sendable (MlsMobileFFI.MlsGroup) throws -> Answer
    ) async throws -> Answer {
        try Task.checkCancellation()
        let answer = try await writer.run(in: group, call)
        await inboxChanges.signal()
        return answer
    }

    func close() async {
        await writer.close()
        await reader.close()
        await control.close()
        await inboxChanges.finish()
    }
}
