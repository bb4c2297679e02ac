//! What the targets play in: closed databases in every state that a device can be in, Mallory's keys, and real
//! messages to start from. Made once; kept in a folder, so that a corpus goes on meaning what it meant.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use mls_mobile::{Extension, GroupConfig, GroupId, KeyPackageOptions};
use serde::{Deserialize, Serialize};

use super::{
    mallory::{self, Mallory},
    seeds,
};
use crate::common::{
    Device,
    raw::{RawPeer, SavedPeer},
    template::{Template, WITHOUT_VALIDATOR},
};

/// Alice in her group, with a validator.
pub const MEMBER: &str = "member";
/// As [`MEMBER`], with an own Commit that waits.
pub const PENDING: &str = "pending";
/// As [`MEMBER`] without a validator, with a received Commit that waits.
pub const STAGED: &str = "staged";
/// As [`MEMBER`], with proposals of others in the queue.
pub const QUEUE: &str = "queue";
/// As [`MEMBER`], with an external join that waits beside the membership.
pub const JOINING: &str = "joining";
/// Alice after she was removed.
pub const REMOVED: &str = "removed";
/// As [`MEMBER`], without a validator: Commits wait.
pub const DECIDES_LATER: &str = "decides-later";
/// As [`MEMBER`], before a message that did not decrypt: the others suspect a fork already.
pub const UNSUSPECTING: &str = "unsuspecting";
/// Carol, who is in no group and has a key package and a registered PSK.
pub const OUTSIDER: &str = "outsider";

/// The states that have Alice's group, in the order in which inputs name them.
pub const IN_THE_GROUP: [&str; 8] = [
    MEMBER,
    PENDING,
    STAGED,
    QUEUE,
    JOINING,
    REMOVED,
    DECIDES_LATER,
    UNSUSPECTING,
];

/// An exported database, and the key that it was exported with.
pub const TRANSFER_FILE: &str = "transfer";
pub const TRANSFER_KEY: [u8; 32] = [9; 32];

pub const GROUP: &[u8] = b"fuzzed group";
/// Alice is in this one too, and Mallory is not.
pub const OTHER_GROUP: &[u8] = b"other group";
/// What both Alice and Carol have registered.
pub const PSK: &[u8] = b"psk";

#[derive(Serialize, Deserialize)]
pub struct World {
    pub mallory: Mallory,
    /// Mallory with OpenMLS.
    pub peer: SavedPeer,
    /// Carol's.
    pub identity: Vec<u8>,
    pub key_package: Vec<u8>,
    /// Without a GroupInfo's confirmation tag and signature: that of a group which Mallory let Carol into.
    pub group_info: Vec<u8>,
    /// What Alice keeps for when her phone is lost.
    pub archive: Vec<u8>,
    pub seeds: BTreeMap<String, Vec<Vec<u8>>>,
    #[serde(skip)]
    folder: PathBuf,
}

impl World {
    /// Opens what [`Self::create`] left in a folder.
    pub fn open(folder: &Path) -> Option<Self> {
        let bytes = fs::read(folder.join("world")).ok()?;
        let world: Self = rmp_serde::from_slice(&bytes).unwrap();
        Some(Self {
            folder: folder.to_owned(),
            ..world
        })
    }

    pub fn state(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub fn seeds_of(&self, target: &str) -> &[Vec<u8>] {
        self.seeds.get(target).map_or(&[], Vec::as_slice)
    }

    /// A folder for each target, and in it a file for each of its seeds.
    pub fn write_seeds(&self, corpus: &Path) {
        for (target, seeds) in &self.seeds {
            let folder = corpus.join(target);
            fs::create_dir_all(&folder).unwrap();
            for (number, seed) in seeds.iter().enumerate() {
                fs::write(folder.join(format!("seed-{number:03}")), seed).unwrap();
            }
        }
    }

    pub fn create(folder: &Path) -> Self {
        let mut people = People::meet();
        let seeds = seeds::all(&mut people);
        let world = Self {
            identity: people.carol.identity.0.clone(),
            key_package: people.key_package.clone(),
            group_info: people.group_info.clone(),
            mallory: people.mallory.clone(),
            archive: people.alice.archive(),
            peer: people.peer.save(),
            seeds,
            folder: folder.to_owned(),
        };
        people.settle(folder);
        fs::write(folder.join("world"), rmp_serde::to_vec(&world).unwrap()).unwrap();
        world
    }
}

/// The devices while the world is made.
pub struct People {
    pub alice: Device,
    pub bob: Device,
    pub carol: Device,
    pub peer: RawPeer,
    pub guest: RawPeer,
    pub mallory: Mallory,
    pub id: GroupId,
    pub other: GroupId,
    pub key_package: Vec<u8>,
    pub group_info: Vec<u8>,
    /// From the epoch before this one.
    pub late: Vec<u8>,
    /// From Mallory's own group, with the tree in it and beside it.
    pub welcomes: [(Vec<u8>, Option<Vec<u8>>); 2],
}

fn public_handshakes() -> GroupConfig {
    GroupConfig {
        public_handshakes: true,
        ..GroupConfig::default()
    }
}

/// Alice's group with Bob in it.
fn group(alice: &Device, bob: &Device, id: &[u8]) -> GroupId {
    let id = alice.create_group_with(Some(GroupConfig {
        group_id: Some(GroupId(id.to_vec())),
        ..public_handshakes()
    }));
    let bundle = alice.group(&id).add_members(vec![bob.key_package()]).unwrap();
    alice.group(&id).merge_pending_commit().unwrap();
    bob.join(&bundle.welcome.unwrap());
    bob.group(&id).configure(public_handshakes()).unwrap();
    id
}

impl People {
    fn meet() -> Self {
        let (alice, bob, carol) = (Device::new("alice"), Device::new("bob"), Device::new("carol"));
        for device in [&alice, &carol] {
            let client = device.client();
            client.register_psk(PSK.to_vec(), vec![1; 32]).unwrap();
        }
        let (id, other) = (group(&alice, &bob, GROUP), group(&alice, &bob, OTHER_GROUP));
        let mut peer = RawPeer::new("mallory");
        peer.register_psk(PSK, &[1; 32]);
        let guest = RawPeer::new("guest");
        let senders = Extension {
            extension_type: 5,
            data: peer.as_external_sender(),
        };
        let bundle = alice.group(&id).update_group_context_extensions(vec![senders]);
        crate::common::deliver(&id, &alice, &bundle.unwrap(), &[&bob]);
        let late = bob.send(&id, "late");
        let key_package = peer.key_package();
        let bundle = alice.group(&id).add_members(vec![key_package.clone()]).unwrap();
        crate::common::deliver(&id, &alice, &bundle, &[&bob]);
        let mallory = Mallory::join(&mut peer, &key_package, &bundle.welcome.unwrap(), &guest);

        let reusable = KeyPackageOptions {
            last_resort: true,
            ..KeyPackageOptions::default()
        };
        let key_packages = carol
            .client()
            .create_key_packages(carol.identity.clone(), 1, Some(reusable));
        let key_package = key_packages.unwrap().remove(0).bytes;
        let mut inviter = RawPeer::new("inviter");
        let (bare, tree) = inviter.invite(&key_package);
        // Mallory is in her own group under the keys that she has in Alice's.
        let mut host = peer.elsewhere();
        host.create_group();
        let whole = host.add(&key_package);
        let group_info = mallory::without_tag_and_signature(&host.group_info(None, |_| true));
        Self {
            welcomes: [(whole, None), (bare, Some(tree))],
            alice,
            bob,
            carol,
            peer,
            guest,
            mallory,
            id,
            other,
            key_package,
            group_info,
            late,
        }
    }

    /// Closes the databases in all their states.
    fn settle(mut self, folder: &Path) {
        let id = &self.id;
        let unsuspecting = self.alice.fork();
        for group in [id, &self.other] {
            suspect_a_fork(&self.alice, group, &self.bob);
        }
        let pending = self.alice.fork();
        pending.group(id).self_update(None).unwrap();
        let queue = self.alice.fork();
        for proposal in [
            self.peer.propose_remove(queue.leaf_of(id, "bob")),
            self.peer.propose_add(&self.key_package),
        ] {
            queue.receive(id, &proposal);
        }
        let joining = self.alice.fork();
        let group_info = self.bob.group(id).export_group_info(true).unwrap();
        let identity = joining.identity.clone();
        let join = joining
            .client()
            .join_by_external_commit(identity, group_info, None);
        join.unwrap();
        let removed = self.alice.fork();
        let bob = self.bob.fork();
        let bundle = bob.group(id).remove_members(vec![bob.leaf_of(id, "alice")]);
        removed.receive(id, &bundle.unwrap().commit);
        let staged = self.alice.fork().decides_later();
        let bob = self.bob.fork();
        staged.receive(id, &bob.group(id).self_update(None).unwrap().commit);
        let later = self.alice.fork().decides_later();
        let moved = pending.fork();
        fs::create_dir_all(folder).unwrap();
        let path = folder.join(TRANSFER_FILE).to_str().unwrap().to_owned();
        moved
            .client()
            .export_for_transfer(path, TRANSFER_KEY.to_vec())
            .unwrap();
        for (name, device) in [
            (MEMBER, self.alice),
            (PENDING, pending),
            (STAGED, staged),
            (QUEUE, queue),
            (JOINING, joining),
            (REMOVED, removed),
            (DECIDES_LATER, later),
            (UNSUSPECTING, unsuspecting),
            (OUTSIDER, self.carol),
        ] {
            close(device, &folder.join(name), matches!(name, STAGED | DECIDES_LATER));
        }
    }
}

/// The first message that does not decrypt is stored as a suspicion, which would be a change.
fn suspect_a_fork(alice: &Device, id: &GroupId, bob: &Device) {
    let mut message = bob.fork().send(id, "damaged");
    *message.last_mut().unwrap() ^= 1;
    alice.group(id).process_message(message).unwrap_err();
    assert!(alice.group(id).info().unwrap().fork_suspected);
}

fn close(device: Device, target: &Path, without_validator: bool) {
    let template = Template::new(device);
    if without_validator {
        template.put(WITHOUT_VALIDATOR, &[]);
    }
    let copy = template.copy();
    fs::create_dir_all(target).unwrap();
    for entry in fs::read_dir(copy.path()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), target.join(entry.file_name())).unwrap();
    }
}
