//! Where charts come from: directories, archives, repositories, registries.
//!
//! [`load`] takes what the user wrote, [`locate`] turns that into a path, and [`load_path`] reads a
//! path. They fail where Helm fails, in the same order and with the same words, and read the disk and
//! nothing else.
//!
//! With the feature `network`, `Sources` finds what is not on disk: charts of repositories ([`repo`]),
//! registries ([`oci`]) and URLs, sharing Helm's files and caches. It is asynchronous; `Blocking` waits
//! for those who have no runtime. Requests are made by whatever implements [`net::Fetch`].
//!
//! What is in the files is the business of [`bowsprit_chart`]. What Helm logs is returned with the chart
//! or with the [`Error`].
//!
//! ```no_run
//! use bowsprit_loader::{Options, load};
//!
//! let loaded = load("./charts/web", &Options::default())?;
//! for line in &loaded.warnings {
//!     eprintln!("{line}");
//! }
//! println!("{} {}", loaded.output.metadata.name, loaded.output.metadata.version);
//! # Ok::<(), bowsprit_loader::Error>(())
//! ```

mod archive;
#[cfg(feature = "network")]
mod blocking;
#[cfg(feature = "network")]
mod content;
mod create;
mod dependency;
mod dir;
mod error;
mod expand;
mod files;
#[cfg(feature = "network")]
mod getter;
#[cfg(feature = "network")]
mod git;
mod io;
mod listing;
#[cfg(feature = "network")]
pub mod net;
#[cfg(feature = "network")]
pub mod oci;
mod package;
#[cfg(feature = "network")]
mod paths;
#[cfg(feature = "provenance")]
mod provenance;
mod reference;
#[cfg(feature = "network")]
pub mod repo;
mod sniff;
#[cfg(feature = "network")]
mod sources;
#[cfg(feature = "network")]
mod time;
mod unread;
#[cfg(feature = "network")]
mod watch;

#[cfg(feature = "network")]
pub use blocking::{Blocking, Interrupted};
pub use create::{CreateError, CreateOptions, Created, create};
#[cfg(feature = "network")]
pub use dependency::{
    DependencyError, DependencyEvent, DependencyOptions, build_dependencies, update_dependencies,
};
pub use dependency::{Listing, Status, list_dependencies};
pub use error::{Error, ErrorKind};
pub use expand::{ExpandError, expand};
#[cfg(feature = "network")]
pub use git::{GitError, GitQuery};
pub use io::{LinkError, PathError};
#[cfg(feature = "provenance")]
pub use package::sign_package;
pub use package::{Package, PackageError, PackageOptions, package};
#[cfg(feature = "network")]
pub use paths::HelmPaths;
#[cfg(feature = "provenance")]
pub use provenance::{
    Keyring, ProvenanceError, Signer, Verification, default_keyring, sign_chart, verify_chart,
    verify_chart_as,
};
pub use reference::locate;
#[cfg(feature = "network")]
pub use sources::{ChartQuery, Located, Place, Provenance, Said, Sources, Updates};
#[cfg(feature = "network")]
pub use watch::{Hold, Watch};

use bowsprit_chart::{Bytes, Chart, Limits, ReadFailure, Warned};
use std::path::Path;

/// Where symbolic links in a chart's directory may lead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Symlinks {
    /// Anywhere, as in Helm; each is logged.
    #[default]
    Follow,
    /// Only to places inside the chart's directory; others are errors.
    InsideChart,
}

/// What is made of `apiVersion` before anything else is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ApiVersions {
    /// It must be one that charts have, as in `template` and `install`. Why an archive is broken is not
    /// told.
    #[default]
    Known,
    /// It may be anything, as in `show`: all charts are read as `v1` and `v2` are. Why an archive is
    /// broken is told.
    Any,
}

/// How a chart is loaded. The default is what Helm does.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// Which versions of the chart format are read.
    pub api_versions: ApiVersions,
    /// Where symbolic links may lead.
    pub symlinks: Symlinks,
    /// What the chart may cost. For a directory the entries and inflated bytes count too.
    pub limits: Limits,
    /// Leaves large Markdown files of a directory, which only `.Files` shows, open and unread until somebody
    /// looks at them. What can't be read then is told here. Where the system has no such reads, they are read.
    pub unread: Option<ReadFailure>,
}

impl Options {
    /// Options for charts that nobody trusts.
    #[must_use]
    pub fn strict() -> Options {
        Options { symlinks: Symlinks::InsideChart, limits: Limits::strict(), ..Options::default() }
    }
}

/// Loads the chart that a reference stands for: a path, for now.
///
/// # Errors
/// As [`locate`] and [`load_path`].
pub fn load(reference: &str, options: &Options) -> Result<Warned<Chart>, Error> {
    load_path(&locate(reference)?, options)
}

/// Loads the chart in a directory or an archive.
///
/// # Errors
/// For files that can't be read and charts that Helm refuses, with Helm's words, and for limits.
pub fn load_path(path: &Path, options: &Options) -> Result<Warned<Chart>, Error> {
    if io::stat(path)?.is_dir() { dir::load(path, options) } else { archive::load(path, options) }
}

/// Loads the chart in an archive that has been read already; `path` is for errors.
///
/// # Errors
/// As [`load_path`].
pub fn load_archive(
    path: &Path,
    archive: impl Into<Bytes>,
    options: &Options,
) -> Result<Warned<Chart>, Error> {
    archive::load_bytes(path, archive.into(), options)
}
