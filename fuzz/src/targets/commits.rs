//! Commits that are right from their first proposal to their confirmation tag, with what no honest member commits.
//! OpenMLS makes them for Mallory, so that they are merged, and what they brought is lived with.

use mls_mobile::{CommitState, GroupId, MlsClient, MlsError, ProcessedMessage};
use openmls::{
    prelude::{
        Capabilities, CredentialType, CustomProposal, Extension, ExtensionType, Extensions,
        LeafNodeParameters, Proposal, ProposalType, UnknownExtension, tls_codec::DeserializeBytes as _,
    },
    schedule::Psk,
};

use super::{
    Session,
    packages::sign,
    wire::{Reader, vector},
    world::{DECIDES_LATER, GROUP, MEMBER, QUEUE},
};
use crate::common::raw::{CommitParts, branch_psk, external_psk, resumption_psk};

/// A byte for the state and whether there must be a path, then proposals: a byte for the kind, and what it needs.
pub fn commit(session: &mut Session, input: &[u8]) {
    let mut reader = Reader(input);
    let Some(form) = reader.byte() else { return };
    let mut parts = CommitParts {
        with_path: form & 1 == 1,
        ..CommitParts::default()
    };
    while read(session, &mut reader, &mut parts).is_some() {}
    let Some(commit) = session.peer.try_commit(parts) else {
        return;
    };
    let state = [MEMBER, QUEUE, DECIDES_LATER][usize::from(form >> 1) % 3];
    let live = session.live(state);
    live.call(|client| follow(client, commit));
    live.end();
}

fn read(session: &Session, reader: &mut Reader<'_>, parts: &mut CommitParts) -> Option<()> {
    match reader.byte()? % 8 {
        0 => {
            let package = reader.vector()?;
            let world = &session.world;
            parts.adds.push(sign(&world.mallory, &session.crypto, package)?);
        }
        1 => parts.removed.push(reader.byte()?.into()),
        2 => parts.psks.push(external_psk(reader.vector()?)),
        3 => parts.psks.push(own_epoch(reader.byte()?)),
        4 => {
            let extensions = Extensions::tls_deserialize_exact_bytes(&vector(reader.vector()?));
            parts.group_context_extensions = extensions.ok();
        }
        5 => {
            let payload = CustomProposal::new(number(reader)?, reader.vector()?.to_vec());
            parts.proposals.push(Proposal::Custom(Box::new(payload)));
        }
        6 => parts.proposals.push(Proposal::SelfRemove),
        _ => parts.leaf_node = leaf_node(number(reader)?, reader.vector()?.to_vec())?,
    }
    Some(())
}

fn number(reader: &mut Reader<'_>) -> Option<u16> {
    reader
        .take(2)
        .map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
}

fn own_epoch(byte: u8) -> Psk {
    let epoch = u64::from(byte >> 1);
    match byte & 1 {
        0 => resumption_psk(GROUP, epoch),
        _ => branch_psk(GROUP, epoch),
    }
}

/// A leaf with an extension, and with capabilities for it.
fn leaf_node(number: u16, data: Vec<u8>) -> Option<LeafNodeParameters> {
    let capabilities = Capabilities::builder()
        .credentials(vec![CredentialType::Basic, CredentialType::X509])
        .extensions(vec![ExtensionType::from(number)])
        .proposals(vec![ProposalType::from(number)])
        .build();
    let extension = Extension::Unknown(number, UnknownExtension(data));
    Some(
        LeafNodeParameters::builder()
            .with_capabilities(capabilities)
            .with_extensions(Extensions::single(extension).ok()?)
            .build(),
    )
}

/// Processes a Commit and lives with it.
fn follow(client: &MlsClient, commit: Vec<u8>) -> Result<(), MlsError> {
    let group = client.group(GroupId(GROUP.to_vec()))?;
    let epoch = group.info()?.epoch;
    let outcome = group.process_message(commit)?;
    let ProcessedMessage::Commit { state, .. } = outcome else {
        return Ok(());
    };
    if matches!(state, CommitState::Staged) {
        group.merge_staged_commit().unwrap();
    }
    let info = group.info().unwrap();
    assert_eq!(info.epoch, epoch + 1);
    if info.is_active {
        group.create_message(b"hello".to_vec(), Vec::new()).unwrap();
        group.self_update(None).unwrap();
        group.merge_pending_commit().unwrap();
    }
    Ok(())
}

/// The inputs to start from.
pub fn seeds(key_package: &[u8], guests: &[u8], senders: &[u8]) -> Vec<Vec<u8>> {
    let add = |bytes: &[u8]| [&[0][..], &vector(bytes)].concat();
    let psk = [&[2][..], &vector(super::world::PSK)].concat();
    let extension = |number: u16, data: &[u8]| [&number.to_be_bytes()[..], &vector(data)].concat();
    let extensions = |content: &[u8]| [&[4][..], &vector(content)].concat();
    let parts = [
        Vec::new(),
        add(key_package),
        add(guests),
        vec![1, 1],
        vec![1, 0],
        psk.clone(),
        vec![3, 6],
        vec![3, 7],
        extensions(&[]),
        extensions(&extension(5, senders)),
        extensions(&extension(3, &[0, 0, 2, 0, 1])),
        extensions(&extension(3, &[0, 2, 0xf0, 0xff, 0])),
        extensions(&extension(0xff00, b"custom")),
        [&[5, 0xf0, 0xff][..], &vector(b"custom")].concat(),
        vec![6],
        [&[7, 0xff, 0][..], &vector(b"custom")].concat(),
        [&[1, 1][..], &add(guests), &psk, &extensions(&[])].concat(),
        [add(guests), vec![3, 6]].concat(),
    ];
    let forms = 0..6u8;
    forms
        .flat_map(|form| parts.iter().map(move |part| [&[form], &part[..]].concat()))
        .collect()
}
