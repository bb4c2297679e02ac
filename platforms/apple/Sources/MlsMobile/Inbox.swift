import MlsMobileFFI

/// What is in the inbox, whenever it changes: see ``MlsClient/inboxUpdates(limit:)``.
public struct InboxUpdates: AsyncSequence, Sendable {
    /// The oldest entries that were not acknowledged, oldest first.
    public typealias Element = [InboxEntry]

    let core: Core
    let limit: UInt32

    /// Begins with the present list.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(core: core, limit: limit)
    }

    /// Waits for the next change.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private let core: Core
        private let limit: UInt32
        private var signals: AsyncStream<InboxChanges.Signal>.Iterator?
        private var last: (demands: Int, entries: [InboxEntry])?

        init(core: Core, limit: UInt32) {
            self.core = core
            self.limit = limit
        }

        /// The list after the next change; `nil` when the client is closed or the task cancelled.
        public mutating func next() async throws -> [InboxEntry]? {
            var signals =
                if let signals { signals } else { await core.inboxChanges.listen().makeAsyncIterator() }
            defer { self.signals = signals }
            while let signal = await signals.next() {
                do {
                    let entries = try await core.read { [limit] in try $0.inbox(limit: limit) }
                    if let last, last.demands == signal.demands, last.entries == entries { continue }
                    last = (signal.demands, entries)
                    return entries
                } catch MlsError.suspended {
                    // `resume` signals again.
                } catch MlsError.closed {
                    return nil
                } catch is CancellationError {
                    return nil
                }
            }
            return nil
        }
    }
}

/// Tells those who watch the inbox when to look again.
actor InboxChanges {
    /// How often an answer was demanded even if nothing has changed.
    struct Signal: Sendable {
        let demands: Int
    }

    private var listeners: [Int: AsyncStream<Signal>.Continuation] = [:]
    private var next = 0
    private var demands = 0
    private var finished = false

    /// Signals, of which the newest counts; the first is there at once.
    func listen() -> AsyncStream<Signal> {
        let (stream, listener) = AsyncStream.makeStream(of: Signal.self, bufferingPolicy: .bufferingNewest(1))
        guard !finished else {
            listener.finish()
            return stream
        }
        let id = next
        next += 1
        listeners[id] = listener
        listener.onTermination = { [weak self] _ in Task { await self?.forget(id) } }
        listener.yield(Signal(demands: demands))
        return stream
    }

    func signal(demanded: Bool = false) {
        if demanded { demands += 1 }
        for listener in listeners.values { listener.yield(Signal(demands: demands)) }
    }

    func finish() {
        finished = true
        for listener in listeners.values { listener.finish() }
    }

    private func forget(_ id: Int) {
        listeners[id] = nil
    }
}
