#if canImport(Security)
    import Foundation
    import Security

    /// A database key in the Keychain, readable after the first unlock and on this device only: items of other classes
    /// travel with backups, and a restored copy would use keys a second time.
    public struct Keychain: KeyStore {
        private let service: String
        private let account: String
        private let accessGroup: String?

        /// `accessGroup` is what the app and its extensions share.
        public init(service: String, account: String = "database-key", accessGroup: String?) {
            self.service = service
            self.account = account
            self.accessGroup = accessGroup
        }

        /// The key, if there is one.
        public func read() throws -> Data? {
            var query = item
            query[kSecReturnData as String] = true
            query[kSecMatchLimit as String] = kSecMatchLimitOne
            var found: CFTypeRef?
            switch SecItemCopyMatching(query as CFDictionary, &found) {
            case errSecSuccess: return found as? Data
            case errSecItemNotFound: return nil
            case errSecInteractionNotAllowed: throw KeyStoreError.locked
            case let status: throw KeyStoreError.failed(status: status)
            }
        }

        /// Keeps a key where none is; false if another process was faster.
        public func add(_ key: Data) throws -> Bool {
            var query = item
            query[kSecValueData as String] = key
            query[kSecAttrAccessible as String] = kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly
            switch SecItemAdd(query as CFDictionary, nil) {
            case errSecSuccess: return true
            case errSecDuplicateItem: return false
            case errSecInteractionNotAllowed: throw KeyStoreError.locked
            case let status: throw KeyStoreError.failed(status: status)
            }
        }

        private var item: [String: Any] {
            var item: [String: Any] = [
                kSecClass as String: kSecClassGenericPassword,
                kSecAttrService as String: service,
                kSecAttrAccount as String: account,
                // On macOS, where the older keychain knows no accessibility classes.
                kSecUseDataProtectionKeychain as String: true,
            ]
            if let accessGroup { item[kSecAttrAccessGroup as String] = accessGroup }
            return item
        }
    }
#endif
