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
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
};

use sqlx::{Connection as _, Executor as _};
use tempfile::TempDir;

pub struct Service {
    folder: Option<TempDir>,
    arguments: Vec<String>,
    /// What the environment says the database is.
    database: Option<String>,
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
        Self::with([&["--database", database], arguments].concat(), None)
    }

    /// The same, with the database named by the environment.
    pub fn on_variable(database: &str) -> Self {
        Self::with(Vec::new(), Some(database.to_owned()))
    }

    fn with(arguments: Vec<&str>, database: Option<String>) -> Self {
        let common = [
            "--listen",
            "127.0.0.1:0",
            "--rate",
            "100000",
            "--stranger-rate",
            "100000",
        ];
        // The last of two values counts.
        let arguments: Vec<String> = common.into_iter().chain(arguments).map(str::to_owned).collect();
        let (child, address) = spawn(&arguments, database.as_deref());
        Self {
            folder: None,
            arguments,
            database,
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
        (self.child, self.address) = spawn(&self.arguments, self.database.as_deref());
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

/// Free a moment ago; good enough for a test.
pub fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// What Prometheus would read at the address that was given for it.
pub fn metrics(address: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nHost: service\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

/// The number behind a name in them; 0 if it is not there.
pub fn metric(address: &str, name: &str) -> u64 {
    let text = metrics(address);
    let number = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    number.map_or(0, |number| number.parse().unwrap())
}

pub fn program(arguments: &[String], database: Option<&str>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mls-delivery-service"));
    command.args(arguments).env_remove("MLS_DELIVERY_DATABASE");
    command.envs(database.map(|database| ("MLS_DELIVERY_DATABASE", database)));
    command
}

fn spawn(arguments: &[String], database: Option<&str>) -> (Child, String) {
    let mut child = program(arguments, database)
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
