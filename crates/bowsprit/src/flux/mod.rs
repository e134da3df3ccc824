//! Flux's HelmReleases, rendered from files: [`bowsprit_flux`] with charts from the disk, or
//! from where Flux brings them.
//!
//! [`Mirrors`] says which folder stands for which of the URLs that Flux's sources name: a chart
//! repository with or without its index, an OCI image layout, or the files of a Git repository. With the
//! feature `network`, `Network` asks repositories, registries and Git where there is no such folder.
//!
//! ```no_run
//! use bowsprit::Engine;
//! use bowsprit::flux::{Inventory, Mirrors, Options, render};
//! use bowsprit::value::Hermetic;
//!
//! let mut inventory = Inventory::new("default");
//! inventory.read("web.yaml", &std::fs::read("web.yaml")?)?;
//! let mut mirrors = Mirrors::new();
//! mirrors.add("https://charts.example/stable=mirror/stable")?;
//! for release in inventory.helm_releases() {
//!     let options = Options::default();
//!     let host = Hermetic::default();
//!     let rendered = render(&release, &inventory, &mirrors, &Engine::new(), &host, &options)?;
//!     print!("{}{}", rendered.manifest(), rendered.hooks_text());
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod layout;
mod mirrors;
#[cfg(feature = "network")]
mod network;
#[cfg(feature = "policies")]
mod readiness;
mod releases;
mod repository;
#[cfg(feature = "network")]
mod scratch;

pub use bowsprit_flux::*;
pub use mirrors::{MirrorError, Mirrors};
#[cfg(feature = "network")]
pub use network::Network;
#[cfg(feature = "policies")]
pub use readiness::Cel;
pub use releases::{Outcome, Rendering, RenderingDifference, compare, render_all};
