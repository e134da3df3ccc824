//! What is, against what shall be.

use crate::client::Cluster;
use crate::error::{Error, ErrorKind, Result};
use crate::hooks::Hooks;
use crate::lookup::to_value;
use crate::object::{self, Key, Object};
use crate::ownership;
use crate::plan::Plan;
use crate::record::Record;
use crate::send::Sending;
use bowsprit_value::Value;
use futures_util::StreamExt as _;
use futures_util::stream;
use serde_json::Value as Json;

/// An object before and after.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Pair {
    /// `v1`, `apps/v1`.
    pub api_version: String,
    /// The kind.
    pub kind: String,
    /// Empty for objects in no namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// What there is; none for an object that is not there.
    pub before: Option<Value>,
    /// What there would be; none for an object that goes.
    pub after: Option<Value>,
}

/// Objects before and after.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Comparison {
    /// All objects, changed or not, in Helm's order.
    pub pairs: Vec<Pair>,
}

/// Fields that say who wrote an object when, and what controllers say of it.
const NOISE: [&str; 5] =
    ["managedFields", "resourceVersion", "generation", "uid", "creationTimestamp"];

/// An object without what nobody asked for.
fn cleaned(json: &Json) -> Value {
    let mut json = json.clone();
    if let Some(metadata) = json["metadata"].as_object_mut() {
        NOISE.iter().for_each(|field| drop(metadata.remove(*field)));
    }
    if let Some(root) = json.as_object_mut() {
        root.remove("status");
    }
    to_value(&json)
}

fn pair(object: &Object, before: Option<&Json>, after: Option<&Json>) -> Pair {
    let Key { kind, namespace, name, .. } = object.key();
    Pair {
        api_version: object.resource.api_version(),
        kind,
        namespace,
        name,
        before: before.map(cleaned),
        after: after.map(cleaned),
    }
}

impl Plan {
    /// What carrying the plan out would change: the live objects, against what the server would make of
    /// them. As the server merges, fields that neither the last nor the new revision has stay; this is a
    /// three-way difference.
    pub fn comparison(&self) -> Comparison {
        let mut pairs: Vec<Pair> = self
            .objects
            .iter()
            .map(|object| {
                let key = object.key();
                let after = self.expected.get(&key).unwrap_or(&object.json);
                pair(object, self.live.get(&key), Some(after))
            })
            .collect();
        pairs.extend(self.prune.iter().map(|(object, live)| pair(object, Some(live), None)));
        Comparison { pairs }
    }
}

/// What has changed on the server since a revision was applied: the live objects (after), against what
/// applying the record again would make of them (before).
///
/// # Errors
///
/// Fails where the server refuses.
pub async fn drift(cluster: &Cluster, record: &Record, hooks: Hooks) -> Result<Comparison> {
    let discovery = cluster.discovery().await?;
    let mut text = record.manifest.clone();
    if hooks == Hooks::Deliver {
        for hook in record.hooks.iter().filter(|hook| hook.last_run.started_at.is_some()) {
            text.push_str("\n---\n");
            text.push_str(&hook.manifest);
        }
    }
    let built = object::build(object::parse(&text)?, &discovery, &record.namespace);
    if let Some(error) = built.errors.first() {
        return Err(Error::new(ErrorKind::Build, error.as_str()));
    }
    let mut objects: Vec<Object> =
        built.objects.into_iter().filter(|object| !object.is_generated()).collect();
    for object in &mut objects {
        ownership::claim(object, &record.name, &record.namespace);
    }
    let live = cluster.get_all(&objects).await;
    let how = Sending { force: true, dry_run: true, strict: false, ..Sending::default() };
    let wanted: Vec<Result<Json>> = stream::iter(objects.iter())
        .map(|object| async move { cluster.apply(object, &how).await })
        .buffered(12)
        .collect()
        .await;
    let mut pairs = Vec::new();
    for ((object, live), wanted) in objects.iter().zip(live).zip(wanted) {
        let live = live?;
        let wanted = match wanted {
            Ok(wanted) => wanted,
            // What can't be applied any more, for instance in a namespace that is gone.
            Err(error) if live.is_none() && error.kind() != ErrorKind::Forbidden => {
                object.json.clone()
            }
            Err(error) => return Err(error.context(object.helm_string())),
        };
        pairs.push(pair(object, Some(&wanted), live.as_ref()));
    }
    Ok(Comparison { pairs })
}
