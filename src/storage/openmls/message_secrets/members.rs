//! A list of the members of an epoch in chunks, so that the next epoch's list can refer to what both have.

use serde::Serialize;

use super::split::{Splitter, Unsplit};
use crate::{
    secret::SecretBytes,
    storage::{
        codec::{self, Buffer},
        secret_parts::{CHUNK, Hole, List, first_part},
    },
};

/// A list of members as it is encoded. A chunk holds the members of [`CHUNK`] leaves, so that one who comes or goes
/// changes no chunk but its own. Part of the file format: a chunk that is in two lists is stored once.
pub(super) struct Members {
    encoded: Buffer,
    chunks: Vec<Chunk>,
}

struct Chunk {
    /// The number of its first leaf, by [`CHUNK`].
    leaves: u32,
    /// Where it begins.
    from: usize,
    /// Where it is stored, once that is known.
    part: u64,
}

impl Members {
    pub(super) fn new() -> Self {
        Self {
            encoded: Buffer::with_capacity(2048),
            chunks: Vec::new(),
        }
    }

    pub(super) fn push<T: Serialize + ?Sized>(&mut self, member: &T) -> Result<(), Unsplit> {
        let from = self.encoded.bytes().len();
        self.encoded.append(member)?;
        let encoded = self.encoded.bytes().get(from..).unwrap_or_default();
        let leaves = leaf_index(encoded).ok_or(Unsplit::UnknownShape)? / CHUNK as u32;
        if self.chunks.last().is_none_or(|chunk| chunk.leaves != leaves) {
            self.chunks.push(Chunk {
                leaves,
                from,
                part: 0,
            });
        }
        Ok(())
    }

    /// The same list, which is stored in these parts. If they are not as many as its chunks, nothing is known.
    pub(super) fn stored_in(mut self, parts: &[u64]) -> Self {
        if parts.len() == self.chunks.len() {
            let chunks = self.chunks.iter_mut().zip(parts);
            chunks.for_each(|(chunk, part)| chunk.part = *part);
        } else {
            self.chunks.clear();
        }
        self
    }

    /// Finds a part for each chunk: the one in which `older` has the same bytes, or a new one, which goes to `changed`.
    pub(super) fn store(
        mut self,
        older: Option<&Self>,
        mut new_part: impl FnMut() -> u64,
        changed: &mut Vec<(u64, SecretBytes)>,
    ) -> Self {
        for index in 0..self.chunks.len() {
            let bytes = self.bytes(index);
            let known = self
                .chunks
                .get(index)
                .and_then(|chunk| older?.part_of(chunk.leaves, bytes));
            let part = known.unwrap_or_else(|| {
                let part = new_part();
                changed.push((part, SecretBytes::new(bytes.to_vec())));
                part
            });
            if let Some(chunk) = self.chunks.get_mut(index) {
                chunk.part = part;
            }
        }
        self
    }

    pub(super) fn parts(&self) -> Vec<u64> {
        self.chunks.iter().map(|chunk| chunk.part).collect()
    }

    fn bytes(&self, index: usize) -> &[u8] {
        let begin = |index: usize| Some(self.chunks.get(index)?.from);
        let end = begin(index + 1).unwrap_or(self.encoded.bytes().len());
        let range = begin(index).map(|from| from..end);
        range
            .and_then(|range| self.encoded.bytes().get(range))
            .unwrap_or_default()
    }

    /// Where the chunk of these leaves is stored, if it has these bytes.
    fn part_of(&self, leaves: u32, bytes: &[u8]) -> Option<u64> {
        let index = self
            .chunks
            .binary_search_by_key(&leaves, |chunk| chunk.leaves)
            .ok()?;
        (self.bytes(index) == bytes).then_some(self.chunks.get(index)?.part)
    }
}

impl Splitter<'_> {
    /// The members of a past epoch: tells whether the list must be gone through. One that is stored never changes, but
    /// a newer one may have chunks of it.
    pub(super) fn begin_members(&mut self) -> bool {
        let stored = self.stored.filter(|_| self.is_stored);
        let Some(hole) = stored.and_then(|stored| stored.members_of(self.slot)) else {
            self.members = Some(Members::new());
            return true;
        };
        if let Some(members) = hole.entries {
            self.array(members);
        } else {
            self.stored_part(hole.first_part);
        }
        self.holes.push(Hole {
            at: self.at(),
            ..hole.clone()
        });
        let is_older = hole.shared.is_some() && self.past_epochs > 1 && self.is_newest_stored();
        self.members = is_older.then(Members::new);
        is_older
    }

    /// Whether the past epoch in hand is the newest one that is stored as such.
    fn is_newest_stored(&self) -> bool {
        let epochs = self.stored.map_or(&[][..], |stored| &stored.head.epochs);
        matches!(epochs, [.., newest, _] if newest.slot == self.slot)
    }

    pub(super) fn member<T: Serialize + ?Sized>(&mut self, member: &T) -> Result<(), Unsplit> {
        match &mut self.members {
            Some(members) => members.push(member),
            None => Err(Unsplit::UnknownShape),
        }
    }

    pub(super) fn end_members(&mut self, length: usize) {
        let Some(members) = self.members.take() else {
            return;
        };
        let stored = self.stored.filter(|_| self.is_stored);
        let parts = stored
            .and_then(|stored| stored.members_of(self.slot))
            .and_then(|hole| hole.shared.as_ref());
        let members = match parts {
            Some(parts) => members.stored_in(parts),
            None => self.store_members(members, length),
        };
        self.older_members = Some(members);
    }

    fn store_members(&mut self, members: Members, length: usize) -> Members {
        let (stored, shared) = (self.stored, &mut self.shared);
        let free_part = || {
            while stored.is_some_and(|stored| stored.parts.contains_key(shared)) {
                *shared += 1;
            }
            *shared += 1;
            *shared - 1
        };
        let members = members.store(self.older_members.as_ref(), free_part, &mut self.changed);
        self.array(length);
        self.holes.push(Hole {
            at: self.at(),
            first_part: first_part(self.slot, List::Members),
            entries: Some(length),
            shared: Some(members.parts()),
        });
        members
    }
}

/// A member begins with its leaf index.
fn leaf_index(member: &[u8]) -> Option<u32> {
    match member {
        [0x90..=0x9f, fields @ ..] => codec::decode(fields).ok(),
        _ => None,
    }
}
