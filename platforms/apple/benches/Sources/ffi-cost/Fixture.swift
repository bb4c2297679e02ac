import Foundation
import MlsMobile

/// What `benches/ffi_cost` has prepared for all languages.
struct Fixture {
    let folder: URL

    /// Each message behind its length, four bytes with the largest first.
    func messages(_ size: Size) throws -> [Data] {
        let bytes = try Data(contentsOf: folder.appendingPathComponent(size.name))
        var messages: [Data] = []
        var at = 0
        while at < bytes.count {
            let length = bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
            // Of its own, as a message from the network is.
            messages.append(bytes.subdata(in: at + 4..<at + 4 + length))
            at += 4 + length
        }
        return messages
    }

    /// The phone on a fresh copy of its database, beside the original. The folder goes with the fixture.
    func phone() throws -> ClientConfig {
        let copy = folder.appendingPathComponent(UUID().uuidString)
        try FileManager.default.copyItem(at: folder.appendingPathComponent("phone"), to: copy)
        return ClientConfig(
            database: copy.appendingPathComponent("mls.db"), databaseKey: Data(repeating: 7, count: 32))
    }
}

/// Messages of a size have a group of their own, because each contestant reads them from the first on.
struct Size {
    let name: String
    let bytes: Int
    /// How many calls are timed; a fifth of it is the warm-up.
    let calls: Int

    static let small = Size(name: "small", bytes: 1024, calls: 4000)
    static let large = Size(name: "large", bytes: 1024 * 1024, calls: 50)

    var group: GroupId { GroupId(Data(name.utf8)) }
    var plaintext: Data { Data(repeating: 7, count: bytes) }
}
