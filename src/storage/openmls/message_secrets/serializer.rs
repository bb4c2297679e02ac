//! The serializer that leads [`Splitter`] through OpenMLS's `MessageSecretsStore`, and refuses all that it does not know.

use serde::{
    Serialize, Serializer,
    ser::{Impossible, SerializeSeq, SerializeStruct},
};

use super::{
    shape::{Field, PAST_EPOCH, SECRETS, Shape, TREE},
    split::{Splitter, Unsplit},
};
use crate::storage::secret_parts::List;

/// Where in the store a value is expected.
pub(super) enum Level {
    Struct(&'static Shape),
    PastEpochs,
    Entries(List),
    Entry,
    Members,
}

/// The serializer of one value in its place.
pub(super) struct At<'a, 's> {
    pub(super) splitter: &'a mut Splitter<'s>,
    pub(super) level: Level,
}

/// Fields of a struct or elements of a list, one after the other.
pub(super) struct Inside<'a, 's> {
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
            Field::Plain => return splitter.plain(value),
            Field::Number => return splitter.number(value),
            Field::Members if splitter.begin_members() => Level::Members,
            Field::Members => return Ok(()),
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

    #[inline(always)]
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unsplit> {
        self.done += 1;
        let splitter = &mut *self.splitter;
        match self.level {
            Level::Members => splitter.member(value),
            Level::PastEpochs => {
                value.serialize(At {
                    splitter: &mut *splitter,
                    level: Level::Struct(&PAST_EPOCH),
                })?;
                splitter.leave_past_epoch();
                Ok(())
            }
            _ => {
                value.serialize(At {
                    splitter: &mut *splitter,
                    level: Level::Entry,
                })?;
                splitter.end_entry(self.done);
                Ok(())
            }
        }
    }

    fn end(self) -> Result<(), Unsplit> {
        if self.done != self.length {
            return Err(Unsplit::UnknownShape);
        }
        match self.level {
            Level::PastEpochs => self.splitter.end_past_epochs(),
            Level::Members => self.splitter.end_members(self.length),
            _ => self.splitter.end_chunk(),
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
            self.splitter.begin_secrets();
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
            Level::PastEpochs => self.splitter.begin_past_epochs(length)?,
            Level::Entries(list) => self.splitter.begin_entries(list, length),
            Level::Members => {}
            _ => return Err(Unsplit::UnknownShape),
        }
        Ok(Inside {
            splitter: self.splitter,
            level: self.level,
            done: 0,
            length,
        })
    }

    /// Lists of secrets that are as they are stored are not gone through: in a large group that took longer than
    /// encrypting.
    fn collect_seq<I: IntoIterator<Item: Serialize>>(self, entries: I) -> Result<(), Unsplit> {
        let mut entries = entries.into_iter();
        let (length, most) = entries.size_hint();
        let length = most.filter(|most| *most == length);
        let is_passed_over = matches!(self.level, Level::Entries(_)) && self.splitter.is_unchanged();
        let mut inside = self.serialize_seq(length)?;
        if is_passed_over {
            inside.done = inside.length;
        } else {
            entries.try_for_each(|entry| inside.serialize_element(&entry))?;
        }
        SerializeSeq::end(inside)
    }

    #[inline(always)]
    fn serialize_none(self) -> Result<(), Unsplit> {
        match self.level {
            Level::Entry => {
                self.splitter.empty_entry();
                Ok(())
            }
            _ => Err(Unsplit::UnknownShape),
        }
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unsplit> {
        match self.level {
            Level::Entry => self.splitter.entry(value),
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
