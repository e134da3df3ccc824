//! `bowsprit fleet status`.

use super::super::{Command, Invocation, no_args};
use super::apply::{SHARED, ship_options};
use super::deliver::{deliver, leftovers, rings};
use super::{FILE, Fleet, SCOPE, THREADS, open};
use crate::failure::Failure;
use crate::flags::{Flag, Kind};
use crate::output::{self, Item, Table};
use crate::{charts, limits, streams};
use bowsprit::fleet::{Arrival, Errand, ObjectStatus, Shipment, Standing};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

pub(super) static COMMAND: Command = Command {
    name: "status",
    usage: "fleet status [flags]",
    about: "Say how the fleet's releases stand on their servers",
    examples: "\
For each release: its revision and state, whether it is what the fleet file asks for, and what clusters
report of its objects (through KubeStellar's CombinedStatus or Karmada's bindings). --drift also compares
all objects with what was applied.

Exit codes: 0, or 2 with --detailed-exitcode where something is missing, outdated, failed, unhealthy or
has drifted; 1 for errors.

Examples:
  bowsprit fleet status
  bowsprit fleet status --ring canary --drift
  bowsprit fleet status -o json | jq '.releases[] | select(.current | not)'",
    flags: &[FILE, SCOPE, FLAGS, SHARED, THREADS, charts::REMOTE, limits::FLAGS, output::FLAGS],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] = &[
    Flag::switch("drift", "Compare all objects with what was applied"),
    Flag::switch("detailed-exitcode", "End with 2 where not everything is as it should be"),
    Flag::with("shard", Kind::Text, "I/N", "Only part I of N, counted from 0"),
];

/// A release and how it stands.
struct Line {
    shipment: Shipment,
    standing: Result<Standing, String>,
    health: Option<Health>,
}

/// What clusters report of a release.
#[derive(Default)]
struct Health {
    healthy: usize,
    reported: usize,
    clusters: usize,
    worst: Option<String>,
}

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    no_args(invocation, "bowsprit fleet status")?;
    let parsed = invocation.parsed;
    let fleet = open(invocation)?;
    let mut options = ship_options(parsed);
    options.errand = if parsed.is_on("drift") { Errand::LookClosely } else { Errand::Look };
    let stages = rings(&fleet, parsed)?;
    let lines: Mutex<Vec<Line>> = Mutex::default();
    let delivered = deliver(&fleet, parsed, &options, &stages, &|shipment, outcome| {
        let standing = match outcome {
            Ok(Arrival::Standing(standing)) => Ok(standing.clone()),
            Ok(_) => Ok(Standing::default()),
            Err(error) => Err(error.clone()),
        };
        let line = Line { shipment: shipment.clone(), standing, health: None };
        lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    })?;
    let mut lines = lines.into_inner().unwrap_or_else(PoisonError::into_inner);
    lines.sort_by(|a, b| place(a).cmp(&place(b)));
    add_health(&fleet, &mut lines)?;
    let stale = if delivered.is_whole { leftovers(&fleet, &delivered, false)? } else { Vec::new() };
    let stale: Vec<String> = stale.iter().map(ToString::to_string).collect();
    output::print(parsed, &item(&fleet, &lines, &stale), || table(&lines))?;
    if output::format(parsed) == output::Format::Table {
        let mut text = String::new();
        for line in &lines {
            let drift = line.standing.as_ref().ok().and_then(|s| s.drift.as_deref());
            if let Some(drift) = drift.filter(|drift| !drift.is_empty()) {
                text.push_str(&format!("\n### {}\n{drift}", super::apply::shown(&line.shipment)));
            }
        }
        for left in &stale {
            text.push_str(&format!(
                "{left}: is not in the fleet any more; fleet apply --prune removes it\n"
            ));
        }
        streams::write(text.as_bytes())?;
    }
    if !delivered.failures.is_empty() {
        return Err(Failure::Error(delivered.failures.join("\n")));
    }
    match parsed.is_on("detailed-exitcode") && !(stale.is_empty() && lines.iter().all(is_fine)) {
        true => Err(Failure::Code(2)),
        false => Ok(()),
    }
}

fn place(line: &Line) -> (&str, &str, &str) {
    (&line.shipment.namespace, &line.shipment.name, &line.shipment.context)
}

fn is_fine(line: &Line) -> bool {
    let standing = line.standing.as_ref();
    standing.is_ok_and(|s| s.current && s.drift.as_ref().is_none_or(String::is_empty))
        && line.health.as_ref().is_none_or(|health| health.worst.is_none())
}

/// Adds what clusters report, where they report through a control plane.
fn add_health(fleet: &Fleet<'_>, lines: &mut [Line]) -> Result<(), Failure> {
    let contexts = fleet.contexts()?;
    let Some(statuses) = contexts.statuses(&fleet.file.delivery).map_err(Failure::Error)? else {
        return Ok(());
    };
    let mut by_object: BTreeMap<(String, String, String), Vec<&ObjectStatus>> = BTreeMap::new();
    for status in &statuses {
        let identity = &status.identity;
        let key = (identity.group().to_owned(), identity.kind.clone(), identity.name.clone());
        by_object.entry(key).or_default().push(status);
    }
    for line in lines {
        let Ok(objects) = line.shipment.objects() else { continue };
        let clusters: BTreeSet<&str> = line.shipment.clusters.iter().map(String::as_str).collect();
        let mut health = Health { clusters: clusters.len(), ..Health::default() };
        let mut heard: BTreeSet<&str> = BTreeSet::new();
        for object in objects {
            let namespace =
                object.namespace.clone().unwrap_or_else(|| line.shipment.namespace.clone());
            let key = (object.group().to_owned(), object.kind.clone(), object.name.clone());
            let ours = by_object.get(&key).into_iter().flatten().filter(|status| {
                clusters.contains(status.cluster.as_str())
                    && status.identity.namespace.as_ref().is_none_or(|n| *n == namespace)
            });
            for status in ours {
                heard.insert(&status.cluster);
                health.reported += 1;
                if status.health.is_healthy() {
                    health.healthy += 1;
                } else if health.worst.is_none() {
                    let why = status.health.to_string();
                    health.worst =
                        Some(format!("{} on {}: {why}", status.identity, status.cluster));
                }
            }
        }
        if let Some(silent) = clusters.iter().find(|cluster| !heard.contains(*cluster))
            && health.worst.is_none()
        {
            health.worst = Some(format!("cluster {silent} has reported nothing"));
        }
        line.health = Some(health);
    }
    Ok(())
}

fn table(lines: &[Line]) -> Table {
    let mut table = Table::new([
        "RELEASE",
        "NAMESPACE",
        "CONTEXT",
        "RING",
        "CLUSTERS",
        "REVISION",
        "STATUS",
        "CHART",
        "WANTED",
        "HEALTH",
    ])
    .max_width(60);
    for line in lines {
        let shipment = &line.shipment;
        let (revision, status, chart, wanted) = match &line.standing {
            Ok(s) => {
                (s.revision.to_string(), s.status.clone(), s.chart.clone(), wanted(shipment, s))
            }
            Err(_) => (String::new(), "unreachable".to_owned(), String::new(), String::new()),
        };
        table.row([
            &shipment.name,
            &shipment.namespace,
            &shipment.context,
            shipment.ring.as_deref().unwrap_or("-"),
            &shipment.clusters.len().to_string(),
            &revision,
            &status,
            &chart,
            &wanted,
            &health(line),
        ]);
    }
    table
}

/// How what is there compares with what the fleet asks for.
fn wanted(shipment: &Shipment, standing: &Standing) -> String {
    let drifted = standing.drift.as_ref().is_some_and(|drift| !drift.is_empty());
    match (standing.current, drifted) {
        (true, false) => "as wanted".to_owned(),
        (true, true) => "drifted".to_owned(),
        (false, _) if standing.chart == shipment.chart => "other values".to_owned(),
        (false, _) => shipment.chart.clone(),
    }
}

fn health(line: &Line) -> String {
    match &line.health {
        None => "-".to_owned(),
        Some(health) => match &health.worst {
            Some(worst) => format!("{}/{} {worst}", health.healthy, health.reported),
            None => format!("{}/{} on {}", health.healthy, health.reported, health.clusters),
        },
    }
}

fn item(fleet: &Fleet<'_>, lines: &[Line], stale: &[String]) -> Item {
    let number = |n: usize| Item::Int(i64::try_from(n).unwrap_or(i64::MAX));
    let line = |line: &Line| {
        let shipment = &line.shipment;
        let mut fields = vec![
            ("release", Item::text(shipment.name.as_str())),
            ("namespace", Item::text(shipment.namespace.as_str())),
            ("context", Item::text(shipment.context.as_str())),
            ("ring", Item::text(shipment.ring.as_deref().unwrap_or_default())),
            (
                "clusters",
                Item::List(shipment.clusters.iter().map(|c| Item::text(c.as_str())).collect()),
            ),
            ("wantedChart", Item::text(shipment.chart.as_str())),
        ];
        match &line.standing {
            Ok(standing) => {
                fields.push(("revision", Item::Int(standing.revision)));
                fields.push(("status", Item::text(standing.status.as_str())));
                fields.push(("chart", Item::text(standing.chart.as_str())));
                fields.push(("updated", Item::text(standing.updated.as_str())));
                fields.push(("current", Item::Bool(standing.current)));
                if let Some(drift) = &standing.drift {
                    fields.push(("drift", Item::text(drift.as_str())));
                }
            }
            Err(error) => fields.push(("error", Item::text(error.as_str()))),
        }
        if let Some(health) = &line.health {
            fields.push((
                "health",
                Item::Object(vec![
                    ("healthy", number(health.healthy)),
                    ("reported", number(health.reported)),
                    ("worst", Item::text(health.worst.as_deref().unwrap_or_default())),
                ]),
            ));
        }
        Item::Object(fields)
    };
    Item::Object(vec![
        ("fleet", Item::text(fleet.file.name.as_str())),
        ("releases", Item::List(lines.iter().map(line).collect())),
        ("leftOver", Item::List(stale.iter().map(|left| Item::text(left.as_str())).collect())),
    ])
}
