//! `bowsprit promote`.

use super::super::{Command, Invocation};
use super::{FILE, Fleet, THREADS, described, open, threads, usage};
use crate::failure::Failure;
use crate::flags::{Flag, Kind};
use crate::{charts, limits, streams};
use bowsprit::fleet::ledger::Ledger;
use bowsprit::fleet::promote::{Evidence, Promotion, check_gate, clusters_of};
use bowsprit::fleet::{self, Delivery, FleetFile, Scope, State, read_statuses};
use bowsprit::manifest::diff::TextOptions;
use bowsprit::manifest::objects;
use std::io::IsTerminal;

pub(in super::super) static COMMAND: Command = Command {
    name: "promote",
    usage: "promote RELEASE --from RING --to RING [flags]",
    about: "Move a release or its version from one ring of a fleet to the next",
    examples: "\
Shows what changes for the next ring, checks the gate of the ring that has the version (every object
reported healthy, soak time, expression), then writes the version into the fleet file and a line into
.bowsprit/history.jsonl beside it. Where the release names its `rings` and the next ring is not among them,
the ring is added, so that its clusters get the release. Selectors and names of policies stay as they are,
so nothing is left behind on clusters. --undo takes the last promotion back and restores the same bytes.

What the clusters report is read where the fleet is delivered: KubeStellar's CombinedStatus objects (the
StatusCollector comes with `fleet apply`; --print-collector prints it) or Karmada's bindings. --status
gives files with such objects instead.

Examples:
  bowsprit promote web --from canary --to stable --dry-run
  bowsprit promote web --from canary --to stable
  bowsprit promote web --from canary --to stable --status status.yaml
  bowsprit promote web --undo",
    flags: &[FILE, FLAGS, THREADS, charts::REMOTE, limits::FLAGS],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] = &[
    Flag::with("from", Kind::Text, "RING", "The ring that has the version"),
    Flag::with("to", Kind::Text, "RING", "The ring that is to get it"),
    Flag::with("status", Kind::List, "FILES", "Objects with what clusters reported; repeatable"),
    Flag::switch("dry-run", "Show the changes and the gate, and change nothing"),
    Flag::with(
        "force",
        Kind::Text,
        "REASON",
        "Promote although the gate holds; the reason is recorded",
    ),
    Flag::switch("undo", "Take the release's last promotion back"),
    Flag::switch("history", "Print the promotions of the release"),
    Flag::switch(
        "print-collector",
        "Print the StatusCollector that reports what the gate looks at",
    ),
];

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let parsed = invocation.parsed;
    if parsed.is_on("print-collector") {
        return streams::write(fleet::STATUS_COLLECTOR.as_bytes());
    }
    let [release] = invocation.args() else {
        return Err(usage("promote", "needs the name of one release"));
    };
    let fleet = open(invocation)?;
    fleet.file.release(release).map_err(described)?;
    let ledger = Ledger::of(&fleet.path);
    if parsed.is_on("history") {
        return history(&ledger, release);
    }
    if parsed.is_on("undo") {
        let record = ledger.undo(release, fleet::now(), &user()).map_err(Failure::Error)?;
        let (to, before) = (&record.promotion.to, &record.promotion.before);
        let before = match (before, record.promotion.joins) {
            (_, true) => "does not have the release any more".to_owned(),
            (Some(version), false) => format!("is back at {version}"),
            (None, false) => "is back at no version of its own".to_owned(),
        };
        return streams::write(format!("{release}: ring {to} {before}\n").as_bytes());
    }
    let (Some(from), Some(to)) = (parsed.non_empty("from"), parsed.non_empty("to")) else {
        return Err(usage("promote", "needs --from and --to, or --undo"));
    };
    let promotion = Promotion::new(&fleet.file, release, from, to).map_err(described)?;
    show_changes(invocation, &fleet, &promotion)?;
    let held = gate(invocation, &fleet, &ledger, &promotion)?;
    let forced = match (held.is_empty(), parsed.non_empty("force")) {
        (true, _) => Vec::new(),
        (false, Some(reason)) => std::iter::once(reason.to_owned()).chain(held).collect(),
        (false, None) => {
            let reasons: String = held.iter().map(|reason| format!("\n  - {reason}")).collect();
            return Err(Failure::Error(format!(
                "the gate of ring {from} holds {release} {}:{reasons}",
                promotion.after.as_deref().unwrap_or("back")
            )));
        }
    };
    if parsed.is_on("dry-run") {
        return streams::write(b"dry run: nothing was changed\n");
    }
    let text = format!("{release}: ring {to} gets {}\n", promotion.what());
    let done = ledger.promote(promotion, &fleet.text, fleet::now(), &user(), forced);
    done.map_err(Failure::Error)?;
    streams::write(text.as_bytes())
}

fn history(ledger: &Ledger, release: &str) -> Result<(), Failure> {
    let history = ledger.history().map_err(Failure::Error)?;
    let records = history.records().iter().filter(|record| record.promotion.release == release);
    let lines: String = records.map(|record| format!("{}\n", record.to_line())).collect();
    streams::write(lines.as_bytes())
}

/// Who promotes, as the environment says.
fn user() -> String {
    let names = ["BOWSPRIT_USER", "GITHUB_ACTOR", "GITLAB_USER_LOGIN", "USER"];
    let name = names.iter().find_map(|name| std::env::var(name).ok().filter(|n| !n.is_empty()));
    name.unwrap_or_else(|| "unknown".to_owned())
}

fn state(
    invocation: &Invocation<'_>,
    fleet: &Fleet<'_>,
    file: &FleetFile,
    release: &str,
    ring: &str,
) -> Result<State, Failure> {
    let targets = fleet.targets()?;
    let clusters = clusters_of(file, release, ring, &targets).map_err(described)?;
    let mut scope = Scope::default();
    scope.releases = vec![release.to_owned()];
    scope.names = clusters.iter().map(|target| target.name.clone()).collect();
    if scope.names.is_empty() {
        return Ok(State::default());
    }
    let threads = threads(invocation.parsed);
    let state = State::of_fleet(&fleet.name(), file, targets, &fleet.disk, &scope, threads);
    state.map_err(Failure::Error)
}

fn show_changes(
    invocation: &Invocation<'_>,
    fleet: &Fleet<'_>,
    promotion: &Promotion,
) -> Result<(), Failure> {
    let edited = promotion.edit(&fleet.file, &fleet.text).map_err(described)?;
    let after = FleetFile::parse(&fleet.name(), &edited).map_err(described)?;
    let before = state(invocation, fleet, &fleet.file, &promotion.release, &promotion.to)?;
    let after = state(invocation, fleet, &after, &promotion.release, &promotion.to)?;
    let changes = before.changes(&after).map_err(Failure::Error)?;
    let color = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mut text = format!(
        "{}: {} → {} for ring {}\n",
        promotion.release,
        match (&promotion.before, promotion.joins) {
            (_, true) => "not there",
            (Some(version), false) => version,
            (None, false) => "no version",
        },
        promotion.after.as_deref().unwrap_or("the release"),
        promotion.to
    );
    for change in &changes {
        text.push_str(&format!("### {}\n", change.clusters.join(", ")));
        text.push_str(&change.difference.to_text(&TextOptions::default().color(color)));
    }
    if changes.is_empty() {
        text.push_str("no object of the ring changes\n");
    }
    streams::write(text.as_bytes())
}

/// The reasons for which the gate holds; none where it lets the release through.
fn gate(
    invocation: &Invocation<'_>,
    fleet: &Fleet<'_>,
    ledger: &Ledger,
    promotion: &Promotion,
) -> Result<Vec<String>, Failure> {
    let targets = fleet.targets()?;
    let ring = fleet.file.ring(&promotion.from).map_err(described)?;
    let clusters = clusters_of(&fleet.file, &promotion.release, &promotion.from, &targets);
    let mut evidence = Evidence::default();
    evidence.clusters = clusters.map_err(described)?.iter().map(|t| t.name.clone()).collect();
    let files = invocation.parsed.all("status");
    let ask = files.is_empty();
    if ask {
        let live = fleet.contexts()?.statuses(&fleet.file.delivery).map_err(Failure::Error)?;
        evidence.statuses = live.unwrap_or_default();
    }
    for path in files {
        let text = std::fs::read(&path).map_err(|e| Failure::Error(format!("{path}: {e}")))?;
        let objects = objects(&text).map_err(|e| Failure::Error(format!("{path}: {e}")))?;
        evidence.statuses.extend(read_statuses(&objects).map_err(described)?);
    }
    let mut scope = Scope::default();
    scope.releases = vec![promotion.release.clone()];
    scope.names.clone_from(&evidence.clusters);
    if !scope.names.is_empty() {
        let plan = fleet::plan(&fleet.name(), &fleet.file, targets, &fleet.disk, &scope);
        let plan = plan.map_err(described)?;
        fleet::render(&plan, &fleet.disk, threads(invocation.parsed), |outcome| {
            let output = outcome.result.map_err(described)?;
            if let (Delivery::Direct { context }, true) = (&fleet.file.delivery, ask) {
                let manifest = output.rendered.release.manifest(false);
                let namespace = &outcome.release.spec.namespace;
                for target in outcome.group.targets.iter().filter_map(|at| plan.targets.get(*at)) {
                    let found = fleet.contexts()?.live(context, target, namespace, &manifest);
                    evidence.statuses.extend(found.map_err(Failure::Error)?);
                }
            }
            for manifest in &output.rendered.release.manifests {
                let found = objects(manifest.content.as_bytes()).map_err(Failure::of)?;
                evidence.objects.extend(found.into_iter().map(|object| object.identity));
            }
            Ok::<(), Failure>(())
        })?;
        evidence.objects.sort();
        evidence.objects.dedup();
    }
    let history = ledger.history().map_err(Failure::Error)?;
    let version = promotion.after.as_deref();
    evidence.age_seconds = history.age(&promotion.release, &promotion.from, version, fleet::now());
    let verdict = check_gate(&ring.gate, promotion, &evidence).map_err(described)?;
    Ok(verdict.err().map(|held| held.reasons).unwrap_or_default())
}
