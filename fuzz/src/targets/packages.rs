//! Key packages of others: any bytes, and what a malicious owner signs.

use mls_mobile::{GroupId, MlsClient, MlsError};

use super::{
    Session,
    mallory::Mallory,
    wire::{Crypto, Reader, vector},
    world::{GROUP, MEMBER},
};

/// A byte that says whether Mallory signs as her guest, and a key package.
pub fn key_package(session: &mut Session, input: &[u8]) {
    let mut reader = Reader(input);
    let Some(form) = reader.byte() else { return };
    let package = match form & 1 {
        1 => sign(&session.world.mallory, &session.crypto, reader.0).unwrap_or_else(|| reader.0.to_vec()),
        _ => reader.0.to_vec(),
    };
    let live = session.live(MEMBER);
    let seen = live.call(|client| client.inspect_key_package(package.clone()));
    let added = live.call(|client| add(client, &package));
    assert!(
        added.is_none() || seen.is_some(),
        "added, but looking refused: {package:?}"
    );
    live.end();
}

/// Adds its owner in every way that there is. What can be added must do no harm later.
fn add(client: &MlsClient, package: &[u8]) -> Result<(), MlsError> {
    let group = client.group(GroupId(GROUP.to_vec()))?;
    let members = group.members()?.len();
    group.add_members(vec![package.to_vec()])?;
    group.clear_pending_commit()?;
    group.propose_add(package.to_vec()).unwrap();
    group.commit_to_pending_proposals().unwrap();
    group.merge_pending_commit().unwrap();
    assert_eq!(group.members().unwrap().len(), members + 1);
    group.create_message(b"hello".to_vec(), Vec::new()).unwrap();
    Ok(())
}

/// The same key package with the key of Mallory's guest in the leaf, and signatures with it.
pub fn sign(mallory: &Mallory, crypto: &Crypto, message: &[u8]) -> Option<Vec<u8>> {
    let mut reader = Reader(message);
    let head = reader.take(4)?;
    let start = reader;
    // Version and ciphersuite, init key.
    reader.take(4)?;
    reader.vector()?;
    let before = reader.since(start);
    let start = reader;
    reader.vector()?;
    let encryption_key = reader.since(start);
    reader.vector()?;
    let start = reader;
    // Credential, capabilities, source of the leaf, extensions.
    reader.take(2)?;
    for _ in 0..6 {
        reader.vector()?;
    }
    match reader.byte()? {
        1 => reader.take(16).map(drop),
        3 => reader.vector().map(drop),
        _ => Some(()),
    }?;
    reader.vector()?;
    let content = reader.since(start);
    let leaf = [encryption_key, &vector(mallory.guests_key()), content].concat();
    reader.vector()?;
    let start = reader;
    reader.vector()?;
    let extensions = reader.since(start);
    let signature = vector(&mallory.sign_as_guest(crypto, "LeafNodeTBS", &leaf));
    let package = [before, &leaf, &signature, extensions].concat();
    let signature = vector(&mallory.sign_as_guest(crypto, "KeyPackageTBS", &package));
    reader.vector()?;
    Some([head, &package, &signature, reader.0].concat())
}
