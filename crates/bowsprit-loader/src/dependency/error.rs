//! Why dependencies could not be brought.

use crate::Error;
use crate::io::PathError;
use bowsprit_chart::OutOfSync;
use bowsprit_value::strconv;
use std::fmt;

/// Why dependencies could not be brought. `{}` is Helm's text; `{:#}` adds what is known of requests.
#[derive(Debug)]
#[non_exhaustive]
pub enum DependencyError {
    /// A chart can't be loaded.
    Load(Error),
    /// The disk refuses.
    Path(PathError),
    /// The lock was made for other dependencies.
    OutOfSync(OutOfSync),
    /// Repositories that have not been added.
    UnknownRepositories(Vec<String>),
    /// Charts need each other in a circle: their names.
    Cycle(String),
    /// The lock is a symbolic link, through which nothing is written.
    LockIsSymlink {
        /// The file's name.
        name: &'static str,
        /// Where it leads.
        target: String,
    },
    /// A chart can't be had: what was tried, and why not.
    Fetch(String, Error),
    /// A chart is not in `charts/` and not in the cache, and nothing may be fetched.
    Offline(String),
    /// A chart's signature does not hold.
    Provenance(String),
    /// Anything else that Helm refuses.
    Invalid(String),
}

pub(super) fn quote(text: &str) -> String {
    String::from_utf8_lossy(&strconv::quote(text.as_bytes())).into_owned()
}

impl fmt::Display for DependencyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DependencyError::Load(error) => error.fmt(f),
            DependencyError::Path(error) => error.fmt(f),
            DependencyError::OutOfSync(error) => error.fmt(f),
            DependencyError::UnknownRepositories(urls) => write!(
                f,
                "no repository definition for {}. Please add the missing repos via 'helm repo add'",
                urls.join(", ")
            ),
            DependencyError::Cycle(names) => write!(f, "dependency cycle: {names}"),
            DependencyError::LockIsSymlink { name, target } => {
                write!(f, "the {name} file is a symlink to {}", quote(target))
            }
            DependencyError::Fetch(what, error) => {
                f.write_str(what)?;
                error.fmt(f)
            }
            DependencyError::Offline(what) => write!(
                f,
                "{what} is neither in charts/ nor in the cache, and --offline forbids fetching it"
            ),
            DependencyError::Provenance(text) | DependencyError::Invalid(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for DependencyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            DependencyError::Load(error) | DependencyError::Fetch(_, error) => Some(error),
            DependencyError::Path(error) => Some(error),
            DependencyError::OutOfSync(error) => Some(error),
            _ => None,
        }
    }
}

impl From<Error> for DependencyError {
    fn from(error: Error) -> DependencyError {
        DependencyError::Load(error)
    }
}

impl From<PathError> for DependencyError {
    fn from(error: PathError) -> DependencyError {
        DependencyError::Path(error)
    }
}
