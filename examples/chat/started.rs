//! The delivery service, built by cargo and started for this run.

use std::{
    env,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::Result;

/// Ends the service when it goes out of scope.
pub struct Started {
    child: Child,
    pub address: String,
}

impl Started {
    /// On a free port of this machine, with its database in this folder.
    pub fn start(folder: &Path) -> Result<Self> {
        let database = folder.join("delivery.db");
        if database.exists() {
            return Err(format!("{} exists already; choose another folder", database.display()).into());
        }
        println!(
            "cargo builds the delivery service; the first time that takes minutes (--no-service does without)"
        );
        let mut child = Command::new(build()?)
            .args(["--listen", "127.0.0.1:0", "--database"])
            .arg(format!("sqlite:{}", database.display()))
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take();
        let mut started = Self {
            child,
            address: String::new(),
        };
        let mut line = String::new();
        BufReader::new(stdout.ok_or("the service has no output")?).read_line(&mut line)?;
        let address = line.trim().strip_prefix("listening on ");
        started.address = address.ok_or("the service does not start")?.to_owned();
        println!("it listens on {}", started.address);
        Ok(started)
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // It loses nothing by that, and if it has ended already there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A workspace of its own (docs/adr/0030). Not optimised: that is built sooner. With one of its tests, so that cargo takes the
/// dependencies as those of the tests are compiled.
fn build() -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("delivery-service");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // The build of ring looks at variables that the cargo which runs this example has set, and would begin again.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&name);
        }
    }
    let status = cargo
        .args(["build", "--quiet", "--locked", "--target-dir", "target"])
        .args(["--bin", "mls-delivery-service", "--test", "openapi"])
        .current_dir(&folder)
        .status()?;
    if !status.success() {
        return Err("the delivery service does not build; --no-service does without it".into());
    }
    Ok(folder.join("target/debug/mls-delivery-service"))
}
