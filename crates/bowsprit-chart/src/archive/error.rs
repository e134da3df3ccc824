//! Why an archive is no chart.

use crate::quote::quote;
use bowsprit_value::Str;
use std::fmt;

/// Why reading stopped, one layer below the chart's own rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReadError {
    Eof,
    UnexpectedEof,
    GzipHeader,
    GzipChecksum,
    /// Go's offset in the deflate stream.
    Flate(u64),
    TarHeader,
    TarFieldTooLong,
    SparseTooLong,
    SparseMissingData,
    SparseUnreferencedData,
    Entries(usize),
    Inflated(u64),
    Ratio(u64),
}

impl ReadError {
    /// Go's `noEOF`: an end where more was promised.
    pub(super) fn no_eof(self) -> ReadError {
        if self == ReadError::Eof { ReadError::UnexpectedEof } else { self }
    }
}

/// Why an archive was refused. Boxed: one word.
#[derive(Debug)]
pub struct ArchiveError(Box<ArchiveErrorKind>);

/// What was wrong with an archive; `Display` is Helm's text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArchiveErrorKind {
    /// The data ended too early, or there was none.
    Truncated {
        /// False for an end in the midst of something.
        clean: bool,
    },
    /// No gzip header, at the start or after a member.
    GzipHeader,
    /// A member's checksum or length is wrong.
    GzipChecksum,
    /// The deflate stream is broken at this byte.
    Corrupt(u64),
    /// A tar header can't be read.
    TarHeader,
    /// A PAX or GNU header is too long.
    TarFieldTooLong,
    /// A sparse map has too many entries.
    SparseTooLong,
    /// A sparse map claims data that is not there.
    SparseMissingData,
    /// A sparse map does not mention all of the data.
    SparseUnreferencedData,
    /// A name is absolute below its first element.
    AbsolutePath,
    /// A file at the top, outside any directory.
    OutsideBase(Str),
    /// A name leaves the chart.
    ParentDirectory,
    /// A name that looks like a Windows drive.
    IllegalName,
    /// `Chart.yaml` as a directory at the top.
    MisplacedChartYaml,
    /// All files together reach this many bytes.
    ChartSize(u64),
    /// One file has more bytes than `limit`.
    FileSize {
        /// The entry's full name.
        name: Str,
        /// Bytes that a file may have.
        limit: u64,
    },
    /// No files at all.
    Empty,
    /// More entries than this. Not a limit of Helm's.
    Entries(usize),
    /// Inflates to more bytes than this. Not a limit of Helm's.
    Inflated(u64),
    /// Inflates to more than this many times its size. Not a limit of Helm's.
    Ratio(u64),
}

impl ArchiveError {
    /// What was wrong.
    pub fn kind(&self) -> &ArchiveErrorKind {
        &self.0
    }
}

impl From<ArchiveErrorKind> for ArchiveError {
    #[cold]
    fn from(kind: ArchiveErrorKind) -> ArchiveError {
        ArchiveError(Box::new(kind))
    }
}

impl From<ReadError> for ArchiveError {
    #[cold]
    fn from(error: ReadError) -> ArchiveError {
        ArchiveErrorKind::from(error).into()
    }
}

impl From<ReadError> for ArchiveErrorKind {
    fn from(error: ReadError) -> ArchiveErrorKind {
        match error {
            ReadError::Eof => ArchiveErrorKind::Truncated { clean: true },
            ReadError::UnexpectedEof => ArchiveErrorKind::Truncated { clean: false },
            ReadError::GzipHeader => ArchiveErrorKind::GzipHeader,
            ReadError::GzipChecksum => ArchiveErrorKind::GzipChecksum,
            ReadError::Flate(offset) => ArchiveErrorKind::Corrupt(offset),
            ReadError::TarHeader => ArchiveErrorKind::TarHeader,
            ReadError::TarFieldTooLong => ArchiveErrorKind::TarFieldTooLong,
            ReadError::SparseTooLong => ArchiveErrorKind::SparseTooLong,
            ReadError::SparseMissingData => ArchiveErrorKind::SparseMissingData,
            ReadError::SparseUnreferencedData => ArchiveErrorKind::SparseUnreferencedData,
            ReadError::Entries(limit) => ArchiveErrorKind::Entries(limit),
            ReadError::Inflated(limit) => ArchiveErrorKind::Inflated(limit),
            ReadError::Ratio(limit) => ArchiveErrorKind::Ratio(limit),
        }
    }
}

impl ArchiveErrorKind {
    /// True for the limits that are not Helm's.
    pub fn is_limit(&self) -> bool {
        use ArchiveErrorKind::{Entries, Inflated, Ratio};
        matches!(self, Entries(_) | Inflated(_) | Ratio(_))
    }

    fn fixed_text(&self) -> &'static str {
        match self {
            Self::Truncated { clean: true } => "EOF",
            Self::Truncated { clean: false } => "unexpected EOF",
            Self::GzipHeader => "gzip: invalid header",
            Self::GzipChecksum => "gzip: invalid checksum",
            Self::TarHeader => "archive/tar: invalid tar header",
            Self::TarFieldTooLong => "archive/tar: header field too long",
            Self::SparseTooLong => "archive/tar: sparse map too long",
            Self::SparseMissingData => "archive/tar: sparse file references non-existent data",
            Self::SparseUnreferencedData => "archive/tar: sparse file contains unreferenced data",
            Self::AbsolutePath => "chart illegally contains absolute paths",
            Self::ParentDirectory => "chart illegally references parent directory",
            Self::IllegalName => "chart contains illegally named files",
            Self::MisplacedChartYaml => "chart yaml not in base directory",
            Self::Empty => "no files in chart archive",
            _ => "",
        }
    }
}

impl fmt::Display for ArchiveErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Corrupt(offset) => write!(f, "flate: corrupt input before offset {offset}"),
            Self::OutsideBase(name) => write!(
                f,
                "chart illegally contains content outside the base directory: {}",
                quote(name.as_bytes())
            ),
            Self::ChartSize(limit) => {
                write!(f, "decompressed chart is larger than the maximum size {limit}")
            }
            Self::FileSize { name, limit } => write!(
                f,
                "decompressed chart file {} is larger than the maximum file size {limit}",
                quote(name.as_bytes())
            ),
            Self::Entries(limit) => write!(f, "chart archive has more than {limit} entries"),
            Self::Inflated(limit) => {
                write!(f, "chart archive inflates to more than {limit} bytes")
            }
            Self::Ratio(limit) => {
                write!(f, "chart archive inflates to more than {limit} times its size")
            }
            fixed => f.write_str(fixed.fixed_text()),
        }
    }
}

impl fmt::Display for ArchiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for ArchiveError {}
