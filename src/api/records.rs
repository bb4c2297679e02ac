//! What goes in and out besides outcomes: identities, key packages, groups, Commits.

use super::{
    Ciphersuite, CommitSummary, Credential, GroupId, IdentityId, KeyPackageRef, LeafNode, LeafNodeOptions,
    MlsError, ProposalRef, ProposalSummary, commits,
};
use crate::{
    group::{Context, join, outcome, propose::Proposed, state},
    keys::{identity, key_package},
    policy,
    storage::{groups::GroupRecord, key_packages::KeyPackageRecord, lifecycle, pending::PendingCommitRecord},
};

/// A credential with a signature key of this device.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Identity {
    /// The public signature key.
    pub id: IdentityId,
    /// Who it says this device is.
    pub credential: Credential,
    /// The suite of its key packages and groups.
    pub ciphersuite: Ciphersuite,
    /// Whether the app signs for it: it needs `attach_signer` after each `open`.
    pub external_signer: bool,
}

impl TryFrom<identity::Identity> for Identity {
    type Error = MlsError;

    fn try_from(identity: identity::Identity) -> Result<Self, MlsError> {
        Ok(Self {
            external_signer: identity.has_external_signer(),
            id: IdentityId(identity.signature_key),
            credential: (&identity.credential).into(),
            ciphersuite: u16::from(identity.ciphersuite).try_into()?,
        })
    }
}

/// What may be chosen about key packages.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct KeyPackageOptions {
    /// Seconds from now; with `clock_skew_seconds` at most the client's `maximum_lifetime_seconds`: 366 days less an hour
    /// unless set. The default is 12 weeks.
    #[uniffi(default = 7257600)]
    pub lifetime_seconds: u64,
    /// Usable any number of times; hand it out only when no other is left.
    #[uniffi(default = false)]
    pub last_resort: bool,
    /// What the leaf says that joins with it; without it the client's `leaf_node` holds.
    #[uniffi(default = None)]
    pub leaf_node: Option<LeafNodeOptions>,
}

impl Default for KeyPackageOptions {
    fn default() -> Self {
        Self {
            lifetime_seconds: policy::DEFAULT_LIFETIME,
            last_resort: false,
            leaf_node: None,
        }
    }
}

impl KeyPackageOptions {
    pub(super) fn resolve(self, context: &Context) -> key_package::Options {
        key_package::Options {
            lifetime_seconds: self.lifetime_seconds,
            last_resort: self.last_resort,
            leaf_node: self
                .leaf_node
                .map_or_else(|| context.leaf_node.clone(), Into::into),
        }
    }
}

/// A key package of this device (RFC 9420, section 10).
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct KeyPackage {
    /// Names it, here and in Welcomes.
    pub reference: KeyPackageRef,
    /// The MLSMessage to publish.
    pub bytes: Vec<u8>,
    /// Whose it is.
    pub identity: IdentityId,
    /// Seconds since 1970.
    pub not_before: u64,
    /// Seconds since 1970.
    pub not_after: u64,
    /// Whether it stays after it was used.
    pub last_resort: bool,
}

impl From<KeyPackageRecord> for KeyPackage {
    fn from(record: KeyPackageRecord) -> Self {
        Self {
            reference: KeyPackageRef(record.reference.as_slice().to_vec()),
            bytes: record.message,
            identity: IdentityId(record.identity),
            not_before: record.not_before,
            not_after: record.not_after,
            last_resort: record.last_resort,
        }
    }
}

/// A key package from elsewhere that was checked: signatures, rules of RFC 9420, section 10.1, and lifetime.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct KeyPackageInfo {
    /// Names it.
    pub reference: KeyPackageRef,
    /// Who its owner claims to be.
    pub credential: Credential,
    /// The owner's public signature key.
    pub signature_key: Vec<u8>,
    /// The only suite that it can be used with.
    pub ciphersuite: Ciphersuite,
    /// Seconds since 1970.
    pub not_before: u64,
    /// Seconds since 1970.
    pub not_after: u64,
    /// Whether its owner keeps it after use.
    pub last_resort: bool,
    /// What its owner's leaf will say.
    pub leaf_node: LeafNode,
}

/// A group in the list, without loading it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct GroupSummary {
    /// The group's id.
    pub group_id: GroupId,
    /// The epoch it is in on this device.
    pub epoch: u64,
    /// The identity that signs in it.
    pub identity: IdentityId,
    /// Whether this device is still a member.
    pub is_active: bool,
}

impl From<GroupRecord> for GroupSummary {
    fn from(record: GroupRecord) -> Self {
        Self {
            group_id: (&record.group_id).into(),
            epoch: record.epoch,
            identity: IdentityId(record.identity),
            is_active: record.is_active,
        }
    }
}

/// A member (RFC 9420, section 7).
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Member {
    /// The member's place in the ratchet tree: what `remove_members` takes. Another member may have it later.
    pub leaf_index: u32,
    /// Who the member claims to be.
    pub credential: Credential,
    /// The member's public signature key.
    pub signature_key: Vec<u8>,
}

impl From<outcome::MemberInfo> for Member {
    fn from(member: outcome::MemberInfo) -> Self {
        Self {
            leaf_index: member.leaf_index,
            credential: (&member.credential).into(),
            signature_key: member.signature_key,
        }
    }
}

/// An extension by its number (RFC 9420, section 17.3).
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Extension {
    /// Its number.
    pub extension_type: u16,
    /// Its content.
    pub data: Vec<u8>,
}

/// A group at one moment.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct GroupState {
    /// The current epoch.
    pub epoch: u64,
    /// The group's suite, the same for ever.
    pub ciphersuite: Ciphersuite,
    /// The identity that signs here.
    pub identity: IdentityId,
    /// This device's place in the tree.
    pub own_leaf_index: u32,
    /// Whether this device is still a member.
    pub is_active: bool,
    /// Whether an own Commit waits to be merged or cleared.
    pub has_pending_commit: bool,
    /// The received Commit that waits for the app's decision.
    pub staged_commit: Option<CommitSummary>,
    /// The epoch that a discarded Commit began: the others are there, this device is not, and it cannot follow
    /// (`GroupDiverged`).
    pub rejected_epoch: Option<u64>,
    /// Whether a message since the epoch began could not be read, as if its sender had other keys. One such message
    /// may be garbage; `compare_authenticator` with another member proves a fork.
    pub fork_suspected: bool,
    /// Messages that came too early and wait.
    pub early_messages: u32,
    /// Proposals that the next Commit will carry out.
    pub pending_proposals: Vec<ProposalSummary>,
    /// The GroupContext's extensions, required capabilities (3) and external senders (5) among them.
    pub extensions: Vec<Extension>,
    /// Equal for all members of this epoch, and for nobody else (RFC 9420, section 8.7).
    pub epoch_authenticator: Vec<u8>,
}

impl TryFrom<state::GroupView> for GroupState {
    type Error = MlsError;

    fn try_from(view: state::GroupView) -> Result<Self, MlsError> {
        Ok(Self {
            epoch: view.epoch,
            ciphersuite: view.ciphersuite.try_into()?,
            identity: IdentityId(view.identity),
            own_leaf_index: view.own_leaf_index,
            is_active: view.is_active,
            has_pending_commit: view.has_pending_commit,
            staged_commit: view.staged_commit.map(Into::into),
            rejected_epoch: view.rejected_epoch,
            fork_suspected: view.fork_suspected,
            early_messages: u32::try_from(view.early_messages).unwrap_or(u32::MAX),
            pending_proposals: view.pending_proposals.into_iter().map(Into::into).collect(),
            extensions: commits::extensions(view.extensions),
            epoch_authenticator: view.epoch_authenticator,
        })
    }
}

/// What a Welcome invites to.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct WelcomeInfo {
    /// The group.
    pub group_id: GroupId,
    /// The epoch that one joins in.
    pub epoch: u64,
    /// The group's suite.
    pub ciphersuite: Ciphersuite,
    /// Who invites.
    pub sender: Option<Member>,
    /// Everybody, this device included.
    pub members: Vec<Member>,
    /// This device's place among them.
    pub own_leaf_index: u32,
}

impl TryFrom<join::WelcomeInfo> for WelcomeInfo {
    type Error = MlsError;

    fn try_from(info: join::WelcomeInfo) -> Result<Self, MlsError> {
        Ok(Self {
            group_id: (&info.group_id).into(),
            epoch: info.epoch,
            ciphersuite: info.ciphersuite.try_into()?,
            sender: info.sender.map(Into::into),
            members: info.members.into_iter().map(Into::into).collect(),
            own_leaf_index: info.own_leaf_index,
        })
    }
}

/// An own Commit and what goes with it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct CommitBundle {
    /// For the members, through the delivery service, which accepts one Commit an epoch.
    pub commit: Vec<u8>,
    /// For those who are added; send it once the Commit was accepted, before it is merged.
    pub welcome: Option<Vec<u8>>,
    /// For the delivery service: those who join by themselves need it (RFC 9420, section 12.4.3.2).
    pub group_info: Option<Vec<u8>>,
    /// The epoch that the Commit ends; its message is of this epoch.
    pub epoch: u64,
}

impl From<PendingCommitRecord> for CommitBundle {
    fn from(record: PendingCommitRecord) -> Self {
        Self {
            commit: record.commit,
            welcome: record.welcome,
            group_info: record.group_info,
            epoch: record.epoch,
        }
    }
}

/// An own proposal, queued here.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ProposalBundle {
    /// For the members, through the delivery service.
    pub proposal: Vec<u8>,
    /// Names it, for every member.
    pub reference: ProposalRef,
}

impl From<Proposed> for ProposalBundle {
    fn from(proposed: Proposed) -> Self {
        Self {
            proposal: proposed.message,
            reference: ProposalRef(proposed.reference),
        }
    }
}

/// A server that may propose to the group (RFC 9420, section 12.1.8.1).
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ExternalSender {
    /// Its public signature key.
    pub signature_key: Vec<u8>,
    /// Who it claims to be.
    pub credential: Credential,
}

impl From<outcome::NewMemberInfo> for ExternalSender {
    fn from(sender: outcome::NewMemberInfo) -> Self {
        Self {
            signature_key: sender.signature_key,
            credential: (&sender.credential).into(),
        }
    }
}

/// The database as it is now.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct StorageInfo {
    /// Grows with every change. An app that keeps the highest can have an old copy refused.
    pub generation: u64,
    /// The file's schema version.
    pub schema_version: u32,
    /// The SQLite inside this library.
    pub sqlite_version: String,
    /// Whether deleted keys are still in the write-ahead log, because another process is reading it. The next call
    /// that writes tries again.
    pub erasure_pending: bool,
    /// Whether `rekey` waits for `confirm_rekey`.
    pub rekey_pending: bool,
    /// Bytes of the main file.
    pub database_bytes: u64,
    /// Bytes of the write-ahead log.
    pub wal_bytes: u64,
}

impl From<lifecycle::Info> for StorageInfo {
    fn from(info: lifecycle::Info) -> Self {
        Self {
            generation: info.generation,
            schema_version: info.schema_version,
            sqlite_version: info.sqlite_version.to_owned(),
            erasure_pending: info.erasure_pending,
            rekey_pending: info.rekey_pending,
            database_bytes: info.database_bytes,
            wal_bytes: info.wal_bytes,
        }
    }
}
