//! What an app links on Apple's systems: a static library whose SQLite has names of its own, so that the app may carry
//! another one (scripts/private-sqlite.sh).

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]
#![cfg(target_os = "linux")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

/// The static library that cargo built for this test.
fn library() -> PathBuf {
    let executable = env::current_exe().unwrap();
    let deps = executable.parent().unwrap();
    let name = "libmls_mobile.a";
    [deps.parent().unwrap().join(name), deps.join(name)]
        .into_iter()
        .filter(|path| path.exists())
        .max_by_key(|path| path.metadata().unwrap().modified().unwrap())
        .unwrap_or_else(|| panic!("no {name} in {}", deps.display()))
}

fn script(name: &str, arguments: &[&Path]) -> Output {
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts").join(name))
        .args(arguments)
        .output()
        .unwrap()
}

fn private(folder: &TempDir) -> PathBuf {
    let output = folder.path().join("libprivate.a");
    let run = script("private-sqlite.sh", &[&library(), &output]);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    output
}

/// An app with a SQLite of its own, which must answer the app; ours must answer under its own name.
const APP: &str = r#"
#include <stdio.h>
#include <string.h>
const char *sqlite3_libversion(void) { return "the app's"; }
int sqlite3_open_v2(const char *path, void **db, int flags, const char *vfs) { return 99; }
const char *mls_mobile_sqlite3_libversion(void);
int mls_mobile_sqlite3_open_v2(const char *path, void **db, int flags, const char *vfs);
int mls_mobile_sqlite3_close(void *db);
int main(void) {
    void *db = 0;
    if (strcmp(sqlite3_libversion(), "the app's") != 0 || sqlite3_open_v2("", 0, 0, 0) != 99) return 1;
    if (mls_mobile_sqlite3_libversion()[0] != '3') return 2;
    if (mls_mobile_sqlite3_open_v2(":memory:", &db, 6, 0) != 0) return 3;
    return mls_mobile_sqlite3_close(db) == 0 ? 0 : 4;
}
"#;

/// Links the whole of the library into the app, as Apple's `-force_load` would.
fn link(folder: &TempDir, library: &Path) -> (Output, PathBuf) {
    let source = folder.path().join("app.c");
    let app = folder.path().join("app");
    fs::write(&source, APP).unwrap();
    let output = Command::new("cc")
        .arg(&source)
        .args(["-Wl,--whole-archive".as_ref(), library.as_os_str()])
        .args([
            "-Wl,--no-whole-archive",
            "-lm",
            "-lpthread",
            "-ldl",
            "-lgcc_s",
            "-o",
        ])
        .arg(&app)
        .output()
        .unwrap();
    (output, app)
}

#[test]
fn an_app_links_another_sqlite_beside_ours() {
    let folder = TempDir::new().unwrap();
    let (output, app) = link(&folder, &private(&folder));
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(Command::new(app).status().unwrap().code(), Some(0));
}

#[test]
fn without_names_of_its_own_sqlite_would_collide() {
    let folder = TempDir::new().unwrap();
    let (output, _) = link(&folder, &library());
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(
        errors.contains("multiple definition of `sqlite3_libversion'"),
        "{errors}"
    );
}

#[test]
fn the_check_passes_the_private_library_and_refuses_the_other() {
    let folder = TempDir::new().unwrap();
    let passed = script("check-library.sh", &[&private(&folder)]);
    assert!(
        passed.status.success(),
        "{}",
        String::from_utf8_lossy(&passed.stderr)
    );
    let refused = script("check-library.sh", &[&library()]);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("symbols of SQLite are global"));
}
