//! What the library shows to the linker: an app may carry a SQLite of its own, and must not get ours by
//! accident.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

use std::{
    env,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

/// The library that cargo built for this test, beside the folder of the test executable.
fn library() -> PathBuf {
    let executable = env::current_exe().unwrap();
    let profile = executable.parent().and_then(Path::parent).unwrap();
    let deps = profile.join("deps");
    let name = format!("{}mls_mobile{}", env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX);
    // `cargo build` links it up; `cargo test` leaves it among the dependencies.
    [profile.join(&name), deps.join(&name)]
        .into_iter()
        .filter(|path| path.exists())
        .max_by_key(|path| path.metadata().unwrap().modified().unwrap())
        .unwrap_or_else(|| panic!("no {name} in {}", profile.display()))
}

/// Names of the symbols that the library defines for others, or `None` without the tool that lists them.
fn exported(library: &Path) -> Option<Vec<String>> {
    let output = Command::new("nm")
        .args(["-D", "--defined-only"])
        .arg(library)
        .output();
    let Ok(output) = output else {
        std::io::stdout().write_all(b"skipped: there is no nm\n").unwrap();
        return None;
    };
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let names = text.lines().filter_map(|line| line.split_whitespace().last());
    Some(names.map(str::to_owned).collect())
}

#[test]
#[cfg_attr(
    not(target_os = "linux"),
    ignore = "nm lists the dynamic symbols of ELF files only"
)]
fn the_shared_library_exports_no_symbol_of_sqlite() {
    let Some(names) = exported(&library()) else { return };
    // The list is read rightly: what the bindings call is in it.
    assert!(names.iter().any(|name| name.starts_with("uniffi_mls_mobile_fn_")));
    let sqlite: Vec<_> = names
        .iter()
        .filter(|name| name.to_lowercase().contains("sqlite"))
        .collect();
    assert_eq!(sqlite, Vec::<&String>::new());
}
