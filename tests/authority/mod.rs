//! Certificate authorities for tests.

#![allow(unreachable_pub, reason = "a module of tests")]

use std::sync::Arc;

use mls_mobile::{Credential, Identity};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PublicKeyData, SignatureAlgorithm,
    date_time_ymd,
};

use crate::common::{Device, hsm::Hsm};

/// An authority with its certificate.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub der: Vec<u8>,
}

/// The key of an end entity, of which only the public half is known here.
struct PublicKey<'k>(&'k [u8]);

impl PublicKeyData for PublicKey<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ED25519
    }
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn authority(name: &str) -> CertificateParams {
    let mut params = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

impl Authority {
    pub fn root(name: &str) -> Self {
        let (params, key) = (authority(name), KeyPair::generate().unwrap());
        let der = params.self_signed(&key).unwrap().der().to_vec();
        Self {
            issuer: Issuer::new(params, key),
            der,
        }
    }

    /// An authority below this one.
    pub fn intermediate(&self, name: &str) -> Self {
        self.intermediate_with(name, &rcgen::PKCS_ECDSA_P256_SHA256)
    }

    pub fn intermediate_with(&self, name: &str, algorithm: &'static SignatureAlgorithm) -> Self {
        self.certify(authority(name), algorithm)
    }

    /// One whose certificate does not say that it is an authority.
    pub fn no_authority(&self, name: &str) -> Self {
        self.certify(named(name), &rcgen::PKCS_ECDSA_P256_SHA256)
    }

    fn certify(&self, params: CertificateParams, algorithm: &'static SignatureAlgorithm) -> Self {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let der = params.signed_by(&key, &self.issuer).unwrap().der().to_vec();
        Self {
            issuer: Issuer::new(params, key),
            der,
        }
    }

    /// The certificate of a member.
    pub fn member(&self, name: &str, public_key: &[u8]) -> Vec<u8> {
        self.member_until(name, public_key, 4096)
    }

    /// One that is valid until a year begins.
    pub fn member_until(&self, name: &str, public_key: &[u8], year: i32) -> Vec<u8> {
        let mut params = named(name);
        params.not_after = date_time_ymd(year, 1, 1);
        params
            .signed_by(&PublicKey(public_key), &self.issuer)
            .unwrap()
            .der()
            .to_vec()
    }
}

impl Device {
    /// A new identity with a key outside and this chain for it; the device goes by it from now on.
    pub fn certified(&mut self, chain: impl FnOnce(&[u8]) -> Vec<Vec<u8>>) -> (Identity, Arc<Hsm>) {
        let hsm = Hsm::new();
        let certificates = chain(&hsm.public_key);
        let identity = hsm.create_identity(self, Credential::X509 { certificates });
        self.identity = identity.id.clone();
        (identity, hsm)
    }
}
