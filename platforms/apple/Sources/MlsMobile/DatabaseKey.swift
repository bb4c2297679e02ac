import Foundation

/// Where a database key is kept: the Keychain, or something like it.
public protocol KeyStore: Sendable {
    /// The key, if there is one.
    func read() throws -> Data?

    /// Keeps a key where none is; false if another process was faster.
    func add(_ key: Data) throws -> Bool
}

/// Why there is no database key.
public enum KeyStoreError: Error, Hashable, Sendable {
    /// A database is there, but its key is not: the file came with a backup or from another device. A new key would not
    /// open it. Remove the files and join the groups again.
    case missingBesideDatabase
    /// The device has not been unlocked since it started. Try again after that.
    case locked
    /// The key store answered with this code.
    case failed(status: Int32)
}

/// The key of the database at `file`, made when there is neither.
///
/// Stored: a new key of 32 random bytes in `store`, before any file is written under it.
/// Errors: `missingBesideDatabase`, and those of the store. A key is never made for a file that exists.
public func databaseKey(for file: URL, in store: some KeyStore) throws -> Data {
    // The file is looked at first: another process makes the key before the file.
    let exists = FileManager.default.fileExists(atPath: file.path)
    if let key = try store.read() { return key }
    guard !exists else { throw KeyStoreError.missingBesideDatabase }
    var random = SystemRandomNumberGenerator()
    let key = Data((0..<32).map { _ in UInt8.random(in: .min ... .max, using: &random) })
    if try store.add(key) { return key }
    guard let theirs = try store.read() else { throw KeyStoreError.missingBesideDatabase }
    return theirs
}
