//! What the rows of a group's ratchet tree hold, and how they become one value again.
//!
//! The head is the value without its long lists, and tells where each of them belongs. A list has a row for each of its
//! [pieces](super::cut).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    StorageError,
    codec::{self, Buffer},
    cut::{self, LongList},
    seal::Index,
};
use crate::secret::SecretBytes;

/// The part of the head. The others have numbers of their list and of their place in it, see [`part`].
pub(super) const HEAD: u64 = 0;

/// The number of a piece: 32 bits for the list, plus one, and 32 for its place.
fn part(list: usize, piece: usize) -> u64 {
    (list as u64 + 1) << 32 | piece as u64
}

/// The value without its long lists. Fields may be appended if they have a default.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    #[serde(with = "serde_bytes")]
    skeleton: Vec<u8>,
    holes: Vec<Hole>,
}

/// A list that is missing in the skeleton.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Hole {
    /// Where in the skeleton.
    at: usize,
    pieces: usize,
}

/// What the rows hold, opened, as long as the group is in memory. A tree holds public keys and no secrets.
pub(crate) struct StoredTree {
    pub(super) group: Index,
    head: Head,
    pieces: BTreeMap<u64, Vec<u8>>,
    /// How long the whole value is: the next one is about as long.
    length: usize,
}

/// What must be written, so that the rows hold a value.
pub(super) struct Change {
    /// The head, if it is another one.
    pub(super) head: Option<SecretBytes>,
    pub(super) changed: Vec<u64>,
    pub(super) removed: Vec<u64>,
}

impl StoredTree {
    /// Of a group that has no rows.
    pub(super) fn none(group: Index) -> Self {
        Self {
            group,
            head: Head::default(),
            pieces: BTreeMap::new(),
            length: 0,
        }
    }

    pub(super) fn length(&self) -> usize {
        self.length
    }

    pub(super) fn has_rows(&self) -> bool {
        !self.pieces.is_empty()
    }

    pub(super) fn piece(&self, part: u64) -> &[u8] {
        self.pieces.get(&part).map(Vec::as_slice).unwrap_or_default()
    }

    /// Takes over `value`, whose long lists are `lists`, and tells which rows must follow.
    pub(super) fn follow(&mut self, value: &[u8], lists: &[LongList]) -> Result<Change, StorageError> {
        let mut skeleton = Vec::new();
        let mut holes = Vec::with_capacity(lists.len());
        let mut changed = Vec::new();
        let mut pieces = BTreeMap::new();
        let mut from = 0;
        let bytes_of = |from: &mut usize, end: usize| {
            let bytes = value.get(*from..end);
            *from = end;
            bytes.ok_or(StorageError::Corrupt)
        };
        for (number, LongList { pieces: ranges }) in lists.iter().enumerate() {
            let begin = ranges.first().map_or(from, |range| range.start);
            skeleton.extend_from_slice(bytes_of(&mut from, begin)?);
            holes.push(Hole {
                at: skeleton.len(),
                pieces: ranges.len(),
            });
            for (piece, range) in ranges.iter().enumerate() {
                let part = part(number, piece);
                let bytes = bytes_of(&mut from, range.end)?;
                let stored = self.pieces.remove(&part).filter(|stored| stored == bytes);
                if stored.is_none() {
                    changed.push(part);
                }
                pieces.insert(part, stored.unwrap_or_else(|| bytes.to_vec()));
            }
        }
        skeleton.extend_from_slice(bytes_of(&mut from, value.len())?);
        let head = Head { skeleton, holes };
        let encoded = (head != self.head).then(|| codec::encode(&head)).transpose()?;
        let removed = std::mem::replace(&mut self.pieces, pieces);
        self.head = head;
        self.length = value.len();
        Ok(Change {
            head: encoded,
            changed,
            removed: removed.into_keys().collect(),
        })
    }

    /// The value as OpenMLS wrote it, from all rows of a group.
    pub(super) fn read(
        group: Index,
        mut rows: BTreeMap<u64, Vec<u8>>,
    ) -> Result<(SecretBytes, Self), StorageError> {
        let head = rows.remove(&HEAD).ok_or(StorageError::Corrupt)?;
        let head: Head = codec::decode(&head)?;
        let length = head.skeleton.len() + rows.values().map(Vec::len).sum::<usize>();
        let mut whole = Buffer::with_capacity(length);
        let mut from = 0;
        let mut filled = 0;
        for (number, hole) in head.holes.iter().enumerate() {
            whole.push(head.skeleton.get(from..hole.at).ok_or(StorageError::Corrupt)?);
            from = hole.at;
            for piece in 0..hole.pieces {
                let bytes = rows.get(&part(number, piece)).ok_or(StorageError::Corrupt)?;
                whole.push(bytes);
                filled += 1;
            }
        }
        whole.push(head.skeleton.get(from..).ok_or(StorageError::Corrupt)?);
        if filled != rows.len() {
            return Err(StorageError::Corrupt);
        }
        let stored = Self {
            group,
            head,
            pieces: rows,
            length,
        };
        Ok((whole.into_bytes(), stored))
    }
}

/// The long lists of an encoded tree, if it is so large that it is worth a row for each of their pieces.
pub(super) fn lists(value: &[u8]) -> Vec<LongList> {
    if value.len() < SMALL {
        return Vec::new();
    }
    cut::long_lists(value).unwrap_or_default()
}

/// A tree of fewer bytes has one row: it is two pages.
const SMALL: usize = 8192;
