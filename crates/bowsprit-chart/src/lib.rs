//! The Helm chart model, built from bytes already in memory.

mod archive;
mod bytes;
mod files;
mod path;
mod quote;

pub use archive::{ArchiveError, ArchiveErrorKind, ArchiveLimits, load_archive_files};
pub use bytes::Bytes;
pub use files::File;
