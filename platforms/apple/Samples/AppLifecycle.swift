import MlsMobile
import UIKit

/// Lets go of the database before iOS suspends the app, which it would end for a lock that is held.
@MainActor
func enterBackground(_ client: MlsClient) {
    let application = UIApplication.shared
    var task = UIBackgroundTaskIdentifier.invalid
    let end: @MainActor () -> Void = {
        application.endBackgroundTask(task)
        task = .invalid
    }
    task = application.beginBackgroundTask(withName: "suspend") { end() }
    Task {
        try? await client.suspend(deadline: .seconds(2))
        end()
    }
}

/// Opens it again; the inbox is told, because an extension may have filled it meanwhile.
@MainActor
func enterForeground(_ client: MlsClient) async throws {
    try await client.resume()
}
