//! Which versions are meant (`Resolve`).

use super::error::{DependencyError, quote};
use super::local::{described, is_local, load_local, local_path};
use super::manager::{Run, is_oci};
use crate::Error;
use crate::error::ErrorKind;
use crate::oci::OciReference;
use crate::repo::{self, Visitor, read_index_file, sort_versions};
use crate::sources::Sources;
use bowsprit_chart::{ChartVersion, Dependency};
use bowsprit_semver::{Constraint, Version};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The dependencies with the versions that were found, in the same order.
pub(super) async fn resolve(
    run: &Run<'_>,
    wanted: &[Dependency],
    names: &BTreeMap<String, String>,
) -> Result<Vec<Dependency>, DependencyError> {
    let mut indexes = Indexes::new(wanted);
    let mut locked = Vec::new();
    let mut missing = Vec::new();
    for needed in wanted {
        let constraint = Constraint::parse(&needed.version).map_err(|error| {
            DependencyError::Invalid(format!(
                "dependency {} has an invalid version/constraint format: {error}",
                quote(&needed.name)
            ))
        })?;
        let found = if needed.repository.is_empty() {
            let dir = Path::new("charts").join(&needed.name);
            local_path(&dir.to_string_lossy(), &run.dir)?;
            Some(needed.version.clone())
        } else if is_local(&needed.repository) {
            let version = load_local(needed, &run.dir)?.metadata.version;
            let fits = Version::parse(&version).is_ok_and(|found| constraint.check(&found));
            fits.then_some(version)
        } else if is_oci(&needed.repository) {
            Some(in_registry(run, needed, &constraint).await?)
        } else {
            let name = names.get(&needed.name).map_or("", String::as_str);
            indexes.newest(run.sources, name, needed, &constraint)?
        };
        match found {
            Some(version) => locked.push(Dependency {
                name: needed.name.clone(),
                repository: needed.repository.clone(),
                version,
                ..Dependency::default()
            }),
            None => missing.push(described(needed)),
        }
    }
    if missing.is_empty() {
        return Ok(locked);
    }
    Err(DependencyError::Invalid(format!(
        "can't get a valid version for {} subchart(s): {}. Make sure a matching chart version exists in \
         the repo, or change the version constraint in Chart.yaml",
        missing.len(),
        missing.join(", ")
    )))
}

/// An exact version needs no question. Where no tag fits, the pull will say so.
async fn in_registry(
    run: &Run<'_>,
    needed: &Dependency,
    constraint: &Constraint,
) -> Result<String, DependencyError> {
    if Version::parse(&needed.version).is_ok() || run.options.offline {
        return Ok(needed.version.clone());
    }
    let failed = |error| {
        let repository = &needed.repository;
        let text = format!("could not retrieve list of tags for repository {repository}: ");
        DependencyError::Fetch(text, Error::from(ErrorKind::Registry(error)))
    };
    let reference = format!("{}/{}", needed.repository.trim_end_matches('/'), needed.name);
    let reference = OciReference::parse(&reference).map_err(failed)?;
    let registry = run.sources.registry(&run.options.query);
    let tags = registry.versions(&reference).await.map_err(failed)?;
    let fits = |tag: &&String| Version::parse(tag).is_ok_and(|found| constraint.check(&found));
    Ok(tags.iter().find(fits).unwrap_or(&needed.version).clone())
}

/// What the indexes in the cache say of the charts that are needed. Each is read once.
pub(super) struct Indexes {
    names: BTreeSet<String>,
    read: BTreeMap<String, BTreeMap<String, Vec<ChartVersion>>>,
}

impl Indexes {
    pub(super) fn new(needed: &[Dependency]) -> Indexes {
        let names = needed.iter().map(|needed| needed.name.clone()).collect();
        Indexes { names, read: BTreeMap::new() }
    }

    /// The versions of a chart in a repository, the newest first; `None` where there is no such chart.
    pub(super) fn versions(
        &mut self,
        sources: &Sources,
        repository: &str,
        chart: &str,
    ) -> Result<Option<&[ChartVersion]>, repo::Error> {
        if !self.read.contains_key(repository) {
            let mut charts = Charts { names: &self.names, found: BTreeMap::new() };
            let file = sources.paths().index_file(repository);
            read_index_file(&file, sources.limits(), &mut charts)?;
            let mut found = charts.found;
            found.values_mut().for_each(|versions| sort_versions(versions));
            self.read.insert(repository.to_owned(), found);
        }
        let charts = self.read.get(repository);
        Ok(charts.and_then(|charts| charts.get(chart)).map(Vec::as_slice))
    }

    fn newest(
        &mut self,
        sources: &Sources,
        repository: &str,
        needed: &Dependency,
        constraint: &Constraint,
    ) -> Result<Option<String>, DependencyError> {
        let versions = self.versions(sources, repository, &needed.name).map_err(|error| {
            let text =
                format!("no cached repository for {repository} found. (try 'helm repo update'): ");
            DependencyError::Fetch(text, Error::from(ErrorKind::Repository(error)))
        })?;
        let versions = versions.ok_or_else(|| {
            DependencyError::Invalid(format!(
                "{} chart not found in repo {}",
                needed.name, needed.repository
            ))
        })?;
        let fits = |entry: &&ChartVersion| {
            Version::parse(&entry.metadata.version)
                .is_ok_and(|found| has_url(entry) && constraint.check(&found))
        };
        Ok(versions.iter().find(fits).map(|entry| entry.metadata.version.clone()))
    }
}

pub(super) fn has_url(entry: &ChartVersion) -> bool {
    entry.urls.as_ref().is_some_and(|urls| !urls.is_empty())
}

/// Takes the versions of some charts.
struct Charts<'n> {
    names: &'n BTreeSet<String>,
    found: BTreeMap<String, Vec<ChartVersion>>,
}

impl Visitor for Charts<'_> {
    fn wants(&mut self, chart: &str) -> bool {
        let wanted = self.names.contains(chart);
        if wanted {
            self.found.entry(chart.to_owned()).or_default();
        }
        wanted
    }

    fn version(&mut self, chart: &str, version: ChartVersion) {
        self.found.entry(chart.to_owned()).or_default().push(version);
    }

    fn restart(&mut self) {
        self.found.clear();
    }
}
