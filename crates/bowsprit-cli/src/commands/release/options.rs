//! The flags that commands about releases share, and what they say.

use super::{integer, warn};
use crate::failure::Failure;
use crate::flags::{Flag, Kind, Parsed};
use bowsprit::apply::{Crds, Hooks, Method, Space, Wait};
use std::collections::BTreeMap;

/// Of all commands that plan a deployment, `diff` among them.
pub(super) static PLAN: &[Flag] = &[
    Flag::switch("no-hooks", "Leave hooks out; as --hooks skip"),
    Flag::with(
        "hooks",
        Kind::Text,
        "HOW",
        "run, deliver or skip hooks (default what fits the space)",
    ),
    Flag::with("space", Kind::Text, "KIND", "wds or cluster (default what the server looks like)"),
    Flag::with(
        "crds",
        Kind::Text,
        "HOW",
        "skip, create or update what is in crds/ (default update)",
    ),
    Flag::switch("skip-crds", "Leave crds/ out; as --crds skip"),
    Flag::switch("take-ownership", "Adopt objects that belong to others"),
    Flag::switch("force-conflicts", "Take fields that other field managers own"),
    Flag::with("timeout", Kind::Duration, "DURATION", "How long to try and to wait (default 5m0s)"),
    Flag::with(
        "release-store",
        Kind::Text,
        "WHERE",
        "secret, configmap, or none to keep no record",
    ),
];

/// How objects are written.
pub(super) static METHOD: &[Flag] = &[
    Flag::with(
        "server-side",
        Kind::Text,
        "HOW",
        "Apply objects server-side: true, false (patches are made here, as Helm 3 does) or auto, as the last \
         revision",
    )
    .optional("true"),
    Flag::switch(
        "force-replace",
        "With --server-side=false, put whole objects in the place of those that are there",
    ),
    Flag::switch("force", "").deprecated("use --force-replace instead"),
];

/// Of `apply` and of what looks ahead for it.
pub(super) static NAMESPACE: &[Flag] =
    &[Flag::switch("create-namespace", "Create and label the namespace; on unless switched off")];

/// What becomes of the values of the last revision.
pub(super) static REUSE: &[Flag] = &[
    Flag::switch(
        "reset-values",
        "Start from the chart's values, not from those of the last revision",
    ),
    Flag::switch("reuse-values", "Lay the given values over those of the last revision"),
    Flag::switch("reset-then-reuse-values", "The same, over the new chart's defaults"),
];

/// How far an operation goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DryRun {
    No,
    Client,
    Server,
}

/// What `--dry-run` says.
pub(super) fn dry_run(parsed: &Parsed) -> Result<DryRun, Failure> {
    let text = parsed.text("dry-run").unwrap_or("none");
    match text {
        "none" | "false" => Ok(DryRun::No),
        "client" => Ok(DryRun::Client),
        "server" => Ok(DryRun::Server),
        "unset" | "true" => {
            warn("--dry-run is deprecated and should be replaced with '--dry-run=client'");
            Ok(DryRun::Client)
        }
        other => Err(Failure::Error(format!(
            "invalid dry-run value ({other:?}). Must be \"none\", \"server\", or \"client\""
        ))),
    }
}

/// What `--server-side` says; none for what the last revision says.
pub(super) fn method(parsed: &Parsed) -> Result<Option<Method>, Failure> {
    match parsed.text("server-side") {
        None | Some("auto") => Ok(None),
        Some("true") => Ok(Some(Method::ServerSide)),
        Some("false") => Ok(Some(Method::ClientSide)),
        Some(other) => Err(Failure::Error(format!(
            "invalid/unknown release server-side apply method: {other}"
        ))),
    }
}

/// Refuses flags that can't be combined, as Helm does.
pub(super) fn check_exclusive(parsed: &Parsed) -> Result<(), Failure> {
    for one in ["force", "force-replace"] {
        if parsed.given(one) && parsed.given("force-conflicts") {
            let mut both = [one, "force-conflicts"];
            both.sort_unstable();
            return Err(Failure::Error(format!(
                "if any flags in the group [{one} force-conflicts] are set none of the others can be; [{}] \
                 were all set",
                both.join(" ")
            )));
        }
    }
    Ok(())
}

/// Whether objects are to be replaced.
pub(super) fn force_replace(parsed: &Parsed) -> bool {
    parsed.is_on("force-replace") || parsed.is_on("force")
}

/// What `--hooks` and `--no-hooks` say.
pub(super) fn hooks(parsed: &Parsed) -> Result<Option<Hooks>, Failure> {
    if parsed.is_on("no-hooks") {
        return Ok(Some(Hooks::Skip));
    }
    match parsed.non_empty("hooks") {
        None => Ok(None),
        Some("run") => Ok(Some(Hooks::Run)),
        Some("deliver") => Ok(Some(Hooks::Deliver)),
        Some("skip") => Ok(Some(Hooks::Skip)),
        Some(other) => Err(Failure::Error(format!(
            "invalid value {other:?} of --hooks. Must be \"run\", \"deliver\", or \"skip\""
        ))),
    }
}

/// What `--space` says.
pub(super) fn space(parsed: &Parsed) -> Result<Space, Failure> {
    match parsed.non_empty("space") {
        None | Some("auto") => Ok(Space::Auto),
        Some("wds") => Ok(Space::Wds),
        Some("cluster") => Ok(Space::Cluster),
        Some(other) => Err(Failure::Error(format!(
            "invalid value {other:?} of --space. Must be \"wds\", or \"cluster\""
        ))),
    }
}

pub(super) fn crds(parsed: &Parsed) -> Result<Crds, Failure> {
    if parsed.is_on("skip-crds") {
        return Ok(Crds::Skip);
    }
    match parsed.non_empty("crds") {
        None | Some("update") => Ok(Crds::Update),
        Some("create") => Ok(Crds::Create),
        Some("skip") => Ok(Crds::Skip),
        Some(other) => Err(Failure::Error(format!(
            "invalid value {other:?} of --crds. Must be \"skip\", \"create\", or \"update\""
        ))),
    }
}

/// What `--wait` says.
pub(super) fn wait(parsed: &Parsed) -> Wait {
    let all = matches!(parsed.text("wait"), Some("watcher" | "legacy" | "true"))
        || parsed.is_on("rollback-on-failure")
        || parsed.is_on("atomic");
    match (all, parsed.is_on("wait-for-jobs")) {
        (false, _) => Wait::HooksOnly,
        (true, false) => Wait::Ready,
        (true, true) => Wait::ReadyAndJobs,
    }
}

pub(super) fn history_max(parsed: &Parsed) -> usize {
    let given = integer(parsed, "history-max");
    let given = given.or_else(|| std::env::var("HELM_MAX_HISTORY").ok()?.parse().ok());
    usize::try_from(given.unwrap_or(10)).unwrap_or(0)
}

/// `KEY=VALUE` as pairs.
pub(super) fn pairs(pairs: Vec<String>) -> BTreeMap<String, String> {
    let split = |pair: &String| pair.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned()));
    pairs.iter().filter_map(split).collect()
}
