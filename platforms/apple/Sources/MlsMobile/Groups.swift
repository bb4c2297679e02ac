import Foundation
import MlsMobileFFI

extension MlsClient {
    /// Creates a group with this device as its only member, in epoch 0 (RFC 9420, section 11). Without `config` the
    /// client's `groupDefaults` hold. The suite is the identity's.
    ///
    /// Stored: the group. Nothing is sent; `addMembers` invites.
    /// Errors: `identityNotFound`, `groupAlreadyExists` (or an external join waits for it, or it waits to be rejoined),
    /// `invalidArgument` with the field's name (`unsupported`: this device's own leaf does not list what
    /// `requiredCapabilities` or `extensions` need of every member).
    public func createGroup(
        identity: IdentityId, config: GroupConfig? = nil
    ) async throws -> MlsGroup {
        let id = try await core.write { try $0.createGroup(identity: identity, config: config).id() }
        return MlsGroup(core, id)
    }

    /// A handle to a group. Handles hold no state; make as many as you like. Errors: `groupNotFound`,
    /// `groupNotRejoined`.
    public func group(_ groupId: GroupId) async throws -> MlsGroup {
        try await core.read { _ = try $0.group(groupId: groupId) }
        return MlsGroup(core, groupId)
    }

    /// All groups in the order in which they came, those that this device was removed from included. None is loaded.
    public func groups() async throws -> [GroupSummary] {
        try await core.read { try $0.groups() }
    }

    /// Opens and verifies a Welcome without joining: nothing is stored and nothing used up, so that the same Welcome
    /// can be looked at again, and joined. `ratchetTree` is needed if the Welcome does not carry it.
    ///
    /// Errors: `welcomeInvalid`, `messageMalformed`, `unsupportedCiphersuite`.
    public func inspectWelcome(
        _ welcome: Data, ratchetTree: Data? = nil
    ) async throws -> WelcomeInfo {
        try await core.read { try $0.inspectWelcome(welcome: welcome, ratchetTree: ratchetTree) }
    }

    /// Joins the group that a Welcome invites to (RFC 9420, section 12.4.3.1), after the validator accepted it.
    ///
    /// Stored: the group; the key package is deleted, unless it is one of last resort. Nothing is sent.
    /// A group that this device was removed from makes room for its new membership; an external join that waits is
    /// dropped, and one of `groupsToRejoin` is joined with its configuration.
    /// Errors: `welcomeInvalid`, `messageMalformed`, `groupAlreadyExists`, `credentialRejected`,
    /// `unsupportedCiphersuite`; after each of them the same Welcome can be tried again.
    public func joinFromWelcome(
        _ welcome: Data, ratchetTree: Data? = nil
    ) async throws -> MlsGroup {
        let id = try await core.write { try $0.joinFromWelcome(welcome: welcome, ratchetTree: ratchetTree).id() }
        return MlsGroup(core, id)
    }
}
