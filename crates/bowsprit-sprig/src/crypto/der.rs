//! DER, the binary form of keys and certificates: writing, and reading as Go's `cryptobyte` does.

use num_bigint::BigUint;

pub(super) const BOOLEAN: u8 = 1;
pub(super) const INTEGER: u8 = 2;
pub(super) const BIT_STRING: u8 = 3;
pub(super) const OCTET_STRING: u8 = 4;
pub(super) const NULL: u8 = 5;
pub(super) const OID: u8 = 6;
pub(super) const UTF8_STRING: u8 = 12;
pub(super) const PRINTABLE_STRING: u8 = 19;
pub(super) const UTC_TIME: u8 = 23;
pub(super) const GENERALIZED_TIME: u8 = 24;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// A context-specific tag.
pub(super) const fn context(tag: u8) -> u8 {
    0x80 | tag
}

/// A context-specific tag around other elements.
pub(super) const fn explicit(tag: u8) -> u8 {
    0xa0 | tag
}

/// An element of a tag around parts that stand one after the other.
pub(super) fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let len: usize = parts.iter().map(|p| p.len()).sum();
    let mut out = Vec::with_capacity(len + 6);
    out.push(tag);
    if len < 0x80 {
        out.push(len as u8);
    } else {
        let bytes = (len as u64).to_be_bytes();
        let used = bytes.iter().skip_while(|&&b| b == 0).count();
        out.push(0x80 | used as u8);
        out.extend(bytes.iter().skip(8 - used));
    }
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out
}

pub(super) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(SEQUENCE, parts)
}

pub(super) fn integer(n: &BigUint) -> Vec<u8> {
    let bytes = n.to_bytes_be();
    let sign: &[u8] = if bytes.first().is_some_and(|b| b & 0x80 != 0) { &[0] } else { &[] };
    element(INTEGER, &[sign, &bytes])
}

pub(super) fn small_integer(n: u64) -> Vec<u8> {
    integer(&BigUint::from(n))
}

pub(super) fn octets(bytes: &[u8]) -> Vec<u8> {
    element(OCTET_STRING, &[bytes])
}

/// A bit string of whole bytes.
pub(super) fn bits(bytes: &[u8]) -> Vec<u8> {
    element(BIT_STRING, &[&[0], bytes])
}

pub(super) fn oid(body: &[u8]) -> Vec<u8> {
    element(OID, &[body])
}

/// Bytes that are read from the front.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn peek(&self, tag: u8) -> bool {
        self.0.first() == Some(&tag)
    }

    /// The next element: tag, content, and the whole.
    pub(super) fn any(&mut self) -> Option<(u8, Reader<'a>, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        // Tags of more than one byte are not supported.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (&first, rest) = rest.split_first()?;
        let (len, header) = if first & 0x80 == 0 {
            (usize::from(first), 2)
        } else {
            let count = usize::from(first & 0x7f);
            if count == 0 || count > 4 {
                return None;
            }
            let len = rest.get(..count)?.iter().fold(0_u64, |n, b| n << 8 | u64::from(*b));
            // The shortest form is a must.
            if len < 0x80 || len >> ((count - 1) * 8) == 0 {
                return None;
            }
            (usize::try_from(len).ok()?, 2 + count)
        };
        let (whole, after) = self.0.split_at_checked(header.checked_add(len)?)?;
        self.0 = after;
        Some((tag, Reader(whole.get(header..)?), whole))
    }

    /// The content of the next element, if it has this tag.
    pub(super) fn take(&mut self, tag: u8) -> Option<Reader<'a>> {
        self.whole(tag).map(|(content, _)| content)
    }

    /// Content and the whole of the next element, if it has this tag.
    pub(super) fn whole(&mut self, tag: u8) -> Option<(Reader<'a>, &'a [u8])> {
        let mut ahead = *self;
        let (found, content, whole) = ahead.any()?;
        (found == tag).then_some(())?;
        *self = ahead;
        Some((content, whole))
    }

    /// The content of an optional element: `Some(None)` where it is absent.
    pub(super) fn optional(&mut self, tag: u8) -> Option<Option<Reader<'a>>> {
        if self.peek(tag) { self.take(tag).map(Some) } else { Some(None) }
    }

    pub(super) fn boolean(&mut self) -> Option<bool> {
        match self.take(BOOLEAN)?.0 {
            [0] => Some(false),
            [0xff] => Some(true),
            _ => None,
        }
    }

    /// The bytes of an integer in its shortest form.
    pub(super) fn integer(&mut self) -> Option<&'a [u8]> {
        let bytes = self.take(INTEGER)?.0;
        match bytes {
            [] | [0, 0..0x80, ..] | [0xff, 0x80..=0xff, ..] => None,
            _ => Some(bytes),
        }
    }

    pub(super) fn oid(&mut self) -> Option<&'a [u8]> {
        let body = self.take(OID)?.0;
        valid_oid(body).then_some(body)
    }

    /// The bytes of a bit string; bits before the unused ones must make whole bytes for a key.
    pub(super) fn bits(&mut self) -> Option<(&'a [u8], u8)> {
        let (&unused, bytes) = self.take(BIT_STRING)?.0.split_first()?;
        let padding = match (unused, bytes.last()) {
            (0, _) => return Some((bytes, 0)),
            (1..8, Some(last)) => last & ((1 << unused) - 1),
            _ => return None,
        };
        (padding == 0).then_some((bytes, unused))
    }
}

/// Whether each component is in base 128 without leading zeros and fits into 31 bits.
fn valid_oid(body: &[u8]) -> bool {
    let (mut len, mut value) = (0, 0_u32);
    for &b in body {
        if len == 5 || value >= 1 << 24 || len == 0 && b == 0x80 {
            return false;
        }
        (len, value) =
            if b & 0x80 == 0 { (0, 0) } else { (len + 1, value << 7 | u32::from(b & 0x7f)) };
    }
    !body.is_empty() && len == 0
}

/// The dotted form of an object identifier.
pub(super) fn oid_text(body: &[u8]) -> String {
    let mut parts = Vec::new();
    let mut value = 0_u64;
    for &b in body {
        value = value << 7 | u64::from(b & 0x7f);
        if b & 0x80 == 0 {
            if parts.is_empty() {
                let first = (value / 40).min(2);
                parts.push(first.to_string());
                value -= first * 40;
            }
            parts.push(value.to_string());
            value = 0;
        }
    }
    parts.join(".")
}
