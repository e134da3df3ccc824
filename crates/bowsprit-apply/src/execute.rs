//! Carrying a plan out, and what becomes of it when that fails.

use crate::base::Base;
use crate::client::Cluster;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::hooks::{Hooks, Runner, selected};
use crate::lock::{self, Held};
use crate::method::Method;
use crate::object::{Key, Object};
use crate::plan::{Action, Options, Plan, Request};
use crate::record::{Record, Status};
use crate::send::{Cascade, PARALLEL, Sending, Sent, classes, join_errors, owned_by_client};
use crate::store::{Store, Stored};
use crate::time::Time;
use crate::uninstall::{self, UninstallOptions};
use bowsprit_manifest::Order;
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::task::JoinHandle;

/// The field manager of what belongs to a namespace rather than to a release.
const NAMESPACE_MANAGER: &str = "bowsprit";

/// How long definitions may take to be served, as in Helm.
const ESTABLISHED_WITHIN: Duration = Duration::from_secs(60);

/// Definitions in flight. With more, the first ones arrive later, and what waits for them begins later.
const DEFINITIONS_AT_ONCE: usize = 4;

/// How long the last word of an operation is tried to be written.
const LAST_WORD: Duration = Duration::from_secs(30);

/// What an operation leaves behind.
struct Progress {
    held: Option<Held>,
    replaced: JoinHandle<Result<Vec<Record>>>,
    created: Vec<Object>,
}

impl Plan {
    /// Does what the plan says. The release's record tells at every moment how far it has come; if the
    /// process dies, the next operation on the release goes on from there.
    ///
    /// # Errors
    ///
    /// Fails where the server refuses; the record is then `failed`, as Helm leaves it.
    pub async fn execute(mut self) -> Result<Record> {
        self.warnings().iter().for_each(|warning| self.listener.warn(warning));
        self.cluster.check()?;
        self.make_namespace().await?;
        self.listener.step("namespace");
        self.install_definitions().await?;
        self.begin();
        let held = self.store_pending().await?;
        self.listener.step("record stored");
        let mut progress = Progress { held, replaced: self.replaced(), created: Vec::new() };
        match self.perform(&mut progress).await {
            Ok(()) => self.succeed(progress).await,
            Err(error) => Err(self.fail(progress, error).await),
        }
    }

    async fn make_namespace(&self) -> Result<()> {
        let Some(labels) = &self.options.namespace_labels else { return Ok(()) };
        let name = &self.record.namespace;
        // Another release's mark on the namespace stays.
        let present = self.namespace_live.as_ref().map(|live| live["metadata"]["labels"].clone());
        let mut wanted = serde_json::Map::new();
        for (key, value) in labels {
            match present.as_ref().and_then(|present| present[key].as_str()) {
                Some(other) if other != value => self.listener.warn(format!(
                    "namespace {name} keeps its label {key}={other}: give each release a namespace of its own"
                )),
                _ => {
                    wanted.insert(key.clone(), Json::from(value.as_str()));
                }
            }
        }
        if self.namespace_live.is_none() {
            wanted.insert("name".to_owned(), Json::from(name.as_str()));
        }
        let covered = present.is_some_and(|present| {
            wanted.iter().all(|(key, value)| present.get(key) == Some(value))
        });
        if covered {
            return Ok(());
        }
        let Some(resource) = self.discovery.find("v1", "Namespace").cloned() else { return Ok(()) };
        let json = json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": name, "labels": wanted},
        });
        let object = Object { json, resource, namespace: String::new() };
        let how = Sending { manager: NAMESPACE_MANAGER, ..Sending::default() };
        match self.cluster.apply(&object, &how).await {
            Ok(_) => Ok(()),
            // Who may not write namespaces can still work in one.
            Err(error) if error.kind() == ErrorKind::Forbidden && self.namespace_exists => {
                self.listener.warn(format!("namespace {name} stays as it is: {error}"));
                Ok(())
            }
            Err(error) => Err(error.context(format!("namespace {name}"))),
        }
    }

    /// Applies the definitions that are not there in this form already. What they define may take a
    /// while to be served; it is waited for when it is needed.
    async fn install_definitions(&mut self) -> Result<()> {
        let mut definitions = std::mem::take(&mut self.definitions);
        if definitions.is_empty() {
            return Ok(());
        }
        // The server works on definitions one after the other, in the order in which they come.
        let defines = |object: &Object, definition: &Object| {
            let spec = &definition.json["spec"];
            spec["group"] == object.resource.group.as_str()
                && spec["names"]["kind"] == object.resource.kind.as_str()
        };
        definitions
            .sort_by_key(|definition| !self.objects.iter().any(|o| defines(o, &definition.object)));
        let wanted: Vec<Object> = definitions.iter().map(|d| d.object.clone()).collect();
        let how =
            Sending { force: self.options.force_conflicts, brief: true, ..Sending::default() };
        let side = self.client_side.as_ref();
        let sent = self.cluster.apply_class(wanted.clone(), how, side, DEFINITIONS_AT_ONCE).await;
        for (definition, sent) in definitions.iter().zip(&sent) {
            let seen = sent.outcome.as_ref().ok().and_then(|live| definition.seen(live));
            // What was not changed by server-side apply may differ from what the chart says.
            self.record.seen.extend(seen.filter(|_| side.is_none()));
        }
        join_errors(sent, "failed to install CRD: ")?;
        self.listener.step("definitions applied");
        self.unserved = wanted;
        self.cluster.cache_discovery(None);
        Ok(())
    }

    /// Waits until all definitions are served that have been applied.
    async fn wait_served(&mut self) -> Result<()> {
        let definitions = std::mem::take(&mut self.unserved);
        if definitions.is_empty() {
            return Ok(());
        }
        self.cluster.wait_served(&definitions, ESTABLISHED_WITHIN).await?;
        self.listener.step("definitions served");
        Ok(())
    }

    /// Writes the objects of a class. Kinds whose definitions came a moment ago begin when the server takes
    /// them, each by itself, for large definitions take longer than small ones.
    async fn apply_by_kind(&self, class: Vec<Object>, how: Sending) -> Vec<Sent> {
        let is_new = |object: &Object| {
            let group = object.resource.group.as_str();
            self.unserved.iter().any(|definition| definition.json["spec"]["group"] == group)
        };
        let (new, old): (Vec<Object>, Vec<Object>) = class.into_iter().partition(is_new);
        let mut kinds: BTreeMap<String, Vec<Object>> = BTreeMap::new();
        for object in new {
            kinds.entry(object.resource.path("", "")).or_default().push(object);
        }
        let side = self.client_side.as_ref();
        let each = kinds.into_values().map(|objects| async move {
            if let Some(first) = objects.first()
                && let Err(error) = self.cluster.wait_usable(first, ESTABLISHED_WITHIN).await
            {
                return vec![Sent { key: first.key(), outcome: Err(error) }];
            }
            self.cluster.apply_class(objects, how, side, PARALLEL).await
        });
        let (mut sent, new) = futures_util::join!(
            self.cluster.apply_class(old, how, side, PARALLEL),
            futures_util::future::join_all(each)
        );
        sent.extend(new.into_iter().flatten());
        sent
    }

    /// Turns the record into one of an operation that has begun.
    fn begin(&mut self) {
        let now = Time::now();
        let first = self.base.current().and_then(|current| current.info.first_deployed);
        let record = &mut self.record;
        record.info.first_deployed = match self.action {
            Action::Install => Some(now),
            _ => first.or(Some(now)),
        };
        record.info.last_deployed = Some(now);
        record.apply_method = self.method.word().to_owned();
        match self.action {
            Action::Install => record.set(Status::PendingInstall, "Initial install underway"),
            Action::Upgrade => record.set(Status::PendingUpgrade, "Preparing upgrade"),
            Action::Rollback { to } => {
                record.set(Status::PendingRollback, format!("Rollback to {to}"));
            }
        }
    }

    async fn store_pending(&self) -> Result<Option<Held>> {
        let Some(store) = &self.base.store else { return Ok(None) };
        let name = &self.record.name;
        if let Some(abandoned) = &self.base.abandoned {
            bury(store, abandoned).await.map_err(|error| match error.kind() {
                ErrorKind::Lost => lock::busy(name, "another process was faster to take it over"),
                _ => error,
            })?;
            self.listener.note(format!(
                "revision {} was interrupted; this one goes on from there",
                abandoned.revision
            ));
        }
        prune_history(store, &self.base.history, self.options.history_max).await?;
        Held::create(&self.cluster, store, &self.record).await.map(Some)
    }

    async fn perform(&mut self, progress: &mut Progress) -> Result<()> {
        let (before, after) = match self.action {
            Action::Install => ("pre-install", "post-install"),
            Action::Upgrade => ("pre-upgrade", "post-upgrade"),
            Action::Rollback { .. } => ("pre-rollback", "post-rollback"),
        };
        let words = |event: &str| match self.action {
            Action::Install => format!("failed {event}"),
            _ => format!("{event} hooks failed"),
        };
        let (first, last) = (words(before), words(after));
        if self.hooks != Hooks::Skip && !selected(&self.record.hooks, before).is_empty() {
            self.wait_served().await?;
        }
        self.run_hooks(progress, before).await.map_err(|e| e.context(first))?;
        self.apply_objects(progress).await?;
        self.wait_served().await?;
        self.prune_objects(progress).await?;
        self.cluster.wait_ready(&self.objects, self.options.wait, self.options.timeout).await?;
        self.run_hooks(progress, after).await.map_err(|e| e.context(last))
    }

    async fn run_hooks(&mut self, progress: &Progress, event: &str) -> Result<()> {
        let runner = Runner {
            cluster: &self.cluster,
            discovery: &self.discovery,
            listener: &self.listener,
            held: progress.held.as_ref(),
            mode: self.hooks,
            timeout: self.options.timeout,
            sending: Sending { strict: self.options.strict, ..Sending::default() },
            filters: &[],
        };
        runner.run(&mut self.record, event).await
    }

    async fn apply_objects(&mut self, progress: &mut Progress) -> Result<()> {
        self.adopt_fields().await?;
        let how = Sending {
            force: self.options.force_conflicts,
            strict: self.options.strict,
            brief: true,
            ..Sending::default()
        };
        let total = self.objects.len();
        let changing: Vec<Object> =
            self.objects.iter().filter(|object| !self.is_settled(object)).cloned().collect();
        let mut done = total - changing.len();
        for class in classes(changing, Order::Install) {
            self.cluster.check()?;
            if let Some(held) = &progress.held {
                held.check().await?;
            }
            let definitions: Vec<Object> =
                class.iter().filter(|o| o.kind() == "CustomResourceDefinition").cloned().collect();
            let sent = self.apply_by_kind(class.clone(), how).await;
            let reached: BTreeSet<Key> =
                sent.iter().filter(|s| s.outcome.is_ok()).map(|s| s.key.clone()).collect();
            let new = class
                .into_iter()
                .filter(|o| reached.contains(&o.key()) && !self.live.contains_key(&o.key()));
            progress.created.extend(new);
            done += sent.len();
            join_errors(sent, "")?;
            self.listener.step(&format!("{done} of {total} objects applied"));
            self.listener.tell(Event::Progress { done, total });
            self.unserved.extend(definitions);
        }
        Ok(())
    }

    /// Whether the server has said that writing an object would change nothing, not even who owns its fields.
    fn is_settled(&self, object: &Object) -> bool {
        let key = object.key();
        match (self.live.get(&key), self.expected.get(&key)) {
            (Some(live), Some(expected)) => live == expected && !owned_by_client(live),
            _ => false,
        }
    }

    /// Objects that a client-side Helm made.
    async fn adopt_fields(&self) -> Result<()> {
        if self.method == Method::ClientSide {
            return Ok(());
        }
        for object in &self.objects {
            if let Some(live) = self.live.get(&object.key()) {
                match self.cluster.adopt_fields(object, live).await {
                    Ok(()) => {}
                    Err(error)
                        if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Conflict) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    async fn prune_objects(&self, progress: &Progress) -> Result<()> {
        if self.prune.is_empty() {
            return Ok(());
        }
        if let Some(held) = &progress.held {
            held.check().await?;
        }
        let objects = self.prune.iter().map(|(object, _)| object.clone()).collect();
        let outcomes = self.cluster.delete_all(objects, Cascade::Background).await;
        let failed: Vec<String> = outcomes
            .into_iter()
            .filter_map(|(key, outcome)| {
                let error = outcome.err()?;
                Some(format!(
                    "failed to delete resource namespace={}, name={}, kind={}: {error}",
                    key.namespace, key.name, key.kind
                ))
            })
            .collect();
        if failed.is_empty() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Server, failed.join(" && ")))
    }

    async fn succeed(mut self, progress: Progress) -> Result<Record> {
        let description = self.options.description.clone().unwrap_or_else(|| match self.action {
            Action::Install => "Install complete".to_owned(),
            Action::Upgrade => "Upgrade complete".to_owned(),
            Action::Rollback { to } => format!("Rollback to {to}"),
        });
        let cluster = self.cluster.patient(LAST_WORD);
        if let (Some(store), Some(held)) = (&self.base.store, progress.held) {
            held.check().await?;
            let store = Store::new(&cluster, store.namespace(), store.driver());
            let died = |_| Error::new(ErrorKind::Record, "encoding a record failed");
            let replaced = progress.replaced.await.map_err(died)??;
            let each = replaced.iter().map(|record| store.update(record, "", None));
            self.record.set(Status::Deployed, description);
            // Whoever reads both as deployed takes the newer one, so neither has to wait.
            let (replaced, released) = futures_util::join!(
                futures_util::future::try_join_all(each),
                held.release(&self.record)
            );
            released?;
            replaced?;
        } else {
            self.record.set(Status::Deployed, description);
        }
        Ok(self.record)
    }

    /// The revisions that this one replaces, as they will be stored. Large records take long to pack, so
    /// that is done while objects are sent.
    fn replaced(&self) -> JoinHandle<Result<Vec<Record>>> {
        let from = match self.action {
            Action::Rollback { .. } => None,
            _ => self.base.current().map(|current| current.revision),
        };
        let abandoned = self.base.abandoned.as_ref().map(|abandoned| abandoned.revision);
        let is_replaced = |stored: &&Stored| {
            (stored.status == Status::Deployed || Some(stored.revision) == from)
                && Some(stored.revision) != abandoned
        };
        let replaced: Vec<Stored> = match self.base.store {
            Some(_) => self.base.history.iter().filter(is_replaced).cloned().collect(),
            None => Vec::new(),
        };
        tokio::task::spawn_blocking(move || {
            let superseded = |stored: Stored| {
                let mut record = stored.record()?;
                record.info.status = Status::Superseded;
                record.pack()?;
                Ok(record)
            };
            replaced.into_iter().map(superseded).collect()
        })
    }

    /// Records a failure, undoes what is to be undone, and gives the error to report.
    async fn fail(mut self, progress: Progress, error: Error) -> Error {
        if error.kind() == ErrorKind::Lost {
            return error;
        }
        let name = self.record.name.clone();
        let description = match self.action {
            Action::Install => format!("Release {name:?} failed: {error}"),
            Action::Upgrade => format!("Upgrade {name:?} failed: {error}"),
            Action::Rollback { .. } => format!("Rollback {name:?} failed: {error}"),
        };
        self.record.set(Status::Failed, description);
        let mut error = error;
        if let Some(held) = progress.held
            && let Err(unwritten) = held.release(&self.record).await
        {
            let text = format!("{error} (and its record could not be written: {unwritten})");
            error = Error::caused(error.kind(), text, error);
        }
        if error.kind() == ErrorKind::Cancelled {
            return error.context(format!(
                "release {name} is recorded as failed; the next apply goes on from there"
            ));
        }
        if self.options.cleanup_on_fail && !progress.created.is_empty() {
            let outcomes = self.cluster.delete_all(progress.created, Cascade::Background).await;
            let errors: Vec<String> =
                outcomes.into_iter().filter_map(|(_, o)| o.err().map(|e| e.to_string())).collect();
            if !errors.is_empty() {
                return Error::new(
                    error.kind(),
                    format!(
                        "an error occurred while cleaning up resources. original upgrade error: {error}: \
                         unable to cleanup resources: {}",
                        errors.join(", ")
                    ),
                );
            }
        }
        if self.options.rollback_on_failure && self.base.store.is_some() {
            return self.undo(error).await;
        }
        error
    }

    async fn undo(self, error: Error) -> Error {
        let (name, kind) = (self.record.name.clone(), error.kind());
        let because = "due to rollback-on-failure being set";
        let Some(store) = self.base.store.clone() else { return error };
        if self.action == Action::Install {
            let options = UninstallOptions {
                timeout: self.options.timeout,
                hooks: Some(self.hooks),
                ..UninstallOptions::default()
            };
            let undone =
                uninstall::uninstall(&self.cluster, &store, &name, &options, &self.listener);
            return match Box::pin(undone).await {
                Ok(_) => Error::new(
                    kind,
                    format!("release {name} failed, and has been uninstalled {because}: {error}"),
                ),
                Err(undo) => Error::new(
                    kind,
                    format!(
                        "an error occurred while uninstalling the release. original install error: \
                         {error}: {undo}"
                    ),
                ),
            };
        }
        let good =
            |stored: &&Stored| matches!(stored.status, Status::Superseded | Status::Deployed);
        let Some(good) = self.base.history.iter().rev().find(good) else {
            return error.context(
                "unable to find a previously successful release when attempting to rollback. original \
                 upgrade error",
            );
        };
        let to = good.revision;
        let method = good.record().map_or(self.method, |record| Method::of(&record));
        let options = Options {
            rollback_on_failure: false,
            description: None,
            // Helm rolls back in the way in which the older revision was written.
            method: Some(method),
            force_replace: self.options.force_replace && method == Method::ClientSide,
            force_conflicts: self.options.force_conflicts && method == Method::ServerSide,
            space: crate::plan::Space::Cluster,
            ..self.options.clone()
        };
        let undone = rollback(&self.cluster, &store, &name, to, options, &self.listener, false);
        match Box::pin(undone).await {
            Ok(_) => Error::new(
                kind,
                format!("release {name} failed, and has been rolled back {because}: {error}"),
            ),
            Err(undo) => Error::new(
                kind,
                format!(
                    "an error occurred while rolling back the release. original upgrade error: {error}: \
                     {undo}"
                ),
            ),
        }
    }
}

/// Marks a revision whose process died as failed, unless somebody else has done so.
async fn bury(store: &Store, abandoned: &Stored) -> Result<()> {
    let mut record = abandoned.record()?;
    let description = format!("{}: interrupted", record.info.description);
    record.set(Status::Failed, description);
    store.update(&record, &abandoned.resource_version, None).await.map(drop)
}

/// Removes the oldest revisions, so that with the next one there are no more than wanted; never the
/// deployed one.
async fn prune_history(store: &Store, history: &[Stored], max: usize) -> Result<()> {
    if max == 0 || history.len() < max {
        return Ok(());
    }
    let deployed = history.iter().rev().find(|stored| stored.status == Status::Deployed);
    let deployed = deployed.map(|stored| stored.revision);
    let excess = history.len() + 1 - max;
    let removable = history.iter().filter(|stored| Some(stored.revision) != deployed);
    for stored in removable.take(excess) {
        store.delete(&stored.name, stored.revision).await?;
    }
    Ok(())
}

/// Brings an older revision back, as a new one.
///
/// # Errors
///
/// Fails where there is no such revision, or as [`Plan::make`] and [`Plan::execute`].
pub async fn rollback(
    cluster: &Cluster,
    store: &Store,
    name: &str,
    revision: i64,
    options: Options,
    listener: &crate::Listener,
    take_over: bool,
) -> Result<Record> {
    plan_rollback(cluster, store, name, revision, options, listener, take_over)
        .await?
        .execute()
        .await
}

/// The plan of [`rollback`]. Revision 0 is the one before the newest.
///
/// # Errors
///
/// As [`rollback`].
pub async fn plan_rollback(
    cluster: &Cluster,
    store: &Store,
    name: &str,
    revision: i64,
    options: Options,
    listener: &crate::Listener,
    take_over: bool,
) -> Result<Plan> {
    let cluster = cluster.patient(options.timeout);
    let base = Base::read(&cluster, store, name, take_over).await?;
    let Some(newest) = base.newest() else { return Err(crate::store::not_found()) };
    let to = if revision == 0 { newest.revision - 1 } else { revision };
    let Some(stored) = base.history.iter().find(|stored| stored.revision == to) else {
        return Err(Error::new(ErrorKind::ReleaseNotFound, format!("release has no {to} version")));
    };
    let mut record = stored.record()?;
    record.namespace.clone_from(&newest.namespace);
    record.revision = base.next_revision();
    let request = Request::new(Action::Rollback { to }, record);
    Plan::make(&cluster, base, request, options, listener).await
}
