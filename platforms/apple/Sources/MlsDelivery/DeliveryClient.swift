import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// A device's connection to the reference delivery service. It moves bytes that `MlsMobile` has made, or will process, and
/// knows nothing of MLS itself.
///
/// A call is one request, and may come from any task. It throws ``DeliveryError``, and nothing else but
/// `CancellationError`: a call whose task is cancelled ends at once, and whether the service did what was asked is unknown, as
/// after ``DeliveryError/noAnswer``. Nothing is written to disk. Certificates are the system's to judge; to let in certain ones
/// only, list them under `NSPinnedDomains` in the app's Info.plist.
public struct DeliveryClient: Sendable {
    private let transport: Transport
    private let token: AccessToken?

    /// A connection to the service at `address`, such as `https://delivery.example.org`. `token` is that of an earlier
    /// registration.
    public init(address: URL, token: AccessToken? = nil) {
        (transport, self.token) = (Transport(address), token)
    }

    private init(_ transport: Transport, _ token: AccessToken) {
        (self.transport, self.token) = (transport, token)
    }

    /// The same, with the token of a registration.
    public func with(_ token: AccessToken) -> DeliveryClient {
        DeliveryClient(transport, token)
    }
}

// Devices and key packages.
extension DeliveryClient {
    /// What the next registration must prove. It can be used once, for five minutes.
    public func challenge() async throws -> Data {
        let answer: Challenge = try await json(.post, "/v1/challenge")
        return answer.challenge
    }

    /// Registers the device whose key package `proof` is, or gives it another token. The `applicationId` of its leaf is a
    /// ``challenge()``, so that the signature key signs it. Delete the key package afterwards: nobody is added with it.
    ///
    /// Refused: `wrong_challenge` (fetch another), `invalid_key_package`.
    public func register(proof: Data) async throws -> Registered {
        let answer: Registration = try await json(.post, "/v1/devices", Register(proof: proof))
        return Registered(
            device: DeviceId(answer.device), token: AccessToken(answer.token),
            lifetime: .seconds(Int64(clamping: answer.expiresIn)))
    }

    /// Deletes the device and all that waits for it.
    public func deleteDevice() async throws {
        try await nothing(.delete, "/v1/device")
    }

    /// Publishes key packages of this device, at most 200, all or none, and returns what is there afterwards.
    ///
    /// Refused: `invalid_key_package`, `anothers_key_package`, `too_many_key_packages`.
    public func publishKeyPackages(_ keyPackages: [Data]) async throws -> [KeyPackageStock] {
        let stocks: Stocks = try await json(.post, "/v1/key-packages", Publish(keyPackages: keyPackages))
        return stocks.suites
    }

    /// How many key packages of this device wait: publish more before there are none.
    public func keyPackageStock() async throws -> [KeyPackageStock] {
        let stocks: Stocks = try await json(.get, "/v1/key-packages")
        return stocks.suites
    }

    /// Withdraws all key packages of this device, after their private keys were lost.
    public func withdrawKeyPackages() async throws {
        try await nothing(.delete, "/v1/key-packages")
    }

    /// Takes a key package of another device, to add it to a group. Nobody else gets the same, unless it is of last resort.
    ///
    /// Refused: `no_key_package`.
    public func claimKeyPackage(of device: DeviceId, ciphersuite: UInt16) async throws -> Data {
        try await bytes(.post, "/v1/devices/\(device)/key-packages/\(ciphersuite)")
    }
}

// Groups.
extension DeliveryClient {
    /// Makes a group known, with this device in it. Who has `joinSecret` can join by itself; the service gets its hash.
    /// Without one nobody can. The same again is no error.
    ///
    /// Refused: `group_exists`.
    public func createGroup(_ group: Data, epoch: UInt64 = 0, joinSecret: Data? = nil) async throws {
        let new = CreateGroup(group: group, epoch: epoch, joinSecretHash: joinSecret.map(sha256))
        try await nothing(.post, "/v1/groups", new)
    }

    /// The group's epoch and devices. Refused: `no_such_group`.
    public func group(_ group: Data) async throws -> GroupStatus {
        let status: Status = try await json(.get, place(group))
        return GroupStatus(epoch: status.epoch, devices: status.devices.map { DeviceId($0) })
    }

    /// Submits a Commit. `accepted`: merge it. `wrongEpoch`: clear it, read the queue, begin again. After a lost answer or a
    /// crash submit the same bytes again (`pendingCommit` has them).
    ///
    /// `welcome` goes to the devices that it adds, which get later messages too; those that it removes get this Commit and
    /// nothing afterwards. `groupInfo` is that of the next epoch, if it is at hand. `newJoinSecret` replaces the group's; empty,
    /// nobody can join by itself any more.
    /// Refused: `no_such_group`, `invalid_message`, `another_group`, `too_many_devices`, `ratchet_tree_included`.
    public func submit(
        _ commit: Data, to group: Data, welcome: Data? = nil, added: [DeviceId] = [], removed: [DeviceId] = [],
        groupInfo: PublishedGroupInfo? = nil, newJoinSecret: Data? = nil
    ) async throws -> SendOutcome {
        let submit = Submit(
            commit: commit, added: added.map(\.bytes), removed: removed.map(\.bytes), welcome: welcome,
            groupInfo: groupInfo, joinSecretHash: newJoinSecret.map { $0.isEmpty ? $0 : sha256($0) })
        return try await outcome(request(.post, place(group, "commits"), submit))
    }

    /// Submits an external Commit, by who has the group's join secret. `accepted`: confirm the join. `wrongEpoch`: abandon
    /// it, and begin again with another ``groupInfo(of:joinSecret:)``.
    ///
    /// Refused: `no_such_group` (or another secret), `invalid_message`, `another_group`.
    public func join(_ group: Data, by commit: Data, joinSecret: Data) async throws -> SendOutcome {
        try await outcome(request(.post, place(group, "commits"), Submit(commit: commit), joinSecret: joinSecret))
    }

    /// Sends an application message, or a proposal, which must be of the group's epoch.
    ///
    /// Refused: `no_such_group` (also once this device was removed), `invalid_message`, `another_group`.
    public func sendMessage(_ message: Data, to group: Data) async throws -> SendOutcome {
        var request = try transport.request(.post, place(group, "messages"), token)
        request.setValue("message/mls", forHTTPHeaderField: "Content-Type")
        request.httpBody = message
        return try await outcome(request)
    }

    /// Publishes what those who join by themselves need, after a merge.
    ///
    /// Refused: `wrong_epoch` (whoever made the Commit since publishes), `ratchet_tree_included`, `no_such_group`.
    public func publishGroupInfo(_ info: PublishedGroupInfo, of group: Data) async throws {
        try await nothing(.put, place(group, "group-info"), info)
    }

    /// What an external Commit needs. Devices of the group need no join secret.
    ///
    /// Refused: `no_group_info` (nobody has published that of the present epoch yet), `no_such_group` (or another secret).
    public func groupInfo(of group: Data, joinSecret: Data? = nil) async throws -> PublishedGroupInfo {
        let request = try transport.request(.get, place(group, "group-info"), token, joinSecret: joinSecret)
        return try decoded(try await transport.success(request))
    }

    /// Gets no more messages of a group. Refused: `no_such_group`.
    public func leave(_ group: Data) async throws {
        try await nothing(.delete, place(group, "device"))
    }

    private func place(_ group: Data, _ part: String? = nil) -> String {
        "/v1/groups/" + group.base64URL + (part.map { "/" + $0 } ?? "")
    }
}

// The queue.
extension DeliveryClient {
    /// The longest that ``readQueue(after:limit:wait:)`` waits.
    public static let longestWait = Duration.seconds(50)

    /// What stands in the queue behind the cursor, at most `limit` messages, at most 1000. If that is nothing, it waits for a message, up to
    /// `wait` in whole seconds, and gives an empty page then. What was acknowledged is gone: 0 reads from the beginning.
    ///
    /// Refused: `wrong_cursor` (it is of before the device was deleted: begin at 0).
    public func readQueue(after cursor: UInt64 = 0, limit: Int = 100, wait: Duration = .zero) async throws -> Page {
        let seconds = min(max(wait, .zero), Self.longestWait).components.seconds
        return try await json(.get, "/v1/queue?after=\(cursor)&limit=\(limit)&wait=\(seconds)")
    }

    /// Lets the service delete what is safe on this device: all up to the cursor. `missed` messages were dealt with, by
    /// joining again. Without this they come again; the library knows duplicates.
    ///
    /// Refused: `wrong_cursor`.
    public func acknowledge(_ cursor: UInt64, missed: UInt64 = 0) async throws {
        try await nothing(.post, "/v1/queue/acknowledged", Acknowledge(cursor: cursor, missed: missed))
    }
}

// What a call is made of.
extension DeliveryClient {
    private func request(
        _ method: Method, _ path: String, _ body: some Encodable, joinSecret: Data? = nil
    ) throws -> URLRequest {
        var request = try transport.request(method, path, token, joinSecret: joinSecret)
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        request.httpBody = try encoded(body)
        return request
    }

    private func bytes(_ method: Method, _ path: String) async throws -> Data {
        try await transport.success(try transport.request(method, path, token))
    }

    private func json<Answer: Decodable>(_ method: Method, _ path: String) async throws -> Answer {
        try decoded(try await bytes(method, path))
    }

    private func json<Answer: Decodable>(
        _ method: Method, _ path: String, _ body: some Encodable
    ) async throws -> Answer {
        try decoded(try await transport.success(request(method, path, body)))
    }

    private func nothing(_ method: Method, _ path: String) async throws {
        _ = try await bytes(method, path)
    }

    private func nothing(_ method: Method, _ path: String, _ body: some Encodable) async throws {
        _ = try await transport.success(request(method, path, body))
    }

    private func outcome(_ request: URLRequest) async throws -> SendOutcome {
        let (status, body) = try await transport.exchange(request)
        if status == 409, let problem: Problem = try? decoded(body), let epoch = problem.epoch {
            return .wrongEpoch(epoch)
        }
        let accepted: Accepted = try decoded(try successful(status, body))
        return .accepted(
            epoch: accepted.epoch, duplicate: accepted.duplicate,
            unknownDevices: (accepted.unknownDevices ?? []).map { DeviceId($0) })
    }
}
