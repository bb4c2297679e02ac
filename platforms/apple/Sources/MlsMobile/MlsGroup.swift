import MlsMobileFFI

/// A group of a client. It holds no state: handles can be made and dropped freely, and used from any task.
public final class MlsGroup: Sendable {
    /// The group's id.
    public let id: GroupId

    private let core: Core

    init(_ core: Core, _ id: GroupId) {
        self.core = core
        self.id = id
    }

    func read<Answer: Sendable>(
        _ call: @Sendable (MlsMobileFFI.MlsGroup) throws -> Answer
    ) async throws -> Answer {
        try await core.read(in: id, call)
    }

    func write<Answer: Sendable>(
        _ call: @Sendable (MlsMobileFFI.MlsGroup) throws -> Answer
    ) async throws -> Answer {
        try await core.write(in: id, call)
    }
}
