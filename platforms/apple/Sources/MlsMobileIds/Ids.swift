// Names as types, for the generated code, which knows bytes only. A key package's reference is no group's id.

import Foundation

/// Bytes that name something. Equal bytes are one key of a dictionary; the text is their hex.
public protocol MlsId: Hashable, Sendable, CustomStringConvertible {
    /// What is sent and stored.
    var bytes: Data { get }

    /// The id of these bytes.
    init(_ bytes: Data)
}

extension MlsId {
    /// The hex of the bytes.
    public var description: String {
        bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
}

/// A group's id: bytes that the group's creator chose, the same for every member.
public struct GroupId: MlsId {
    public let bytes: Data

    public init(_ bytes: Data) { self.bytes = bytes }
}

/// An identity's id: its public signature key.
public struct IdentityId: MlsId {
    public let bytes: Data

    public init(_ bytes: Data) { self.bytes = bytes }
}

/// A key package's hash reference (RFC 9420, section 5.2).
public struct KeyPackageRef: MlsId {
    public let bytes: Data

    public init(_ bytes: Data) { self.bytes = bytes }
}

/// A proposal's hash reference (RFC 9420, section 5.2).
public struct ProposalRef: MlsId {
    public let bytes: Data

    public init(_ bytes: Data) { self.bytes = bytes }
}
