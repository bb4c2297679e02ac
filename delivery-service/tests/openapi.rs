//! The OpenAPI document is what the service does.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use std::{collections::BTreeSet, io::Write as _, process::Command};

use common::{Service, device::Device};

const DOCUMENT: &str = include_str!("../src/openapi.json");
const ROUTER: &str = include_str!("../src/app.rs");

#[test]
fn every_place_of_the_router_stands_in_the_document_and_no_other() {
    let document: serde_json::Value = serde_json::from_str(DOCUMENT).unwrap();
    let written: BTreeSet<&str> = document["paths"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let routed: BTreeSet<&str> = ROUTER
        .split('"')
        .filter(|word| word.starts_with("/v1/") || ["/health", "/openapi.json"].contains(word))
        .collect();
    assert!(
        routed.len() > 10,
        "found only {}: has the router moved?",
        routed.len()
    );
    assert_eq!(written, routed);
}

/// `scripts/schemathesis.sh` says where it is.
#[test]
fn schemathesis_finds_no_difference_between_the_document_and_the_service() {
    let Some(schemathesis) = std::env::var_os("SCHEMATHESIS").filter(|path| !path.is_empty()) else {
        writeln!(
            std::io::stderr(),
            "\nskipped: SCHEMATHESIS is not set (scripts/schemathesis.sh)"
        )
        .unwrap();
        return;
    };
    let service = Service::start_with(&["--longest-wait", "1"]);
    let token = Device::new(&service.address).register();
    let status = Command::new(schemathesis)
        .args([
            "run",
            "--checks",
            "all",
            "--max-examples",
            "60",
            "--phases",
            "examples,coverage,fuzzing",
        ])
        // Deleting the device of the run would lock the rest of it out.
        .args(["--exclude-operation-id", "deleteDevice"])
        // What is refused for what it says, not for its form, is valid to schemathesis: 4xx is no failure then.
        .args(["--exclude-checks", "positive_data_acceptance"])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .arg(format!("{}/openapi.json", service.address))
        .env(
            "SCHEMATHESIS_HOOKS",
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/schemathesis_hooks.py"),
        )
        .current_dir(tempfile::tempdir().unwrap().path())
        .status()
        .unwrap();
    assert!(status.success());
}
