//! Recovery archives: when a new one is due, what is refused, and that a database appears whole or not at all.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Barrier, Mutex},
    thread,
};

use common::{
    Device, KEY, SUITE, advance, basic, deliver, group_of,
    recovered::{RECOVERY_KEY, recover_at},
    template::{database, open_at},
};
use mls_mobile::{
    ArgumentReason, ClientConfig, GroupConfig, GroupId, LeafNodeOptions, Lifetimes, MlsClient, MlsError,
    RecoveryArchiveReason, WireFormat,
    fault::{self, Plan, Point},
};

fn invalid(reason: RecoveryArchiveReason) -> MlsError {
    MlsError::RecoveryArchiveInvalid { reason }
}

fn bad_argument(argument: &str, reason: ArgumentReason) -> MlsError {
    MlsError::InvalidArgument {
        argument: argument.to_owned(),
        reason,
    }
}

fn assert_empty(folder: &Path) {
    let left: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|it| it.unwrap().path())
        .collect();
    assert_eq!(left, Vec::<std::path::PathBuf>::new());
}

/// What version 1 of the format wrote, under [`RECOVERY_KEY`]: alice and work, a pre-shared key, and a group.
const FROZEN: &[u8] = include_bytes!("fixtures/frozen/recovery/v1.mls");

#[test]
fn an_archive_of_version_1_is_read_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let client = recover_at(folder.path(), FROZEN, RECOVERY_KEY).unwrap();
    let identities = client.identities().unwrap();
    let names: Vec<_> = identities
        .iter()
        .map(|it| common::name_of(&it.credential))
        .collect();
    assert_eq!(names, ["alice", "work"]);
    let group = client.groups_to_rejoin().unwrap().remove(0);
    assert_eq!(group.group_id.0, b"frozen");
    assert_eq!((&group.identity, group.ciphersuite), (&identities[0].id, SUITE));
    assert_eq!((group.epoch, group.own_leaf_index, group.is_active), (1, 1, true));

    // Its configuration and its pre-shared key: the group is another one, and the members know nothing of the difference.
    let bob = Device::new("bob");
    let config = GroupConfig {
        group_id: Some(group.group_id.clone()),
        ..GroupConfig::default()
    };
    let id = bob.create_group_with(Some(config));
    bob.client().register_psk(b"psk".to_vec(), vec![8; 32]).unwrap();
    let group_info = bob.group(&id).export_group_info(true).unwrap();
    let join = client
        .join_by_external_commit_with_psks(group.identity, group_info, None, vec![b"psk".to_vec()])
        .unwrap();
    bob.follow(&id, &join.commit);
    client.confirm_external_join(id.clone()).unwrap();
    let update = client.group(id.clone()).unwrap().self_update(None).unwrap();
    let info = client.message_info(update.commit.clone()).unwrap();
    assert_eq!(info.wire_format, WireFormat::PublicMessage);
    bob.follow(&id, &update.commit);
}

#[test]
#[ignore = "wrote the frozen archive"]
fn write_the_frozen_archive() {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    alice.client().create_identity(basic("work"), SUITE).unwrap();
    alice.client().register_psk(b"psk".to_vec(), vec![8; 32]).unwrap();
    let mut config = GroupConfig {
        group_id: Some(GroupId(b"frozen".to_vec())),
        ..GroupConfig::default()
    };
    let id = bob.create_group_with(Some(config.clone()));
    let bundle = bob.group(&id).add_members(vec![alice.key_package()]).unwrap();
    alice.join(&bundle.welcome.unwrap());
    config.public_handshakes = true;
    alice.group(&id).configure(config).unwrap();
    fs::create_dir_all("tests/fixtures/frozen/recovery").unwrap();
    fs::write("tests/fixtures/frozen/recovery/v1.mls", alice.archive()).unwrap();
}

/// A device in a group, with a pre-shared key.
fn member() -> (Device, Device, GroupId) {
    let (alice, bob) = (Device::new("alice"), Device::new("bob"));
    let id = group_of(&[&bob, &alice]);
    alice.client().register_psk(b"psk".to_vec(), vec![8; 32]).unwrap();
    (alice, bob, id)
}

#[test]
fn an_archive_that_is_refused_leaves_nothing_on_the_disk() {
    use RecoveryArchiveReason::{Damaged, NotAnArchive, TooLarge, TooNew, WrongKey};
    let (alice, ..) = member();
    let archive = alice.archive();
    let folder = tempfile::tempdir().unwrap();
    let refused = |bytes: &[u8], key: [u8; 32]| recover_at(folder.path(), bytes, key).err().unwrap();
    assert_eq!(refused(&archive, [6; 32]), invalid(WrongKey));
    for end in [4, 20, 36, 37, 60, archive.len() - 1] {
        assert_eq!(refused(&archive[..end], RECOVERY_KEY), invalid(Damaged), "{end}");
    }
    for byte in (37..archive.len()).step_by(97) {
        let mut changed = archive.clone();
        changed[byte] ^= 1;
        assert_eq!(refused(&changed, RECOVERY_KEY), invalid(Damaged), "{byte}");
    }
    let mut newer = archive.clone();
    newer[4] += 1;
    assert_eq!(refused(&newer, RECOVERY_KEY), invalid(TooNew));
    let huge = [archive.as_slice(), &vec![0; 64 << 20]].concat();
    assert_eq!(refused(&huge, RECOVERY_KEY), invalid(TooLarge));
    for other in [&b""[..], b"MLS", b"SQLite format 3\0", &archive[1..]] {
        assert_eq!(refused(other, RECOVERY_KEY), invalid(NotAnArchive));
    }
    assert_empty(folder.path());
    recover_at(folder.path(), &archive, RECOVERY_KEY).unwrap();
}

#[test]
fn an_argument_that_is_refused_leaves_nothing_on_the_disk() {
    let (alice, ..) = member();
    let archive = alice.archive();
    let folder = tempfile::tempdir().unwrap();
    let refused = |key: Vec<u8>, change: &dyn Fn(&mut ClientConfig)| {
        let mut config = ClientConfig::new(database(folder.path()), KEY);
        change(&mut config);
        let error = MlsClient::recover(archive.clone(), key, config, None, None)
            .err()
            .unwrap();
        assert_empty(folder.path());
        error
    };
    let key = RECOVERY_KEY.to_vec();
    let short = ArgumentReason::WrongLength;
    assert_eq!(refused(vec![5; 31], &|_| {}), bad_argument("recovery_key", short));
    assert_eq!(
        refused(key.clone(), &|config| config.database_key.truncate(31)),
        bad_argument("database_key", short)
    );
    assert_eq!(
        refused(key.clone(), &|config| config.database_path += "/missing/mls.db"),
        bad_argument("database_path", ArgumentReason::FolderMissing)
    );
    assert_eq!(
        refused(key.clone(), &|config| {
            config.group_defaults = Some(GroupConfig {
                max_past_epochs: 33,
                ..GroupConfig::default()
            });
        }),
        bad_argument("max_past_epochs", ArgumentReason::OutOfRange)
    );
    assert_eq!(
        refused(key.clone(), &|config| {
            config.group_defaults = Some(GroupConfig {
                group_id: Some(GroupId(b"one of many".to_vec())),
                ..GroupConfig::default()
            });
        }),
        bad_argument("group_id", ArgumentReason::OnlyAtCreation)
    );
    assert_eq!(
        refused(key.clone(), &|config| {
            config.leaf_node = Some(LeafNodeOptions {
                supported_proposals: vec![1],
                ..LeafNodeOptions::default()
            });
        }),
        bad_argument("supported_proposals", ArgumentReason::OutOfRange)
    );
    assert_eq!(
        refused(key.clone(), &|config| {
            config.lifetimes = Some(Lifetimes {
                maximum_lifetime_seconds: 0,
                ..Lifetimes::default()
            });
        }),
        bad_argument("maximum_lifetime_seconds", ArgumentReason::OutOfRange)
    );
    // That of the lost database does not hold for this one.
    assert_eq!(
        refused(key.clone(), &|config| config.minimum_generation = Some(9)),
        MlsError::StorageRolledBack { found: 0, minimum: 9 }
    );
    assert_eq!(
        alice.client().export_recovery_archive(vec![5; 33]),
        Err(bad_argument("recovery_key", short))
    );

    // No file is overwritten, not even an empty one.
    for content in [&b"a letter"[..], b""] {
        fs::write(database(folder.path()), content).unwrap();
        assert_eq!(
            recover_at(folder.path(), &archive, RECOVERY_KEY).err(),
            Some(bad_argument("database_path", ArgumentReason::AlreadyExists))
        );
        assert_eq!(fs::read(database(folder.path())).unwrap(), content);
    }
    let again = alice.archive();
    assert_eq!(
        recover_at(alice.path().parent().unwrap(), &again, RECOVERY_KEY).err(),
        Some(bad_argument("database_path", ArgumentReason::AlreadyExists))
    );
}

#[test]
fn the_revision_changes_with_what_an_archive_would_say_and_with_nothing_else() {
    let (mut alice, bob) = (Device::new("alice"), Device::new("bob"));
    let mut revisions = Vec::new();
    let mut assert_new = |device: &Device, what: &str| {
        let revision = device.client().recovery_revision().unwrap();
        assert!(!revisions.contains(&revision), "{what} changes the revision");
        revisions.push(revision);
    };
    assert_new(&alice, "the first");
    let other = alice.client().create_identity(basic("other"), SUITE).unwrap();
    assert_new(&alice, "an identity");
    let id = alice.create_group();
    assert_new(&alice, "a group");
    let joined = group_of(&[&bob, &alice]);
    assert_new(&alice, "an invitation");
    alice
        .group(&id)
        .configure(GroupConfig {
            max_past_epochs: 1,
            ..GroupConfig::default()
        })
        .unwrap();
    assert_new(&alice, "a configuration");
    alice.client().register_psk(b"psk".to_vec(), vec![1; 32]).unwrap();
    assert_new(&alice, "a pre-shared key");
    alice.client().register_psk(b"psk".to_vec(), vec![2; 32]).unwrap();
    assert_new(&alice, "another pre-shared key of the same id");
    let update = alice.group(&joined).self_update(Some(other.id)).unwrap();
    deliver(&joined, &alice, &update, &[&bob]);
    assert_new(&alice, "a change of identity");

    let same = alice.client().recovery_revision().unwrap();
    alice.read(&joined, &bob.send(&joined, "hello"));
    alice.send(&joined, "hello");
    advance(&joined, &bob, &[&alice]);
    alice.key_package();
    alice.group(&joined).self_update(None).unwrap();
    alice.archive();
    alice.client().rotate_data_key().unwrap();
    alice.reload();
    assert_eq!(alice.client().recovery_revision().unwrap(), same);

    alice.group(&joined).clear_pending_commit().unwrap();
    let leaf = bob.leaf_of(&joined, "other");
    let removal = bob.group(&joined).remove_members(vec![leaf]).unwrap();
    deliver(&joined, &bob, &removal, &[&alice]);
    assert_new(&alice, "a removal");
    alice.group(&joined).delete().unwrap();
    assert_new(&alice, "a deletion");
}

#[test]
fn the_size_of_an_archive_does_not_tell_one_group_from_fifty() {
    let alice = Device::new("alice");
    let size = alice.archive().len();
    for _ in 0..50 {
        alice.create_group();
    }
    assert_eq!((alice.archive().len(), size), ((16 << 10) + 78, (16 << 10) + 78));
}

#[test]
fn an_archive_of_a_recovered_phone_names_the_groups_that_still_wait() {
    let (alice, bob, id) = member();
    let second = group_of(&[&bob, &alice]);
    let new = alice.recovered(&alice.archive());
    bob.follow(&second, &new.rejoin(&second, &bob).commit);
    new.client().confirm_external_join(second.clone()).unwrap();
    let newest = new.recovered(&new.archive());
    let groups = newest.client().groups_to_rejoin().unwrap();
    let groups: Vec<_> = groups
        .iter()
        .map(|group| (&group.group_id, group.epoch))
        .collect();
    assert_eq!(groups, [(&second, 2), (&id, 1)]);
}

#[test]
fn waiting_groups_survive_a_new_data_key_and_a_move_and_go_when_wiped() {
    let (alice, _, id) = member();
    let mut new = alice.recovered(&alice.archive());
    new.client().rotate_data_key().unwrap();
    new.reload();
    let ids = |client: &MlsClient| -> Vec<_> {
        let groups = client.groups_to_rejoin().unwrap();
        groups.into_iter().map(|group| group.group_id).collect()
    };
    assert_eq!(ids(new.client()), std::slice::from_ref(&id));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file").display().to_string();
    new.client()
        .export_for_transfer(file.clone(), vec![3; 32])
        .unwrap();
    let config = ClientConfig::new(database(folder.path()), KEY);
    let moved = MlsClient::import_transfer(file, vec![3; 32], config, None, None).unwrap();
    assert_eq!(ids(&moved), [id]);
    // What a recovery that was killed leaves goes with the database.
    fs::write(format!("{}.partial", database(folder.path())), b"half").unwrap();
    moved.wipe().unwrap();
    assert_empty(folder.path());
}

fn assert_whole(client: &Arc<MlsClient>, lost: &Device) {
    assert_eq!(client.identities().unwrap(), lost.client().identities().unwrap());
    assert_eq!(client.groups_to_rejoin().unwrap().len(), 1);
}

#[test]
fn a_recovery_that_fails_at_any_statement_leaves_nothing_or_the_whole_database() {
    let (alice, ..) = member();
    let archive = alice.archive();
    let mut seen = (0, 0);
    for point in 0.. {
        let folder = tempfile::tempdir().unwrap();
        fault::arm(Plan::FailAt(point));
        let answer = recover_at(folder.path(), &archive, RECOVERY_KEY);
        if fault::disarm() <= point {
            assert_whole(&answer.unwrap(), &alice);
            break;
        }
        assert_eq!(answer.err(), Some(MlsError::StorageIo), "point {point}");
        if Path::new(&database(folder.path())).exists() {
            seen.1 += 1;
            assert_whole(&open_at(folder.path(), KEY).unwrap(), &alice);
        } else {
            seen.0 += 1;
            assert_empty(folder.path());
            assert_whole(
                &recover_at(folder.path(), &archive, RECOVERY_KEY).unwrap(),
                &alice,
            );
        }
    }
    assert!(seen.0 > 10, "{seen:?}");
}

#[test]
fn of_two_recoveries_at_one_place_one_makes_the_database() {
    let (alice, ..) = member();
    let archive = alice.archive();
    for _ in 0..10 {
        let folder = tempfile::tempdir().unwrap();
        let together = Barrier::new(2);
        let recover = || {
            together.wait();
            recover_at(folder.path(), &archive, RECOVERY_KEY)
        };
        let results = thread::scope(|scope| {
            let other = scope.spawn(recover);
            [recover(), other.join().unwrap()]
        });
        let (made, refused): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        let refused: Vec<_> = refused.into_iter().filter_map(Result::err).collect();
        assert_eq!(made.len(), 1, "{refused:?}");
        assert!(
            [
                MlsError::StorageBusy,
                bad_argument("database_path", ArgumentReason::AlreadyExists)
            ]
            .contains(&refused[0]),
            "{refused:?}"
        );
        // The one that was made is the one that is there.
        let client = made.into_iter().next().unwrap().unwrap();
        assert_whole(&client, &alice);
        let identity = client.create_identity(basic("later"), SUITE).unwrap();
        drop(client);
        let client = open_at(folder.path(), KEY).unwrap();
        assert!(client.identities().unwrap().contains(&identity));
    }
}

/// Where a notification extension opens the database, while the app recovers it there.
static PLACE: Mutex<Option<PathBuf>> = Mutex::new(None);

fn open_at_the_place(_: Point) {
    let folder = PLACE.lock().unwrap().clone().unwrap();
    thread::spawn(move || {
        let client = open_at(&folder, KEY).unwrap();
        client.create_identity(basic("intruder"), SUITE).unwrap();
    })
    .join()
    .unwrap();
}

#[test]
fn a_database_that_another_process_opens_meanwhile_is_not_replaced() {
    let (alice, ..) = member();
    let archive = alice.archive();
    for point in 0.. {
        let folder = tempfile::tempdir().unwrap();
        *PLACE.lock().unwrap() = Some(folder.path().to_owned());
        fault::arm(Plan::ParkAt(point, open_at_the_place));
        let result = recover_at(folder.path(), &archive, RECOVERY_KEY);
        if fault::disarm() <= point {
            break;
        }
        let is_recovered = result.is_ok();
        if let Err(error) = result {
            let taken = bad_argument("database_path", ArgumentReason::AlreadyExists);
            assert_eq!(error, taken, "{point}");
        }
        let identities = open_at(folder.path(), KEY).unwrap().identities().unwrap();
        assert_eq!(
            identities.last().unwrap().credential,
            basic("intruder"),
            "{point}"
        );
        assert_eq!(identities.len() > 1, is_recovered, "{point}");
    }
}
