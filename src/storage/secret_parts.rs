//! What the rows of a group's message secrets hold, and how they become one value again.
//!
//! The head is the value without its large lists, and tells where each of them belongs. A list of a secret tree has a row
//! for each [`CHUNK`] of its entries, unless all of them are empty; a list of members has one row.

use std::collections::BTreeMap;

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

/// The part of the head. The others are numbered from 2^32, see [`first_part`].
pub(super) const HEAD: u64 = 0;
/// Entries of a secret tree in a row: few enough that a message writes one page, many enough that a large group has
/// hundreds of rows and not thousands. Part of the file format.
pub(super) const CHUNK: usize = 16;
const NIL: u8 = 0xc0;

/// A list of an epoch's secrets. The numbers are part of the file format and never change.
#[derive(Clone, Copy)]
pub(super) enum List {
    LeafNodes = 0,
    ParentNodes = 1,
    HandshakeRatchets = 2,
    ApplicationRatchets = 3,
    Members = 4,
}

/// The first part of an epoch's list: 31 bits of the slot, plus one, 4 of the list, 28 of the chunk.
pub(super) fn first_part(slot: u32, list: List) -> u64 {
    slot_parts(slot).start | (list as u64) << 28
}

/// All parts of a slot.
pub(super) fn slot_parts(slot: u32) -> std::ops::Range<u64> {
    let slot = u64::from(slot);
    (slot + 1) << 32..(slot + 2) << 32
}

pub(super) fn is_members(part: u64) -> bool {
    part >> 28 & 0xf == List::Members as u64
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
    pub(super) epochs: Vec<Epoch>,
    pub(super) holes: Vec<Hole>,
    /// How many other rows there are: a lost one must not look like an empty one.
    pub(super) rows: usize,
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
}

/// A list that is missing in the skeleton.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hole {
    /// Where in the skeleton.
    pub(super) at: usize,
    pub(super) first_part: u64,
    /// Entries, which are in chunks; absent if the list is one part.
    pub(super) entries: Option<usize>,
}

/// What the rows of a group hold, opened, as long as the group is in memory.
pub(crate) struct StoredSecrets {
    pub(super) group: Index,
    pub(super) head: Head,
    /// Lists of members never change and are not kept.
    pub(super) parts: BTreeMap<u64, Option<SecretBytes>>,
}

/// What must be written, so that the rows hold a value.
pub(super) struct Change {
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
        }
    }

    /// What is stored when `change` is, and whether the head is another one.
    pub(super) fn after(mut self, change: Change) -> (Self, bool) {
        for part in &change.removed {
            self.parts.remove(part);
        }
        for (part, bytes) in change.changed {
            self.parts.insert(part, (!is_members(part)).then_some(bytes));
        }
        let head = Head {
            rows: self.parts.len(),
            ..change.head
        };
        let changed = head != self.head;
        self.head = head;
        (self, changed)
    }

    /// Keys and context of an epoch that is stored.
    pub(super) fn slot_of(&self, identity: &[u8]) -> Option<u32> {
        let stored = |epoch: &&Epoch| self.head.skeleton.0.get(epoch.from..epoch.to) == Some(identity);
        self.head.epochs.iter().find(stored).map(|epoch| epoch.slot)
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
        let whole = fill(&head, &parts)?;
        let parts = parts
            .into_iter()
            .map(|(part, bytes)| (part, (!is_members(part)).then_some(bytes)))
            .collect();
        Ok((whole, Self { group, head, parts }))
    }
}

/// Fills the holes of the skeleton.
fn fill(head: &Head, parts: &BTreeMap<u64, SecretBytes>) -> Result<SecretBytes, StorageError> {
    let skeleton = &head.skeleton.0;
    let length: usize = parts.values().map(|part| part.len()).sum();
    let entries: usize = head.holes.iter().filter_map(|hole| hole.entries).sum();
    // Entries that are empty take a byte; the others are counted twice.
    let mut whole = Buffer::with_capacity(skeleton.len() + length + entries);
    let mut from = 0;
    for hole in &head.holes {
        whole.push(skeleton.get(from..hole.at).ok_or(StorageError::Corrupt)?);
        from = hole.at;
        match hole.entries {
            None => whole.push(parts.get(&hole.first_part).ok_or(StorageError::Corrupt)?),
            Some(entries) => {
                for (chunk, first) in (0..entries).step_by(CHUNK).enumerate() {
                    let length = CHUNK.min(entries - first);
                    match parts.get(&(hole.first_part + chunk as u64)) {
                        Some(bytes) => whole.push(bytes),
                        None => whole.push([NIL; CHUNK].get(..length).unwrap_or_default()),
                    }
                }
            }
        }
    }
    whole.push(skeleton.get(from..).ok_or(StorageError::Corrupt)?);
    Ok(whole.into_bytes())
}
