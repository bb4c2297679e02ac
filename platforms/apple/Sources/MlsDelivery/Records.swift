import Foundation

/// What a registration gave.
public struct Registered: Hashable, Sendable {
    /// The device's id, which stays the same when it registers again.
    public let device: DeviceId
    /// What every request shows from now on: ``DeliveryClient/with(_:)``. Earlier tokens of the device are worthless now.
    public let token: AccessToken
    /// How long it can be used.
    public let lifetime: Duration
}

/// How many key packages of a suite wait to be claimed.
public struct KeyPackageStock: Hashable, Sendable, Decodable {
    /// The suite's number (RFC 9420, section 17.1).
    public let ciphersuite: UInt16
    /// Unexpired ones that are given out once each.
    public let singleUse: UInt64
    /// Whether there is an unexpired one for when all others are gone.
    public let lastResort: Bool
}

/// What became of a Commit or a message. Both are of one epoch, and another member may be faster.
public enum SendOutcome: Hashable, Sendable {
    /// The service took it. `epoch` is the one that the group is in now. A `duplicate` was taken before, and nothing was
    /// done again. `unknownDevices` were added, but are not registered: nothing reaches them.
    case accepted(epoch: UInt64, duplicate: Bool, unknownDevices: [DeviceId])
    /// The group is in this epoch: another Commit was first. Nothing was done. Clear the own Commit, read the queue, and
    /// begin again.
    case wrongEpoch(UInt64)
}

/// A group as the service sees it.
public struct GroupStatus: Hashable, Sendable {
    /// The epoch that the next Commit must be of.
    public let epoch: UInt64
    /// Devices that its messages go to.
    public let devices: [DeviceId]
}

/// What those need who join a group by themselves.
public struct PublishedGroupInfo: Hashable, Sendable, Codable {
    /// A GroupInfo without the ratchet tree, which is a list of the members: `exportGroupInfo(withRatchetTree: false)`.
    public let groupInfo: Data
    /// The tree of `exportRatchetTree`, encrypted under a key that goes the way of the join secret.
    public let sealedRatchetTree: Data?

    /// What is published together.
    public init(groupInfo: Data, sealedRatchetTree: Data? = nil) {
        (self.groupInfo, self.sealedRatchetTree) = (groupInfo, sealedRatchetTree)
    }
}

/// A message in this device's queue.
public struct Delivery: Hashable, Sendable, Decodable {
    /// What it is, so that Welcomes go to `joinFromWelcome` and all else to `processMessages`.
    public enum Kind: String, Hashable, Sendable, Decodable {
        /// For the user.
        case application
        /// Asks for a change.
        case proposal
        /// Makes changes.
        case commit
        /// Invites this device.
        case welcome
    }

    /// Its place in the queue, growing by one.
    public let position: UInt64
    /// What it is.
    public let kind: Kind
    /// The group that it was sent to.
    public let group: Data
    /// The MLSMessage.
    public let bytes: Data
}

/// A part of this device's queue, oldest first.
public struct Page: Hashable, Sendable, Decodable {
    /// The messages.
    public let deliveries: [Delivery]
    /// Where to read on, and what to acknowledge when these are safe.
    public let cursor: UInt64
    /// Messages that this device will never get, because its queue was full or they were too old: it should join its
    /// groups again, and then acknowledge the number.
    public let missed: UInt64
}
