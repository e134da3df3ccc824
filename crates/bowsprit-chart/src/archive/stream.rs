//! The inflated archive as a buffer that grows as it is read.

use super::gzip::Gunzip;
use super::tar::Content;
use super::{Guard, ReadError};

pub(super) const BLOCK: usize = 512;
pub(super) type Block = [u8; BLOCK];

/// Dead bytes are taken out of the buffer once there are this many.
const MAX_DEAD: usize = 1 << 20;

/// What the entries of a tar archive are read from.
pub(super) trait Input {
    /// A block of the archive. Like Go's `io.ReadFull`: an end in its midst is unexpected.
    fn block(&mut self) -> Result<Block, ReadError>;
    /// Reads past bytes that nobody wants; an early end is reported as it is.
    fn skip(&mut self, count: u64) -> Result<(), ReadError>;
    /// Reads bytes that stay, and says where they lie; those that are wanted `later`, if at all, may stay
    /// in the archive.
    fn keep(&mut self, count: usize, later: bool) -> Result<Content, ReadError>;
    /// Reads bytes that need not stay.
    fn read(&mut self, count: usize) -> Result<Vec<u8>, ReadError>;
    /// Counts an entry.
    fn entry(&mut self) -> Result<(), ReadError>;
}

/// The bytes before `kept` belong to files, those up to `pos` are read and dead, the rest is unread.
pub(super) struct Stream<'a> {
    gunzip: Gunzip<'a>,
    buffer: Vec<u8>,
    kept: usize,
    pos: usize,
    pub(super) guard: Guard,
}

impl<'a> Stream<'a> {
    pub(super) fn new(input: &'a [u8], guard: Guard) -> Result<Stream<'a>, ReadError> {
        let gunzip = Gunzip::new(input)?;
        let buffer = Vec::with_capacity(gunzip.size_hint());
        Ok(Stream { gunzip, buffer, kept: 0, pos: 0, guard })
    }

    fn unread(&self) -> usize {
        self.buffer.len() - self.pos
    }

    /// Waits until `want` bytes are unread; the error says why there are fewer.
    fn fill(&mut self, want: usize) -> Result<(), ReadError> {
        while self.unread() < want {
            if self.pos - self.kept > MAX_DEAD {
                self.compact();
            }
            self.gunzip.more(&mut self.buffer, &mut self.guard)?;
        }
        Ok(())
    }

    fn compact(&mut self) {
        self.gunzip.forget(&self.buffer, self.kept, self.pos);
        self.buffer.copy_within(self.pos.., self.kept);
        self.buffer.truncate(self.kept + self.unread());
        self.pos = self.kept;
    }

    /// The buffer, for the ranges that [`Input::keep`] gave.
    pub(super) fn into_buffer(mut self) -> Vec<u8> {
        self.buffer.truncate(self.kept);
        if self.buffer.capacity() / 2 > self.buffer.len() {
            self.buffer.shrink_to_fit();
        }
        self.buffer
    }
}

impl Input for Stream<'_> {
    fn block(&mut self) -> Result<Block, ReadError> {
        let filled = self.fill(BLOCK);
        match self.buffer.get(self.pos..).and_then(|rest| rest.first_chunk::<BLOCK>()) {
            Some(block) => {
                self.pos += BLOCK;
                Ok(*block)
            }
            None if self.unread() > 0 => {
                Err(filled.err().map_or(ReadError::UnexpectedEof, ReadError::no_eof))
            }
            None => Err(filled.err().unwrap_or(ReadError::Eof)),
        }
    }

    fn skip(&mut self, mut count: u64) -> Result<(), ReadError> {
        loop {
            let take = usize::try_from(count).unwrap_or(usize::MAX).min(self.unread());
            self.pos += take;
            count -= take as u64;
            if count == 0 {
                return Ok(());
            }
            self.fill(1)?;
        }
    }

    fn keep(&mut self, count: usize, _: bool) -> Result<Content, ReadError> {
        if let Err(error) = self.fill(count) {
            self.pos = self.buffer.len();
            return Err(error.no_eof());
        }
        let range = self.pos..self.pos + count;
        self.pos = range.end;
        self.kept = range.end;
        Ok(Content::Slice(range))
    }

    fn read(&mut self, count: usize) -> Result<Vec<u8>, ReadError> {
        if let Err(error) = self.fill(count) {
            self.pos = self.buffer.len();
            return Err(error.no_eof());
        }
        let bytes = self.buffer.get(self.pos..self.pos + count).unwrap_or_default().to_vec();
        self.pos += count;
        Ok(bytes)
    }

    fn entry(&mut self) -> Result<(), ReadError> {
        self.guard.entry()
    }
}
