//! Writing objects: server-side apply, deletion, and sets of both.

use crate::client::{Call, Cluster};
use crate::error::{Error, ErrorKind, Result};
use crate::method::ClientSide;
use crate::object::{Key, Object};
use bowsprit_manifest::Order;
use futures_util::StreamExt as _;
use futures_util::stream;
use http::Method;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Helm's field manager, so that either tool can go on where the other stopped.
pub(crate) const MANAGER: &str = "helm";

/// Requests in flight; more make an API server no faster.
pub(crate) const PARALLEL: usize = 12;

pub(crate) const ONLY_METADATA: &str =
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";

/// How long a kind may take to be served after its definition says it is.
const SERVED_WITHIN: Duration = Duration::from_secs(30);

/// How objects are applied.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sending {
    /// Takes fields from other managers.
    pub(crate) force: bool,
    /// Only asks what would happen.
    pub(crate) dry_run: bool,
    /// Refuses unknown fields.
    pub(crate) strict: bool,
    /// Has the server answer with metadata alone. Objects can be large, and writing them out costs it
    /// about as much as storing them.
    pub(crate) brief: bool,
    pub(crate) manager: &'static str,
}

impl Default for Sending {
    fn default() -> Sending {
        Sending { force: false, dry_run: false, strict: true, brief: false, manager: MANAGER }
    }
}

/// What the server has, by path.
pub(crate) type Live = BTreeMap<String, Option<Json>>;

/// What became of one object.
pub(crate) struct Sent {
    pub(crate) key: Key,
    pub(crate) outcome: Result<Json>,
}

impl Cluster {
    /// Gives the object as the server has it; none where it has none.
    pub(crate) async fn get_object(&self, object: &Object) -> Result<Option<Json>> {
        self.get_path(object.path()).await
    }

    /// As [`Cluster::get_object`], from the server's memory, which may lag behind its store by a moment.
    /// Large objects cost the server several times less this way.
    pub(crate) async fn get_cached(&self, object: &Object) -> Result<Option<Json>> {
        self.get_by(&Call::get(object.path()).query("resourceVersion", "0")).await
    }

    /// An object's metadata, from the server's memory if that will do.
    pub(crate) async fn get_head(&self, object: &Object, cached: bool) -> Result<Option<Json>> {
        let call = Call::get(object.path()).accept(ONLY_METADATA);
        self.get_by(&if cached { call.query("resourceVersion", "0") } else { call }).await
    }

    pub(crate) async fn get_path(&self, path: String) -> Result<Option<Json>> {
        self.get_by(&Call::get(path)).await
    }

    async fn get_by(&self, call: &Call) -> Result<Option<Json>> {
        match self.call_json(call).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Applies one object and gives it as the server has it now.
    pub(crate) async fn apply(&self, object: &Object, how: &Sending) -> Result<Json> {
        if object.is_generated() {
            return self.create(object, how).await;
        }
        // Unknown fields are refused whatever is said here; to be strict means to read the text once more
        // for keys that are there twice, which JSON written here never has.
        let how = &Sending { strict: false, ..*how };
        let call = with_options(Call::new(Method::PATCH, object.path()), how)
            .query("force", (how.force || is_rewritten(object)).to_string())
            .content("application/apply-patch+yaml")
            .json(&object.json);
        self.call_json(&call).await
    }

    /// Creates an object; those whose names the server makes up can't be applied.
    pub(crate) async fn create(&self, object: &Object, how: &Sending) -> Result<Json> {
        let path = object.resource.path(&object.namespace, "");
        self.call_json(&with_options(Call::new(Method::POST, path), how).json(&object.json)).await
    }

    /// Writes an object in the way that is wanted, also one of a kind whose definition came a moment ago.
    pub(crate) async fn write_patiently(
        &self,
        object: &Object,
        how: &Sending,
        client_side: Option<&ClientSide>,
    ) -> Result<Json> {
        self.patiently(async || match client_side {
            None => self.apply(object, how).await,
            Some(side) => side.write(self, object, how).await,
        })
        .await
    }

    /// Tries to write an object whose kind the server may learn of in a moment.
    pub(crate) async fn patiently(&self, attempt: impl AsyncFn() -> Result<Json>) -> Result<Json> {
        let mut waited = Duration::ZERO;
        loop {
            let error = match attempt().await {
                Err(error) if error.kind() == ErrorKind::NotFound && waited < SERVED_WITHIN => {
                    error
                }
                done => return done,
            };
            // An object that is not there is no error when applied, but a kind or a namespace is.
            if !is_unserved(&error) {
                return Err(error);
            }
            let pause = Duration::from_millis(if waited.is_zero() { 50 } else { 200 });
            self.pause(pause).await?;
            waited += pause;
        }
    }

    /// Writes objects of one class, so many at once.
    pub(crate) async fn apply_class(
        &self,
        class: Vec<Object>,
        how: Sending,
        client_side: Option<&ClientSide>,
        parallel: usize,
    ) -> Vec<Sent> {
        stream::iter(class)
            .map(|object| async move {
                let outcome = match self.check() {
                    Ok(()) => self.write_patiently(&object, &how, client_side).await,
                    Err(error) => Err(error),
                };
                Sent { key: object.key(), outcome }
            })
            .buffered(parallel)
            .collect()
            .await
    }

    /// Gets objects, all at once, in their order.
    pub(crate) async fn get_all(&self, objects: &[Object]) -> Vec<Result<Option<Json>>> {
        self.get_those(objects, &mut Live::new(), |object| !object.is_generated()).await
    }

    /// As [`Cluster::get_all`], without asking for those that are known or can't be there.
    pub(crate) async fn get_those(
        &self,
        objects: &[Object],
        known: &mut Live,
        can_be: impl Fn(&Object) -> bool,
    ) -> Vec<Result<Option<Json>>> {
        let each = objects.iter().map(|object| {
            let known = known.remove(&object.path());
            let can_be = can_be(object);
            async move {
                match known {
                    Some(known) => Ok(known),
                    None if can_be => self.get_object(object).await,
                    None => Ok(None),
                }
            }
        });
        stream::iter(each).buffered(PARALLEL).collect().await
    }

    /// Deletes an object; one that is gone already is no error. Gives whether it was there.
    pub(crate) async fn delete_object(&self, object: &Object, cascade: Cascade) -> Result<bool> {
        self.delete_path(object.path(), cascade).await
    }

    pub(crate) async fn delete_path(&self, path: String, cascade: Cascade) -> Result<bool> {
        let call = Call::new(Method::DELETE, path).json(&json!({
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": cascade.policy(),
        }));
        match self.call(&call).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Deletes objects class by class, in the order in which Helm uninstalls.
    pub(crate) async fn delete_all(
        &self,
        objects: Vec<Object>,
        cascade: Cascade,
    ) -> Vec<(Key, Result<bool>)> {
        let mut outcomes = Vec::new();
        for class in classes(objects, Order::Uninstall) {
            let each = stream::iter(class).map(|object| async move {
                (object.key(), self.delete_object(&object, cascade).await)
            });
            outcomes.extend(each.buffered(PARALLEL).collect::<Vec<_>>().await);
        }
        outcomes
    }

    /// Turns what a client-side manager of Helm's owns into what its server-side manager owns, so that
    /// fields which leave the chart leave the object.
    pub(crate) async fn adopt_fields(&self, object: &Object, live: &Json) -> Result<()> {
        let Some(fields) = migrated(&live["metadata"]["managedFields"]) else { return Ok(()) };
        let patch = json!([
            {"op": "replace", "path": "/metadata/managedFields", "value": fields},
            {
                "op": "replace",
                "path": "/metadata/resourceVersion",
                "value": live["metadata"]["resourceVersion"],
            },
        ]);
        let call = Call::new(Method::PATCH, object.path())
            .content("application/json-patch+json")
            .json(&patch);
        self.call(&call).await.map(drop)
    }
}

/// Whether it is the kind or its group that is not there, rather than the object.
pub(crate) fn is_unserved(error: &Error) -> bool {
    let text = error.to_string();
    ["could not find the requested resource", "404 page not found"].iter().any(|t| text.contains(t))
}

pub(crate) fn with_options(call: Call, how: &Sending) -> Call {
    let validation = if how.strict { "Strict" } else { "Ignore" };
    let call = call.query("fieldManager", how.manager).query("fieldValidation", validation);
    let call = if how.brief { call.accept(ONLY_METADATA) } else { call };
    if how.dry_run { call.query("dryRun", "All") } else { call }
}

/// What happens to dependents of what is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cascade {
    /// They go later.
    #[default]
    Background,
    /// They go first.
    Foreground,
    /// They stay.
    Orphan,
}

impl Cascade {
    const fn policy(self) -> &'static str {
        match self {
            Cascade::Background => "Background",
            Cascade::Foreground => "Foreground",
            Cascade::Orphan => "Orphan",
        }
    }
}

/// Whether Helm's field manager has applied an object.
pub(crate) fn is_applied(live: &Json) -> bool {
    let managers = live["metadata"]["managedFields"].as_array().into_iter().flatten();
    let mut applied = managers.filter(|entry| entry["operation"] == "Apply");
    applied.any(|entry| entry["manager"] == MANAGER)
}

/// Whether a client-side Helm owns fields of an object.
pub(crate) fn owned_by_client(live: &Json) -> bool {
    migrated(&live["metadata"]["managedFields"]).is_some()
}

/// The entries of `managedFields` with Helm's client-side ones moved into the server-side one; none
/// where there is nothing to move.
fn migrated(fields: &Json) -> Option<Json> {
    let entries = fields.as_array()?;
    let is = |entry: &Json, operation: &str| {
        entry["manager"] == MANAGER
            && entry["operation"] == operation
            && entry["subresource"].as_str().unwrap_or_default().is_empty()
    };
    let first = entries.iter().find(|entry| is(entry, "Update"))?.clone();
    let mut merged = entries.iter().find(|entry| is(entry, "Apply")).cloned().unwrap_or(first);
    merged["operation"] = "Apply".into();
    for entry in entries.iter().filter(|entry| is(entry, "Update")) {
        let (Some(into), Some(from)) =
            (merged["fieldsV1"].as_object_mut(), entry["fieldsV1"].as_object())
        else {
            continue;
        };
        unite(into, from);
    }
    let others = entries.iter().filter(|entry| !is(entry, "Update") && !is(entry, "Apply"));
    Some(others.cloned().chain([merged]).collect())
}

fn unite(into: &mut Map<String, Json>, from: &Map<String, Json>) {
    for (key, value) in from {
        match (into.get_mut(key), value) {
            (Some(Json::Object(into)), Json::Object(from)) => unite(into, from),
            (Some(_), _) => {}
            (None, value) => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
}

/// Objects in groups that can be sent at once, one group after the other.
///
/// Kinds that Helm sends one after the other but that don't need each other share a group.
pub(crate) fn classes(objects: Vec<Object>, order: Order) -> Vec<Vec<Object>> {
    let mut classes: Vec<((usize, usize), Vec<Object>)> = Vec::new();
    for object in objects {
        let class = class(object.kind(), order);
        match classes.iter_mut().find(|(at, _)| *at == class) {
            Some((_, members)) => members.push(object),
            None => classes.push((class, vec![object])),
        }
    }
    classes.sort_by_key(|(at, _)| *at);
    classes.into_iter().map(|(_, members)| members).collect()
}

/// Where a kind comes: first kinds that begin a new group, in Helm's order of installation.
const STARTS: [&str; 6] = [
    "NetworkPolicy",
    "CustomResourceDefinition",
    "ClusterRole",
    "DaemonSet",
    "IngressClass",
    "APIService",
];

fn class(kind: &str, order: Order) -> (usize, usize) {
    let kinds = Order::Install.kinds();
    let place = |kind: &str| kinds.iter().position(|known| *known == kind);
    let group = match place(kind) {
        Some(at) => STARTS.iter().filter(|start| place(start).is_some_and(|s| s <= at)).count(),
        None => STARTS.len() + 1,
    };
    match order {
        Order::Install => (group, 0),
        // Custom resources go while their controllers and definitions are there.
        Order::Uninstall => (STARTS.len() + 1 - group, 0),
    }
}

/// Joins what went wrong as Helm does.
pub(crate) fn join_errors(sent: Vec<Sent>, words: &str) -> Result<()> {
    let errors: Vec<Error> = sent.into_iter().filter_map(|sent| sent.outcome.err()).collect();
    match errors.iter().map(Error::kind).next() {
        None => Ok(()),
        Some(kind) => {
            let kind = if errors.iter().any(|e| e.kind() == ErrorKind::Cancelled) {
                ErrorKind::Cancelled
            } else {
                kind
            };
            let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
            Err(Error::new(kind, format!("{words}{}", texts.join(" && "))))
        }
    }
}

/// Whether a controller writes an object's fields back as it read them, and so owns what nobody but the release
/// has set: KubeStellar does so with BindingPolicies.
fn is_rewritten(object: &Object) -> bool {
    let text = |field| object.json.get(field).and_then(serde_json::Value::as_str);
    text("kind") == Some("BindingPolicy")
        && text("apiVersion").is_some_and(|version| version.starts_with("control.kubestellar.io/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_follow_helms_order() {
        let order = |kind: &str| class(kind, Order::Install).0;
        for (before, after) in [
            ("Namespace", "ServiceAccount"),
            ("Secret", "Role"),
            ("CustomResourceDefinition", "ClusterRole"),
            ("Service", "Deployment"),
            ("Deployment", "Ingress"),
            ("Ingress", "ValidatingWebhookConfiguration"),
            ("ValidatingWebhookConfiguration", "PrometheusRule"),
        ] {
            assert!(order(before) < order(after), "{before} {after}");
        }
        assert_eq!(order("Secret"), order("ConfigMap"));
        let back = |kind: &str| class(kind, Order::Uninstall).0;
        assert!(back("PrometheusRule") < back("CustomResourceDefinition"));
        assert!(back("Deployment") < back("Namespace"));
    }

    #[test]
    fn client_side_fields_move_over() {
        let fields = json!([
            {"manager": "helm", "operation": "Update", "fieldsV1": {"f:data": {"f:a": {}}}},
            {"manager": "other", "operation": "Update", "fieldsV1": {"f:x": {}}},
            {"manager": "helm", "operation": "Apply", "fieldsV1": {"f:data": {"f:b": {}}}},
        ]);
        let moved = migrated(&fields).unwrap();
        assert_eq!(moved.as_array().unwrap().len(), 2);
        let data = &moved[1]["fieldsV1"]["f:data"];
        assert!(data["f:a"].is_object() && data["f:b"].is_object());
        assert_eq!(migrated(&json!([{"manager": "helm", "operation": "Apply"}])), None);
    }
}
