//! The bindings: as committed, usable in their languages, and alive in Python.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "test code; a skipped test must say so"
)]

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs the script that a developer runs, which builds the library without "fault-injection" and "test-vectors".
fn generate(language: &str, folder: &Path) {
    let output = Command::new("bash")
        .arg(root().join("scripts/bindings.sh"))
        .arg(language)
        .arg(folder)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Every file under `folder` by its path in it.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.insert(
                    path.strip_prefix(folder).unwrap().to_owned(),
                    fs::read(&path).unwrap(),
                );
            }
        }
    }
    found
}

fn committed(language: &str, file: &str) -> String {
    fs::read_to_string(root().join("bindings").join(language).join(file)).unwrap()
}

#[test]
fn the_committed_bindings_are_those_of_this_source() {
    for language in ["swift", "kotlin"] {
        let folder = tempfile::tempdir().unwrap();
        generate(language, folder.path());
        let (fresh, committed) = (
            files(folder.path()),
            files(&root().join("bindings").join(language)),
        );
        assert!(!fresh.is_empty());
        let names = |files: &BTreeMap<PathBuf, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&fresh), names(&committed));
        for (path, bytes) in &fresh {
            assert!(
                committed[path] == *bytes,
                "bindings/{language}/{} is out of date: run scripts/bindings.sh",
                path.display()
            );
        }
    }
}

/// In Kotlin a field `message` clashes with `Throwable`, and a method `close` with `AutoCloseable`. Names that come
/// from Rust stand in backquotes; the generator's own do not.
#[test]
fn kotlin_has_no_field_named_message_and_no_method_named_close() {
    let kotlin = committed("kotlin", "org/mlsmobile/mls_mobile.kt");
    for forbidden in ["val `message`", "var `message`", "fun `close`"] {
        assert!(!kotlin.contains(forbidden), "{forbidden}");
    }
}

/// `try!` ends the app when a call panics. Copying and freeing a handle, which no Rust code of ours takes part in,
/// are the only places where it may stand in the two objects.
#[test]
fn swift_traps_in_no_call_of_the_two_objects() {
    let swift = committed("swift", "MlsMobileFFI.swift");
    for class in ["MlsClient", "MlsGroup"] {
        let body = swift
            .split_once(&format!("open class {class}:"))
            .and_then(|(_, rest)| rest.split_once("\n}\n"))
            .unwrap()
            .0;
        assert!(body.contains("throws"), "{class} was not found whole");
        for line in body.lines().filter(|line| line.contains("try!")) {
            let handle = ["_fn_clone_", "_fn_free_"].iter().any(|name| line.contains(name));
            assert!(handle, "{class}: {line}");
        }
    }
}

/// Every symbol of a compiled library, or `None` without the tool that lists them.
fn symbols(library: &Path) -> Option<String> {
    let Ok(output) = Command::new("nm").arg(library).output() else {
        std::io::stderr()
            .write_all(b"\nskipped: there is no nm\n")
            .unwrap();
        return None;
    };
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(String::from_utf8(output.stdout).unwrap())
}

/// What the feature "test-vectors" adds, as the linker names it.
#[cfg(feature = "test-vectors")]
const FOR_TESTS_ONLY: [&str; 2] = ["import_key_package", "decode_and_encode"];

#[test]
#[cfg(feature = "test-vectors")]
fn a_library_without_the_test_features_imports_no_private_keys() {
    // What this executable calls stands in it: the search can fail.
    std::hint::black_box(mls_mobile::MlsClient::import_key_package as *const ());
    std::hint::black_box(mls_mobile::test_vectors::decode_and_encode as *const ());
    let executable = std::env::current_exe().unwrap();
    let Some(with_feature) = symbols(&executable) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    generate("python", folder.path());
    // The archive for Rust has every function; a linker drops those that nothing calls.
    let target = executable.ancestors().nth(3).unwrap();
    let without = symbols(&target.join("debug/libmls_mobile.rlib")).unwrap();
    assert!(without.contains("create_key_packages"));
    for name in FOR_TESTS_ONLY {
        assert!(with_feature.contains(name), "{name}");
        assert!(!without.contains(name), "{name}");
    }
}

#[test]
fn two_phones_talk_in_python() {
    if Command::new("python3").arg("--version").output().is_err() {
        // Not `eprintln`, which the test runner keeps to itself when a test passes; test.sh counts these lines.
        writeln!(std::io::stderr(), "skipped: there is no python3").unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    generate("python", folder.path());
    let output = Command::new("python3")
        .arg(root().join("tests/python/two_phones.py"))
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
