//! Why a chart could not be loaded from where it is.

use crate::io::{LinkError, PathError};
use bowsprit_chart::{ArchiveError, IgnoreError, LogLine};
use bowsprit_value::strconv;
use std::fmt;
use std::path::PathBuf;

/// Why a chart could not be loaded. `Display` is Helm's text, as it stands after `Error: `.
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
    /// The path of the reference does not exist.
    NotFound(String),
    /// The reference is neither a path nor a URL.
    InvalidUrl(String),
    /// The reference, written as a URL, names no repository.
    NoRepository(String),
    /// The reference is one that this version can't follow.
    Unsupported(String),
    /// A repository could not be used.
    #[cfg(feature = "network")]
    Repository(crate::repo::Error),
    /// A registry could not be used.
    #[cfg(feature = "network")]
    Registry(crate::oci::OciError),
    /// An archive is not the one that the index promised.
    WrongDigest {
        /// Where it came from.
        url: String,
        /// The digest that the index has.
        wanted: String,
        /// The digest of what came.
        found: String,
    },
    /// A provenance that must be there is not: what there is to say, and why.
    #[cfg(feature = "network")]
    NoProvenance(String, Option<Box<crate::repo::Error>>),
    /// The file system refuses.
    Io(PathError),
    /// A directory without a readable `Chart.yaml`.
    Undetected(PathError),
    /// A file of the chart can't be read.
    Reading {
        /// Its name in the chart.
        name: String,
        /// Why.
        source: PathError,
    },
    /// A link leads nowhere.
    Symlink {
        /// The link.
        path: PathBuf,
        /// Why.
        source: LinkError,
    },
    /// A link leads out of the chart's directory, and [`Options::symlinks`](crate::Options) forbids it.
    SymlinkLeaves {
        /// The link.
        path: PathBuf,
        /// Where it leads.
        resolved: PathBuf,
    },
    /// Neither a file nor a directory.
    Irregular(PathBuf),
    /// A file has more bytes than `limit`.
    FileSize {
        /// The last element of its name.
        name: String,
        /// Bytes that a file may have.
        limit: u64,
    },
    /// `.helmignore` is refused.
    Ignore(IgnoreError),
    /// The file is no archive.
    NotGzipped {
        /// The file.
        path: PathBuf,
        /// What it seems to be instead.
        content_type: &'static str,
    },
    /// The archive, or one inside it, has no gzip header.
    NoChartFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: bowsprit_chart::ErrorKind,
    },
    /// The archive is broken. Helm does not say how.
    BrokenArchive(ArchiveError),
    /// The files are no chart.
    Chart(bowsprit_chart::ErrorKind),
    /// The directory has more files than this. Not a limit of Helm's.
    Entries(usize),
    /// The file or directory has more bytes than this. Not a limit of Helm's.
    Size(u64),
}

impl Error {
    /// The chart's file that can't be decoded, if that is what is wrong.
    pub fn broken_file(&self) -> Option<bowsprit_chart::BrokenFile<'_>> {
        match self.kind() {
            ErrorKind::Chart(kind) | ErrorKind::NoChartFile { source: kind, .. } => {
                kind.broken_file()
            }
            _ => None,
        }
    }

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

    /// True where a limit of ours was reached, not one of Helm's.
    pub fn is_limit(&self) -> bool {
        match &self.0.kind {
            ErrorKind::Entries(_) | ErrorKind::Size(_) => true,
            ErrorKind::Chart(kind) => kind.is_limit(),
            #[cfg(feature = "network")]
            kind => kind.fetch().is_some_and(crate::net::FetchError::is_limit),
            #[cfg(not(feature = "network"))]
            _ => false,
        }
    }

    /// True where the options forbid what Helm would have done.
    pub fn is_denied(&self) -> bool {
        match &self.0.kind {
            ErrorKind::SymlinkLeaves { .. } => true,
            #[cfg(feature = "network")]
            kind => kind.fetch().is_some_and(crate::net::FetchError::is_denied),
            #[cfg(not(feature = "network"))]
            _ => false,
        }
    }

    /// True where the reference is a good one, but leads away from the disk.
    pub fn is_remote(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Unsupported(_))
    }
}

#[cfg(feature = "network")]
impl ErrorKind {
    /// The failed request, where there is one.
    pub fn fetch(&self) -> Option<&crate::net::FetchError> {
        match self {
            ErrorKind::Repository(error) => error.fetch(),
            ErrorKind::Registry(error) => error.fetch(),
            ErrorKind::NoProvenance(_, why) => why.as_ref()?.fetch(),
            _ => None,
        }
    }
}

impl From<ErrorKind> for Error {
    #[cold]
    fn from(kind: ErrorKind) -> Error {
        Error::new(kind, Vec::new())
    }
}

impl From<PathError> for ErrorKind {
    fn from(error: PathError) -> ErrorKind {
        ErrorKind::Io(error)
    }
}

impl From<PathError> for Error {
    fn from(error: PathError) -> Error {
        ErrorKind::Io(error).into()
    }
}

fn quote(text: &str) -> String {
    String::from_utf8_lossy(&strconv::quote(text.as_bytes())).into_owned()
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound(path) => write!(f, "path {} not found", quote(path)),
            Self::InvalidUrl(reference) => write!(f, "invalid chart URL format: {reference}"),
            Self::NoRepository(url) => write!(
                f,
                "non-absolute URLs should be in form of repo_name/path_to_chart, got: {url}"
            ),
            Self::Unsupported(reference) => write!(
                f,
                "chart references by URL, repository or OCI registry are not supported yet: {reference}"
            ),
            #[cfg(feature = "network")]
            Self::Repository(error) => error.fmt(f),
            #[cfg(feature = "network")]
            Self::Registry(error) => error.fmt(f),
            Self::WrongDigest { url, wanted, found } => wrong_digest(f, url, wanted, found),
            #[cfg(feature = "network")]
            Self::NoProvenance(text, why) => {
                f.write_str(text)?;
                match why.as_ref().and_then(|why| why.fetch()).filter(|_| f.alternate()) {
                    Some(fetch) => write!(f, "\n  reason: {fetch:#}"),
                    None => Ok(()),
                }
            }
            Self::Io(error) => error.fmt(f),
            Self::Undetected(error) => {
                write!(f, "unable to detect chart at {}: {error}", error.path().display())
            }
            Self::Reading { name, source } => write!(f, "error reading {name}: {source}"),
            Self::Symlink { path, source } => {
                write!(f, "error evaluating symlink {}: {source}", path.display())
            }
            Self::SymlinkLeaves { path, resolved } => write!(
                f,
                "symbolic link {} leads out of the chart to {}",
                path.display(),
                resolved.display()
            ),
            Self::Irregular(path) => write!(
                f,
                "cannot load irregular file {} as it has file mode type bits set",
                path.display()
            ),
            Self::FileSize { name, limit } => {
                let name = quote(name);
                write!(f, "chart file {name} is larger than the maximum file size {limit}")
            }
            Self::Ignore(error) => error.fmt(f),
            Self::NotGzipped { path, content_type } => not_gzipped(f, path, content_type),
            Self::NoChartFile { path, source } => write!(
                f,
                "file '{}' does not appear to be a valid chart file (details: {source})",
                path.display()
            ),
            Self::BrokenArchive(_) => f.write_str("unable to load chart archive"),
            Self::Chart(kind) => kind.fmt(f),
            Self::Entries(limit) => write!(f, "chart directory has more than {limit} entries"),
            Self::Size(limit) => write!(f, "chart has more than {limit} bytes"),
        }
    }
}

fn wrong_digest(f: &mut fmt::Formatter<'_>, url: &str, wanted: &str, found: &str) -> fmt::Result {
    write!(f, "the digest of {url} is {found}, but the repository's index says {wanted}")?;
    if !f.alternate() {
        return Ok(());
    }
    f.write_str("\n  hint: 'repo update' may bring a newer index; by its URL the archive can be had as it is")
}

fn not_gzipped(
    f: &mut fmt::Formatter<'_>,
    path: &std::path::Path,
    content_type: &str,
) -> fmt::Result {
    let path = path.display().to_string();
    if path.ends_with(".yml") || path.ends_with(".yaml") {
        return write!(f, "file '{path}' seems to be a YAML file, but expected a gzipped archive");
    }
    write!(f, "file '{path}' does not appear to be a gzipped archive; got '{content_type}'")
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.kind.fmt(f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.kind {
            ErrorKind::Io(error) | ErrorKind::Undetected(error) => Some(error),
            ErrorKind::Reading { source, .. } => Some(source),
            ErrorKind::Symlink { source, .. } => Some(source),
            ErrorKind::Ignore(error) => Some(error),
            ErrorKind::BrokenArchive(error) => Some(error),
            #[cfg(feature = "network")]
            ErrorKind::Repository(error) => Some(error),
            #[cfg(feature = "network")]
            ErrorKind::Registry(error) => Some(error),
            _ => None,
        }
    }
}
