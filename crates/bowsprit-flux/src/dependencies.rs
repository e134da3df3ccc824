//! The dependencies that a chart in a folder names and does not have.

use crate::access::{map_at, text};
use crate::inventory::Inventory;
use crate::release::ChartTemplate;
use crate::source::Source;
use crate::sources::{Charts, ImageRef, is_oci, pick, tagged};
use bowsprit_chart::{Chart, Dependency};
use bowsprit_semver::{Constraint, Version};
use std::sync::Arc;

/// Adds what is missing, as source-controller's dependency manager does: what the lock says counts more
/// than `Chart.yaml`; charts of the same source lie below it, others come from their repositories.
pub(crate) fn complete(
    chart: &mut Chart,
    template: &ChartTemplate,
    source: &Source,
    inventory: &Inventory,
    charts: &dyn Charts,
) -> Result<(), String> {
    let wanted = match &chart.lock {
        Some(lock) => lock.dependencies.clone(),
        None => chart.metadata.dependencies.clone(),
    };
    let wanted: Vec<Dependency> = wanted.into_iter().flatten().flatten().collect();
    // The number decides, as there.
    if wanted.len() == chart.dependencies.len() {
        return Ok(());
    }
    let sources = Sources { template, source, inventory, charts };
    for dependency in &wanted {
        let name = dependency.key();
        if chart.dependencies.iter().any(|there| there.metadata.name == name) {
            continue;
        }
        let (kind, found) = match dependency.repository.as_str() {
            local if local.is_empty() || local.starts_with("file://") => {
                ("local", sources.local(dependency))
            }
            _ => ("remote", sources.remote(dependency)),
        };
        let mut found =
            found.map_err(|error| format!("failed to add {kind} dependency '{name}': {error}"))?;
        if !dependency.alias.is_empty() {
            found.metadata.name.clone_from(&dependency.alias);
        }
        chart.dependencies.push(Arc::new(found));
    }
    Ok(())
}

struct Sources<'f> {
    template: &'f ChartTemplate,
    source: &'f Source,
    inventory: &'f Inventory,
    charts: &'f dyn Charts,
}

impl Sources<'_> {
    fn local(&self, dependency: &Dependency) -> Result<Chart, String> {
        let below = match dependency.repository.strip_prefix("file://") {
            Some(path) => path.to_owned(),
            None => format!("charts/{}", dependency.name),
        };
        let path = format!("/{}/{below}", self.template.chart);
        let path = bowsprit_chart::path::clean(path.as_bytes());
        let path = String::from_utf8_lossy(&path).into_owned();
        let reference = &dependency.repository;
        let found = self.charts.folder(self.source, path.trim_start_matches('/'));
        let found = found.map_err(|error| {
            if error.0.starts_with("no chart found at") {
                return format!("no chart found at '{path}' (reference '{reference}')");
            }
            format!("failed to load chart from '{path}' (reference '{reference}'): {error}")
        })?;
        let packaged = found.packaged;
        let mut found = found.chart;
        if !packaged {
            crate::ignored::leave_out(&mut found);
        }
        let wanted = &dependency.version;
        let range = Constraint::parse(wanted)
            .map_err(|error| format!("invalid version/constraint format '{wanted}': {error}"))?;
        let version = Version::parse(&found.metadata.version).map_err(|error| error.to_string())?;
        if !range.check(&version) {
            return Err(format!("can't get a valid version for constraint '{wanted}'"));
        }
        Ok(found)
    }

    fn remote(&self, dependency: &Dependency) -> Result<Chart, String> {
        let Dependency { name, version, repository, .. } = dependency;
        if !is_oci(repository) && !repository.starts_with("http") {
            return Err(format!("unsupported dependency repository URL '{repository}'"));
        }
        let source = self.repository(repository);
        let failed = |why: &dyn std::fmt::Display| {
            format!("failed to get chart '{name}' version '{version}' from '{repository}': {why}")
        };
        let (versions, source) = if is_oci(repository) {
            let source = source.below(name);
            (Some(tagged(&self.charts.tags(&source).map_err(|e| failed(&e))?)), source)
        } else {
            (self.charts.versions(&source, name).map_err(|e| failed(&e))?, source)
        };
        let versions = versions.ok_or_else(|| failed(&"no chart name found"))?;
        let picked = pick(name, version, versions).map_err(|e| failed(&e))?;
        let found = match picked.urls.first() {
            Some(tag) if is_oci(repository) => {
                self.charts.image(&source, &ImageRef::Tag(tag.clone())).map(|image| image.chart)
            }
            _ => self.charts.archive(&source, name, &picked),
        };
        found.map_err(|error| {
            format!("chart download of version '{}' failed: {error}", picked.version)
        })
    }

    /// The HelmRepository in the namespace of the source that has this URL; or the URL alone.
    fn repository(&self, url: &str) -> Source {
        let bare = |url: &str| url.trim_end_matches('/').to_owned();
        let namespace = &self.template.source.namespace;
        let found = self.inventory.of_kind("HelmRepository").find(|(key, object)| {
            let spec = map_at(object, &["spec"]);
            key.namespace == *namespace && bare(&text(&spec, "url")) == bare(url)
        });
        match found {
            Some((key, object)) => Source::of(key, &map_at(object, &["spec"]), self.inventory),
            None => Source::of_url("HelmRepository", url),
        }
    }
}
