//! A ready validator for certificate chains.

use std::sync::Arc;

use super::{
    CallbackError, CommitSummary, Credential, CredentialValidator, ExternalSender, Member, MlsError,
    NewMember, ProposalKind, ProposalSummary, Sender, ValidationRequest,
};
use crate::x509::{self, Roots};

/// A validator for `open` that checks the certificate chains of X.509 credentials against these roots, and then asks
/// `next`, the app's own validator, which knows names and successors. Credentials of other types are refused.
///
/// Checked is what a request brings in: key packages, added and joining members, everybody in a group that this device
/// joins, updated leaves, and external senders, also each time when one proposes. Each chain must hold now, by the system's
/// clock: every certificate is signed by the next and the last by a root (which may stand at the end itself), within their
/// validity, the issuers as authorities; and the first one's key is the leaf's Ed25519 signature key (RFC 9420, section
/// 5.3). Authorities may sign with Ed25519, ECDSA (P-256, P-384) or RSA (2048 to 8192 bits), with SHA-2. A leaf that keeps
/// its credential is not checked against the clock again: a member whose certificate has expired can still be followed,
/// but keeps others from joining.
///
/// Not checked: revocation, names, key usages (take roots that certify for this purpose alone), the validity of the roots
/// themselves, what a Commit or proposal does, and whether a new credential belongs to the same member. For the last `next`
/// gets the old and the new one: in `CommitSummary.updated`; for an external Commit in `removed` and `external_joins`; for
/// a proposal, as its sender and in its `Update`. Without `next` whoever has a certificate is trusted with everything:
/// with the GroupInfo he joins, in any member's place if he likes, and as a member he adds others, removes any, and
/// takes on any certified identity.
///
/// `roots` are DER-encoded certificates of authorities. Nothing is stored; an app passes it to each `open`.
/// Errors: `InvalidArgument` (`roots`: none, or one that does not decode).
#[uniffi::export(default(next = None))]
pub fn x509_validator(
    roots: Vec<Vec<u8>>,
    next: Option<Arc<dyn CredentialValidator>>,
) -> Result<Arc<dyn CredentialValidator>, MlsError> {
    Ok(Arc::new(X509Validator {
        roots: Roots::new(roots)?,
        others: Others::Refused,
        next,
    }))
}

/// As `x509_validator`, for groups in which not everybody has certificates yet: `next` alone judges the credentials of
/// other types, and must do so. Errors: as there.
#[uniffi::export]
pub fn x509_validator_with_others(
    roots: Vec<Vec<u8>>,
    next: Arc<dyn CredentialValidator>,
) -> Result<Arc<dyn CredentialValidator>, MlsError> {
    Ok(Arc::new(X509Validator {
        roots: Roots::new(roots)?,
        others: Others::LeftToNext,
        next: Some(next),
    }))
}

struct X509Validator {
    roots: Roots,
    others: Others,
    next: Option<Arc<dyn CredentialValidator>>,
}

/// What becomes of credentials that are no certificates.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Others {
    Refused,
    LeftToNext,
}

impl CredentialValidator for X509Validator {
    fn validate(&self, request: ValidationRequest) -> Result<bool, CallbackError> {
        if !self.accepts(&request) {
            return Ok(false);
        }
        self.next.as_ref().map_or(Ok(true), |next| next.validate(request))
    }
}

impl X509Validator {
    fn accepts(&self, request: &ValidationRequest) -> bool {
        match request {
            ValidationRequest::Commit { summary, .. } => self.accepts_commit(summary),
            ValidationRequest::Proposal { summary, .. } => self.accepts_proposal(summary),
            ValidationRequest::Welcome { members, .. } | ValidationRequest::ExternalJoin { members, .. } => {
                members
                    .iter()
                    .all(|member| self.accepts_leaf(&Leaf::from(member), None))
            }
            ValidationRequest::ExternalSenders { senders, .. } => senders
                .iter()
                .all(|sender| self.accepts_leaf(&Leaf::from(sender), None)),
            ValidationRequest::KeyPackage { member, .. } => self.accepts_leaf(&member.into(), None),
        }
    }

    fn accepts_commit(&self, summary: &CommitSummary) -> bool {
        let comes_in = || summary.added.iter().chain(&summary.external_joins);
        comes_in().all(|member| self.accepts_leaf(&member.into(), None))
            && summary.updated.iter().all(|updated| {
                self.accepts_leaf(&Leaf::from(&updated.after), Some(&updated.before.credential))
            })
    }

    fn accepts_proposal(&self, summary: &ProposalSummary) -> bool {
        let (before, sender_is_certified) = match &summary.sender {
            Sender::Member { credential, .. } => (Some(credential), true),
            Sender::External { credential, .. } => (None, self.certifies(credential)),
            Sender::NewMember { .. } => (None, true),
        };
        sender_is_certified
            && match &summary.kind {
                ProposalKind::Add { member } => self.accepts_leaf(&member.into(), None),
                ProposalKind::Update { member } => self.accepts_leaf(&member.into(), before),
                _ => true,
            }
    }

    /// `before` is the credential that the leaf had, if it is there already.
    fn accepts_leaf(&self, leaf: &Leaf<'_>, before: Option<&Credential>) -> bool {
        let has_its_key = match leaf.credential {
            Credential::X509 { certificates } => x509::is_key_of(certificates, leaf.signature_key),
            other => !is_damaged_chain(other),
        };
        has_its_key && (before == Some(leaf.credential) || self.certifies(leaf.credential))
    }

    fn certifies(&self, credential: &Credential) -> bool {
        match credential {
            Credential::X509 { certificates } => self.roots.certify(certificates),
            other => self.others == Others::LeftToNext && !is_damaged_chain(other),
        }
    }
}

/// A chain that does not parse is shown as another type, by its number.
fn is_damaged_chain(credential: &Credential) -> bool {
    matches!(credential, Credential::Other { credential_type, .. } if *credential_type == Credential::X509_TYPE)
}

/// What a certificate speaks for.
struct Leaf<'l> {
    credential: &'l Credential,
    signature_key: &'l [u8],
}

impl<'l> From<&'l Member> for Leaf<'l> {
    fn from(member: &'l Member) -> Self {
        Self {
            credential: &member.credential,
            signature_key: &member.signature_key,
        }
    }
}

impl<'l> From<&'l ExternalSender> for Leaf<'l> {
    fn from(sender: &'l ExternalSender) -> Self {
        Self {
            credential: &sender.credential,
            signature_key: &sender.signature_key,
        }
    }
}

impl<'l> From<&'l NewMember> for Leaf<'l> {
    fn from(member: &'l NewMember) -> Self {
        Self {
            credential: &member.credential,
            signature_key: &member.signature_key,
        }
    }
}
