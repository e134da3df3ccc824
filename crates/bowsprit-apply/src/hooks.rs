//! Hooks: run as Helm runs them, or delivered as ordinary objects where nothing runs.

use crate::client::{Call, Cluster};
use crate::discovery::Discovery;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Listener};
use crate::lock::Held;
use crate::method::Method;
use crate::object::{self, Object};
use crate::ownership;
use crate::record::{LastRun, Record, RecordHook};
use crate::send::{Cascade, Sending};
use crate::time::Time;
use std::time::Duration;

/// What becomes of hooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hooks {
    /// They run as Helm runs them: by weight, waited for, deleted by their policies.
    Run,
    /// Those of installs and upgrades are applied in their order as ordinary objects and never waited
    /// for; those of deletes, rollbacks and tests are left out. For spaces in which no pod runs.
    Deliver,
    /// They are left out.
    Skip,
}

impl Hooks {
    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Hooks::Run => "run",
            Hooks::Deliver => "deliver",
            Hooks::Skip => "skip",
        }
    }
}

const BEFORE: &str = "before-hook-creation";
const SUCCEEDED: &str = "hook-succeeded";
const FAILED: &str = "hook-failed";

/// The moments of hooks that bring something into being.
const DELIVERED: [&str; 4] = ["pre-install", "post-install", "pre-upgrade", "post-upgrade"];

/// The objects of a revision's hooks that bring something into being.
pub(crate) fn delivered(record: &Record, discovery: &Discovery) -> Vec<Object> {
    let is_delivered =
        |hook: &&RecordHook| hook.events.iter().any(|event| DELIVERED.contains(&event.as_str()));
    let hooks = record.hooks.iter().filter(is_delivered);
    let documents = hooks.filter_map(|hook| object::parse(&hook.manifest).ok()).flatten();
    object::build(documents.collect(), discovery, &record.namespace).objects
}

/// What hooks need to run.
pub(crate) struct Runner<'r> {
    pub(crate) cluster: &'r Cluster,
    pub(crate) discovery: &'r Discovery,
    pub(crate) listener: &'r Listener,
    pub(crate) held: Option<&'r Held>,
    pub(crate) mode: Hooks,
    pub(crate) timeout: Duration,
    pub(crate) sending: Sending,
    /// Only tests of these names run; with `!` in front, all but these.
    pub(crate) filters: &'r [String],
}

/// The places of an event's hooks in the order in which they run.
pub(crate) fn selected(hooks: &[RecordHook], event: &str) -> Vec<usize> {
    let mut chosen: Vec<usize> = (0..hooks.len())
        .filter(|at| hooks.get(*at).is_some_and(|hook| hook.events.iter().any(|e| e == event)))
        .collect();
    chosen.sort_by_key(|at| hooks.get(*at).map(|hook| (hook.weight, hook.name.clone())));
    chosen
}

fn has_policy(hook: &RecordHook, policy: &str) -> bool {
    hook.delete_policies.iter().any(|given| given == policy)
}

impl Runner<'_> {
    /// Runs an event's hooks, and notes in the record when and how.
    pub(crate) async fn run(&self, record: &mut Record, event: &str) -> Result<()> {
        match self.mode {
            Hooks::Skip => Ok(()),
            Hooks::Deliver if !DELIVERED.contains(&event) => Ok(()),
            Hooks::Deliver | Hooks::Run => self.run_each(record, event).await,
        }
    }

    async fn run_each(&self, record: &mut Record, event: &str) -> Result<()> {
        let chosen: Vec<usize> = selected(&record.hooks, event)
            .into_iter()
            .filter(|at| record.hooks.get(*at).is_some_and(|hook| self.is_wanted(hook)))
            .collect();
        for (done, at) in chosen.iter().enumerate() {
            self.cluster.check()?;
            if let Err(error) = self.run_one(record, *at, event).await {
                let before = chosen.get(..done).unwrap_or_default();
                self.clean_up_after_failure(record, *at, before).await;
                return Err(error);
            }
        }
        if self.mode == Hooks::Deliver {
            return Ok(());
        }
        for at in chosen.iter().rev() {
            let Some(hook) = record.hooks.get(*at).cloned() else { continue };
            self.print_logs(&hook, &record.namespace, SUCCEEDED).await;
            self.delete_by(&hook, &record.namespace, SUCCEEDED).await?;
        }
        Ok(())
    }

    fn is_wanted(&self, hook: &RecordHook) -> bool {
        let excluded = self.filters.iter().any(|f| f.strip_prefix('!') == Some(&hook.name));
        let mut included = self.filters.iter().filter(|f| !f.starts_with('!')).peekable();
        !excluded && (included.peek().is_none() || included.any(|name| *name == hook.name))
    }

    async fn run_one(&self, record: &mut Record, at: usize, event: &str) -> Result<()> {
        let namespace = record.namespace.clone();
        let name = record.name.clone();
        let method = Method::of(record);
        let Some(hook) = record.hooks.get_mut(at) else { return Ok(()) };
        if hook.delete_policies.is_empty() {
            hook.delete_policies.push(BEFORE.to_owned());
        }
        let path = hook.path.clone();
        let mut objects = self.objects(hook, &namespace).map_err(|e| {
            e.context(format!("unable to build kubernetes object for {event} hook {path}"))
        })?;
        if self.mode == Hooks::Deliver {
            objects.iter_mut().for_each(|object| ownership::claim(object, &name, &namespace));
        }
        self.delete_by(&hook.clone(), &namespace, BEFORE).await?;
        hook.last_run = LastRun {
            started_at: Some(Time::now()),
            completed_at: None,
            phase: "Running".to_owned(),
        };
        if let Some(held) = self.held {
            held.update(record).await?;
        }
        let outcome = self.create_and_wait(&objects, event, &path, method).await;
        let Some(hook) = record.hooks.get_mut(at) else { return Ok(()) };
        match (self.mode, &outcome) {
            // Nobody will ever tell how a delivered hook ended.
            (Hooks::Deliver, Ok(())) => hook.last_run.phase = "Unknown".to_owned(),
            (_, outcome) => {
                hook.last_run.completed_at = Some(Time::now());
                hook.last_run.phase =
                    if outcome.is_ok() { "Succeeded" } else { "Failed" }.to_owned();
            }
        }
        outcome
    }

    async fn create_and_wait(
        &self,
        objects: &[Object],
        event: &str,
        path: &str,
        method: Method,
    ) -> Result<()> {
        for object in objects {
            let written = self.cluster.patiently(async || match method {
                Method::ServerSide => self.cluster.apply(object, &self.sending).await,
                Method::ClientSide => self.cluster.create(object, &self.sending).await,
            });
            written.await.map_err(|e| {
                let text = format!("warning: Hook {event} {path} failed: {e}");
                if e.kind() == ErrorKind::Cancelled { e } else { Error::caused(e.kind(), text, e) }
            })?;
        }
        if self.mode == Hooks::Deliver {
            return Ok(());
        }
        self.cluster.wait_hook(objects, self.timeout).await
    }

    fn objects(&self, hook: &RecordHook, namespace: &str) -> Result<Vec<Object>> {
        let built = object::build(object::parse(&hook.manifest)?, self.discovery, namespace);
        match built.errors.first() {
            None => Ok(built.objects),
            Some(error) => Err(Error::new(ErrorKind::Build, error.as_str())),
        }
    }

    /// Deletes a hook's objects if its policies say so, and waits until they are gone.
    async fn delete_by(&self, hook: &RecordHook, namespace: &str, policy: &str) -> Result<()> {
        // Custom resources would go with their definition.
        if hook.kind == "CustomResourceDefinition" || !has_policy(hook, policy) {
            return Ok(());
        }
        let objects = self.objects(hook, namespace).map_err(|e| {
            e.context(format!("unable to build kubernetes object for deleting hook {}", hook.path))
        })?;
        let mut deleted = Vec::new();
        for object in objects {
            if self.cluster.delete_object(&object, Cascade::Background).await? {
                deleted.push(object);
            }
        }
        if deleted.is_empty() {
            return Ok(());
        }
        self.cluster.wait_gone(&deleted, self.timeout).await
    }

    async fn clean_up_after_failure(&self, record: &Record, failed: usize, before: &[usize]) {
        if self.mode == Hooks::Deliver {
            return;
        }
        let namespace = &record.namespace;
        if let Some(hook) = record.hooks.get(failed) {
            self.print_logs(hook, namespace, FAILED).await;
            if let Err(error) = self.delete_by(hook, namespace, FAILED).await {
                let text = format!("error deleting the hook resource on hook failure: {error}");
                self.listener.warn(text);
            }
        }
        for hook in before.iter().filter_map(|at| record.hooks.get(*at)) {
            if let Err(error) = self.delete_by(hook, namespace, SUCCEEDED).await {
                self.listener.warn(format!("error deleting the hook resource: {error}"));
            }
        }
    }

    async fn print_logs(&self, hook: &RecordHook, namespace: &str, policy: &str) {
        if !hook.output_log_policies.iter().any(|given| given == policy) {
            return;
        }
        let selector = match hook.kind.as_str() {
            "Job" => ("labelSelector", format!("job-name={}", hook.name)),
            "Pod" => ("fieldSelector", format!("metadata.name={}", hook.name)),
            _ => return,
        };
        let namespace = match self.objects(hook, namespace) {
            Ok(objects) => objects.first().map_or(namespace.to_owned(), |o| o.namespace.clone()),
            Err(_) => namespace.to_owned(),
        };
        match self.cluster.logs(&namespace, selector).await {
            Ok(logs) => logs.iter().for_each(|log| self.listener.tell(Event::HookLog(log))),
            Err(error) => {
                self.listener.warn(format!("error outputting logs for hook failure: {error}"));
            }
        }
    }
}

impl Cluster {
    /// The logs of all containers of the pods that a selector finds.
    pub(crate) async fn logs(
        &self,
        namespace: &str,
        selector: (&'static str, String),
    ) -> Result<Vec<Vec<u8>>> {
        let path = format!("/api/v1/namespaces/{namespace}/pods");
        let pods = self.call_json(&Call::get(path.as_str()).query(selector.0, selector.1)).await?;
        let mut logs = Vec::new();
        for pod in pods["items"].as_array().into_iter().flatten() {
            let name = pod["metadata"]["name"].as_str().unwrap_or_default();
            for container in pod["spec"]["containers"].as_array().into_iter().flatten() {
                let container = container["name"].as_str().unwrap_or_default();
                let call = Call::get(format!("{path}/{name}/log"))
                    .query("container", container)
                    .accept("*/*");
                logs.push(self.call(&call).await?);
            }
        }
        Ok(logs)
    }

    /// The logs of one pod, as `helm test --logs` prints them.
    ///
    /// # Errors
    ///
    /// Fails where the pod is not there or has no logs.
    pub async fn pod_logs(&self, namespace: &str, pod: &str) -> Result<Vec<u8>> {
        let path = format!("/api/v1/namespaces/{namespace}/pods/{pod}/log");
        self.call(&Call::get(path).accept("*/*")).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hook(name: &str, weight: i64, event: &str) -> RecordHook {
        RecordHook {
            name: name.to_owned(),
            weight,
            events: vec![event.to_owned()],
            ..RecordHook::default()
        }
    }

    #[test]
    fn hooks_run_by_weight_and_name() {
        let hooks = [
            hook("b", 1, "pre-install"),
            hook("z", -1, "pre-install"),
            hook("a", 1, "pre-install"),
            hook("c", 0, "test"),
        ];
        assert_eq!(selected(&hooks, "pre-install"), [1, 2, 0]);
        assert_eq!(selected(&hooks, "test"), [3]);
    }
}
