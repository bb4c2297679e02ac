import Foundation
import MlsMobile
import Testing

@Suite struct DatabaseKeyTests {
    /// A Keychain in memory; another process may be faster in it.
    private final class Store: KeyStore {
        let kept = Shared<Data?>(nil)
        private let faster: Data?

        init(faster: Data? = nil) { self.faster = faster }

        func read() -> Data? { kept() }

        func add(_ key: Data) -> Bool {
            kept.change { $0 = faster ?? key }
            return faster == nil
        }
    }

    @Test func a_key_is_made_once() throws {
        let (folder, store) = (try Folder(), Store())
        let key = try databaseKey(for: folder["a.db"], in: store)
        #expect(key.count == 32 && key == store.kept())
        #expect(try databaseKey(for: folder["a.db"], in: store) == key)
        #expect(try databaseKey(for: folder["a.db"], in: Store()) != key)
    }

    @Test func a_key_that_is_missing_beside_a_file_is_an_error_and_never_a_new_key() throws {
        let (folder, store) = (try Folder(), Store())
        try Data().write(to: folder["a.db"])
        #expect(throws: KeyStoreError.missingBesideDatabase) { try databaseKey(for: folder["a.db"], in: store) }
        #expect(store.kept() == nil)
    }

    @Test func the_key_of_a_faster_process_is_taken() throws {
        let theirs = Data(repeating: 1, count: 32)
        #expect(try databaseKey(for: try Folder()["a.db"], in: Store(faster: theirs)) == theirs)
    }
}
