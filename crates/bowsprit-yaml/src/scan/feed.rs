//! The reader: which characters YAML allows, and when goyaml notices those it does not.
//!
//! goyaml decodes its input in pieces of 512 bytes, so that an error of the scanner wins over a wrong
//! byte further on. Text without surprises needs none of this: only where a first look finds a wrong
//! byte or a byte order mark, [`Feed`] follows the buffer step by step.

use super::chars::width;
use crate::error::Error;

const RAW: usize = 512;
const BOM: &[u8] = b"\xef\xbb\xbf";

/// True where every character is allowed and none is a byte order mark.
pub(crate) fn is_plain_text(src: &[u8]) -> bool {
    // Whole blocks first, which the compiler can test many bytes at a time.
    const BLOCK: usize = 64;
    let mut non_ascii = false;
    for (i, block) in src.chunks(BLOCK).enumerate() {
        let odd = block
            .iter()
            .fold(false, |odd, &b| odd | ((b.wrapping_sub(0x20) >= 0x5f) & (b != b'\n')));
        if odd {
            non_ascii |= !block.is_ascii();
            if !block.iter().enumerate().all(|(k, &b)| is_plain_byte(src, i * BLOCK + k, b)) {
                return false;
            }
        }
    }
    !non_ascii || std::str::from_utf8(src).is_ok()
}

/// Whether the byte is allowed; of characters that are not, only one byte says so.
#[inline]
fn is_plain_byte(src: &[u8], i: usize, b: u8) -> bool {
    match b {
        0x20..0x7f | b'\n' | b'\t' | b'\r' => true,
        0xc2 => src.get(i + 1).is_some_and(|&next| next == 0x85 || next >= 0xa0),
        0xef => !matches!(src.get(i + 1..i + 3), Some([0xbb, 0xbf] | [0xbf, 0xbe | 0xbf])),
        _ => b >= 0x80,
    }
}

fn is_allowed(c: char) -> bool {
    matches!(c,
        '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}'
        | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// The character at the start of `s`, or what the reader says against it.
fn decode(s: &[u8]) -> Result<usize, &'static str> {
    let first = s.first().copied().unwrap_or(0);
    let len = match first {
        0..0x80 => 1,
        0xc0..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0..0xf8 => 4,
        _ => return Err("invalid leading UTF-8 octet"),
    };
    let Some(bytes) = s.get(..len) else { return Err("incomplete UTF-8 octet sequence") };
    let mut value = u32::from(first) & if len == 1 { 0x7f } else { 0x7f >> len };
    for &b in bytes.iter().skip(1) {
        if b & 0xc0 != 0x80 {
            return Err("invalid trailing UTF-8 octet");
        }
        value = (value << 6) + u32::from(b & 0x3f);
    }
    let shortest = match len {
        1 => 0,
        2 => 0x80,
        3 => 0x800,
        _ => 0x10000,
    };
    if value < shortest {
        return Err("invalid length of a UTF-8 sequence");
    }
    match char::from_u32(value) {
        None => Err("invalid Unicode character"),
        Some(c) if is_allowed(c) => Ok(len),
        Some(_) => Err("control characters are not allowed"),
    }
}

/// goyaml's input buffer, as offsets into the source.
#[derive(Debug)]
pub(crate) struct Feed {
    /// Where the buffer begins; goyaml looks for a byte order mark there and nowhere else.
    buffer: usize,
    /// Position of the scanner when it last asked, and characters it had before it then.
    seen: usize,
    unread: usize,
    raw_base: usize,
    raw: usize,
    raw_end: usize,
    eof: bool,
    started: bool,
}

impl Feed {
    /// A buffer over a source whose byte order mark, if any, stands before `start`.
    pub(crate) fn new(start: usize) -> Feed {
        Feed {
            buffer: start,
            seen: start,
            unread: 0,
            raw_base: 0,
            raw: start,
            raw_end: 0,
            eof: false,
            started: false,
        }
    }

    pub(crate) fn buffer_starts_with_bom(&self, src: &[u8]) -> bool {
        src.get(self.buffer..).is_some_and(|s| s.starts_with(BOM))
    }

    /// Makes sure that `length` characters from `pos` on were decoded.
    pub(crate) fn need(&mut self, src: &[u8], pos: usize, length: usize) -> Result<(), Error> {
        self.advance(src, pos);
        if self.unread >= length {
            return Ok(());
        }
        if !self.started {
            self.started = true;
            self.raw_end = RAW.min(src.len());
            self.eof = src.len() < 3;
        }
        if pos > self.buffer {
            self.buffer = pos;
        }
        let mut first = true;
        while self.unread < length {
            if !first || self.raw == self.raw_end {
                self.refill(src);
            }
            first = false;
            self.decode_raw(src)?;
            if self.eof {
                self.unread += 1;
                break;
            }
        }
        Ok(())
    }

    fn advance(&mut self, src: &[u8], pos: usize) {
        while self.seen < pos {
            self.seen += src.get(self.seen).map_or(1, |&b| width(b));
            self.unread = self.unread.saturating_sub(1);
        }
    }

    fn refill(&mut self, src: &[u8]) {
        if (self.raw == self.raw_base && self.raw_end - self.raw_base == RAW) || self.eof {
            return;
        }
        self.raw_base = self.raw;
        if self.raw_end >= src.len() {
            self.eof = true;
            return;
        }
        self.raw_end = src.len().min(self.raw_base + RAW);
    }

    fn decode_raw(&mut self, src: &[u8]) -> Result<(), Error> {
        while self.raw < self.raw_end {
            let piece = src.get(self.raw..self.raw_end).unwrap_or_default();
            match decode(piece) {
                Ok(len) => self.raw += len,
                Err("incomplete UTF-8 octet sequence") if !self.eof => return Ok(()),
                Err(problem) => return Err(Error::syntax(problem, None)),
            }
            self.unread += 1;
        }
        Ok(())
    }
}

/// The text behind a UTF-16 byte order mark, as UTF-8.
pub(crate) fn from_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Vec<u8>, Error> {
    let fail = |problem| Err(Error::syntax(problem, None));
    let mut units = bytes.chunks(2).map(|c| match c {
        [a, b] => Some(unit([*a, *b])),
        _ => None,
    });
    let mut out = String::with_capacity(bytes.len());
    while let Some(next) = units.next() {
        let Some(high) = next else { return fail("incomplete UTF-16 character") };
        let value = match high {
            0xdc00..=0xdfff => return fail("unexpected low surrogate area"),
            0xd800..=0xdbff => match units.next().flatten() {
                None => return fail("incomplete UTF-16 surrogate pair"),
                Some(low @ 0xdc00..=0xdfff) => {
                    0x10000 + ((u32::from(high) & 0x3ff) << 10) + (u32::from(low) & 0x3ff)
                }
                Some(_) => return fail("expected low surrogate area"),
            },
            _ => u32::from(high),
        };
        match char::from_u32(value) {
            Some(c) if is_allowed(c) => out.push(c),
            _ => return fail("control characters are not allowed"),
        }
    }
    Ok(out.into_bytes())
}
