//! App and extension: several processes with one database file.
//!
//! A child is this executable started again with a role; the peer, bob, lives in the parent on a file of his
//! own.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

#[path = "../common/mod.rs"]
mod common;
mod crowd;
mod turns;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use common::{
    Device,
    child::{self, Child},
    group_of,
    template::Template,
};
use mls_mobile::{GroupConfig, GroupId, MlsClient, MlsError, MlsGroup};

const PROCESSES: usize = 4;

/// Alice's closed database, shared by the children, and bob. They have two groups, named by files in the
/// folder.
struct Shared {
    alice: Template,
    folder: tempfile::TempDir,
    bob: Device,
    groups: [GroupId; 2],
}

impl Shared {
    fn new() -> Self {
        let (alice, bob) = (Device::new("alice"), Device::new("bob"));
        let groups = [(); 2].map(|()| group_of(&[&alice, &bob]));
        for id in &groups {
            for device in [&alice, &bob] {
                // Messages of several processes are read in another order than they were made in.
                let config = GroupConfig {
                    out_of_order_tolerance: 4096,
                    max_past_epochs: 32,
                    ..GroupConfig::default()
                };
                device.group(id).configure(config).unwrap();
            }
        }
        let alice = Template::new(alice);
        alice.put("group-0", &groups[0].0);
        alice.put("group-1", &groups[1].0);
        let folder = alice.copy();
        Self {
            alice,
            folder,
            bob,
            groups,
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path().join(name), bytes).unwrap();
    }

    fn start(&self, role: &str, number: usize) -> Child {
        start(role, self.path(), number)
    }
}

fn start(role: &str, folder: &Path, number: usize) -> Child {
    let arguments = [
        ("MLS_ROLE", role),
        ("MLS_FOLDER", folder.to_str().unwrap()),
        ("MLS_NUMBER", &number.to_string()),
    ];
    Child::start("child", &arguments)
}

#[test]
#[ignore = "a child process of the other tests"]
fn child() {
    let Some(role) = child::argument("MLS_ROLE") else {
        return;
    };
    let folder = PathBuf::from(child::argument("MLS_FOLDER").unwrap());
    let number = child::argument("MLS_NUMBER").unwrap().parse().unwrap();
    match role.as_str() {
        "talk" => crowd::talk(&folder, number),
        "follow" => crowd::follow(&folder),
        "create" => crowd::create(&folder, number),
        "hold" => turns::hold(&folder),
        "batch" => turns::batch(&folder),
        _ => panic!("{role}?"),
    }
}

fn groups(client: &MlsClient, folder: &Path) -> [Arc<MlsGroup>; 2] {
    ["group-0", "group-1"].map(|name| {
        client
            .group(GroupId(fs::read(folder.join(name)).unwrap()))
            .unwrap()
    })
}

/// A Commit of this process; another's may be pending in between.
fn commit(group: &MlsGroup) -> Vec<u8> {
    loop {
        match group.self_update(None) {
            Ok(bundle) => {
                group.merge_pending_commit().unwrap();
                return bundle.commit;
            }
            Err(MlsError::PendingCommitExists) => thread::sleep(Duration::from_millis(1)),
            Err(error) => panic!("{error}"),
        }
    }
}
