//! Why files are no chart.

use crate::Bytes;
use crate::archive::{ArchiveError, ArchiveErrorKind};
use crate::decode::DecodeError;
use crate::log::LogLine;
use crate::metadata::ValidationError;
use bowsprit_value::Str;
use std::fmt;

/// Why a chart could not be loaded. `Display` is Helm's text.
///
/// What was logged before the failure is part of the error, because Helm has printed it by then.
#[derive(Debug)]
pub struct Error(Box<Parts>);

#[derive(Debug)]
struct Parts {
    kind: ErrorKind,
    log: Vec<LogLine>,
}

/// What an [`Error`] is about.
#[derive(Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There is no `Chart.yaml`, or `.helmignore` hides it.
    ChartYamlMissing,
    /// An archive has no `Chart.yaml`.
    VersionUndetected,
    /// `apiVersion` is none that charts have.
    VersionUnsupported,
    /// A file of the chart can't be decoded.
    File {
        /// The file's name.
        name: &'static str,
        /// Why.
        source: DecodeError,
        /// What the file holds.
        text: Bytes,
    },
    /// The metadata is invalid.
    Validation(ValidationError),
    /// The archive is refused.
    Archive(ArchiveError),
    /// A directory in `charts/` is named like an archive.
    SubchartIsDirectory {
        /// The chart that it is in.
        parent: String,
        /// The directory's name.
        expected: Str,
        /// The first file in it.
        found: Str,
    },
    /// A subchart can't be loaded.
    Subchart {
        /// The file or directory in `charts/`.
        name: Str,
        /// The chart that it is in.
        parent: String,
        /// Why.
        source: Box<ErrorKind>,
    },
    /// Charts are nested more deeply than this. Not a limit of Helm's.
    TooDeep(usize),
}

impl Error {
    #[cold]
    pub(crate) fn new(kind: ErrorKind, log: Vec<LogLine>) -> Error {
        Error(Box::new(Parts { kind, log }))
    }

    /// What went wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// What was logged before it went wrong.
    pub fn log(&self) -> &[LogLine] {
        &self.0.log
    }

    /// Takes the error apart.
    pub fn into_parts(self) -> (ErrorKind, Vec<LogLine>) {
        (self.0.kind, self.0.log)
    }
}

/// A place in a chart's file that can't be decoded.
#[derive(Clone, Debug)]
pub struct BrokenFile<'e> {
    /// The file's name from the root of the chart, those of subcharts below `charts/`.
    pub path: String,
    /// What it holds.
    pub text: &'e [u8],
    /// The line that is wrong, from 1, where that is known.
    pub line: Option<usize>,
    /// What is wrong there, in few words.
    pub problem: String,
}

impl ErrorKind {
    /// The file that can't be decoded, if that is what is wrong.
    pub fn broken_file(&self) -> Option<BrokenFile<'_>> {
        let mut path = String::new();
        let mut kind = self;
        while let ErrorKind::Subchart { name, source, .. } = kind {
            path.push_str(&format!("charts/{}/", name.to_string_lossy()));
            kind = source;
        }
        let ErrorKind::File { name, source, text } = kind else { return None };
        path.push_str(name);
        Some(BrokenFile { path, text, line: source.line(), problem: source.problem() })
    }

    /// The innermost reason: that of the subchart's subchart.
    pub fn root(&self) -> &ErrorKind {
        let mut kind = self;
        while let ErrorKind::Subchart { source, .. } = kind {
            kind = source;
        }
        kind
    }

    /// True where a limit of ours was reached, not one of Helm's.
    pub fn is_limit(&self) -> bool {
        match self.root() {
            ErrorKind::TooDeep(_) => true,
            ErrorKind::Archive(error) => error.kind().is_limit(),
            _ => false,
        }
    }

    /// True for an archive that is not gzipped, which Helm tells apart from other broken ones.
    pub fn is_gzip_header(&self) -> bool {
        matches!(self, ErrorKind::Archive(error) if *error.kind() == ArchiveErrorKind::GzipHeader)
    }
}

impl From<ArchiveError> for ErrorKind {
    fn from(error: ArchiveError) -> ErrorKind {
        ErrorKind::Archive(error)
    }
}

impl From<ValidationError> for ErrorKind {
    fn from(error: ValidationError) -> ErrorKind {
        ErrorKind::Validation(error)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut kind = self;
        while let ErrorKind::Subchart { name, parent, source } = kind {
            write!(f, "error unpacking subchart {} in {parent}: ", name.to_string_lossy())?;
            kind = source;
        }
        match kind {
            Self::ChartYamlMissing => f.write_str("Chart.yaml file is missing"),
            Self::VersionUndetected => {
                f.write_str("unable to detect chart version, no Chart.yaml found")
            }
            Self::VersionUnsupported => f.write_str("unsupported chart version"),
            Self::File { name, source, .. } => write!(f, "cannot load {name}: {source}"),
            Self::Validation(error) => error.fmt(f),
            Self::Archive(error) => error.fmt(f),
            Self::SubchartIsDirectory { parent, expected, found } => write!(
                f,
                "error unpacking subchart tar in {parent}: expected {}, got {}",
                expected.to_string_lossy(),
                found.to_string_lossy()
            ),
            Self::Subchart { .. } => Ok(()),
            Self::TooDeep(limit) => write!(f, "charts are nested more than {limit} deep"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.kind.fmt(f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self.0.kind.root() {
            ErrorKind::File { source, .. } => Some(source),
            ErrorKind::Validation(error) => Some(error),
            ErrorKind::Archive(error) => Some(error),
            _ => None,
        }
    }
}
