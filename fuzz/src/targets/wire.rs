//! Presentation language and labelled cryptography of RFC 9420, by hand: OpenMLS makes nothing that is wrong.

use openmls::prelude::{Ciphersuite, OpenMlsProvider as _};
use openmls_libcrux_crypto::Provider;
use openmls_traits::{
    crypto::OpenMlsCrypto as _,
    types::{HpkeCiphertext, SignatureScheme},
};

const SUITE: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519;
/// Lengths of that suite: of a hash, of an AEAD key and of its nonce.
pub const HASH: usize = 32;
const KEY: usize = 32;
const NONCE: usize = 12;

/// Takes fields off the front of bytes; `None` where a field does not fit.
#[derive(Clone, Copy)]
pub struct Reader<'b>(pub &'b [u8]);

impl<'b> Reader<'b> {
    pub fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|byte| byte[0])
    }

    /// A variable-size vector (RFC 9420, section 2.1.2): its content.
    pub fn vector(&mut self) -> Option<&'b [u8]> {
        let first = self.byte()?;
        let more = match first >> 6 {
            0 => 0,
            1 => 1,
            2 => 3,
            _ => return None,
        };
        let mut length = usize::from(first & 0x3f);
        for byte in self.take(more)? {
            length = length << 8 | usize::from(*byte);
        }
        self.take(length)
    }

    /// What lies between an earlier reader of the same bytes and this one.
    pub fn since(&self, start: Self) -> &'b [u8] {
        &start.0[..start.0.len() - self.0.len()]
    }
}

/// A variable-size vector.
pub fn vector(content: &[u8]) -> Vec<u8> {
    let length = content.len() as u32;
    let head = match length {
        0..0x40 => vec![length as u8],
        0x40..0x4000 => (length as u16 | 0x4000).to_be_bytes().to_vec(),
        _ => (length | 0x8000_0000).to_be_bytes().to_vec(),
    };
    [&head, content].concat()
}

fn labelled(label: &str) -> Vec<u8> {
    vector(format!("MLS 1.0 {label}").as_bytes())
}

/// The cryptography of one ciphersuite, with labels (RFC 9420, sections 5 and 8).
pub struct Crypto(Provider);

impl Crypto {
    pub fn new() -> Self {
        Self(Provider::new().unwrap())
    }

    pub fn extract(&self, salt: &[u8], secret: &[u8]) -> Vec<u8> {
        let crypto = self.0.crypto();
        let extracted = crypto.hkdf_extract(SUITE.hash_algorithm(), salt, secret).unwrap();
        extracted.as_slice().to_vec()
    }

    pub fn mac(&self, key: &[u8], message: &[u8]) -> Vec<u8> {
        let crypto = self.0.crypto();
        let mac = crypto.hmac(SUITE.hash_algorithm(), key, message).unwrap();
        mac.as_slice().to_vec()
    }

    pub fn expand(&self, secret: &[u8], label: &str, context: &[u8], length: usize) -> Vec<u8> {
        let info = [
            &(length as u16).to_be_bytes()[..],
            &labelled(label),
            &vector(context),
        ]
        .concat();
        let crypto = self.0.crypto();
        let expanded = crypto
            .hkdf_expand(SUITE.hash_algorithm(), secret, &info, length)
            .unwrap();
        expanded.as_slice().to_vec()
    }

    pub fn derive(&self, secret: &[u8], label: &str) -> Vec<u8> {
        self.expand(secret, label, &[], HASH)
    }

    /// An AEAD key and nonce from a secret.
    pub fn key_and_nonce(&self, secret: &[u8], context: &[u8]) -> (Vec<u8>, Vec<u8>) {
        (
            self.expand(secret, "key", context, KEY),
            self.expand(secret, "nonce", context, NONCE),
        )
    }

    pub fn seal(&self, (key, nonce): &(Vec<u8>, Vec<u8>), content: &[u8], data: &[u8]) -> Vec<u8> {
        let crypto = self.0.crypto();
        crypto
            .aead_encrypt(SUITE.aead_algorithm(), key, content, nonce, data)
            .unwrap()
    }

    pub fn sign(&self, label: &str, content: &[u8], key: &[u8]) -> Vec<u8> {
        self.sign_plainly(&[labelled(label), vector(content)].concat(), key)
    }

    /// Without a label, as an authority signs.
    pub fn sign_plainly(&self, content: &[u8], key: &[u8]) -> Vec<u8> {
        let crypto = self.0.crypto();
        crypto.sign(SignatureScheme::ED25519, content, key).unwrap()
    }

    /// As an HPKECiphertext.
    pub fn encrypt(&self, label: &str, context: &[u8], to: &[u8], content: &[u8]) -> Vec<u8> {
        let info = [labelled(label), vector(context)].concat();
        let crypto = self.0.crypto();
        let sealed = crypto
            .hpke_seal(SUITE.hpke_config(), to, &info, &[], content)
            .unwrap();
        [
            vector(sealed.kem_output.as_slice()),
            vector(sealed.ciphertext.as_slice()),
        ]
        .concat()
    }

    pub fn decrypt(&self, label: &str, context: &[u8], key: &[u8], ciphertext: &[u8]) -> Vec<u8> {
        let info = [labelled(label), vector(context)].concat();
        let mut reader = Reader(ciphertext);
        let ciphertext = HpkeCiphertext {
            kem_output: reader.vector().unwrap().to_vec().into(),
            ciphertext: reader.vector().unwrap().to_vec().into(),
        };
        let crypto = self.0.crypto();
        crypto
            .hpke_open(SUITE.hpke_config(), &ciphertext, key, &info, &[])
            .unwrap()
    }

    pub fn key_package_reference(&self, key_package: &[u8]) -> Vec<u8> {
        let content = [vector(b"MLS 1.0 KeyPackage Reference"), vector(key_package)].concat();
        let crypto = self.0.crypto();
        crypto.hash(SUITE.hash_algorithm(), &content).unwrap()
    }
}
