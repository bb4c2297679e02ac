//! A large group: what it costs to add hundreds of members, to join, and to send.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use mls_mobile::{CommitBundle, GroupId, MlsClient, MlsGroup};

use crate::{
    Result,
    network::Network,
    phone::{self, Closed, Phone, SUITE},
    show::{self, heading, line},
};

/// Members added by one Commit.
const BATCH: usize = 50;

pub fn play(folder: &Path, members: u32) -> Result<()> {
    let network = Network::by_hand();
    let open = |name| Closed::new(folder, name)?.open(&network);
    let (alice, bob, zoe) = (open("Alice")?, open("Bob")?, open("Zoe")?);

    heading(1, &format!("{members} members get ready"));
    // Alice is in the group from the start, Bob comes with the first Commit, Zoe with the last.
    let mut key_packages = vec![key_package(&bob.client, &bob)?];
    let strangers = members.saturating_sub(3);
    let (mut more, time) = timed(|| crowd(folder, strangers))?;
    key_packages.append(&mut more);
    if members > 2 {
        key_packages.push(key_package(&zoe.client, &zoe)?);
    }
    let bytes = key_packages.first().map_or(0, Vec::len);
    line(
        "Crowd",
        format!(
            "{} key packages of about {bytes} bytes, in {}",
            key_packages.len(),
            show(time)
        ),
    );

    heading(2, &format!("Alice adds them, {BATCH} with a Commit"));
    let group = alice.client.create_group(alice.identity.clone(), None)?;
    let id = group.id()?;
    let mut adding = Adding::default();
    let bar = bar(key_packages.len(), "adding");
    for batch in key_packages.chunks(BATCH) {
        adding.add(&group, &bob, &id, batch.to_vec())?;
        bar.inc(batch.len() as u64);
    }
    bar.finish_and_clear();
    let last = adding.report()?;

    heading(3, "Zoe joins a full group, and everybody who is here agrees");
    if members > 2 {
        let welcome = last.welcome.clone().ok_or("the Commit adds nobody")?;
        let (_, time) = timed(|| Ok(zoe.client.join_from_welcome(welcome, None)?))?;
        line("Zoe", format!("joins in {}", show(time)));
    }
    let present: Vec<&Phone> = if members > 2 {
        vec![&alice, &bob, &zoe]
    } else {
        vec![&alice, &bob]
    };
    agree(&id, &present)?;

    heading(4, "Sending and receiving");
    let (message, time) = timed(|| Ok(group.create_message(b"Hello, everybody".to_vec(), Vec::new())?))?;
    line(
        "Alice",
        format!("encrypts a message of {} bytes in {}", message.len(), show(time)),
    );
    let (_, time) = timed(|| Ok(bob.group(&id)?.process_message(message)?))?;
    line("Bob", format!("reads it in {}", show(time)));
    let info = alice.client.storage_info()?;
    let (main, log) = (info.database_bytes, info.wal_bytes);
    line(
        "Alice",
        format!("has a database of {main} bytes, and {log} in the write-ahead log"),
    );
    Ok(())
}

#[derive(Default)]
struct Adding {
    committing: Duration,
    merging: Duration,
    receiving: Duration,
    commits: u32,
    last: Option<CommitBundle>,
}

impl Adding {
    fn add(&mut self, group: &Arc<MlsGroup>, bob: &Phone, id: &GroupId, batch: Vec<Vec<u8>>) -> Result<()> {
        let (bundle, time) = timed(|| Ok(group.add_members(batch)?))?;
        self.committing += time;
        if self.commits == 0 {
            // Bob joins with the first Commit, so he has to process all that follow.
            let welcome = bundle.welcome.clone().ok_or("the Commit adds nobody")?;
            bob.client.join_from_welcome(welcome, None)?;
        } else {
            self.receiving += timed(|| Ok(bob.group(id)?.process_message(bundle.commit.clone())?))?.1;
        }
        self.merging += timed(|| Ok(group.merge_pending_commit()?))?.1;
        self.commits += 1;
        self.last = Some(bundle);
        Ok(())
    }

    fn report(self) -> Result<CommitBundle> {
        let last = self.last.ok_or("nobody was added")?;
        let (commit, welcome) = (last.commit.len(), last.welcome.as_ref().map_or(0, Vec::len));
        let each = |time: Duration, times: u32| show(time.checked_div(times).unwrap_or_default());
        line(
            "Alice",
            format!(
                "{} Commits: {} to make one, {} to merge it",
                self.commits,
                each(self.committing, self.commits),
                each(self.merging, self.commits)
            ),
        );
        if self.commits > 1 {
            line(
                "Bob",
                format!("{} to process one", each(self.receiving, self.commits - 1)),
            );
        }
        line(
            "",
            format!("the last Commit has {commit} bytes, its Welcome {welcome}"),
        );
        Ok(last)
    }
}

/// Strangers who never come online in this example, so one database is enough for all of them: an identity each.
fn crowd(folder: &Path, count: u32) -> Result<Vec<Vec<u8>>> {
    let client = phone::open(&folder.join("crowd.db"), phone::random_key()?)?;
    let bar = bar(count as usize, "key packages");
    let key_packages = (1..=count)
        .map(|number| {
            let credential = phone::credential(&format!("Stranger {number}"));
            let identity = client.create_identity(credential, SUITE)?;
            let made = client.create_key_packages(identity.id, 1, None)?.pop();
            bar.inc(1);
            Ok(made.ok_or("no key package was made")?.bytes)
        })
        .collect();
    bar.finish_and_clear();
    key_packages
}

fn key_package(client: &MlsClient, phone: &Phone) -> Result<Vec<u8>> {
    let made = client.create_key_packages(phone.identity.clone(), 1, None)?.pop();
    Ok(made.ok_or("no key package was made")?.bytes)
}

fn agree(id: &GroupId, phones: &[&Phone]) -> Result<()> {
    let mut numbers = Vec::new();
    for phone in phones {
        let group = phone.group(id)?;
        let number = show::safety_number(&group)?;
        let (epoch, members) = (group.info()?.epoch, group.members()?.len());
        line(
            phone.name,
            format!("epoch {epoch}, safety number {number}, {members} members"),
        );
        numbers.push(number);
    }
    if numbers.windows(2).any(|pair| pair.first() != pair.last()) {
        return Err("the safety numbers differ".into());
    }
    Ok(())
}

fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, Duration)> {
    let start = Instant::now();
    Ok((work()?, start.elapsed()))
}

fn show(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

/// Drawn on a terminal only; otherwise nothing is printed.
fn bar(length: usize, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("   {msg:<13}[{bar:40}] {pos}/{len}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length as u64)
        .with_style(style)
        .with_message(what)
}
