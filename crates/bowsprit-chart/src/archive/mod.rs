//! Chart archives: a gzipped tar in memory becomes a list of files.
//!
//! The reading is Go's, to the byte that an error names: what Helm accepts is accepted, and what it
//! refuses is refused with the same words at the same entry. Memory is bound by the limits, not by
//! what headers claim.

mod error;
mod gzip;
mod header;
mod inflate;
mod pax;
mod sparse;
mod stream;
mod tar;

use error::ReadError;
pub use error::{ArchiveError, ArchiveErrorKind};

use crate::path;
use crate::{Bytes, File};
use bowsprit_value::Str;
use std::sync::Arc;
use stream::Stream;
use tar::{Content, Entry, Reader};

/// What an archive may cost. The default is Helm's sizes with generous guards against bombs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ArchiveLimits {
    /// Bytes that all files together must stay below.
    pub chart_size: u64,
    /// Bytes that one file may have.
    pub file_size: u64,
    /// Entries of any kind, directories and links too. Helm knows no such limit.
    pub entries: usize,
    /// Inflated bytes, those of skipped entries, headers and padding too. Helm knows no such limit.
    pub inflated: u64,
    /// Inflated bytes per byte of the archive, beyond the first MiB. Helm knows no such limit.
    pub ratio: Option<u64>,
}

impl Default for ArchiveLimits {
    fn default() -> ArchiveLimits {
        ArchiveLimits {
            chart_size: 100 << 20,
            file_size: 5 << 20,
            entries: 1_000_000,
            inflated: 1 << 30,
            ratio: None,
        }
    }
}

impl ArchiveLimits {
    /// Limits for charts that nobody trusts.
    #[must_use]
    pub fn strict() -> ArchiveLimits {
        ArchiveLimits {
            entries: 20_000,
            inflated: 160 << 20,
            ratio: Some(200),
            ..ArchiveLimits::default()
        }
    }
}

/// The limits beyond Helm's, and how much of them is used.
#[derive(Debug)]
struct Guard {
    entries: usize,
    inflated: u64,
    ratio: Option<u64>,
}

impl Guard {
    const FREE: u64 = 1 << 20;

    fn inflated(&self, inflated: u64, compressed: usize) -> Result<(), ReadError> {
        if inflated > self.inflated {
            return Err(ReadError::Inflated(self.inflated));
        }
        match self.ratio {
            Some(ratio) if inflated / ratio.max(1) > compressed as u64 && inflated > Self::FREE => {
                Err(ReadError::Ratio(ratio))
            }
            _ => Ok(()),
        }
    }

    fn entry(&mut self, allowed: usize) -> Result<(), ReadError> {
        self.entries = self.entries.checked_sub(1).ok_or(ReadError::Entries(allowed))?;
        Ok(())
    }
}

/// Reads the files of a chart archive (`LoadArchiveFiles`), in its order.
///
/// The first element of every name is dropped. A leading byte order mark of every file is dropped too.
/// The files share one buffer with the inflated archive.
///
/// # Errors
/// Everything that Helm refuses, with its text, and the limits.
pub fn load_archive_files(
    archive: &[u8],
    limits: &ArchiveLimits,
) -> Result<Vec<File>, ArchiveError> {
    let guard = Guard { entries: limits.entries, inflated: limits.inflated, ratio: limits.ratio };
    let mut reader = Reader::new(Stream::new(archive, guard)?);
    let mut found = Vec::new();
    let mut remaining = limits.chart_size;
    while let Some(entry) = reader.next()? {
        reader.stream.guard.entry(limits.entries)?;
        if entry.is_dir() || matches!(entry.flag, b'g' | b'x') {
            continue;
        }
        let name = chart_name(&entry.name)?;
        check_size(&entry, remaining, limits)?;
        let content = reader.content()?;
        let read = content.len() as u64;
        remaining = remaining.saturating_sub(read);
        // Links name a size too, but never have content.
        if i64::try_from(read).is_ok_and(|read| read < entry.size) || remaining == 0 {
            return Err(ArchiveErrorKind::ChartSize(limits.chart_size).into());
        }
        found.push((name, content));
    }
    if found.is_empty() {
        return Err(ArchiveErrorKind::Empty.into());
    }
    let buffer = Arc::new(reader.stream.into_buffer());
    Ok(found.into_iter().map(|(name, content)| file(&buffer, name, content)).collect())
}

fn file(buffer: &Arc<Vec<u8>>, name: Str, content: Content) -> File {
    let data = match content {
        Content::Slice(range) => Bytes::shared(buffer, range),
        Content::Own(bytes) => bytes,
    };
    File { name, data: data.without_bom() }
}

/// An entry's name without its first element, after Helm's checks.
fn chart_name(name: &[u8]) -> Result<Str, ArchiveErrorKind> {
    let separator = if name.contains(&b'\\') { b'\\' } else { b'/' };
    let cut = name.iter().position(|&b| b == separator);
    let (base, rest) = match cut {
        Some(at) => (name.get(..at).unwrap_or_default(), name.get(at + 1..).unwrap_or_default()),
        None => (name, &b""[..]),
    };
    let rest: Vec<u8> = rest.iter().map(|&b| if b == separator { b'/' } else { b }).collect();
    if rest.starts_with(b"/") {
        return Err(ArchiveErrorKind::AbsolutePath);
    }
    let cleaned = path::clean(&rest);
    match cleaned.as_slice() {
        b"." => Err(ArchiveErrorKind::OutsideBase(name.into())),
        [b'.', b'.', ..] => Err(ArchiveErrorKind::ParentDirectory),
        [drive, b':', b'/', ..] if drive.is_ascii_alphabetic() => {
            Err(ArchiveErrorKind::IllegalName)
        }
        _ if base == b"Chart.yaml" => Err(ArchiveErrorKind::MisplacedChartYaml),
        _ => Ok(Str::from(cleaned)),
    }
}

fn check_size(
    entry: &Entry,
    remaining: u64,
    limits: &ArchiveLimits,
) -> Result<(), ArchiveErrorKind> {
    let size = u64::try_from(entry.size).unwrap_or(0);
    if size > remaining {
        return Err(ArchiveErrorKind::ChartSize(limits.chart_size));
    }
    if size > limits.file_size {
        let name = entry.name.as_slice().into();
        return Err(ArchiveErrorKind::FileSize { name, limit: limits.file_size });
    }
    Ok(())
}
