package org.mlsmobile

/**
 * A device: one database file with its identities, key packages and groups.
 *
 * Every call is one transaction: when it returns, what it did is on disk; when it fails, with an [MlsException], nothing
 * happened. Calls may come from any coroutine and from several processes that have the same file open; they wait for
 * each other, on threads of their own. Opening one path twice in a process is the same as opening it in two processes.
 *
 * A coroutine that is cancelled before its call has begun makes none. Once it runs, a call completes and its result is
 * returned, because what it did is stored; only [processMessages] can be given less time, by its budget.
 */
public class MlsClient internal constructor(internal val session: Session) {
    internal suspend fun <T> read(block: (FfiClient) -> T): T = session.read(block)

    internal suspend fun <T> write(block: (FfiClient) -> T): T = session.write(block)

    /**
     * Lets no call in any more, waits for those that run, and frees the native client with its file. Afterwards every
     * call of this client and of its groups throws [MlsException.Closed]. Closed already, nothing happens. It completes
     * even if its coroutine is cancelled. Not from a callback.
     */
    public suspend fun close(): Unit = session.close()

    public companion object {
        /**
         * Opens the database, or creates it if the file does not exist or is empty.
         *
         * Stored: nothing in an existing file, unless it is of an older schema, which is brought up to date.
         * Errors: `InvalidArgument` (a key that is not 32 bytes, a path that is a folder or in none, a value in
         * `groupDefaults`, `leafNode` or `lifetimes` that is out of its bounds), `WrongDatabaseKey`, `StorageForeign`,
         * `StorageTooNew`, `StorageRolledBack`, `StorageCorrupt`, `StorageLocked`, `StorageReadOnly`, `StorageFull`,
         * `StorageBusy`; each leaves the file as it was.
         * After a crash: whatever calls had returned is there; a call that had not is there whole or not at all.
         */
        public suspend fun open(
            config: ClientConfig,
            validator: CredentialValidator? = null,
            logSink: LogSink? = null,
        ): MlsClient = start(validator, logSink) { FfiClient.open(config, it.validator, it.logSink) }

        /**
         * Takes a file of [exportForTransfer] over as the database at `config.databasePath`, which must not exist, under
         * `config.databaseKey`, removes the file, and opens the database.
         *
         * Errors: `WrongDatabaseKey` (the transfer key), `InvalidArgument`, `StorageForeign`, `Transferred` (the file was
         * imported before), and as [open]. After an error or a crash: if there is a database, open it, else repeat the call,
         * with the same keys and path. The file cannot be imported a second time elsewhere.
         */
        public suspend fun importTransfer(
            path: String,
            transferKey: ByteArray,
            config: ClientConfig,
            validator: CredentialValidator? = null,
            logSink: LogSink? = null,
        ): MlsClient =
            start(validator, logSink) {
                FfiClient.importTransfer(path, transferKey, config, it.validator, it.logSink)
            }

        /**
         * Makes a new database at `config.databasePath`, which must not exist, from an archive of
         * [exportRecoveryArchive], and opens it. `config.databaseKey` is a new key; leave `minimumGeneration` out: a new
         * database begins to count anew.
         *
         * Stored: the identities and pre-shared keys, and the groups, which wait to be rejoined: for each of
         * [groupsToRejoin] call [joinByExternalCommit]. Nothing else is left of the lost device: its key packages do not
         * work here, so have the delivery service drop them and publish new ones; messages that were not processed cannot
         * be read. An identity whose key is outside the library needs its signer attached.
         * If somebody else may have the lost phone, he can still sign as its identities: create new ones, and move each
         * group to one with [selfUpdate] once it is rejoined.
         *
         * Restored on two phones, the archive makes two devices of which the members keep the one that joins last: its
         * Commit removes the other, which is then told so (`GroupInactive`).
         * Errors: `RecoveryArchiveInvalid` (another key; changed, cut or no archive; of a newer version),
         * `InvalidArgument` (a key that is not 32 bytes; the path; `AlreadyExists`), `StorageRolledBack`, and as [open].
         * An archive or argument that is refused leaves nothing on the disk. After an error of storage or a crash: if
         * there is a database, it is whole, so open it; else repeat the call.
         */
        public suspend fun recover(
            archive: ByteArray,
            recoveryKey: ByteArray,
            config: ClientConfig,
            validator: CredentialValidator? = null,
            logSink: LogSink? = null,
        ): MlsClient =
            start(validator, logSink) {
                FfiClient.recover(archive, recoveryKey, config, it.validator, it.logSink)
            }

        private suspend fun start(
            validator: CredentialValidator?,
            logSink: LogSink?,
            open: (Callbacks) -> FfiClient,
        ): MlsClient {
            val callbacks = Callbacks(validator, logSink)
            return MlsClient(Session.open(callbacks) { open(callbacks) })
        }
    }
}

/** Runs [block] with the client and closes it then, whatever happens. */
public suspend inline fun <T> MlsClient.use(block: (MlsClient) -> T): T =
    try {
        block(this)
    } finally {
        close()
    }

/**
 * Creates a group with this device as its only member, in epoch 0 (RFC 9420, section 11). Without `config` the
 * client's `groupDefaults` hold.
 *
 * Stored: the group. Nothing is sent; [addMembers] invites.
 * Errors: `IdentityNotFound`, `GroupAlreadyExists` (or an external join waits for it, or it waits to be rejoined),
 * `InvalidArgument` with the field's name (`Unsupported`: this device's own leaf does not list what
 * `requiredCapabilities` or `extensions` need of every member).
 */
public suspend fun MlsClient.createGroup(identity: IdentityId, config: GroupConfig? = null): MlsGroup =
    write { session.adopt(it.createGroup(identity, config)) }

/** A handle to a group. Handles hold no state; make as many as you like. Errors: `GroupNotFound`, `GroupNotRejoined`. */
public suspend fun MlsClient.group(groupId: GroupId): MlsGroup = read { session.adopt(it.group(groupId)) }

/** All groups in the order in which they came, those included that this device was removed from. None is loaded. */
public suspend fun MlsClient.groups(): List<GroupSummary> = read { it.groups() }

/**
 * Opens and verifies a Welcome without joining: nothing is stored and nothing used up, so that the same Welcome can be
 * looked at again, and joined. `ratchetTree` is needed if the Welcome does not carry it.
 *
 * Errors: `WelcomeInvalid`, `MessageMalformed`, `UnsupportedCiphersuite`.
 */
public suspend fun MlsClient.inspectWelcome(welcome: ByteArray, ratchetTree: ByteArray? = null): WelcomeInfo =
    read { it.inspectWelcome(welcome, ratchetTree) }

/**
 * Joins the group that a Welcome invites to (RFC 9420, section 12.4.3.1), after the validator accepted it.
 *
 * Stored: the group; the key package is deleted, unless it is one of last resort. Nothing is sent. A group that this
 * device was removed from makes room for its new membership; an external join that waits is dropped, and one of
 * [groupsToRejoin] is joined with its configuration.
 * Errors: `WelcomeInvalid`, `MessageMalformed`, `GroupAlreadyExists`, `CredentialRejected`, `UnsupportedCiphersuite`;
 * after each of them the same Welcome can be tried again.
 */
public suspend fun MlsClient.joinFromWelcome(welcome: ByteArray, ratchetTree: ByteArray? = null): MlsGroup =
    write { session.adopt(it.joinFromWelcome(welcome, ratchetTree)) }
