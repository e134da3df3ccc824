//! One chart, many clusters: targets, layers of values, rings and promotion.
//!
//! A [`FleetFile`] names releases, the clusters they are for and the layers of values that hold for which
//! of them. [`plan()`] finds the clusters that get a release with the same inputs, [`render()`] renders each
//! such group once, in parallel and in bounded memory, and notices groups with the same outcome.
//! [`promote`] moves a version, or the release itself, from ring to ring behind a gate, [`expand()`] joins groups that differ in
//! strings alone for KubeStellar, and [`report`] shows all of it on one page.
//!
//! This crate reaches outside through [`World`] alone: it opens no file and no connection.
//!
//! ```
//! use bowsprit_fleet::{FleetFile, Target};
//!
//! let text = b"
//! apiVersion: bowsprit.dev/v1alpha1
//! kind: Fleet
//! name: shop
//! rings:
//! - {name: canary, selector: ring=canary}
//! - {name: stable}
//! releases:
//! - {name: web, namespace: web, chart: ./web, version: 1.2.0, versions: {canary: 1.3.0}}
//! ";
//! let file = FleetFile::parse("bowsprit.yaml", text)?;
//! let labels = [("ring".to_owned(), "canary".to_owned())].into();
//! let edge = Target::new("edge-1", labels);
//! let version = bowsprit_fleet::version_for(&file, &file.releases[0], &edge);
//! assert_eq!(version, Some("1.3.0"));
//! # Ok::<(), bowsprit_fleet::Error>(())
//! ```

mod deliver;
mod error;
mod expand;
mod file;
mod health;
mod layers;
mod plan;
pub mod promote;
mod render;
pub mod report;
mod target;
mod world;

pub use deliver::{
    Consigned, Consignment, RELEASE_LABEL, Version, Versions, consign, cover, release_id, share,
};
pub use error::Error;
pub use expand::{
    ANNOTATION as EXPAND_ANNOTATION, Expansion, NAMESPACE as PROPERTY_NAMESPACE, Variant, expand,
    property_maps,
};
pub use file::{
    API_VERSION, CapabilityRule, Delivery, FleetFile, Gate, Layer, LayerContent, ReleaseSpec, Ring,
    SCHEMA, TargetSource,
};
pub use health::{COLLECTOR, Health, ObjectStatus, STATUS_COLLECTOR, health, read_statuses};
pub use layers::{ResolvedLayer, merge_layers};
pub use plan::{
    Group, Offer, Plan, ReleasePlan, Scope, Shard, is_served, plan, ring_of, version_for,
};
pub use render::{Outcome, Output, describe, digest, render};
pub use target::{Target, join, of_object, parse_targets};
pub use world::{Rendered, World};
