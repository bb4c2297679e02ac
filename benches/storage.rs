//! What storage costs: opening, loading, resuming, erasing, and each pragma that takes time.
//!
//! `cargo bench --bench storage` prints medians of interleaved runs on a file, and ratios to the first line of each
//! table: ratios within one run are what can be compared between machines.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a bench prints and stops at the first failure"
)]

use std::{
    hint::black_box,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use mls_mobile::{
    CallbackError, Ciphersuite, ClientConfig, Credential, CredentialValidator, GroupId, IdentityId,
    MlsClient, ValidationRequest,
};
use rusqlite::{Connection, params};
use tempfile::TempDir;

const SUITE: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519;
const ROUNDS: usize = 31;

type Case<'c> = (&'c str, Box<dyn FnMut() + 'c>);

/// Runs the cases in turn and prints each one's median and its ratio to the first.
fn table(title: &str, mut cases: Vec<Case<'_>>) {
    let mut times = vec![Vec::with_capacity(ROUNDS); cases.len()];
    for round in 0..=ROUNDS {
        for (times, (_, run)) in times.iter_mut().zip(&mut cases) {
            let start = Instant::now();
            run();
            // The first round warms up.
            if round > 0 {
                times.push(start.elapsed());
            }
        }
    }
    println!("\n{title}");
    let medians: Vec<Duration> = times.iter_mut().map(|times| median(times)).collect();
    for ((name, _), median) in cases.iter().zip(&medians) {
        let ratio = median.as_secs_f64() / medians[0].as_secs_f64();
        println!(
            "  {name:<44} {:>9.3} ms   x{ratio:.2}",
            median.as_secs_f64() * 1e3
        );
    }
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// An app that decides at once, so that a Commit is one call.
struct AcceptAll;

impl CredentialValidator for AcceptAll {
    fn validate(&self, _request: ValidationRequest) -> Result<bool, CallbackError> {
        Ok(true)
    }
}

fn open(path: &Path) -> Arc<MlsClient> {
    let config = ClientConfig::new(path.to_str().unwrap(), [1; 32]);
    MlsClient::open(config, Some(Arc::new(AcceptAll)), None).unwrap()
}

fn identity(client: &MlsClient, name: &str) -> IdentityId {
    let credential = Credential::Basic {
        identity: name.as_bytes().to_vec(),
    };
    client.create_identity(credential, SUITE).unwrap().id
}

/// A database with a group of `members` and `others` further groups of one.
fn database(folder: &TempDir, members: u32, others: u32) -> GroupId {
    let client = open(&folder.path().join("mls.db"));
    let alice = identity(&client, "alice");
    let group = client.create_group(alice.clone(), None).unwrap();
    let crowd = open(&folder.path().join("crowd.db"));
    let packages: Vec<Vec<u8>> = (1..members)
        .map(|n| {
            let member = identity(&crowd, &n.to_string());
            crowd
                .create_key_packages(member, 1, None)
                .unwrap()
                .remove(0)
                .bytes
        })
        .collect();
    for batch in packages.chunks(200) {
        group.add_members(batch.to_vec()).unwrap();
        group.merge_pending_commit().unwrap();
    }
    for _ in 0..others {
        client.create_group(alice.clone(), None).unwrap();
    }
    group.id().unwrap()
}

fn opening() {
    let folders: Vec<(TempDir, u32, u32)> = [(2, 0), (2, 1000), (1000, 0)]
        .into_iter()
        .map(|(members, others)| {
            let folder = tempfile::tempdir().unwrap();
            database(&folder, members, others);
            (folder, members, others)
        })
        .collect();
    let names: Vec<String> = folders
        .iter()
        .map(|(_, members, others)| format!("a group of {members}, {others} others"))
        .collect();
    let path = |folder: &TempDir| folder.path().join("mls.db");
    let mut cases: Vec<Case<'_>> = vec![(
        "SQLite alone: open and read one row",
        Box::new(|| {
            let connection = Connection::open(path(&folders[0].0)).unwrap();
            let rows: u32 = connection
                .query_row("SELECT count(*) FROM header", [], |row| row.get(0))
                .unwrap();
            black_box(rows);
        }),
    )];
    for (name, (folder, ..)) in names.iter().zip(&folders) {
        cases.push((name, Box::new(|| drop(black_box(open(&path(folder)))))));
    }
    table("open an existing database", cases);
}

fn first_calls() {
    for members in [2, 100, 1000] {
        let folder = tempfile::tempdir().unwrap();
        let id = database(&folder, members, 0);
        let client = open(&folder.path().join("mls.db"));
        let group = client.group(id).unwrap();
        let send = || drop(black_box(group.create_message(vec![7; 1024], vec![]).unwrap()));
        let resume = || {
            client.suspend(1000).unwrap();
            client.resume().unwrap();
        };
        table(
            &format!("1 KiB message, group of {members}"),
            vec![
                ("in a live group", Box::new(send)),
                ("suspend and resume alone", Box::new(resume)),
                (
                    "first after resume: open, load, send, erase",
                    Box::new(|| {
                        resume();
                        send();
                    }),
                ),
            ],
        );
    }
}

/// One transaction of the shape that a message has: a 10 KB value replaced, a small row added, the header counted.
fn message(connection: &Connection) {
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    connection
        .execute("UPDATE state SET value = randomblob(10000) WHERE id = 1", [])
        .unwrap();
    connection
        .execute("INSERT INTO inbox (value) VALUES (randomblob(1200))", [])
        .unwrap();
    connection
        .execute("UPDATE header SET generation = generation + 1", params![])
        .unwrap();
    connection.execute_batch("COMMIT").unwrap();
}

fn pragmas() {
    let ours = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; \
                PRAGMA cell_size_check=ON; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY;";
    let settings = [
        ("as the library sets them", ""),
        (
            "synchronous NORMAL: a power cut may roll back",
            "PRAGMA synchronous=NORMAL;",
        ),
        (
            "secure_delete OFF: deleted keys stay",
            "PRAGMA secure_delete=OFF;",
        ),
        ("cell_size_check OFF", "PRAGMA cell_size_check=OFF;"),
        ("rollback journal instead of WAL", "PRAGMA journal_mode=DELETE;"),
        ("with an erasure point after it", ""),
    ];
    let folder = tempfile::tempdir().unwrap();
    let connections: Vec<(&str, Connection)> = settings
        .iter()
        .enumerate()
        .map(|(n, (name, pragmas))| {
            let connection = Connection::open(folder.path().join(n.to_string())).unwrap();
            connection.execute_batch(ours).unwrap();
            connection.execute_batch(pragmas).unwrap();
            connection
                .execute_batch(
                    "CREATE TABLE state (id INTEGER PRIMARY KEY, value BLOB);
                     CREATE TABLE inbox (id INTEGER PRIMARY KEY, value BLOB);
                     CREATE TABLE header (generation INTEGER);
                     INSERT INTO header VALUES (1); INSERT INTO state VALUES (1, randomblob(10000));",
                )
                .unwrap();
            (*name, connection)
        })
        .collect();
    // A connection of its own: a truncated log has to grow again, which the next message pays for.
    let (erased, others) = connections.split_last().unwrap();
    let mut cases: Vec<Case<'_>> = others
        .iter()
        .map(|(name, connection)| (*name, Box::new(|| message(connection)) as Box<dyn FnMut()>))
        .collect();
    cases.push((
        erased.0,
        Box::new(|| {
            message(&erased.1);
            erased
                .1
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
                .unwrap();
        }),
    ));
    table("a transaction of a message's shape", cases);
}

fn main() {
    opening();
    first_calls();
    pragmas();
}
