import Foundation
import MlsMobileFFI

extension MlsClient {
    /// Makes `count` key packages, at most 1000 (RFC 9420, section 10).
    ///
    /// Stored: each with its private keys, until it is used, deleted or expired. Send each one's `bytes` to the
    /// delivery service, which gives each to one inviter only.
    /// Errors: `identityNotFound`, `invalidArgument` (`count`, `lifetimeSeconds`, or a field of `LeafNodeOptions`).
    public func createKeyPackages(
        identity: IdentityId, count: UInt32, options: KeyPackageOptions? = nil
    ) async throws -> [KeyPackage] {
        try await core.write { try $0.createKeyPackages(identity: identity, count: count, options: options) }
    }

    /// Deletes what nobody may use any more, and tells how many that were.
    public func deleteExpiredKeyPackages() async throws -> UInt64 {
        try await core.write { try $0.deleteExpiredKeyPackages() }
    }

    /// Deletes a key package with its private keys; a Welcome for it can no longer be read.
    /// Errors: `keyPackageNotFound`.
    public func deleteKeyPackage(_ reference: KeyPackageRef) async throws {
        try await core.write { try $0.deleteKeyPackage(reference: reference) }
    }

    /// Checks a key package from elsewhere: signatures, the rules of RFC 9420, section 10.1, a lifetime that covers
    /// the present and is not longer than the client's `maximumLifetimeSeconds`, and a suite that this library computes.
    /// Nothing is stored.
    ///
    /// Errors: `keyPackageInvalid`, `messageMalformed`, `unsupportedCiphersuite`, `invalidArgument` (over 256 KiB).
    public func inspectKeyPackage(_ keyPackage: Data) async throws -> KeyPackageInfo {
        try await core.read { try $0.inspectKeyPackage(keyPackage: keyPackage) }
    }

    /// All key packages of this device, oldest first, expired ones included.
    public func keyPackages() async throws -> [KeyPackage] {
        try await core.read { try $0.keyPackages() }
    }

    /// Makes as many key packages as are missing to have `target` unexpired ones, those of last resort not counted,
    /// and returns the new ones. Errors: as `createKeyPackages`.
    public func replenishKeyPackages(
        identity: IdentityId, target: UInt32, options: KeyPackageOptions? = nil
    ) async throws -> [KeyPackage] {
        try await core.write {
            try $0.replenishKeyPackages(identity: identity, target: target, options: options)
        }
    }
}
