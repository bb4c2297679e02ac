package org.mlsmobile

import java.time.Instant
import kotlin.time.Duration

/** From when a key package can be used. */
public val KeyPackage.validFrom: Instant
    get() = instant(notBefore)

/** Until when a key package can be used. */
public val KeyPackage.validUntil: Instant
    get() = instant(notAfter)

/** From when a key package can be used. */
public val KeyPackageInfo.validFrom: Instant
    get() = instant(notBefore)

/** Until when a key package can be used. */
public val KeyPackageInfo.validUntil: Instant
    get() = instant(notAfter)

/** Seconds since 1970; a peer may have written a number that no calendar knows. */
private fun instant(seconds: ULong): Instant =
    Instant.ofEpochSecond(seconds.coerceAtMost(Instant.MAX.epochSecond.toULong()).toLong())

/** Whole milliseconds as the native side counts them: none if negative, 49 days at most. */
internal fun Duration.milliseconds(): UInt =
    inWholeMilliseconds.coerceIn(0L, UInt.MAX_VALUE.toLong()).toUInt()
