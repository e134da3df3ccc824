//! Charts as Helm reads them: archives, files, metadata. Expectations were taken from Helm 4.2.4.

#![allow(clippy::unwrap_used)]

mod archive;
mod files;
mod metadata;
mod tar;
