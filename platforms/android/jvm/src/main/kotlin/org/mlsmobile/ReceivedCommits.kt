package org.mlsmobile

/**
 * Merges the received Commit that waits (`CommitState.Staged`), because the app accepts what it changes;
 * `info().staged_commit` tells it. The group enters the next epoch.
 *
 * Stored: the new epoch, and the outcomes of early messages that it makes readable. An own Commit that waits is
 * cleared; `superseded` then says what it would have done.
 * Errors: `NoStagedCommit`, `GroupInactive`, `GroupNotFound`.
 * After a crash: it still waits, or it is merged.
 */
public suspend fun MlsGroup.mergeStagedCommit(): Merged = write { it.mergeStagedCommit() }

/**
 * Drops the received Commit that waits, for good: its keys are used up, so it can never be processed again, and the
 * other members go on without this device. Messages of the current and past epochs can still be read; everything else
 * answers `GroupDiverged`. Join the group again, or delete it.
 *
 * Stored: that the group went its own way. Own Commits that wait and early messages are dropped; the inbox names the
 * latter (`EarlyRefused`), and gives a message that waited for an own Commit back (`MessageNotCreated`).
 * Errors: `NoStagedCommit`, `GroupNotFound`.
 */
public suspend fun MlsGroup.discardStagedCommit(): Unit = write { it.discardStagedCommit() }

/**
 * Replays early messages that the group can read. Every merge does so by itself, and a join if there is an inbox; this
 * is for a Commit among them that the validator refused (`EarlyRefusal.Rejected`) or that lacked a pre-shared key,
 * once it would be accepted. One that is refused again stays and is not named again.
 *
 * Stored: what the messages change, and their outcomes in the inbox.
 * Errors: `GroupNotFound`.
 */
public suspend fun MlsGroup.releaseEarlyMessages(): List<ProcessedMessage> = write { it.releaseEarlyMessages() }

/**
 * Gives up all messages that came too early, for good: when `EarlyBufferFull` comes again and again, because somebody
 * sends forged ones, or because the Commit that they wait for is lost. Fetch what is missing afterwards, or join the
 * group again.
 *
 * Stored: that they are gone; each is named (`EarlyRefused`), here and in the inbox.
 */
public suspend fun MlsGroup.dropEarlyMessages(): List<ProcessedMessage> = write { it.dropEarlyMessages() }
