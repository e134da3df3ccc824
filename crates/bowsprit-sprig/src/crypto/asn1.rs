//! Reading keys as Go's `encoding/asn1` does, with its error texts.
//!
//! Certificates are read by another of Go's parsers, whose twin is [`super::der::Reader`].

use num_bigint::BigUint;

/// What a field of a Go struct takes.
#[derive(Clone, Copy)]
pub(super) struct Field {
    tag: u8,
    compound: bool,
    /// The name that Go gives the field's type.
    name: &'static str,
    optional: bool,
    explicit: Option<u8>,
}

impl Field {
    const fn new(tag: u8, name: &'static str) -> Field {
        Field { tag, compound: false, name, optional: false, explicit: None }
    }

    pub(super) const INT: Field = Field::new(2, "int");
    pub(super) const BIG_INT: Field = Field::new(2, "");
    pub(super) const BIT_STRING: Field = Field::new(3, "BitString");
    pub(super) const OCTETS: Field = Field::new(4, "");
    pub(super) const OID: Field = Field::new(6, "ObjectIdentifier");

    pub(super) const fn sequence(name: &'static str) -> Field {
        Field { compound: true, ..Field::new(16, name) }
    }

    pub(super) const fn optional(self) -> Field {
        Field { optional: true, ..self }
    }

    pub(super) const fn explicit(self, tag: u8) -> Field {
        Field { explicit: Some(tag), ..self }
    }
}

/// The fields of a sequence, read one after the other.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    bytes: &'a [u8],
    offset: usize,
}

struct Header {
    class: u8,
    tag: u64,
    len: usize,
    compound: bool,
}

pub(super) type Result<T> = std::result::Result<T, String>;

pub(super) fn syntax<T>(text: &str) -> Result<T> {
    Err(format!("asn1: syntax error: {text}"))
}

fn structure<T>(text: &str) -> Result<T> {
    Err(format!("asn1: structure error: {text}"))
}

impl<'a> Fields<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Fields<'a> {
        Fields { bytes, offset: 0 }
    }

    /// What was not read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.offset..).unwrap_or_default()
    }

    /// The content of the next field; `None` where an optional one is absent.
    pub(super) fn next(&mut self, field: Field) -> Result<Option<&'a [u8]>> {
        if self.offset >= self.bytes.len() {
            return if field.optional { Ok(None) } else { syntax("sequence truncated") };
        }
        let start = self.offset;
        let mut header = self.header()?;
        if let Some(tag) = field.explicit {
            if self.offset >= self.bytes.len() {
                return structure("explicit tag has no child");
            }
            if header.class != 2
                || header.tag != u64::from(tag)
                || header.len > 0 && !header.compound
            {
                return self.absent(start, field, "explicitly tagged member didn't match");
            }
            if header.len == 0 {
                return structure("zero length explicit tag was not an asn1.Flag");
            }
            header = self.header()?;
        }
        if header.class != 0
            || header.tag != u64::from(field.tag)
            || header.compound != field.compound
        {
            let text = self.mismatch(&header, field);
            return self.absent(start, field, &text);
        }
        let content = self.bytes.get(self.offset..).and_then(|rest| rest.get(..header.len));
        let Some(content) = content else { return syntax("data truncated") };
        self.offset += header.len;
        Ok(Some(content))
    }

    /// The whole of the next element, whatever it is; empty at the end.
    pub(super) fn any(&mut self) -> Result<&'a [u8]> {
        if self.rest().is_empty() {
            return Ok(&[]);
        }
        let start = self.offset;
        let header = self.header()?;
        let end = self.offset + header.len;
        let Some(whole) = self.bytes.get(start..end) else { return syntax("data truncated") };
        self.offset = end;
        Ok(whole)
    }

    fn absent(&mut self, start: usize, field: Field, text: &str) -> Result<Option<&'a [u8]>> {
        if !field.optional {
            return structure(text);
        }
        self.offset = start;
        Ok(None)
    }

    #[cold]
    fn mismatch(&self, header: &Header, field: Field) -> String {
        format!(
            "tags don't match ({} vs {{class:{} tag:{} length:{} isCompound:{}}}) {{optional:false \
             explicit:false application:false private:false defaultValue:<nil> tag:<nil> \
             stringType:0 timeType:0 set:false omitEmpty:false}} {} @{}",
            field.tag,
            header.class,
            header.tag,
            header.len,
            header.compound,
            field.name,
            self.offset
        )
    }

    fn byte(&mut self) -> Result<u8> {
        match self.bytes.get(self.offset) {
            Some(&b) => {
                self.offset += 1;
                Ok(b)
            }
            None => syntax("truncated tag or length"),
        }
    }

    fn header(&mut self) -> Result<Header> {
        let first = self.byte()?;
        let mut tag = u64::from(first & 0x1f);
        if tag == 0x1f {
            tag = self.base128()?;
            if tag < 0x1f {
                return syntax("non-minimal tag");
            }
        }
        let header = |len| Header { class: first >> 6, tag, len, compound: first & 0x20 != 0 };
        let short = self.byte()?;
        if short & 0x80 == 0 {
            return Ok(header(usize::from(short)));
        }
        if short == 0x80 {
            return syntax("indefinite length found (not DER)");
        }
        let mut len = 0_usize;
        for _ in 0..short & 0x7f {
            let b = self.byte()?;
            if len >= 1 << 23 {
                return structure("length too large");
            }
            len = len << 8 | usize::from(b);
            if len == 0 {
                return structure("superfluous leading zeros in length");
            }
        }
        if len < 0x80 { structure("non-minimal length") } else { Ok(header(len)) }
    }

    fn base128(&mut self) -> Result<u64> {
        let mut value = 0_u64;
        for shifted in 0.. {
            let Some(&b) = self.bytes.get(self.offset) else { break };
            if shifted == 5 {
                return structure("base 128 integer too large");
            }
            if shifted == 0 && b == 0x80 {
                return syntax("integer is not minimally encoded");
            }
            value = value << 7 | u64::from(b & 0x7f);
            self.offset += 1;
            if b & 0x80 == 0 {
                return if value > i32::MAX as u64 {
                    structure("base 128 integer too large")
                } else {
                    Ok(value)
                };
            }
        }
        syntax("truncated base 128 integer")
    }

    pub(super) fn sequence(&mut self, name: &'static str) -> Result<Fields<'a>> {
        Ok(Fields::new(self.next(Field::sequence(name))?.unwrap_or_default()))
    }

    /// A list of sequences that may be absent; each is checked for its bounds before the first is read.
    pub(super) fn optional_list(&mut self) -> Result<Fields<'a>> {
        let list = self.next(Field::sequence("").optional())?.unwrap_or_default();
        let mut ahead = Fields::new(list);
        while !ahead.rest().is_empty() {
            let header = ahead.header()?;
            if header.class != 0 || header.tag != 16 || !header.compound {
                return structure("sequence tag mismatch");
            }
            if ahead.rest().len() < header.len {
                return syntax("truncated sequence");
            }
            ahead.offset += header.len;
        }
        Ok(Fields::new(list))
    }

    pub(super) fn int(&mut self) -> Result<i64> {
        let bytes = checked(self.next(Field::INT)?.unwrap_or_default())?;
        if bytes.len() > 8 {
            return structure("integer too large");
        }
        let sign = if bytes.first().is_some_and(|b| b & 0x80 != 0) { -1 } else { 0 };
        Ok(bytes.iter().fold(sign, |n, b| n << 8 | i64::from(*b)))
    }

    /// A number; negative ones, of which keys have none, count as zero.
    pub(super) fn big_int(&mut self) -> Result<BigUint> {
        Ok(self.optional_big_int(Field::BIG_INT)?.unwrap_or_default())
    }

    pub(super) fn maybe_big_int(&mut self) -> Result<Option<BigUint>> {
        self.optional_big_int(Field::BIG_INT.optional())
    }

    fn optional_big_int(&mut self, field: Field) -> Result<Option<BigUint>> {
        let Some(bytes) = self.next(field)? else { return Ok(None) };
        Ok(Some(match checked(bytes)? {
            [0x80..=0xff, ..] => BigUint::default(),
            bytes => BigUint::from_bytes_be(bytes),
        }))
    }

    pub(super) fn octets(&mut self) -> Result<&'a [u8]> {
        Ok(self.next(Field::OCTETS)?.unwrap_or_default())
    }

    /// An object identifier's content, checked.
    pub(super) fn oid(&mut self, field: Field) -> Result<Option<&'a [u8]>> {
        let Some(body) = self.next(field)? else { return Ok(None) };
        if body.is_empty() {
            return syntax("zero length OBJECT IDENTIFIER");
        }
        let mut parts = Fields::new(body);
        while !parts.rest().is_empty() {
            parts.base128()?;
        }
        Ok(Some(body))
    }

    pub(super) fn check_bit_string(&mut self, field: Field) -> Result<()> {
        let Some(bytes) = self.next(field)? else { return Ok(()) };
        let Some((&padding, rest)) = bytes.split_first() else {
            return syntax("zero length BIT STRING");
        };
        let last = bytes.last().copied().unwrap_or(0);
        if padding > 7 || rest.is_empty() && padding > 0 || last & ((1 << padding) - 1) != 0 {
            return syntax("invalid padding bits in BIT STRING");
        }
        Ok(())
    }
}

fn checked(bytes: &[u8]) -> Result<&[u8]> {
    match bytes {
        [] => structure("empty integer"),
        [0, 0..0x80, ..] | [0xff, 0x80..=0xff, ..] => structure("integer not minimally-encoded"),
        _ => Ok(bytes),
    }
}
