//! `helm dependency list`: what a chart needs, and whether it is there.

use crate::create::quoted;
use crate::{ApiVersions, Error, Options, io, load_path};
use bowsprit_chart::{Chart, Dependency, LogLine, filepath_match};
use bowsprit_semver::{Constraint, Version};
use std::fmt;
use std::path::{Path, PathBuf};

/// Whether a dependency is there. `Display` is Helm's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// An archive of the right name and version.
    Ok,
    /// A directory of the right name and version.
    Unpacked,
    /// Nothing.
    Missing,
    /// A chart of another version than is wanted.
    WrongVersion,
    /// The version that is wanted, or that of the chart, is none.
    InvalidVersion,
    /// The archive can't be loaded.
    Corrupt,
    /// The archive has a chart of another name.
    Misnamed,
    /// Several archives.
    TooManyMatches,
    /// The name is no pattern.
    BadPattern,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Status::Ok => "ok",
            Status::Unpacked => "unpacked",
            Status::Missing => "missing",
            Status::WrongVersion => "wrong version",
            Status::InvalidVersion => "invalid version",
            Status::Corrupt => "corrupt",
            Status::Misnamed => "misnamed",
            Status::TooManyMatches => "too many matches",
            Status::BadPattern => "bad pattern",
        })
    }
}

/// What a chart needs.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Listing {
    /// The dependencies in the order of `Chart.yaml`; `None` where it names none.
    pub dependencies: Option<Vec<(Dependency, Status)>>,
    /// Helm's warnings about what is in `charts/` beside them.
    pub warnings: Vec<String>,
    /// What was logged while the chart was loaded.
    pub log: Vec<LogLine>,
}

/// Lists the dependencies of a chart, a directory or an archive.
///
/// # Errors
/// For a chart that can't be loaded.
pub fn list_dependencies(chart: &Path) -> Result<Listing, Error> {
    let chart_path = io::cleaned(chart);
    let loaded = load_any(&chart_path)?;
    let chart = loaded.output;
    let mut listing = Listing { log: loaded.warnings, ..Listing::default() };
    let dir = io::cleaned(&chart_path.join("charts"));
    if chart.metadata.dependencies.is_none() {
        let text = format!("WARNING: no dependencies at {}", dir.display());
        listing.warnings.push(text);
        return Ok(listing);
    }
    let wanted = chart.metadata.dependencies();
    let rows = wanted.map(|needed| (needed.clone(), status(&dir, needed, &chart)));
    listing.dependencies = Some(rows.collect());
    listing.warnings = extras(&dir, &chart);
    Ok(listing)
}

/// The inner loader, which takes charts of any version.
pub(super) fn load_any(path: &Path) -> Result<bowsprit_chart::Warned<Chart>, Error> {
    load_path(path, &Options { api_versions: ApiVersions::Any, ..Options::default() })
}

/// The files in a folder, sorted; none where there is no folder.
fn files_in(dir: &Path) -> Vec<PathBuf> {
    let entries = dir.read_dir().into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| dir.join(entry.file_name())).collect();
    paths.sort_by(|a, b| a.as_os_str().as_encoded_bytes().cmp(b.as_os_str().as_encoded_bytes()));
    paths
}

/// `dependencyStatus`.
fn status(dir: &Path, needed: &Dependency, parent: &Chart) -> Status {
    let pattern = format!("{}-*.tgz", needed.name);
    let mut archives = Vec::new();
    for path in files_in(dir) {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        match filepath_match(pattern.as_bytes(), name) {
            Ok(true) => archives.push(path),
            Ok(false) => {}
            Err(_) => return Status::BadPattern,
        }
    }
    if archives.len() > 1 {
        archives.retain(|path| {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            let version = stem.strip_prefix(&format!("{}-", needed.name)).unwrap_or(&stem);
            Version::parse_strict(version).is_ok()
        });
        if archives.len() > 1 {
            return Status::TooManyMatches;
        }
    }
    if let Some(archive) = archives.first().filter(|archive| archive.metadata().is_ok()) {
        return archive_status(archive, needed);
    }
    // Helm takes the last one of a name.
    let loaded = parent.dependencies.iter().rfind(|sub| sub.metadata.name == needed.name);
    let Some(sub) = loaded else { return Status::Missing };
    version_status(&sub.metadata.version, needed).unwrap_or(Status::Unpacked)
}

/// `statArchiveForStatus`.
fn archive_status(archive: &Path, needed: &Dependency) -> Status {
    let Ok(loaded) = load_any(archive) else { return Status::Corrupt };
    let metadata = &loaded.output.metadata;
    if metadata.name != needed.name {
        return Status::Misnamed;
    }
    version_status(&metadata.version, needed).unwrap_or(Status::Ok)
}

/// What is wrong with a version, if anything.
fn version_status(found: &str, needed: &Dependency) -> Option<Status> {
    if found == needed.version {
        return None;
    }
    let (Ok(constraint), Ok(version)) = (Constraint::parse(&needed.version), Version::parse(found))
    else {
        return Some(Status::InvalidVersion);
    };
    (!constraint.check(&version)).then_some(Status::WrongVersion)
}

/// `printMissing`: charts that nobody asked for, and what is no chart.
fn extras(dir: &Path, chart: &Chart) -> Vec<String> {
    let mut warnings = Vec::new();
    for path in files_in(dir) {
        let found = match path.metadata() {
            Ok(found) => found,
            Err(error) => {
                let error = io::PathError::new("stat", &path, error);
                warnings.push(format!("Warning: {error}"));
                continue;
            }
        };
        if !found.is_dir() && path.extension().is_none_or(|ext| ext != "tgz") {
            continue;
        }
        let Ok(loaded) = load_any(&path) else {
            warnings.push(format!("WARNING: {} is not a chart.", quoted(&path)));
            continue;
        };
        let name = &loaded.output.metadata.name;
        if !chart.metadata.dependencies().any(|needed| needed.name == *name) {
            warnings.push(format!("WARNING: {} is not in Chart.yaml.", quoted(&path)));
        }
    }
    warnings
}
