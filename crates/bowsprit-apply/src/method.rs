//! The two ways in which Helm writes objects, and the older of them.

use crate::base::Base;
use crate::client::{Call, Cluster};
use crate::discovery::Discovery;
use crate::error::{Error, ErrorKind, Result};
use crate::object::{self, Key, Object};
use crate::plan::{Action, Options};
use crate::record::Record;
use crate::send::{Sending, with_options};
use crate::threeway::{Schema, difference, merged};
use http::Method as Verb;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Mutex;

/// How objects are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// By server-side apply.
    ServerSide,
    /// Created, and changed by three-way patches, as Helm 3 does.
    ClientSide,
}

impl Method {
    /// The word in Helm's records.
    pub const fn word(self) -> &'static str {
        match self {
            Method::ServerSide => "ssa",
            Method::ClientSide => "csa",
        }
    }

    /// How the objects of a record were written; Helm 3 did not say.
    pub(crate) fn of(record: &Record) -> Method {
        match record.apply_method.as_str() {
            "ssa" => Method::ServerSide,
            _ => Method::ClientSide,
        }
    }

    /// The method of an operation: the one that was asked for, else that of the revision from which it
    /// goes on.
    pub(crate) fn choose(
        options: &Options,
        action: Action,
        base: &Base,
        record: &Record,
    ) -> Result<Method> {
        let before = match action {
            Action::Install => None,
            Action::Upgrade => base.current(),
            Action::Rollback { .. } => Some(record),
        };
        let method =
            options.method.unwrap_or_else(|| before.map_or(Method::ServerSide, Method::of));
        let wrong = |text: &str| Err(Error::new(ErrorKind::Usage, text));
        match method {
            // Helm notices when it changes the first object, which installations don't.
            method if action == Action::Install => Ok(method),
            Method::ServerSide if options.force_replace => {
                wrong("invalid operation: cannot use server-side apply and force replace together")
            }
            Method::ClientSide if options.force_conflicts => wrong(
                "invalid client update option(s): forceConflicts enabled when serverSideApply disabled",
            ),
            method => Ok(method),
        }
    }
}

/// What writing without server-side apply needs to know.
pub(crate) struct ClientSide {
    replace: bool,
    /// What the last revision said of its objects.
    last: BTreeMap<Key, Json>,
    schemas: Mutex<BTreeMap<String, Arc<Json>>>,
}

/// How often a change is tried again that met one of somebody else.
const RACES: u32 = 5;

/// Groups whose kinds Helm patches by their schemas; others get JSON merge patches.
const BUILT_IN: [&str; 19] = [
    "",
    "admissionregistration.k8s.io",
    "apps",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];

impl ClientSide {
    /// Prepares an operation that goes on from a revision.
    pub(crate) fn new(last: Option<&Record>, discovery: &Discovery, replace: bool) -> ClientSide {
        let documents = last.map(|last| object::parse(&last.manifest).unwrap_or_default());
        let namespace = last.map_or("", |last| last.namespace.as_str());
        let built = object::build(documents.unwrap_or_default(), discovery, namespace);
        ClientSide {
            replace,
            last: built.objects.into_iter().map(|object| (object.key(), object.json)).collect(),
            schemas: Mutex::default(),
        }
    }

    /// Creates an object, or changes the one that is there.
    pub(crate) async fn write(
        &self,
        cluster: &Cluster,
        object: &Object,
        how: &Sending,
    ) -> Result<Json> {
        let mut races = 0;
        loop {
            let live = match object.is_generated() {
                true => None,
                false => cluster.get_object(object).await?,
            };
            let outcome = match &live {
                None => cluster.create(object, how).await,
                Some(live) => match self.change(cluster, object, live, how).await? {
                    Some(call) => cluster.call_json(&call).await,
                    None => return Ok(live.clone()),
                },
            };
            match outcome {
                Err(error)
                    if matches!(error.kind(), ErrorKind::Conflict | ErrorKind::AlreadyExists)
                        && races < RACES =>
                {
                    races += 1;
                }
                done => return done,
            }
        }
    }

    /// The request that makes the object of what is there; none where nothing changes.
    async fn change(
        &self,
        cluster: &Cluster,
        object: &Object,
        live: &Json,
        how: &Sending,
    ) -> Result<Option<Call>> {
        let version = live["metadata"]["resourceVersion"].clone();
        if self.replace {
            let mut json = object.json.clone();
            json["metadata"]["resourceVersion"] = version;
            return Ok(Some(with_options(Call::new(Verb::PUT, object.path()), how).json(&json)));
        }
        let wanted = self.wanted(cluster, object, live).await?;
        let Some(mut patch) = difference(live, &wanted) else { return Ok(None) };
        patch["metadata"]["resourceVersion"] = version;
        let call = with_options(Call::new(Verb::PATCH, object.path()), how)
            .content("application/merge-patch+json")
            .json(&patch);
        Ok(Some(call))
    }

    async fn wanted(&self, cluster: &Cluster, object: &Object, live: &Json) -> Result<Json> {
        let last = self.last.get(&object.key()).unwrap_or(&object.json);
        let resource = &object.resource;
        if BUILT_IN.contains(&resource.group.as_str()) {
            let document = self.schema(cluster, &resource.api_version()).await?;
            let schema =
                Schema::of_kind(&document, &resource.group, &resource.version, &resource.kind);
            return Ok(merged(schema, last, &object.json, live));
        }
        // Helm compares the two revisions alone, and does not look at what is there; an object that
        // was in no revision is one that is adopted.
        if self.last.contains_key(&object.key()) {
            let mut wanted = live.clone();
            if let Some(patch) = difference(last, &object.json) {
                patched(&mut wanted, &patch);
            }
            return Ok(wanted);
        }
        Ok(merged(Schema::default(), last, &object.json, live))
    }

    /// The OpenAPI document of a group's version; an empty one where the server shows none.
    async fn schema(&self, cluster: &Cluster, api_version: &str) -> Result<Arc<Json>> {
        let mut schemas = self.schemas.lock().await;
        if let Some(found) = schemas.get(api_version) {
            return Ok(Arc::clone(found));
        }
        let prefix = if api_version.contains('/') { "apis" } else { "api" };
        let document = cluster.get_path(format!("/openapi/v3/{prefix}/{api_version}")).await?;
        let document = Arc::new(document.unwrap_or_default());
        schemas.insert(api_version.to_owned(), Arc::clone(&document));
        Ok(document)
    }
}

/// Applies a JSON merge patch.
fn patched(json: &mut Json, patch: &Json) {
    let Json::Object(fields) = patch else {
        json.clone_from(patch);
        return;
    };
    if !json.is_object() {
        *json = Json::Object(serde_json::Map::new());
    }
    let Some(into) = json.as_object_mut() else { return };
    for (key, value) in fields {
        match value {
            Json::Null => drop(into.remove(key)),
            value => patched(into.entry(key.clone()).or_insert(Json::Null), value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn merge_patches_change_what_they_name() {
        let mut json = json!({"a": {"b": 1, "c": 2}, "d": 3});
        patched(&mut json, &json!({"a": {"b": null, "e": {"f": 1}}, "d": [4]}));
        assert_eq!(json, json!({"a": {"c": 2, "e": {"f": 1}}, "d": [4]}));
    }
}
