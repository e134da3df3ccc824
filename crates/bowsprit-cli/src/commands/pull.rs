//! `bowsprit pull`.

use super::{Command, Invocation, min_args};
use crate::failure::Failure;
use crate::flags::{Flag, Kind};
use crate::{charts, streams};
use bowsprit::loader::{Located, PathError, Provenance};
use std::path::{Path, PathBuf};

pub(super) static COMMAND: Command = Command {
    name: "pull",
    usage: "pull CHART... [flags]",
    about: "Download charts",
    examples: "\
CHART is name/chart of a repository that has been added, a URL or oci://HOST/PATH.

Examples:
  bowsprit pull bitnami/postgresql --version ^16
  bowsprit pull oci://registry-1.docker.io/bitnamicharts/postgresql -d charts
  bowsprit pull web --repo https://charts.example.com --prov",
    flags: &[FLAGS, charts::FLAGS],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] = &[
    Flag::with("destination", Kind::Text, "DIR", "Write the charts into DIR").short('d'),
    Flag::switch("prov", "Download the provenance too, without checking it"),
];

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    min_args(invocation, "helm pull", "[chart URL | repo/chartname] [...]", 1)?;
    let parsed = invocation.parsed;
    let mut query = charts::query(invocation)?;
    if parsed.is_on("prov") && query.provenance == Provenance::Ignore {
        query.provenance = Provenance::Try;
    }
    let dir = PathBuf::from(parsed.non_empty("destination").unwrap_or("."));
    for reference in invocation.args() {
        let located = charts::bring(invocation, reference, &query)?;
        save(&located, &dir)?;
        if parsed.is_on("verify") {
            streams::write(charts::verify(invocation, &located)?.as_bytes())?;
        }
    }
    Ok(())
}

/// Copies a chart from the cache to its place, with its provenance.
fn save(located: &Located, dir: &Path) -> Result<PathBuf, Failure> {
    let name = match &located.file_name {
        Some(name) => name.clone(),
        None => located.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
    };
    let target = dir.join(&name);
    copy(&located.path, &target)?;
    if let Some(provenance) = &located.provenance {
        copy(provenance, &dir.join(format!("{name}.prov")))?;
    }
    Ok(target)
}

/// Copies by way of another name, so that nobody sees half a file.
fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    let mut part = to.as_os_str().to_owned();
    part.push(format!(".{}.part", std::process::id()));
    let part = PathBuf::from(part);
    let copied = std::fs::copy(from, &part).and_then(|_| std::fs::rename(&part, to));
    copied.map_err(|error| {
        // What can't be removed either is the lesser trouble.
        let _ = std::fs::remove_file(&part);
        Failure::of(PathError::new("open", to, error))
    })
}
