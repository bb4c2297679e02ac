//! The real service on an embedded database in a temporary folder.

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

use tempfile::TempDir;

pub struct Service {
    folder: TempDir,
    child: Child,
    pub address: String,
}

impl Service {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (child, address) = start(&folder);
        Self {
            folder,
            child,
            address,
        }
    }

    /// Killed without warning, and started on the same database.
    pub fn restart(&mut self) {
        self.stop();
        (self.child, self.address) = start(&self.folder);
    }

    fn stop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop();
    }
}

fn start(folder: &TempDir) -> (Child, String) {
    let database = format!("sqlite:{}", folder.path().join("delivery.db").display());
    let mut child = Command::new(binary())
        .args([
            "--listen",
            "127.0.0.1:0",
            "--stranger-rate",
            "1000",
            "--database",
            &database,
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let address = line
        .trim()
        .strip_prefix("listening on ")
        .expect("the service says where it is");
    (child, address.to_owned())
}

/// Built by cargo, because the service is of another workspace; with a test of it, so that cargo takes the dependencies as those
/// of the tests are compiled.
fn binary() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut cargo = Command::new(env!("CARGO"));
        // The build of ring looks at variables that the cargo which runs this test has set, and would begin again.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
                cargo.env_remove(&name);
            }
        }
        let status = cargo
            .args(["build", "--quiet", "--locked", "--target-dir", "target"])
            .args(["--bin", "mls-delivery-service", "--test", "openapi"])
            .current_dir(&folder)
            .status()
            .unwrap();
        assert!(status.success(), "the service does not build");
        folder.join("target/debug/mls-delivery-service")
    };
    BUILT.get_or_init(build).clone()
}
