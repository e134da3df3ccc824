//! `bowsprit fleet report`.

use super::super::{Command, Invocation, no_args};
use super::apply::{SHARED, ship_options};
use super::deliver::{deliver, rings};
use super::{FILE, Fleet, SCOPE, THREADS, open, threads};
use crate::failure::Failure;
use crate::flags::{Flag, Kind, Parsed};
use crate::{charts, limits, streams};
use bowsprit::fleet::report::{Report, ReportGroup, ReportRelease};
use bowsprit::fleet::{self, Arrival, Errand, Outcome, ReleaseSpec, Shipment, Standing};
use bowsprit::manifest::diff::{ObjectSet, TextOptions, diff};
use bowsprit::manifest::objects;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

pub(super) static COMMAND: Command = Command {
    name: "report",
    usage: "fleet report --html FILE [flags]",
    about: "Write one page that shows clusters by releases, versions, rings and differences",
    examples: "\
The page is a single file that needs no network. Values of Secrets are masked.

Examples:
  bowsprit fleet report --html fleet.html
  bowsprit fleet report --html eu.html -l region=eu --live",
    flags: &[FILE, SCOPE, FLAGS, SHARED, THREADS, charts::REMOTE, limits::FLAGS],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] = &[
    Flag::with("html", Kind::Text, "FILE", "The file to write, or - for standard output"),
    Flag::switch("live", "Ask the fleet's servers what is missing, outdated or has drifted"),
];

/// A group of the page and the text of its objects.
type Shown = (ReportGroup, Vec<u8>);

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    no_args(invocation, "bowsprit fleet report")?;
    let parsed = invocation.parsed;
    let Some(path) = parsed.non_empty("html") else {
        return Err(Failure::Error("--html FILE is needed".to_owned()));
    };
    let fleet = open(invocation)?;
    let plan = fleet.plan(parsed)?;
    let mut report = Report {
        name: fleet.file.name.clone(),
        generated: fleet::promote::timestamp(fleet::now()),
        ..Report::default()
    };
    for target in &plan.targets {
        let ring = fleet::ring_of(&fleet.file, target).map(str::to_owned);
        report.clusters.push((target.clone(), ring));
    }
    let mut groups: BTreeMap<(String, String), Vec<Shown>> = BTreeMap::new();
    let key = |spec: &ReleaseSpec| (spec.namespace.clone(), spec.name.clone());
    fleet::render(&plan, &fleet.disk, threads(parsed), |outcome| {
        add(groups.entry(key(&outcome.release.spec)).or_default(), outcome);
        Ok::<(), Failure>(())
    })?;
    for release in &plan.releases {
        let groups = groups.remove(&key(&release.spec)).unwrap_or_default();
        report.releases.push(ReportRelease {
            name: release.spec.name.clone(),
            namespace: release.spec.namespace.clone(),
            chart: release.spec.chart.clone(),
            groups: compared(groups),
        });
    }
    if parsed.is_on("live") {
        report.looked = true;
        add_drift(&fleet, parsed, &mut report)?;
    }
    let html = report.html();
    if path == "-" {
        return streams::write(html.as_bytes());
    }
    std::fs::write(path, html).map_err(|e| Failure::Error(format!("{path}: {e}")))?;
    streams::write(format!("wrote {path}\n").as_bytes())
}

/// Adds what is otherwise on the servers than the fleet file says.
fn add_drift(fleet: &Fleet<'_>, parsed: &Parsed, report: &mut Report) -> Result<(), Failure> {
    let mut options = ship_options(parsed);
    options.errand = Errand::LookClosely;
    let stages = rings(fleet, parsed)?;
    let found: Mutex<Vec<(Shipment, String)>> = Mutex::default();
    deliver(fleet, parsed, &options, &stages, &|shipment, outcome| {
        let text = match outcome {
            Ok(Arrival::Standing(standing)) => otherwise(shipment, standing),
            Ok(_) => String::new(),
            Err(error) => error.clone(),
        };
        if !text.is_empty() {
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            found.push((shipment.clone(), text));
        }
    })?;
    let places: BTreeMap<String, usize> = report
        .clusters
        .iter()
        .enumerate()
        .map(|(at, (target, _))| (target.name.clone(), at))
        .collect();
    for (shipment, text) in found.into_inner().unwrap_or_else(PoisonError::into_inner) {
        let places: Vec<usize> =
            shipment.clusters.iter().filter_map(|name| places.get(name).copied()).collect();
        let same = |release: &&mut ReportRelease| {
            release.name == shipment.release && release.namespace == shipment.namespace
        };
        let Some(release) = report.releases.iter_mut().find(same) else { continue };
        for group in &mut release.groups {
            let ours = group.clusters.iter().filter(|at| places.contains(at));
            group.drift.extend(ours.map(|at| (*at, text.clone())));
        }
    }
    Ok(())
}

/// What is otherwise on a server.
fn otherwise(shipment: &Shipment, standing: &Standing) -> String {
    let context = &shipment.context;
    match (standing.status.as_str(), standing.current) {
        ("missing", _) => format!("not there yet (context {context})"),
        ("deployed", true) => standing.drift.clone().unwrap_or_default(),
        ("deployed", false) => {
            format!("{} with other objects or values (context {context})", standing.chart)
        }
        (status, _) => format!("{status}: {} (context {context})", standing.chart),
    }
}

/// Adds a group; one with the same objects as an earlier one becomes part of it.
fn add(groups: &mut Vec<Shown>, outcome: Outcome<'_>) {
    let layers = outcome.group.layers.iter().map(|layer| layer.origin.clone()).collect();
    let mut group =
        ReportGroup { layers, clusters: outcome.group.targets.clone(), ..ReportGroup::default() };
    let output = match outcome.result {
        Ok(output) => output,
        Err(error) => {
            group.version = outcome.group.version.clone().unwrap_or_default();
            group.error = Some(format!("{error:#}"));
            groups.push((group, Vec::new()));
            return;
        }
    };
    if let Some((same, _)) = groups.iter_mut().find(|(g, _)| g.digest == output.digest) {
        same.clusters.extend(group.clusters);
        return;
    }
    let chart = &output.rendered.release.chart.metadata;
    group.version = chart.version.to_string();
    group.app_version = chart.app_version.to_string();
    group.objects = objects(&output.rendered.text).map_or(0, |objects| objects.len());
    group.digest = output.digest;
    groups.push((group, output.rendered.text));
}

/// The groups, each with what tells it from the largest.
fn compared(groups: Vec<Shown>) -> Vec<ReportGroup> {
    let fine = groups.iter().filter(|(group, _)| group.error.is_none());
    // Of several that are as large, the first; the page thinks so too.
    let largest = fine.rev().max_by_key(|(group, _)| group.clusters.len());
    let base = largest.map(|(group, text)| (group.digest.clone(), ObjectSet::parse(text)));
    let compare = |(mut group, text): Shown| {
        if let Some((digest, Ok(base))) = &base
            && group.error.is_none()
            && group.digest != *digest
            && let Ok(own) = ObjectSet::parse(&text)
        {
            group.difference = diff(base, &own).to_text(&TextOptions::default().context(2));
        }
        group
    };
    groups.into_iter().map(compare).collect()
}
