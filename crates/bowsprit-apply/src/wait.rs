//! Waiting for objects to become what they shall be, or to go.

use crate::client::{Call, Cluster};
use crate::error::{Error, ErrorKind, Result};
use crate::object::Object;
use crate::send::is_unserved;
use crate::status::{Jobs, Progress, hook_progress, progress};
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// What to wait for after objects were applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wait {
    /// Only for hooks.
    #[default]
    HooksOnly,
    /// For all objects.
    Ready,
    /// For all objects, and for Jobs to end.
    ReadyAndJobs,
}

/// The first look comes at once, then ever more seldom.
fn interval(round: u32) -> Duration {
    Duration::from_millis((150u64 << round.min(4)).min(2000))
}

/// A line for each object that is not there yet.
fn pending_lines(pending: &[(Object, String)]) -> String {
    let lines: Vec<String> = pending
        .iter()
        .map(|(object, why)| {
            let key = object.key();
            format!("resource {}/{}/{} not ready. {why}", key.kind, key.namespace, key.name)
        })
        .collect();
    lines.join("\n")
}

/// The lists that will have a definition's kind, and the kind.
fn served_kinds(definition: &Json) -> impl Iterator<Item = (String, String)> {
    let spec = &definition["spec"];
    let group = spec["group"].as_str().unwrap_or_default();
    let kind = spec["names"]["kind"].as_str().unwrap_or_default();
    let versions = spec["versions"].as_array().into_iter().flatten();
    versions.filter(|version| version["served"] == Json::Bool(true)).map(move |version| {
        let version = version["name"].as_str().unwrap_or_default();
        (format!("/apis/{group}/{version}"), kind.to_owned())
    })
}

impl Cluster {
    /// Waits until all objects are current.
    pub(crate) async fn wait_ready(
        &self,
        objects: &[Object],
        wait: Wait,
        limit: Duration,
    ) -> Result<()> {
        let jobs = match wait {
            Wait::HooksOnly => return Ok(()),
            Wait::Ready => Jobs::Present,
            Wait::ReadyAndJobs => Jobs::Complete,
        };
        self.wait_for(objects, limit, |live| progress(live, jobs)).await
    }

    /// Waits until hooks have ended.
    pub(crate) async fn wait_hook(&self, objects: &[Object], limit: Duration) -> Result<()> {
        self.wait_for(objects, limit, hook_progress).await
    }

    /// Waits until the kinds of definitions are served. Their objects can be half a megabyte each, so
    /// the lists of what is served are asked instead, which are short.
    pub(crate) async fn wait_served(&self, definitions: &[Object], limit: Duration) -> Result<()> {
        let deadline = Instant::now() + limit;
        let mut open: BTreeSet<(String, String)> = BTreeSet::new();
        for definition in definitions {
            open.extend(served_kinds(&definition.json));
        }
        let mut round = 0;
        while !open.is_empty() {
            let paths: BTreeSet<String> = open.iter().map(|(path, _)| path.clone()).collect();
            for path in paths {
                let Some(list) = self.get_path(path.clone()).await? else { continue };
                for resource in list["resources"].as_array().into_iter().flatten() {
                    let kind = resource["kind"].as_str().unwrap_or_default().to_owned();
                    open.remove(&(path.clone(), kind));
                }
            }
            if open.is_empty() {
                break;
            }
            if Instant::now() >= deadline {
                // The conditions say why.
                return self
                    .wait_for(definitions, Duration::ZERO, |l| progress(l, Jobs::Present))
                    .await;
            }
            self.pause(Duration::from_millis(50 << round.min(2))).await?;
            round += 1;
        }
        Ok(())
    }

    /// Waits until the server takes objects of a kind, which is a moment before its lists tell of it.
    pub(crate) async fn wait_usable(&self, object: &Object, limit: Duration) -> Result<()> {
        let deadline = Instant::now() + limit;
        // The object itself need not be there, so the answer is short.
        let call = Call::get(object.path()).query("limit", "1");
        loop {
            match self.call(&call).await {
                Err(error) if error.kind() == ErrorKind::NotFound && is_unserved(&error) => {}
                Err(error) if error.kind() == ErrorKind::Cancelled => return Err(error),
                _ => return Ok(()),
            }
            if Instant::now() >= deadline {
                let text = format!("{} is not served yet", object.resource.qualified());
                return Err(Error::new(ErrorKind::Timeout, text));
            }
            self.pause(Duration::from_millis(50)).await?;
        }
    }

    async fn wait_for(
        &self,
        objects: &[Object],
        limit: Duration,
        judge: impl Fn(&Json) -> Progress,
    ) -> Result<()> {
        let deadline = Instant::now() + limit;
        let mut open: Vec<Object> = objects.iter().filter(|o| !o.is_generated()).cloned().collect();
        let mut round = 0;
        loop {
            let found = self.get_all(&open).await;
            let mut pending = Vec::new();
            for (object, live) in open.into_iter().zip(found) {
                let why = match live? {
                    None => "not found".to_owned(),
                    Some(live) => match judge(&live) {
                        Progress::Current => continue,
                        Progress::Underway(why) => why,
                        Progress::Terminating => "being deleted".to_owned(),
                        Progress::Failed(why) => {
                            let key = object.key();
                            let text = format!(
                                "resource {}/{}/{} failed: {why}",
                                key.kind, key.namespace, key.name
                            );
                            return Err(Error::new(ErrorKind::Hook, text));
                        }
                    },
                };
                pending.push((object, why));
            }
            if pending.is_empty() {
                return Ok(());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let text = format!("{}\ncontext deadline exceeded", pending_lines(&pending));
                return Err(Error::new(ErrorKind::Timeout, text));
            }
            self.pause(interval(round).min(left)).await?;
            round += 1;
            open = pending.into_iter().map(|(object, _)| object).collect();
        }
    }

    /// Waits until all objects are gone.
    pub(crate) async fn wait_gone(&self, objects: &[Object], limit: Duration) -> Result<()> {
        let deadline = Instant::now() + limit;
        let mut open: Vec<Object> = objects.to_vec();
        let mut round = 0;
        loop {
            let found = self.get_all(&open).await;
            let mut pending = Vec::new();
            for (object, live) in open.into_iter().zip(found) {
                if live?.is_some() {
                    pending.push((object, "still there".to_owned()));
                }
            }
            if pending.is_empty() {
                return Ok(());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let text = format!("{}\ncontext deadline exceeded", pending_lines(&pending));
                return Err(Error::new(ErrorKind::Timeout, text));
            }
            self.pause(interval(round).min(left)).await?;
            round += 1;
            open = pending.into_iter().map(|(object, _)| object).collect();
        }
    }
}
