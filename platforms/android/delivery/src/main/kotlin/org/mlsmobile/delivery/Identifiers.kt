package org.mlsmobile.delivery

import java.security.MessageDigest
import java.util.Base64

/**
 * A device's id: the SHA-256 of its signature key. Who sees a member's leaf can address the member's device. Two of equal
 * bytes are equal; it copies what it is made of and what it gives out.
 */
public class DeviceId(bytes: ByteArray) {
    private val content = bytes.copyOf()

    /** 32 bytes. */
    public val bytes: ByteArray
        get() = content.copyOf()

    override fun equals(other: Any?): Boolean = other is DeviceId && content.contentEquals(other.content)

    override fun hashCode(): Int = content.contentHashCode()

    /** The bytes as the service writes them: base64url without padding. */
    override fun toString(): String = content.toText()

    public companion object {
        /** The id of the device with this public signature key, which is an `IdentityId`'s bytes. */
        public fun ofSignatureKey(signatureKey: ByteArray): DeviceId = DeviceId(sha256(signatureKey))

        /** The id of this text, which is that of [toString]; `null` if it is none. */
        public fun ofText(text: String): DeviceId? = bytesOf(text)?.let { DeviceId(it) }
    }
}

/**
 * What a device shows to the service with every request. Keep its [text] where other secrets are, sealed with a key of the
 * Android Keystore. Nothing else gives the text away.
 */
public class AccessToken(
    /** What travels, for keeping. */
    public val text: String,
) {
    init {
        // The platform names what it cannot send in its own exception.
        require(text.all { it in '!'..'~' }) { "this is no token" }
    }

    override fun equals(other: Any?): Boolean =
        other is AccessToken && MessageDigest.isEqual(text.toByteArray(), other.text.toByteArray())

    override fun hashCode(): Int = text.hashCode()

    /** Says nothing of the token. */
    override fun toString(): String = "a token"
}

internal fun sha256(bytes: ByteArray): ByteArray = MessageDigest.getInstance("SHA-256").digest(bytes)

/** Base64url without padding. */
internal fun ByteArray.toText(): String = Base64.getUrlEncoder().withoutPadding().encodeToString(this)

internal fun bytesOf(text: String): ByteArray? =
    try {
        Base64.getUrlDecoder().decode(text)
    } catch (_: IllegalArgumentException) {
        null
    }
