//! A compact binary form, for caches that only the program which wrote them reads.
//!
//! It is no format for exchange: it has no version of its own and knows only what decoded files are made of.
//! Whoever keeps it must know that what is read is what was written; wrong bytes give `None` or other values,
//! but never a panic.

use crate::{IntKind, List, ListType, Map, MapType, Str, Value};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Deeper values are not written.
const DEPTH: usize = 200;

mod tag {
    pub(super) const NIL: u8 = 0;
    pub(super) const FALSE: u8 = 1;
    pub(super) const TRUE: u8 = 2;
    pub(super) const FLOAT: u8 = 3;
    pub(super) const STR: u8 = 4;
    pub(super) const LIST: u8 = 5;
    pub(super) const MAP: u8 = 6;
    pub(super) const NIL_LIST: u8 = 7;
    pub(super) const NIL_MAP: u8 = 8;
    pub(super) const COMPLEX: u8 = 9;
    /// And one for each kind.
    pub(super) const INT: u8 = 16;
}

/// Writes values one behind the other.
///
/// ```
/// use bowsprit_value::codec::{Decoder, Encoder};
/// use bowsprit_value::Value;
///
/// let mut encoder = Encoder::default();
/// encoder.value(&Value::from("a"));
/// encoder.number(300);
/// let bytes = encoder.finish().expect("strings can be written");
/// let mut decoder = Decoder::new(&bytes);
/// assert!(matches!(decoder.value(), Some(Value::Str(s)) if s == "a"));
/// assert_eq!(decoder.number(), Some(300));
/// assert_eq!(decoder.number(), None);
/// ```
#[derive(Debug, Default)]
pub struct Encoder {
    out: Vec<u8>,
    refused: bool,
}

impl Encoder {
    /// Says that something can't be written, so that there will be no outcome.
    pub fn refuse(&mut self) {
        self.refused = true;
    }

    /// A byte.
    pub fn byte(&mut self, byte: u8) {
        self.out.push(byte);
    }

    /// A truth value.
    pub fn flag(&mut self, flag: bool) {
        self.byte(flag.into());
    }

    /// A number, in the fewer bytes the smaller it is.
    pub fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.out.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.out.push(number as u8);
    }

    /// A length or place.
    pub fn size(&mut self, size: usize) {
        self.number(size as u64);
    }

    /// Bytes with their number before them.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.size(bytes.len());
        self.out.extend_from_slice(bytes);
    }

    /// Bytes whose number the reader knows.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// A value, as files are decoded to: objects, typed lists and typed maps are refused.
    pub fn value(&mut self, value: &Value) {
        self.nested(value, 0);
    }

    /// A map, as [`Encoder::value`].
    pub fn map(&mut self, map: &Map) {
        self.nested(&Value::Map(map.clone()), 0);
    }

    fn nested(&mut self, value: &Value, depth: usize) {
        if depth > DEPTH {
            return self.refuse();
        }
        match value {
            Value::Nil => self.byte(tag::NIL),
            Value::Bool(false) => self.byte(tag::FALSE),
            Value::Bool(true) => self.byte(tag::TRUE),
            Value::Int(kind, int) => {
                let place = IntKind::ALL.iter().position(|k| k == kind).unwrap_or_default();
                self.byte(tag::INT + place as u8);
                self.number((int << 1 ^ int >> 63) as u64);
            }
            Value::Float(float) => {
                self.byte(tag::FLOAT);
                self.raw(&float.to_bits().to_le_bytes());
            }
            Value::Str(text) => {
                self.byte(tag::STR);
                self.bytes(text.as_bytes());
            }
            Value::List(list) if list.ty().same(&ListType::ANY) => {
                if list.is_nil() {
                    return self.byte(tag::NIL_LIST);
                }
                self.byte(tag::LIST);
                self.size(list.len());
                list.iter().for_each(|item| self.nested(item, depth + 1));
            }
            Value::Map(map) if map.ty().same(&MapType::ANY) => {
                if map.is_nil() {
                    return self.byte(tag::NIL_MAP);
                }
                self.byte(tag::MAP);
                let entries = map.peek();
                self.size(entries.len());
                for (key, value) in entries.iter() {
                    self.bytes(key.as_bytes());
                    self.nested(value, depth + 1);
                }
            }
            Value::Complex(parts) => {
                self.byte(tag::COMPLEX);
                self.raw(&parts.0.to_bits().to_le_bytes());
                self.raw(&parts.1.to_bits().to_le_bytes());
            }
            Value::Bytes(_) | Value::List(_) | Value::Map(_) | Value::Object(_) => self.refuse(),
        }
    }

    /// Number of bytes so far.
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// True without bytes.
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// What was written, unless something could not be.
    pub fn finish(self) -> Option<Vec<u8>> {
        (!self.refused).then_some(self.out)
    }
}

/// Whether something that is read late turned out to be not what was written. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Damage(Arc<AtomicBool>);

impl Damage {
    /// Says that it did.
    pub fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody has said so.
    pub fn is_noted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Reads what an [`Encoder`] wrote, in the same order. `None` is for bytes that it can't have written.
#[derive(Clone, Debug)]
pub struct Decoder<'b> {
    rest: &'b [u8],
    len: usize,
}

impl<'b> Decoder<'b> {
    /// Reads from the first byte on.
    pub fn new(bytes: &'b [u8]) -> Decoder<'b> {
        Decoder { rest: bytes, len: bytes.len() }
    }

    /// How many bytes have been read.
    pub fn place(&self) -> usize {
        self.len - self.rest.len()
    }

    /// A byte.
    pub fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    /// A truth value.
    pub fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    /// A number.
    pub fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    /// A length or place.
    pub fn size(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    /// How many things follow that take at least a byte each, so that memory can be had for them.
    pub fn count(&mut self) -> Option<usize> {
        self.size().filter(|count| *count <= self.rest.len())
    }

    /// Bytes with their number before them.
    pub fn bytes(&mut self) -> Option<&'b [u8]> {
        let len = self.size()?;
        self.raw(len)
    }

    /// So many bytes.
    pub fn raw(&mut self, len: usize) -> Option<&'b [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(bytes)
    }

    /// A text that must be UTF-8.
    pub fn text(&mut self) -> Option<&'b str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    fn float(&mut self) -> Option<f64> {
        let bits = self.raw(8)?.first_chunk::<8>()?;
        Some(f64::from_bits(u64::from_le_bytes(*bits)))
    }

    /// A value.
    pub fn value(&mut self) -> Option<Value> {
        self.item(0)
    }

    /// As [`Decoder::nested`], with a short way for what most values are: short strings.
    #[inline]
    fn item(&mut self, depth: usize) -> Option<Value> {
        if let [tag::STR, len @ 0..0x80, rest @ ..] = self.rest {
            let (text, rest) = rest.split_at_checked(usize::from(*len))?;
            self.rest = rest;
            return Some(Value::Str(Str::from_bytes(text)));
        }
        self.nested(depth)
    }

    /// A map.
    pub fn map(&mut self) -> Option<Map> {
        match self.value()? {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    fn nested(&mut self, depth: usize) -> Option<Value> {
        if depth > DEPTH {
            return None;
        }
        Some(match self.byte()? {
            tag::NIL => Value::Nil,
            tag::FALSE => Value::Bool(false),
            tag::TRUE => Value::Bool(true),
            tag::FLOAT => Value::Float(self.float()?),
            tag::COMPLEX => Value::Complex((self.float()?, self.float()?).into()),
            tag::STR => Value::Str(Str::from(self.bytes()?)),
            tag::NIL_LIST => Value::List(List::nil(ListType::ANY)),
            tag::NIL_MAP => Value::Map(Map::nil(MapType::ANY)),
            tag::LIST => {
                let count = self.count()?;
                let mut items = Vec::with_capacity(count);
                for _ in 0..count {
                    items.push(self.item(depth + 1)?);
                }
                Value::List(List::new(items))
            }
            tag::MAP => {
                let count = self.count()?;
                let mut entries = Vec::with_capacity(count);
                for _ in 0..count {
                    entries.push((Str::from(self.bytes()?), self.item(depth + 1)?));
                }
                Value::Map(Map::from_sorted(entries))
            }
            tag => {
                let kind = *IntKind::ALL.get(usize::from(tag.checked_sub(tag::INT)?))?;
                let bits = self.number()?;
                Value::Int(kind, (bits >> 1) as i64 ^ -((bits & 1) as i64))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Value {
        let list = List::new(vec![
            Value::Nil,
            Value::Bool(true),
            Value::Bool(false),
            Value::Int(IntKind::Int64, i64::MIN),
            Value::Int(IntKind::Uint64, -1),
            Value::int(7),
            Value::Float(-0.0),
            Value::Float(f64::NAN),
            Value::Complex((1.5, -2.0).into()),
            Value::from("x".repeat(300).as_str()),
            Value::Str(Str::from(vec![0xff, 0])),
            Value::List(List::nil(ListType::ANY)),
            Value::List(List::new(Vec::new())),
            Value::Map(Map::nil(MapType::ANY)),
            Value::Map(Map::new()),
        ]);
        Value::Map(Map::from_entries([
            ("".into(), Value::Nil),
            ("a".into(), Value::List(list)),
            ("b".into(), Value::Map(Map::from_entries([("c".into(), Value::from("d"))]))),
        ]))
    }

    fn encoded(value: &Value) -> Option<Vec<u8>> {
        let mut encoder = Encoder::default();
        encoder.value(value);
        encoder.finish()
    }

    #[test]
    fn values_come_back_as_they_were() {
        let bytes = encoded(&all()).unwrap();
        let mut decoder = Decoder::new(&bytes);
        let back = decoder.value().unwrap();
        assert_eq!(format!("{back:?}"), format!("{:?}", all()));
        assert_eq!(decoder.place(), bytes.len());
    }

    #[test]
    fn wrong_bytes_give_nothing() {
        let bytes = encoded(&all()).unwrap();
        for end in 0..bytes.len() {
            assert!(Decoder::new(&bytes[..end]).value().is_none(), "{end}");
        }
        // Whatever a byte is changed to, the outcome is some value or none.
        for at in 0..bytes.len() {
            for byte in [0, 1, 5, 6, 15, 31, 0x80, 0xff] {
                let mut wrong = bytes.clone();
                wrong[at] = byte;
                let _ = Decoder::new(&wrong).value();
            }
        }
        assert!(Decoder::new(&[0xff; 10]).number().is_none());
    }

    #[test]
    fn what_no_file_is_decoded_to_is_refused() {
        assert!(encoded(&Value::Bytes([1].into())).is_none());
        assert!(encoded(&Value::List(List::strings([]))).is_none());
        let mut deep = Value::Nil;
        for _ in 0..DEPTH + 2 {
            deep = Value::List(List::new(vec![deep]));
        }
        assert!(encoded(&deep).is_none());
    }
}
