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

/// How the input is written, as its byte order mark says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
}

const INCOMPLETE: [&str; 3] = [
    "incomplete UTF-8 octet sequence",
    "incomplete UTF-16 character",
    "incomplete UTF-16 surrogate pair",
];

impl Encoding {
    /// The character at the start of `s` and its length there, or what the reader says against it.
    fn decode(self, s: &[u8]) -> Result<(char, usize), &'static str> {
        let (c, len) = match self {
            Encoding::Utf8 => decode_utf8(s)?,
            Encoding::Utf16Le => decode_utf16(s, u16::from_le_bytes)?,
            Encoding::Utf16Be => decode_utf16(s, u16::from_be_bytes)?,
        };
        if is_allowed(c) { Ok((c, len)) } else { Err("control characters are not allowed") }
    }

    /// The text in UTF-8 up to the first character that the reader refuses; true if there is none.
    pub(crate) fn transcode(self, mut s: &[u8]) -> (Vec<u8>, bool) {
        let mut out = String::with_capacity(s.len());
        while !s.is_empty() {
            let Ok((c, len)) = self.decode(s) else { return (out.into_bytes(), false) };
            out.push(c);
            s = s.get(len..).unwrap_or_default();
        }
        (out.into_bytes(), true)
    }
}

fn decode_utf8(s: &[u8]) -> Result<(char, usize), &'static str> {
    let first = s.first().copied().unwrap_or(0);
    let len = match first {
        0..0x80 => 1,
        0xc0..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0..0xf8 => 4,
        _ => return Err("invalid leading UTF-8 octet"),
    };
    let Some(bytes) = s.get(..len) else { return Err(INCOMPLETE[0]) };
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
    char::from_u32(value).map(|c| (c, len)).ok_or("invalid Unicode character")
}

fn decode_utf16(s: &[u8], unit: fn([u8; 2]) -> u16) -> Result<(char, usize), &'static str> {
    let unit_at = |i: usize| match s.get(i..i + 2) {
        Some(&[a, b]) => Some(u32::from(unit([a, b]))),
        _ => None,
    };
    let Some(first) = unit_at(0) else { return Err(INCOMPLETE[1]) };
    match first {
        0xdc00..=0xdfff => Err("unexpected low surrogate area"),
        0xd800..=0xdbff => match unit_at(2) {
            None => Err(INCOMPLETE[2]),
            Some(low @ 0xdc00..=0xdfff) => {
                let value = 0x10000 + ((first & 0x3ff) << 10) + (low & 0x3ff);
                Ok((char::from_u32(value).unwrap_or('\0'), 4))
            }
            Some(_) => Err("expected low surrogate area"),
        },
        _ => Ok((char::from_u32(first).unwrap_or('\0'), 2)),
    }
}

/// goyaml's input buffer.
///
/// `buffer` and `seen` are offsets into the text in UTF-8, the others into the input as it came.
#[derive(Debug)]
pub(crate) struct Feed<'s> {
    input: &'s [u8],
    encoding: Encoding,
    /// Where the buffer begins; goyaml looks for a byte order mark there and nowhere else.
    buffer: usize,
    /// Position of the scanner when it last asked.
    seen: usize,
    /// Characters that are decoded from there on.
    unread: usize,
    raw_base: usize,
    raw: usize,
    raw_end: usize,
    eof: bool,
    started: bool,
}

impl<'s> Feed<'s> {
    /// A buffer over an input whose byte order mark, if any, is `mark` bytes long. The text in UTF-8
    /// begins at `start`.
    pub(crate) fn new(input: &'s [u8], encoding: Encoding, mark: usize, start: usize) -> Feed<'s> {
        Feed {
            input,
            encoding,
            buffer: start,
            seen: start,
            unread: 0,
            raw_base: 0,
            raw: mark,
            raw_end: 0,
            eof: false,
            started: false,
        }
    }

    pub(crate) fn buffer_starts_with_bom(&self, text: &[u8]) -> bool {
        text.get(self.buffer..).is_some_and(|s| s.starts_with(BOM))
    }

    /// Makes sure that `length` characters from `pos` on were decoded.
    pub(crate) fn need(&mut self, text: &[u8], pos: usize, length: usize) -> Result<(), Error> {
        self.advance(text, pos);
        if self.unread >= length {
            return Ok(());
        }
        if !self.started {
            self.started = true;
            self.raw_end = RAW.min(self.input.len());
            self.eof = self.input.len() < 3;
        }
        if pos > self.buffer {
            self.buffer = pos;
        }
        let mut first = true;
        while self.unread < length {
            if !first || self.raw == self.raw_end {
                self.refill();
            }
            first = false;
            self.decode_raw()?;
            if self.eof {
                self.unread += 1;
                break;
            }
        }
        Ok(())
    }

    fn advance(&mut self, text: &[u8], pos: usize) {
        while self.seen < pos {
            self.seen += text.get(self.seen).map_or(1, |&b| width(b));
            self.unread = self.unread.saturating_sub(1);
        }
    }

    fn refill(&mut self) {
        if (self.raw == self.raw_base && self.raw_end - self.raw_base == RAW) || self.eof {
            return;
        }
        self.raw_base = self.raw;
        if self.raw_end >= self.input.len() {
            self.eof = true;
            return;
        }
        self.raw_end = self.input.len().min(self.raw_base + RAW);
    }

    fn decode_raw(&mut self) -> Result<(), Error> {
        while self.raw < self.raw_end {
            let piece = self.input.get(self.raw..self.raw_end).unwrap_or_default();
            match self.encoding.decode(piece) {
                Ok((_, len)) => self.raw += len,
                Err(problem) if !self.eof && INCOMPLETE.contains(&problem) => return Ok(()),
                Err(problem) => return Err(Error::syntax(problem, None)),
            }
            self.unread += 1;
        }
        Ok(())
    }
}
