//! The entries of a tar archive, as Go's `archive/tar` gives them.

use super::ReadError;
use super::header::{self, Format, Header};
use super::pax::{self, Records};
use super::sparse::{self, Hole};
use super::stream::{BLOCK, Block, Input};
use crate::Bytes;
use std::ops::Range;

/// PAX records, GNU names and sparse maps may not be longer than this.
pub(super) const MAX_SPECIAL: usize = 1 << 20;

const MODE_KIND: u32 = !0o7777;
const MODE_DIRECTORY: u32 = 0o040000;

/// One file, directory or link of the archive.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: Vec<u8>,
    pub(super) flag: u8,
    mode: i64,
    /// The size that the header names, whether there is data or not.
    pub(super) size: i64,
}

impl Entry {
    /// `FileInfo().IsDir()`: by type, or by the file kind that some archivers leave in the mode.
    pub(super) fn is_dir(&self) -> bool {
        self.flag == b'5' || self.mode as u32 & MODE_KIND == MODE_DIRECTORY
    }
}

/// Content of an entry.
pub(super) enum Content {
    /// A part of the buffer.
    Slice(Range<usize>),
    /// A part of the inflated archive, without a byte order mark.
    Later {
        range: Range<usize>,
        /// Its size with the mark.
        count: usize,
    },
    /// Put together from a sparse file's pieces.
    Own(Bytes),
}

impl Content {
    pub(super) fn len(&self) -> usize {
        match self {
            Content::Slice(range) => range.len(),
            Content::Later { count, .. } => *count,
            Content::Own(bytes) => bytes.len(),
        }
    }
}

pub(super) struct Reader<S> {
    pub(super) stream: S,
    /// Data of the current entry that nobody has read.
    left: u64,
    padding: u64,
    /// The holes of the current entry, if it is a sparse file; the last one ends where the file does.
    holes: Option<Vec<Hole>>,
}

impl<S: Input> Reader<S> {
    pub(super) fn new(stream: S) -> Reader<S> {
        Reader { stream, left: 0, padding: 0, holes: None }
    }

    /// The next entry; `None` at the end of the archive.
    pub(super) fn next(&mut self) -> Result<Option<Entry>, ReadError> {
        match self.next_entry() {
            Ok(entry) => Ok(Some(entry)),
            Err(ReadError::Eof) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn next_entry(&mut self) -> Result<Entry, ReadError> {
        let mut records = Records::default();
        let mut long_name = Vec::new();
        loop {
            self.finish_entry()?;
            let block = self.header_block()?;
            let header = header::parse(&block)?;
            self.expect_data(header.flag, header.size)?;
            match header.flag {
                b'x' => records = pax::parse(&self.special()?)?,
                b'g' => {
                    pax::parse(&self.special()?)?;
                    return Ok(Entry { name: header.name, flag: b'g', mode: 0, size: 0 });
                }
                b'L' => long_name = header::string(&self.special()?).to_vec(),
                b'K' => drop(self.special()?),
                _ => return self.entry(header, &block, &records, long_name),
            }
        }
    }

    /// Leaves the current entry behind.
    fn finish_entry(&mut self) -> Result<(), ReadError> {
        let left = std::mem::take(&mut self.left);
        self.holes = None;
        self.stream.skip(left).map_err(ReadError::no_eof)?;
        // An archive that ends within the padding has ended well.
        self.stream.skip(std::mem::take(&mut self.padding))
    }

    fn header_block(&mut self) -> Result<Block, ReadError> {
        let block = self.stream.block()?;
        if !header::is_zero(&block) {
            return Ok(block);
        }
        Err(if header::is_zero(&self.stream.block()?) {
            ReadError::Eof
        } else {
            ReadError::TarHeader
        })
    }

    fn expect_data(&mut self, flag: u8, size: i64) -> Result<(), ReadError> {
        let size = if header::is_header_only(flag) { 0 } else { size };
        self.left = u64::try_from(size).map_err(|_| ReadError::TarHeader)?;
        self.padding = self.left.wrapping_neg() & (BLOCK as u64 - 1);
        Ok(())
    }

    /// The data of an entry that only describes the next one.
    fn special(&mut self) -> Result<Vec<u8>, ReadError> {
        let size = usize::try_from(self.left).unwrap_or(usize::MAX);
        let data = self.take(size.min(MAX_SPECIAL + 1))?;
        if data.len() > MAX_SPECIAL { Err(ReadError::TarFieldTooLong) } else { Ok(data) }
    }

    /// Reads a part of the current entry's data.
    fn take(&mut self, count: usize) -> Result<Vec<u8>, ReadError> {
        let count = count.min(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.left -= count as u64;
        self.stream.read(count)
    }

    /// Reads a block of the current entry's data; there must be one.
    pub(super) fn take_block(&mut self) -> Result<Vec<u8>, ReadError> {
        let block = self.take(BLOCK)?;
        if block.len() < BLOCK { Err(ReadError::UnexpectedEof) } else { Ok(block) }
    }

    fn entry(
        &mut self,
        header: Header,
        block: &Block,
        records: &Records,
        long_name: Vec<u8>,
    ) -> Result<Entry, ReadError> {
        let Header { name, flag, mode, size } = header;
        let mut entry = Entry { name, flag, mode, size };
        records.apply(&mut entry)?;
        if !long_name.is_empty() {
            entry.name = long_name;
        }
        if entry.flag == 0 {
            entry.flag = if entry.name.ends_with(b"/") { b'5' } else { b'0' };
        }
        self.expect_data(entry.flag, entry.size)?;
        self.sparse(&mut entry, block, records)?;
        Ok(entry)
    }

    fn sparse(
        &mut self,
        entry: &mut Entry,
        block: &Block,
        records: &Records,
    ) -> Result<(), ReadError> {
        let pieces = if entry.flag == b'S' {
            if header::format(block) != Some(Format::Gnu) {
                return Err(ReadError::TarHeader);
            }
            entry.size = header::numeric(header::field(block, 483, 12))?;
            Some(sparse::old_gnu_map(block, || self.stream.block().map_err(ReadError::no_eof))?)
        } else {
            sparse::pax_map(self, entry, records)?
        };
        if let Some(pieces) = pieces {
            if header::is_header_only(entry.flag) {
                return Err(ReadError::TarHeader);
            }
            self.holes = Some(sparse::holes(&pieces, entry.size)?);
        }
        Ok(())
    }

    /// Reads the current entry's data, which the caller has found to be of a bearable size; `later` if
    /// it is not likely to be looked at.
    pub(super) fn content(&mut self, later: bool) -> Result<Content, ReadError> {
        if let Some(holes) = self.holes.take() {
            let data = sparse::Data { holes: &holes, stored: self.left };
            let content = data.read(|count| self.take(count))?;
            return Ok(Content::Own(Bytes::from(content)));
        }
        let left = usize::try_from(std::mem::take(&mut self.left)).unwrap_or(usize::MAX);
        self.stream.keep(left, later)
    }
}
