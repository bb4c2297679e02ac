//! The real service, started for a test, and devices that talk to it.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code; each test file uses a part of this"
)]

pub mod device;
pub mod forged;
pub mod postgres;

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use sqlx::{Connection as _, Executor as _};
use tempfile::TempDir;

pub struct Service {
    folder: Option<TempDir>,
    arguments: Vec<String>,
    child: Child,
    pub address: String,
}

impl Service {
    /// On an embedded database of its own. Tests are one address, and quick.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    pub fn start_with(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = sqlite(folder.path());
        let mut service = Self::on(&database, arguments);
        service.folder = Some(folder);
        service
    }

    /// An instance on a database that is there.
    pub fn on(database: &str, arguments: &[&str]) -> Self {
        let common = [
            "--listen",
            "127.0.0.1:0",
            "--rate",
            "100000",
            "--stranger-rate",
            "100000",
            "--database",
            database,
        ];
        // The last of two values counts.
        let arguments: Vec<String> = common
            .iter()
            .chain(arguments)
            .map(|&word| word.to_owned())
            .collect();
        let (child, address) = spawn(&arguments);
        Self {
            folder: None,
            arguments,
            child,
            address,
        }
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// After a kill, or instead of one.
    pub fn restart(&mut self) {
        self.kill();
        (self.child, self.address) = spawn(&self.arguments);
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where its socket is.
    pub fn socket(&self) -> &str {
        self.address.split_once("://").unwrap().1
    }

    pub fn folder(&self) -> &Path {
        self.folder.as_ref().unwrap().path()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Changes a database behind the service's back, for what would take days otherwise.
pub fn execute(database: &str, sql: &str) {
    sqlx::any::install_default_drivers();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut connection = sqlx::AnyConnection::connect(database).await.unwrap();
        connection.execute(sql).await.unwrap();
        connection.close().await.unwrap();
    });
}

pub fn sqlite(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("delivery.db").display())
}

fn spawn(arguments: &[String]) -> (Child, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_mls-delivery-service"))
        .args(arguments)
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
