//! A cluster written down for renders without it.

use crate::client::{Call, Cluster};
use crate::error::{Error, ErrorKind, Result};
use crate::lookup::to_value;
use bowsprit_value::{Map, Str, Value};
use serde_json::Value as Json;

/// Which objects a snapshot holds beside what the cluster serves.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SnapshotOptions {
    /// Resources by name, `secrets` or `certificates.cert-manager.io`, perhaps with `/NAME` behind it.
    pub resources: Vec<String>,
    /// The namespace of the objects; empty for all.
    pub namespace: String,
    /// A label selector.
    pub selector: String,
}

/// Reads a cluster's capabilities and the chosen objects: a `TargetSnapshot` with `kubeVersion`,
/// `apiVersions` and `objects`.
///
/// # Errors
///
/// Fails where a resource is not served or may not be read.
pub async fn snapshot(cluster: &Cluster, options: &SnapshotOptions) -> Result<Value> {
    let discovery = cluster.discovery().await?;
    let mut versions = discovery.api_versions();
    versions.sort();
    let mut objects = Vec::new();
    for wanted in &options.resources {
        let (resource, name) = wanted.split_once('/').unwrap_or((wanted, ""));
        let Some(found) = discovery.by_name(resource) else {
            let text = format!("the server has no resource named {resource:?}");
            return Err(Error::new(ErrorKind::Usage, text));
        };
        let mut call = Call::get(found.path(&options.namespace, name));
        if !options.selector.is_empty() && name.is_empty() {
            call = call.query("labelSelector", options.selector.as_str());
        }
        let answer = cluster.call_json(&call).await?;
        let items = match answer["items"].as_array() {
            Some(items) if name.is_empty() => items.clone(),
            _ => vec![answer],
        };
        let (api_version, kind) = (found.api_version(), found.kind.clone());
        objects.extend(items.into_iter().map(|item| to_value(&bare(item, &api_version, &kind))));
    }
    let entries = [
        ("apiVersion", Value::from("bowsprit.dev/v1alpha1")),
        ("kind", Value::from("TargetSnapshot")),
        ("kubeVersion", Value::from(discovery.version())),
        ("apiVersions", Value::list(versions.into_iter().map(Value::from).collect())),
        ("objects", Value::list(objects)),
    ];
    Ok(Value::Map(Map::from_entries(entries.map(|(k, v)| (Str::from_static(k), v)))))
}

/// An object with its kind, which lists leave out, and without its writers.
fn bare(mut item: Json, api_version: &str, kind: &str) -> Json {
    if let Some(root) = item.as_object_mut() {
        root.entry("apiVersion").or_insert_with(|| api_version.into());
        root.entry("kind").or_insert_with(|| kind.into());
    }
    if let Some(metadata) = item["metadata"].as_object_mut() {
        metadata.remove("managedFields");
    }
    item
}
