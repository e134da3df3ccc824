//! Gzip members as Go's `compress/gzip` reads them: one after the other, as if they were one.

use super::inflate::Inflate;
use super::{Guard, ReadError};
use flate2::{Crc, Decompress, FlushDecompress, Status};

const FLAG_HEADER_CRC: u8 = 1 << 1;
const FLAG_EXTRA: u8 = 1 << 2;
const FLAG_NAME: u8 = 1 << 3;
const FLAG_COMMENT: u8 = 1 << 4;
/// Go keeps a header's strings in a buffer of this size.
const MAX_HEADER_STRING: usize = 512;
/// The second opinion is slow; beyond this much output a broken stream is broken where the fast decoder
/// says.
const MAX_REVIEWED: u64 = 8 << 20;
const STEP: usize = 256 << 10;

enum Decoder<'a> {
    Fast(Decompress),
    Careful(Box<Inflate<'a>>),
}

/// Inflates gzip members from memory into a buffer, a piece at a time.
pub(super) struct Gunzip<'a> {
    input: &'a [u8],
    /// Where the deflate data of the current member begins.
    member: usize,
    decoder: Decoder<'a>,
    /// Set when the member's deflate data has ended: where its trailer begins.
    trailer: Option<usize>,
    crc: Crc,
    /// The part of the output buffer that `crc` does not cover yet begins here.
    unhashed: usize,
    error: Option<ReadError>,
}

impl<'a> Gunzip<'a> {
    pub(super) fn new(input: &'a [u8]) -> Result<Gunzip<'a>, ReadError> {
        let member = read_header(input, 0)?;
        Ok(Gunzip {
            input,
            member,
            decoder: Decoder::Fast(Decompress::new(false)),
            trailer: None,
            crc: Crc::new(),
            unhashed: 0,
            error: None,
        })
    }

    /// What the input may come to.
    pub(super) fn size_hint(&self) -> usize {
        size_hint(self.input)
    }

    /// Appends at least a byte to `out`, or says why not; [`ReadError::Eof`] at the end.
    pub(super) fn more(&mut self, out: &mut Vec<u8>, guard: &mut Guard) -> Result<(), ReadError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let before = out.len();
        while out.len() == before {
            if let Err(error) = self.advance(out) {
                self.error = Some(error);
                break;
            }
        }
        let grown = out.len() - before;
        guard.inflated(grown, self.input.len())?;
        match self.error {
            Some(error) if grown == 0 => Err(error),
            _ => Ok(()),
        }
    }

    /// Tells that the buffer's bytes from `kept` to `pos` are about to be taken out.
    pub(super) fn forget(&mut self, out: &[u8], kept: usize, pos: usize) {
        self.hash(out);
        self.unhashed = out.len() - (pos - kept);
    }

    fn hash(&mut self, out: &[u8]) {
        self.crc.update(out.get(self.unhashed..).unwrap_or_default());
        self.unhashed = out.len();
    }

    fn advance(&mut self, out: &mut Vec<u8>) -> Result<(), ReadError> {
        if let Some(trailer) = self.trailer {
            return self.next_member(trailer, out);
        }
        match &mut self.decoder {
            Decoder::Fast(_) => self.advance_fast(out),
            Decoder::Careful(inflate) => {
                if inflate.step(out, STEP)? {
                    self.trailer = Some(self.member + inflate.read());
                }
                Ok(())
            }
        }
    }

    fn advance_fast(&mut self, out: &mut Vec<u8>) -> Result<(), ReadError> {
        let Decoder::Fast(decoder) = &mut self.decoder else { return Ok(()) };
        if out.len() == out.capacity() {
            out.reserve(STEP.max(out.len() / 2));
        }
        let read = self.member.saturating_add(decoder.total_in() as usize);
        let rest = self.input.get(read..).unwrap_or_default();
        let before = out.len();
        match decoder.decompress_vec(rest, out, FlushDecompress::None) {
            Ok(Status::StreamEnd) => {
                self.trailer = Some(self.member.saturating_add(decoder.total_in() as usize));
                Ok(())
            }
            Ok(_) if out.len() > before => Ok(()),
            Ok(_) => Err(ReadError::UnexpectedEof),
            Err(_) => self.review(out),
        }
    }

    /// Lets the careful decoder catch up with the fast one, which gave up.
    #[cold]
    fn review(&mut self, out: &mut Vec<u8>) -> Result<(), ReadError> {
        let Decoder::Fast(fast) = &self.decoder else { return Ok(()) };
        let (read, written) = (fast.total_in(), fast.total_out());
        if written > MAX_REVIEWED {
            return Err(ReadError::Flate(read));
        }
        let mut careful = Inflate::new(self.input.get(self.member..).unwrap_or_default());
        let mut again = Vec::new();
        let target = usize::try_from(written).unwrap_or(usize::MAX);
        careful.catch_up(&mut again, target)?;
        out.append(&mut again);
        self.decoder = Decoder::Careful(Box::new(careful));
        Ok(())
    }

    fn next_member(&mut self, trailer: usize, out: &[u8]) -> Result<(), ReadError> {
        self.hash(out);
        let Some(bytes) = self.input.get(trailer..).unwrap_or_default().first_chunk::<8>() else {
            return Err(ReadError::UnexpectedEof);
        };
        let [a, b, c, d, e, f, g, h] = *bytes;
        if u32::from_le_bytes([a, b, c, d]) != self.crc.sum()
            || u32::from_le_bytes([e, f, g, h]) != self.crc.amount()
        {
            return Err(ReadError::GzipChecksum);
        }
        self.member = read_header(self.input, trailer + 8)?;
        self.decoder = Decoder::Fast(Decompress::new(false));
        self.trailer = None;
        self.crc.reset();
        Ok(())
    }
}

/// The size that the last member claims, within what the input's length allows.
pub(super) fn size_hint(input: &[u8]) -> usize {
    let claimed = input.last_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes) as usize);
    claimed.min(input.len().saturating_mul(16)).min(16 << 20)
}

/// Reads a member's header and returns where its deflate data begins.
pub(super) fn read_header(input: &[u8], start: usize) -> Result<usize, ReadError> {
    let header = input.get(start..).unwrap_or_default();
    let Some(fixed) = header.first_chunk::<10>() else {
        return Err(if header.is_empty() { ReadError::Eof } else { ReadError::UnexpectedEof });
    };
    if !fixed.starts_with(b"\x1f\x8b\x08") {
        return Err(ReadError::GzipHeader);
    }
    let flags = fixed[3];
    let mut at = 10;
    if flags & FLAG_EXTRA != 0 {
        at += 2 + usize::from(read_u16(header, at)?);
        if header.len() < at {
            return Err(ReadError::UnexpectedEof);
        }
    }
    for flag in [FLAG_NAME, FLAG_COMMENT] {
        if flags & flag != 0 {
            at += string_len(header.get(at..).unwrap_or_default())?;
        }
    }
    if flags & FLAG_HEADER_CRC != 0 {
        let want = read_u16(header, at)?;
        let mut crc = Crc::new();
        crc.update(header.get(..at).unwrap_or_default());
        if want != (crc.sum() & 0xffff) as u16 {
            return Err(ReadError::GzipHeader);
        }
        at += 2;
    }
    Ok(start + at)
}

fn read_u16(bytes: &[u8], at: usize) -> Result<u16, ReadError> {
    let two = bytes.get(at..).and_then(|rest| rest.first_chunk::<2>());
    two.map(|two| u16::from_le_bytes(*two)).ok_or(ReadError::UnexpectedEof)
}

/// Length of a NUL-terminated string, the NUL included.
fn string_len(bytes: &[u8]) -> Result<usize, ReadError> {
    match bytes.iter().take(MAX_HEADER_STRING).position(|&b| b == 0) {
        Some(nul) => Ok(nul + 1),
        None if bytes.len() >= MAX_HEADER_STRING => Err(ReadError::GzipHeader),
        None => Err(ReadError::UnexpectedEof),
    }
}
