//! Ciphersuites and credentials.

use openmls::prelude as mls;
use tls_codec::{Deserialize as _, Serialize as _};

use super::MlsError;
use crate::{
    error::{ArgumentProblem, Error},
    message, policy,
};

/// A ciphersuite by its IANA name (RFC 9420, section 17.1).
#[expect(
    non_camel_case_types,
    reason = "the names of the IANA registry, which every language recognises"
)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum Ciphersuite {
    /// 0x0001, which every implementation of RFC 9420 has.
    MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519,
    /// 0x0003, the default: on phones libcrux's ChaCha20-Poly1305 is much faster than its AES.
    #[default]
    MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519,
    /// 0x004D, X-Wing: post-quantum confidentiality. Experimental: it is a draft's, which may still change its number or
    /// its meaning, and groups in it may then have to be made anew. Its keys are some 1.2 KB each, so that key packages and
    /// Commits are much larger.
    MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519,
}

/// The suite for apps that have no reason for another. Never fails; the `Result` keeps Swift from having to trap.
#[uniffi::export]
pub fn default_ciphersuite() -> Result<Ciphersuite, MlsError> {
    Ok(Ciphersuite::default())
}

impl From<Ciphersuite> for mls::Ciphersuite {
    fn from(suite: Ciphersuite) -> Self {
        match suite {
            Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519 => {
                Self::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519
            }
            Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519 => {
                Self::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519
            }
            Ciphersuite::MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519 => {
                Self::MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519
            }
        }
    }
}

impl TryFrom<u16> for Ciphersuite {
    type Error = MlsError;

    fn try_from(number: u16) -> Result<Self, MlsError> {
        [
            Self::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519,
            Self::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519,
            Self::MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519,
        ]
        .into_iter()
        .find(|suite| u16::from(mls::Ciphersuite::from(*suite)) == number)
        .ok_or(MlsError::UnsupportedCiphersuite { ciphersuite: number })
    }
}

/// Who somebody is (RFC 9420, section 5.3). MLS does not look into it: judging it is the app's part.
#[derive(Debug, Clone, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum Credential {
    /// Bytes that mean something to the app, such as a user and device id.
    Basic {
        /// Any bytes.
        identity: Vec<u8>,
    },
    /// A certificate chain, the leaf first.
    X509 {
        /// DER-encoded certificates.
        certificates: Vec<Vec<u8>>,
    },
    /// Another type of the IANA registry, or a private one.
    Other {
        /// Its number.
        credential_type: u16,
        /// Its content without the length in front.
        content: Vec<u8>,
    },
}

impl Credential {
    /// The number of X.509 (RFC 9420, section 17.5).
    pub(super) const X509_TYPE: u16 = 2;

    pub(super) fn into_mls(self) -> Result<mls::Credential, Error> {
        let (credential_type, content) = match self {
            Self::Basic { identity } => (mls::CredentialType::Basic, identity),
            Self::X509 { certificates } => {
                let mut content = Vec::new();
                for certificate in certificates {
                    content.extend(tls_codec::VLBytes::new(certificate).tls_serialize_detached()?);
                }
                (mls::CredentialType::X509, content)
            }
            Self::Other {
                credential_type,
                content,
            } => match credential_type.into() {
                mls::CredentialType::Basic | mls::CredentialType::X509 => {
                    let argument = "credential_type";
                    return Err(Error::Argument {
                        argument,
                        problem: ArgumentProblem::OutOfRange,
                    });
                }
                other => (other, content),
            },
        };
        message::check_length("credential", &content, policy::MAX_CREDENTIAL)?;
        Ok(mls::Credential::new(credential_type, content))
    }
}

impl From<&mls::Credential> for Credential {
    fn from(credential: &mls::Credential) -> Self {
        let content = credential.serialized_content().to_vec();
        let other = |content| Self::Other {
            credential_type: credential.credential_type().into(),
            content,
        };
        match credential.credential_type() {
            mls::CredentialType::Basic => Self::Basic { identity: content },
            // A chain that does not parse is shown as it came.
            mls::CredentialType::X509 => match chain(&content) {
                Some(certificates) => Self::X509 { certificates },
                None => other(content),
            },
            _ => other(content),
        }
    }
}

fn chain(mut content: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut certificates = Vec::new();
    while !content.is_empty() {
        // Not `DeserializeBytes`: it asserts in debug builds that a vector is whole, and panics on one that
        // is cut.
        let certificate = tls_codec::VLBytes::tls_deserialize(&mut content).ok()?;
        certificates.push(certificate.as_slice().to_vec());
    }
    Some(certificates)
}
