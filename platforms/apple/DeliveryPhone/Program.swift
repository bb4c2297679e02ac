// The program of tests/scenarios.md: a phone that does what it is told, line by line, through the delivery service.

import Foundation
import MlsDelivery
import MlsMobile

@main
struct Program {
    static func main() async {
        let arguments = CommandLine.arguments
        guard arguments.count == 4, let address = URL(string: arguments[3]) else {
            return stop("usage: phone FOLDER NAME ADDRESS")
        }
        do {
            let files = URL(fileURLWithPath: arguments[1]).appendingPathComponent(arguments[2])
            let program = try await Program(files: files, name: arguments[2], address: address)
            while let line = readLine() { answer(try await program.obey(line)) }
            await program.phone.client.close()
        } catch {
            stop("\(error)")
        }
    }

    private static func answer(_ line: String) {
        FileHandle.standardOutput.write(Data((line + "\n").utf8))
    }

    private static func stop(_ reason: String) {
        FileHandle.standardError.write(Data((reason + "\n").utf8))
        exit(1)
    }

    private let phone: Phone
    private let identity: IdentityId

    private init(files: URL, name: String, address: URL) async throws {
        let database = files.appendingPathExtension("db")
        let config = ClientConfig(database: database, databaseKey: Data(repeating: 5, count: 32))
        let client = try await MlsClient.open(config: config, validator: Accepts())
        let service = DeliveryClient(address: address)
        // An app keeps it in the Keychain.
        let token = files.appendingPathExtension("token")
        if let known = try await client.identities().first {
            identity = known.id
            let text = try String(contentsOf: token, encoding: .utf8)
            phone = Phone(client: client, delivery: service.with(AccessToken(text)))
        } else {
            let credential = Credential.basic(identity: Data(name.utf8))
            identity = try await client.createIdentity(credential: credential, ciphersuite: Phone.suite).id
            let registered = try await Phone.register(identity, of: client, at: service)
            try Data(registered.token.text.utf8).write(to: token)
            phone = Phone(client: client, delivery: service.with(registered.token))
            try await phone.publishKeyPackages(of: identity)
        }
        Self.answer("device \(DeviceId(signatureKey: identity.bytes))")
    }

    private func obey(_ line: String) async throws -> String {
        let words = line.split(separator: " ", maxSplits: 1).map(String.init)
        switch (words[0], words.dropFirst().first) {
        case ("create", nil):
            _ = try await phone.createGroup(of: identity)
            return "created"
        case ("invite", let device?):
            try await phone.invite(required(DeviceId(device)), to: group())
            return "invited"
        case ("update", nil):
            let group = try await group()
            let lost = try await phone.commit(to: group) { try await group.selfUpdate() }
            return "lost \(lost)"
        case ("say", let text?):
            try await phone.say(text, in: group())
            return "said"
        case ("hear", nil):
            return "heard " + (try await hear()).joined(separator: ", ")
        case ("authenticator", nil):
            let authenticator = try await group().epochAuthenticator()
            return "authenticator " + authenticator.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        default:
            throw Unexpected.absent
        }
    }

    private func group() async throws -> MlsGroup {
        try await phone.client.group(required(try await phone.client.groups().first).groupId)
    }

    /// Waits until something comes, and takes all that is there.
    private func hear() async throws -> [String] {
        while try await phone.receive(wait: DeliveryClient.longestWait) == 0 {}
        while try await phone.receive() > 0 {}
        let entries = try await phone.client.inbox(limit: 1000)
        try await phone.client.acknowledge(entries.map(\.id))
        return entries.compactMap { entry in
            guard case .application(_, _, _, let plaintext, _) = entry.outcome else { return nil }
            return String(decoding: plaintext, as: UTF8.self)
        }
    }
}

final class Accepts: CredentialValidator {
    func validate(request: ValidationRequest) -> Bool { true }
}
