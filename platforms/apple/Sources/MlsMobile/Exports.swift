import Foundation
import MlsMobileFFI

extension MlsGroup {
    /// The same bytes for every member of this epoch; two members who compare them out of band know that they are in
    /// the same group with the same history (RFC 9420, section 8.7).
    public func epochAuthenticator() async throws -> Data {
        try await read { try $0.epochAuthenticator() }
    }

    /// A GroupInfo of this epoch, signed by this device, for those who join by themselves (RFC 9420, section
    /// 12.4.3). Nothing is stored. With the tree it lists all members, and is large; without it, give them
    /// `exportRatchetTree` in another way.
    ///
    /// Errors: `groupInactive`, `groupNotFound`.
    public func exportGroupInfo(withRatchetTree: Bool) async throws -> Data {
        try await read { try $0.exportGroupInfo(withRatchetTree: withRatchetTree) }
    }

    /// The ratchet tree of this epoch, for those who join with a Welcome or a GroupInfo that does not carry it (RFC
    /// 9420, section 12.4.3.3). Nothing is stored. It lists all members: send it encrypted.
    ///
    /// Errors: `groupInactive`, `groupNotFound`.
    public func exportRatchetTree() async throws -> Data {
        try await read { try $0.exportRatchetTree() }
    }

    /// Derives a secret of 1 to 8160 bytes from this epoch: every member gets the same for the same arguments, and
    /// nobody else does (RFC 9420, section 8.5). Nothing is stored; the next epoch's is another, and this one's cannot
    /// be had any more then. While the epoch lasts it can be exported again, by who steals the phone too: use
    /// `safeExportSecret` where that matters.
    ///
    /// Errors: `invalidArgument` (`length`, or a label or context over 1 MiB), `groupInactive`, `groupNotFound`.
    public func exportSecret(label: String, context: Data, length: UInt32) async throws -> Data {
        try await read { try $0.exportSecret(label: label, context: context, length: length) }
    }

    /// A component's secret of this epoch, 32 bytes: every member gets the same, and each device gets it once, which is
    /// what makes it forward secret (the safe exporter of draft-ietf-mls-extensions, which may change). `componentId`
    /// is a number that the app or a standard has given to a part of the app; the secret of one says nothing about that
    /// of another.
    ///
    /// Stored: that it was exported; the secret's deletion is on disk before this returns, and the app keeps what it
    /// needs. This is an erasure point. Nothing is sent.
    /// Errors: `secretAlreadyExported` until the next epoch, `groupInactive`, `groupNotFound`.
    /// After a crash during the call: the secret is still there, or it is lost with the call. An app that cannot wait
    /// for the next epoch then makes one, by `selfUpdate`.
    public func safeExportSecret(componentId: UInt16) async throws -> Data {
        try await write { try $0.safeExportSecret(componentId: componentId) }
    }
}
