import Foundation
import MlsMobile
import Testing

/// The README's first minutes, compiled and run. On a phone the folder is `DatabaseDirectory.inAppGroup(…)` and the
/// store a `Keychain`.
func firstConversation(folder: URL, store: some KeyStore) async throws -> String {
    // A device is a database file, opened with a key from the system's key store.
    let (here, there) = (folder.appendingPathComponent("alice.db"), folder.appendingPathComponent("bob.db"))
    let key = try databaseKey(for: here, in: store)
    let alice = try await MlsClient.open(config: ClientConfig(database: here, databaseKey: key))
    let bob = try await MlsClient.open(config: ClientConfig(database: there, databaseKey: key))

    let suite = Ciphersuite.mls128Dhkemx25519Chacha20poly1305Sha256Ed25519
    let named = { (name: String) in Credential.basic(identity: Data(name.utf8)) }
    let alices = try await alice.createIdentity(credential: named("alice"), ciphersuite: suite)
    let bobs = try await bob.createIdentity(credential: named("bob"), ciphersuite: suite)

    // Bob publishes key packages; Alice takes one and invites him.
    let keyPackages = try await bob.createKeyPackages(identity: bobs.id, count: 1)
    let group = try await alice.createGroup(identity: alices.id)
    let bundle = try await group.addMembers(keyPackages.map(\.bytes))
    // Once the delivery service has accepted bundle.commit: send the Welcome, then merge.
    guard let welcome = bundle.welcome else { return "" }
    _ = try await bob.joinFromWelcome(welcome)
    _ = try await group.mergePendingCommit()

    let message = try await group.createMessage(Data("hello".utf8))
    _ = try await bob.processMessages([IncomingMessage(bytes: message)])

    // Whatever processed it, the app or its extension: the inbox has it until it is acknowledged.
    var heard = ""
    for entry in try await bob.inbox(limit: 100) {
        if case .application(_, _, _, let plaintext, _) = entry.outcome {
            heard = String(decoding: plaintext, as: UTF8.self)
        }
        try await bob.acknowledge([entry.id])
    }

    do {
        _ = try await group.mergePendingCommit()
    } catch MlsError.noPendingCommit {
        // The echo of the Commit was faster; nothing is left to do.
    } catch let error as MlsError {
        print("call support and name the number", error.code, error)
    }
    await alice.close()
    await bob.close()
    return heard
}

/// Sends a message, whatever state the group is in. What goes to the delivery service comes back, in order; nothing if
/// there is nobody to send to any more.
func send(_ text: String, to group: MlsGroup) async throws -> [Data] {
    let plaintext = Data(text.utf8)
    do {
        return [try await group.createMessage(plaintext)]
    } catch MlsError.pendingProposalsExist {
        // Somebody wants a change, such as to leave: it is committed first.
        let commit = try await group.commitAndCreateMessage(plaintext).commit
        // Once the delivery service has accepted it:
        let merged = try await group.mergePendingCommit()
        let messages = merged.released.compactMap { outcome -> Data? in
            guard case .messageCreated(_, _, let bytes) = outcome else { return nil }
            return bytes
        }
        return [commit] + messages
    } catch MlsError.groupInactive {
        // This device was removed.
        return []
    }
    // `suspended`: the app is in the background; call `resume` when it comes back. `groupDiverged`: join again.
}

/// Before the app's process sleeps, and when it is in front again; `Samples/AppLifecycle.swift` does it on a phone.
func sleepAndWake(_ client: MlsClient) async throws {
    try await client.suspend(deadline: .seconds(2))
    try await client.resume()
}

@Suite struct Samples {
    private final class Store: KeyStore {
        private let kept = Shared<Data?>(nil)
        func read() -> Data? { kept() }
        func add(_ key: Data) -> Bool {
            kept.change { $0 = key }
            return true
        }
    }

    @Test func the_first_conversation_works() async throws {
        let folder = try Folder()
        #expect(try await firstConversation(folder: folder.url, store: Store()) == "hello")
    }

    @Test func a_message_is_sent_whatever_state_the_group_is_in() async throws {
        let pair = try await Pair()
        try await sleepAndWake(pair.alice)
        let plain = try await send("one", to: pair.alices)
        #expect(text(try await pair.bobs.processMessage(try #require(plain.first))) == "one")
        _ = try await pair.alices.processMessage(try await pair.bobs.proposeSelfUpdate().proposal)
        let both = try await send("two", to: pair.alices)
        #expect(both.count == 2)
        let outcomes = try await pair.bob.processMessages(incoming(both)).outcomes
        guard case .processed(_, let last)? = outcomes.last else { Issue.record("nothing came"); return }
        #expect(text(last) == "two")

        _ = try await pair.alices.processMessage(try await pair.bobs.removeMembers([0]).commit)
        #expect(try await send("three", to: pair.alices) == [])
    }
}
