// Exported, because an app that is compiled with MemberImportVisibility sees no member of a record otherwise. What this
// module calls by the same name hides the generated one.
@_exported import MlsMobileFFI
@_exported import MlsMobileIds

// What goes in and out, as the library describes it: values, equal by their content, and Sendable.

/// A group's id: bytes that the group's creator chose, the same for every member.
public typealias GroupId = MlsMobileIds.GroupId
/// An identity's id: its public signature key.
public typealias IdentityId = MlsMobileIds.IdentityId
/// A key package's hash reference (RFC 9420, section 5.2).
public typealias KeyPackageRef = MlsMobileIds.KeyPackageRef
/// A proposal's hash reference (RFC 9420, section 5.2).
public typealias ProposalRef = MlsMobileIds.ProposalRef
/// Bytes that name something. Equal bytes are one key of a dictionary; the text is their hex.
public typealias MlsId = MlsMobileIds.MlsId

/// What is wrong with an argument.
public typealias ArgumentReason = MlsMobileFFI.ArgumentReason
/// What another member's epoch authenticator says.
public typealias AuthenticatorComparison = MlsMobileFFI.AuthenticatorComparison
/// A callback failed.
public typealias CallbackError = MlsMobileFFI.CallbackError
/// What a leaf lists as supported (RFC 9420, section 7.2), in the order of the numbers.
public typealias Capabilities = MlsMobileFFI.Capabilities
/// A ciphersuite by its IANA name (RFC 9420, section 17.1).
public typealias Ciphersuite = MlsMobileFFI.Ciphersuite
/// How to open a database.
public typealias ClientConfig = MlsMobileFFI.ClientConfig
/// An own Commit and what goes with it.
public typealias CommitBundle = MlsMobileFFI.CommitBundle
/// Whether a received Commit took effect.
public typealias CommitState = MlsMobileFFI.CommitState
/// A Commit in words: what an app shows, or judges before a merge.
public typealias CommitSummary = MlsMobileFFI.CommitSummary
/// Who somebody is (RFC 9420, section 5.3).
public typealias Credential = MlsMobileFFI.Credential
/// Decides who is let in: whether credentials are genuine, and whether changes are wanted.
public typealias CredentialValidator = MlsMobileFFI.CredentialValidator
/// A proposal that only the app understands, in a Commit.
public typealias CustomProposal = MlsMobileFFI.CustomProposal
/// How much is kept of messages that come before their group can read them.
public typealias EarlyLimits = MlsMobileFFI.EarlyLimits
/// Why a message that was kept is not read.
public typealias EarlyRefusal = MlsMobileFFI.EarlyRefusal
/// An extension by its number (RFC 9420, section 17.3).
public typealias Extension = MlsMobileFFI.Extension
/// An external Commit that waits for the delivery service's answer.
public typealias ExternalJoin = MlsMobileFFI.ExternalJoin
/// What an external join brought.
public typealias ExternalJoined = MlsMobileFFI.ExternalJoined
/// A server that may propose to the group (RFC 9420, section 12.1.8.1).
public typealias ExternalSender = MlsMobileFFI.ExternalSender
/// How a group behaves on this device.
public typealias GroupConfig = MlsMobileFFI.GroupConfig
/// What is wrong with a GroupInfo.
public typealias GroupInfoReason = MlsMobileFFI.GroupInfoReason
/// A group at one moment.
public typealias GroupState = MlsMobileFFI.GroupState
/// A group in the list, without loading it.
public typealias GroupSummary = MlsMobileFFI.GroupSummary
/// A group of a recovery archive that was not rejoined yet.
public typealias GroupToRejoin = MlsMobileFFI.GroupToRejoin
/// A credential with a signature key of this device.
public typealias Identity = MlsMobileFFI.Identity
/// Something that the app has not acknowledged.
public typealias InboxEntry = MlsMobileFFI.InboxEntry
/// A message for `process_messages`.
public typealias IncomingMessage = MlsMobileFFI.IncomingMessage
/// A key package of this device (RFC 9420, section 10).
public typealias KeyPackage = MlsMobileFFI.KeyPackage
/// A key package from elsewhere that was checked: signatures, rules of RFC 9420, section 10.1, and lifetime.
public typealias KeyPackageInfo = MlsMobileFFI.KeyPackageInfo
/// A proposal to add this device, made from outside the group.
public typealias JoinProposal = MlsMobileFFI.JoinProposal
/// What may be chosen about key packages.
public typealias KeyPackageOptions = MlsMobileFFI.KeyPackageOptions
/// What is wrong with a key package.
public typealias KeyPackageReason = MlsMobileFFI.KeyPackageReason
/// What a leaf says of its owner.
public typealias LeafNode = MlsMobileFFI.LeafNode
/// What the leaves of this device say, besides what the library itself supports.
public typealias LeafNodeOptions = MlsMobileFFI.LeafNodeOptions
/// How long key packages may live (RFC 9420, section 7.2), and how wrong clocks may be.
public typealias Lifetimes = MlsMobileFFI.Lifetimes
/// A number in a log line.
public typealias LogField = MlsMobileFFI.LogField
/// How much a line matters.
public typealias LogLevel = MlsMobileFFI.LogLevel
/// Takes the library's log: verbs, counts and codes, nothing secret.
public typealias LogSink = MlsMobileFFI.LogSink
/// A member (RFC 9420, section 7).
public typealias Member = MlsMobileFFI.Member
/// A member's leaf.
public typealias MemberLeaf = MlsMobileFFI.MemberLeaf
/// What a merge brought.
public typealias Merged = MlsMobileFFI.Merged
/// What can be read off a message without any state, and without any proof (RFC 9420, section 6).
public typealias MessageInfo = MlsMobileFFI.MessageInfo
/// What a message is.
public typealias MessageKind = MlsMobileFFI.MessageKind
/// Why a group does not accept a message.
public typealias MessageReason = MlsMobileFFI.MessageReason
/// Somebody without a place in the tree yet.
public typealias NewMember = MlsMobileFFI.NewMember
/// How PrivateMessages are padded, so that their length says less.
public typealias Padding = MlsMobileFFI.Padding
/// Which past epochs' message keys `delete_past_epoch_secrets` deletes.
public typealias PastEpochDeletion = MlsMobileFFI.PastEpochDeletion
/// How `process_messages` works.
public typealias ProcessOptions = MlsMobileFFI.ProcessOptions
/// What became of a message.
public typealias ProcessedMessage = MlsMobileFFI.ProcessedMessage
/// An own proposal, queued here.
public typealias ProposalBundle = MlsMobileFFI.ProposalBundle
/// What a proposal asks for (RFC 9420, section 12.1).
public typealias ProposalKind = MlsMobileFFI.ProposalKind
/// A proposal in words.
public typealias ProposalSummary = MlsMobileFFI.ProposalSummary
/// A pre-shared key by its name.
public typealias PskId = MlsMobileFFI.PskId
/// What is wrong with a recovery archive.
public typealias RecoveryArchiveReason = MlsMobileFFI.RecoveryArchiveReason
/// What every member of a group must support (RFC 9420, section 11.1).
public typealias RequiredCapabilities = MlsMobileFFI.RequiredCapabilities
/// Who sent a message (RFC 9420, section 6).
public typealias Sender = MlsMobileFFI.Sender
/// Signs with a private key that the library never sees: one in an HSM, or in the system's key store.
public typealias Signer = MlsMobileFFI.Signer
/// The database as it is now.
public typealias StorageInfo = MlsMobileFFI.StorageInfo
/// A member's leaf before and after a Commit.
public typealias UpdatedMember = MlsMobileFFI.UpdatedMember
/// What the app is asked to judge.
public typealias ValidationRequest = MlsMobileFFI.ValidationRequest
/// What a Welcome invites to.
public typealias WelcomeInfo = MlsMobileFFI.WelcomeInfo
/// What is wrong with a Welcome.
public typealias WelcomeReason = MlsMobileFFI.WelcomeReason
/// How a message is framed (RFC 9420, section 6).
public typealias WireFormat = MlsMobileFFI.WireFormat
