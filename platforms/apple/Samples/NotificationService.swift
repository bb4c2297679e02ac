import MlsMobile
import UserNotifications

/// The whole of an app's Notification Service Extension; what is its own stands in `Phone`.
final class NotificationService: UNNotificationServiceExtension {
    private var work: Task<Void, Never>?

    override func didReceive(
        _ request: UNNotificationRequest, withContentHandler show: @escaping (UNNotificationContent) -> Void
    ) {
        let content = Unchecked(value: (request.content, show))
        work = Task {
            let (original, show) = content.value
            let text = try? await Phone.handleNotification()
            let shown = original.mutableCopy() as? UNMutableNotificationContent
            if let text { shown?.body = text }
            show(shown ?? original)
        }
    }

    // The budget ends the work before this; cancelled, it begins nothing new.
    override func serviceExtensionTimeWillExpire() { work?.cancel() }
}

/// The system hands these over for one use.
private struct Unchecked<Value>: @unchecked Sendable { let value: Value }
