package org.mlsmobile

/**
 * A name of a few bytes that can be a key of a map: two of one kind with equal bytes are equal. It copies what it is
 * made of and what it gives out, so that nobody can change it.
 */
public sealed class Id(bytes: ByteArray) {
    private val content = bytes.copyOf()

    /** The bytes, for storing and sending. */
    public val bytes: ByteArray
        get() = content.copyOf()

    final override fun equals(other: Any?): Boolean =
        other is Id && javaClass == other.javaClass && content.contentEquals(other.content)

    final override fun hashCode(): Int = content.contentHashCode()

    /** The bytes in lower-case hex. */
    final override fun toString(): String = content.joinToString("") { "%02x".format(it) }
}

/** A group's id: bytes that the group's creator chose, the same for every member. */
public class GroupId(bytes: ByteArray) : Id(bytes)

/** An identity's id: its public signature key. */
public class IdentityId(bytes: ByteArray) : Id(bytes)

/** A key package's hash reference (RFC 9420, section 5.2). */
public class KeyPackageRef(bytes: ByteArray) : Id(bytes)

/** A proposal's hash reference (RFC 9420, section 5.2). */
public class ProposalRef(bytes: ByteArray) : Id(bytes)
