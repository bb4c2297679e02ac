package org.mlsmobile.delivery

import kotlin.time.Duration

/** What a registration gave. */
public class Registered internal constructor(
    /** The device's id, which stays the same when it registers again. */
    public val device: DeviceId,
    /** What every request shows from now on: [DeliveryClient.with]. Earlier tokens of the device are worthless now. */
    public val token: AccessToken,
    /** How long it can be used. */
    public val lifetime: Duration,
)

/** How many key packages of a suite wait to be claimed. */
public class KeyPackageStock internal constructor(
    /** The suite's number (RFC 9420, section 17.1). */
    public val ciphersuite: UShort,
    /** Unexpired ones that are given out once each. */
    public val singleUse: Long,
    /** Whether there is an unexpired one for when all others are gone. */
    public val lastResort: Boolean,
)

/** What became of a Commit or a message. Both are of one epoch, and another member may be faster. */
public sealed interface SendOutcome {
    /** The service took it. */
    public class Accepted internal constructor(
        /** The epoch that the group is in now. */
        public val epoch: ULong,
        /** It was taken before, and nothing was done again. */
        public val duplicate: Boolean,
        /** Devices that were added, but are not registered: nothing reaches them. */
        public val unknownDevices: List<DeviceId>,
    ) : SendOutcome

    /** Another Commit was first. Nothing was done. Clear the own Commit, read the queue, and begin again. */
    public class WrongEpoch internal constructor(
        /** The epoch that the group is in. */
        public val epoch: ULong,
    ) : SendOutcome
}

/** A group as the service sees it. */
public class GroupStatus internal constructor(
    /** The epoch that the next Commit must be of. */
    public val epoch: ULong,
    /** Devices that its messages go to. */
    public val devices: List<DeviceId>,
)

/** What those need who join a group by themselves. */
public class PublishedGroupInfo(
    /** A GroupInfo without the ratchet tree, which is a list of the members: `exportGroupInfo(false)`. */
    public val groupInfo: ByteArray,
    /** The tree of `exportRatchetTree`, encrypted under a key that goes the way of the join secret. */
    public val sealedRatchetTree: ByteArray? = null,
)

/** A message in this device's queue. */
public class Delivery internal constructor(
    /** Its place in the queue, growing by one. */
    public val position: Long,
    /** What it is, so that Welcomes go to `joinFromWelcome` and all else to `processMessages`. */
    public val kind: Kind,
    /** The group that it was sent to. */
    public val group: ByteArray,
    /** The MLSMessage. */
    public val bytes: ByteArray,
) {
    /** What a message is. */
    public enum class Kind {
        /** For the user. */
        APPLICATION,

        /** Asks for a change. */
        PROPOSAL,

        /** Makes changes. */
        COMMIT,

        /** Invites this device. */
        WELCOME,
    }
}

/** A part of this device's queue, oldest first. */
public class Page internal constructor(
    /** The messages. */
    public val deliveries: List<Delivery>,
    /** Where to read on, and what to acknowledge when these are safe. */
    public val cursor: Long,
    /**
     * Messages that this device will never get, because its queue was full or they were too old: it should join its groups
     * again, and then acknowledge the number.
     */
    public val missed: Long,
)
