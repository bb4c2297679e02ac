package org.mlsmobile

/** The suite for apps that have no reason for another. */
public fun defaultCiphersuite(): Ciphersuite = typed { ffiDefaultCiphersuite() }

/**
 * Makes a signature key for the credential (RFC 9420, section 5.3). The app's key outside the library:
 * [createIdentityWithSigner]; a certificate for the key that this makes: [replaceCredential].
 *
 * Stored: the identity with its private key. Nothing is sent; publish key packages to be found.
 * Errors: `InvalidArgument` (a credential over 64 KiB), `UnsupportedCiphersuite`.
 */
public suspend fun MlsClient.createIdentity(
    credential: Credential,
    ciphersuite: Ciphersuite = defaultCiphersuite(),
): Identity = write { it.createIdentity(credential, ciphersuite) }

/**
 * Makes an identity whose private key the library never sees: `signer` signs with it (an HSM, the system's key store).
 * `publicKey` is the Ed25519 public key, 32 bytes.
 *
 * The signer signs a challenge first, so that one of another key is noticed at once; see [Signer]. It stays attached
 * until the client is closed, through [suspend] and [resume]; after each `open` call [attachSigner]. Whatever signs for
 * the identity answers `SignerMissing` without a signer, and `SignerFailed` if it fails; the group is then as it was.
 * Receiving, merging and reading need none.
 * Stored: the identity without a private key. Nothing is sent.
 * Errors: `InvalidArgument` (a credential over 64 KiB, a key that is not 32 bytes), `IdentityAlreadyExists`,
 * `SignerFailed` (also for a key that is no point of the curve: it verifies nothing), `UnsupportedCiphersuite`.
 * After a crash: the identity is there, and needs [attachSigner], or it is not.
 */
public suspend fun MlsClient.createIdentityWithSigner(
    credential: Credential,
    ciphersuite: Ciphersuite,
    publicKey: ByteArray,
    signer: Signer,
): Identity =
    write { it.createIdentityWithSigner(credential, ciphersuite, publicKey, session.callbacks.signer(signer)) }

/**
 * Attaches the signer of an identity that was made with [createIdentityWithSigner]: after each `open`, and after the move
 * to another device. It signs a challenge first, and takes the place of one that was attached.
 *
 * Stored: nothing. Errors: `IdentityNotFound`, `SignerFailed` (it failed, or signs with another key; one that was
 * attached stays), `InvalidArgument` (an identity whose key the library holds).
 */
public suspend fun MlsClient.attachSigner(identity: IdentityId, signer: Signer): Unit =
    read { it.attachSigner(identity, session.callbacks.signer(signer)) }

/**
 * Gives an identity another credential for the key that it has: a certificate that was issued for it, which is its `id`,
 * or a renewed one. To begin with certificates, make the identity with a basic credential, have the authority certify its
 * `id`, and call this before anything else is made with it.
 *
 * Stored: the credential. Nothing is sent. Key packages that are there keep the old one: make new ones and delete those.
 * Groups keep the old one too, until [selfUpdate] with this identity in each.
 * Errors: `IdentityNotFound`, `InvalidArgument` (a credential over 64 KiB).
 */
public suspend fun MlsClient.replaceCredential(identity: IdentityId, credential: Credential): Identity =
    write { it.replaceCredential(identity, credential) }

/** All identities in the order in which they were created. */
public suspend fun MlsClient.identities(): List<Identity> = read { it.identities() }

/**
 * Deletes an identity, its private key, or its signer, and its key packages.
 *
 * Errors: `IdentityNotFound`; `IdentityInUse` while a group signs with it, or will once its pending Commit is merged,
 * or an external join that waits is confirmed, or waits to be rejoined with it.
 */
public suspend fun MlsClient.deleteIdentity(id: IdentityId): Unit = write { it.deleteIdentity(id) }
