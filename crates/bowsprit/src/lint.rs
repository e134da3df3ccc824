//! Checks of charts on disk: [`bowsprit_lint`], and where its sources come from.
//!
//! ```no_run
//! use bowsprit::lint::{Linted, Options, lint, open, print};
//! use bowsprit::value::Hermetic;
//!
//! let options = Options::default();
//! let charts: Vec<Linted> = ["charts/web", "charts/db-1.2.3.tgz"]
//!     .into_iter()
//!     .map(|path| match open(path) {
//!         Ok(source) => lint(&source, &options, &Hermetic::default()),
//!         Err(error) => Linted::not_examined(path, error),
//!     })
//!     .collect();
//! let printed = print(&charts, false);
//! assert!(printed.text.starts_with("==> Linting charts/web\n"));
//! ```

pub use bowsprit_lint::*;

use bowsprit_chart::{Chart, Limits, ReadFailure, Warned, path};
use bowsprit_loader::{ApiVersions, PathError};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

/// Looks at the chart that a path names: a folder, or an archive by the end of its name.
///
/// # Errors
///
/// Where there is no chart to be examined, with Helm's words.
pub fn open(name: &str) -> Result<Source, CannotExamine> {
    let limits = Limits::default();
    if is_archive(name) {
        let opened = |e| CannotExamine(format!("unable to open tarball: {e}"));
        let mut file =
            File::open(name).map_err(|e| opened(PathError::new("open", Path::new(name), e)))?;
        let mut bytes = Vec::new();
        let read = Read::by_ref(&mut file).take(limits.archive.inflated).read_to_end(&mut bytes);
        read.map_err(|e| {
            let error = PathError::new("read", Path::new(name), e);
            CannotExamine(format!("unable to extract tarball: {error}"))
        })?;
        let dir = absolute(name).display().to_string();
        return Source::from_archive(name, &dir, &bytes, &limits);
    }
    let chart_yaml = joined(name, "Chart.yaml");
    if let Err(error) = Path::new(&chart_yaml).metadata() {
        let error = PathError::new("stat", Path::new(&chart_yaml), error);
        return Err(CannotExamine(format!("unable to check Chart.yaml file in chart: {error}")));
    }
    let dir = absolute(name);
    let mut options = bowsprit_loader::Options::default();
    options.api_versions = ApiVersions::Any;
    let unread = ReadFailure::default();
    options.unread = Some(unread.clone());
    let chart = match bowsprit_loader::load_path(&dir, &options) {
        Ok(Warned { output, warnings }) => {
            Ok(Warned { output: Arc::<Chart>::new(output), warnings })
        }
        Err(error) => Err(LoadFailure { text: error.to_string(), log: error.log().to_vec() }),
    };
    Ok(Source {
        name: name.to_owned(),
        chart_yaml: entry(&dir.join("Chart.yaml")),
        values: entry(&dir.join("values.yaml")),
        schema: entry(&dir.join("values.schema.json")),
        templates: entry(&dir.join("templates")),
        crds: entry(&dir.join("crds")),
        changelog: entry(&dir.join("CHANGELOG.md")),
        since: None,
        dir: dir.display().to_string(),
        chart,
        unread,
    })
}

/// What the chart in a folder was at a git reference, or rather where the present commit and the
/// reference parted. Asks the program `git`.
///
/// # Errors
///
/// Where the folder is in no repository, where the reference names no commit, and without git.
pub fn since(folder: &str, reference: &str) -> Result<Since, String> {
    if is_archive(folder) || !Path::new(folder).is_dir() {
        return Err(format!(
            "{folder}: only a chart's folder can be compared with a git reference"
        ));
    }
    let commit = format!("{reference}^{{commit}}");
    let base = git(folder, &["rev-parse", "--verify", "--quiet", "--end-of-options", &commit])
        .map_err(|error| match error.is_empty() {
            true => format!("{folder}: git knows no commit {reference}"),
            false => format!("{folder}: {}", error.trim_start_matches("fatal: ")),
        })?;
    let base = line(&base);
    // Without a common commit the reference itself has to do.
    let base = git(folder, &["merge-base", &base, "HEAD"]).map_or(base, |parted| line(&parted));
    let changed = git(folder, &["diff", "--name-only", "--relative", &base, "--", "."])?;
    let new = git(folder, &["ls-files", "--others", "--exclude-standard", "--", "."])?;
    let names = |bytes: &[u8]| {
        String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let mut changed = names(&changed);
    changed.extend(names(&new));
    changed.sort();
    let chart_yaml = git(folder, &["show", &format!("{base}:./Chart.yaml")]).ok();
    Ok(Since { reference: reference.to_owned(), chart_yaml, changed })
}

fn line(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

fn git(folder: &str, args: &[&str]) -> Result<Vec<u8>, String> {
    let output = Command::new("git")
        .args(["-c", "core.quotePath=false", "-C", folder])
        .args(args)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("git: {error}"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(line(&output.stderr))
}

/// The charts below a chart's `charts/`, packaged or not, at any depth, as `--with-subcharts` finds them.
pub fn subcharts(name: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut pending = vec![joined(name, "charts")];
    while let Some(path) = pending.pop() {
        let Ok(metadata) = Path::new(&path).symlink_metadata() else { continue };
        let (dir, base) = path.rsplit_once('/').unwrap_or((".", &path));
        if base == "Chart.yaml" {
            found.push(dir.to_owned());
        } else if is_archive(&path) {
            found.push(path.clone());
        }
        if !metadata.is_dir() {
            continue;
        }
        let entries = Path::new(&path).read_dir().into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort_unstable();
        pending.extend(names.iter().rev().map(|name| format!("{path}/{name}")));
    }
    found
}

fn is_archive(name: &str) -> bool {
    name.ends_with(".tgz") || name.ends_with(".tar.gz")
}

/// Go's `filepath.Join`.
fn joined(dir: &str, name: &str) -> String {
    let path = if dir.is_empty() { name.to_owned() } else { format!("{dir}/{name}") };
    String::from_utf8_lossy(&path::clean(path.as_bytes())).into_owned()
}

/// Go's `filepath.Abs`.
fn absolute(name: &str) -> PathBuf {
    if name.starts_with('/') {
        return PathBuf::from(joined(name, ""));
    }
    let dir = std::env::current_dir().unwrap_or_default();
    PathBuf::from(joined(&dir.display().to_string(), name))
}

fn entry(path: &Path) -> Entry {
    let Ok(metadata) = path.metadata() else { return Entry::Missing };
    if metadata.is_dir() {
        return Entry::Directory;
    }
    if !metadata.is_file() {
        return Entry::Unreadable(format!("read {}: not a regular file", path.display()));
    }
    match std::fs::read(path) {
        Ok(bytes) => Entry::File(bytes.into()),
        Err(error) => Entry::Unreadable(PathError::new("open", path, error).to_string()),
    }
}
