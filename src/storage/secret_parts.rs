//! What the rows of a group's message secrets hold, and how they become one value again.
//!
//! The head is the value without its large lists, and tells where each of them belongs. A list of a secret tree has a row
//! for each [`CHUNK`] of its entries, unless all of them are empty. A list of members has a row for each [`CHUNK`] of
//! leaves; those that are the same in the lists of several epochs are stored once.

use std::{collections::BTreeMap, ops::Range};

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{
    secret::SecretBytes,
    storage::{
        StorageError,
        codec::{self, Buffer},
        seal::Index,
    },
};

/// The part of the head. Those of an epoch are numbered from 2^32, see [`first_part`].
pub(super) const HEAD: u64 = 0;
/// The parts that lists of members share: they belong to no slot.
pub(super) const SHARED: Range<u64> = 1..1 << 32;
/// Entries of a secret tree in a row, and leaves in a row of members: few enough that a message writes one page, many
/// enough that a large group has hundreds of rows and not thousands. Part of the file format.
pub(super) const CHUNK: usize = 16;
/// An empty entry, as MessagePack writes it.
pub(super) const NIL: u8 = 0xc0;
/// The same, of a list without entries.
const EMPTY_LIST: u8 = 0x90;

/// A list of an epoch's secrets. The numbers are part of the file format and never change.
#[derive(Clone, Copy)]
pub(super) enum List {
    LeafNodes = 0,
    ParentNodes = 1,
    HandshakeRatchets = 2,
    ApplicationRatchets = 3,
    /// Before members were in chunks the whole list was this part; now it is only the list's name.
    Members = 4,
}

/// The first part of an epoch's list: 31 bits of the slot, plus one, 4 of the list, 28 of the chunk.
pub(super) fn first_part(slot: u32, list: List) -> u64 {
    slot_parts(slot).start | (list as u64) << 28
}

/// All parts of a slot.
pub(super) fn slot_parts(slot: u32) -> Range<u64> {
    let slot = u64::from(slot);
    (slot + 1) << 32..(slot + 2) << 32
}

pub(super) fn is_members(part: u64) -> bool {
    SHARED.contains(&part) || part >> 28 & 0xf == List::Members as u64
}

/// The epochs of a group whose message secrets are in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Epochs {
    #[default]
    All,
    Current,
}

/// An epoch of a group whose message secrets alone change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Touched {
    Current,
    Past(u64),
}

impl Touched {
    /// The epoch that a message of `received` belongs to in a group that is in `current`.
    pub(crate) fn by_message(received: u64, current: u64) -> Self {
        if received == current {
            Self::Current
        } else {
            Self::Past(received)
        }
    }
}

/// The value without its lists. Fields may be appended if they have a default.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(super) skeleton: Skeleton,
    /// Oldest first: the current one is the last.
    pub(super) epochs: Vec<Epoch>,
    pub(super) holes: Vec<Hole>,
    /// How many other rows there are: a lost one must not look like an empty one.
    pub(super) rows: usize,
    /// Where in the skeleton the list of past epochs stands. Without it all epochs are read.
    #[serde(default)]
    pub(super) past: Option<(usize, usize)>,
}

#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub(super) struct Skeleton(#[serde(with = "serde_bytes")] pub(super) Vec<u8>);

/// An epoch's secrets. They keep their slot when the epoch passes, so that nothing is written again.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Epoch {
    pub(super) slot: u32,
    /// Where in the skeleton its keys and its group context stand, which no two epochs share. The context pins the
    /// members by the tree's hash.
    pub(super) from: usize,
    pub(super) to: usize,
    /// How many rows there are in its slot.
    #[serde(default)]
    pub(super) rows: Option<usize>,
}

/// A list that is missing in the skeleton.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hole {
    /// Where in the skeleton.
    pub(super) at: usize,
    /// Of the list, also if its parts are elsewhere.
    pub(super) first_part: u64,
    /// Entries, which are in chunks; absent if the list is one part.
    pub(super) entries: Option<usize>,
    /// The parts of a list of members, in order.
    #[serde(default)]
    pub(super) shared: Option<Vec<u64>>,
}

/// How a group in memory stands to the rows of its message secrets.
#[derive(Default)]
pub(crate) struct HeldSecrets {
    /// What the rows hold; if it is not known, everything is written again.
    pub(super) rows: Option<StoredSecrets>,
    /// The group, if those of its past epochs are on disk only.
    pub(super) lacks_past_epochs: Option<Index>,
}

impl HeldSecrets {
    /// Whether the group would lose its past epochs if its secrets were written as they are in memory.
    pub(crate) fn lacks_past_epochs(&self) -> bool {
        self.lacks_past_epochs.is_some()
    }

    /// The same for a group whose rows may have changed.
    pub(crate) fn without_rows(self) -> Self {
        Self { rows: None, ..self }
    }
}

/// What the rows of a group hold, opened, as long as the group is in memory.
pub(crate) struct StoredSecrets {
    pub(super) group: Index,
    pub(super) head: Head,
    /// Lists of members never change and are not kept.
    pub(super) parts: BTreeMap<u64, Option<SecretBytes>>,
    /// Whether only the current epoch's parts were read, and how many others there are.
    pub(super) unread: Option<usize>,
}

/// What must be written, so that the rows hold a value.
pub(super) struct Change {
    /// Its rows are not counted yet.
    pub(super) head: Head,
    pub(super) changed: Vec<(u64, SecretBytes)>,
    pub(super) removed: Vec<u64>,
}

impl StoredSecrets {
    /// Of a group that has no rows.
    pub(super) fn none(group: Index) -> Self {
        Self {
            group,
            head: Head::default(),
            parts: BTreeMap::new(),
            unread: None,
        }
    }

    /// What is stored when `change` is, and whether the head is another one.
    pub(super) fn after(mut self, change: Change) -> (Self, bool) {
        let mut same_rows = change.removed.is_empty();
        for part in &change.removed {
            self.parts.remove(part);
        }
        for (part, bytes) in change.changed {
            let before = self.parts.insert(part, (!is_members(part)).then_some(bytes));
            same_rows &= before.is_some();
        }
        let mut head = change.head;
        head.rows = self.parts.len() + self.unread.unwrap_or_default();
        for epoch in &mut head.epochs {
            if epoch.rows.is_none() {
                let known = self.head.rows_of(epoch.slot).filter(|_| same_rows);
                let count = || self.parts.range(slot_parts(epoch.slot)).count();
                epoch.rows = Some(known.unwrap_or_else(count));
            }
        }
        let changed = head != self.head;
        self.head = head;
        (self, changed)
    }

    /// Keys and context of an epoch that is stored.
    pub(super) fn slot_of(&self, identity: &[u8]) -> Option<u32> {
        let stored = |epoch: &&Epoch| self.head.skeleton.0.get(epoch.from..epoch.to) == Some(identity);
        self.head.epochs.iter().find(stored).map(|epoch| epoch.slot)
    }

    /// The list of members of a past epoch that is stored.
    pub(super) fn members_of(&self, slot: u32) -> Option<&Hole> {
        let list = first_part(slot, List::Members);
        self.head.holes.iter().find(|hole| hole.first_part == list)
    }

    /// The value as OpenMLS wrote it, from all rows of a group.
    pub(super) fn read(
        group: Index,
        mut parts: BTreeMap<u64, SecretBytes>,
    ) -> Result<(SecretBytes, Self), StorageError> {
        let head = parts.remove(&HEAD).ok_or(StorageError::Corrupt)?;
        let head: Head = codec::decode(&head)?;
        if parts.len() != head.rows {
            return Err(StorageError::Corrupt);
        }
        let whole = head.fill(Epochs::All, &parts)?;
        Ok((whole, Self::of(group, head, parts, None)))
    }

    /// The value as if no epoch had passed, from the rows of the current one: [`Head::current_parts`].
    pub(super) fn read_current(
        group: Index,
        head: Head,
        parts: BTreeMap<u64, SecretBytes>,
    ) -> Result<(SecretBytes, Self), StorageError> {
        let expected = head.epochs.last().and_then(|epoch| epoch.rows);
        let unread = head.rows.checked_sub(parts.len());
        if expected != Some(parts.len()) || unread.is_none() {
            return Err(StorageError::Corrupt);
        }
        let value = head.fill(Epochs::Current, &parts)?;
        Ok((value, Self::of(group, head, parts, unread)))
    }

    fn of(group: Index, head: Head, parts: BTreeMap<u64, SecretBytes>, unread: Option<usize>) -> Self {
        let parts = parts
            .into_iter()
            .map(|(part, bytes)| (part, (!is_members(part)).then_some(bytes)))
            .collect();
        Self {
            group,
            head,
            parts,
            unread,
        }
    }
}

impl Head {
    /// The parts of the current epoch, if there are past ones that can be left where they are.
    pub(super) fn current_parts(&self) -> Option<Range<u64>> {
        match self.epochs.as_slice() {
            [_, .., current] if self.past.is_some() && current.rows.is_some() => {
                Some(slot_parts(current.slot))
            }
            _ => None,
        }
    }

    fn rows_of(&self, slot: u32) -> Option<usize> {
        self.epochs.iter().find(|epoch| epoch.slot == slot)?.rows
    }

    /// Fills the holes of the skeleton.
    fn fill(&self, epochs: Epochs, parts: &BTreeMap<u64, SecretBytes>) -> Result<SecretBytes, StorageError> {
        let skeleton = &self.skeleton.0;
        let mut whole = Buffer::with_capacity(self.capacity(parts));
        let (mut from, mut past) = (0, 0);
        if epochs == Epochs::Current {
            let (begin, end) = self.past.ok_or(StorageError::Corrupt)?;
            whole.push(skeleton.get(..begin).ok_or(StorageError::Corrupt)?);
            whole.push(&[EMPTY_LIST]);
            (from, past) = (end, end);
        }
        // The list of members of the newest past epoch is missing at the very end of them.
        for hole in self.holes.iter().filter(|hole| hole.at > past) {
            whole.push(skeleton.get(from..hole.at).ok_or(StorageError::Corrupt)?);
            from = hole.at;
            hole.fill(parts, &mut whole)?;
        }
        whole.push(skeleton.get(from..).ok_or(StorageError::Corrupt)?);
        Ok(whole.into_bytes())
    }

    /// At least as much as the value takes: entries that are empty take a byte, and the others are counted twice.
    fn capacity(&self, parts: &BTreeMap<u64, SecretBytes>) -> usize {
        let length: usize = parts.values().map(|part| part.len()).sum();
        let entries: usize = self.holes.iter().filter_map(|hole| hole.entries).sum();
        let shared = self
            .holes
            .iter()
            .filter_map(|hole| hole.shared.as_ref())
            .flatten();
        let shared: usize = shared.filter_map(|part| Some(parts.get(part)?.len())).sum();
        self.skeleton.0.len() + length + entries + shared
    }
}

impl Hole {
    fn fill(&self, parts: &BTreeMap<u64, SecretBytes>, whole: &mut Buffer) -> Result<(), StorageError> {
        match (&self.shared, self.entries) {
            (Some(shared), _) => {
                for part in shared {
                    whole.push(parts.get(part).ok_or(StorageError::Corrupt)?);
                }
            }
            (None, None) => whole.push(parts.get(&self.first_part).ok_or(StorageError::Corrupt)?),
            (None, Some(entries)) => {
                for (chunk, first) in (0..entries).step_by(CHUNK).enumerate() {
                    let length = CHUNK.min(entries - first);
                    match parts.get(&(self.first_part + chunk as u64)) {
                        Some(bytes) => whole.push(bytes),
                        None => whole.push([NIL; CHUNK].get(..length).unwrap_or_default()),
                    }
                }
            }
        }
        Ok(())
    }
}
