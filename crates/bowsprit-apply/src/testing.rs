//! `helm test`: a release's test hooks.

use crate::client::Cluster;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Listener;
use crate::hooks::{Hooks, Runner};
use crate::lock::Held;
use crate::record::{Record, Status};
use crate::send::Sending;
use crate::store::Store;
use std::time::Duration;

/// How tests run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TestOptions {
    /// How long each test may take.
    pub timeout: Duration,
    /// Names of the tests that run; with `!` in front, of those that don't.
    pub filters: Vec<String>,
    /// Runs them even in a space in which no pod runs.
    pub force: bool,
}

impl Default for TestOptions {
    fn default() -> TestOptions {
        TestOptions { timeout: Duration::from_secs(300), filters: Vec::new(), force: false }
    }
}

/// Runs the tests of a release's newest revision, and records how they ended. Gives the release, and the
/// error of the test that failed.
///
/// # Errors
///
/// Fails where there is no such release, or where tests make no sense.
pub async fn run_tests(
    cluster: &Cluster,
    store: &Store,
    name: &str,
    options: &TestOptions,
    listener: &Listener,
) -> Result<(Record, Option<Error>)> {
    let cluster = &cluster.patient(options.timeout);
    let discovery = cluster.discovery().await?;
    let stored = store.get(name, 0).await?;
    let mut record = stored.record()?;
    let has_tests = record.hooks.iter().any(|hook| hook.events.iter().any(|e| e == "test"));
    if discovery.is_wds() && has_tests && !options.force {
        return Err(Error::new(
            ErrorKind::Usage,
            "this is a workload description space, in which no pod runs, so no test would ever end. Test \
             the release in a cluster that it is delivered to; --space cluster runs the tests here",
        ));
    }
    if record.info.status == Status::Uninstalled {
        let text = format!("release {name:?} is uninstalled");
        return Err(Error::new(ErrorKind::ReleaseNotFound, text));
    }
    let held = Held::take(cluster, store, &record, &stored.resource_version).await?;
    let runner = Runner {
        cluster,
        discovery: &discovery,
        listener,
        held: Some(&held),
        mode: Hooks::Run,
        timeout: options.timeout,
        sending: Sending::default(),
        filters: &options.filters,
    };
    let outcome = runner.run(&mut record, "test").await;
    held.release(&record).await?;
    Ok((record, outcome.err()))
}
