//! The delivery service, which is the model too: it knows every epoch's members and what was sent to them.

use std::collections::{BTreeMap, BTreeSet};

/// A message that it accepted.
pub struct Entry {
    pub epoch: u64,
    pub by: usize,
    pub bytes: Vec<u8>,
    pub content: Content,
}

pub enum Content {
    Text(String),
    Proposal,
    Commit,
}

impl Entry {
    pub fn is_commit(&self) -> bool {
        matches!(self.content, Content::Commit)
    }

    /// What was said.
    pub fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            Content::Proposal | Content::Commit => None,
        }
    }
}

/// What a Commit does.
#[derive(Clone, Debug, Default)]
pub struct Made {
    pub by: usize,
    pub epoch: u64,
    pub adds: Option<usize>,
    pub removes: Option<usize>,
}

pub struct Service {
    pub log: Vec<Entry>,
    /// By epoch.
    pub members: Vec<BTreeSet<usize>>,
    /// The Commit that ended each epoch.
    pub commits: BTreeMap<u64, Made>,
    /// Commits that were made, by their bytes.
    pub made: BTreeMap<Vec<u8>, Made>,
    /// For each device what it has not confirmed, as places in the log.
    pub backlog: Vec<Vec<usize>>,
    /// For each device the Welcome that it was sent last, and the epoch that this one opens.
    pub welcomes: BTreeMap<usize, (u64, Vec<u8>)>,
}

impl Service {
    /// A group of `members` of `devices` in epoch 1.
    pub fn new(devices: usize, members: usize) -> Self {
        Self {
            log: Vec::new(),
            members: vec![BTreeSet::from([0]), (0..members).collect()],
            commits: BTreeMap::new(),
            made: BTreeMap::new(),
            backlog: vec![Vec::new(); devices],
            welcomes: BTreeMap::new(),
        }
    }

    pub fn epoch(&self) -> u64 {
        self.members.len() as u64 - 1
    }

    pub fn members_at(&self, epoch: u64) -> &BTreeSet<usize> {
        &self.members[usize::try_from(epoch).unwrap()]
    }

    /// The first epoch of the device's last membership.
    pub fn start_of(&self, device: usize) -> Option<u64> {
        let last = self
            .members
            .iter()
            .rposition(|members| members.contains(&device))?;
        let before = self.members[..last]
            .iter()
            .rposition(|members| !members.contains(&device));
        Some(before.map_or(0, |epoch| epoch as u64 + 1))
    }

    pub fn post(&mut self, entry: Entry) {
        let place = self.log.len();
        let mut readers = self.members_at(entry.epoch).clone();
        if entry.text().is_some() {
            // Who came later gets it too, and cannot read it.
            readers.extend(self.members_at(self.epoch()));
        }
        for reader in readers {
            self.backlog[reader].push(place);
        }
        self.log.push(entry);
    }

    /// Accepts a Commit if it is the first of the current epoch; the same one again is accepted again.
    pub fn submit(&mut self, bytes: &[u8]) -> bool {
        let made = self.made[bytes].clone();
        if self
            .log
            .iter()
            .any(|entry| entry.is_commit() && entry.bytes == bytes)
        {
            return true;
        }
        if made.epoch != self.epoch() {
            return false;
        }
        self.post(Entry {
            epoch: made.epoch,
            by: made.by,
            bytes: bytes.to_vec(),
            content: Content::Commit,
        });
        let mut members = self.members_at(self.epoch()).clone();
        members.extend(made.adds);
        if let Some(removed) = made.removes {
            members.remove(&removed);
        }
        self.members.push(members);
        self.commits.insert(made.epoch, made);
        true
    }

    /// Passes on the Welcome into `epoch`.
    pub fn invite(&mut self, by: usize, epoch: u64, welcome: Vec<u8>) {
        let made = &self.commits[&(epoch - 1)];
        assert_eq!(made.by, by, "a Welcome of somebody else's Commit");
        let Some(invited) = made.adds else { return };
        // Late or twice, it must not hide a newer one.
        if self
            .welcomes
            .get(&invited)
            .is_none_or(|(known, _)| *known < epoch)
        {
            self.welcomes.insert(invited, (epoch, welcome));
        }
    }
}
