//! Charts in archives.

use crate::error::{Error, ErrorKind};
use crate::io;
use crate::sniff::{SNIFF_LEN, detect_content_type};
use crate::{ApiVersions, Options};
use bowsprit_chart::{Bytes, Chart, ErrorKind as ChartError, Format, Warned};
use std::path::Path;

const GZIP_MAGIC: &[u8] = b"\x1f\x8b\x08";

/// `LoadFile`.
pub(crate) fn load(path: &Path, options: &Options) -> Result<Warned<Chart>, Error> {
    let limit = options.limits.archive.inflated;
    // Devices and pipes may never end; Helm too looks at the first bytes only.
    let head = io::read(path, SNIFF_LEN as u64)?;
    ensure_archive(path, &head)?;
    let archive = io::read(path, limit.saturating_add(1))?;
    load_bytes(path, archive.into(), options)
}

/// As [`load`], for an archive that has been read.
pub(crate) fn load_bytes(
    path: &Path,
    archive: Bytes,
    options: &Options,
) -> Result<Warned<Chart>, Error> {
    let limit = options.limits.archive.inflated;
    ensure_archive(path, archive.get(..SNIFF_LEN).unwrap_or(&archive))?;
    if archive.len() as u64 > limit {
        return Err(ErrorKind::Size(limit).into());
    }
    let loaded = match options.api_versions {
        ApiVersions::Known => Chart::from_archive(archive, &options.limits),
        ApiVersions::Any => Chart::from_archive_as(Format::V2, archive, &options.limits),
    };
    loaded.map_err(|error| {
        let (kind, log) = error.into_parts();
        Error::new(rephrase(kind, path, options.api_versions), log)
    })
}

/// `EnsureArchive`.
fn ensure_archive(path: &Path, head: &[u8]) -> Result<(), ErrorKind> {
    let mut block = [0; SNIFF_LEN];
    block.iter_mut().zip(head).for_each(|(to, from)| *to = *from);
    if block.starts_with(GZIP_MAGIC) {
        return Ok(());
    }
    let content_type = detect_content_type(&block);
    Err(ErrorKind::NotGzipped { path: path.to_owned(), content_type })
}

/// Helm says little about broken archives, unless it is another archive that is inside.
fn rephrase(kind: ChartError, path: &Path, api_versions: ApiVersions) -> ErrorKind {
    match kind {
        kind if kind.is_limit() => ErrorKind::Chart(kind),
        kind if kind.root().is_gzip_header() => {
            ErrorKind::NoChartFile { path: path.to_owned(), source: kind }
        }
        ChartError::Archive(error) if api_versions == ApiVersions::Known => {
            ErrorKind::BrokenArchive(error)
        }
        kind => ErrorKind::Chart(kind),
    }
}
