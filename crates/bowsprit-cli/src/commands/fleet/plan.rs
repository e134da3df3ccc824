//! `bowsprit fleet plan`.

use super::super::{Command, Invocation, no_args};
use super::{FILE, Fleet, SCOPE, THREADS, open, threads};
use crate::failure::Failure;
use crate::flags::{Flag, Kind};
use crate::output::{self, Item, Table};
use crate::{charts, limits, streams};
use bowsprit::fleet::{self, Delivery, Group, Plan, ReleasePlan, Variant};
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
    text: Vec<u8>,
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
    let mut last = None;
    fleet::render(&plan, &fleet.disk, threads(parsed), |outcome| {
        if last != Some(outcome.release.spec.line) {
            finish(&fleet, &plan, &mut planned, &mut properties)?;
            last = Some(outcome.release.spec.line);
            planned.push(Planned {
                release: outcome.release,
                groups: Vec::new(),
                advice: Vec::new(),
            });
        }
        if let Some(release) = planned.last_mut() {
            release.groups.push(group(outcome));
        }
        Ok::<(), Failure>(())
    })?;
    finish(&fleet, &plan, &mut planned, &mut properties)?;
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

fn group(outcome: fleet::Outcome<'_>) -> PlannedGroup<'_> {
    let group = outcome.group;
    match outcome.result {
        Ok(output) => PlannedGroup {
            group,
            version: output.rendered.release.chart.metadata.version.to_string(),
            objects: manifest::objects(&output.rendered.text).map_or(0, |objects| objects.len()),
            digest: output.digest,
            same_as: output.same_as,
            text: output.rendered.text,
            error: None,
        },
        Err(error) => PlannedGroup {
            group,
            version: group.version.clone().unwrap_or_default(),
            digest: String::new(),
            objects: 0,
            same_as: None,
            text: Vec::new(),
            error: Some(format!("{error:#}")),
        },
    }
}

/// Thinks about the delivery of the release that was planned last, and forgets its texts.
fn finish(
    fleet: &Fleet<'_>,
    plan: &Plan,
    planned: &mut [Planned<'_>],
    properties: &mut Properties,
) -> Result<(), Failure> {
    let Some(release) = planned.last_mut() else { return Ok(()) };
    if let Delivery::KubeStellar { spaces, .. } = &fleet.file.delivery {
        release.advice = kubestellar(plan, release, spaces, properties)?;
    }
    release.groups.iter_mut().for_each(|group| group.text = Vec::new());
    Ok(())
}

/// How a release with different objects for different clusters goes through spaces that hold one version
/// of each object.
fn kubestellar(
    plan: &Plan,
    release: &Planned<'_>,
    spaces: &[String],
    properties: &mut Properties,
) -> Result<Vec<String>, Failure> {
    let name = &release.release.spec.name;
    let fine: Vec<&PlannedGroup<'_>> =
        release.groups.iter().filter(|g| g.error.is_none()).collect();
    let different: Vec<&&PlannedGroup<'_>> = fine.iter().filter(|g| g.same_as.is_none()).collect();
    if different.len() <= 1 {
        return Ok(vec![format!(
            "{name}: one version for all its clusters, so one space and one policy"
        )]);
    }
    let names: Vec<Vec<&str>> = different
        .iter()
        .map(|group| {
            let same = |g: &&&PlannedGroup<'_>| {
                g.group.number == group.group.number || g.same_as == Some(group.group.number)
            };
            fine.iter().filter(same).flat_map(|g| cluster_names(plan, g.group)).collect()
        })
        .collect();
    let variants: Vec<Variant<'_>> = different
        .iter()
        .zip(&names)
        .map(|(group, clusters)| Variant { clusters, text: &group.text })
        .collect();
    let count = different.len();
    match fleet::expand(name, &variants).map_err(super::described)? {
        Ok(expansion) => {
            let objects: Vec<String> = expansion.objects.iter().map(ToString::to_string).collect();
            for (cluster, values) in expansion.properties {
                properties.entry(cluster).or_default().extend(values);
            }
            Ok(vec![format!(
                "{name}: {count} versions that differ in strings alone: one space, template expansion on {}",
                objects.join(", ")
            )])
        }
        Err(reasons) => {
            let mut lines = vec![match spaces.len() >= count {
                true => format!(
                    "{name}: {count} versions: a space each, {}",
                    spaces[..count].join(", ")
                ),
                false => format!(
                    "{name}: {count} versions need {count} spaces and {} are given: give more below \
                     delivery.kubestellar.spaces, or other names to the objects",
                    spaces.len()
                ),
            }];
            lines.push("  templates can't be expanded per cluster:".to_owned());
            lines.extend(reasons.iter().take(5).map(|reason| format!("  - {reason}")));
            if reasons.len() > 5 {
                lines.push(format!("  - and {} more", reasons.len() - 5));
            }
            Ok(lines)
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
