//! Moves: killed anywhere, the database can be used in one place, and never in two.

use std::{
    fs,
    path::{Path, PathBuf},
};

use mls_mobile::{ArgumentReason, ClientConfig, MlsClient, MlsError};
use tempfile::TempDir;

use crate::{
    Parked,
    common::{
        KEY,
        child::say,
        template::{copy_of, database, open_at},
    },
    kill_at, peers, points_of,
    scenarios::{Call, Scene, quiet},
    state::Dump,
};

const TRANSFER_KEY: [u8; 32] = [3; 32];

/// The call to kill. Importing needs no open database, and finds none.
pub fn import_call(folder: &Path) -> Call {
    let folder = folder.to_owned();
    quiet(move || import(&folder).map(drop))
}

/// Where the scenarios export to and import from.
pub fn file(folder: &Path) -> PathBuf {
    folder.join("moved.mls")
}

pub fn export(client: &MlsClient, folder: &Path) -> Result<(), MlsError> {
    client.export_for_transfer(file(folder).to_str().unwrap().to_owned(), TRANSFER_KEY.to_vec())
}

fn import(folder: &Path) -> Result<std::sync::Arc<MlsClient>, MlsError> {
    import_as(folder, &database(folder))
}

fn import_as(folder: &Path, database: &str) -> Result<std::sync::Arc<MlsClient>, MlsError> {
    let path = file(folder).to_str().unwrap().to_owned();
    MlsClient::import_transfer(
        path,
        TRANSFER_KEY.to_vec(),
        ClientConfig::new(database, KEY),
        None,
        None,
    )
}

/// Removes the database from its folder, as if the folder were the other device's.
fn forget(folder: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        // Closed, there is the main file only.
        drop(fs::remove_file(format!("{}{suffix}", database(folder))));
    }
}

#[test]
fn an_export_that_is_killed_leaves_the_source_untouched_or_frozen_and_can_be_repeated() {
    let scenario = "export_for_transfer";
    let scene = Scene::of(scenario);
    let before = Dump::of(scene.alice.device().client());
    let mut seen = (0, 0);
    let points = points_of(scenario, scene.alice.copy().path());
    say(&format!("{scenario}: killed at {points} points"));
    for point in 0..points {
        let folder = scene.alice.copy();
        let parked = kill_at(scenario, folder.path(), point);
        let returned = fs::read(folder.path().join("returned-message")).unwrap();
        let source = open_at(folder.path(), KEY).unwrap();
        match source.groups() {
            Ok(_) => {
                seen.0 += 1;
                assert!(parked == Parked::BeforeCommit && !file(folder.path()).exists());
                Dump::of(&source).assert_same(&before);
            }
            Err(error) => {
                seen.1 += 1;
                assert_eq!(error, MlsError::Transferred);
            }
        }
        match export(&source, folder.path()) {
            // It was done; only its return was missing.
            Err(MlsError::Transferred) => assert!(parked == Parked::AfterCommit),
            done => done.unwrap(),
        }
        let sent = source.groups().unwrap_err();
        assert_eq!(sent, MlsError::Transferred);
        drop(source);
        assert_eq!(
            open_at(folder.path(), KEY).unwrap().groups(),
            Err(MlsError::Transferred)
        );

        forget(folder.path());
        go_on(&scene, import(folder.path()).unwrap(), folder, &before, &returned);
    }
    assert!(seen.0 > 0 && seen.1 > 0);
}

#[test]
fn an_import_that_is_killed_never_leaves_two_databases_and_can_be_finished() {
    let scene = Scene::of("import_transfer");
    let before = Dump::of(scene.alice.device().client());
    let exported = scene.alice.copy();
    let source = open_at(exported.path(), KEY).unwrap();
    let main = source.groups().unwrap().remove(0).group_id;
    let main = source.group(main).unwrap();
    let returned = main.create_message(b"returned".to_vec(), Vec::new()).unwrap();
    drop(main);
    export(&source, exported.path()).unwrap();
    drop(source);
    forget(exported.path());

    let mut seen = (0, 0);
    let points = points_of("import_transfer", copy_of(exported.path()).path());
    say(&format!("import_transfer: killed at {points} points"));
    for point in 0..points {
        let folder = copy_of(exported.path());
        kill_at("import_transfer", folder.path(), point);
        let here = Path::new(&database(folder.path())).exists();
        assert!(
            !(here && can_be_imported_elsewhere(folder.path())),
            "point {point}: two databases"
        );
        // The app opens the database if there is one, and else repeats the call.
        let client = if here {
            seen.1 += 1;
            assert_eq!(import(folder.path()).err(), Some(already_exists()));
            open_at(folder.path(), KEY).unwrap()
        } else {
            seen.0 += 1;
            import(folder.path()).unwrap()
        };
        assert!(
            !can_be_imported_elsewhere(folder.path()),
            "point {point}: a second time"
        );
        go_on(&scene, client, folder, &before, &returned);
    }
    assert!(seen.0 > 0 && seen.1 > 0);
}

fn already_exists() -> MlsError {
    MlsError::InvalidArgument {
        argument: "database_path".to_owned(),
        reason: ArgumentReason::AlreadyExists,
    }
}

/// Tried on a copy of the folder, because it would succeed once.
fn can_be_imported_elsewhere(folder: &Path) -> bool {
    let copy = copy_of(folder);
    let elsewhere = copy.path().join("elsewhere.db");
    file(copy.path()).exists() && import_as(copy.path(), elsewhere.to_str().unwrap()).is_ok()
}

/// The moved database has everything, and the peers notice nothing.
fn go_on(scene: &Scene, client: std::sync::Arc<MlsClient>, folder: TempDir, before: &Dump, returned: &[u8]) {
    Dump::of(&client).assert_same(before);
    drop(client);
    let header = fs::read(database(folder.path())).unwrap();
    // The file format's read and write versions: 2 is WAL, which every setting of the library assumes.
    assert_eq!(header[18..20], [2, 2]);
    let alice = scene.alice.open(folder, KEY).unwrap();
    peers::go_on("transfer", scene, alice, returned);
}
