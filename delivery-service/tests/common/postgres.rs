//! A real PostgreSQL from Debian's package, in a temporary folder, answering on a socket there.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use tempfile::TempDir;

pub struct Postgres {
    folder: TempDir,
    server: Child,
}

impl Postgres {
    /// `None`, and a word for `test.sh`, where there is none. Nobody kills PostgreSQL in tests, and what the disk waits for is
    /// not what is tested.
    pub fn start() -> Option<Self> {
        Self::start_with(&["-c", "fsync=off"])
    }

    /// As it runs elsewhere.
    pub fn start_durable() -> Option<Self> {
        Self::start_with(&[])
    }

    fn start_with(settings: &[&str]) -> Option<Self> {
        let Some(programs) = programs() else {
            // Past the capture of the test's output, or nobody would see it.
            std::io::stderr()
                .write_all(b"\nskipped: PostgreSQL is not installed\n")
                .unwrap();
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        if is_root() {
            let owned = Command::new("chown")
                .arg("postgres")
                .arg(folder.path())
                .status()
                .unwrap();
            assert!(owned.success());
        }
        let made = as_nobody_special(&programs.join("initdb"))
            .args([
                "--auth=trust",
                "--username=postgres",
                "--encoding=UTF8",
                "--no-sync",
                "-D",
            ])
            .arg(&data)
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(made.success(), "initdb failed");
        let server = as_nobody_special(&programs.join("postgres"))
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(folder.path())
            .args(["-c", "listen_addresses=", "-c", "max_connections=100"])
            .args(settings)
            .current_dir(folder.path())
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let postgres = Self { folder, server };
        // The socket's file appears when it takes connections; the service itself would not wait.
        for _ in 0..600 {
            if postgres.answers(&programs) {
                return Some(postgres);
            }
            sleep(Duration::from_millis(100));
        }
        panic!("PostgreSQL does not start");
    }

    fn answers(&self, programs: &Path) -> bool {
        let status = Command::new(programs.join("pg_isready"))
            .arg("-q")
            .arg("-h")
            .arg(self.folder.path())
            .status();
        status.unwrap().success()
    }

    pub fn url(&self) -> String {
        let socket = self.folder.path().display().to_string().replace('/', "%2F");
        format!("postgres://postgres@localhost/postgres?host={socket}")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGINT ends it at once and cleanly, by the first line of its file: `server` may be the process that became it.
        let pid = std::fs::read_to_string(self.folder.path().join("data/postmaster.pid")).unwrap_or_default();
        if let Some(pid) = pid.lines().next() {
            let _ = Command::new("kill").args(["-INT", pid]).status();
        }
        let _ = self.server.wait();
    }
}

/// Debian keeps one folder for each version.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut folders: Vec<_> = versions
        .filter_map(|version| Some(version.ok()?.path().join("bin")))
        .collect();
    folders.sort();
    folders
        .into_iter()
        .rev()
        .find(|folder| folder.join("postgres").exists())
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout == b"0\n"
}

/// PostgreSQL refuses to run as root; its package brings a user.
fn as_nobody_special(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"])
        .arg(program);
    command
}
