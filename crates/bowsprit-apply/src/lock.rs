//! Who works on a release.
//!
//! A revision that is under way carries a mark in its annotations: a random number for the operation,
//! the process, and a time that is renewed every few seconds. A revision whose process has died, or whose
//! mark has not changed for a while, is taken over by the next operation. So a killed process never leaves
//! a release behind that nobody can change, as Helm's pending states do.

use crate::client::Cluster;
use crate::error::{Error, ErrorKind, Result};
use crate::record::Record;
use crate::store::{Store, Stored};
use crate::time::Time;
use serde_json::{Value as Json, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

const OPERATION: &str = "bowsprit.dev/operation";
const RENEWED: &str = "bowsprit.dev/renewed";

/// How often a mark is renewed.
const EVERY: Duration = Duration::from_secs(4);

/// A mark that was not renewed for so long belongs to nobody.
const STALE: Duration = Duration::from_secs(15);

/// How old a record without mark, such as Helm writes, must be before it is taken for abandoned.
const HELM_STALE: i64 = 300;

/// The mark of an operation on a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) id: String,
    /// The machine and its process namespace; empty where these can't be told.
    host: String,
    pid: u32,
    /// When the process began, in the machine's ticks.
    started: String,
    renewed: String,
}

impl Mark {
    pub(crate) fn new() -> Mark {
        let mut id = [0; 12];
        let _ = getrandom::fill(&mut id);
        let pid = std::process::id();
        Mark {
            id: id.iter().map(|byte| format!("{byte:02x}")).collect(),
            host: this_host().unwrap_or_default(),
            pid,
            started: start_of(pid).unwrap_or_default(),
            renewed: Time::now().rfc3339(),
        }
    }

    pub(crate) fn annotations(&self) -> Json {
        let operation =
            json!({"id": self.id, "host": self.host, "pid": self.pid, "started": self.started});
        json!({OPERATION: operation.to_string(), RENEWED: self.renewed})
    }

    pub(crate) fn read(annotations: &Json) -> Option<Mark> {
        let operation: Json = serde_json::from_str(annotations[OPERATION].as_str()?).ok()?;
        let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
        Some(Mark {
            id: text(&operation["id"]),
            host: text(&operation["host"]),
            pid: u32::try_from(operation["pid"].as_u64()?).ok()?,
            started: text(&operation["started"]),
            renewed: text(&annotations[RENEWED]),
        })
    }

    /// Whether the process lives; none where only time can tell.
    fn is_alive(&self) -> Option<bool> {
        if self.host.is_empty() || self.started.is_empty() || this_host()? != self.host {
            return None;
        }
        Some(start_of(self.pid).is_some_and(|started| started == self.started))
    }
}

/// The boot of this machine together with the namespace in which process numbers count.
fn this_host() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = std::fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), namespace.display()))
}

/// When a process began; none for one that is not there or is dead but not buried.
fn start_of(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name may hold anything; the fields behind it are fixed.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    fields.nth(18).map(str::to_owned)
}

pub(crate) fn busy(name: &str, why: &str) -> Error {
    Error::new(
        ErrorKind::Busy,
        format!(
            "another operation (install/upgrade/rollback) is in progress on release {name}: {why}"
        ),
    )
}

/// Makes sure that nobody works on a revision that says it is under way.
///
/// # Errors
///
/// Fails with [`ErrorKind::Busy`] where somebody does.
pub(crate) async fn wait_for_owner(
    cluster: &Cluster,
    store: &Store,
    stored: &Stored,
    take_over: bool,
) -> Result<Stored> {
    if take_over {
        return Ok(stored.clone());
    }
    let name = &stored.name;
    let Some(mark) = &stored.mark else {
        let record = stored.record()?;
        let age = record.info.last_deployed.map_or(i64::MAX, |time| time.age());
        if age >= HELM_STALE {
            return Ok(stored.clone());
        }
        return Err(busy(
            name,
            &format!(
                "revision {} was begun by Helm {age} s ago; after {HELM_STALE} s it is taken over, with \
                 --take-over at once",
                stored.revision
            ),
        ));
    };
    match mark.is_alive() {
        Some(false) => return Ok(stored.clone()),
        Some(true) => {
            return Err(busy(name, &format!("process {} on this machine works on it", mark.pid)));
        }
        None => {}
    }
    let step = Duration::from_millis(1500);
    let mut waited = Duration::ZERO;
    while waited < STALE {
        cluster.pause(step).await?;
        waited += step;
        let now = store.get(name, stored.revision).await?;
        if now.resource_version != stored.resource_version {
            return Err(busy(name, "its record changes while this process looks"));
        }
    }
    Ok(stored.clone())
}

/// A revision that this process works on: its record is renewed in the background until it is released.
pub(crate) struct Held {
    shared: Arc<Shared>,
    renewal: Option<JoinHandle<()>>,
}

struct Shared {
    store: Store,
    name: String,
    revision: i64,
    state: Mutex<State>,
    cluster: Cluster,
}

struct State {
    version: String,
    mark: Mark,
    lost: bool,
}

impl Held {
    /// Stores a new revision and holds it.
    pub(crate) async fn create(cluster: &Cluster, store: &Store, record: &Record) -> Result<Held> {
        let mark = Mark::new();
        let version = store.create(record, &mark).await?;
        Ok(Held::start(cluster, store, record, version, mark))
    }

    /// Writes a record that is there already, and holds it. Fails where it has changed since.
    pub(crate) async fn take(
        cluster: &Cluster,
        store: &Store,
        record: &Record,
        version: &str,
    ) -> Result<Held> {
        let mark = Mark::new();
        let version = store.update(record, version, Some(&mark)).await?;
        Ok(Held::start(cluster, store, record, version, mark))
    }

    fn start(
        cluster: &Cluster,
        store: &Store,
        record: &Record,
        version: String,
        mark: Mark,
    ) -> Held {
        let shared = Arc::new(Shared {
            store: store.clone(),
            name: record.name.clone(),
            revision: record.revision,
            state: Mutex::new(State { version, mark, lost: false }),
            cluster: cluster.clone(),
        });
        let renewal = tokio::spawn(renew(Arc::clone(&shared)));
        Held { shared, renewal: Some(renewal) }
    }

    /// Fails where another process has taken over.
    pub(crate) async fn check(&self) -> Result<()> {
        if self.shared.state.lock().await.lost {
            return Err(Error::new(
                ErrorKind::Lost,
                format!("another process has taken over release {}", self.shared.name),
            ));
        }
        Ok(())
    }

    /// Stores the record again and goes on holding it.
    pub(crate) async fn update(&self, record: &Record) -> Result<()> {
        let mut state = self.shared.state.lock().await;
        state.version = self.shared.store.update(record, &state.version, Some(&state.mark)).await?;
        Ok(())
    }

    /// Stores the record for the last time.
    pub(crate) async fn release(mut self, record: &Record) -> Result<()> {
        // Whoever holds the state is not in the middle of renewing it.
        let state = self.shared.state.lock().await;
        if let Some(renewal) = self.renewal.take() {
            renewal.abort();
        }
        self.shared.store.update(record, &state.version, None).await?;
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(renewal) = &self.renewal {
            renewal.abort();
        }
    }
}

async fn renew(shared: Arc<Shared>) {
    loop {
        tokio::time::sleep(EVERY).await;
        let mut state = shared.state.lock().await;
        let mut mark = state.mark.clone();
        mark.renewed = Time::now().rfc3339();
        let store = Store::new(
            &shared.cluster.patient(STALE),
            shared.store.namespace(),
            shared.store.driver(),
        );
        match store.set_mark(&shared.name, shared.revision, &state.version, &mark).await {
            Ok(version) => {
                state.version = version;
                state.mark = mark;
            }
            Err(error) if error.kind() == ErrorKind::Lost => {
                state.lost = true;
                shared.cluster.cancel();
                return;
            }
            // The next round may do better.
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_come_back_as_they_were() {
        let mark = Mark::new();
        assert_eq!(Mark::read(&mark.annotations()), Some(mark));
        assert_eq!(Mark::read(&json!({})), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_dead_are_told_from_the_living() {
        let mut mark = Mark::new();
        assert_eq!(mark.is_alive(), Some(true));
        mark.started = "1".to_owned();
        assert_eq!(mark.is_alive(), Some(false));
        mark.host = "elsewhere".to_owned();
        assert_eq!(mark.is_alive(), None);
    }
}
