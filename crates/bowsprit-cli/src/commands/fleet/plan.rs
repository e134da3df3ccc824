//! `bowsprit fleet plan`.

use super::super::{Command, Invocation, no_args};
use super::{FILE, Fleet, SCOPE, THREADS, open, threads};
use crate::failure::Failure;
use crate::flags::{Flag, Kind};
use crate::output::{self, Item, Table};
use crate::{charts, limits, streams};
use bowsprit::fleet::{self, Consigned, Delivery, Group, Plan, ReleasePlan, Versions};
use bowsprit::manifest;
use std::collections::BTreeMap;

pub(super) static COMMAND: Command = Command {
    name: "plan",
    usage: "fleet plan [flags]",
    about: "Say which clusters get what, and how it reaches them",
    examples: "\
Clusters with the same objects form a group. For KubeStellar the plan says how groups that differ can
be delivered, because a workload description space holds one version of an object; with --properties
it writes the ConfigMaps that fill in templates per cluster.

Examples:
  bowsprit fleet plan
  bowsprit fleet plan --release web -l ring=canary
  bowsprit fleet plan -o json | jq '.releases[].groups[].clusters'",
    flags: &[FILE, SCOPE, FLAGS, THREADS, charts::REMOTE, limits::FLAGS, output::FLAGS],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] = &[Flag::with(
    "properties",
    Kind::Text,
    "FILE",
    "Write the ConfigMaps with each cluster's properties for KubeStellar's template expansion",
)];

/// A release with what its renders gave.
struct Planned<'p> {
    release: &'p ReleasePlan,
    groups: Vec<PlannedGroup<'p>>,
    /// How its groups can be delivered, line by line.
    advice: Vec<String>,
}

struct PlannedGroup<'p> {
    group: &'p Group,
    version: String,
    digest: String,
    objects: usize,
    same_as: Option<usize>,
    error: Option<String>,
}

type Properties = BTreeMap<String, BTreeMap<String, String>>;

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    no_args(invocation, "bowsprit fleet plan")?;
    let parsed = invocation.parsed;
    let fleet = open(invocation)?;
    let plan = fleet.plan(parsed)?;
    let mut planned: Vec<Planned<'_>> = Vec::new();
    let mut properties = Properties::new();
    // Clusters that are served by themselves need no thought.
    let through =
        matches!(fleet.file.delivery, Delivery::KubeStellar { .. } | Delivery::Karmada { .. });
    let mut versions = Versions::new(&fleet.file, &plan);
    let mut last: Option<&ReleasePlan> = None;
    fleet::render(&plan, &fleet.disk, threads(parsed), |outcome| {
        if last.is_none_or(|last| !std::ptr::eq(last, outcome.release)) {
            if through {
                let ready = versions.finish();
                ready.into_iter().for_each(|r| advise(&plan, r, &mut planned, &mut properties));
            }
            last = Some(outcome.release);
            planned.push(Planned {
                release: outcome.release,
                groups: Vec::new(),
                advice: Vec::new(),
            });
        }
        if let Some(release) = planned.last_mut() {
            release.groups.push(group(&outcome));
        }
        if through {
            let ready = versions.take(outcome);
            ready.into_iter().for_each(|r| advise(&plan, r, &mut planned, &mut properties));
        }
        Ok::<(), Failure>(())
    })?;
    let ready = versions.finish();
    ready.into_iter().for_each(|r| advise(&plan, r, &mut planned, &mut properties));
    if let Some(path) = parsed.non_empty("properties") {
        let text = fleet::property_maps(&properties);
        std::fs::write(path, text).map_err(|e| Failure::Error(format!("{path}: {e}")))?;
    }
    output::print(parsed, &item(&fleet, &plan, &planned), || table(&plan, &planned))?;
    if output::format(parsed) == output::Format::Table {
        let lines = planned.iter().flat_map(|release| &release.advice);
        let text: String = lines.map(|line| format!("{line}\n")).collect();
        streams::write(text.as_bytes())?;
    }
    failures(&planned)
}

fn group<'p>(outcome: &fleet::Outcome<'p>) -> PlannedGroup<'p> {
    let group = outcome.group;
    match &outcome.result {
        Ok(output) => PlannedGroup {
            group,
            version: output.rendered.release.chart.metadata.version.to_string(),
            objects: manifest::objects(&output.rendered.text).map_or(0, |objects| objects.len()),
            digest: output.digest.clone(),
            same_as: output.same_as,
            error: None,
        },
        Err(error) => PlannedGroup {
            group,
            version: group.version.clone().unwrap_or_default(),
            digest: String::new(),
            objects: 0,
            same_as: None,
            error: Some(format!("{error:#}")),
        },
    }
}

/// Adds how a release is delivered, or why it can't be.
fn advise(
    plan: &Plan,
    consigned: Consigned<'_>,
    planned: &mut [Planned<'_>],
    properties: &mut Properties,
) {
    let consignments = match consigned {
        Ok(consignments) => consignments,
        // Renders that failed are told of by themselves.
        Err(error) => {
            if let Some(release) = planned.last_mut()
                && release.groups.iter().all(|group| group.error.is_none())
            {
                release.advice.extend(format!("{error:#}").lines().map(str::to_owned));
            }
            return;
        }
    };
    for consignment in consignments {
        let spec = &consignment.group.name;
        let release = planned.iter_mut().rev().find(|planned| {
            planned.groups.iter().any(|group| group.group.number == consignment.group.number)
        });
        let Some(release) = release else { continue };
        let mut line = format!("{spec} in {}", consignment.context);
        match consignment.targets.len() {
            1 => line.push_str(&format!(": cluster {}", consignment.clusters(plan).join(""))),
            n => line.push_str(&format!(": {n} clusters")),
        }
        if !consignment.policies.is_empty() {
            line.push_str(&format!(", through {}", consignment.policies.join(", ")));
        }
        release.advice.push(line);
        if !consignment.why.is_empty() {
            release.advice.push(format!("  {}", consignment.why));
        }
        let warnings = consignment.warnings.iter();
        release.advice.extend(warnings.map(|warning| format!("  warning: {warning}")));
        for (cluster, values) in consignment.properties {
            properties.entry(cluster).or_default().extend(values);
        }
    }
}

fn cluster_names<'p>(plan: &'p Plan, group: &'p Group) -> impl Iterator<Item = &'p str> {
    group.targets.iter().filter_map(|at| plan.targets.get(*at)).map(|target| target.name.as_str())
}

fn table(plan: &Plan, planned: &[Planned<'_>]) -> Table {
    let mut table = Table::new([
        "RELEASE",
        "NAMESPACE",
        "VERSION",
        "CLUSTERS",
        "WHICH",
        "OBJECTS",
        "DIGEST",
        "VALUES",
    ])
    .max_width(60);
    for release in planned {
        let spec = &release.release.spec;
        for group in &release.groups {
            let digest = match (&group.error, group.same_as) {
                (Some(_), _) => "FAILED".to_owned(),
                (None, Some(other)) => format!("as group {other}"),
                (None, None) => group.digest.get(..12).unwrap_or_default().to_owned(),
            };
            let layers: Vec<&str> = group.group.layers.iter().map(|l| l.origin.as_str()).collect();
            table.row([
                &spec.name,
                &spec.namespace,
                &group.version,
                &group.group.targets.len().to_string(),
                &fleet::describe(plan, group.group),
                &group.objects.to_string(),
                &digest,
                &layers.join(", "),
            ]);
        }
    }
    table
}

fn item(fleet: &Fleet<'_>, plan: &Plan, planned: &[Planned<'_>]) -> Item {
    let group = |group: &PlannedGroup<'_>| {
        let names = cluster_names(plan, group.group).map(Item::text).collect();
        let layers = group.group.layers.iter().map(|l| Item::text(l.origin.as_str())).collect();
        Item::Object(vec![
            ("number", Item::Int(i64::try_from(group.group.number).unwrap_or(i64::MAX))),
            ("version", Item::text(group.version.as_str())),
            ("clusters", Item::List(names)),
            ("layers", Item::List(layers)),
            ("objects", Item::Int(i64::try_from(group.objects).unwrap_or(i64::MAX))),
            ("digest", Item::text(group.digest.as_str())),
            ("error", group.error.as_deref().map_or(Item::Null, Item::text)),
        ])
    };
    let release = |planned: &Planned<'_>| {
        Item::Object(vec![
            ("name", Item::text(planned.release.spec.name.as_str())),
            ("namespace", Item::text(planned.release.spec.namespace.as_str())),
            ("chart", Item::text(planned.release.spec.chart.as_str())),
            ("groups", Item::List(planned.groups.iter().map(group).collect())),
            ("delivery", Item::List(planned.advice.iter().map(Item::text).collect())),
        ])
    };
    Item::Object(vec![
        ("fleet", Item::text(fleet.file.name.as_str())),
        ("clusters", Item::Int(i64::try_from(plan.targets.len()).unwrap_or(i64::MAX))),
        ("releases", Item::List(planned.iter().map(release).collect())),
    ])
}

fn failures(planned: &[Planned<'_>]) -> Result<(), Failure> {
    let errors: Vec<&str> =
        planned.iter().flat_map(|r| &r.groups).filter_map(|g| g.error.as_deref()).collect();
    match errors.as_slice() {
        [] => Ok(()),
        errors => {
            let text = errors.join("\n");
            Err(Failure::Error(format!("{} renders failed\n{text}", errors.len())))
        }
    }
}
