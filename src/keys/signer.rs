//! Signing with an identity's key, which the library holds or the app does.

use std::fmt;

use openmls_traits::{
    crypto::OpenMlsCrypto,
    signatures::{Signer, SignerError},
    types::SignatureScheme,
};

use crate::{
    crypto::{crypto, random_array},
    error::Error,
    secret::Secret,
    signing::{AttachedSigner, FirstFailure, SigningFailure},
};

/// Bytes of an Ed25519 public key.
pub(crate) const PUBLIC_KEY: usize = 32;

/// Who signs for an identity, always with Ed25519: the signature scheme of every suite that libcrux has.
#[derive(Debug)]
pub(crate) enum IdentitySigner {
    Held(Ed25519Signer),
    External(ExternalSigner),
}

impl Signer for IdentitySigner {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        match self {
            Self::Held(signer) => signer.sign(payload),
            Self::External(signer) => signer.sign(payload).map_err(|_| SignerError::SigningError),
        }
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

/// A key that the library holds.
#[derive(Debug)]
pub(crate) struct Ed25519Signer(Secret<32>);

impl Ed25519Signer {
    pub(crate) fn new(private_key: Secret<32>) -> Self {
        Self(private_key)
    }

    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        crypto()
            .and_then(|crypto| crypto.sign(SignatureScheme::ED25519, payload, self.0.expose()))
            .map_err(SignerError::CryptoError)
    }
}

/// A key that the app signs with, if it has attached a signer.
pub(crate) struct ExternalSigner {
    pub(crate) public_key: Vec<u8>,
    pub(crate) attached: Option<AttachedSigner>,
    pub(crate) failure: FirstFailure,
}

impl ExternalSigner {
    /// The transaction learns of a failure, which OpenMLS forgets the reason of.
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SigningFailure> {
        self.attached
            .as_ref()
            .ok_or(SigningFailure::Missing)
            .and_then(|signer| checked_signature(&self.public_key, signer, payload))
            .inspect_err(|failure| self.failure.keep(*failure))
    }
}

impl fmt::Debug for ExternalSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExternalSigner")
    }
}

/// Builds what is only tried and dropped again. The app's signer may be slow, and ask its user.
pub(crate) struct TrialSigner;

impl Signer for TrialSigner {
    fn sign(&self, _payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(vec![0; 64])
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

/// Never taken on trust: a wrong one would be stored, sent, and refused by everybody else.
fn checked_signature(
    public_key: &[u8],
    signer: &AttachedSigner,
    payload: &[u8],
) -> Result<Vec<u8>, SigningFailure> {
    let signature = signer.sign(payload).ok_or(SigningFailure::Failed)?;
    crypto()
        .and_then(|crypto| crypto.verify_signature(SignatureScheme::ED25519, payload, public_key, &signature))
        .map_err(|_| SigningFailure::Failed)?;
    Ok(signature)
}

/// What a challenge begins with. Everything that MLS signs is a `SignContent` (RFC 9420, section 5.1.2), which begins
/// with the length of its label: none begins with 0xff, which section 2.1.2 forbids there.
const CHALLENGE: &[u8] = b"\xffmls-mobile signer challenge";

/// Has `signer` sign a challenge, to see that it signs with the private half of `public_key`.
pub(crate) fn challenge(public_key: &[u8], signer: &AttachedSigner) -> Result<(), Error> {
    let random: [u8; 32] = random_array()?;
    checked_signature(public_key, signer, &[CHALLENGE, public_key, &random].concat())?;
    Ok(())
}

impl From<SigningFailure> for Error {
    fn from(failure: SigningFailure) -> Self {
        match failure {
            SigningFailure::Missing => Self::SignerMissing,
            SigningFailure::Failed => Self::SignerFailed,
        }
    }
}
