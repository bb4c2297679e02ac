import MlsMobile

/// Decides who is let in; the app knows its users. Without a validator received Commits wait for `mergeStagedCommit`.
final class Validator: CredentialValidator {
    let isKnown: @Sendable (Credential) -> Bool

    init(isKnown: @escaping @Sendable (Credential) -> Bool) { self.isKnown = isKnown }

    func validate(request: ValidationRequest) throws -> Bool {
        guard case .keyPackage(_, let member) = request else { return true }
        return isKnown(member.credential)
    }
}
