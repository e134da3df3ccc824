//! What Helm prints while it brings dependencies.

use super::error::quote;
use bowsprit_chart::LogLine;
use std::fmt;

/// A step on the way. `Display` is Helm's line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DependencyEvent {
    /// Indexes of repositories that have not been added are fetched.
    UpdatingUnmanaged,
    /// Indexes of the repositories that have been added are fetched.
    Updating,
    /// An index is there; the repository's name, or its URL if it has not been added.
    Updated(String),
    /// An index can't be had: how the repository is called, and why.
    NotUpdated(String, String),
    /// All indexes are there, or can't be had.
    UpdateComplete,
    /// With `debug`: a dependency is a directory.
    LocalRepository(String),
    /// So many charts are to be brought.
    Saving(usize),
    /// A chart is expected in `charts/`.
    NoRepository(String),
    /// With `debug`: a directory is packed; the chart's name and the directory.
    Archiving(String, String),
    /// A chart is fetched; its name and repository.
    Downloading(String, String),
    /// A chart has been fetched for another dependency.
    AlreadyDownloaded(String, String),
    /// What the lock names is in `charts/` already, in this file.
    AlreadyThere(String, String),
    /// What a registry or a verification says, with its line breaks.
    Notice(String),
    /// Nothing is changed, for this reason.
    SaveError(String),
    /// What is in `charts/` and not needed is removed.
    DeletingOutdated,
    /// A file in `charts/` is left alone, because it is no chart.
    NotDeleted(String, String),
    /// Something for the log.
    Log(LogLine),
}

impl fmt::Display for DependencyEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UpdatingUnmanaged => {
                f.write_str("Getting updates for unmanaged Helm repositories...")
            }
            Self::Updating => {
                f.write_str("Hang tight while we grab the latest from your chart repositories...")
            }
            Self::Updated(name) => {
                write!(f, "...Successfully got an update from the {} chart repository", quote(name))
            }
            Self::NotUpdated(which, why) => {
                write!(f, "...Unable to get an update from the {which}:\n\t{why}")
            }
            Self::UpdateComplete => f.write_str("Update Complete. ⎈Happy Helming!⎈"),
            Self::LocalRepository(path) => write!(f, "Repository from local path: {path}"),
            Self::Saving(count) => write!(f, "Saving {count} charts"),
            Self::NoRepository(name) => write!(
                f,
                "Dependency {name} did not declare a repository. Assuming it exists in the charts \
                 directory"
            ),
            Self::Archiving(name, from) => write!(f, "Archiving {name} from repo {from}"),
            Self::Downloading(name, from) => write!(f, "Downloading {name} from repo {from}"),
            Self::AlreadyDownloaded(name, from) => {
                write!(f, "Already downloaded {name} from repo {from}")
            }
            Self::AlreadyThere(name, file) => write!(f, "Keeping {name}, which is in {file}"),
            Self::Notice(text) => f.write_str(text.strip_suffix('\n').unwrap_or(text)),
            Self::SaveError(why) => write!(f, "Save error occurred:  {why}"),
            Self::DeletingOutdated => f.write_str("Deleting outdated charts"),
            Self::NotDeleted(file, why) => {
                write!(f, "Could not verify {file} for deletion: {why} (Skipping)")
            }
            Self::Log(line) => line.fmt(f),
        }
    }
}
