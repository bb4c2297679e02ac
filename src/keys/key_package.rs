//! Key packages (RFC 9420, section 10): making, counting, deleting and checking them.

use std::sync::Arc;

use openmls::prelude::{
    KeyPackage, KeyPackageIn, KeyPackageRef, MlsMessageBodyIn, MlsMessageOut, ProtocolVersion,
};
use openmls_traits::{OpenMlsProvider, crypto::OpenMlsCrypto, types::Ciphersuite};
use tls_codec::{DeserializeBytes as _, Serialize as _};

use super::{
    identity::{self, Identity},
    leaf_node::LeafNodeOptions,
};
use crate::{
    crypto::crypto,
    error::{ArgumentProblem, Error, KeyPackageError},
    message,
    policy::{self, Lifetimes},
    provider::Provider,
    provider_crypto::Crypto,
    storage::{
        Call, WriteTx,
        key_packages::{self, KeyPackageRecord},
    },
    verification::{self, Verified},
};

/// What the app may choose about a key package.
pub(crate) struct Options {
    pub(crate) lifetime_seconds: u64,
    pub(crate) leaf_node: LeafNodeOptions,
    /// Usable any number of times (RFC 9420, section 16.8), for when all others are gone.
    pub(crate) last_resort: bool,
}

pub(crate) fn create(
    call: &mut Call<'_, WriteTx<'_>>,
    lifetimes: &Lifetimes,
    identity: &[u8],
    count: u32,
    options: &Options,
) -> Result<Vec<KeyPackageRecord>, Error> {
    if count > policy::MAX_KEY_PACKAGES {
        return Err(Error::Argument {
            argument: "count",
            problem: ArgumentProblem::OutOfRange,
        });
    }
    let identity = identity::get(&call.tx, identity)?;
    let provider = Provider::new(&call.tx)?;
    (0..count)
        .map(|_| {
            let key_package = build(&provider, &identity, (lifetimes, options))?;
            describe(&call.tx, &provider, key_package)
        })
        .collect()
}

/// One that goes to the members of a group instead of to the delivery service; it is listed like the others, under the
/// reference that comes with it.
pub(crate) fn create_to_propose(
    call: &Call<'_, WriteTx<'_>>,
    lifetimes: &Lifetimes,
    identity: &Identity,
    options: &Options,
) -> Result<(KeyPackage, KeyPackageRef), Error> {
    let provider = Provider::new(&call.tx)?;
    let key_package = build(&provider, identity, (lifetimes, options))?;
    let record = describe(&call.tx, &provider, key_package.clone())?;
    Ok((key_package, record.reference))
}

/// Makes as many key packages as are missing to have `target` unexpired ones besides those of last resort.
pub(crate) fn replenish(
    call: &mut Call<'_, WriteTx<'_>>,
    lifetimes: &Lifetimes,
    identity: &[u8],
    target: u32,
    options: &Options,
) -> Result<Vec<KeyPackageRecord>, Error> {
    let have = key_packages::count_single_use(&call.tx, identity, policy::now())?;
    let missing = u64::from(target).saturating_sub(have);
    let missing = u32::try_from(missing).unwrap_or(u32::MAX);
    create(call, lifetimes, identity, missing, options)
}

/// OpenMLS stores it with its private keys.
fn build(
    provider: &Provider<'_>,
    identity: &Identity,
    (lifetimes, options): (&Lifetimes, &Options),
) -> Result<KeyPackage, Error> {
    let content = options.leaf_node.content(identity.credential.credential_type())?;
    let mut builder = KeyPackage::builder()
        .key_package_lifetime(lifetimes.of(options.lifetime_seconds)?)
        .leaf_node_capabilities(content.capabilities)
        .leaf_node_extensions(content.extensions);
    if options.last_resort {
        builder = builder.mark_as_last_resort();
    }
    let bundle = builder.build(
        identity.ciphersuite,
        provider,
        &identity.signer,
        identity.credential_with_key(),
    )?;
    Ok(bundle.into_key_package())
}

/// Lists what OpenMLS has stored.
pub(super) fn describe(
    tx: &WriteTx<'_>,
    provider: &Provider<'_>,
    key_package: KeyPackage,
) -> Result<KeyPackageRecord, Error> {
    let lifetime = *key_package.life_time();
    let record = KeyPackageRecord {
        reference: key_package.hash_ref(provider.crypto())?,
        identity: key_package.leaf_node().signature_key().as_slice().to_vec(),
        not_before: lifetime.not_before(),
        not_after: lifetime.not_after(),
        last_resort: key_package.last_resort(),
        message: MlsMessageOut::from(key_package).to_bytes()?,
    };
    key_packages::describe(tx, &record)?;
    Ok(record)
}

pub(crate) fn delete(call: &mut Call<'_, WriteTx<'_>>, reference: &KeyPackageRef) -> Result<(), Error> {
    call.tx.erase();
    if key_packages::delete(&call.tx, reference)? {
        Ok(())
    } else {
        Err(Error::KeyPackageNotFound)
    }
}

pub(crate) fn delete_expired(call: &mut Call<'_, WriteTx<'_>>) -> Result<u64, Error> {
    call.tx.erase();
    key_packages::delete_expired(&call.tx, policy::now()).map_err(Into::into)
}

/// Checks a key package from elsewhere as RFC 9420, section 10.1, asks, and its lifetime against the policy.
pub(crate) fn validate(bytes: &[u8], lifetimes: &Lifetimes) -> Result<KeyPackage, Error> {
    validate_parsed(
        parse(bytes)?,
        lifetimes,
        &Crypto::new(Verified::default(), Arc::default())?,
    )
}

/// Checks many, in their order; their signatures on all cores.
pub(crate) fn validate_all(bytes: &[Vec<u8>], lifetimes: &Lifetimes) -> Result<Vec<KeyPackage>, Error> {
    let parsed: Vec<Result<KeyPackageIn, Error>> = bytes.iter().map(|bytes| parse(bytes)).collect();
    let sound: Vec<&KeyPackageIn> = parsed.iter().flatten().collect();
    let crypto = Crypto::new(verification::of_key_packages(&sound)?, Arc::default())?;
    parsed
        .into_iter()
        .map(|key_package| validate_parsed(key_package?, lifetimes, &crypto))
        .collect()
}

/// Decodes a key package, of which nothing is checked yet.
pub(super) fn parse(bytes: &[u8]) -> Result<KeyPackageIn, Error> {
    message::check_length("key_package", bytes, policy::MAX_KEY_PACKAGE)?;
    match message::parse(bytes)?.extract() {
        MlsMessageBodyIn::KeyPackage(key_package) => Ok(key_package),
        _ => Err(KeyPackageError::NotAKeyPackage.into()),
    }
}

/// The suite comes first: the signatures of one that is not computed would look wrong.
pub(super) fn check_ciphersuite(key_package: &KeyPackageIn) -> Result<(), Error> {
    // OpenMLS tells it of a verified key package only; it stands behind the version (RFC 9420, section 10).
    let bytes = key_package.tls_serialize_detached()?;
    let (_, rest) = ProtocolVersion::tls_deserialize_bytes(&bytes)?;
    let (ciphersuite, _) = Ciphersuite::tls_deserialize_bytes(rest)?;
    if crypto()?.supports(ciphersuite).is_err() || !policy::CIPHERSUITES.contains(&ciphersuite) {
        return Err(Error::UnsupportedCiphersuite(ciphersuite.into()));
    }
    Ok(())
}

fn validate_parsed(
    key_package: KeyPackageIn,
    lifetimes: &Lifetimes,
    crypto: &Crypto<Verified>,
) -> Result<KeyPackage, Error> {
    check_ciphersuite(&key_package)?;
    let key_package = key_package
        .validate(crypto, ProtocolVersion::Mls10)
        .map_err(KeyPackageError::from)?;
    if !lifetimes.accept(key_package.life_time()) {
        return Err(KeyPackageError::LifetimeTooLong.into());
    }
    Ok(key_package)
}
