//! `bowsprit pull`.

use super::{Command, Invocation, min_args};
use crate::failure::Failure;
use crate::flags::{Flag, Kind, Parsed};
use crate::{charts, streams};
use bowsprit::loader::{Located, PathError, Provenance, expand};
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
  bowsprit pull bitnami/postgresql --untar --untardir vendor
  bowsprit pull web --repo https://charts.example.com --prov",
    flags: &[FLAGS, charts::FLAGS],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] = &[
    Flag::with("destination", Kind::Text, "DIR", "Write the charts into DIR").short('d'),
    Flag::switch("prov", "Download the provenance too, without checking it"),
    Flag::switch("untar", "Unpack the chart instead of keeping its archive"),
    Flag::with(
        "untardir",
        Kind::Text,
        "DIR",
        "With --untar, unpack into DIR below the destination",
    ),
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
        if parsed.is_on("untar") {
            refuse_existing(&untar_dir(&dir, parsed), reference)?;
        }
        let located = charts::bring(invocation, reference, &query)?;
        if parsed.is_on("verify") {
            streams::write(charts::verify(invocation, &located)?.as_bytes())?;
        }
        if parsed.is_on("untar") {
            expand(&located.path, &untar_dir(&dir, parsed)).map_err(Failure::of)?;
        } else {
            save(&located, &dir)?;
        }
    }
    Ok(())
}

fn untar_dir(destination: &Path, parsed: &Parsed) -> PathBuf {
    match parsed.non_empty("untardir") {
        Some(dir) if dir != "." => destination.join(dir),
        _ => destination.to_owned(),
    }
}

/// Looks for what a chart is to become, before it is downloaded.
fn refuse_existing(dir: &Path, reference: &str) -> Result<(), Failure> {
    let name = reference.rsplit('/').next().unwrap_or_default();
    let target = if dir == Path::new(".") { PathBuf::from(name) } else { dir.join(name) };
    if name.is_empty() || target.symlink_metadata().is_err() {
        return Ok(());
    }
    let target = target.display();
    Err(Failure::Error(format!(
        "failed to untar: a file or directory with the name {target} already exists"
    )))
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
