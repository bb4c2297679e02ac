//! A disk without space left: a small tmpfs that the test fills. Each call answers `StorageFull` and did
//! nothing, and the same call works once there is space again.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use std::{
    fs::{self, File},
    io::{ErrorKind, Write as _},
    path::Path,
    process::Command,
};

use common::{
    Device, KEY, assert_agree, group_of,
    template::{Template, open_at},
};
use mls_mobile::{MlsError, ProcessedMessage};
use tempfile::TempDir;

/// A mounted tmpfs of a few megabytes, unmounted when it is dropped.
struct SmallDisk(TempDir);

impl SmallDisk {
    /// `None`, and a line that says why, where the test may not mount.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"])
            .arg(folder.path())
            .output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self(folder)),
            other => {
                let why = format!("skipped: no tmpfs can be mounted here: {other:?}\n");
                std::io::stderr().write_all(why.as_bytes()).unwrap();
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Leaves not a byte.
    fn fill(&self) {
        let mut filler = File::options()
            .create(true)
            .append(true)
            .open(self.path().join("filler"))
            .unwrap();
        for size in [1 << 16, 1] {
            loop {
                match filler.write(&vec![1; size]) {
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => panic!("{error}"),
                }
            }
        }
    }

    fn free(&self) {
        fs::remove_file(self.path().join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a failed test may still have files open.
        drop(Command::new("umount").arg("-l").arg(self.path()).status());
    }
}

/// Moves a device to another folder.
fn moved(device: Device, to: &Path) -> Device {
    let template = Template::new(device);
    let (from, to) = (template.copy(), tempfile::tempdir_in(to).unwrap());
    for entry in fs::read_dir(from.path()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.path().join(entry.file_name())).unwrap();
    }
    template.open(to, KEY).unwrap()
}

/// A call whose result is not looked at.
type Call<'a> = &'a dyn Fn() -> Result<(), MlsError>;

#[test]
fn on_a_full_disk_every_call_fails_whole_and_works_again_with_space() {
    let Some(disk) = SmallDisk::mount() else { return };
    let (alice, bob, carol) = (Device::new("alice"), Device::new("bob"), Device::new("carol"));
    let id = group_of(&[&alice, &bob]);
    let alice = moved(alice, disk.path());
    let group = alice.group(&id);
    let before = bob.send(&id, "before");

    // What is in the log can be written over, so some calls may still work.
    let mut returned = Vec::new();
    let error = loop {
        disk.fill();
        match group.create_message(vec![5; 5000], Vec::new()) {
            Ok(message) => returned.push(message),
            Err(error) => break error,
        }
        assert!(returned.len() < 1000, "the disk is not full");
    };
    assert_eq!(error, MlsError::StorageFull);

    let client = alice.client();
    let invitation = vec![carol.key_package()];
    let calls: [(&str, Call<'_>); 7] = [
        ("process_message", &|| {
            group.process_message(before.clone()).map(drop)
        }),
        ("create_key_packages", &|| {
            client
                .create_key_packages(alice.identity.clone(), 20, None)
                .map(drop)
        }),
        ("create_group", &|| {
            client.create_group(alice.identity.clone(), None).map(drop)
        }),
        ("rekey", &|| client.rekey(KEY.to_vec())),
        ("rotate_data_key", &|| client.rotate_data_key()),
        ("add_members", &|| group.add_members(invitation.clone()).map(drop)),
        ("merge_pending_commit", &|| group.merge_pending_commit().map(drop)),
    ];
    let seen = |client: &mls_mobile::MlsClient| {
        let inbox = client.inbox(100).unwrap();
        let state = group.info().unwrap();
        (
            inbox,
            client.key_packages().unwrap(),
            client.groups().unwrap(),
            state,
        )
    };
    let mut commit = Vec::new();
    for (name, call) in calls {
        disk.fill();
        let old = seen(client);
        assert_eq!(call(), Err(MlsError::StorageFull), "{name}");
        assert_eq!(seen(client), old, "{name}");
        disk.free();
        call().unwrap_or_else(|error| panic!("{name}: {error}"));
        if name == "rekey" {
            client.confirm_rekey().unwrap();
        }
        if let Some(bundle) = group.pending_commit().unwrap() {
            commit = bundle.commit;
        }
    }

    // Nothing that was returned is lost, and no key was used twice.
    for message in &returned {
        assert!(matches!(
            bob.receive(&id, message),
            ProcessedMessage::Application { .. }
        ));
    }
    assert_eq!(client.inbox(100).unwrap().len(), 1);
    // The group goes on with the Commit that was made once there was space.
    bob.receive(&id, &commit);
    assert_agree(&id, &[&alice, &bob]);
    assert_eq!(bob.read(&id, &alice.send(&id, "after")), "after");
}

#[test]
fn a_database_that_cannot_be_created_or_opened_for_want_of_space_says_so() {
    let Some(disk) = SmallDisk::mount() else { return };
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&alice, &bob]);
    let alice = Template::new(moved(alice, disk.path()));
    disk.fill();
    let folder = tempfile::tempdir_in(disk.path()).unwrap();
    assert_eq!(
        open_at(folder.path(), KEY).err(),
        Some(MlsError::StorageFull),
        "create"
    );
    disk.free();
    let folder = TempDir::new_in(disk.path()).unwrap();
    fs::copy(alice.copy().path().join("mls.db"), folder.path().join("mls.db")).unwrap();
    disk.fill();
    // SQLite needs a page of shared memory to open it.
    assert_eq!(
        open_at(folder.path(), KEY).err(),
        Some(MlsError::StorageFull),
        "open"
    );
    disk.free();
    let alice = alice.open(folder, KEY).unwrap();
    assert_agree(&id, &[&alice, &bob]);
    assert_eq!(
        bob.read(&id, &alice.send(&id, "there is space")),
        "there is space"
    );
}
