//! What catching up costs: 500 messages of 1 KiB in 10 groups, one by one and as one batch, and the memory of it.
//!
//! `cargo bench --bench catch_up` prints medians of interleaved runs on a file, each on a fresh copy of the same closed
//! database. `cargo bench --bench catch_up -- batch <folder>` is the child whose memory is measured; with
//! `-- repeat <folder>` it is something for `perf record`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a bench prints and stops at the first failure"
)]

use std::{
    env, fs,
    hint::black_box,
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use mls_mobile::{
    BatchOutcome, CallbackError, Ciphersuite, ClientConfig, Credential, CredentialValidator, GroupId,
    IdentityId, IncomingMessage, MlsClient, MlsGroup, ProcessedMessage, ValidationRequest,
};
use openmls_libcrux_crypto::CryptoProvider;
use openmls_traits::{crypto::OpenMlsCrypto, types::SignatureScheme};
use tempfile::TempDir;

const SUITE: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519;
const GROUPS: usize = 10;
const MESSAGES: usize = 500;
/// Members that send; the others are only there.
const SENDERS: usize = 3;
const ROUNDS: usize = 7;

/// A name, and what is timed over a copy of the folder.
type Case = (&'static str, fn(&Path) -> Duration);

/// A device in a folder of its own.
struct Device {
    folder: TempDir,
    client: Arc<MlsClient>,
    identity: IdentityId,
}

impl Device {
    fn new(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let client = open(folder.path());
        let identity = identity(&client, name);
        Self {
            folder,
            client,
            identity,
        }
    }

    fn key_packages(&self, count: usize) -> Vec<Vec<u8>> {
        let count = u32::try_from(count).unwrap();
        let made = self
            .client
            .create_key_packages(self.identity.clone(), count, None);
        made.unwrap().into_iter().map(|it| it.bytes).collect()
    }
}

/// An app that decides at once: without it the Commits that make the groups would wait.
struct AcceptAll;

impl CredentialValidator for AcceptAll {
    fn validate(&self, _request: ValidationRequest) -> Result<bool, CallbackError> {
        Ok(true)
    }
}

fn open(folder: &Path) -> Arc<MlsClient> {
    let path = folder.join("mls.db");
    MlsClient::open(
        ClientConfig::new(path.to_str().unwrap(), [1; 32]),
        Some(Arc::new(AcceptAll)),
        None,
    )
    .unwrap()
}

fn identity(client: &MlsClient, name: &str) -> IdentityId {
    let credential = Credential::Basic {
        identity: name.as_bytes().to_vec(),
    };
    client.create_identity(credential, SUITE).unwrap().id
}

/// A closed device that is a member of ten groups, and the messages that wait for it, in its folder.
fn prepare(members: usize) -> TempDir {
    let me = Device::new("me");
    let senders: Vec<Device> = (0..SENDERS.min(members - 1))
        .map(|n| Device::new(&format!("sender {n}")))
        .collect();
    let crowd = Device::new("crowd");
    // The same key packages in every group: nobody ever joins with them.
    let crowd: Vec<Vec<u8>> = (senders.len() + 1..members)
        .map(|n| {
            let identity = identity(&crowd.client, &n.to_string());
            let made = crowd.client.create_key_packages(identity, 1, None);
            made.unwrap().remove(0).bytes
        })
        .collect();
    let (creator, others) = senders.split_first().unwrap();
    let mut ids = Vec::new();
    for _ in 0..GROUPS {
        let group = creator
            .client
            .create_group(creator.identity.clone(), None)
            .unwrap();
        let id = group.id().unwrap();
        let joining: Vec<&Device> = others.iter().chain([&me]).collect();
        let mut packages: Vec<Vec<u8>> = joining.iter().flat_map(|device| device.key_packages(1)).collect();
        packages.extend(crowd.iter().cloned());
        let added = group.add_members(packages).unwrap();
        group.merge_pending_commit().unwrap();
        for device in &joining {
            let welcome = added.welcome.clone().unwrap();
            device.client.join_from_welcome(welcome, None).unwrap();
        }
        // As many epochs as are kept, so that their secrets are stored and loaded too.
        for _ in 0..3 {
            let update = group.self_update(None).unwrap();
            group.merge_pending_commit().unwrap();
            for device in &joining {
                let group = device.client.group(id.clone()).unwrap();
                group.process_message(update.commit.clone()).unwrap();
            }
        }
        ids.push(id);
    }
    for (number, file) in (0..MESSAGES).map(|number| (number, message_file(me.folder.path(), number))) {
        let sender = &senders[number / GROUPS % senders.len()];
        let group = sender.client.group(ids[number % GROUPS].clone()).unwrap();
        fs::write(file, group.create_message(vec![7; 1024], vec![]).unwrap()).unwrap();
    }
    let entries = me.client.inbox(1000).unwrap();
    let seen = entries.into_iter().map(|entry| entry.id).collect();
    me.client.acknowledge(seen).unwrap();
    me.folder
}

fn message_file(folder: &Path, number: usize) -> std::path::PathBuf {
    folder.join(format!("message-{number}"))
}

fn messages(folder: &Path) -> Vec<IncomingMessage> {
    (0..MESSAGES)
        .map(|number| IncomingMessage {
            bytes: fs::read(message_file(folder, number)).unwrap(),
            cursor: Some(number.to_be_bytes().to_vec()),
        })
        .collect()
}

/// A copy of the database alone, on the same disk.
fn copy(folder: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    fs::copy(folder.join("mls.db"), copy.path().join("mls.db")).unwrap();
    copy
}

fn batch(client: &MlsClient, messages: Vec<IncomingMessage>) {
    let batch = client.process_messages(messages, None).unwrap();
    assert_eq!((batch.outcomes.len(), &batch.error), (MESSAGES, &None));
    for outcome in &batch.outcomes {
        let BatchOutcome::Processed { outcome, .. } = outcome else {
            panic!("{outcome:?}")
        };
        assert!(matches!(outcome, ProcessedMessage::Application { .. }));
    }
    black_box(batch);
}

/// The group that each message names, as an app would look it up.
fn groups(client: &MlsClient) -> Vec<Arc<MlsGroup>> {
    let ids: Vec<GroupId> = client
        .groups()
        .unwrap()
        .into_iter()
        .map(|it| it.group_id)
        .collect();
    ids.into_iter().map(|id| client.group(id).unwrap()).collect()
}

/// Times `run` over a fresh copy, opening included.
fn timed(folder: &Path, run: impl FnOnce(&Path, Vec<IncomingMessage>)) -> Duration {
    let (copy, messages) = (copy(folder), messages(folder));
    let start = Instant::now();
    run(copy.path(), messages);
    start.elapsed()
}

fn one_by_one(folder: &Path) -> Duration {
    timed(folder, |path, messages| {
        let client = open(path);
        let groups = groups(&client);
        for (number, message) in messages.into_iter().enumerate() {
            black_box(groups[number % GROUPS].process_message(message.bytes).unwrap());
        }
    })
}

/// As an extension that the system starts for each message.
fn opened_for_each(folder: &Path) -> Duration {
    timed(folder, |path, messages| {
        for (number, message) in messages.into_iter().enumerate() {
            let client = open(path);
            black_box(
                groups(&client)[number % GROUPS]
                    .process_message(message.bytes)
                    .unwrap(),
            );
        }
    })
}

fn as_a_batch(folder: &Path) -> Duration {
    timed(folder, |path, messages| batch(&open(path), messages))
}

/// The part that nothing here can make smaller: a signature to verify for each message.
fn signatures() -> Duration {
    let crypto = CryptoProvider::new().unwrap();
    let (private, public) = crypto.signature_key_gen(SignatureScheme::ED25519).unwrap();
    let data = [7; 1200];
    let signature = crypto.sign(SignatureScheme::ED25519, &data, &private).unwrap();
    let start = Instant::now();
    for _ in 0..MESSAGES {
        crypto
            .verify_signature(SignatureScheme::ED25519, &data, &public, &signature)
            .unwrap();
    }
    start.elapsed()
}

/// Median and fastest, in ms: on a machine that others use too, the fastest is the steadier one.
fn summary(mut times: Vec<Duration>) -> [f64; 2] {
    times.sort_unstable();
    [times[times.len() / 2], times[0]].map(|time| time.as_secs_f64() * 1e3)
}

fn compare(members: usize, folder: &Path) {
    let cases: [Case; 4] = [
        ("one process_messages", as_a_batch),
        ("one by one", one_by_one),
        ("one by one, each opening the client", opened_for_each),
        ("500 Ed25519 verifications alone", |_| signatures()),
    ];
    let mut times = [const { Vec::new() }; 4];
    for round in 0..=ROUNDS {
        for (times, (_, run)) in times.iter_mut().zip(cases) {
            let time = run(folder);
            // The first round warms up.
            if round > 0 {
                times.push(time);
            }
        }
    }
    let times = times.map(summary);
    let [first_median, first_fastest] = times[0];
    println!("\n{MESSAGES} messages of 1 KiB in {GROUPS} groups of {members}, from a cold start");
    println!("  {:<40} {:>9}  {:<8} {:>9}", "", "median ms", "", "fastest");
    for ((name, _), [median, fastest]) in cases.iter().zip(times) {
        println!(
            "  {name:<40} {median:>9.1}  x{:<7.2} {fastest:>9.1}  x{:.2}",
            median / first_median,
            fastest / first_fastest
        );
    }
}

/// A line of `/proc/self/status`, in KiB; absent where there is no such file.
fn status(name: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// The child: how far the batch lifts the memory over that of the idle library.
fn measure(folder: &Path) {
    let copy = copy(folder);
    let client = open(copy.path());
    black_box(client.groups().unwrap());
    // Forgets the peak of the start; where that is not allowed the growth comes out larger, never smaller.
    drop(fs::write("/proc/self/clear_refs", "5"));
    let idle = status("VmRSS:");
    batch(&client, messages(folder));
    if let (Some(idle), Some(peak)) = (idle, status("VmHWM:")) {
        println!("{}", peak.saturating_sub(idle));
    }
}

fn memory(folder: &Path) {
    let child = Command::new(env::current_exe().unwrap())
        .arg("batch")
        .arg(folder)
        .output()
        .unwrap();
    assert!(child.status.success());
    match String::from_utf8(child.stdout).unwrap().trim().parse::<f64>() {
        Ok(grown) => println!(
            "  memory of the batch over the idle library      {:>6.1} MB",
            grown / 1024.0
        ),
        Err(_) => println!("  memory: this system does not tell"),
    }
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).filter(|it| !it.starts_with("--")).collect();
    match arguments.as_slice() {
        [verb, folder] if verb == "batch" => measure(Path::new(folder)),
        [verb, folder] if verb == "repeat" => {
            for _ in 0..20 {
                as_a_batch(Path::new(folder));
            }
        }
        [verb, members] if verb == "prepare" => {
            // Stays, for `repeat`.
            println!("{}", prepare(members.parse().unwrap()).keep().display());
        }
        _ => {
            for members in [2, 32, 256] {
                let folder = prepare(members);
                compare(members, folder.path());
                memory(folder.path());
            }
        }
    }
}
