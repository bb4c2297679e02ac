//! Recoveries: killed anywhere, there is no database or the whole one.

use std::{fs, path::Path, sync::Arc};

use mls_mobile::MlsClient;

use crate::{
    Parked,
    common::{
        KEY,
        child::say,
        recovered::{RECOVERY_KEY, recover_at},
        template::{database, open_at, scratch},
    },
    kill_at, peers, points_of,
    scenarios::{Call, Scene, named_group, quiet},
};

/// The call to kill. It needs no open database, and finds none.
pub fn recover_call(folder: &Path) -> Call {
    let folder = folder.to_owned();
    quiet(move || recover_at(&folder, &archive(&folder), RECOVERY_KEY).map(drop))
}

fn archive(folder: &Path) -> Vec<u8> {
    fs::read(folder.join("archive")).unwrap()
}

#[test]
fn a_recovery_that_is_killed_leaves_no_database_or_the_whole_one() {
    let scene = Scene::of("recover");
    let lost = scene.alice.copy();
    let client = open_at(lost.path(), KEY).unwrap();
    let made = client.export_recovery_archive(RECOVERY_KEY.to_vec()).unwrap();
    let folder = || {
        let folder = scratch();
        fs::write(folder.path().join("archive"), &made).unwrap();
        for name in ["main", "other"] {
            fs::copy(lost.path().join(name), folder.path().join(name)).unwrap();
        }
        folder
    };
    let mut seen = (0, 0);
    let points = points_of("recover", folder().path());
    say(&format!("recover: killed at {points} points"));
    for point in 0..points {
        let folder = folder();
        let parked = kill_at("recover", folder.path(), point);
        // The app opens the database if there is one, and else repeats the call.
        let new = if Path::new(&database(folder.path())).exists() {
            seen.1 += 1;
            open_at(folder.path(), KEY).unwrap()
        } else {
            seen.0 += 1;
            assert!(parked == Parked::BeforeCommit, "point {point}");
            recover_at(folder.path(), &archive(folder.path()), RECOVERY_KEY).unwrap()
        };
        assert_whole(&new, &client, folder.path());
        drop(new);
        let left: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.contains("partial"))
            .collect();
        assert_eq!(left, Vec::<String>::new(), "point {point}");
        let alice = scene.alice.open(folder, KEY).unwrap();
        peers::come_back(&scene, alice);
    }
    assert!(seen.0 > 0 && seen.1 > 0);
}

fn assert_whole(new: &Arc<MlsClient>, lost: &MlsClient, folder: &Path) {
    assert_eq!(new.identities().unwrap(), lost.identities().unwrap());
    let groups = new.groups_to_rejoin().unwrap();
    let ids: Vec<_> = groups.into_iter().map(|group| group.group_id).collect();
    assert_eq!(ids, ["main", "other"].map(|name| named_group(folder, name)));
}
