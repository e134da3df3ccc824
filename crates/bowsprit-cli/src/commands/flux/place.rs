//! `bowsprit flux place`.

use super::input;
use crate::commands::{Command, Invocation};
use crate::failure::Failure;
use crate::flags::{Flag, Kind};
use crate::streams;
use bowsprit::flux::Inventory;
use bowsprit::flux::karmada::{Placement, interpreter_customization, override_policy, policies};
use bowsprit::render::values::{ValuesFile, ValuesOptions, merge};
use bowsprit::value::{Map, Meter};
use std::collections::BTreeMap;

pub(super) static COMMAND: Command = Command {
    name: "place",
    usage: "flux place -f FILE|DIR [flags]",
    about: "Print the Karmada policies that deliver HelmReleases and Kustomizations",
    examples: "\
For each HelmRelease and Kustomization prints a PropagationPolicy for it and for all that it needs: its
source, the ConfigMaps and Secrets that it or its source names, its service account; and one for the
namespaces. --set and --values give a cluster other values: they become an OverridePolicy that touches
only the leaves that differ, and the PropagationPolicy waits for it.

Karmada's built-in interpreter knows only the betas of Flux's kinds. --interpreter prints what teaches it
today's: health, status and dependencies.

Examples:
  bowsprit flux place -f podinfo.yaml --clusters member1,member2
  bowsprit flux place -f podinfo.yaml --clusters member1,member2 --set member1:replicaCount=2
  bowsprit flux place -f apps/ --cluster-labels environment=prod --values member1=member1.yaml
  bowsprit flux place --interpreter | kubectl apply -f -",
    flags: &[FLAGS],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] = &[
    Flag::with(
        "filename",
        Kind::List,
        "FILE",
        "File or folder to read objects from, or - for standard input; repeatable",
    )
    .short('f'),
    Flag::with("helm-release", Kind::Texts, "[NAMESPACE/]NAME", "Only these objects; repeatable"),
    Flag::with("clusters", Kind::List, "NAMES", "Clusters by name"),
    Flag::with("cluster-labels", Kind::Pairs, "KEY=VALUE", "Clusters by labels"),
    Flag::with("exclude", Kind::List, "NAMES", "Clusters to leave out"),
    Flag::with(
        "set",
        Kind::Texts,
        "CLUSTER:KEY=VALUE",
        "A value on one cluster, as with helm --set; repeatable",
    ),
    Flag::with("values", Kind::Texts, "CLUSTER=FILE", "Values on one cluster; repeatable"),
    Flag::switch("interpreter", "Print the ResourceInterpreterCustomizations too"),
];

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    crate::commands::no_args(invocation, "bowsprit flux place")?;
    let parsed = invocation.parsed;
    let names = parsed.all("filename");
    let interpreter = parsed.is_on("interpreter");
    if names.is_empty() && !interpreter {
        return Err(Failure::Error("give files or folders with -f".to_owned()));
    }
    let mut objects = Vec::new();
    if interpreter {
        objects.extend(interpreter_customization(&[]));
    }
    if !names.is_empty() {
        let inventory = input::inventory(invocation, &names)?;
        objects.extend(placed(invocation, &inventory)?);
    }
    let mut out = Vec::new();
    for object in objects {
        out.extend_from_slice(b"---\n");
        bowsprit::yaml::encode(&object.into(), &mut out, &Meter::default()).map_err(Failure::of)?;
    }
    streams::write(&out)
}

fn placed(invocation: &Invocation<'_>, inventory: &Inventory) -> Result<Vec<Map>, Failure> {
    let parsed = invocation.parsed;
    let labels = parsed.all("cluster-labels");
    let placement = Placement {
        clusters: parsed.all("clusters"),
        labels: labels
            .iter()
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect(),
        exclude: parsed.all("exclude"),
        overrides: Vec::new(),
    };
    if placement.clusters.is_empty() && placement.labels.is_empty() {
        let text = "say which clusters, with --clusters or --cluster-labels";
        return Err(Failure::Error(text.to_owned()));
    }
    let by_cluster = values(invocation)?;
    let wanted = input::wanted(invocation);
    let mut objects = Vec::new();
    for kind in ["HelmRelease", "Kustomization"] {
        for (key, object) in inventory.of_kind(kind).filter(|(key, _)| wanted(key)) {
            let mut placement = placement.clone();
            let name = format!("{}-flux", key.name);
            let overrides = match kind {
                "HelmRelease" => override_policy(object, &name, &by_cluster),
                _ => None,
            };
            placement.overrides.extend(overrides.as_ref().map(|_| name));
            objects.extend(overrides);
            objects.extend(policies(inventory, key, &placement));
        }
    }
    match objects.is_empty() {
        true => Err(Failure::Error(
            "there is no such HelmRelease or Kustomization in these files".to_owned(),
        )),
        false => Ok(objects),
    }
}

/// The values of single clusters.
fn values(invocation: &Invocation<'_>) -> Result<BTreeMap<String, Map>, Failure> {
    let mut options: BTreeMap<String, ValuesOptions> = BTreeMap::new();
    for given in invocation.parsed.all("values") {
        let (cluster, file) = split(&given, '=', "--values", "CLUSTER=FILE")?;
        let text =
            std::fs::read(file).map_err(|error| Failure::Error(format!("open {file}: {error}")))?;
        let file = ValuesFile::Yaml { name: file.to_owned(), text };
        options.entry(cluster.to_owned()).or_default().files.push(file);
    }
    for given in invocation.parsed.all("set") {
        let (cluster, argument) = split(&given, ':', "--set", "CLUSTER:KEY=VALUE")?;
        options.entry(cluster.to_owned()).or_default().set.push(argument.to_owned());
    }
    let merged = options.into_iter().map(|(cluster, options)| {
        let refuse = &mut |path: &str| Err(format!("open {path}: not read here"));
        Ok((cluster, merge(&options, refuse).map_err(Failure::of)?))
    });
    merged.collect()
}

fn split<'g>(
    given: &'g str,
    sign: char,
    flag: &str,
    form: &str,
) -> Result<(&'g str, &'g str), Failure> {
    match given.split_once(sign) {
        Some((cluster, rest)) if !cluster.is_empty() && !rest.is_empty() => Ok((cluster, rest)),
        _ => Err(Failure::Error(format!("{flag}: want {form}, not {given:?}"))),
    }
}
