//! HelmReleases delivered through Karmada: the policies that bring them to clusters, the overrides that
//! make them differ there, and the customization that teaches Karmada today's versions of Flux's kinds.
//!
//! [`policies()`] writes such objects, [`overridden`] reads them: it gives the objects as a member cluster
//! gets them.

mod apply;
mod interpreter;
mod overrides;
mod policies;

pub use apply::{OverrideError, overridden};
pub use interpreter::interpreter_customization;
pub use overrides::override_policy;
pub use policies::{Placement, policies};

use bowsprit_value::{Map, Value};

/// An object of Karmada's policies.
fn policy(kind: &str, namespace: Option<&str>, name: &str, spec: Map) -> Map {
    let metadata = Map::from_entries([("name".into(), Value::from(name))]);
    if let Some(namespace) = namespace {
        metadata.insert("namespace".into(), namespace.into());
    }
    Map::from_entries([
        ("apiVersion".into(), "policy.karmada.io/v1alpha1".into()),
        ("kind".into(), kind.into()),
        ("metadata".into(), metadata.into()),
        ("spec".into(), spec.into()),
    ])
}

/// A map of strings and other values.
fn object<const N: usize>(entries: [(&'static str, Value); N]) -> Map {
    Map::from_entries(entries.map(|(key, value)| (key.into(), value)))
}
