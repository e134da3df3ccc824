//! `bowsprit place folders`.

use crate::commands::{Command, Invocation};
use crate::failure::Failure;
use crate::flags::{Flag, Kind};
use crate::{charts, labels, limits, placing, release, streams, values};
use bowsprit::loader::PathError;
use bowsprit::placement::folders::{Entry, index, layout, listed};
use std::collections::BTreeSet;
use std::path::Path;

pub(super) static COMMAND: Command = Command {
    name: "folders",
    usage: "place folders RELEASE CHART --clusters NAMES --output-dir DIR [flags]",
    about: "Write the manifests of a release into a folder for each cluster",
    examples: "\
Writes DIR/CLUSTER/RELEASE/..., and an index DIR/index-RELEASE.yaml that says which cluster gets which files
and which clusters get the same. Files of an earlier run that are gone now are removed, if that run's index
lists them; files that are as they were are left alone.

Examples:
  bowsprit place folders web ./chart -n web --clusters east,west --output-dir rendered
  bowsprit place folders web ./chart --clusters east,west --override west=west.yaml --output-dir rendered",
    flags: &[
        FLAGS,
        super::FLAGS,
        charts::FLAGS,
        values::FLAGS,
        release::FLAGS,
        release::TARGET,
        limits::FLAGS,
        labels::FLAGS,
    ],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] = &[
    Flag::with("clusters", Kind::List, "NAMES", "Names of clusters"),
    Flag::with("output-dir", Kind::Text, "DIR", "The folder of all clusters"),
    placing::OVERRIDE,
];

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let parsed = invocation.parsed;
    let clusters = parsed.all("clusters");
    let Some(dir) = parsed.non_empty("output-dir") else {
        return Err(Failure::Error("say where to write with --output-dir".to_owned()));
    };
    if clusters.is_empty() {
        return Err(Failure::Error("say which clusters with --clusters: east,west".to_owned()));
    }
    let mut job = super::prepare(invocation, "folders")?;
    let base = super::rendered(invocation, &job)?;
    let overrides = super::overridden(invocation, &mut job)?;
    if let Some((name, _)) = overrides.iter().find(|(name, _)| !clusters.contains(name)) {
        return Err(Failure::Error(format!(
            "there is an override for {name}, which is not among the clusters"
        )));
    }
    let entries = |cluster: &String| {
        let own = overrides.iter().find(|(name, _)| name == cluster);
        own.map_or(&base, |(_, rendered)| rendered).delivery.entries()
    };
    let all: Vec<(String, Vec<Entry>)> =
        clusters.iter().map(|cluster| (cluster.clone(), entries(cluster))).collect();
    write(Path::new(dir), &base.release.options.name, &all)
}

fn write(dir: &Path, release: &str, clusters: &[(String, Vec<Entry>)]) -> Result<(), Failure> {
    let files = layout(release, clusters).map_err(Failure::of)?;
    let old = std::fs::read(dir.join(index(release)));
    let old = old.map(|text| listed(&text)).unwrap_or_default();
    let mut out = String::new();
    for file in &files {
        let path = dir.join(&file.path);
        if std::fs::read(&path).is_ok_and(|text| text == file.content.as_bytes()) {
            continue;
        }
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)
                .map_err(|error| Failure::of(PathError::new("mkdir", parent, error)))?;
        }
        std::fs::write(&path, &file.content)
            .map_err(|error| Failure::of(PathError::new("write", &path, error)))?;
        out.push_str(&format!("wrote {}\n", path.display()));
    }
    let now: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    for gone in old.iter().filter(|old| !now.contains(old.as_str())) {
        let path = dir.join(gone);
        if std::fs::remove_file(&path).is_ok() {
            out.push_str(&format!("removed {}\n", path.display()));
        }
        // Only empty folders go.
        path.ancestors().skip(1).take_while(|above| *above != dir).for_each(|above| {
            let _ = std::fs::remove_dir(above);
        });
    }
    if out.is_empty() {
        out = "nothing has changed\n".to_owned();
    }
    streams::write(out.as_bytes())
}
