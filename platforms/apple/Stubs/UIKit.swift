// The signatures of Apple's UIKit that the samples use.

public struct UIBackgroundTaskIdentifier: Sendable {
    public static let invalid = UIBackgroundTaskIdentifier()
}

@MainActor
public final class UIApplication {
    public static let shared = UIApplication()

    public func beginBackgroundTask(
        withName name: String?, expirationHandler: (@MainActor @Sendable () -> Void)?
    ) -> UIBackgroundTaskIdentifier { .invalid }

    public func endBackgroundTask(_ identifier: UIBackgroundTaskIdentifier) {}
}
