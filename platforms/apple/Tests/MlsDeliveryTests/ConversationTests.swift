import Foundation
import Testing

@Suite struct ConversationTests {
    /// Two in Swift, and a third in Rust where test.sh names its program.
    @Test(withService) func S109_three_phones_hold_a_conversation_across_restarts() async throws {
        let (service, folder) = (try await Service(), try Folder())
        let rust = ProcessInfo.processInfo.environment["MLS_RUST_PHONE"] ?? ""
        let third = rust.isEmpty ? swiftPhone : URL(fileURLWithPath: rust)
        let programs = [("anna", swiftPhone), ("ben", swiftPhone), ("cora", third)]
        func start() async throws -> (phones: [Program], devices: [String]) {
            var (phones, devices): ([Program], [String]) = ([], [])
            for (name, program) in programs {
                let phone = try Program(program, [folder.url.path, name, service.address.absoluteString])
                devices.append(String(try await phone.line().dropFirst("device ".count)))
                phones.append(phone)
            }
            return (phones, devices)
        }

        var (phones, devices) = try await start()
        #expect(try await phones[0].tell("create") == "created")
        #expect(try await phones[0].tell("invite " + devices[1]) == "invited")
        #expect(try await phones[1].tell("hear") == "heard ")
        #expect(try await phones[1].tell("invite " + devices[2]) == "invited")
        for phone in [phones[0], phones[2]] { #expect(try await phone.tell("hear") == "heard ") }
        try await talk(phones)

        for loser in 0..<3 {
            let (winner, third) = (phones[(loser + 1) % 3], phones[(loser + 2) % 3])
            #expect(try await winner.tell("update") == "lost 0")
            #expect(try await phones[loser].tell("update") == "lost 1")
            for phone in [winner, third] { #expect(try await phone.tell("hear") == "heard ") }
        }

        for phone in phones { #expect(await phone.end() == 0) }
        let known = devices
        (phones, devices) = try await start()
        #expect(devices == known)
        try await talk(phones)
        var authenticators: Set<String> = []
        for phone in phones { authenticators.insert(try await phone.tell("authenticator")) }
        #expect(authenticators.count == 1)
        for phone in phones { #expect(await phone.end() == 0) }
    }

    /// Each says something while the others wait for it.
    private func talk(_ phones: [Program]) async throws {
        for speaker in phones.indices {
            try await withThrowingTaskGroup(of: String.self) { group in
                for listener in phones.indices where listener != speaker {
                    group.addTask { try await phones[listener].tell("hear") }
                }
                #expect(try await phones[speaker].tell("say I am number \(speaker)") == "said")
                for try await heard in group { #expect(heard == "heard I am number \(speaker)") }
            }
        }
    }

    private var swiftPhone: URL {
        #if os(Linux)
            URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent("phone")
        #else
            Bundle(for: Folder.self).bundleURL.deletingLastPathComponent().appendingPathComponent("phone")
        #endif
    }
}
