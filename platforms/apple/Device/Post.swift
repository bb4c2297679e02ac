import Foundation

/// Files from one device to another, each of which appears whole under the next number.
struct Post {
    let folder: URL
    private let own: String
    private let peer: String
    private var sent = 0
    private var received = 0

    init(folder: URL, own: String, peer: String) {
        (self.folder, self.own, self.peer) = (folder, own, peer)
    }

    mutating func send(_ kind: String, _ bytes: Data) throws {
        let files = FileManager.default
        let box = folder.appendingPathComponent(peer)
        try files.createDirectory(at: box, withIntermediateDirectories: true)
        sent += 1
        let draft = folder.appendingPathComponent("\(own)-\(sent).draft")
        try bytes.write(to: draft)
        try files.moveItem(at: draft, to: box.appendingPathComponent(name(sent, kind)))
    }

    mutating func receive(_ kind: String) async throws -> Data {
        received += 1
        let file = folder.appendingPathComponent(own).appendingPathComponent(name(received, kind))
        for _ in 0..<3000 {
            if let bytes = try? Data(contentsOf: file) { return bytes }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw Unexpected.tooLate(file.path)
    }

    private func name(_ number: Int, _ kind: String) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits + "." + kind
    }
}
