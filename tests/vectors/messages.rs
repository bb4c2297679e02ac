//! Every message decodes, and encodes to the same bytes.
//!
//! MLSMessages pass the library's own parser. What is inside of them the library never decodes by itself: proposals and
//! ratchet trees do so with the types of OpenMLS that decode them in a message, Commits in the PublicMessage that carries
//! the same one. A GroupSecrets is decrypted and decoded inside OpenMLS, which offers it to nobody, and nobody encodes one
//! again: those of the passive clients' Welcomes are read.

use std::{collections::BTreeMap, io::Write as _};

use mls_mobile::{MessageKind, MlsError, WireFormat, test_vectors::decode_and_encode};
use openmls::prelude::{ProposalIn, RatchetTreeIn};
use tls_codec::{Deserialize, Serialize};

use super::{
    common::Device,
    file::{Bytes, read},
    with_a_bit_changed,
};

/// How many cases there are.
const CASES: usize = 300;

/// With what they hold, where that is the same in all cases.
const MESSAGES: [(&str, Option<MessageKind>, WireFormat); 7] = [
    ("mls_welcome", Some(MessageKind::Welcome), WireFormat::Welcome),
    (
        "mls_group_info",
        Some(MessageKind::GroupInfo),
        WireFormat::GroupInfo,
    ),
    (
        "mls_key_package",
        Some(MessageKind::KeyPackage),
        WireFormat::KeyPackage,
    ),
    (
        "public_message_application",
        Some(MessageKind::Application),
        WireFormat::PublicMessage,
    ),
    (
        "public_message_proposal",
        Some(MessageKind::Proposal),
        WireFormat::PublicMessage,
    ),
    (
        "public_message_commit",
        Some(MessageKind::Commit),
        WireFormat::PublicMessage,
    ),
    ("private_message", None, WireFormat::PrivateMessage),
];

/// With their types (RFC 9420, section 17.4), which the vectors leave out.
const PROPOSALS: [(&str, u16); 6] = [
    ("add_proposal", 1),
    ("update_proposal", 2),
    ("remove_proposal", 3),
    ("pre_shared_key_proposal", 4),
    ("external_init_proposal", 6),
    ("group_context_extensions_proposal", 7),
];

const REINIT: (&str, u16) = ("re_init_proposal", 5);

/// The messages of a case by their names.
type Case = BTreeMap<String, Bytes>;

fn cases() -> Option<Vec<Case>> {
    let cases: Vec<Case> = read("messages.json")?;
    assert_eq!(cases.len(), CASES);
    // Each name of a vector has its test here, or its reason in the head of this file.
    let mut names = vec!["commit", "group_secrets", "ratchet_tree", REINIT.0];
    names.extend(MESSAGES.map(|(name, ..)| name));
    names.extend(PROPOSALS.map(|(name, _)| name));
    names.sort_unstable();
    for case in &cases {
        assert_eq!(Vec::from_iter(case.keys()), names);
    }
    Some(cases)
}

/// With the type that stands before each in a message.
fn typed(proposal_type: u16, proposal: &[u8]) -> Vec<u8> {
    [&proposal_type.to_be_bytes(), proposal].concat()
}

fn again<T: Deserialize + Serialize>(bytes: &[u8]) -> Vec<u8> {
    let decoded = T::tls_deserialize_exact(bytes).unwrap();
    decoded.tls_serialize_detached().unwrap()
}

#[test]
fn every_message_encodes_to_the_bytes_that_it_was_decoded_from() {
    let Some(cases) = cases() else { return };
    let device = Device::new("phone");
    for (number, case) in cases.iter().enumerate() {
        for (name, kind, wire_format) in MESSAGES {
            let bytes = &case[name].0;
            let encoded = decode_and_encode(bytes);
            assert_eq!(encoded.as_ref(), Ok(bytes), "{name} of case {number}");
            let info = device.client().message_info(bytes.clone()).unwrap();
            assert_eq!(info.wire_format, wire_format, "{name}");
            assert_eq!(info.kind, kind.unwrap_or(info.kind), "{name}");
        }
    }
}

#[test]
fn what_is_inside_of_a_message_encodes_to_the_bytes_that_it_was_decoded_from() {
    let Some(cases) = cases() else { return };
    for case in &cases {
        assert_eq!(
            again::<RatchetTreeIn>(&case["ratchet_tree"].0),
            case["ratchet_tree"].0
        );
        for (name, proposal_type) in PROPOSALS {
            let bytes = typed(proposal_type, &case[name].0);
            assert_eq!(again::<ProposalIn>(&bytes), bytes, "{name}");
        }
        let (commit, carrier) = (&case["commit"].0, &case["public_message_commit"].0);
        assert!(carrier.windows(commit.len()).any(|part| part == commit));
    }
    say_left_out("GroupSecrets, which OpenMLS decodes inside of Welcomes only");
}

#[test]
fn a_reinit_encodes_to_the_bytes_that_it_was_decoded_from_but_for_its_extensions() {
    let Some(cases) = cases() else { return };
    for case in &cases {
        let bytes = typed(REINIT.1, &case[REINIT.0].0);
        assert!(ProposalIn::tls_deserialize_exact(&bytes).is_err());
        // Type, group id (16 bytes with their length), version, suite.
        let without_extensions = [&bytes[..2 + 17 + 2 + 2], &[0]].concat();
        assert_eq!(again::<ProposalIn>(&without_extensions), without_extensions);
    }
    say_left_out(
        "extensions of ReInits: a ratchet tree, which no GroupContext may have (RFC 9420, section 17.3)",
    );
}

fn say_left_out(what: &str) {
    // A line of its own: the test runner may have begun one.
    let line = format!("\nleft out: {CASES} {what}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

#[test]
fn a_difference_is_noticed() {
    let Some(cases) = cases() else { return };
    for case in &cases {
        for (name, ..) in MESSAGES {
            let bytes = &case[name].0;
            // Signatures, tags and ciphertexts at the end are bytes like any other.
            let changed = with_a_bit_changed(bytes, bytes.len() - 1);
            let encoded = decode_and_encode(&changed).unwrap();
            assert_eq!(encoded, changed, "{name}");
            assert_ne!(&encoded, bytes, "{name}");
            let cut = &bytes[..bytes.len() - 1];
            assert_eq!(decode_and_encode(cut), Err(MlsError::MessageMalformed), "{name}");
            let longer = [bytes.as_slice(), &[0]].concat();
            assert_eq!(
                decode_and_encode(&longer),
                Err(MlsError::MessageMalformed),
                "{name}"
            );
        }
    }
}
