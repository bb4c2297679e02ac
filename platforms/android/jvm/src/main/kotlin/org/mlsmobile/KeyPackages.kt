package org.mlsmobile

/**
 * Makes `count` key packages, at most 1000 (RFC 9420, section 10).
 *
 * Stored: each with its private keys, until it is used, deleted or expired. Send each one's `bytes` to the delivery
 * service, which gives each to one inviter only.
 * Errors: `IdentityNotFound`, `InvalidArgument` (`count`, `lifetime_seconds`, or a field of `LeafNodeOptions`).
 */
public suspend fun MlsClient.createKeyPackages(
    identity: IdentityId,
    count: UInt,
    options: KeyPackageOptions? = null,
): List<KeyPackage> = write { it.createKeyPackages(identity, count, options) }

/**
 * Makes as many key packages as are missing to have `target` unexpired ones, those of last resort not counted, and
 * returns the new ones. Errors: as [createKeyPackages].
 */
public suspend fun MlsClient.replenishKeyPackages(
    identity: IdentityId,
    target: UInt,
    options: KeyPackageOptions? = null,
): List<KeyPackage> = write { it.replenishKeyPackages(identity, target, options) }

/** All key packages of this device, oldest first, expired ones included. */
public suspend fun MlsClient.keyPackages(): List<KeyPackage> = read { it.keyPackages() }

/**
 * Deletes a key package with its private keys; a Welcome for it can no longer be read.
 * Errors: `KeyPackageNotFound`.
 */
public suspend fun MlsClient.deleteKeyPackage(reference: KeyPackageRef): Unit = write { it.deleteKeyPackage(reference) }

/** Deletes what nobody may use any more, and tells how many that were. */
public suspend fun MlsClient.deleteExpiredKeyPackages(): ULong = write { it.deleteExpiredKeyPackages() }

/**
 * Checks a key package from elsewhere: signatures, the rules of RFC 9420, section 10.1, a lifetime that covers the
 * present and is not longer than the client's `maximumLifetimeSeconds`, and a suite that this library computes. Nothing
 * is stored.
 *
 * Errors: `KeyPackageInvalid`, `MessageMalformed`, `UnsupportedCiphersuite`, `InvalidArgument` (over 256 KiB).
 */
public suspend fun MlsClient.inspectKeyPackage(keyPackage: ByteArray): KeyPackageInfo =
    read { it.inspectKeyPackage(keyPackage) }
