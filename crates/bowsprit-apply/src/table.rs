//! A release's live objects as `helm status` lists them.

use crate::client::{Call, Cluster};
use crate::error::Result;
use crate::lookup::to_value;
use crate::object;
use crate::record::Record;
use crate::time::{Time, human_age};
use bowsprit_value::Value;
use serde_json::Value as Json;

const AS_TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

/// In what form live objects are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// As tables for people.
    Tables,
    /// As whole objects.
    Objects,
}

impl Listing {
    const fn accept(self) -> &'static str {
        match self {
            Listing::Tables => AS_TABLE,
            Listing::Objects => "application/json",
        }
    }
}

/// The objects of one kind, as `kubectl get` prints them.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ResourceTable {
    /// Version and kind: `v1/ConfigMap`, `v1/Pod(related)`.
    pub kind: String,
    /// The columns' names; none of objects that are wanted whole.
    pub columns: Vec<String>,
    /// A row for each object.
    pub rows: Vec<Vec<String>>,
    /// The server's answers, for output as data.
    pub objects: Vec<Value>,
}

/// Asks the server for a release's objects and their pods. Objects that are not there are left out.
///
/// # Errors
///
/// Fails where the server can't be reached.
pub async fn resources(
    cluster: &Cluster,
    record: &Record,
    listing: Listing,
) -> Result<Vec<ResourceTable>> {
    let discovery = cluster.discovery().await?;
    let built = object::build(object::parse(&record.manifest)?, &discovery, &record.namespace);
    let mut tables: Vec<ResourceTable> = Vec::new();
    let mut selectors: Vec<(String, String)> = Vec::new();
    for object in &built.objects {
        let kind = format!("{}/{}", object.resource.version, object.kind());
        let call = Call::get(object.path()).accept(listing.accept());
        let Ok(table) = cluster.call_json(&call).await else { continue };
        add(&mut tables, kind, &table);
        if let Some(selector) = selector(&object.json) {
            let wanted = (object.namespace.clone(), selector);
            if !selectors.contains(&wanted) {
                selectors.push(wanted);
            }
        }
    }
    for (namespace, selector) in selectors {
        let call = Call::get(format!("/api/v1/namespaces/{namespace}/pods"))
            .query("labelSelector", selector)
            .accept(listing.accept());
        if let Ok(table) = cluster.call_json(&call).await {
            add(&mut tables, "v1/Pod(related)".to_owned(), &table);
        }
    }
    tables.sort_by(|a, b| a.kind.cmp(&b.kind));
    Ok(tables)
}

/// The pods that belong to an object, as a label selector.
fn selector(json: &Json) -> Option<String> {
    let labels = match json["kind"].as_str()? {
        "ReplicaSet" | "Deployment" | "StatefulSet" | "DaemonSet" | "Job" => {
            json["spec"]["selector"]["matchLabels"].as_object()?
        }
        "ReplicationController" => json["spec"]["selector"].as_object()?,
        _ => return None,
    };
    let pairs: Vec<String> =
        labels.iter().map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or_default())).collect();
    Some(pairs.join(","))
}

fn add(tables: &mut Vec<ResourceTable>, kind: String, table: &Json) {
    let columns = table["columnDefinitions"].as_array().map_or(&[][..], Vec::as_slice);
    let shown: Vec<usize> = (0..columns.len())
        .filter(|at| columns.get(*at).is_some_and(|c| c["priority"].as_i64().unwrap_or(0) == 0))
        .collect();
    let rows = table["rows"].as_array().map_or(&[][..], Vec::as_slice);
    let at = match tables.iter().position(|known| known.kind == kind) {
        Some(at) => at,
        None => {
            tables.push(ResourceTable { kind, ..ResourceTable::default() });
            tables.len() - 1
        }
    };
    let Some(target) = tables.get_mut(at) else { return };
    target.objects.push(to_value(table));
    if target.columns.is_empty() && !rows.is_empty() {
        let names = shown.iter().filter_map(|at| columns.get(*at)?["name"].as_str());
        target.columns = names.map(str::to_uppercase).collect();
    }
    for row in rows {
        let cells = row["cells"].as_array().map_or(&[][..], Vec::as_slice);
        let texts = shown.iter().map(|at| match (columns.get(*at), cells.get(*at)) {
            (Some(column), Some(cell)) => cell_text(column, cell),
            _ => String::new(),
        });
        target.rows.push(texts.collect());
    }
}

/// Times are printed as ages; the server prints them itself for the kinds it knows.
fn cell_text(column: &Json, cell: &Json) -> String {
    match cell {
        Json::String(text) if column["type"] == "date" => {
            Time::parse(text).map_or(text.clone(), |time| human_age(time.age()))
        }
        Json::String(text) => text.clone(),
        Json::Null => "<none>".to_owned(),
        other => other.to_string(),
    }
}
