import Foundation
import MlsDelivery
import MlsMobile
import Testing

@Suite struct DeliveryTests {
    let folder: Folder

    init() throws { folder = try Folder() }

    @Test(withService) func S101_a_device_registers_by_its_key_and_its_token_shows_nowhere() async throws {
        let service = try await Service()
        let stranger = DeliveryClient(address: service.address)
        let alice = try await Phone("alice", in: folder, at: stranger)
        let first = alice.registered
        #expect(first.device == DeviceId(signatureKey: alice.identity.bytes))
        #expect(DeviceId("\(first.device)") == first.device)
        #expect(first.lifetime > .seconds(3600))
        let again = try await register(alice.identity, of: alice.client, at: stranger)
        #expect(again.device == first.device && again.token != first.token)
        await #expect(throws: DeliveryError.unauthorized) { try await alice.delivery.keyPackageStock() }
        #expect(try await stranger.with(again.token).keyPackageStock().isEmpty)

        let challenge = try await stranger.challenge()
        let proof = try await proof(of: alice.identity, of: alice.client, challenge: challenge)
        let last = try await stranger.register(proof: proof)
        await #expect(throws: DeliveryError.refused(code: "wrong_challenge")) {
            try await stranger.register(proof: proof)
        }
        var dumped = ""
        dump((last, stranger.with(last.token)), to: &dumped)
        for text in ["\(last)", String(reflecting: last), "\(stranger.with(last.token))", dumped] {
            #expect(!text.contains(last.token.text))
        }
        try await stranger.with(last.token).deleteDevice()
        await #expect(throws: DeliveryError.unauthorized) {
            try await stranger.with(last.token).readQueue()
        }
    }

    @Test(withService) func S102_key_packages_are_claimed_once_each_and_the_last_resort_after_them() async throws {
        let service = try await Service()
        let stranger = DeliveryClient(address: service.address)
        let alice = try await Phone("alice", in: folder, at: stranger)
        let bob = try await Phone("bob", in: folder, at: stranger)
        let single = try await bob.client.createKeyPackages(identity: bob.identity, count: 2).map(\.bytes)
        let last = try await bob.client.createKeyPackages(
            identity: bob.identity, count: 1, options: KeyPackageOptions(lastResort: true)
        ).map(\.bytes)
        let stock = try await bob.delivery.publishKeyPackages(single + last)
        #expect(stock.map(\.ciphersuite) == [3] && stock.map(\.singleUse) == [2] && stock.map(\.lastResort) == [true])
        var claimed: [Data] = []
        for _ in 0..<4 {
            claimed.append(try await alice.delivery.claimKeyPackage(of: bob.registered.device, ciphersuite: 3))
        }
        #expect(Set(claimed.prefix(2)) == Set(single))
        #expect(claimed.suffix(2) == last + last)
        #expect(try await bob.delivery.keyPackageStock().map(\.singleUse) == [0])
        await #expect(throws: DeliveryError.refused(code: "no_key_package")) {
            try await alice.delivery.claimKeyPackage(of: bob.registered.device, ciphersuite: 1)
        }
        await #expect(throws: DeliveryError.refused(code: "anothers_key_package")) {
            try await alice.delivery.publishKeyPackages(single)
        }
        try await bob.delivery.withdrawKeyPackages()
        #expect(try await bob.delivery.keyPackageStock().isEmpty)
    }

    @Test(withService) func S103_of_two_commits_the_first_wins_and_the_other_is_told_the_epoch() async throws {
        let service = try await Service()
        let stranger = DeliveryClient(address: service.address)
        let alice = try await Phone("alice", in: folder, at: stranger)
        let bob = try await Phone("bob", in: folder, at: stranger)
        let (alices, bobs) = try await alice.group(with: bob)
        let id = alices.id.bytes

        let (first, second) = (try await alices.selfUpdate().commit, try await bobs.selfUpdate().commit)
        let won = try await alice.delivery.submit(first, to: id)
        #expect(won == .accepted(epoch: 2, duplicate: false, unknownDevices: []))
        // The answer was lost: the same again.
        let repeated = try await alice.delivery.submit(first, to: id)
        #expect(repeated == .accepted(epoch: 2, duplicate: true, unknownDevices: []))
        #expect(try await bob.delivery.submit(second, to: id) == .wrongEpoch(2))
        _ = try await alices.mergePendingCommit()
        try await bobs.clearPendingCommit()
        for commit in try await bob.take(.commit) { _ = try await bobs.processMessage(commit) }
        try await agree(alices, bobs)

        let late = try await bobs.selfUpdate().commit
        #expect(
            try await bob.delivery.submit(late, to: id) == .accepted(epoch: 3, duplicate: false, unknownDevices: []))
        // A proposal is of its epoch only.
        let proposal = try await alices.leave().proposal
        #expect(try await alice.delivery.sendMessage(proposal, to: id) == .wrongEpoch(3))
        await #expect(throws: DeliveryError.refused(code: "another_group")) {
            try await bob.delivery.submit(late, to: Data([1]))
        }
        #expect(try await alice.delivery.group(id).epoch == 3)
        #expect(
            try await Set(alice.delivery.group(id).devices) == [alice.registered.device, bob.registered.device])
        try await bob.delivery.leave(id)
        await #expect(throws: DeliveryError.refused(code: "no_such_group")) { try await bob.delivery.group(id) }
        await #expect(throws: DeliveryError.refused(code: "group_exists")) {
            try await bob.delivery.createGroup(id, epoch: 3)
        }
    }

    @Test(withService) func S104_a_wrong_token_gets_nowhere() async throws {
        let service = try await Service()
        for token in [nil, "", "wrong", String(repeating: "A", count: 43)] {
            let delivery = DeliveryClient(address: service.address, token: token.map { AccessToken($0) })
            await #expect(throws: DeliveryError.unauthorized) { try await delivery.readQueue(wait: .seconds(50)) }
            await #expect(throws: DeliveryError.unauthorized) { try await delivery.publishKeyPackages([Data([1])]) }
            await #expect(throws: DeliveryError.unauthorized) {
                try await delivery.sendMessage(Data([1]), to: Data([1]))
            }
            await #expect(throws: DeliveryError.unauthorized) { try await delivery.acknowledge(0) }
        }
    }

    @Test(withService) func S105_without_the_service_there_is_no_answer() async throws {
        let service = try await Service()
        let delivery = DeliveryClient(address: service.address, token: AccessToken("token"))
        _ = try await delivery.challenge()
        service.stop()
        await #expect(throws: DeliveryError.noAnswer) { try await delivery.challenge() }
        await #expect(throws: DeliveryError.noAnswer) { try await delivery.readQueue(wait: .seconds(50)) }
        await #expect(throws: DeliveryError.noAnswer) { try await delivery.sendMessage(Data([1]), to: Data([1])) }
        let nowhere = DeliveryClient(address: try #require(URL(string: "https://delivery.invalid")))
        await #expect(throws: DeliveryError.noAnswer) { try await nowhere.challenge() }
    }

    @Test func S106_another_server_is_not_understood_and_gets_no_token_by_redirection() async throws {
        let answers = [
            "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{\"suites\":[[]]",
            "HTTP/1.1 500 Oh\r\nContent-Length: 6\r\n\r\n<html>",
            "HTTP/1.1 200 OK\r\nContent-Length: 20000000\r\n\r\n" + String(repeating: "x", count: 20_000_000),
        ]
        for answer in answers {
            let server = try AnotherServer(Data(answer.utf8))
            let delivery = DeliveryClient(address: server.address, token: AccessToken("token"))
            await #expect(throws: DeliveryError.notUnderstood) { try await delivery.keyPackageStock() }
        }
        let password = "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n"
        let asking = try AnotherServer(Data(password.utf8))
        // Refused here; on Linux the system gives up.
        await #expect(throws: DeliveryError.self) { try await DeliveryClient(address: asking.address).challenge() }
        let target = try AnotherServer(Data("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".utf8))
        let redirection = "HTTP/1.1 307 Elsewhere\r\nLocation: \(target.address)/\r\nContent-Length: 0\r\n\r\n"
        let server = try AnotherServer(Data(redirection.utf8))
        let delivery = DeliveryClient(address: server.address, token: AccessToken("token"))
        await #expect(throws: DeliveryError.notUnderstood) { try await delivery.keyPackageStock() }
        #expect(target.heads.isEmpty)
        // What is told about the phone.
        let head = try #require(server.heads.first)
        #expect(head.hasPrefix("GET /v1/key-packages HTTP/1.1\r\n"))
        #expect(head.contains("\r\nUser-Agent: mls-mobile\r\n") && head.contains("\r\nAuthorization: Bearer token\r\n"))
        #expect(!head.lowercased().contains("cookie") && !head.contains("en-"))
    }

    @Test(withService) func S107_a_waiting_read_ends_with_a_message_or_when_it_is_cancelled() async throws {
        let service = try await Service()
        let stranger = DeliveryClient(address: service.address)
        let alice = try await Phone("alice", in: folder, at: stranger)
        let bob = try await Phone("bob", in: folder, at: stranger)
        let (alices, bobs) = try await alice.group(with: bob)
        let before = try await bob.delivery.readQueue()
        #expect(before.deliveries.isEmpty)

        // Cancelled before it begins, while it waits, and somewhere in between.
        for pause in [0, 1, 5, 200] {
            let reading = Task { try await bob.delivery.readQueue(after: before.cursor, wait: .seconds(50)) }
            try await Task.sleep(for: .milliseconds(pause))
            reading.cancel()
            await #expect(throws: CancellationError.self) { try await reading.value }
        }

        let reading = Task { try await bob.delivery.readQueue(after: before.cursor, wait: .seconds(50)) }
        try await Task.sleep(for: .milliseconds(200))
        let message = try await alices.createMessage(Data("hello".utf8))
        _ = try await alice.delivery.sendMessage(message, to: alices.id.bytes)
        let delivered = try #require(try await reading.value.deliveries.first)
        #expect(delivered.kind == .application && delivered.group == alices.id.bytes && delivered.bytes == message)
        #expect(delivered.position == before.cursor + 1)
        guard case .application(_, _, _, Data("hello".utf8), _) = try await bobs.processMessage(delivered.bytes)
        else { Issue.record("not the message"); return }
        // Until it is acknowledged it comes again.
        #expect(try await bob.take(.application) == [message])
        #expect(try await bob.take(.application) == [])
        await #expect(throws: DeliveryError.refused(code: "wrong_cursor")) {
            try await bob.delivery.acknowledge(1000)
        }
    }

    @Test(withService) func S108_a_device_with_the_join_secret_joins_by_itself() async throws {
        let service = try await Service()
        let stranger = DeliveryClient(address: service.address)
        let alice = try await Phone("alice", in: folder, at: stranger)
        let bob = try await Phone("bob", in: folder, at: stranger)
        let carol = try await Phone("carol", in: folder, at: stranger)
        let secret = Data(repeating: 5, count: 32)
        let (alices, bobs) = try await alice.group(with: bob, joinSecret: secret)
        let id = alices.id.bytes

        await #expect(throws: DeliveryError.refused(code: "no_group_info")) {
            try await alice.delivery.groupInfo(of: id)
        }
        let withTree = PublishedGroupInfo(groupInfo: try await alices.exportGroupInfo(withRatchetTree: true))
        await #expect(throws: DeliveryError.refused(code: "ratchet_tree_included")) {
            try await alice.delivery.publishGroupInfo(withTree, of: id)
        }
        // An app encrypts the tree.
        let info = PublishedGroupInfo(
            groupInfo: try await alices.exportGroupInfo(withRatchetTree: false),
            sealedRatchetTree: try await alices.exportRatchetTree())
        try await alice.delivery.publishGroupInfo(info, of: id)
        #expect(try await bob.delivery.groupInfo(of: id) == info)
        await #expect(throws: DeliveryError.refused(code: "no_such_group")) {
            try await carol.delivery.groupInfo(of: id, joinSecret: Data(repeating: 6, count: 32))
        }
        let found = try await carol.delivery.groupInfo(of: id, joinSecret: secret)
        let join = try await carol.client.joinByExternalCommit(
            identity: carol.identity, groupInfo: found.groupInfo, ratchetTree: found.sealedRatchetTree)
        await #expect(throws: DeliveryError.refused(code: "no_such_group")) {
            try await carol.delivery.join(id, by: join.commit, joinSecret: Data(repeating: 6, count: 32))
        }
        let joined = try await carol.delivery.join(id, by: join.commit, joinSecret: secret)
        #expect(joined == .accepted(epoch: 2, duplicate: false, unknownDevices: []))
        _ = try await carol.client.confirmExternalJoin(join.groupId)
        for (phone, group) in [(alice, alices), (bob, bobs)] {
            for commit in try await phone.take(.commit) { _ = try await group.processMessage(commit) }
        }
        try await agree(alices, bobs, carol.client.group(join.groupId))

        // With the next Commit nobody else can.
        let next = try await bobs.selfUpdate().commit
        _ = try await bob.delivery.submit(next, to: id, newJoinSecret: Data())
        await #expect(throws: DeliveryError.refused(code: "no_such_group")) {
            try await stranger.with(carol.registered.token).leave(Data([9]))
        }
        try await carol.delivery.leave(id)
        await #expect(throws: DeliveryError.refused(code: "no_such_group")) {
            try await carol.delivery.groupInfo(of: id, joinSecret: secret)
        }
    }

    @Test func S110_every_operation_of_the_interface_has_a_call() async throws {
        let server = try AnotherServer(Data("HTTP/1.1 204 Done\r\nConnection: close\r\n\r\n".utf8))
        let delivery = DeliveryClient(address: server.address)
        let (group, device) = (Data([0]), DeviceId(Data(count: 32)))
        let calls: [() async throws -> Void] = [
            { _ = try await delivery.challenge() },
            { _ = try await delivery.register(proof: group) },
            { try await delivery.deleteDevice() },
            { _ = try await delivery.publishKeyPackages([group]) },
            { _ = try await delivery.keyPackageStock() },
            { try await delivery.withdrawKeyPackages() },
            { _ = try await delivery.claimKeyPackage(of: device, ciphersuite: 3) },
            { try await delivery.createGroup(group) },
            { _ = try await delivery.group(group) },
            { _ = try await delivery.submit(group, to: group) },
            { _ = try await delivery.join(group, by: group, joinSecret: group) },
            { _ = try await delivery.sendMessage(group, to: group) },
            { try await delivery.publishGroupInfo(PublishedGroupInfo(groupInfo: group), of: group) },
            { _ = try await delivery.groupInfo(of: group) },
            { try await delivery.leave(group) },
            { _ = try await delivery.readQueue() },
            { try await delivery.acknowledge(0) },
        ]
        for call in calls {
            // What some expect is not in this answer.
            do { try await call() } catch DeliveryError.notUnderstood {}
        }
        let asked = server.heads.map { head -> String in
            let words = head.split(separator: " ")
            let path = words[1].prefix { $0 != "?" }.replacing("\(device)", with: "{device}")
                .replacing("AA", with: "{group}").replacing("/3", with: "/{ciphersuite}")
            return words[0].lowercased() + " " + path
        }
        let file = repository.appendingPathComponent("delivery-service/src/openapi.json")
        var (path, operations): (String, [String]) = ("", [])
        for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
            if let place = line.firstMatch(of: /^    "(\/.*)": \{/) { path = String(place.1) }
            if let method = line.firstMatch(of: /^      "(get|post|put|delete)": \{/), path.hasPrefix("/v1/") {
                operations.append(method.1 + " " + path)
            }
        }
        #expect(Set(asked) == Set(operations) && operations.count > 15)
    }

    /// On both sides of where its blocks end.
    @Test(arguments: [
        (0, "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"),
        (3, "mDSHbc-wXLFnpcJJU-uljErImxrfV_KPL50JrxB-6PA"),
        (55, "n0OQ-NMMLdkuyfCVtl4rmumwqSWlJY4kHJ8ekQ9zQxg"),
        (56, "s1Q5pKxvCUi21vnjxq8PX1kM4g8b3nCQ73lwaG7Gc4o"),
        (64, "_-BU_nrgy23GXDr5th1SCfQ5hR20PQulmXM33xVGaOs"),
        (119, "MeulHDE6XAgiat8Y1KNZz9_Y0ugWsT9K-VL36mWE3Ps"),
        (1000, "Qe3s5C1j6Nm_UVqbppMuHCDLyfWl0TRkWttdsblzfqM"),
    ])
    func a_devices_id_is_the_SHA256_of_its_key(length: Int, id: String) {
        #expect("\(DeviceId(signatureKey: Data(repeating: UInt8(ascii: "a"), count: length)))" == id)
    }
}
