import Foundation
import MlsMobileFFI

// The library counts in integers; these take and give what Swift has for time and files.

extension ClientConfig {
    /// A configuration with every default but these.
    public init(database: URL, databaseKey: Data, busyTimeout: Duration = .seconds(5)) {
        self.init(
            databasePath: database.path, databaseKey: databaseKey, busyTimeoutMs: busyTimeout.milliseconds)
    }
}

extension KeyPackageOptions {
    /// Usable for this long from now on, at most the client's `Lifetimes` less its clock skew.
    public init(lifetime: Duration, lastResort: Bool = false, leafNode: LeafNodeOptions? = nil) {
        self.init(lifetimeSeconds: lifetime.wholeSeconds, lastResort: lastResort, leafNode: leafNode)
    }
}

extension Lifetimes {
    /// The longest lifetime that is made or accepted, and how far in the past one of this device begins.
    public init(maximum: Duration, clockSkew: Duration = .seconds(3600)) {
        self.init(maximumLifetimeSeconds: maximum.wholeSeconds, clockSkewSeconds: clockSkew.wholeSeconds)
    }
}

extension ProcessOptions {
    /// Stop when this is spent; the message that runs is finished first.
    public init(budget: Duration) {
        self.init(budgetMs: budget.milliseconds)
    }
}

extension PastEpochDeletion {
    /// Those of epochs that ended longer ago; of all if it is zero.
    public static func olderThan(_ age: Duration) -> PastEpochDeletion {
        .olderThan(seconds: age.wholeSeconds)
    }
}

extension KeyPackage {
    /// When it can be used.
    public var lifetime: ClosedRange<Date> { .init(seconds: notBefore, notAfter) }
}

extension KeyPackageInfo {
    /// When it can be used.
    public var lifetime: ClosedRange<Date> { .init(seconds: notBefore, notAfter) }
}

extension ClosedRange<Date> {
    fileprivate init(seconds start: UInt64, _ end: UInt64) {
        let start = Date(timeIntervalSince1970: TimeInterval(start))
        let end = Date(timeIntervalSince1970: TimeInterval(end))
        self = Swift.min(start, end)...end
    }
}

extension Duration {
    /// As the library takes it: nothing below zero, and the longest that it knows at most.
    var milliseconds: UInt32 {
        UInt32(clamping: max(.zero, self) / .milliseconds(1))
    }

    var wholeSeconds: UInt64 {
        UInt64(clamping: components.seconds)
    }
}

extension UInt32 {
    fileprivate init(clamping value: Double) {
        self = value < Double(Self.max) ? Self(value) : .max
    }
}
