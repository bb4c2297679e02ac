import MlsMobile

/// Decides who is let in: everybody whom a request brings must be known to the app. Without a validator received Commits
/// wait for `mergeStagedCommit`.
final class Validator: CredentialValidator {
    let isKnown: @Sendable (Credential) -> Bool

    init(isKnown: @escaping @Sendable (Credential) -> Bool) { self.isKnown = isKnown }

    func validate(request: ValidationRequest) throws -> Bool {
        switch request {
        case .keyPackage(_, let member):
            return isKnown(member.credential)
        case .welcome(_, _, let members), .externalJoin(_, let members):
            return members.allSatisfy { isKnown($0.credential) }
        case .commit(_, let summary):
            // `before` of an updated member tells whether it has changed its name.
            return (summary.added + summary.externalJoins).allSatisfy { isKnown($0.credential) }
                && summary.updated.allSatisfy { isKnown($0.after.credential) }
        case .proposal(_, let summary):
            switch summary.kind {
            case .add(let member), .update(let member): return isKnown(member.credential)
            default: return true
            }
        case .externalSenders:
            return false
        }
    }
}
