import Foundation
import MlsMobileFFI

extension MlsGroup {
    /// Encrypts `plaintext` for the members of this epoch (RFC 9420, section 6.3). `authenticatedData` is protected
    /// against change, but everybody can read it.
    ///
    /// Stored: that the key was used, before the bytes are returned. Send them to the group; bytes that never get sent
    /// do no harm. The sender cannot decrypt them: keep the plaintext.
    /// Errors: `pendingProposalsExist` (commit first, or both in one call: `commitAndCreateMessage`), `groupDiverged`,
    /// `groupInactive`, `groupNotFound`, `invalidArgument` (over 16 MiB, or 1 MiB of authenticated data).
    public func createMessage(
        _ plaintext: Data, authenticatedData: Data = Data()
    ) async throws -> Data {
        try await write { try $0.createMessage(plaintext: plaintext, authenticatedData: authenticatedData) }
    }

    /// Processes a message from the delivery service: decrypts, queues a proposal, keeps what comes early, and merges
    /// a Commit that the client's `CredentialValidator` accepts. Without a validator a Commit waits, stored, for
    /// `mergeStagedCommit` or `discardStagedCommit`.
    ///
    /// Stored: what the message changes, and the outcome in the inbox until it is acknowledged. An own Commit that
    /// waits is cleared when another member's Commit is merged; `superseded` then says what it would have done.
    /// Errors: `messageMalformed`, `messageInvalid`, `wrongEpoch` (impossibly far ahead), `earlyBufferFull`,
    /// `credentialRejected`, `groupDiverged`, `groupInactive`, `groupNotFound`, `invalidArgument` (over 32 MiB); after
    /// each the same bytes can be tried again.
    public func processMessage(_ message: Data) async throws -> ProcessedMessage {
        try await write { try $0.processMessage(message: message) }
    }
}
