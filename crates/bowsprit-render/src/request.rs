//! What one render is given.

use crate::scope::{Capabilities, ReleaseOptions};
use bowsprit_value::Map;

/// The values, release and capabilities of one render.
///
/// ```
/// use bowsprit_render::RenderRequest;
///
/// let request = RenderRequest::new("web", "prod").skip_schema_validation(true);
/// assert_eq!(request.release.name, "web");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RenderRequest {
    /// What `.Release` says.
    pub release: ReleaseOptions,
    /// The user's values, as [`crate::values::merge()`] makes them. Never written to.
    pub values: Map,
    /// What `.Capabilities` says.
    pub capabilities: Capabilities,
    /// Leaves `values.schema.json` unread.
    pub skip_schema_validation: bool,
    /// Makes a missing map key an error (`missingkey=error`). No command of Helm's does.
    pub strict: bool,
}

impl RenderRequest {
    /// A first installation, without values, on the cluster that Helm assumes.
    pub fn new(name: impl Into<String>, namespace: impl Into<String>) -> RenderRequest {
        RenderRequest {
            release: ReleaseOptions::new(name, namespace),
            values: Map::new(),
            capabilities: Capabilities::default(),
            skip_schema_validation: false,
            strict: false,
        }
    }

    /// The same with the user's values.
    #[must_use]
    pub fn values(mut self, values: Map) -> RenderRequest {
        self.values = values;
        self
    }

    /// The same on another cluster.
    #[must_use]
    pub fn capabilities(mut self, capabilities: Capabilities) -> RenderRequest {
        self.capabilities = capabilities;
        self
    }

    /// The same without a look at the schema.
    #[must_use]
    pub fn skip_schema_validation(mut self, skip: bool) -> RenderRequest {
        self.skip_schema_validation = skip;
        self
    }
}
