import Foundation
import MlsMobileFFI

/// The suite for apps that have no reason for another.
public func defaultCiphersuite() throws -> Ciphersuite {
    try converted { try MlsMobileFFI.defaultCiphersuite() }
}

extension MlsClient {
    /// Attaches the signer of an identity that was made with `createIdentityWithSigner`: after each `open`, and after
    /// the move to another device. It signs a challenge first, and takes the place of one that was attached.
    ///
    /// Stored: nothing. Errors: `identityNotFound`, `signerFailed` (it failed, or signs with another key; one that was
    /// attached stays), `invalidArgument` (an identity whose key the library holds).
    public func attachSigner(identity: IdentityId, signer: Signer) async throws {
        try await core.write { try $0.attachSigner(identity: identity, signer: signer) }
    }

    /// Makes a signature key for the credential (RFC 9420, section 5.3). The app's key outside the library:
    /// `createIdentityWithSigner`; a certificate for the key that this makes: `replaceCredential`.
    ///
    /// Stored: the identity with its private key. Nothing is sent; publish key packages to be found.
    /// Errors: `invalidArgument` (a credential over 64 KiB), `unsupportedCiphersuite`.
    public func createIdentity(
        credential: Credential, ciphersuite: Ciphersuite
    ) async throws -> Identity {
        try await core.write { try $0.createIdentity(credential: credential, ciphersuite: ciphersuite) }
    }

    /// Makes an identity whose private key the library never sees: `signer` signs with it (an HSM, the system's key
    /// store). `publicKey` is the Ed25519 public key, 32 bytes.
    ///
    /// The signer signs a challenge first, so that one of another key is noticed at once; see `Signer`. It stays attached
    /// until the client is closed, through `suspend` and `resume`; after each `open` call `attachSigner`. Whatever signs
    /// for the identity answers `signerMissing` without a signer, and `signerFailed` if it fails; the group is then as it
    /// was. Receiving, merging and reading need none.
    /// Stored: the identity without a private key. Nothing is sent.
    /// Errors: `invalidArgument` (a credential over 64 KiB, a key that is not 32 bytes), `identityAlreadyExists`,
    /// `signerFailed` (also for a key that is no point of the curve: it verifies nothing), `unsupportedCiphersuite`.
    /// After a crash: the identity is there, and needs `attachSigner`, or it is not.
    public func createIdentityWithSigner(
        credential: Credential, ciphersuite: Ciphersuite, publicKey: Data, signer: Signer
    ) async throws -> Identity {
        try await core.write {
            try $0.createIdentityWithSigner(
                credential: credential, ciphersuite: ciphersuite, publicKey: publicKey, signer: signer)
        }
    }

    /// Deletes an identity, its private key, or its signer, and its key packages.
    ///
    /// Errors: `identityNotFound`; `identityInUse` while a group signs with it, or will once its pending Commit is
    /// merged, or an external join that waits is confirmed, or waits to be rejoined with it.
    public func deleteIdentity(_ id: IdentityId) async throws {
        try await core.write { try $0.deleteIdentity(id: id) }
    }

    /// All identities in the order in which they were created.
    public func identities() async throws -> [Identity] {
        try await core.read { try $0.identities() }
    }

    /// Gives an identity another credential for the key that it has: a certificate that was issued for it, which is its
    /// `id`, or a renewed one. To begin with certificates, make the identity with a basic credential, have the authority
    /// certify its `id`, and call this before anything else is made with it.
    ///
    /// Stored: the credential. Nothing is sent. Key packages that are there keep the old one: make new ones and delete
    /// those. Groups keep the old one too, until `selfUpdate(newIdentity: identity)` in each.
    /// Errors: `identityNotFound`, `invalidArgument` (a credential over 64 KiB).
    public func replaceCredential(identity: IdentityId, credential: Credential) async throws -> Identity {
        try await core.write { try $0.replaceCredential(identity: identity, credential: credential) }
    }
}
