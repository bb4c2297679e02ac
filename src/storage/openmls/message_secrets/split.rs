//! Takes OpenMLS's `MessageSecretsStore` apart while it is serialised.
//!
//! It knows the names and fields of five structs of OpenMLS ([`Shape`]). What is in them is encoded as everything else is,
//! so that the parts put together are what the codec would have made of the whole. Any other shape is
//! [`Unsplit::UnknownShape`], and the value is stored whole.

use std::{collections::btree_map, iter::Peekable};

use serde::{
    Serialize, Serializer,
    ser::{Impossible, SerializeSeq, SerializeStruct},
};

use super::shape::{Field, PAST_EPOCH, SECRETS, STORE, Shape, TREE};
use crate::{
    secret::SecretBytes,
    storage::{
        codec::{self, Buffer},
        secret_parts::{
            CHUNK, Change, Epoch, HEAD, Head, Hole, List, Skeleton, StoredSecrets, Touched, first_part,
            slot_parts,
        },
    },
};

/// Why a value was not split.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unsplit {
    #[error("not the store that this library knows")]
    UnknownShape,
    #[error("a value could not be encoded")]
    Encode(#[from] rmp_serde::encode::Error),
}

impl serde::ser::Error for Unsplit {
    fn custom<T: std::fmt::Display>(_reason: T) -> Self {
        Self::UnknownShape
    }
}

/// Tells what must be written so that the rows hold `value`, if they hold `stored` now. With `touched` the secrets of all
/// other epochs are as they are stored.
pub(super) fn split<T: Serialize>(
    value: &T,
    stored: Option<&StoredSecrets>,
    touched: Option<Touched>,
) -> Result<Change, Unsplit> {
    let mut splitter = Splitter {
        stored,
        touched,
        skeleton: Buffer::with_capacity(2048),
        chunk: Buffer::with_capacity(2048),
        epochs: Vec::new(),
        holes: Vec::new(),
        changed: Vec::new(),
        removed: Vec::new(),
        epoch: None,
        from: 0,
        slot: 0,
        is_unchanged: false,
        expected: None,
        part: HEAD,
        empty: 0,
        filled: false,
    };
    value.serialize(At {
        splitter: &mut splitter,
        level: Level::Struct(&STORE),
    })?;
    Ok(splitter.finish())
}

struct Splitter<'s> {
    stored: Option<&'s StoredSecrets>,
    touched: Option<Touched>,
    skeleton: Buffer,
    /// The chunk in hand, without the empty entries at its end.
    chunk: Buffer,
    epochs: Vec<Epoch>,
    holes: Vec<Hole>,
    changed: Vec<(u64, SecretBytes)>,
    removed: Vec<u64>,
    /// Of the past epoch in hand; absent for the current one.
    epoch: Option<u64>,
    /// Where its secrets begin in the skeleton.
    from: usize,
    slot: u32,
    /// Whether its secrets are as they are stored.
    is_unchanged: bool,
    /// Its stored parts that were not met yet, in the order of the lists.
    expected: Option<Peekable<btree_map::Range<'s, u64, Option<SecretBytes>>>>,
    /// The part of the chunk in hand, its empty entries that are not written yet, and whether it has others.
    part: u64,
    empty: usize,
    filled: bool,
}

impl<'s> Splitter<'s> {
    fn array(&mut self, length: usize) {
        let header = array_header(length);
        self.skeleton.push(&header);
    }

    /// Keys and context of an epoch stand in the skeleton: tells whether it is stored, and where.
    fn enter_epoch(&mut self) -> Result<(), Unsplit> {
        let to = self.skeleton.bytes().len();
        let identity = self.skeleton.bytes().get(self.from..to).unwrap_or_default();
        let stored = self
            .stored
            .and_then(|stored| Some((stored, stored.slot_of(identity)?)));
        let here = self.epoch.map_or(Touched::Current, Touched::Past);
        self.is_unchanged = stored.is_some() && self.touched.is_some_and(|touched| touched != here);
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
        });
        Ok(())
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
    fn stored_part(&mut self, part: u64) -> Option<&'s Option<SecretBytes>> {
        let expected = self.expected.as_mut()?;
        while let Some((gone, _)) = expected.next_if(|(stored, _)| **stored < part) {
            self.removed.push(*gone);
        }
        expected
            .next_if(|(stored, _)| **stored == part)
            .map(|(_, bytes)| bytes)
    }

    fn begin_entries(&mut self, list: List, entries: usize) {
        self.array(entries);
        self.part = first_part(self.slot, list);
        self.holes.push(Hole {
            at: self.skeleton.bytes().len(),
            first_part: self.part,
            entries: Some(entries),
        });
    }

    fn end_chunk(&mut self) {
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
            self.chunk.push(&[0xc0]);
        }
    }

    /// The members of a past epoch, which are encoded only if they are not stored.
    fn members<T: Serialize + ?Sized>(&mut self, members: &T) -> Result<(), Unsplit> {
        let part = first_part(self.slot, List::Members);
        self.holes.push(Hole {
            at: self.skeleton.bytes().len(),
            first_part: part,
            entries: None,
        });
        let is_stored = if self.is_unchanged {
            self.stored.is_some_and(|stored| stored.parts.contains_key(&part))
        } else {
            self.stored_part(part).is_some()
        };
        if !is_stored {
            let mut bytes = Buffer::with_capacity(2048);
            bytes.append(members)?;
            self.changed.push((part, bytes.into_bytes()));
        }
        Ok(())
    }

    fn finish(mut self) -> Change {
        self.leave_epoch();
        if let Some(stored) = self.stored {
            let is_gone = |slot| !self.epochs.iter().any(|epoch| epoch.slot == slot);
            for Epoch { slot, .. } in &stored.head.epochs {
                if is_gone(*slot) {
                    let parts = stored.parts.range(slot_parts(*slot));
                    self.removed.extend(parts.map(|(part, _)| *part));
                }
            }
        }
        Change {
            head: Head {
                skeleton: Skeleton(std::mem::take(&mut *self.skeleton.into_bytes())),
                epochs: self.epochs,
                holes: self.holes,
                rows: 0,
            },
            changed: self.changed,
            removed: self.removed,
        }
    }
}

/// As MessagePack begins an array, and the codec a struct.
fn array_header(length: usize) -> Vec<u8> {
    match length {
        0..16 => vec![0x90 | length as u8],
        16..65536 => [&[0xdc][..], &(length as u16).to_be_bytes()].concat(),
        _ => [&[0xdd][..], &(length as u32).to_be_bytes()].concat(),
    }
}

/// Where in the store a value is expected.
enum Level {
    Struct(&'static Shape),
    PastEpochs,
    Entries(List),
    Entry,
}

/// The serializer of one value in its place.
struct At<'a, 's> {
    splitter: &'a mut Splitter<'s>,
    level: Level,
}

/// Fields of a struct or elements of a list, one after the other.
struct Inside<'a, 's> {
    splitter: &'a mut Splitter<'s>,
    level: Level,
    done: usize,
    length: usize,
}

impl SerializeStruct for Inside<'_, '_> {
    type Ok = ();
    type Error = Unsplit;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Unsplit> {
        let Level::Struct(shape) = self.level else {
            return Err(Unsplit::UnknownShape);
        };
        let field = match shape.fields.get(self.done) {
            Some((name, field)) if *name == key => *field,
            _ => return Err(Unsplit::UnknownShape),
        };
        self.done += 1;
        let splitter = &mut *self.splitter;
        let level = match field {
            Field::Plain => return splitter.skeleton.append(value).map_err(Into::into),
            Field::Number => {
                let from = splitter.skeleton.bytes().len();
                splitter.skeleton.append(value)?;
                let number = splitter.skeleton.bytes().get(from..).unwrap_or_default();
                splitter.epoch = Some(codec::decode(number).map_err(|_| Unsplit::UnknownShape)?);
                return Ok(());
            }
            Field::Members => return splitter.members(value),
            Field::Tree => {
                splitter.enter_epoch()?;
                Level::Struct(&TREE)
            }
            Field::Struct(shape) => Level::Struct(shape),
            Field::PastEpochs => Level::PastEpochs,
            Field::Entries(list) => Level::Entries(list),
        };
        value.serialize(At { splitter, level })
    }

    fn end(self) -> Result<(), Unsplit> {
        if self.done == self.length {
            Ok(())
        } else {
            Err(Unsplit::UnknownShape)
        }
    }
}

impl SerializeSeq for Inside<'_, '_> {
    type Ok = ();
    type Error = Unsplit;

    #[inline]
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unsplit> {
        self.done += 1;
        let splitter = &mut *self.splitter;
        if let Level::PastEpochs = self.level {
            let level = Level::Struct(&PAST_EPOCH);
            value.serialize(At {
                splitter: &mut *splitter,
                level,
            })?;
            splitter.leave_epoch();
            splitter.epoch = None;
            return Ok(());
        }
        if splitter.is_unchanged {
            return Ok(());
        }
        let level = Level::Entry;
        value.serialize(At {
            splitter: &mut *splitter,
            level,
        })?;
        if self.done.is_multiple_of(CHUNK) {
            splitter.end_chunk();
        }
        Ok(())
    }

    fn end(self) -> Result<(), Unsplit> {
        if self.done != self.length {
            return Err(Unsplit::UnknownShape);
        }
        if let Level::Entries(_) = self.level {
            self.splitter.end_chunk();
        }
        Ok(())
    }
}

/// What no known value is.
macro_rules! refuse {
    ($($method:ident($($argument:ty),*) -> $ok:ty;)*) => {
        $(fn $method(self, $(_: $argument),*) -> Result<$ok, Unsplit> {
            Err(Unsplit::UnknownShape)
        })*
    };
}

impl<'a, 's> Serializer for At<'a, 's> {
    type Ok = ();
    type Error = Unsplit;
    type SerializeSeq = Inside<'a, 's>;
    type SerializeStruct = Inside<'a, 's>;
    type SerializeTuple = Impossible<(), Unsplit>;
    type SerializeTupleStruct = Impossible<(), Unsplit>;
    type SerializeTupleVariant = Impossible<(), Unsplit>;
    type SerializeMap = Impossible<(), Unsplit>;
    type SerializeStructVariant = Impossible<(), Unsplit>;

    fn serialize_struct(self, name: &'static str, length: usize) -> Result<Self::SerializeStruct, Unsplit> {
        let Level::Struct(shape) = self.level else {
            return Err(Unsplit::UnknownShape);
        };
        if name != shape.name || length != shape.fields.len() {
            return Err(Unsplit::UnknownShape);
        }
        self.splitter.array(length);
        if name == SECRETS.name {
            self.splitter.from = self.splitter.skeleton.bytes().len();
        }
        Ok(Inside {
            splitter: self.splitter,
            level: self.level,
            done: 0,
            length,
        })
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self::SerializeSeq, Unsplit> {
        let length = length.ok_or(Unsplit::UnknownShape)?;
        match self.level {
            Level::PastEpochs => self.splitter.array(length),
            Level::Entries(list) => self.splitter.begin_entries(list, length),
            _ => return Err(Unsplit::UnknownShape),
        }
        Ok(Inside {
            splitter: self.splitter,
            level: self.level,
            done: 0,
            length,
        })
    }

    #[inline]
    fn serialize_none(self) -> Result<(), Unsplit> {
        match self.level {
            Level::Entry => {
                self.splitter.empty += 1;
                Ok(())
            }
            _ => Err(Unsplit::UnknownShape),
        }
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unsplit> {
        match self.level {
            Level::Entry => {
                self.splitter.write_empty();
                self.splitter.filled = true;
                self.splitter.chunk.append(value).map_err(Into::into)
            }
            _ => Err(Unsplit::UnknownShape),
        }
    }

    refuse! {
        serialize_bool(bool) -> ();
        serialize_i8(i8) -> ();
        serialize_i16(i16) -> ();
        serialize_i32(i32) -> ();
        serialize_i64(i64) -> ();
        serialize_u8(u8) -> ();
        serialize_u16(u16) -> ();
        serialize_u32(u32) -> ();
        serialize_u64(u64) -> ();
        serialize_f32(f32) -> ();
        serialize_f64(f64) -> ();
        serialize_char(char) -> ();
        serialize_str(&str) -> ();
        serialize_bytes(&[u8]) -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_unit_variant(&'static str, u32, &'static str) -> ();
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_map(Option<usize>) -> Self::SerializeMap;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _value: &T,
    ) -> Result<(), Unsplit> {
        Err(Unsplit::UnknownShape)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _value: &T,
    ) -> Result<(), Unsplit> {
        Err(Unsplit::UnknownShape)
    }
}
