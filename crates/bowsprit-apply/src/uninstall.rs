//! Taking a release away again.

use crate::client::Cluster;
use crate::discovery::Discovery;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Listener;
use crate::hooks::{self, Hooks, Runner};
use crate::lock::{self, Held};
use crate::object::{self, Object};
use crate::ownership;
use crate::record::{Record, Status};
use crate::send::{Cascade, Sending};
use crate::store::{Store, Stored, not_found};
use crate::time::Time;
use bowsprit_manifest::{Head, split};
use std::time::Duration;

const KEEP: &str = "helm.sh/resource-policy";

/// How a release is taken away.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UninstallOptions {
    /// Keeps the records, in the state `uninstalled`.
    pub keep_history: bool,
    /// What becomes of hooks; none for what fits the space.
    pub hooks: Option<Hooks>,
    /// What becomes of dependents.
    pub cascade: Cascade,
    /// Waits until the objects are gone.
    pub wait: bool,
    /// How long requests are repeated, and how long each wait may take.
    pub timeout: Duration,
    /// The description instead of Helm's, where the history is kept.
    pub description: Option<String>,
    /// Deletes the namespace too, if nothing else of Helm's is left in it.
    pub delete_namespace: bool,
    /// Takes an operation that is under way for dead.
    pub take_over: bool,
    /// Leaves objects alone that another release has adopted meanwhile; Helm deletes them.
    pub only_owned: bool,
}

impl Default for UninstallOptions {
    fn default() -> UninstallOptions {
        UninstallOptions {
            keep_history: false,
            hooks: None,
            cascade: Cascade::Background,
            wait: false,
            timeout: Duration::from_secs(300),
            description: None,
            delete_namespace: false,
            take_over: false,
            only_owned: false,
        }
    }
}

/// What an uninstallation left.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Uninstalled {
    /// The release as it was.
    pub record: Record,
    /// Kind and name of the objects that were kept.
    pub kept: Vec<(String, String)>,
}

/// Deletes a release's objects and its records.
///
/// # Errors
///
/// Fails where there is no such release, or where the server refuses to delete something.
pub async fn uninstall(
    cluster: &Cluster,
    store: &Store,
    name: &str,
    options: &UninstallOptions,
    listener: &Listener,
) -> Result<Uninstalled> {
    let cluster = &cluster.patient(options.timeout);
    let history = store.history(name).await?;
    let Some(last) = history.last() else {
        let error = not_found();
        let text = format!("uninstall: Release not loaded: {name}: {error}");
        return Err(Error::new(ErrorKind::ReleaseNotFound, text));
    };
    let record = last.record()?;
    if record.info.status == Status::Uninstalled {
        if options.keep_history {
            let text = format!("the release named {name:?} is already deleted");
            return Err(Error::new(ErrorKind::ReleaseNotFound, text));
        }
        purge(store, &history).await?;
        return Ok(Uninstalled { record, kept: Vec::new() });
    }
    if record.info.status.is_pending() || last.mark.is_some() {
        lock::wait_for_owner(cluster, store, last, options.take_over).await?;
    }
    let discovery = cluster.discovery().await?;
    let mode = options.hooks.unwrap_or(match discovery.is_wds() {
        true => Hooks::Deliver,
        false => Hooks::Run,
    });
    let job = Job { cluster, store, options, listener, discovery: &discovery, mode };
    job.run(record, &history).await
}

struct Job<'j> {
    cluster: &'j Cluster,
    store: &'j Store,
    options: &'j UninstallOptions,
    listener: &'j Listener,
    discovery: &'j Discovery,
    mode: Hooks,
}

impl Job<'_> {
    async fn run(&self, mut record: Record, history: &[Stored]) -> Result<Uninstalled> {
        record.info.status = Status::Uninstalling;
        record.info.deleted = Some(Time::now());
        record.info.description = "Deletion in progress (or silently failed)".to_owned();
        let version = history.last().map(|last| last.resource_version.clone()).unwrap_or_default();
        record.pack()?;
        let held =
            Held::take(self.cluster, self.store, &record, &version).await.map_err(|error| {
                if error.kind() == ErrorKind::Lost {
                    return lock::busy(&record.name, "another process was faster");
                }
                error
            })?;
        let outcome = self.delete_objects(&mut record, &held, history).await;
        let (kept, errors) = match outcome {
            Ok(outcome) => outcome,
            Err(error) => {
                // The state stays `uninstalling`, without anybody at work.
                let _ = held.release(&record).await;
                return Err(error);
            }
        };
        let description = self.options.description.clone();
        record.info.status = Status::Uninstalled;
        record.info.description =
            description.unwrap_or_else(|| "Uninstallation complete".to_owned());
        held.release(&record).await?;
        if self.options.keep_history {
            for stored in history.iter().filter(|stored| stored.status == Status::Deployed) {
                if stored.revision != record.revision {
                    let mut old = stored.record()?;
                    old.info.status = Status::Superseded;
                    self.store.update(&old, "", None).await?;
                }
            }
        } else {
            purge(self.store, history).await?;
        }
        if self.options.delete_namespace {
            self.delete_namespace(&record.namespace).await?;
        }
        match errors.len() {
            0 => Ok(Uninstalled { record, kept }),
            n => Err(Error::new(
                ErrorKind::Server,
                format!("uninstallation completed with {n} error(s): {}", errors.join("; ")),
            )),
        }
    }

    /// Gives what was kept, and what went wrong after all was deleted.
    async fn delete_objects(
        &self,
        record: &mut Record,
        held: &Held,
        history: &[Stored],
    ) -> Result<(Vec<(String, String)>, Vec<String>)> {
        self.run_hooks(record, held, "pre-delete").await?;
        let mut errors = Vec::new();
        let mut kept = Vec::new();
        let mut objects = self.objects_of(record, &mut kept)?;
        // What an interrupted revision left behind, and what came before it.
        for stored in history.iter().rev().skip(1).take_while(|s| s.status != Status::Superseded) {
            let older = self.objects_of(&stored.record()?, &mut Vec::new())?;
            for object in older {
                if objects.iter().all(|known| known.key() != object.key())
                    && self.is_owned(&object, record).await?
                {
                    objects.push(object);
                }
            }
        }
        if self.options.only_owned {
            let mut owned = Vec::new();
            for object in objects {
                if self.is_owned(&object, record).await? {
                    owned.push(object);
                }
            }
            objects = owned;
        }
        if self.mode == Hooks::Deliver {
            for object in hooks::delivered(record, self.discovery) {
                if self.is_owned(&object, record).await? {
                    objects.push(object);
                }
            }
        }
        let outcomes = self.cluster.delete_all(objects.clone(), self.options.cascade).await;
        let failed: Vec<String> =
            outcomes.into_iter().filter_map(|(_, o)| o.err().map(|e| e.to_string())).collect();
        if !failed.is_empty() {
            let text = format!("failed to delete release: {}: {}", record.name, failed.join("; "));
            return Err(Error::new(ErrorKind::Server, text));
        }
        if self.options.wait
            && let Err(error) = self.cluster.wait_gone(&objects, self.options.timeout).await
        {
            errors.push(error.to_string());
        }
        if let Err(error) = self.run_hooks(record, held, "post-delete").await {
            errors.push(error.to_string());
        }
        Ok((kept, errors))
    }

    async fn run_hooks(&self, record: &mut Record, held: &Held, event: &str) -> Result<()> {
        let runner = Runner {
            cluster: self.cluster,
            discovery: self.discovery,
            listener: self.listener,
            held: Some(held),
            mode: self.mode,
            timeout: self.options.timeout,
            sending: Sending::default(),
            filters: &[],
        };
        runner.run(record, event).await
    }

    /// A record's objects without those that its policies keep.
    fn objects_of(&self, record: &Record, kept: &mut Vec<(String, String)>) -> Result<Vec<Object>> {
        let mut objects = Vec::new();
        for document in split(record.manifest.as_bytes()) {
            let Ok(head) = Head::parse(document) else { continue };
            if let Some(policy) = head.annotation(KEEP) {
                // Other policies than `keep` keep objects too, without a word.
                if policy.trim().eq_ignore_ascii_case("keep") {
                    kept.push((head.kind, head.name));
                }
                continue;
            }
            let text = String::from_utf8_lossy(document);
            let built = object::build(object::parse(&text)?, self.discovery, &record.namespace);
            for error in built.errors {
                self.listener.warn(format!("can't be deleted: {error}"));
            }
            objects.extend(built.objects);
        }
        Ok(objects)
    }

    async fn is_owned(&self, object: &Object, record: &Record) -> Result<bool> {
        let owner = (record.name.clone(), record.namespace.clone());
        let live = self.cluster.get_object(object).await?;
        Ok(live.is_some_and(|live| ownership::owner(&live) == Some(owner)))
    }

    async fn delete_namespace(&self, namespace: &str) -> Result<()> {
        if !self.store.all("").await?.is_empty() {
            self.listener.warn(format!("namespace {namespace} stays: other releases are in it"));
            return Ok(());
        }
        let path = format!("/api/v1/namespaces/{namespace}");
        self.cluster.delete_path(path, Cascade::Background).await.map(drop)
    }
}

/// Removes all revisions, the oldest first: what remains if the process dies still tells the state.
async fn purge(store: &Store, history: &[Stored]) -> Result<()> {
    for stored in history {
        let deleted = store.delete(&stored.name, stored.revision).await;
        deleted.map_err(|e| e.context("uninstall: Failed to purge the release"))?;
    }
    Ok(())
}

/// What a dry run of [`uninstall`] would say: the release, if it is there.
///
/// # Errors
///
/// Fails where there is no such release.
pub async fn find(store: &Store, name: &str) -> Result<Record> {
    store.get(name, 0).await?.record()
}
