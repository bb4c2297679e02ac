//! Certificate chains in credentials: any bytes, and what an authority signs that Mallory has below the root.

use mls_mobile::{
    Credential, CredentialValidator, GroupId, Member, NewMember, ValidationRequest, x509_validator,
};

use super::{
    Session,
    live::assert_is_typed,
    mallory::Mallory,
    wire::{Crypto, Reader, vector},
    world::GROUP,
};

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
/// AlgorithmIdentifier of Ed25519 (RFC 8410, section 3).
const ED25519: &[u8] = &[0x30, 5, 6, 3, 0x2b, 0x65, 0x70];

/// A DER value.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = content.len() as u32;
    let head = match length {
        0..0x80 => vec![tag, length as u8],
        0x80..0x100 => vec![tag, 0x81, length as u8],
        0x100..0x1_0000 => vec![tag, 0x82, (length >> 8) as u8, length as u8],
        _ => [&[tag, 0x84][..], &length.to_be_bytes()].concat(),
    };
    [head, content].concat()
}

/// Whom certificates name, and with what right.
#[derive(Clone, Copy)]
struct Subject<'n> {
    name: &'n str,
    extensions: &'n [u8],
}

/// BasicConstraints, critical: an authority.
const AUTHORITY: &[u8] = &[
    0x30, 0x0f, 6, 3, 0x55, 0x1d, 0x13, 1, 1, 0xff, 4, 5, 0x30, 3, 1, 1, 0xff,
];
/// The same with a path length of 0.
const LAST_AUTHORITY: &[u8] = &[
    0x30, 0x12, 6, 3, 0x55, 0x1d, 0x13, 1, 1, 0xff, 4, 8, 0x30, 6, 1, 1, 0xff, 2, 1, 0,
];
/// KeyUsage: digitalSignature, keyCertSign. ExtendedKeyUsage: clientAuth.
const USAGES: &[u8] = &[
    0x30, 0x0b, 6, 3, 0x55, 0x1d, 0x0f, 4, 4, 3, 2, 2, 0x84, 0x30, 0x13, 6, 3, 0x55, 0x1d, 0x25, 4, 0x0c,
    0x30, 0x0a, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 2,
];
/// NameConstraints: permitted is the DNS name "a".
const CONSTRAINED: &[u8] = &[
    0x30, 0x0e, 6, 3, 0x55, 0x1d, 0x1e, 4, 7, 0x30, 5, 0xa0, 3, 0x30, 1, 0x82,
];

fn name(common_name: &str) -> Vec<u8> {
    let common_name = der(0x0c, &[common_name.as_bytes()]);
    let attribute = der(SEQUENCE, &[&[6, 3, 0x55, 4, 3], &common_name]);
    der(SEQUENCE, &[&der(SET, &[&attribute])])
}

/// What of a certificate is signed.
fn to_be_signed(issuer: &str, subject: Subject<'_>, key: &[u8]) -> Vec<u8> {
    let validity = der(
        SEQUENCE,
        &[&der(0x17, &[b"700101000000Z"]), &der(0x18, &[b"40960101000000Z"])],
    );
    let key = der(SEQUENCE, &[ED25519, &der(3, &[&[0], key])]);
    let extensions = match subject.extensions {
        [] => Vec::new(),
        some => der(0xa3, &[&der(SEQUENCE, &[some])]),
    };
    der(
        SEQUENCE,
        &[
            &[0xa0, 3, 2, 1, 2, 2, 1, 1],
            ED25519,
            &name(issuer),
            &validity,
            &name(subject.name),
            &key,
            &extensions,
        ],
    )
}

fn signed(mallory: &Mallory, crypto: &Crypto, to_be_signed: &[u8]) -> Vec<u8> {
    let signature = crypto.sign_plainly(to_be_signed, mallory.guest());
    der(SEQUENCE, &[to_be_signed, ED25519, &der(3, &[&[0], &signature])])
}

/// The authority that the validator trusts. Everybody's key is that of Mallory's guest.
pub fn root(mallory: &Mallory, crypto: &Crypto) -> Vec<u8> {
    let subject = Subject {
        name: "root",
        extensions: AUTHORITY,
    };
    signed(
        mallory,
        crypto,
        &to_be_signed("root", subject, mallory.guests_key()),
    )
}

/// A byte that says in bit 0 whether the certificates are still to be signed and in bit 1 whether the last is a root,
/// then certificates, each a vector.
pub fn x509(session: &mut Session, input: &[u8]) {
    let mut reader = Reader(input);
    let Some(form) = reader.byte() else { return };
    let mut certificates = Vec::new();
    while let Some(certificate) = reader.vector() {
        certificates.push(match form & 1 {
            1 => signed(&session.world.mallory, &session.crypto, certificate),
            _ => certificate.to_vec(),
        });
    }
    let mut roots = vec![session.root.clone()];
    if form & 2 == 2 {
        roots.extend(certificates.pop());
    }
    match x509_validator(roots, None) {
        Ok(validator) => {
            let key = session.world.mallory.guests_key().to_vec();
            session.accepted += u64::from(judge(&*validator, certificates, key));
        }
        Err(error) => assert_is_typed(&error),
    }
}

/// Whether these certificates may come in. Who may be added may also be there already.
fn judge(validator: &dyn CredentialValidator, certificates: Vec<Vec<u8>>, signature_key: Vec<u8>) -> bool {
    let credential = Credential::X509 { certificates };
    let group_id = || GroupId(GROUP.to_vec());
    let added = validator.validate(ValidationRequest::KeyPackage {
        group_id: group_id(),
        member: NewMember {
            credential: credential.clone(),
            signature_key: signature_key.clone(),
        },
    });
    if !added.unwrap() {
        return false;
    }
    let member = Member {
        leaf_index: 0,
        credential,
        signature_key,
    };
    let joined = validator.validate(ValidationRequest::ExternalJoin {
        group_id: group_id(),
        members: vec![member.clone()],
    });
    assert!(joined.unwrap());
    // A key that no certificate names.
    let other = Member {
        signature_key: vec![0; 32],
        ..member
    };
    let joined = validator.validate(ValidationRequest::ExternalJoin {
        group_id: group_id(),
        members: vec![other],
    });
    assert!(!joined.unwrap(), "another key than the certificate's");
    true
}

/// The inputs to start from.
pub fn seeds(mallory: &Mallory) -> Vec<Vec<u8>> {
    let (crypto, key) = (Crypto::new(), mallory.guests_key());
    let of =
        |issuer: &str, name: &str, extensions: &[u8]| to_be_signed(issuer, Subject { name, extensions }, key);
    let member = |issuer: &str| of(issuer, "member", &[]);
    let root = of("root", "root", AUTHORITY);
    let chains = [
        vec![],
        vec![member("root")],
        vec![of("root", "member", USAGES)],
        vec![member("root"), root.clone()],
        vec![member("lower"), of("root", "lower", AUTHORITY)],
        vec![
            member("lower"),
            of("upper", "lower", LAST_AUTHORITY),
            of("root", "upper", &[AUTHORITY, USAGES].concat()),
        ],
        vec![
            member("lower"),
            of("root", "lower", &[AUTHORITY, CONSTRAINED].concat()),
        ],
        vec![member("lower"), of("root", "lower", &[])],
        vec![member("other"), of("other", "other", AUTHORITY)],
    ];
    let input = |form: u8, chain: &[Vec<u8>]| {
        let certificates: Vec<_> = chain.iter().map(|certificate| vector(certificate)).collect();
        [&[form][..], &certificates.concat()].concat()
    };
    let mut all = Vec::new();
    for chain in chains {
        let ready: Vec<_> = chain
            .iter()
            .map(|certificate| signed(mallory, &crypto, certificate))
            .collect();
        all.extend([
            input(0, &ready),
            input(1, &chain),
            input(2, &ready),
            input(3, &chain),
        ]);
    }
    all
}
