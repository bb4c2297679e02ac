import Foundation
import Testing

@Suite struct TwoDevicesTests {
    @Test func S80_two_device_programs_talk_through_files() async throws {
        let folder = try Folder().url
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let other = Task.detached { try run("device", [folder.path, "join", "bob", "alice"]) }
        let first = try run("device", [folder.path, "create", "alice", "bob"])
        let second = try await other.value
        #expect(first.status == 0 && second.status == 0)
        #expect(first.output == second.output)
        #expect(first.output.wholeMatch(of: /authenticator [0-9a-f]{64}\n/) != nil)
    }
}
