//! What a recovery archive must not have in it, and what two phones made from it must not share.
//!
//! Sealing is switched off here, so that secrets stand in the files as they are and can be searched for. Archives are
//! sealed all the same; this file opens them as docs/storage-format.md says.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use std::collections::BTreeSet;

use common::{Device, advance, basic, deliver, group_of, incoming, recovered::RECOVERY_KEY};
use libcrux_chacha20poly1305::xchacha20_poly1305;
use mls_mobile::fault;
use openmls_libcrux_crypto::CryptoProvider;
use openmls_traits::{crypto::OpenMlsCrypto as _, types::HashType};
use rusqlite::types::Value;

/// A 32-byte string of a stored value, as MessagePack writes it.
const SECRET_HEADER: [u8; 2] = [0xc4, 32];

fn device(name: &str) -> Device {
    fault::switch_sealing_off();
    Device::new(name)
}

fn hmac(label: &[u8], salt: &[u8]) -> Vec<u8> {
    let crypto = CryptoProvider::new().unwrap();
    let input = [label, salt].concat();
    let output = crypto.hmac(HashType::Sha2_256, &RECOVERY_KEY, &input).unwrap();
    output.as_slice().to_vec()
}

/// The content of an archive.
fn open(archive: &[u8]) -> Vec<u8> {
    let (header, sealed) = archive.split_at(37);
    assert_eq!(header[..5], *b"MLSr\x01");
    let (salt, check) = header[5..].split_at(16);
    assert_eq!(check, &hmac(b"mls-mobile recovery check", salt)[..16]);
    let key = hmac(b"mls-mobile recovery seal", salt);
    let (nonce, ciphertext) = sealed[1..].split_at(24);
    assert_eq!(sealed[0], 1);
    let associated_data = [b"mls-mobile recovery archive", header].concat();
    let mut plaintext = vec![0; ciphertext.len() - 16];
    xchacha20_poly1305::decrypt(
        key.as_slice().try_into().unwrap(),
        &mut plaintext,
        ciphertext,
        &associated_data,
        nonce.try_into().unwrap(),
    )
    .unwrap();
    let length = u32::from_be_bytes(plaintext[..4].try_into().unwrap());
    let (content, padding) = plaintext[4..].split_at(usize::try_from(length).unwrap());
    assert!(padding.iter().all(|byte| *byte == 0));
    content.to_vec()
}

/// Every value of the tables that `choose` chooses.
fn values(device: &Device, choose: impl Fn(&str) -> bool) -> Vec<u8> {
    let tables = device.dump().into_iter().filter(|(table, _)| choose(table));
    let values = tables.flat_map(|(_, rows)| rows).flatten();
    let blobs = values.filter_map(|value| match value {
        Value::Blob(bytes) => Some(bytes),
        _ => None,
    });
    blobs.collect::<Vec<_>>().concat()
}

fn secrets(values: &[u8]) -> BTreeSet<Vec<u8>> {
    values
        .windows(34)
        .filter(|window| window.starts_with(&SECRET_HEADER))
        .map(|window| window[2..].to_vec())
        .collect()
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// Tables whose content an archive has.
fn is_archived(table: &str) -> bool {
    ["identity", "psk"].contains(&table)
}

#[test]
fn no_secret_of_an_epoch_a_key_package_or_a_message_is_in_an_archive() {
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(device);
    let id = group_of(&[&bob, &alice, &carol]);
    let other = group_of(&[&alice, &bob]);
    alice.client().register_psk(b"psk".to_vec(), vec![8; 32]).unwrap();
    alice
        .client()
        .create_identity(basic("work"), common::SUITE)
        .unwrap();
    // Past epochs, unread and early messages, and everything that may be pending.
    for _ in 0..2 {
        advance(&id, &bob, &[&alice, &carol]);
        alice.read(&id, &bob.send(&id, "canary plaintext of the inbox"));
    }
    alice.send(&id, "sent");
    let update = carol.group(&id).self_update(None).unwrap();
    deliver(&id, &carol, &update, &[&bob]);
    let early = incoming(&carol.send(&id, "early"), 1);
    alice.client().process_messages(vec![early], None).unwrap();
    alice.group(&id).propose_self_update(None).unwrap();
    alice.group(&id).self_update(None).unwrap();
    alice.rejoin(&other, &bob);
    alice.group(&other).self_update(None).unwrap();
    alice.group(&other).clear_pending_commit().unwrap();
    let key_package = alice.key_package();

    let archive = alice.archive();
    let content = open(&archive);
    let archived = values(&alice, is_archived);
    let public = [
        bob.group(&id).export_ratchet_tree().unwrap(),
        bob.group(&other).export_ratchet_tree().unwrap(),
    ]
    .concat();
    let others = secrets(&values(&alice, |table| !is_archived(table)));
    let mut searched = 0;
    for secret in others {
        if !contains(&archived, &secret) && !contains(&public, &secret) {
            searched += 1;
            assert!(!contains(&content, &secret), "{secret:02x?}");
        }
    }
    assert!(searched > 60, "{searched}");
    for other in [&key_package[40..72], b"canary plaintext"] {
        assert!(!contains(&content, other));
    }
    // The search does find what is there: private keys and the pre-shared key.
    let archived = secrets(&archived);
    assert!(archived.len() >= 5, "{}", archived.len());
    assert!(archived.contains(&vec![8; 32]));
    for secret in archived {
        assert!(contains(&content, &secret));
        assert!(!contains(&archive, &secret));
    }
    assert!(contains(&content, b"alice") && !contains(&archive, b"alice"));
}

#[test]
fn two_phones_from_one_archive_share_no_key_that_is_used_once() {
    let [alice, bob] = ["alice", "bob"].map(device);
    let id = group_of(&[&bob, &alice]);
    alice.send(&id, "before the loss");
    let archive = alice.archive();
    let content = open(&archive);
    let [first, second] = [0, 1].map(|_| alice.recovered(&archive));
    let mut public = bob.group(&id).export_group_info(true).unwrap();
    let assert_apart = |public: &[u8]| {
        let all = |device: &Device| secrets(&values(device, |_| true));
        let phones = [&alice, &first, &second];
        for (index, one) in phones.iter().enumerate() {
            for other in &phones[..index] {
                let shared: Vec<_> = all(one).intersection(&all(other)).cloned().collect();
                // The search does find what they share.
                assert!(shared.iter().any(|secret| contains(&content, secret)));
                for secret in shared {
                    assert!(
                        contains(&content, &secret) || contains(public, &secret),
                        "{secret:02x?}"
                    );
                }
            }
        }
    };
    // Both Commits are made of the same GroupInfo; the delivery service accepts one.
    let join = first.rejoin(&id, &bob);
    second.rejoin(&id, &bob);
    assert_apart(&public);

    bob.follow(&id, &join.commit);
    first.client().confirm_external_join(id.clone()).unwrap();
    let texts = [first.send(&id, "same text"), bob.send(&id, "same text")];
    public.extend(bob.group(&id).export_group_info(true).unwrap());
    let join = second.rejoin(&id, &bob);
    bob.follow(&id, &join.commit);
    second.client().confirm_external_join(id.clone()).unwrap();
    assert_ne!(second.send(&id, "same text"), texts[0]);
    first.read(&id, &texts[1]);
    public.extend(bob.group(&id).export_group_info(true).unwrap());
    assert_apart(&public);
}
