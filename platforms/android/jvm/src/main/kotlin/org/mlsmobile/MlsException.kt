package org.mlsmobile

/**
 * Why a call did nothing. Every error leaves groups and database as they were before the call.
 *
 * [code] is the same number in every version and language, for logs and for support (docs/errors.md). No error carries a
 * key, a plaintext, an identifier or the text of a dependency.
 */
public sealed class MlsException(
    /** The error's stable number. */
    public val code: UInt,
    text: String,
) : Exception(text) {
    /** The client was closed. Open a new one. */
    public class Closed internal constructor() : MlsException(CLOSED, "the client is closed")

    /** No group with this id is in the database. It was never joined here, or it was deleted. */
    public class GroupNotFound internal constructor(code: UInt, text: String) : MlsException(code, text)

    /**
     * The group came with a recovery archive and waits to be rejoined. Join it by an external Commit or from a Welcome, or
     * forget it.
     */
    public class GroupNotRejoined internal constructor(code: UInt, text: String) : MlsException(code, text)

    /** A group with this id exists already. Delete it first, or keep using it. */
    public class GroupAlreadyExists internal constructor(code: UInt, text: String) : MlsException(code, text)

    /**
     * This device was removed from the group. What is there can be read; the group can be deleted or joined again. A
     * message that comes after the removal is not read any more, even if it was sent before it.
     */
    public class GroupInactive internal constructor(code: UInt, text: String) : MlsException(code, text)

    /** No identity with this id is in the database. */
    public class IdentityNotFound internal constructor(code: UInt, text: String) : MlsException(code, text)

    /** An identity with this public key exists already: attach its signer ([attachSigner]), or use another key. */
    public class IdentityAlreadyExists internal constructor(code: UInt, text: String) : MlsException(code, text)

    /** Groups still sign with this identity, or wait to be rejoined with it. Change their identity or delete them first. */
    public class IdentityInUse internal constructor(code: UInt, text: String) : MlsException(code, text)

    /** No key package with this reference is in the database: it was used, deleted, or is another device's. */
    public class KeyPackageNotFound internal constructor(code: UInt, text: String) : MlsException(code, text)

    /** A key package cannot be used. Ask its owner's delivery service for another. */
    public class KeyPackageInvalid internal constructor(
        code: UInt,
        text: String,
        /** What is wrong with it. */
        public val reason: KeyPackageReason,
    ) : MlsException(code, text)

    /** A Welcome cannot be used. */
    public class WelcomeInvalid internal constructor(
        code: UInt,
        text: String,
        /** What is wrong with it. */
        public val reason: WelcomeReason,
    ) : MlsException(code, text)

    /** A GroupInfo cannot be joined with. Get another from the delivery service or a member. */
    public class GroupInfoInvalid internal constructor(
        code: UInt,
        text: String,
        /** What is wrong with it. */
        public val reason: GroupInfoReason,
    ) : MlsException(code, text)

    /** The group has an own Commit that waits. Merge it or clear it first. */
    public class PendingCommitExists internal constructor(code: UInt, text: String) : MlsException(code, text)

    /** The group has no own Commit that waits. */
    public class NoPendingCommit internal constructor(code: UInt, text: String) : MlsException(code, text)

    /** A received Commit waits for a decision. Merge it or discard it first. */
    public class StagedCommitExists internal constructor(code: UInt, text: String) : MlsException(code, text)

    /** No received Commit waits for a decision. */
    public class NoStagedCommit internal constructor(code: UInt, text: String) : MlsException(code, text)

    /**
     * No external join waits for this group: it was abandoned, replaced by a Welcome, or the group has moved on since.
     */
    public class NoExternalJoin internal constructor(code: UInt, text: String) : MlsException(code, text)

    /** This device discarded a Commit that the others follow. The group can only be read, deleted, or joined again. */
    public class GroupDiverged internal constructor(
        code: UInt,
        text: String,
        /** The epoch that the discarded Commit began. */
        public val rejectedEpoch: ULong,
    ) : MlsException(code, text)

    /**
     * There is no room to keep another message that came too early. It was not taken: give it again when the group has
     * moved on.
     */
    public class EarlyBufferFull internal constructor(code: UInt, text: String) : MlsException(code, text)

    /** No proposal with this reference is queued: it was committed, dropped, or is of another epoch. */
    public class ProposalNotFound internal constructor(code: UInt, text: String) : MlsException(code, text)

    /** Queued proposals must be committed before a message can be sent (RFC 9420, section 12.4). Commit first. */
    public class PendingProposalsExist internal constructor(code: UInt, text: String) : MlsException(code, text)

    /**
     * A pre-shared key is not here: the external one was never registered or was deleted, or the resumption secret of
     * that epoch is not kept. Register it, or do without.
     */
    public class PskNotFound internal constructor(code: UInt, text: String) : MlsException(code, text)

    /**
     * A Commit would add members and mix in a resumption PSK, which new members cannot have (docs/adr/0017). Make two
     * Commits: remove one of the proposals, or commit the queue first.
     */
    public class ResumptionPskWithAdds internal constructor(code: UInt, text: String) : MlsException(code, text)

    /**
     * The component's secret of this epoch was exported before. Each exists once (forward secrecy): keep what it gave,
     * or wait for the next epoch.
     */
    public class SecretAlreadyExported internal constructor(code: UInt, text: String) : MlsException(code, text)

    /** A message of an epoch so far ahead that it is no message of the group's near future. Skip it. */
    public class WrongEpoch internal constructor(
        code: UInt,
        text: String,
        /** The group's epoch. */
        public val current: ULong,
        /** The message's epoch. */
        public val received: ULong,
    ) : MlsException(code, text)

    /** A message that decodes, but that this group must not accept. Skip it. */
    public class MessageInvalid internal constructor(
        code: UInt,
        text: String,
        /** What is wrong with it. */
        public val reason: MessageReason,
    ) : MlsException(code, text)

    /** The bytes are no MLS message: damaged, cut short, or something else. Skip them. */
    public class MessageMalformed internal constructor(code: UInt, text: String) : MlsException(code, text)

    /** The app's `CredentialValidator` refused, or it failed. */
    public class CredentialRejected internal constructor(code: UInt, text: String) : MlsException(code, text)

    /** The identity's key is outside the library, and no signer was attached since `open`. Call [attachSigner]. */
    public class SignerMissing internal constructor(code: UInt, text: String) : MlsException(code, text)

    /** The app's `Signer` failed, or what it returned is no signature by the identity's key. Try again. */
    public class SignerFailed internal constructor(code: UInt, text: String) : MlsException(code, text)

    /** A callback called back into the library. Let it answer first. */
    public class Reentrant internal constructor(code: UInt, text: String) : MlsException(code, text)

    /** No member of the group has this leaf index. */
    public class MemberNotFound internal constructor(
        code: UInt,
        text: String,
        /** The leaf index that was given. */
        public val leafIndex: UInt,
    ) : MlsException(code, text)

    /** This library does not compute the ciphersuite. */
    public class UnsupportedCiphersuite internal constructor(
        code: UInt,
        text: String,
        /** Its number in the IANA registry. */
        public val ciphersuite: UShort,
    ) : MlsException(code, text)

    /** An argument is out of its bounds. */
    public class InvalidArgument internal constructor(
        code: UInt,
        text: String,
        /** The parameter's or field's name. */
        public val argument: String,
        /** What is wrong with it. */
        public val reason: ArgumentReason,
    ) : MlsException(code, text)

    /** [wipe] has removed the database. Open a new client. */
    public class Wiped internal constructor(code: UInt, text: String) : MlsException(code, text)

    /** The client is suspended, or was suspended while the call ran: it did nothing. Call [resume] first. */
    public class Suspended internal constructor(code: UInt, text: String) : MlsException(code, text)

    /** The database was moved to another device, or is on its way. It never works here again. */
    public class Transferred internal constructor(code: UInt, text: String) : MlsException(code, text)

    /** A recovery archive cannot be used, or not be made. */
    public class RecoveryArchiveInvalid internal constructor(
        code: UInt,
        text: String,
        /** What is wrong with it. */
        public val reason: RecoveryArchiveReason,
    ) : MlsException(code, text)

    /** [rekey] was not confirmed. Confirm it, or call [rekey] again, first. */
    public class RekeyPending internal constructor(code: UInt, text: String) : MlsException(code, text)

    /** Another process held the database for longer than `busyTimeoutMs`. Try again. */
    public class StorageBusy internal constructor(code: UInt, text: String) : MlsException(code, text)

    /**
     * The operating system does not let the file be opened: the device has not been unlocked since it started, or the
     * app may not write there.
     */
    public class StorageLocked internal constructor(code: UInt, text: String) : MlsException(code, text)

    /** No space is left. Free some and try again. */
    public class StorageFull internal constructor(code: UInt, text: String) : MlsException(code, text)

    /** The file, or its folder, cannot be written. */
    public class StorageReadOnly internal constructor(code: UInt, text: String) : MlsException(code, text)

    /** The disk failed. Try again; if it stays, the device is failing. */
    public class StorageIo internal constructor(code: UInt, text: String) : MlsException(code, text)

    /** The key does not open this database. The file is untouched. */
    public class WrongDatabaseKey internal constructor(code: UInt, text: String) : MlsException(code, text)

    /** The file is damaged. Nothing was deleted; restore the membership from other devices. */
    public class StorageCorrupt internal constructor(code: UInt, text: String) : MlsException(code, text)

    /** The file is another program's, or no database at all. It is untouched. */
    public class StorageForeign internal constructor(code: UInt, text: String) : MlsException(code, text)

    /**
     * A newer version of the library wrote this file. Update the app; from a client that was open, end this process: the
     * app was updated while it ran.
     */
    public class StorageTooNew internal constructor(
        code: UInt,
        text: String,
        /** The file's schema version. */
        public val found: UInt,
        /** The newest version that this library knows. */
        public val supported: UInt,
    ) : MlsException(code, text)

    /** The file is older than `minimumGeneration`: an old copy was put back. Using it would reuse keys. */
    public class StorageRolledBack internal constructor(
        code: UInt,
        text: String,
        /** The file's generation. */
        public val found: ULong,
        /** What the app expected at least. */
        public val minimum: ULong,
    ) : MlsException(code, text)

    /** A fault of the library. Report the code. */
    public class Internal internal constructor(
        code: UInt,
        text: String,
    ) : MlsException(code, text)

    private companion object {
        const val CLOSED = 300u
    }
}
