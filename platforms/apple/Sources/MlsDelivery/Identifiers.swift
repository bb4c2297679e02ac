import Foundation

/// A device's id: the SHA-256 of its signature key. Who sees a member's leaf can address the member's device.
public struct DeviceId: Hashable, Sendable, CustomStringConvertible {
    /// 32 bytes.
    public let bytes: Data

    /// The id of these bytes.
    public init(_ bytes: Data) { self.bytes = bytes }

    /// The id of the device with this public signature key, which is an `IdentityId`'s bytes.
    public init(signatureKey: Data) { bytes = sha256(signatureKey) }

    /// The id of this text, which is that of ``description``.
    public init?(_ text: String) {
        guard let bytes = Data(base64URL: text) else { return nil }
        self.bytes = bytes
    }

    /// The bytes as the service writes them: base64url without padding.
    public var description: String { bytes.base64URL }
}

/// What a device shows to the service with every request. Keep its ``text`` where other secrets are, such as the Keychain.
/// Nothing else gives the text away: neither printing it, nor what contains it.
public struct AccessToken: Hashable, Sendable {
    /// What travels, for keeping.
    public let text: String

    /// A token that was kept.
    public init(_ text: String) { self.text = text }
}

extension AccessToken: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Says nothing of the token.
    public var description: String { "a token" }

    /// As ``description``.
    public var debugDescription: String { description }

    /// Empty, because `dump` looks into it.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension Data {
    /// Base64url without padding.
    var base64URL: String {
        String(
            decoding: base64EncodedData().lazy.filter { $0 != UInt8(ascii: "=") }.map { byte in
                switch byte {
                case UInt8(ascii: "+"): UInt8(ascii: "-")
                case UInt8(ascii: "/"): UInt8(ascii: "_")
                default: byte
                }
            }, as: UTF8.self)
    }

    init?(base64URL text: String) {
        var base64 = Data()
        base64.reserveCapacity(text.utf8.count + 3)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "-"): base64.append(UInt8(ascii: "+"))
            case UInt8(ascii: "_"): base64.append(UInt8(ascii: "/"))
            case UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="): return nil
            default: base64.append(byte)
            }
        }
        while !base64.count.isMultiple(of: 4) { base64.append(UInt8(ascii: "=")) }
        self.init(base64Encoded: base64)
    }
}
