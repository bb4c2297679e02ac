//! Which codec for stored values: the measurement behind docs/adr/0003. `cargo run --release` in this folder prints its table.
//!
//! The values are those OpenMLS hands to storage, as far as their types are public: the ratchet tree, a staged Commit,
//! a key package with its private keys, and a group's configuration.

#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement that is run by hand"
)]

use std::time::{Duration, Instant};

use openmls::prelude::*;
use openmls_libcrux_crypto::Provider;
use rmp_serde::config::BytesMode;
use serde::{Serialize, de::DeserializeOwned};

const SUITE: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519;

fn main() {
    println!("| value | members | codec | bytes | encode ms | decode ms | reads its own output |");
    println!("|---|---|---|---|---|---|---|");
    for members in [32, 256, 1000] {
        let (mut alice, provider, mut bob, bobs_provider, signer) = group(members);
        measure_all("ratchet tree", members, &alice.export_ratchet_tree());
        let bundle = alice
            .self_update(&provider, &signer, LeafNodeParameters::default())
            .unwrap();
        let message =
            MlsMessageIn::tls_deserialize_exact_bytes(&bundle.into_commit().to_bytes().unwrap()).unwrap();
        let processed = bob
            .process_message(&bobs_provider, message.try_into_protocol_message().unwrap())
            .unwrap();
        let ProcessedMessageContent::StagedCommitMessage(staged) = processed.into_content() else {
            unreachable!()
        };
        measure_all("staged Commit", members, &*staged);
        if members == 32 {
            let (bundle, _) = key_package(&provider, "somebody");
            measure_all("key package and keys", 1, &bundle);
            measure_all("join configuration", 1, alice.configuration());
        }
    }
}

/// Alice's group, seen by Alice and by Bob, who is its second member.
fn group(members: usize) -> (MlsGroup, Provider, MlsGroup, Provider, Signer) {
    let (provider, bobs_provider) = (Provider::new().unwrap(), Provider::new().unwrap());
    let (credential, signer) = credential(&provider, "alice");
    let config = MlsGroupCreateConfig::builder()
        .ciphersuite(SUITE)
        .use_ratchet_tree_extension(true)
        .build();
    let mut alice = MlsGroup::new(&provider, &signer, &config, credential).unwrap();
    let (bob, _) = key_package(&bobs_provider, "bob");
    let mut others = vec![bob.key_package().clone()];
    // Their private keys are dropped: nobody but Bob ever joins.
    others.extend((2..members).map(|n| {
        key_package(&provider, &format!("member {n}"))
            .0
            .key_package()
            .clone()
    }));
    let mut bobs_group = None;
    for batch in others.chunks(100) {
        let (commit, welcome, _) = alice.add_members(&provider, &signer, batch).unwrap();
        alice.merge_pending_commit(&provider).unwrap();
        match &mut bobs_group {
            None => bobs_group = Some(join(&bobs_provider, welcome)),
            Some(group) => follow(group, &bobs_provider, commit),
        }
    }
    (alice, provider, bobs_group.unwrap(), bobs_provider, signer)
}

fn join(provider: &Provider, welcome: MlsMessageOut) -> MlsGroup {
    let message = MlsMessageIn::tls_deserialize_exact_bytes(&welcome.to_bytes().unwrap()).unwrap();
    let MlsMessageBodyIn::Welcome(welcome) = message.extract() else {
        unreachable!()
    };
    StagedWelcome::new_from_welcome(provider, &MlsGroupJoinConfig::default(), welcome, None)
        .unwrap()
        .into_group(provider)
        .unwrap()
}

fn follow(group: &mut MlsGroup, provider: &Provider, commit: MlsMessageOut) {
    let message = MlsMessageIn::tls_deserialize_exact_bytes(&commit.to_bytes().unwrap()).unwrap();
    let processed = group
        .process_message(provider, message.try_into_protocol_message().unwrap())
        .unwrap();
    let ProcessedMessageContent::StagedCommitMessage(staged) = processed.into_content() else {
        unreachable!()
    };
    group.merge_staged_commit(provider, *staged).unwrap();
}

struct Signer(Vec<u8>);

impl openmls_traits::signatures::Signer for Signer {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, openmls_traits::signatures::SignerError> {
        Provider::new()
            .unwrap()
            .crypto()
            .sign(SignatureScheme::ED25519, payload, &self.0)
            .map_err(openmls_traits::signatures::SignerError::CryptoError)
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

fn credential(provider: &Provider, name: &str) -> (CredentialWithKey, Signer) {
    let (private_key, public_key) = provider
        .crypto()
        .signature_key_gen(SignatureScheme::ED25519)
        .unwrap();
    let credential = CredentialWithKey {
        credential: BasicCredential::new(name.as_bytes().to_vec()).into(),
        signature_key: public_key.into(),
    };
    (credential, Signer(private_key))
}

fn key_package(provider: &Provider, name: &str) -> (KeyPackageBundle, Signer) {
    let (credential, signer) = credential(provider, name);
    let bundle = KeyPackage::builder()
        .build(SUITE, provider, &signer, credential)
        .unwrap();
    (bundle, signer)
}

fn measure_all<T: Serialize + DeserializeOwned>(value: &str, members: usize, it: &T) {
    let row = |codec: &str, encode: &dyn Fn() -> Vec<u8>, decode: &dyn Fn(&[u8]) -> Option<T>| {
        let (bytes, encoding) = best(encode);
        let (decoded, decoding) = best(|| decode(&bytes));
        // The types have no common equality: encoded again, the value must give the same bytes.
        let same = decoded.is_some_and(|decoded| positional(&decoded) == positional(it));
        println!(
            "| {value} | {members} | {codec} | {} | {:.2} | {:.2} | {} |",
            bytes.len(),
            milliseconds(encoding),
            milliseconds(decoding),
            if same { "yes" } else { "**no**" }
        );
    };
    row("MessagePack, fields by position", &|| positional(it), &|bytes| {
        rmp_serde::from_slice(bytes).ok()
    });
    row("MessagePack, fields by name", &|| named(it), &|bytes| {
        rmp_serde::from_slice(bytes).ok()
    });
    row(
        "CBOR",
        &|| {
            let mut bytes = Vec::new();
            ciborium::into_writer(it, &mut bytes).unwrap();
            bytes
        },
        &|bytes| ciborium::from_reader(bytes).ok(),
    );
    row("JSON", &|| serde_json::to_vec(it).unwrap_or_default(), &|bytes| {
        serde_json::from_slice(bytes).ok()
    });
    row(
        "postcard",
        &|| postcard::to_stdvec(it).unwrap_or_default(),
        &|bytes| postcard::from_bytes(bytes).ok(),
    );
}

fn positional<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut serializer = rmp_serde::Serializer::new(&mut bytes).with_bytes(BytesMode::ForceAll);
    value.serialize(&mut serializer).unwrap();
    bytes
}

fn named<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut serializer = rmp_serde::Serializer::new(&mut bytes)
        .with_bytes(BytesMode::ForceAll)
        .with_struct_map();
    value.serialize(&mut serializer).unwrap();
    bytes
}

/// The shortest of ten runs: the rest is the machine's noise.
fn best<T>(run: impl Fn() -> T) -> (T, Duration) {
    let timed = || {
        let start = Instant::now();
        let value = run();
        (value, start.elapsed())
    };
    (0..9)
        .map(|_| timed())
        .fold(timed(), |best, next| if next.1 < best.1 { next } else { best })
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
