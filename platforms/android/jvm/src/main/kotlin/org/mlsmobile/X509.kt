package org.mlsmobile

/**
 * A validator for [MlsClient.open] that checks the certificate chains of X.509 credentials against these roots, and then
 * asks [next], the app's own validator, which knows names and successors. Credentials of other types are refused.
 *
 * Checked is what a request brings in: key packages, added and joining members, everybody in a group that this device
 * joins, updated leaves, and external senders, also each time when one proposes. Each chain must hold now, by the system's
 * clock: every certificate is signed by the next and the last by a root (which may stand at the end itself), within their
 * validity, the issuers as authorities; and the first one's key is the leaf's Ed25519 signature key (RFC 9420, section
 * 5.3). Authorities may sign with Ed25519, ECDSA (P-256, P-384) or RSA (2048 to 8192 bits), with SHA-2. A leaf that keeps
 * its credential is not checked against the clock again: a member whose certificate has expired can still be followed,
 * but keeps others from joining.
 *
 * Not checked: revocation, names, key usages (take roots that certify for this purpose alone), and whether a new
 * credential belongs to the same member. For the last [next] gets the old and the new one, in `CommitSummary.updated` and,
 * for a proposal, as its sender and in its `Update`; without [next] every certified successor is accepted.
 *
 * [roots] are DER-encoded certificates of authorities. Nothing is stored; an app passes it to each `open`.
 * Errors: `InvalidArgument` (`roots`: none, or one that does not decode).
 */
public fun x509Validator(roots: List<ByteArray>, next: CredentialValidator? = null): CredentialValidator =
    typed { ffiX509Validator(roots, next?.answering()) }

/**
 * As [x509Validator], for groups in which not everybody has certificates yet: [next] alone judges the credentials of
 * other types, and must do so. Errors: as there.
 */
public fun x509ValidatorWithOthers(roots: List<ByteArray>, next: CredentialValidator): CredentialValidator =
    typed { ffiX509ValidatorWithOthers(roots, next.answering()) }

/** The client marks the thread for what it calls, and this comes below it. */
private fun CredentialValidator.answering() = CredentialValidator { answered { validate(it) } }
