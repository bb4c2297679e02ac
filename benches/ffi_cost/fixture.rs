//! The database and the messages that all languages are given.

use std::{
    fs,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use mls_mobile::{Ciphersuite, ClientConfig, Credential, GroupConfig, GroupId, MlsClient, MlsGroup};
use tempfile::TempDir;

const SUITE: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519;

/// Messages of a size have a group of their own, because each reads them from the first on.
pub(crate) struct Size {
    /// The name of the group, and of the file with its messages.
    pub(crate) name: &'static str,
    pub(crate) bytes: usize,
    /// How many there are: more than any program reads in a turn.
    messages: usize,
    /// How many calls are timed; a fifth of it is the warm-up.
    pub(crate) calls: usize,
}

pub(crate) const SMALL: Size = Size {
    name: "small",
    bytes: 1024,
    messages: 20_000,
    calls: 4000,
};

pub(crate) const LARGE: Size = Size {
    name: "large",
    bytes: 1024 * 1024,
    messages: 200,
    calls: 50,
};

/// The phone is in a group of two for each size, and closed; the other member has sent.
pub(crate) fn prepare(folder: &Path) {
    let sender = folder.join("sender");
    let phone = folder.join("phone");
    for folder in [&sender, &phone] {
        fs::create_dir_all(folder).unwrap();
    }
    {
        let (sender, phone) = (open(&sender), open(&phone));
        let identity = |client: &MlsClient, name: &str| {
            let credential = Credential::Basic {
                identity: name.into(),
            };
            client.create_identity(credential, SUITE).unwrap().id
        };
        let (from, to) = (identity(&sender, "sender"), identity(&phone, "phone"));
        for size in [&SMALL, &LARGE] {
            let config = GroupConfig {
                group_id: Some(GroupId(size.name.into())),
                ..GroupConfig::default()
            };
            let group = sender.create_group(from.clone(), Some(config)).unwrap();
            let key_package = phone.create_key_packages(to.clone(), 1, None).unwrap().remove(0);
            let bundle = group.add_members(vec![key_package.bytes]).unwrap();
            group.merge_pending_commit().unwrap();
            phone.join_from_welcome(bundle.welcome.unwrap(), None).unwrap();
            let mut file = BufWriter::new(fs::File::create(folder.join(size.name)).unwrap());
            for _ in 0..size.messages {
                let message = group.create_message(vec![7; size.bytes], Vec::new()).unwrap();
                let length = u32::try_from(message.len()).unwrap();
                file.write_all(&length.to_be_bytes()).unwrap();
                file.write_all(&message).unwrap();
            }
            file.flush().unwrap();
        }
    }
    fs::remove_dir_all(sender).unwrap();
}

fn open(folder: &Path) -> Arc<MlsClient> {
    let config = ClientConfig::new(folder.join("mls.db").to_str().unwrap(), [7; 32]);
    MlsClient::open(config, None, None).unwrap()
}

/// Each message behind its length, four bytes with the largest first.
pub(crate) fn messages(folder: &Path, size: &Size) -> Vec<Vec<u8>> {
    let bytes = fs::read(folder.join(size.name)).unwrap();
    let mut rest = bytes.as_slice();
    let mut messages = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk() {
        let (message, after) = after.split_at(u32::from_be_bytes(*length) as usize);
        messages.push(message.to_vec());
        rest = after;
    }
    messages
}

/// The phone on a fresh copy of its database, beside the original.
pub(crate) struct Phone {
    pub(crate) client: Arc<MlsClient>,
    _folder: TempDir,
}

impl Phone {
    pub(crate) fn copy(folder: &Path) -> Self {
        let copy = tempfile::tempdir_in(folder).unwrap();
        for entry in fs::read_dir(folder.join("phone")).unwrap() {
            let original: PathBuf = entry.unwrap().path();
            fs::copy(&original, copy.path().join(original.file_name().unwrap())).unwrap();
        }
        Self {
            client: open(copy.path()),
            _folder: copy,
        }
    }

    pub(crate) fn group(&self, size: &Size) -> Arc<MlsGroup> {
        self.client.group(GroupId(size.name.into())).unwrap()
    }
}
