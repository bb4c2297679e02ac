package org.mlsmobile

/** What became of a batch. */
public data class Batch(
    /** One for each message that was handled, in order. */
    public val outcomes: List<BatchOutcome>,
    /** The index of the first message that was not handled; absent if all were. */
    public val stoppedAt: UInt?,
    /** Why it stopped there; absent if the budget was spent. */
    public val error: MlsException?,
)

/** What became of one message of a batch. */
public sealed interface BatchOutcome {
    /** As [processMessage] returns it. */
    public data class Processed(
        /** The group. */
        public val groupId: GroupId,
        /** What became of it. */
        public val outcome: ProcessedMessage,
    ) : BatchOutcome

    /** As [processMessage] refuses it; it changed nothing. */
    public data class Failed(
        /** The group, if the bytes tell. */
        public val groupId: GroupId?,
        /** Why. */
        public val error: MlsException,
    ) : BatchOutcome
}

internal fun FfiBatch.typed(): Batch = Batch(outcomes.map { it.typed() }, stoppedAt, error?.typed())

private fun FfiBatchOutcome.typed(): BatchOutcome =
    when (this) {
        is FfiBatchOutcome.Processed -> BatchOutcome.Processed(groupId, outcome)
        is FfiBatchOutcome.Failed -> BatchOutcome.Failed(groupId, error.typed())
    }
