import Foundation
import MlsMobileFFI

/// The extension that names the servers which may propose (RFC 9420, section 12.1.8.1), for
/// `updateGroupContextExtensions` and `proposeGroupContextExtensions`: put it in the place of the one of type 5, or
/// leave that out for a group without such servers. Nothing is stored.
///
/// Errors: `invalidArgument` with the argument `external_senders` (`empty`; `wrongLength`: a key that is not one of
/// Ed25519; `tooLong`: keys and credentials over 1 MiB together) or a credential's.
public func externalSendersExtension(_ senders: [ExternalSender]) throws -> Extension {
    try converted { try MlsMobileFFI.externalSendersExtension(externalSenders: senders) }
}

/// The extension that says what every member must support (RFC 9420, section 11.1), for
/// `updateGroupContextExtensions` and `proposeGroupContextExtensions`: put it in the place of the one of type 3.
/// Unlike at a group's creation, the types of the group's other extensions must be named. Nothing is stored.
///
/// Errors: `invalidArgument` with the argument `required_capabilities` (`empty`; `outOfRange`: a type that needs not be
/// required; `duplicate`; `tooLong`: over 256 of a kind).
public func requiredCapabilitiesExtension(_ required: RequiredCapabilities) throws -> Extension {
    try converted { try MlsMobileFFI.requiredCapabilitiesExtension(requiredCapabilities: required) }
}
