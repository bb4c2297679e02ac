//! Files of others: a database that was damaged, and one that is said to come from another device.

use std::{fs, path::Path};

use mls_mobile::{ClientConfig, GroupId, MlsClient, MlsError};

use super::{
    Session, folder,
    wire::Reader,
    world::{GROUP, PENDING, TRANSFER_FILE, TRANSFER_KEY},
};
use crate::common::KEY;

/// Damages a file: a first byte that is not 0 cuts it, at what two more say in pages and 16 bytes; then each four bytes
/// are a place and what goes there.
pub fn damage(file: &mut Vec<u8>, input: &[u8]) {
    let mut reader = Reader(input);
    match reader.byte() {
        None | Some(0) => {}
        Some(_) => {
            let Some(end) = reader.take(2) else { return };
            file.truncate(usize::from(end[0]) * 4096 + usize::from(end[1]) * 16);
        }
    }
    while let Some(patch) = reader.take(4) {
        let place = u32::from_be_bytes([0, patch[0], patch[1], patch[2]]) as usize;
        if !file.is_empty() {
            let place = place % file.len();
            file[place] = patch[3];
        }
    }
}

/// Uses a database as an app does when it starts.
fn use_it(client: &MlsClient) -> Result<(), MlsError> {
    client.identities()?;
    client.key_packages()?;
    client.inbox(100)?;
    client.storage_info()?;
    client.groups()?;
    let group = client.group(GroupId(GROUP.to_vec()))?;
    group.info()?;
    group.members()?;
    group.pending_commit()?;
    group.merge_pending_commit()?;
    group.create_message(b"hello".to_vec(), Vec::new())?;
    Ok(())
}

pub fn assert_is_typed(answer: Result<(), MlsError>) {
    if let Err(error) = answer {
        assert!(!matches!(error, MlsError::Internal { .. }), "{error:?}");
    }
}

/// Opens a damaged database: a file that is refused is not touched.
pub fn database(session: &mut Session, input: &[u8]) {
    let folder = session.scratch.join("damaged");
    let path = folder.join("mls.db");
    let mut file = session.file(&format!("{PENDING}/mls.db")).to_vec();
    damage(&mut file, input);
    folder::lay(&folder, &[("mls.db", &file)]);
    match MlsClient::open(config(&path), None, None) {
        Ok(client) => assert_is_typed(use_it(&client)),
        Err(error) => {
            assert_is_typed(Err(error));
            assert!(fs::read(&path).unwrap() == file, "the file has changed");
        }
    }
}

/// Takes over a damaged file from another device.
pub fn transfer(session: &mut Session, input: &[u8]) {
    let folder = session.scratch.join("moved");
    let path = folder.join("mls.db");
    let source = folder.join("transfer");
    let mut file = session.file(TRANSFER_FILE).to_vec();
    damage(&mut file, input);
    folder::lay(&folder, &[("transfer", &file)]);
    let (from, key) = (source.to_str().unwrap().to_owned(), TRANSFER_KEY.to_vec());
    match MlsClient::import_transfer(from, key, config(&path), None, None) {
        Ok(client) => assert_is_typed(use_it(&client)),
        Err(error) => assert_is_typed(Err(error)),
    }
}

fn config(path: &Path) -> ClientConfig {
    ClientConfig::new(path.to_str().unwrap(), KEY)
}
