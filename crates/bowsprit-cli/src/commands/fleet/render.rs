//! `bowsprit fleet render`.

use super::super::{Command, Invocation, no_args};
use super::{FILE, SCOPE, THREADS, open, threads};
use crate::failure::Failure;
use crate::flags::{Flag, Kind};
use crate::{charts, limits, streams};
use bowsprit::fleet::{self, Folders, Layout, Outcome, Plan};
use std::path::Path;

pub(super) static COMMAND: Command = Command {
    name: "render",
    usage: "fleet render [flags]",
    about: "Render all releases for all clusters",
    examples: "\
Clusters with equal inputs share one render. Without --output-dir each different render is printed once,
behind a line that names its clusters. With it every cluster has a folder with a file for each release,
and index.json says which cluster gets what; files of an earlier run that are not needed any more are
removed. A render that fails does not stop the others. For many clusters --layout links writes equal files once
and gives them names in all folders; --layout groups writes each different render once, in a folder for
each release.

As an indexed Kubernetes Job each pod renders its share: --shard $JOB_COMPLETION_INDEX/4.

Examples:
  bowsprit fleet render --output-dir out
  bowsprit fleet render --output-dir out --layout groups
  bowsprit fleet render --release web --cluster edge-1
  bowsprit fleet render --output-dir out --shard 0/4",
    flags: &[FILE, SCOPE, FLAGS, THREADS, charts::REMOTE, limits::FLAGS],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] = &[
    Flag::with("output-dir", Kind::Text, "DIR", "Write files below DIR instead of printing"),
    Flag::with(
        "layout",
        Kind::Text,
        "HOW",
        "clusters: a folder for each (default); links: the same, with hard links for equal files; \
         groups: each different render once",
    ),
    Flag::with("shard", Kind::Text, "I/N", "Only part I of N, counted from 0"),
];

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    no_args(invocation, "bowsprit fleet render")?;
    let parsed = invocation.parsed;
    let layout = match parsed.non_empty("layout") {
        None | Some("clusters") => Layout::Clusters,
        Some("links") => Layout::Links,
        Some("groups") => Layout::Groups,
        Some(other) => {
            return Err(Failure::Error(format!(
                "--layout must be clusters, links or groups, not {other:?}"
            )));
        }
    };
    let dir = parsed.non_empty("output-dir");
    if dir.is_none() && parsed.given("layout") {
        return Err(Failure::Error("--layout needs --output-dir".to_owned()));
    }
    let fleet = open(invocation)?;
    let plan = fleet.plan(parsed)?;
    let shard = parsed.non_empty("shard").and_then(|s| s.parse::<fleet::Shard>().ok());
    let shard = shard.map(|shard| (shard.index, shard.count));
    let mut folders = match dir {
        Some(dir) => Some(Folders::create(Path::new(dir), layout, shard).map_err(Failure::Error)?),
        None => None,
    };
    let mut failures = Vec::new();
    let mut renders = 0usize;
    fleet::render(&plan, &fleet.disk, threads(parsed), |outcome| {
        renders += 1;
        match &outcome.result {
            Ok(output) => {
                let warnings = output.rendered.warnings.iter();
                warnings.for_each(|line| {
                    streams::say(&format!("{}: {line}", outcome.release.spec.name))
                });
            }
            Err(error) => failures.push(format!("{error:#}")),
        }
        match &mut folders {
            Some(folders) => folders.add(&fleet.file, &plan, &outcome).map_err(Failure::Error),
            None => print(&plan, &outcome),
        }
    })?;
    if let (Some(folders), Some(dir)) = (folders, dir) {
        // A part of a fleet says nothing of the rest of its files.
        let whole = failures.is_empty()
            && !["release", "cluster", "clusters"].iter().any(|flag| parsed.given(flag));
        let (written, removed) = folders.finish(&fleet.file.name, whole).map_err(Failure::Error)?;
        streams::write(
            format!("{renders} renders, {written} files below {dir}, {removed} removed\n")
                .as_bytes(),
        )?;
    }
    match failures.len() {
        0 => Ok(()),
        n => {
            Err(Failure::Error(format!("{n} of {renders} renders failed\n{}", failures.join("\n"))))
        }
    }
}

fn print(plan: &Plan, outcome: &Outcome<'_>) -> Result<(), Failure> {
    let Ok(output) = &outcome.result else { return Ok(()) };
    let spec = &outcome.release.spec;
    let names: Vec<&str> = outcome
        .group
        .targets
        .iter()
        .filter_map(|at| plan.targets.get(*at))
        .map(|target| target.name.as_str())
        .collect();
    let mut text = format!(
        "# Fleet: release {} in namespace {}, {} clusters: {}\n",
        spec.name,
        spec.namespace,
        names.len(),
        names.join(" ")
    );
    match output.same_as {
        Some(_) => text.push_str("# The objects are those of a group above.\n"),
        None => text.push_str(&String::from_utf8_lossy(&output.rendered.text)),
    }
    streams::write(text.as_bytes())
}
