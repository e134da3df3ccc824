//! The commands that work on releases in a cluster or a space, and what they share: the connection, the
//! store, and how operations are told of.

pub(super) mod apply;
mod block;
pub(super) mod diff;
pub(super) mod get;
pub(super) mod history;
pub(super) mod list;
mod options;
mod placed;
pub(super) mod rollback;
pub(super) mod snapshot;
pub(super) mod status;
pub(super) mod test;
pub(super) mod uninstall;
pub(super) mod validate;

use super::Invocation;
use crate::failure::Failure;
use crate::flags::{Flag, Kind, Parsed};
use crate::{interrupts, streams};
use bowsprit::apply::{
    Cluster, ConnectOptions, Driver, Error, Event, Listener, Record, Runtime, Store,
};
use bowsprit::chart::{Level, LogLine};
use bowsprit::pipeline::validate_release_name;
use std::future::Future;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

/// Flags of all commands that connect.
pub(super) static CONNECT: &[Flag] =
    &[Flag::with("context", Kind::Text, "NAME", "The kubeconfig's context, as --kube-context")];

/// Flags of commands that work on an operation's lock.
pub(super) static TAKE_OVER: &[Flag] = &[Flag::switch(
    "take-over",
    "Take an operation that is under way for dead, and go on from where it stopped",
)];

pub(super) static REVISION: &[Flag] =
    &[Flag::with("revision", Kind::Int64, "N", "The revision; the newest if not given")];

/// A connection, and where releases are kept there.
pub(super) struct Session {
    pub(super) runtime: Runtime,
    pub(super) cluster: Cluster,
    pub(super) namespace: String,
    pub(super) driver: Driver,
}

fn env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

impl Session {
    /// Prepares a connection; nothing is sent yet.
    pub(super) fn open(invocation: &Invocation<'_>) -> Result<Session, Failure> {
        let runtime = Runtime::new().map_err(Failure::of)?;
        let options = connect_options(invocation);
        let cluster = runtime.run(Cluster::connect(&options)).map_err(Failure::of)?;
        let namespace = invocation.settings.namespace();
        Ok(Session { runtime, cluster, namespace, driver: driver()? })
    }

    /// The releases of the namespace.
    pub(super) fn store(&self) -> Store {
        Store::new(&self.cluster, self.namespace.as_str(), self.driver)
    }

    /// The releases of all namespaces.
    pub(super) fn all_stores(&self) -> Store {
        Store::new(&self.cluster, "", self.driver)
    }

    pub(super) fn run<T>(
        &self,
        operation: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Failure> {
        self.runtime.run(operation).map_err(Failure::of)
    }

    /// Runs what writes: Ctrl-C makes it end cleanly.
    pub(super) fn change<T>(
        &self,
        operation: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let _hold = interrupts::hold();
        self.runtime.run_interruptibly(&self.cluster, operation)
    }

    /// A revision of a release.
    pub(super) fn record(&self, name: &str, revision: i64) -> Result<Record, Failure> {
        check_name(name, "releaseContent: Release name")?;
        let store = self.store();
        self.run(async { store.get(name, revision).await?.record() })
    }
}

pub(in super::super) fn connect_options(invocation: &Invocation<'_>) -> ConnectOptions {
    let parsed = invocation.parsed;
    let given = |flag: &str, variable: &str| {
        parsed.non_empty(flag).map(str::to_owned).or_else(|| env(variable))
    };
    let mut options = ConnectOptions::default();
    let non_empty = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    options.kubeconfig = non_empty(invocation.settings.kubeconfig()).map(PathBuf::from);
    options.context = non_empty(invocation.settings.context());
    options.server = given("kube-apiserver", "HELM_KUBEAPISERVER");
    options.token = given("kube-token", "HELM_KUBETOKEN");
    options.as_user = given("kube-as-user", "HELM_KUBEASUSER");
    options.as_groups = parsed.all("kube-as-group");
    if options.as_groups.is_empty()
        && let Some(groups) = env("HELM_KUBEASGROUPS")
    {
        options.as_groups = groups.split(',').map(str::to_owned).collect();
    }
    options.ca_file = given("kube-ca-file", "HELM_KUBECAFILE").map(PathBuf::from);
    options.tls_server_name = given("kube-tls-server-name", "HELM_KUBETLS_SERVER_NAME");
    let insecure = env("HELM_KUBEINSECURE_SKIP_TLS_VERIFY");
    options.insecure = match parsed.text("kube-insecure-skip-tls-verify") {
        Some(value) => value == "true",
        None => insecure.is_some_and(|value| matches!(value.as_str(), "1" | "t" | "T" | "true")),
    };
    options
}

fn driver() -> Result<Driver, Failure> {
    match env("HELM_DRIVER").as_deref() {
        None | Some("secret" | "secrets") => Ok(Driver::Secret),
        Some("configmap" | "configmaps") => Ok(Driver::ConfigMap),
        Some(other) => Err(Failure::Error(format!(
            "HELM_DRIVER={other}: releases are kept in secrets or configmaps here"
        ))),
    }
}

/// The only argument of a command.
pub(super) fn one_arg<'i>(
    invocation: &'i Invocation<'_>,
    command: &str,
    usage: &str,
) -> Result<&'i str, Failure> {
    match invocation.args() {
        [only] => Ok(only),
        _ => Err(Failure::Error(format!(
            "\"bowsprit {command}\" requires 1 argument\n\nUsage:  bowsprit {usage}"
        ))),
    }
}

/// Fails where no release can have a name, in the words of the command that Helm would fail in.
pub(super) fn check_name(name: &str, words: &str) -> Result<(), Failure> {
    match validate_release_name(name) {
        Ok(()) => Ok(()),
        Err(_) => Err(Failure::Error(format!("{words} is invalid: {name}"))),
    }
}

/// The value of a flag that is a duration; Go's five minutes without it.
pub(super) fn timeout(parsed: &Parsed) -> Duration {
    parsed.text("timeout").map_or(Duration::from_secs(300), duration)
}

/// A duration whose form has been checked: `1h2m3.5s`.
fn duration(text: &str) -> Duration {
    let mut total = 0.0;
    let mut rest = text.trim_start_matches('+');
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (digits, after) = rest.split_at_checked(end).unwrap_or_default();
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(end).unwrap_or_default();
        let seconds = match unit {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "m" => 60.0,
            "h" => 3600.0,
            "s" => 1.0,
            // Negative durations and what else is no time to wait.
            _ => return Duration::ZERO,
        };
        total += digits.parse::<f64>().unwrap_or(0.0) * seconds;
        rest = after;
    }
    Duration::try_from_secs_f64(total).unwrap_or(Duration::MAX)
}

/// The value of a flag that is a number.
pub(super) fn integer(parsed: &Parsed, flag: &str) -> Option<i64> {
    parsed.text(flag)?.parse().ok()
}

pub(super) fn warn(text: &str) {
    let line = LogLine { level: Level::Warn, message: text.to_owned(), attrs: Vec::new() };
    streams::say(&line.to_string());
}

/// Prints what operations tell: warnings and notes on standard error, a bar where that is a terminal, and
/// hooks' logs on standard output.
pub(super) fn listener(invocation: &Invocation<'_>, quiet: bool) -> Listener {
    let debug = invocation.settings.debug;
    let start = std::time::Instant::now();
    let bar: Mutex<Option<indicatif::ProgressBar>> = Mutex::new(None);
    let terminal = std::io::stderr().is_terminal();
    Listener::new(move |event| match event {
        Event::Warning(text) => warn(text),
        Event::Note(text) if !quiet => streams::say(text),
        Event::Step(text) if debug => {
            let line = LogLine {
                level: Level::Debug,
                message: text.to_owned(),
                attrs: vec![("after", format!("{:?}", start.elapsed()))],
            };
            streams::say(&line.to_string());
        }
        Event::HookLog(log) => {
            let _ = streams::write(log);
        }
        Event::Progress { done, total } if terminal && total > 20 => {
            let mut bar = bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let shown = bar.get_or_insert_with(|| indicatif::ProgressBar::new(total as u64));
            shown.set_position(done as u64);
            if done >= total {
                shown.finish_and_clear();
            }
        }
        _ => {}
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_gos() {
        for (text, want) in [
            ("5m0s", 300_000),
            ("1h2m", 3_720_000),
            ("1.5s", 1500),
            ("300ms", 300),
            ("0", 0),
            ("-5s", 0),
        ] {
            assert_eq!(duration(text), Duration::from_millis(want), "{text}");
        }
    }
}
