//! The little that a delivery service understands of MLS: framing, and whether a key package is one.

use std::sync::OnceLock;

use mls_delivery_client::wire::{Kind, PublishedGroupInfo};
use openmls::prelude::{
    ContentType, KeyPackage, KeyPackageIn, MlsMessageBodyIn, MlsMessageIn, ProtocolMessage, ProtocolVersion,
    Sender,
};
use openmls_libcrux_crypto::CryptoProvider;
use tls_codec::DeserializeBytes as _;

use crate::{Time, limits, problem::Problem};

/// A key package that may be published.
pub(crate) struct Valid {
    pub(crate) reference: Vec<u8>,
    pub(crate) signature_key: Vec<u8>,
    pub(crate) application_id: Option<Vec<u8>>,
    pub(crate) ciphersuite: u16,
    pub(crate) last_resort: bool,
    pub(crate) expires: Time,
}

/// What a message for a group says of itself; none of it is proven.
pub(crate) struct Framing {
    pub(crate) group: Vec<u8>,
    pub(crate) epoch: u64,
    pub(crate) kind: Kind,
    /// Its sender says that it is no member yet.
    pub(crate) joins: bool,
}

/// Checks a key package as RFC 9420, section 10.1, asks: signatures, capabilities, a lifetime that covers the present.
pub(crate) fn key_package(bytes: &[u8], now: Time) -> Result<Valid, Problem> {
    let MlsMessageBodyIn::KeyPackage(key_package) = parse(bytes, Problem::InvalidKeyPackage)? else {
        return Err(Problem::InvalidKeyPackage);
    };
    let key_package = validate(key_package)?;
    let expires = Time::try_from(key_package.life_time().not_after()).unwrap_or(Time::MAX);
    if expires.saturating_sub(now) > limits::KEY_PACKAGE_LIFETIME {
        return Err(Problem::InvalidKeyPackage);
    }
    let leaf_node = key_package.leaf_node();
    let reference = key_package.hash_ref(crypto()?).map_err(|_| Problem::Internal)?;
    Ok(Valid {
        reference: reference.as_slice().to_vec(),
        signature_key: leaf_node.signature_key().as_slice().to_vec(),
        application_id: leaf_node
            .extensions()
            .application_id()
            .map(|id| id.as_slice().to_vec()),
        ciphersuite: u16::from(key_package.ciphersuite()),
        last_resort: key_package.last_resort(),
        expires,
    })
}

fn validate(key_package: KeyPackageIn) -> Result<KeyPackage, Problem> {
    key_package
        .validate(crypto()?, ProtocolVersion::Mls10)
        .map_err(|_| Problem::InvalidKeyPackage)
}

/// The framing of a PublicMessage or PrivateMessage. The content type is in clear in both (RFC 9420, sections 6.2 and 6.3).
pub(crate) fn framing(bytes: &[u8]) -> Result<Framing, Problem> {
    let (message, joins) = match parse(bytes, Problem::InvalidMessage)? {
        MlsMessageBodyIn::PublicMessage(message) => {
            let joins = matches!(
                message.sender(),
                Sender::NewMemberCommit | Sender::NewMemberProposal
            );
            (ProtocolMessage::from(message), joins)
        }
        MlsMessageBodyIn::PrivateMessage(message) => (ProtocolMessage::from(message), false),
        _ => return Err(Problem::InvalidMessage),
    };
    Ok(Framing {
        group: message.group_id().as_slice().to_vec(),
        epoch: message.epoch().as_u64(),
        kind: match message.content_type() {
            ContentType::Application => Kind::Application,
            ContentType::Proposal => Kind::Proposal,
            ContentType::Commit => Kind::Commit,
        },
        joins,
    })
}

pub(crate) fn check_welcome(bytes: &[u8]) -> Result<(), Problem> {
    match parse(bytes, Problem::InvalidMessage)? {
        MlsMessageBodyIn::Welcome(_) => Ok(()),
        _ => Err(Problem::InvalidMessage),
    }
}

/// The epoch of a GroupInfo of this group that does not tell who the members are.
pub(crate) fn check_group_info(info: &PublishedGroupInfo, group: &[u8]) -> Result<u64, Problem> {
    let MlsMessageBodyIn::GroupInfo(info) = parse(&info.group_info.0, Problem::InvalidMessage)? else {
        return Err(Problem::InvalidMessage);
    };
    if info.extensions().ratchet_tree().is_some() {
        return Err(Problem::RatchetTreeIncluded);
    }
    if info.group_id().as_slice() != group {
        return Err(Problem::AnotherGroup);
    }
    Ok(info.epoch().as_u64())
}

/// Bytes left over make a message malformed.
fn parse(bytes: &[u8], otherwise: Problem) -> Result<MlsMessageBodyIn, Problem> {
    MlsMessageIn::tls_deserialize_exact_bytes(bytes)
        .map(MlsMessageIn::extract)
        .map_err(|_| otherwise)
}

fn crypto() -> Result<&'static CryptoProvider, Problem> {
    static CRYPTO: OnceLock<CryptoProvider> = OnceLock::new();
    if let Some(crypto) = CRYPTO.get() {
        return Ok(crypto);
    }
    // Fails only while the operating system has no randomness.
    let crypto = CryptoProvider::new().map_err(|_| Problem::Internal)?;
    Ok(CRYPTO.get_or_init(|| crypto))
}
