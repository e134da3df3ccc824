//! `bowsprit fleet apply` and `bowsprit fleet status`.

use super::super::{Command, Invocation, no_args};
use super::deliver::{Delivered, check_clusters, deliver, leftovers, remove, rings};
use super::{FILE, SCOPE, THREADS, open};
use crate::failure::Failure;
use crate::flags::{Flag, Kind, Parsed};
use crate::{charts, limits, streams};
use bowsprit::fleet::{Arrival, Errand, ShipOptions, Shipment};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::sync::Mutex;

pub(super) static COMMAND: Command = Command {
    name: "apply",
    usage: "fleet apply [flags]",
    about: "Bring all releases to where the fleet's delivery says",
    examples: "\
Each release goes to KubeStellar's spaces or Karmada's control plane with the placement objects that bring
it to its clusters, or to the clusters themselves; `fleet plan` says which. There it is a release as
`bowsprit apply` makes it, so that `helm list` and `bowsprit status` know it.

Rings are served in their order: where a release fails for a ring, later rings stay as they are, unless
--keep-going. Releases that are deployed already with the same objects and values are left alone; so after
a failure or an interrupt the same command goes on where it stopped. --repair looks at all objects and
puts back what somebody else changed.

Releases of the fleet that the file does not name any more are told of, and removed with --prune.

As an indexed Kubernetes Job each pod takes its share: --shard $JOB_COMPLETION_INDEX/4.

Examples:
  bowsprit fleet apply --dry-run
  bowsprit fleet apply --parallel 16
  bowsprit fleet apply --ring canary --release web
  bowsprit fleet apply --prune",
    flags: &[FILE, SCOPE, FLAGS, SHARED, THREADS, charts::REMOTE, limits::FLAGS],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] = &[
    Flag::switch("dry-run", "Have the servers say what would happen, and change nothing"),
    Flag::switch(
        "repair",
        "Look at objects even where nothing changed in the fleet, and put back what others changed",
    ),
    Flag::switch("keep-going", "Serve later rings although a release failed for an earlier one"),
    Flag::switch(
        "prune",
        "Remove releases of this fleet that the fleet file does not name any more",
    ),
    Flag::switch("wait", "Wait until the objects of a release are ready, where something runs"),
    Flag::switch("take-ownership", "Adopt objects that belong to others"),
    Flag::switch("force-conflicts", "Take fields that other field managers own"),
    Flag::switch(
        "take-over",
        "Take operations that are under way for dead, and go on from where they stopped",
    ),
    Flag::with("shard", Kind::Text, "I/N", "Only part I of N, counted from 0"),
];

/// Flags of all commands that ask the fleet's servers.
pub(super) static SHARED: &[Flag] = &[
    Flag::with("ring", Kind::List, "NAMES", "Only these rings; repeatable"),
    Flag::with("parallel", Kind::Uint64, "N", "Releases under way at a time (default 8)"),
    Flag::with(
        "timeout",
        Kind::Duration,
        "DURATION",
        "How long to try for each release (default 5m0s)",
    ),
];

/// What the flags that are shared say.
pub(super) fn ship_options(parsed: &Parsed) -> ShipOptions {
    let mut options = ShipOptions::default();
    let parallel = parsed.number("parallel").and_then(|n| usize::try_from(n).ok());
    options.parallel = parallel.filter(|n| *n > 0).unwrap_or(options.parallel).min(256);
    options.timeout = parsed.duration("timeout").unwrap_or(options.timeout);
    options
}

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    no_args(invocation, "bowsprit fleet apply")?;
    let parsed = invocation.parsed;
    let dry_run = parsed.is_on("dry-run");
    let mut options = ship_options(parsed);
    options.errand = if dry_run { Errand::DryRun } else { Errand::Apply };
    options.repair = parsed.is_on("repair");
    options.wait = parsed.is_on("wait");
    options.take_ownership = parsed.is_on("take-ownership");
    options.force_conflicts = parsed.is_on("force-conflicts") || options.repair;
    options.take_over = parsed.is_on("take-over");
    let fleet = open(invocation)?;
    check_clusters(&fleet, parsed)?;
    let rings = rings(&fleet, parsed)?;
    let told = Told::new(dry_run);
    let delivered = deliver(&fleet, parsed, &options, &rings, &|shipment, outcome| {
        told.hear(shipment, outcome);
    })?;
    told.end();
    let mut stale = Vec::new();
    if delivered.is_whole && delivered.failures.is_empty() && !delivered.interrupted {
        stale = leftovers(&fleet, &delivered, parsed.is_on("prune"))?;
        for left in &stale {
            let line = match (parsed.is_on("prune"), dry_run) {
                (true, false) => {
                    remove(&fleet, left, &options)?;
                    format!("{left}: removed\n")
                }
                (true, true) => format!("{left}: would be removed\n"),
                (false, _) => format!("{left}: is not in the fleet any more; --prune removes it\n"),
            };
            streams::write(line.as_bytes())?;
        }
    }
    let pruned = parsed.is_on("prune") && !dry_run;
    let stale = (stale.len(), if pruned { "removed" } else { "left over" });
    summary(&delivered, &told, dry_run, stale)
}

fn summary(
    delivered: &Delivered,
    told: &Told,
    dry_run: bool,
    stale: (usize, &str),
) -> Result<(), Failure> {
    let counts = told.counts();
    let verb = if dry_run { "would be applied" } else { "applied" };
    let mut line = format!("{} {verb}, {} unchanged", counts.applied, counts.unchanged);
    let more = [(delivered.failures.len(), "failed"), (delivered.held.len(), "held back"), stale];
    for (count, what) in more.into_iter().filter(|(count, _)| *count > 0) {
        line.push_str(&format!(", {count} {what}"));
    }
    streams::write(format!("{line}\n").as_bytes())?;
    if delivered.failures.is_empty() && !delivered.interrupted {
        return Ok(());
    }
    let mut text = delivered.failures.join("\n");
    for held in &delivered.held {
        text.push_str(&format!("\n{held}"));
    }
    match delivered.interrupted {
        true => text.push_str("\ninterrupted: run the same command again to go on"),
        false => text.push_str("\nrun the same command again to go on; what is deployed stays so"),
    }
    Err(Failure::Error(text.trim_start().to_owned()))
}

#[derive(Clone, Copy, Default)]
struct Counts {
    applied: usize,
    unchanged: usize,
}

/// Prints what happens: a line for each release that changes, and a bar on a terminal.
struct Told {
    dry_run: bool,
    counts: Mutex<Counts>,
    bar: Option<ProgressBar>,
}

impl Told {
    fn new(dry_run: bool) -> Told {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            let style =
                ProgressStyle::with_template("{spinner} {pos} releases, {elapsed} {wide_msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            bar
        });
        Told { dry_run, counts: Mutex::default(), bar }
    }

    fn counts(&self) -> Counts {
        *self.counts.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn hear(&self, shipment: &Shipment, outcome: &Result<Arrival, String>) {
        let name = shown(shipment);
        let line = match outcome {
            Ok(Arrival::Applied { revision, created, changed, deleted }) => {
                self.count(|counts| counts.applied += 1);
                let verb = if self.dry_run { "would be revision" } else { "revision" };
                Some(format!(
                    "{name}: {verb} {revision}, {created} created, {changed} changed, {deleted} deleted"
                ))
            }
            Ok(_) => {
                self.count(|counts| counts.unchanged += 1);
                None
            }
            Err(_) => Some(format!("{name}: failed")),
        };
        if let Some(bar) = &self.bar {
            bar.set_message(name);
            bar.inc(1);
        }
        let Some(line) = line else { return };
        let print = || drop(streams::write(format!("{line}\n").as_bytes()));
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.counts.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }

    fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// What a shipment is called in lines for people.
pub(super) fn shown(shipment: &Shipment) -> String {
    let ring = shipment.ring.as_deref().map(|ring| format!(", ring {ring}")).unwrap_or_default();
    let clusters = match shipment.clusters.as_slice() {
        [one] => format!("cluster {one}"),
        many => format!("{} clusters", many.len()),
    };
    format!("{}/{} in {} ({clusters}{ring})", shipment.namespace, shipment.name, shipment.context)
}
