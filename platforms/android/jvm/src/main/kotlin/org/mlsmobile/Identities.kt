package org.mlsmobile

/**
 * Makes a signature key for the credential (RFC 9420, section 5.3).
 *
 * Stored: the identity with its private key. Nothing is sent; publish key packages to be found.
 * Errors: `InvalidArgument` (a credential over 64 KiB), `UnsupportedCiphersuite`.
 */
public suspend fun MlsClient.createIdentity(credential: Credential, ciphersuite: Ciphersuite): Identity =
    write { it.createIdentity(credential, ciphersuite) }

/** All identities in the order in which they were created. */
public suspend fun MlsClient.identities(): List<Identity> = read { it.identities() }

/**
 * Deletes an identity, its private key and its key packages.
 *
 * Errors: `IdentityNotFound`; `IdentityInUse` while a group signs with it, or will once its pending Commit is merged,
 * or an external join that waits is confirmed.
 */
public suspend fun MlsClient.deleteIdentity(id: IdentityId): Unit = write { it.deleteIdentity(id) }
