package org.mlsmobile

/**
 * A group of a client. It holds no state: handles can be made and dropped freely, used from any coroutine, and need not
 * be closed. After [MlsClient.close] its calls throw [MlsException.Closed].
 */
public class MlsGroup internal constructor(
    private val session: Session,
    /** The group's id. */
    public val id: GroupId,
) {
    internal suspend fun <T> read(block: (FfiGroup) -> T): T = session.read { block(session.group(id)) }

    internal suspend fun <T> write(block: (FfiGroup) -> T): T = session.write { block(session.group(id)) }
}

/** The group at this moment. Errors: `GroupNotFound` after it was deleted. */
public suspend fun MlsGroup.info(): GroupState = read { it.info() }

/** The members in leaf order. After this device was removed: as they were before that. */
public suspend fun MlsGroup.members(): List<Member> = read { it.members() }

/**
 * The servers that may propose to the group from outside (RFC 9420, section 12.1.8.1), in the order of their index,
 * which is what `Sender.External` names. [updateGroupContextExtensions] changes them. Errors: `GroupNotFound`.
 */
public suspend fun MlsGroup.externalSenders(): List<ExternalSender> = read { it.externalSenders() }

/**
 * Changes how the group behaves on this device. Nothing is sent.
 *
 * Stored: the configuration; fewer past epochs, or a shorter lifetime, delete their keys at once.
 * Errors: `InvalidArgument` (a value out of its bounds; `OnlyAtCreation` for what must be left out here: `groupId`,
 * `leafNode`, `lifetimeSeconds`, `requiredCapabilities`, `extensions`, `externalSenders`), `GroupNotFound`.
 */
public suspend fun MlsGroup.configure(config: GroupConfig): Unit = write { it.configure(config) }

/**
 * Deletes everything of the group from this device. The others are not told: leave first, or have this device removed.
 * An external join that waits is dropped too. Inbox entries stay until they are acknowledged. Errors: `GroupNotFound`.
 */
public suspend fun MlsGroup.delete(): Unit = write { it.delete() }
