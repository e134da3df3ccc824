//! Chart archives: a gzipped tar in memory becomes a list of files.
//!
//! The reading is Go's, to the byte that an error names: what Helm accepts is accepted, and what it
//! refuses is refused with the same words at the same entry. Memory is bound by the limits, not by
//! what headers claim.

mod deflate;
mod error;
mod gzip;
mod header;
mod inflate;
mod pax;
mod quick;
mod sparse;
mod stream;
mod tar;
mod write;

pub(crate) use deflate::inflate;
use error::ReadError;
pub use error::{ArchiveError, ArchiveErrorKind};
pub(crate) use write::{TarWriter, gzip};

use crate::bytes::Packed;
use crate::path;
use crate::{Bytes, File};
use bowsprit_value::Str;
use quick::Quick;
use std::sync::Arc;
use stream::{Input, Stream};
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
            entries: 200_000,
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

/// What has been used of the limits beyond Helm's, by all archives of a chart.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spent {
    entries: usize,
    inflated: u64,
}

/// Stops an archive that uses too much.
#[derive(Debug)]
struct Guard {
    limits: ArchiveLimits,
    spent: Spent,
    /// Inflated bytes of this archive alone.
    inflated: u64,
}

impl Guard {
    /// So many bytes may be inflated whatever the ratio is.
    const FREE: u64 = 1 << 20;

    fn inflated(&mut self, more: usize, compressed: usize) -> Result<(), ReadError> {
        self.inflated = self.inflated.saturating_add(more as u64);
        self.spent.inflated = self.spent.inflated.saturating_add(more as u64);
        if self.spent.inflated > self.limits.inflated {
            return Err(ReadError::Inflated(self.limits.inflated));
        }
        match self.limits.ratio {
            Some(ratio)
                if self.inflated > Self::FREE
                    && self.inflated / ratio.max(1) > compressed as u64 =>
            {
                Err(ReadError::Ratio(ratio))
            }
            _ => Ok(()),
        }
    }

    fn entry(&mut self) -> Result<(), ReadError> {
        self.spent.entries += 1;
        if self.spent.entries > self.limits.entries {
            return Err(ReadError::Entries(self.limits.entries));
        }
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
    read_archive(&Bytes::from(archive), limits, &mut Spent::default())
}

/// As [`load_archive_files`], for one of several archives.
pub(crate) fn read_archive(
    archive: &Bytes,
    limits: &ArchiveLimits,
    spent: &mut Spent,
) -> Result<Vec<File>, ArchiveError> {
    if let Some(files) = read_quickly(archive, limits, spent) {
        return Ok(files);
    }
    let guard = Guard { limits: limits.clone(), spent: spent.clone(), inflated: 0 };
    let mut reader = Reader::new(Stream::new(archive, guard)?);
    let found = read_entries(&mut reader, limits)?;
    if found.is_empty() {
        return Err(ArchiveErrorKind::Empty.into());
    }
    *spent = reader.stream.guard.spent.clone();
    let buffer = Arc::new(reader.stream.into_buffer());
    let packed = Arc::default();
    Ok(found.into_iter().map(|(name, content)| file(&buffer, &packed, name, content)).collect())
}

/// Reads an archive that has nothing wrong; `None` for others, and nothing is spent.
fn read_quickly(archive: &Bytes, limits: &ArchiveLimits, spent: &mut Spent) -> Option<Vec<File>> {
    let guard = Guard { limits: limits.clone(), spent: spent.clone(), inflated: 0 };
    let member = gzip::read_header(archive, 0).ok()?;
    let hint = gzip::size_hint(archive);
    let mut reader = Reader::new(Quick::new(archive, member, hint, guard));
    let found = read_entries(&mut reader, limits).ok().filter(|found| !found.is_empty())?;
    *spent = reader.stream.guard.spent.clone();
    let end = found.iter().filter_map(|(_, content)| match content {
        Content::Later { range, .. } => Some(range.end),
        _ => None,
    });
    let packed =
        Arc::new(Packed::new(archive.slice(member..archive.len()), end.max().unwrap_or(0)));
    let buffer = Arc::new(reader.stream.into_store());
    Some(found.into_iter().map(|(name, content)| file(&buffer, &packed, name, content)).collect())
}

/// Whether a file is not likely to be looked at: custom resource definitions are large, many, and wanted
/// only by those who install them.
fn is_for_later(name: &[u8], size: i64) -> bool {
    let mut inside = name;
    while let Some(rest) = inside.strip_prefix(b"charts/")
        && let Some(slash) = rest.iter().position(|&b| b == b'/')
    {
        inside = rest.get(slash + 1..).unwrap_or_default();
    }
    inside.starts_with(b"crds/") && size >= 4096
}

fn read_entries<S: Input>(
    reader: &mut Reader<S>,
    limits: &ArchiveLimits,
) -> Result<Vec<(Str, Content)>, ArchiveError> {
    let mut found = Vec::new();
    let mut remaining = limits.chart_size;
    while let Some(entry) = reader.next()? {
        reader.stream.entry()?;
        if entry.is_dir() || entry.flag == b'g' {
            continue;
        }
        let name = chart_name(&entry.name)?;
        check_size(&entry, remaining, limits)?;
        let content = reader.content(is_for_later(name.as_bytes(), entry.size))?;
        let read = content.len() as u64;
        remaining = remaining.saturating_sub(read);
        // Links name a size too, but never have content.
        if i64::try_from(read).is_ok_and(|read| read < entry.size) || remaining == 0 {
            return Err(ArchiveErrorKind::ChartSize(limits.chart_size).into());
        }
        found.push((name, content));
    }
    Ok(found)
}

fn file(buffer: &Arc<Vec<u8>>, packed: &Arc<Packed>, name: Str, content: Content) -> File {
    let data = match content {
        Content::Slice(range) => Bytes::shared(buffer, range),
        Content::Later { range, .. } => {
            return File { name, data: Bytes::packed(packed, range) };
        }
        Content::Own(bytes) => bytes,
    };
    File::unmarked(name, data)
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
