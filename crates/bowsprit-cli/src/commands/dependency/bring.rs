//! `bowsprit dependency update` and `build`.

use super::chart;
use crate::charts;
use crate::commands::{Command, Invocation};
use crate::failure::Failure;
use crate::flags::{Flag, Kind};
use crate::{network, streams};
use bowsprit::loader::{
    DependencyEvent, DependencyOptions, build_dependencies, default_keyring, update_dependencies,
};
use std::path::{Path, PathBuf};

pub(super) static UPDATE: Command = Command {
    name: "update",
    usage: "dependency update [CHART] [flags]",
    about: "Find the newest versions that Chart.yaml allows, bring them and write Chart.lock",
    examples: "\
CHART is a directory; without it the working directory is meant. Archives are fetched at the same
time, each once, and kept in a cache that Helm shares. Nothing in charts/ changes before all of them
are there; then archives that nothing needs are removed.

Examples:
  bowsprit dependency update ./chart
  bowsprit dependency update ./chart --skip-refresh",
    flags: &[FLAGS],
    children: &[],
    run: Some(|invocation| run(invocation, "dependency update CHART", false)),
};

pub(super) static BUILD: Command = Command {
    name: "build",
    usage: "dependency build [CHART] [flags]",
    about: "Bring what Chart.lock names into charts/",
    examples: "\
CHART is a directory; without it the working directory is meant. Archives that are in charts/ already,
of the name and version that Chart.lock asks for, are kept; if all are there, no network is needed.
Without a Chart.lock this does what update does.

Examples:
  bowsprit dependency build ./chart
  bowsprit dependency build ./chart --offline",
    flags: &[FLAGS],
    children: &[],
    run: Some(|invocation| run(invocation, "dependency build CHART", true)),
};

static FLAGS: &[Flag] = &[
    Flag::switch("skip-refresh", "Take the indexes in the cache for the newest"),
    Flag::switch("offline", "Ask nobody: take what is in charts/ and in the caches, or fail"),
    Flag::switch("verify", "Check the signatures of charts that have one"),
    Flag::with("keyring", Kind::Text, "FILE", "Public keys for --verify"),
    Flag::with("username", Kind::Text, "NAME", "Name of the user at registries"),
    Flag::with("password", Kind::Text, "PASSWORD", "Password of the user"),
    Flag::with("cert-file", Kind::Text, "FILE", "Certificate to identify with at registries"),
    Flag::with("key-file", Kind::Text, "FILE", "Key of that certificate"),
    Flag::with("ca-file", Kind::Text, "FILE", "Trust the authorities in FILE and no others"),
    Flag::switch("insecure-skip-tls-verify", "Trust every registry"),
    Flag::switch("plain-http", "Talk to registries without TLS"),
];

fn run(invocation: &Invocation<'_>, usage: &str, from_lock: bool) -> Result<(), Failure> {
    let dir = chart(invocation, usage)?;
    let options = options(invocation)?;
    bring(invocation, Path::new(dir), &options, from_lock, true)
}

fn options(invocation: &Invocation<'_>) -> Result<DependencyOptions, Failure> {
    let parsed = invocation.parsed;
    let mut options = DependencyOptions::default();
    options.query.plain_http = parsed.is_on("plain-http");
    options.query.tls = charts::tls(invocation)?;
    options.query.credentials = charts::credentials(invocation);
    options.skip_refresh = parsed.is_on("skip-refresh");
    options.offline = parsed.is_on("offline");
    options.debug = invocation.settings.debug;
    if parsed.is_on("verify") {
        let keyring = parsed.text("keyring");
        options.keyring = Some(keyring.map_or_else(default_keyring, PathBuf::from));
    }
    Ok(options)
}

/// What `--dependency-update` does in commands that take a chart's directory.
///
/// # Errors
///
/// As `dependency update`.
pub(crate) fn update(invocation: &Invocation<'_>, dir: &Path, aloud: bool) -> Result<(), Failure> {
    let mut options = options(invocation)?;
    // Here it is the chart itself that these flags speak of.
    options.keyring = None;
    bring(invocation, dir, &options, false, aloud)
}

fn bring(
    invocation: &Invocation<'_>,
    dir: &Path,
    options: &DependencyOptions,
    from_lock: bool,
    aloud: bool,
) -> Result<(), Failure> {
    let sources = network::sources(invocation);
    let mut failed = None;
    let settings = invocation.settings;
    let mut say = |event: DependencyEvent| match event {
        DependencyEvent::Log(line) => settings.log(&line),
        event if aloud => {
            if let Err(failure) = streams::write(format!("{event}\n").as_bytes()) {
                failed.get_or_insert(failure);
            }
        }
        _ => {}
    };
    let outcome = if from_lock {
        network::wait(build_dependencies(dir, &sources, options, &mut say))?
    } else {
        network::wait(update_dependencies(dir, &sources, options, &mut say))?
    };
    outcome.map_err(network::detailed)?;
    failed.map_or(Ok(()), Err)
}
