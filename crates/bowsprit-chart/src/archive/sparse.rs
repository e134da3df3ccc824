//! Sparse files: GNU's old format and its three PAX formats.

use super::ReadError;
use super::header;
use super::pax::{self, Records};
use super::stream::{BLOCK, Block, Input};
use super::tar::{Entry, MAX_SPECIAL, Reader};

const MAX_PIECES: usize = 1 << 20;

/// A stretch of the file that the archive holds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Piece {
    offset: i64,
    length: i64,
}

/// A stretch of the file that reads as zeros.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hole {
    start: u64,
    end: u64,
}

fn push(pieces: &mut Vec<Piece>, offset: i64, length: i64) -> Result<(), ReadError> {
    if pieces.len() >= MAX_PIECES {
        return Err(ReadError::SparseTooLong);
    }
    pieces.push(Piece { offset, length });
    Ok(())
}

/// The map in a header of GNU's old format and in the blocks that continue it.
pub(super) fn old_gnu_map(
    block: &Block,
    mut next: impl FnMut() -> Result<Block, ReadError>,
) -> Result<Vec<Piece>, ReadError> {
    const ENTRY: usize = 24;
    let mut pieces = Vec::new();
    let mut table = header::field(block, 386, 4 * ENTRY + 1).to_vec();
    let mut total = table.len();
    while total < MAX_SPECIAL {
        let entries = table.len() / ENTRY;
        for entry in table.chunks_exact(ENTRY).take(entries) {
            if entry.first() == Some(&0) {
                break;
            }
            let offset = header::numeric(header::field(entry, 0, 12))?;
            let length = header::numeric(header::field(entry, 12, 12))?;
            push(&mut pieces, offset, length)?;
        }
        if table.get(entries * ENTRY).copied().unwrap_or(0) == 0 {
            return Ok(pieces);
        }
        table = next()?.to_vec();
        total += table.len();
    }
    Err(ReadError::SparseTooLong)
}

/// The map of a file in one of the PAX formats; `None` for other files.
pub(super) fn pax_map<S: Input>(
    reader: &mut Reader<S>,
    entry: &mut Entry,
    records: &Records,
) -> Result<Option<Vec<Piece>>, ReadError> {
    let is_1_0 = match (records.get(b"GNU.sparse.major"), records.get(b"GNU.sparse.minor")) {
        (b"0", b"0" | b"1") => false,
        (b"1", b"0") => true,
        (b"", b"") if !records.get(pax::SPARSE_MAP).is_empty() => false,
        _ => return Ok(None),
    };
    let name = records.get(b"GNU.sparse.name");
    if !name.is_empty() {
        entry.name = name.to_vec();
    }
    let sizes = [records.get(b"GNU.sparse.size"), records.get(b"GNU.sparse.realsize")];
    if let Some(size) = sizes.into_iter().find(|size| !size.is_empty()) {
        entry.size = pax::decimal(size).ok_or(ReadError::TarHeader)?;
    }
    if is_1_0 { map_1_0(reader).map(Some) } else { map_0_1(records).map(Some) }
}

fn map_0_1(records: &Records) -> Result<Vec<Piece>, ReadError> {
    let count = pax::decimal(records.get(b"GNU.sparse.numblocks")).ok_or(ReadError::TarHeader)?;
    let map = records.get(pax::SPARSE_MAP);
    let numbers: Vec<&[u8]> =
        if map.is_empty() { Vec::new() } else { map.split(|&b| b == b',').collect() };
    let pairs = usize::try_from(count).map_err(|_| ReadError::TarHeader)?;
    if pairs.checked_mul(2) != Some(numbers.len()) {
        return Err(ReadError::TarHeader);
    }
    let mut pieces = Vec::new();
    for pair in numbers.chunks_exact(2) {
        push_decimals(&mut pieces, pair)?;
    }
    Ok(pieces)
}

fn push_decimals(pieces: &mut Vec<Piece>, pair: &[&[u8]]) -> Result<(), ReadError> {
    match pair.iter().map(|text| pax::decimal(text)).collect::<Vec<_>>()[..] {
        [Some(offset), Some(length)] => push(pieces, offset, length),
        _ => Err(ReadError::TarHeader),
    }
}

/// The map of version 1.0: lines of numbers in the first blocks of the data.
fn map_1_0<S: Input>(reader: &mut Reader<S>) -> Result<Vec<Piece>, ReadError> {
    let mut text = Vec::new();
    let mut lines = 0;
    let mut feed = |text: &mut Vec<u8>, want: usize| {
        while lines < want {
            if text.len() + BLOCK > MAX_SPECIAL {
                return Err(ReadError::SparseTooLong);
            }
            let block = reader.take_block()?;
            lines += block.iter().filter(|&&b| b == b'\n').count();
            text.extend_from_slice(&block);
        }
        Ok(())
    };
    feed(&mut text, 1)?;
    let count = text.split(|&b| b == b'\n').next().and_then(pax::decimal);
    let count = count.and_then(|n| usize::try_from(n).ok()).ok_or(ReadError::TarHeader)?;
    let total = count.checked_mul(2).and_then(|n| n.checked_add(1)).ok_or(ReadError::TarHeader)?;
    feed(&mut text, total)?;
    let numbers: Vec<&[u8]> = text.split(|&b| b == b'\n').skip(1).take(total - 1).collect();
    let mut pieces = Vec::new();
    for pair in numbers.chunks_exact(2) {
        push_decimals(&mut pieces, pair)?;
    }
    Ok(pieces)
}

/// What lies between the pieces. The last hole, maybe empty, ends with the file.
pub(super) fn holes(pieces: &[Piece], size: i64) -> Result<Vec<Hole>, ReadError> {
    let size = u64::try_from(size).map_err(|_| ReadError::TarHeader)?;
    let mut holes = Vec::new();
    // Go compares with the piece before, and fills up to the last that is not empty.
    let (mut before, mut start) = (0, 0);
    for piece in pieces {
        let offset = u64::try_from(piece.offset).map_err(|_| ReadError::TarHeader)?;
        let length = u64::try_from(piece.length).map_err(|_| ReadError::TarHeader)?;
        let end = offset + length;
        if end > size || before > offset {
            return Err(ReadError::TarHeader);
        }
        before = end;
        if length == 0 {
            continue;
        }
        if offset > start {
            holes.push(Hole { start, end: offset });
        }
        start = end;
    }
    holes.push(Hole { start, end: size });
    Ok(holes)
}

/// A sparse file's holes and how many bytes the archive holds for what is between them.
pub(super) struct Data<'a> {
    pub(super) holes: &'a [Hole],
    pub(super) stored: u64,
}

impl Data<'_> {
    /// Puts the file together.
    pub(super) fn read(
        &self,
        mut take: impl FnMut(usize) -> Result<Vec<u8>, ReadError>,
    ) -> Result<Vec<u8>, ReadError> {
        let mut out: Vec<u8> = Vec::new();
        let mut stored = self.stored;
        for hole in self.holes {
            let count = hole.start.saturating_sub(out.len() as u64);
            let available = count.min(stored);
            stored -= available;
            out.extend(take(usize::try_from(available).unwrap_or(usize::MAX))?);
            if available < count {
                return Err(ReadError::SparseMissingData);
            }
            out.resize(usize::try_from(hole.end).unwrap_or(out.len()).max(out.len()), 0);
        }
        if stored > 0 { Err(ReadError::SparseUnreferencedData) } else { Ok(out) }
    }
}
