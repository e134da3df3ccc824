//! What a chart needs: listing it, finding versions for it, bringing it into `charts/`.
//!
//! [`list_dependencies`] looks at the disk only. [`update_dependencies`] finds the newest versions that
//! `Chart.yaml` allows and writes the lock; [`build_dependencies`] brings what the lock names. Archives
//! are fetched at the same time, each once, into the cache that is shared with Helm and keyed by digest,
//! and appear in `charts/` only when all of them are there.

#[cfg(feature = "network")]
mod error;
#[cfg(feature = "network")]
mod event;
#[cfg(feature = "network")]
mod fetch;
mod list;
#[cfg(feature = "network")]
mod local;
#[cfg(feature = "network")]
mod manager;
#[cfg(feature = "network")]
mod place;
#[cfg(feature = "network")]
mod resolve;

#[cfg(feature = "network")]
pub use error::DependencyError;
#[cfg(feature = "network")]
pub use event::DependencyEvent;
pub use list::{Listing, Status, list_dependencies};
#[cfg(feature = "network")]
pub use manager::{DependencyOptions, build_dependencies, update_dependencies};
