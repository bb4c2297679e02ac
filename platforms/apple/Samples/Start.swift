import MlsMobile

/// How the app begins.
enum Start {
    case ready(MlsClient)
    /// Nobody has unlocked the phone since it started: try again after that.
    case locked
    /// The file came with a backup, or from another phone. Its keys must not be used twice: remove the files, then
    /// recover from an archive, or be invited again.
    case anew

    static func now(isKnown: @escaping @Sendable (Credential) -> Bool) async throws -> Start {
        do {
            let client = try await MlsClient.open(config: Phone.config(), validator: Validator(isKnown: isKnown))
            return .ready(client)
        } catch KeyStoreError.locked, MlsError.storageLocked {
            return .locked
        } catch KeyStoreError.missingBesideDatabase, MlsError.wrongDatabaseKey {
            return .anew
        }
    }
}
