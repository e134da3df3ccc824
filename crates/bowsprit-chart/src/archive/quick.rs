//! Reading an archive through a small window, as long as nothing is wrong with it.
//!
//! Only what is wanted is kept; memory that is never touched costs nothing. Any error ends the attempt,
//! and the archive is read once more by the [`Stream`](super::stream::Stream) that knows Go's errors.

use super::deflate::{Inflater, Progress};
use super::stream::{BLOCK, Block, Input};
use super::tar::Content;
use super::{Guard, ReadError};

const WINDOW: usize = 256 << 10;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

pub(super) struct Quick<'a> {
    inflater: Inflater<'a>,
    window: Vec<u8>,
    ended: bool,
    /// Where in the window the unread bytes begin.
    pos: usize,
    /// Bytes of the stream before the window.
    passed: usize,
    store: Vec<u8>,
    pub(super) guard: Guard,
    /// Size of the archive.
    compressed: usize,
}

impl<'a> Quick<'a> {
    /// Reads the member that begins in an archive; `hint` says how much it may come to.
    pub(super) fn new(archive: &'a [u8], member: usize, hint: usize, guard: Guard) -> Quick<'a> {
        Quick {
            inflater: Inflater::new(archive.get(member..).unwrap_or_default()),
            window: vec![0; WINDOW.min(hint.saturating_add(Inflater::HISTORY + (8 << 10)))],
            ended: false,
            pos: 0,
            passed: 0,
            store: Vec::with_capacity(hint),
            guard,
            compressed: archive.len(),
        }
    }

    fn unread(&self) -> usize {
        self.inflater.at - self.pos
    }

    /// Inflates some more.
    fn more(&mut self) -> Result<(), ReadError> {
        if self.ended {
            return Err(ReadError::UnexpectedEof);
        }
        // Matches reach back to what was read.
        let from = self.pos.min(self.inflater.at.saturating_sub(Inflater::HISTORY));
        self.window.copy_within(from..self.inflater.at, 0);
        self.inflater.at -= from;
        self.pos -= from;
        self.passed += from;
        let before = self.inflater.at;
        let progress = self.inflater.run(&mut self.window).ok_or(ReadError::UnexpectedEof)?;
        self.ended = progress == Progress::Done;
        let grown = self.inflater.at - before;
        self.guard.inflated(grown, self.compressed)?;
        if grown == 0 { Err(ReadError::UnexpectedEof) } else { Ok(()) }
    }

    /// Waits for at least a byte and passes what there is of the next `count`.
    fn next(&mut self, count: usize) -> Result<&[u8], ReadError> {
        if self.unread() == 0 {
            self.more()?;
        }
        let from = self.pos;
        self.pos += count.min(self.unread());
        Ok(self.window.get(from..self.pos).unwrap_or_default())
    }

    /// What was kept.
    pub(super) fn into_store(mut self) -> Vec<u8> {
        if self.store.capacity() / 2 > self.store.len() {
            self.store.shrink_to_fit();
        }
        self.store
    }
}

impl Input for Quick<'_> {
    fn block(&mut self) -> Result<Block, ReadError> {
        while self.unread() < BLOCK {
            self.more()?;
        }
        let block = self.window.get(self.pos..).and_then(|rest| rest.first_chunk::<BLOCK>());
        let block = *block.ok_or(ReadError::UnexpectedEof)?;
        self.pos += BLOCK;
        Ok(block)
    }

    fn skip(&mut self, mut count: u64) -> Result<(), ReadError> {
        while count > 0 {
            let most = usize::try_from(count).unwrap_or(usize::MAX);
            count -= self.next(most)?.len() as u64;
        }
        Ok(())
    }

    fn keep(&mut self, count: usize, later: bool) -> Result<Content, ReadError> {
        if later {
            while self.unread() < count.min(BYTE_ORDER_MARK.len()) {
                self.more()?;
            }
            let rest = self.window.get(self.pos..self.inflater.at).unwrap_or_default();
            let mark = if rest.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
            let start = self.passed + self.pos;
            self.skip(count as u64)?;
            return Ok(Content::Later { range: start + mark.min(count)..start + count, count });
        }
        let start = self.store.len();
        let end = start + count;
        while self.store.len() < end {
            let wanted = end - self.store.len();
            if self.unread() == 0 {
                self.more()?;
            }
            let to = self.pos + wanted.min(self.unread());
            self.store.extend_from_slice(self.window.get(self.pos..to).unwrap_or_default());
            self.pos = to;
        }
        Ok(Content::Slice(start..end))
    }

    fn read(&mut self, count: usize) -> Result<Vec<u8>, ReadError> {
        let mut bytes = Vec::new();
        while bytes.len() < count {
            let wanted = count - bytes.len();
            bytes.extend_from_slice(self.next(wanted)?);
        }
        Ok(bytes)
    }

    fn entry(&mut self) -> Result<(), ReadError> {
        self.guard.entry()
    }
}
