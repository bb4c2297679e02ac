package org.mlsmobile

import kotlin.time.Duration

/** Tells generation, state and sizes. Nothing is stored. Errors: those of storage. */
public suspend fun MlsClient.storageInfo(): StorageInfo = read { it.storageInfo() }

/**
 * Before the operating system suspends the app: lets no call in any more, waits up to [deadline] for the one that
 * runs, interrupts it then, erases what was deleted, and closes the file. Afterwards no handle and no lock is held,
 * and calls answer `Suspended`. From any thread; suspended already, nothing happens.
 *
 * A call that is interrupted answers `Suspended` and did nothing.
 * Errors: `Reentrant`, `Wiped`.
 */
public suspend fun MlsClient.suspend(deadline: Duration): Unit =
    session.lifecycle { it.suspend(deadline.milliseconds()) }

/**
 * Opens the file again after [suspend]. In use already, nothing happens.
 *
 * Errors: as [MlsClient.open]; the client stays suspended then.
 */
public suspend fun MlsClient.resume(): Unit = session.lifecycle { it.resume() }

/**
 * Makes `newKey` open the database too, without rewriting it. Save the new key in Keychain or Keystore, then call
 * [confirmRekey]: until then both keys open, so that a crash in between locks nobody out. Calling it again replaces a
 * new key that was not confirmed.
 *
 * Errors: `InvalidArgument` (not 32 bytes), those of storage.
 */
public suspend fun MlsClient.rekey(newKey: ByteArray): Unit = write { it.rekey(newKey) }

/**
 * Erases the old key's wrap: from now on only the new key opens the database. Without a change under way nothing
 * happens.
 *
 * Errors: `WrongDatabaseKey` if this client was opened with the old key after another one had changed it.
 */
public suspend fun MlsClient.confirmRekey(): Unit = write { it.confirmRekey() }

/**
 * Seals every value anew under another data key. [rekey] changes who opens the file; this makes an old copy of the
 * file, with its key, useless for the present one. It takes as long as rewriting the database.
 *
 * Errors: `RekeyPending`; those of storage.
 */
public suspend fun MlsClient.rotateDataKey(): Unit = write { it.rotateDataKey() }

/**
 * Moves the database to another device: writes it to `path`, which must not exist, under `transferKey`, 32 random
 * bytes that the app brings over in another way. From the first moment on this database answers `Transferred` for
 * ever, because two copies in use would use the same keys; [wipe] it when the other device has imported the file. The
 * app must see to it that the file itself is imported once only.
 *
 * Errors: `InvalidArgument` (the key, or the file exists), `Transferred`, those of storage. After an error or a crash,
 * repeat it: the copy is made again, until a call has returned.
 */
public suspend fun MlsClient.exportForTransfer(path: String, transferKey: ByteArray): Unit =
    write { it.exportForTransfer(path, transferKey) }

/**
 * Removes every file of the database, suspended or not. Afterwards this client and its groups answer `Wiped`; another
 * process that has the file open keeps working on a file that no longer has a name, so close it there first. Errors:
 * `StorageLocked` when a file cannot be removed; call again.
 */
public suspend fun MlsClient.wipe(): Unit = write { it.wipe() }
