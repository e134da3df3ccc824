//! The Helm chart model, built from bytes already in memory.
//!
//! [`Chart::from_files`] sorts a chart's files into metadata, templates, values and subcharts;
//! [`Chart::from_archive`] takes a `.tgz`. Both accept what Helm accepts and refuse the rest with Helm's
//! words. What Helm logs meanwhile is returned with the result ([`Warned`]) or the [`Error`].
//!
//! The crate does no I/O: directories, `.helmignore` files and references are read by a loader, for
//! which [`Rules`] is here. Nor does it render: conditions, tags and aliases of dependencies are kept
//! as they are written.
//!
//! ```
//! use bowsprit_chart::{Chart, File, Limits, check_dependencies};
//!
//! let files = vec![File::new(
//!     "Chart.yaml",
//!     "apiVersion: v2\nname: web\nversion: 0.1.0\ndependencies: [{name: redis, version: ^20}]\n",
//! )];
//! let chart = Chart::from_files(files, &Limits::default())?.output;
//! assert_eq!(
//!     check_dependencies(&chart).unwrap_err().to_string(),
//!     "found in Chart.yaml, but missing in charts/ directory: redis",
//! );
//! # Ok::<(), bowsprit_chart::Error>(())
//! ```

mod archive;
mod bytes;
mod chart;
mod decode;
mod dependency;
mod encode;
mod error;
mod files;
mod glob;
mod ignore;
pub mod image;
mod index;
mod lock;
mod log;
mod metadata;
mod pack;
pub mod path;
mod quote;
mod time;
mod twins;

pub use archive::{ArchiveError, ArchiveErrorKind, ArchiveLimits, load_archive_files};
pub use bytes::{Bytes, ReadFailure};
pub use chart::{
    Chart, Crd, Format, InvalidApiVersion, Limits, NotInstallable, Reading, ValuesDocuments,
    Warned, is_crd_file,
};
pub use decode::DecodeError;
pub use dependency::{Dependency, Lock, MissingDependencies, check_dependencies};
pub use encode::EncodeError;
pub use error::{BrokenFile, Error, ErrorKind};
pub use files::File;
pub use glob::{BadPattern, Glob, GlobError, filepath_match};
pub use ignore::{HELM_IGNORE, IgnoreError, Rules};
pub use index::ChartVersion;
pub use lock::{OutOfSync, legacy_lock_digest, lock_digest};
pub use log::{Level, LogLine};
pub use metadata::{
    API_VERSION_V1, API_VERSION_V2, API_VERSION_V3, Maintainer, Metadata, ValidationError,
};
pub use pack::{PackError, PackOptions};
pub use twins::Twins;
