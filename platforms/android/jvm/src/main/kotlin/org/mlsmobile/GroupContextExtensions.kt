package org.mlsmobile

/**
 * The extension that names the servers which may propose (RFC 9420, section 12.1.8.1), for [updateGroupContextExtensions]
 * and [proposeGroupContextExtensions]: put it in the place of the one of type 5, or leave that out for a group without
 * such servers. Nothing is stored.
 *
 * Errors: `InvalidArgument` with the argument `external_senders` (`Empty`; `WrongLength`: a key that is not one of
 * Ed25519; `TooLong`: keys and credentials over 1 MiB together) or a credential's.
 */
public fun externalSendersExtension(externalSenders: List<ExternalSender>): Extension =
    typed { ffiExternalSendersExtension(externalSenders) }

/**
 * The extension that says what every member must support (RFC 9420, section 11.1), for [updateGroupContextExtensions] and
 * [proposeGroupContextExtensions]: put it in the place of the one of type 3. Unlike at a group's creation, the types of
 * the group's other extensions must be named. Nothing is stored.
 *
 * Errors: `InvalidArgument` with the argument `required_capabilities` (`Empty`; `OutOfRange`: a type that needs not be
 * required; `Duplicate`; `TooLong`: over 256 of a kind).
 */
public fun requiredCapabilitiesExtension(requiredCapabilities: RequiredCapabilities): Extension =
    typed { ffiRequiredCapabilitiesExtension(requiredCapabilities) }
