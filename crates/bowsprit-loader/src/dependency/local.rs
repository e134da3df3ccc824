//! Dependencies that are directories on disk.

use super::error::{DependencyError, quote};
use super::list::load_any;
use crate::io;
use bowsprit_chart::{Chart, Dependency, File, Limits, Metadata, PackOptions};
use bowsprit_semver::{Constraint, Version};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const SCHEME: &str = "file://";

pub(super) fn is_local(repository: &str) -> bool {
    repository.starts_with(SCHEME)
}

/// `GetLocalPath`: a path from the root or from the chart's directory.
pub(super) fn local_path(repository: &str, chart: &Path) -> Result<PathBuf, DependencyError> {
    let path = repository.strip_prefix(SCHEME).unwrap_or(repository);
    let found = if path.starts_with('/') {
        io::absolute(Path::new(path))?
    } else {
        io::cleaned(&chart.join(path))
    };
    match found.metadata() {
        Ok(_) => Ok(found),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(DependencyError::Invalid(format!("directory {} not found", found.display())))
        }
        Err(error) => Err(io::PathError::new("stat", &found, error).into()),
    }
}

/// The chart of a dependency that is a directory.
pub(super) fn load_local(dependency: &Dependency, chart: &Path) -> Result<Chart, DependencyError> {
    let path = local_path(&dependency.repository, chart)?;
    if !path.is_dir() {
        // The loader of directories is asked, whatever this is.
        return Err(crate::dir::load(&path, &crate::Options::default())
            .err()
            .map_or_else(|| DependencyError::Invalid(String::new()), DependencyError::Load));
    }
    Ok(load_any(&path)?.output)
}

/// `tarFromLocalDir`: packs the chart, whose name and version come back with the bytes.
pub(super) fn pack_local(
    dependency: &Dependency,
    chart: &Path,
    pack: &PackOptions,
) -> Result<(Chart, Vec<u8>), DependencyError> {
    let found = load_local(dependency, chart)?;
    let constraint = Constraint::parse(&dependency.version).map_err(|error| {
        DependencyError::Invalid(format!(
            "dependency {} has an invalid version/constraint format: {error}",
            dependency.name
        ))
    })?;
    let version = Version::parse(&found.metadata.version)
        .map_err(|error| DependencyError::Invalid(error.to_string()))?;
    if !constraint.check(&version) {
        let name = &dependency.name;
        return Err(DependencyError::Invalid(format!(
            "can't get a valid version for dependency {name}"
        )));
    }
    let archive = found.pack(pack).map_err(|e| DependencyError::Invalid(e.to_string()))?;
    Ok((found, archive))
}

/// Checks that no chart needs itself, by way of directories. Helm would put it into itself again at
/// every update.
pub(super) fn check_cycles(chart: &Path, metadata: &Metadata) -> Result<(), DependencyError> {
    let Ok(root) = chart.canonicalize() else { return Ok(()) };
    let mut done = BTreeSet::new();
    let needs = needs(&root, metadata);
    let mut stack = vec![Visit { dir: root, name: metadata.name.clone(), needs }];
    while let Some(visit) = stack.last_mut() {
        let Some((name, dir)) = visit.needs.pop() else {
            if let Some(visit) = stack.pop() {
                done.insert(visit.dir);
            }
            continue;
        };
        if let Some(at) = stack.iter().position(|visit| visit.dir == dir) {
            let mut names: Vec<&str> =
                stack.iter().skip(at).map(|visit| visit.name.as_str()).collect();
            names.extend(stack.get(at).map(|visit| visit.name.as_str()));
            return Err(DependencyError::Cycle(names.join(" -> ")));
        }
        if !done.contains(&dir) {
            let needs = metadata_of(&dir).map_or(Vec::new(), |found| self::needs(&dir, &found));
            stack.push(Visit { dir, name, needs });
        }
    }
    Ok(())
}

/// A chart on the way, with the directories that it needs and that are still to be visited.
struct Visit {
    dir: PathBuf,
    name: String,
    needs: Vec<(String, PathBuf)>,
}

fn needs(dir: &Path, metadata: &Metadata) -> Vec<(String, PathBuf)> {
    let local = metadata.dependencies().filter(|needed| is_local(&needed.repository));
    let mut needs: Vec<(String, PathBuf)> = local
        .filter_map(|needed| {
            let path = local_path(&needed.repository, dir).ok()?.canonicalize().ok()?;
            Some((needed.name.clone(), path))
        })
        .collect();
    needs.reverse();
    needs
}

/// Only what says which charts are needed; what is wrong with the rest is found later.
fn metadata_of(dir: &Path) -> Option<Metadata> {
    let limits = Limits::default();
    let mut files = Vec::new();
    for name in ["Chart.yaml", "requirements.yaml"] {
        if let Ok(data) = io::read(&dir.join(name), limits.archive.file_size) {
            files.push(File::unmarked(name, data));
        }
    }
    let chart = Chart::from_files_as(bowsprit_chart::Format::V2, files, &limits).ok()?;
    Some(chart.output.metadata)
}

/// A dependency that names no repository must be a directory in `charts/` and fit.
pub(super) fn check_vendored_dir(
    dependency: &Dependency,
    chart: &Path,
) -> Result<(), (DependencyError, bool)> {
    let path = io::cleaned(&chart.join("charts").join(&dependency.name));
    let hard = |text: String| (DependencyError::Invalid(text), false);
    let loaded = if path.is_dir() {
        load_any(&path)
    } else {
        crate::dir::load(&path, &crate::Options::default())
    };
    let loaded =
        loaded.map_err(|e| hard(format!("unable to load chart '{}': {e}", path.display())))?;
    let name = &dependency.name;
    let constraint = Constraint::parse(&dependency.version).map_err(|error| {
        hard(format!("dependency {name} has an invalid version/constraint format: {error}"))
    })?;
    let found = &loaded.output.metadata.version;
    let wanted = &dependency.version;
    let version = Version::parse(found).map_err(|error| {
        hard(format!("invalid version {wanted} for dependency {name}: {error}"))
    })?;
    if constraint.check(&version) {
        return Ok(());
    }
    let text =
        format!("dependency {name} at version {found} does not satisfy the constraint {wanted}");
    Err((DependencyError::Invalid(text), true))
}

/// `"name" (repository "…", version "…")`, as Helm names what it could not resolve.
pub(super) fn described(dependency: &Dependency) -> String {
    let Dependency { name, repository, version, .. } = dependency;
    format!("{} (repository {}, version {})", quote(name), quote(repository), quote(version))
}
