//! Flux's HelmReleases rendered without Flux: what helm-controller would install, from the same files.
//!
//! [`Inventory`] holds the objects that a cluster would hold: HelmReleases and the sources, ConfigMaps
//! and Secrets that they name. [`render()`] follows source-controller and helm-controller 1.6.3 from a
//! HelmRelease to the release's manifest: the chart's version is picked, the values are put together in
//! Flux's order, the chart is rendered, and the outcome goes through the post-renderers and gets Flux's
//! labels. A failure has the reason and the message that the HelmRelease's condition would have.
//!
//! This crate opens no files and no connections; charts come through [`Charts`].
//!
//! ```
//! use bowsprit_flux::Inventory;
//!
//! let mut inventory = Inventory::new("default");
//! inventory.read("web.yaml", b"\
//! apiVersion: helm.toolkit.fluxcd.io/v2
//! kind: HelmRelease
//! metadata: {name: web, namespace: shop}
//! spec:
//!   targetNamespace: front
//!   chartRef: {kind: OCIRepository, name: web}
//! ")?;
//! let release = &inventory.helm_releases()[0];
//! assert_eq!(release.helm_release_name(), "front-web");
//! assert_eq!(release.release_namespace(), "front");
//! # Ok::<(), bowsprit_flux::ReadError>(())
//! ```

mod access;
mod capabilities;
pub mod convert;
mod dependencies;
mod error;
mod ignored;
mod inventory;
pub mod karmada;
pub mod kustomization;
mod postrender;
mod readiness;
mod release;
mod render;
mod source;
mod sources;
mod values;

pub use capabilities::capabilities;
pub use error::{Failure, Reason};
pub use inventory::{Inventory, ObjectRef, ReadError};
pub use readiness::{Question, Readiness, Verdict};
pub use release::{
    Action, ChartSource, ChartTemplate, CommonMetadata, CrdsPolicy, HelmRelease, Image, Kustomize,
    Patch, PostRenderStrategy, Target, ValuesReference,
};
pub use render::{Options, Rendered, render};
pub use source::{Access, Revision, Source};
pub use sources::{ChartImage, ChartVersion, Charts, FetchError, FolderChart, ImageRef};
