//! Takes OpenMLS's `MessageSecretsStore` apart while it is serialised.
//!
//! It knows the names and fields of five structs of OpenMLS ([`Shape`]). What is in them is encoded as everything else is,
//! so that the parts put together are what the codec would have made of the whole. Any other shape is
//! [`Unsplit::UnknownShape`], and the value is stored whole.

use std::{
    collections::{BTreeSet, btree_map},
    iter::Peekable,
};

use serde::Serialize;

use super::{
    members::Members,
    serializer::{At, Level},
    shape::STORE,
};
use crate::{
    secret::SecretBytes,
    storage::{
        codec::{self, Buffer},
        secret_parts::{
            CHUNK, Change, Epoch, HEAD, Head, Hole, List, NIL, SHARED, Skeleton, StoredSecrets, Touched,
            first_part, slot_parts,
        },
    },
};

/// Why a value was not split.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unsplit {
    #[error("not the store that this library knows")]
    UnknownShape,
    #[error("the past epochs are on disk only")]
    LacksPastEpochs,
    #[error("a value could not be encoded")]
    Encode(#[from] rmp_serde::encode::Error),
}

impl serde::ser::Error for Unsplit {
    fn custom<T: std::fmt::Display>(_reason: T) -> Self {
        Self::UnknownShape
    }
}

/// Tells what must be written so that the rows hold `value`, if they hold `stored` now. With `touched` the secrets of all
/// other epochs are as they are stored. If the past ones of `stored` were not read, nothing else is possible.
pub(super) fn split<T: Serialize>(
    value: &T,
    stored: Option<&StoredSecrets>,
    touched: Option<Touched>,
) -> Result<Change, Unsplit> {
    let unread = stored.filter(|stored| stored.unread.is_some());
    if unread.is_some() && touched != Some(Touched::Current) {
        return Err(Unsplit::LacksPastEpochs);
    }
    let mut splitter = Splitter {
        stored,
        unread,
        touched,
        skeleton: Buffer::with_capacity(2048),
        chunk: Buffer::with_capacity(2048),
        epochs: Vec::new(),
        holes: Vec::new(),
        changed: Vec::new(),
        removed: Vec::new(),
        past: (0, 0),
        past_epochs: 0,
        epoch: None,
        from: 0,
        slot: 0,
        is_stored: false,
        is_unchanged: false,
        expected: None,
        part: HEAD,
        empty: 0,
        filled: false,
        members: None,
        older_members: None,
        shared: SHARED.start,
    };
    value.serialize(At {
        splitter: &mut splitter,
        level: Level::Struct(&STORE),
    })?;
    Ok(splitter.finish())
}

pub(super) struct Splitter<'s> {
    pub(super) stored: Option<&'s StoredSecrets>,
    /// The same, if it has the current epoch's parts only.
    unread: Option<&'s StoredSecrets>,
    touched: Option<Touched>,
    skeleton: Buffer,
    /// The chunk in hand, without the empty entries at its end.
    chunk: Buffer,
    epochs: Vec<Epoch>,
    pub(super) holes: Vec<Hole>,
    pub(super) changed: Vec<(u64, SecretBytes)>,
    removed: Vec<u64>,
    /// Where in the skeleton the past epochs stand, and how many are still to come, with the one in hand.
    past: (usize, usize),
    pub(super) past_epochs: usize,
    /// Of the past epoch in hand; absent for the current one.
    epoch: Option<u64>,
    /// Where its secrets begin in the skeleton.
    from: usize,
    pub(super) slot: u32,
    pub(super) is_stored: bool,
    /// Whether its secrets are as they are stored.
    is_unchanged: bool,
    /// Its stored parts that were not met yet, in the order of the lists.
    expected: Option<Peekable<btree_map::Range<'s, u64, Option<SecretBytes>>>>,
    /// The part of the chunk in hand, its empty entries that are not written yet, and whether it has others.
    part: u64,
    empty: usize,
    filled: bool,
    /// The list of members in hand, and the one before it, with which it shares chunks.
    pub(super) members: Option<Members>,
    pub(super) older_members: Option<Members>,
    /// The first shared part that may be free.
    pub(super) shared: u64,
}

impl<'s> Splitter<'s> {
    pub(super) fn at(&self) -> usize {
        self.skeleton.bytes().len()
    }

    pub(super) fn array(&mut self, length: usize) {
        let header = array_header(length);
        self.skeleton.push(&header);
    }

    pub(super) fn plain<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unsplit> {
        self.skeleton.append(value).map_err(Into::into)
    }

    /// The number of a past epoch.
    pub(super) fn number<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unsplit> {
        let from = self.at();
        self.skeleton.append(value)?;
        let number = self.skeleton.bytes().get(from..).unwrap_or_default();
        self.epoch = Some(codec::decode(number).map_err(|_| Unsplit::UnknownShape)?);
        Ok(())
    }

    pub(super) fn begin_past_epochs(&mut self, length: usize) -> Result<(), Unsplit> {
        self.past.0 = self.at();
        self.past_epochs = length;
        match self.unread {
            Some(stored) if length == 0 => self.keep_past_epochs(stored),
            Some(_) => Err(Unsplit::LacksPastEpochs),
            None => {
                self.array(length);
                Ok(())
            }
        }
    }

    /// They stay as they are: in the skeleton, which may be longer before them, and in their rows.
    fn keep_past_epochs(&mut self, stored: &StoredSecrets) -> Result<(), Unsplit> {
        let (from, to) = stored.head.past.ok_or(Unsplit::LacksPastEpochs)?;
        let skeleton = stored.head.skeleton.0.get(from..to);
        let begin = self.at();
        self.skeleton.push(skeleton.ok_or(Unsplit::LacksPastEpochs)?);
        let moved = |at: usize| (at + begin).saturating_sub(from);
        for epoch in stored.head.epochs.iter().filter(|epoch| epoch.to <= to) {
            self.epochs.push(Epoch {
                from: moved(epoch.from),
                to: moved(epoch.to),
                ..*epoch
            });
        }
        for hole in stored.head.holes.iter().filter(|hole| hole.at <= to) {
            self.holes.push(Hole {
                at: moved(hole.at),
                ..hole.clone()
            });
        }
        Ok(())
    }

    pub(super) fn end_past_epochs(&mut self) {
        self.past.1 = self.at();
    }

    pub(super) fn leave_past_epoch(&mut self) {
        self.leave_epoch();
        self.epoch = None;
        self.past_epochs = self.past_epochs.saturating_sub(1);
    }

    pub(super) fn begin_secrets(&mut self) {
        self.from = self.at();
    }

    /// Keys and context of an epoch stand in the skeleton: tells whether it is stored, and where.
    pub(super) fn enter_epoch(&mut self) -> Result<(), Unsplit> {
        let to = self.at();
        let identity = self.skeleton.bytes().get(self.from..to).unwrap_or_default();
        let stored = self
            .stored
            .and_then(|stored| Some((stored, stored.slot_of(identity)?)));
        let here = self.epoch.map_or(Touched::Current, Touched::Past);
        self.is_stored = stored.is_some();
        if !self.is_stored && self.unread.is_some() {
            // Another epoch than the one that was read.
            return Err(Unsplit::LacksPastEpochs);
        }
        self.is_unchanged = self.is_stored && self.touched.is_some_and(|touched| touched != here);
        self.slot = match stored {
            Some((_, slot)) => slot,
            None => self.free_slot(),
        };
        if self.epochs.iter().any(|epoch| epoch.slot == self.slot) {
            return Err(Unsplit::UnknownShape);
        }
        self.expected = stored
            .filter(|_| !self.is_unchanged)
            .map(|(stored, slot)| stored.parts.range(slot_parts(slot)).peekable());
        self.epochs.push(Epoch {
            slot: self.slot,
            from: self.from,
            to,
            rows: None,
        });
        Ok(())
    }

    pub(super) fn is_unchanged(&self) -> bool {
        self.is_unchanged
    }

    /// The first slot that no epoch has or had until now.
    fn free_slot(&self) -> u32 {
        let stored = self.stored.map_or(&[][..], |stored| &stored.head.epochs);
        let taken = |slot: &u32| stored.iter().chain(&self.epochs).any(|epoch| epoch.slot == *slot);
        (0..u32::MAX).find(|slot| !taken(slot)).unwrap_or(u32::MAX)
    }

    fn leave_epoch(&mut self) {
        let rest = self.expected.take().into_iter().flatten();
        self.removed.extend(rest.map(|(part, _)| *part));
    }

    /// What is stored as `part`; stored parts before it are there no more.
    pub(super) fn stored_part(&mut self, part: u64) -> Option<&'s Option<SecretBytes>> {
        let expected = self.expected.as_mut()?;
        while let Some((gone, _)) = expected.next_if(|(stored, _)| **stored < part) {
            self.removed.push(*gone);
        }
        expected
            .next_if(|(stored, _)| **stored == part)
            .map(|(_, bytes)| bytes)
    }

    pub(super) fn begin_entries(&mut self, list: List, entries: usize) {
        self.array(entries);
        self.part = first_part(self.slot, list);
        self.holes.push(Hole {
            at: self.at(),
            first_part: self.part,
            entries: Some(entries),
            shared: None,
        });
    }

    #[inline(always)]
    pub(super) fn empty_entry(&mut self) {
        self.empty += 1;
    }

    pub(super) fn entry<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unsplit> {
        self.write_empty();
        self.filled = true;
        self.chunk.append(value).map_err(Into::into)
    }

    /// After so many entries of a list.
    #[inline(always)]
    pub(super) fn end_entry(&mut self, done: usize) {
        if done.is_multiple_of(CHUNK) {
            self.end_chunk();
        }
    }

    pub(super) fn end_chunk(&mut self) {
        if self.filled {
            self.write_empty();
            let stored = self.stored_part(self.part);
            if stored.and_then(Option::as_ref).map(|bytes| bytes.as_slice()) != Some(self.chunk.bytes()) {
                self.changed
                    .push((self.part, SecretBytes::new(self.chunk.bytes().to_vec())));
            }
            self.chunk.clear();
        }
        self.filled = false;
        self.empty = 0;
        self.part += 1;
    }

    fn write_empty(&mut self) {
        for _ in 0..std::mem::take(&mut self.empty) {
            self.chunk.push(&[NIL]);
        }
    }

    fn finish(mut self) -> Change {
        self.leave_epoch();
        if let Some(stored) = self.stored {
            self.remove_epochs(stored);
        }
        Change {
            head: Head {
                skeleton: Skeleton(std::mem::take(&mut *self.skeleton.into_bytes())),
                epochs: self.epochs,
                holes: self.holes,
                rows: 0,
                past: Some(self.past),
            },
            changed: self.changed,
            removed: self.removed,
        }
    }

    /// The parts of the epochs that are gone, and of their members what no other epoch has.
    fn remove_epochs(&mut self, stored: &StoredSecrets) {
        let is_gone = |slot| !self.epochs.iter().any(|epoch| epoch.slot == slot);
        let stored_epochs = stored.head.epochs.iter();
        let gone: Vec<u32> = stored_epochs
            .map(|epoch| epoch.slot)
            .filter(|slot| is_gone(*slot))
            .collect();
        if gone.is_empty() {
            return;
        }
        for slot in gone {
            let parts = stored.parts.range(slot_parts(slot));
            self.removed.extend(parts.map(|(part, _)| *part));
        }
        let used: BTreeSet<u64> = shared_parts(&self.holes).collect();
        let before: BTreeSet<u64> = shared_parts(&stored.head.holes).collect();
        self.removed.extend(before.difference(&used));
    }
}

fn shared_parts(holes: &[Hole]) -> impl Iterator<Item = u64> {
    holes
        .iter()
        .filter_map(|hole| hole.shared.as_ref())
        .flatten()
        .copied()
}

/// As MessagePack begins an array, and the codec a struct.
fn array_header(length: usize) -> Vec<u8> {
    match length {
        0..16 => vec![0x90 | length as u8],
        16..65536 => [&[0xdc][..], &(length as u16).to_be_bytes()].concat(),
        _ => [&[0xdd][..], &(length as u32).to_be_bytes()].concat(),
    }
}
