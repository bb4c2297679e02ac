//! Recovery archives: damaged ones, and what a harmful content under the right key does.

use std::fs;

use libcrux_chacha20poly1305::xchacha20_poly1305 as xchacha;
use mls_mobile::{ClientConfig, MlsClient, MlsError};

use super::{
    Session,
    files::{assert_is_typed, damage},
    wire::{Crypto, Reader},
};
use crate::common::{
    KEY,
    recovered::{RECOVERY_KEY, recover_at},
    template::database,
};

/// Magic number, version and salt, then the check of the key (docs/storage-format.md).
const SALTED: usize = 4 + 1 + 16;
const HEADER: usize = SALTED + 16;
/// What stands in front of the content: its length.
const LENGTH: usize = 4;

/// A byte for the form, then damage to a real archive, the content of one, or its padded content.
pub fn recover(session: &mut Session, input: &[u8]) {
    let mut reader = Reader(input);
    let Some(form) = reader.byte() else { return };
    let mut archive = session.world.archive.clone();
    match form % 3 {
        0 => damage(&mut archive, reader.0),
        1 => archive = seal(&session.crypto, &archive, &padded(reader.0)),
        _ => archive = seal(&session.crypto, &archive, reader.0),
    }
    let folder = tempfile::tempdir_in(&session.scratch).unwrap();
    match recover_at(folder.path(), &archive, RECOVERY_KEY) {
        Ok(client) => {
            session.accepted += 1;
            assert_is_typed(use_it(&client));
            drop(client);
            // What is there is whole.
            let config = ClientConfig::new(database(folder.path()), KEY);
            drop(MlsClient::open(config, None, None).unwrap());
        }
        Err(error) => {
            assert_is_typed(Err(error));
            assert_eq!(
                fs::read_dir(&folder).unwrap().count(),
                0,
                "refused, and left something"
            );
        }
    }
}

/// What an app does on the new phone.
fn use_it(client: &MlsClient) -> Result<(), MlsError> {
    let identities = client.identities()?;
    let groups = client.groups_to_rejoin()?;
    client.recovery_revision()?;
    client.export_recovery_archive(RECOVERY_KEY.to_vec())?;
    for group in groups {
        client.group(group.group_id.clone()).map(drop).unwrap_err();
        client.forget_group_to_rejoin(group.group_id)?;
    }
    if let Some(identity) = identities.into_iter().next() {
        client.create_key_packages(identity.id, 1, None)?;
    }
    Ok(())
}

fn padded(content: &[u8]) -> Vec<u8> {
    let mut padded = [&(content.len() as u32).to_be_bytes(), content].concat();
    padded.resize(padded.len().next_power_of_two(), 0);
    padded
}

/// The key and the associated data of an archive, of which the header is enough.
fn key(crypto: &Crypto, archive: &[u8]) -> ([u8; 32], Vec<u8>) {
    let salt = &archive[5..SALTED];
    let key = crypto.mac(&RECOVERY_KEY, &[b"mls-mobile recovery seal", salt].concat());
    let data = [b"mls-mobile recovery archive", &archive[..HEADER]].concat();
    (key.try_into().unwrap(), data)
}

/// Puts this into an archive, with its salt and nonce.
fn seal(crypto: &Crypto, archive: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let (key, data) = key(crypto, archive);
    let head = &archive[..HEADER + 1 + xchacha::NONCE_LEN];
    let nonce = head[HEADER + 1..].try_into().unwrap();
    let mut body = vec![0; plaintext.len() + xchacha::TAG_LEN];
    xchacha::encrypt(&key, plaintext, &mut body, &data, nonce).unwrap();
    [head, &body].concat()
}

/// What is in an archive, without its padding.
fn content(archive: &[u8]) -> Vec<u8> {
    let (key, data) = key(&Crypto::new(), archive);
    let (nonce, body) = archive[HEADER + 1..].split_at(xchacha::NONCE_LEN);
    let mut plaintext = vec![0; body.len() - xchacha::TAG_LEN];
    xchacha::decrypt(&key, &mut plaintext, body, &data, nonce.try_into().unwrap()).unwrap();
    let length = u32::from_be_bytes(plaintext[..LENGTH].try_into().unwrap());
    plaintext[LENGTH..][..length as usize].to_vec()
}

/// The inputs to start from.
pub fn seeds(archive: &[u8], patches: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let content = content(archive);
    let of_form = |form: u8, rest: &[u8]| [&[form], rest].concat();
    let mut all: Vec<_> = patches.iter().map(|patch| of_form(0, patch)).collect();
    all.push(of_form(1, &content));
    all.push(of_form(2, &padded(&content)));
    // Nothing in it.
    all.push(of_form(1, &[0x93, 0x90, 0x90, 0x90]));
    all
}
