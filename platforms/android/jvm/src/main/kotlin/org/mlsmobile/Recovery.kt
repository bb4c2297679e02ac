package org.mlsmobile

/**
 * Makes an archive from which [MlsClient.recover] makes a new database when this phone is lost: identities with their
 * private keys, registered pre-shared keys, and of each group its id, epoch, identity, leaf index and configuration. No
 * ratchet or epoch secret, no key package, no message and nothing that is pending is in it, so that it may be kept in a
 * file or any cloud, and restored any number of times. A copy of the whole state is not offered: it would use keys twice.
 *
 * `recoveryKey` is 32 random bytes, for this purpose only. A passphrase is not a key: make one at random, show it to the
 * user as words or groups of digits to be written down, or keep it where the user's other devices find it, but not
 * beside the archive: who has both can join as this device. The archive's size is 16 KiB or a larger power of two, and
 * 78 bytes; it says little about the number of groups.
 * Export again when a group was joined, left or deleted, an identity was made or changed in a group, or a pre-shared key
 * or a configuration changed: [recoveryRevision] tells. Epochs that pass need no new archive.
 *
 * Stored and sent: nothing. Errors: `InvalidArgument` (not 32 bytes), `RecoveryArchiveInvalid` (`TooLarge`: over 64 MiB),
 * those of storage.
 */
public suspend fun MlsClient.exportRecoveryArchive(recoveryKey: ByteArray): ByteArray =
    read { it.exportRecoveryArchive(recoveryKey) }

/**
 * A number that is another one when an archive made now would have other content, epochs apart. Ask for it right before
 * [exportRecoveryArchive], keep it with the archive, and compare after groups or identities have changed: if it differs,
 * export again. It costs a few times as much as [groups], and says nothing about the content. A new version of the
 * library may give another number for the same content.
 *
 * Nothing is stored. Errors: those of storage.
 */
public suspend fun MlsClient.recoveryRevision(): ULong = read { it.recoveryRevision() }

/**
 * The groups of the archive that this database was recovered from and that wait to be rejoined, in the order in which
 * the lost device had them. [group] and messages for them answer `GroupNotRejoined`. Get the GroupInfo of each and call
 * [joinByExternalCommit] with its `identity`, or have a member invite this device: a Welcome for the group settles it
 * too. The group gets back its configuration, except what is chosen when a group is joined.
 *
 * A group leaves this list when it is joined ([confirmExternalJoin] or the Commit's echo, [joinFromWelcome]) or forgotten.
 * Archives that are made here name it until then. Nothing is stored. Errors: those of storage.
 */
public suspend fun MlsClient.groupsToRejoin(): List<GroupToRejoin> = read { it.groupsToRejoin() }

/**
 * Gives up a group that waits to be rejoined, with an external join that waits for it. The others are not told: the lost
 * device's leaf stays until a member removes it. For any other group nothing happens, so that it can be called again
 * after a crash.
 *
 * Stored: that the group is gone. Errors: those of storage.
 */
public suspend fun MlsClient.forgetGroupToRejoin(groupId: GroupId): Unit = write { it.forgetGroupToRejoin(groupId) }
