import Foundation
import MlsMobileFFI

extension MlsClient {
    /// Makes a signature key for the credential (RFC 9420, section 5.3).
    ///
    /// Stored: the identity with its private key. Nothing is sent; publish key packages to be found.
    /// Errors: `invalidArgument` (a credential over 64 KiB), `unsupportedCiphersuite`.
    public func createIdentity(
        credential: Credential, ciphersuite: Ciphersuite
    ) async throws -> Identity {
        try await core.write { try $0.createIdentity(credential: credential, ciphersuite: ciphersuite) }
    }

    /// Deletes an identity, its private key and its key packages.
    ///
    /// Errors: `identityNotFound`; `identityInUse` while a group signs with it, or will once its pending Commit is
    /// merged, or an external join that waits is confirmed.
    public func deleteIdentity(_ id: IdentityId) async throws {
        try await core.write { try $0.deleteIdentity(id: id) }
    }

    /// All identities in the order in which they were created.
    public func identities() async throws -> [Identity] {
        try await core.read { try $0.identities() }
    }
}
