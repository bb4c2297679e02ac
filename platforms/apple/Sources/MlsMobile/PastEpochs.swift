import Foundation
import MlsMobileFFI

extension MlsGroup {
    /// Compares another member's epoch authenticator with this device's of the same epoch (RFC 9420, section 8.7). Two
    /// members do that so: one sends the other `epoch` and `epochAuthenticator` of one `info()`, by a way that an
    /// attacker in the middle does not control, or shows them as a QR code; the other passes both to this call. Inside
    /// the group itself the message would not arrive if the group had forked.
    ///
    /// Known are the current epoch and the last 64 before it in which this device was a member, in a group that it was
    /// removed from too; joining again begins anew. `info()` of a group that is not active gives the authenticator of
    /// an epoch before `epoch`: do not send it.
    ///
    /// `different` proves a fork, as far as the other member is honest: the two can only meet in a new group, or when
    /// one of them joins the other's branch again. Nothing is stored. Errors: `groupNotFound`.
    public func compareAuthenticator(
        epoch: UInt64, authenticator: Data
    ) async throws -> AuthenticatorComparison {
        try await read { try $0.compareAuthenticator(epoch: epoch, authenticator: authenticator) }
    }

    /// Deletes the keys with which late messages of past epochs are decrypted, before `pastEpochLifetimeSeconds`
    /// does: a message that comes too late is then `stale`. The current epoch's keys stay, and so do the authenticators
    /// that `compareAuthenticator` needs.
    ///
    /// Stored: what is left; the others are gone from the files when this returns (`storageInfo` tells if another
    /// process holds that up). Nothing is sent. After a crash all of it was done or nothing; it can be repeated.
    /// Errors: `groupNotFound`.
    public func deletePastEpochSecrets(_ policy: PastEpochDeletion) async throws {
        try await write { try $0.deletePastEpochSecrets(policy: policy) }
    }
}
