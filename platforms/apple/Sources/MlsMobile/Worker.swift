import Foundation
import MlsMobileFFI

/// Runs jobs one after the other on threads of its own. Native calls block, some for seconds, which the threads that
/// Swift's tasks share must never do.
final class QueueExecutor: SerialExecutor {
    private let queue: DispatchQueue

    init(_ name: String) {
        queue = DispatchQueue(label: "mls-mobile." + name, autoreleaseFrequency: .workItem)
    }

    func enqueue(_ job: UnownedJob) {
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }

    func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }
}

/// One of a client's queues. It owns the native objects that its calls use, so that closing needs no lock: what was
/// asked for before is done, then they are let go.
actor Worker {
    private let executor: QueueExecutor
    private var client: MlsMobileFFI.MlsClient?
    /// They hold no state, so one serves all handles of a group.
    private var groups: [GroupId: MlsMobileFFI.MlsGroup] = [:]

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }

    init(_ name: String, _ client: MlsMobileFFI.MlsClient? = nil) {
        executor = QueueExecutor(name)
        self.client = client
    }

    func open(
        _ make: @Sendable () throws -> MlsMobileFFI.MlsClient
    ) throws -> MlsMobileFFI.MlsClient {
        let made = try native(make)
        client = made
        return made
    }

    func run<Answer: Sendable>(
        _ call: @Sendable (MlsMobileFFI.MlsClient) throws -> Answer
    ) throws -> Answer {
        guard let client else { throw MlsError.closed }
        return try native { try call(client) }
    }

    func run<Answer: Sendable>(
        in id: GroupId, _ call: @Sendable (MlsMobileFFI.MlsGroup) throws -> Answer
    ) throws -> Answer {
        guard let client else { throw MlsError.closed }
        return try native {
            let group = try groups[id] ?? client.group(groupId: id)
            groups[id] = group
            return try call(group)
        }
    }

    func close() {
        client = nil
        groups = [:]
    }

    /// Once native code runs, it completes: only a call that has not begun can be cancelled.
    private func native<Answer>(_ call: () throws -> Answer) throws -> Answer {
        try Task.checkCancellation()
        return try converted(call)
    }
}
