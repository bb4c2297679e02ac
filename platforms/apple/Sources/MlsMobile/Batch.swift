import MlsMobileFFI

/// What became of a batch.
public struct Batch: Hashable, Sendable {
    /// One for each message that was handled, in order.
    public let outcomes: [BatchOutcome]
    /// The index of the first message that was not handled; absent if all were.
    public let stoppedAt: Int?
    /// Why it stopped there; absent if the budget was spent.
    public let error: MlsError?

    init(_ batch: MlsMobileFFI.Batch) {
        outcomes = batch.outcomes.map(BatchOutcome.init)
        stoppedAt = batch.stoppedAt.map(Int.init)
        error = batch.error.map(MlsError.init(generated:))
    }
}

/// What became of one message of a batch.
public enum BatchOutcome: Hashable, Sendable {
    /// As ``MlsGroup/processMessage(_:)`` returns it.
    case processed(groupId: GroupId, outcome: ProcessedMessage)
    /// As ``MlsGroup/processMessage(_:)`` refuses it; it changed nothing. The group, if the bytes tell.
    case failed(groupId: GroupId?, error: MlsError)

    init(_ outcome: MlsMobileFFI.BatchOutcome) {
        switch outcome {
        case .processed(let groupId, let outcome): self = .processed(groupId: groupId, outcome: outcome)
        case .failed(let groupId, let error):
            self = .failed(groupId: groupId, error: MlsError(generated: error))
        }
    }
}
