//! Certificate chains of X.509 credentials (RFC 9420, section 5.3), checked with rustls-webpki (docs/adr/0019).

use std::time::Duration;

use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use webpki::{
    EndEntityCert, Error as PathError, ExtendedKeyUsageValidator, KeyPurposeIdIter, VerifiedPath,
    anchor_from_trusted_cert, ring,
};

use crate::{
    error::{ArgumentProblem, Error},
    policy,
};

/// What authorities sign with. SHA-1, RSA under 2048 bits and other curves are refused.
const ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    ring::ED25519,
    ring::ECDSA_P256_SHA256,
    ring::ECDSA_P256_SHA384,
    ring::ECDSA_P384_SHA256,
    ring::ECDSA_P384_SHA384,
    ring::RSA_PKCS1_2048_8192_SHA256,
    ring::RSA_PKCS1_2048_8192_SHA384,
    ring::RSA_PKCS1_2048_8192_SHA512,
    ring::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
    ring::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
    ring::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
];

/// The one encoding of an Ed25519 SubjectPublicKeyInfo, up to its 32 bytes of key (RFC 8410, section 4).
const ED25519_KEY_INFO: &[u8] = &[
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// Certificates that chains must lead to.
pub(crate) struct Roots {
    certificates: Vec<CertificateDer<'static>>,
    anchors: Vec<TrustAnchor<'static>>,
}

impl Roots {
    pub(crate) fn new(certificates: Vec<Vec<u8>>) -> Result<Self, Error> {
        let refused = |problem| Error::Argument {
            argument: "roots",
            problem,
        };
        if certificates.is_empty() {
            return Err(refused(ArgumentProblem::Empty));
        }
        let certificates: Vec<_> = certificates.into_iter().map(CertificateDer::from).collect();
        let anchors = certificates
            .iter()
            .map(|certificate| anchor_from_trusted_cert(certificate).map(|anchor| anchor.to_owned()))
            .collect::<Result<_, _>>()
            .map_err(|_| refused(ArgumentProblem::Malformed))?;
        Ok(Self {
            certificates,
            anchors,
        })
    }

    /// Whether each certificate is certified by the next, and the last by a root or is one, all of them valid now.
    pub(crate) fn certify(&self, chain: &[Vec<u8>]) -> bool {
        let chain: Vec<CertificateDer<'_>> = chain.iter().map(|der| der.as_slice().into()).collect();
        let Some((end_entity, rest)) = chain.split_first() else {
            return false;
        };
        let rest = match rest.split_last() {
            Some((last, rest)) if self.certificates.contains(last) => rest,
            _ => rest,
        };
        // webpki looks for a way through the certificates; the credential must say it itself, and nothing else.
        let is_in_order = |path: &VerifiedPath<'_>| {
            let way = path
                .intermediate_certificates()
                .map(|certificate| certificate.der());
            if way.eq(rest.iter().cloned()) {
                Ok(())
            } else {
                Err(PathError::UnknownIssuer)
            }
        };
        let now = UnixTime::since_unix_epoch(Duration::from_secs(policy::now()));
        EndEntityCert::try_from(end_entity).is_ok_and(|certificate| {
            certificate
                .verify_for_usage(
                    ALGORITHMS,
                    &self.anchors,
                    rest,
                    now,
                    AnyUsage,
                    None,
                    Some(&is_in_order),
                )
                .is_ok()
        })
    }
}

/// No usage of keys is registered for MLS, so none is asked for: what the roots issue for is the app's choice.
struct AnyUsage;

impl ExtendedKeyUsageValidator for AnyUsage {
    fn validate(&self, usages: KeyPurposeIdIter<'_, '_>) -> Result<(), PathError> {
        usages.into_iter().try_for_each(|usage| usage.map(drop))
    }
}

/// Whether the end entity's key is this Ed25519 key (RFC 9420, section 5.3).
pub(crate) fn is_key_of(chain: &[Vec<u8>], signature_key: &[u8]) -> bool {
    let Some(end_entity) = chain.first() else {
        return false;
    };
    let end_entity = CertificateDer::from(end_entity.as_slice());
    EndEntityCert::try_from(&end_entity).is_ok_and(|certificate| {
        certificate
            .subject_public_key_info()
            .strip_prefix(ED25519_KEY_INFO)
            == Some(signature_key)
    })
}
