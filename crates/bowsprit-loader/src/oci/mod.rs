//! Charts in OCI registries: pull, push, tags, login.
//!
//! The distribution protocol is a handful of requests, made here by [`net::Client`](crate::net::Client),
//! whose policy holds for them too. What comes is checked against its digest while it streams; a tag is
//! resolved once, and everything after that goes by digest.

mod challenge;
mod credentials;
mod error;
mod manifest;
mod pull;
mod push;
mod reference;
mod registry;

pub use credentials::CredentialStore;
pub use error::OciError;
pub use manifest::{Descriptor, Manifest};
pub use pull::{Pulled, Resolved, matching_tag};
pub use push::{Pushed, UNDERSCORE};
pub use reference::OciReference;
pub(crate) use reference::is_digest;
pub use registry::{Registry, RegistryOptions};

/// The media type of a chart's metadata.
pub const CONFIG_MEDIA_TYPE: &str = "application/vnd.cncf.helm.config.v1+json";
/// The media type of a chart's archive.
pub const CHART_MEDIA_TYPE: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
/// The media type of a chart's provenance.
pub const PROVENANCE_MEDIA_TYPE: &str = "application/vnd.cncf.helm.chart.provenance.v1.prov";
/// What the media type of a chart's archive was before registries were supported for good.
pub const LEGACY_CHART_MEDIA_TYPE: &str = "application/tar+gzip";

const MANIFEST_MEDIA_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
