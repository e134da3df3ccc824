//! Documents that belong to no release, such as policies, and what is live under some labels.

use crate::client::{Call, Cluster};
use crate::discovery::Resource;
use crate::error::{Error, ErrorKind, Result};
use crate::lookup::to_value;
use crate::object;
use crate::plan::{Change, Planned, same};
use crate::send::Sending;
use bowsprit_value::Value;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// Who writes what no release owns.
const MANAGER: &str = "bowsprit";

/// Requests in flight.
const PARALLEL: usize = 12;

const ONLY_METADATA: &str =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

/// How documents are applied.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct DocumentOptions {
    /// Takes fields that other field managers own.
    pub force_conflicts: bool,
    /// Has the server look at the documents without keeping them.
    pub dry_run: bool,
}

/// Applies the documents of a text one after the other, in their order, and says what became of each.
/// Objects without a namespace go to `namespace`. They become part of no release: uninstalling one leaves
/// them where they are.
///
/// # Errors
///
/// Fails at the first document that the server refuses or whose kind it does not serve; those before it
/// have been applied.
pub async fn apply_documents(
    cluster: &Cluster,
    text: &str,
    namespace: &str,
    options: DocumentOptions,
) -> Result<Vec<Planned>> {
    let discovery = cluster.discovery().await?;
    let built = object::build(object::parse(text)?, &discovery, namespace);
    if !built.errors.is_empty() {
        return Err(Error::new(ErrorKind::Build, built.errors.join("\n")));
    }
    let how = Sending {
        force: options.force_conflicts,
        dry_run: options.dry_run,
        manager: MANAGER,
        ..Sending::default()
    };
    let mut done = Vec::new();
    for object in &built.objects {
        cluster.check()?;
        let live = cluster.get_object(object).await?;
        let now = cluster.write_patiently(object, &how, None).await.map_err(|e| {
            let what = object.helm_string();
            e.context(&what)
        })?;
        let change = match live {
            None => Change::Create,
            Some(live) if same(&live, &now) => Change::Unchanged,
            Some(_) => Change::Update,
        };
        done.push(Planned { key: object.key().to_string(), change });
    }
    Ok(done)
}

/// All objects of all kinds and namespaces whose labels match a selector as kubectl writes it. Of each
/// there are `apiVersion`, `kind` and `metadata`.
///
/// # Errors
///
/// Fails where a kind may not be listed, for then nothing can be said of it.
pub async fn labelled(cluster: &Cluster, selector: &str) -> Result<Vec<Value>> {
    let discovery = cluster.discovery().await?;
    let mut kinds: BTreeMap<(&str, &str), &Resource> = BTreeMap::new();
    for resource in discovery.listable() {
        kinds.entry((&resource.group, &resource.plural)).or_insert(resource);
    }
    let lists = stream::iter(kinds.into_values().map(|resource| async move {
        let call =
            Call::get(resource.path("", "")).query("labelSelector", selector).accept(ONLY_METADATA);
        let list = cluster.call_json(&call).await?;
        let items = list["items"].as_array().map_or(&[][..], Vec::as_slice);
        let objects = items.iter().map(|item| bare(resource, item));
        Ok::<Vec<Value>, Error>(objects.collect())
    }));
    let lists: Vec<Vec<Value>> = lists.buffered(PARALLEL).try_collect().await?;
    Ok(lists.into_iter().flatten().collect())
}

fn bare(resource: &Resource, item: &Json) -> Value {
    let mut metadata = item["metadata"].clone();
    if let Some(fields) = metadata.as_object_mut() {
        fields.remove("managedFields");
    }
    let api_version = resource.api_version();
    to_value(&json!({"apiVersion": api_version, "kind": resource.kind, "metadata": metadata}))
}
