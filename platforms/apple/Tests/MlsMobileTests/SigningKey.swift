import Foundation
import MlsMobile
import Testing

#if canImport(CryptoKit)
    import CryptoKit

    /// An Ed25519 key that the library does not have, as an HSM's.
    struct SigningKey: Sendable {
        private let key = Curve25519.Signing.PrivateKey()

        init() throws {}

        var publicKey: Data { get throws { key.publicKey.rawRepresentation } }

        func sign(_ bytes: Data) throws -> Data { try key.signature(for: bytes) }
    }
#else
    private typealias Bytes = UnsafePointer<UInt8>
    private typealias Output = UnsafeMutablePointer<UInt8>
    private typealias Length = UnsafeMutablePointer<Int>

    /// An Ed25519 key that the library does not have, as an HSM's. Linux has no CryptoKit, but OpenSSL is there.
    struct SigningKey: Sendable {
        private let seed = (0..<32).map { _ in UInt8.random(in: .min ... .max) }
        private let crypto: OpenSsl

        init() throws { crypto = try OpenSsl() }

        var publicKey: Data {
            get throws {
                let get: @convention(c) (OpaquePointer, Output, Length) -> Int32 =
                    try crypto.function("EVP_PKEY_get_raw_public_key")
                return try withKey(answer: 32) { key, output, length in get(key, output, length) }
            }
        }

        func sign(_ bytes: Data) throws -> Data {
            typealias Optional = OpaquePointer?
            let make: @convention(c) () -> OpaquePointer? = try crypto.function("EVP_MD_CTX_new")
            let free: @convention(c) (OpaquePointer) -> Void = try crypto.function("EVP_MD_CTX_free")
            let begin: @convention(c) (OpaquePointer, Optional, Optional, Optional, OpaquePointer) -> Int32 =
                try crypto.function("EVP_DigestSignInit")
            let sign: @convention(c) (OpaquePointer, Output, Length, Bytes, Int) -> Int32 =
                try crypto.function("EVP_DigestSign")
            let context = try #require(make())
            defer { free(context) }
            return try withKey(answer: 64) { key, output, length in
                try #require(begin(context, nil, nil, nil, key) == 1)
                return sign(context, output, length, Array(bytes), bytes.count)
            }
        }

        private func withKey(
            answer length: Int, _ fill: (OpaquePointer, Output, Length) throws -> Int32
        ) throws -> Data {
            let make: @convention(c) (Int32, OpaquePointer?, Bytes, Int) -> OpaquePointer? =
                try crypto.function("EVP_PKEY_new_raw_private_key")
            let free: @convention(c) (OpaquePointer) -> Void = try crypto.function("EVP_PKEY_free")
            let ed25519: Int32 = 1087
            let key = try #require(make(ed25519, nil, seed, seed.count))
            defer { free(key) }
            var (bytes, filled) = ([UInt8](repeating: 0, count: length), length)
            try #require(fill(key, &bytes, &filled) == 1 && filled == length)
            return Data(bytes)
        }
    }

    private struct OpenSsl: @unchecked Sendable {
        private let library: UnsafeMutableRawPointer

        init() throws { library = try #require(dlopen("libcrypto.so.3", RTLD_NOW)) }

        /// The caller's type is that of OpenSSL's header.
        func function<Function>(_ name: String) throws -> Function {
            unsafeBitCast(try #require(dlsym(library, name)), to: Function.self)
        }
    }
#endif

/// A signer that the test writes where it is used.
final class Signs: Signer {
    private let answer: @Sendable (Data) throws -> Data

    init(_ answer: @escaping @Sendable (Data) throws -> Data) { self.answer = answer }

    convenience init(_ key: SigningKey) { self.init { try key.sign($0) } }

    func sign(bytes: Data) throws -> Data { try answer(bytes) }
}
