// The signatures of Apple's UserNotifications framework that the samples use.

import Foundation

open class UNNotificationContent {
    public init() {}
    public func mutableCopy() -> Any { UNMutableNotificationContent() }
}

open class UNMutableNotificationContent: UNNotificationContent {
    public var body = ""
}

public final class UNNotificationRequest {
    public let content = UNNotificationContent()
    public init() {}
}

open class UNNotificationServiceExtension {
    public init() {}
    open func didReceive(
        _ request: UNNotificationRequest,
        withContentHandler contentHandler: @escaping (UNNotificationContent) -> Void
    ) {}
    open func serviceExtensionTimeWillExpire() {}
}
