//! What a change of a fleet does to the objects on its clusters.

use super::{Disk, FleetFile, Plan, Scope, Target};
#[cfg(feature = "apply")]
use bowsprit_manifest::diff::TextOptions;
use bowsprit_manifest::diff::{Difference, ObjectSet, diff};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// The objects of all releases on all clusters, each different text once.
#[derive(Clone, Debug, Default)]
pub struct State {
    texts: BTreeMap<String, Arc<Vec<u8>>>,
    /// Release and cluster, and the digest of what the cluster gets.
    places: BTreeMap<(String, String), String>,
}

/// One release, and clusters for which it changes alike.
#[derive(Debug)]
#[non_exhaustive]
pub struct Changed {
    /// Namespace and name of the release, with a slash between.
    pub release: String,
    /// The clusters.
    pub clusters: Vec<String>,
    /// What changes.
    pub difference: Difference,
}

/// What would change on servers, clusters for which a release changes alike taken together.
#[cfg(feature = "apply")]
pub fn on_servers(found: Vec<(super::Shipment, Difference)>) -> Vec<Changed> {
    let whole = TextOptions::default().context(usize::MAX);
    let mut groups: BTreeMap<(String, String), Changed> = BTreeMap::new();
    for (shipment, difference) in found {
        if difference.is_empty() {
            continue;
        }
        let mut release = format!("{}/{}", shipment.namespace, shipment.name);
        if !shipment.policies.is_empty() {
            release.push_str(&format!(" in {}", shipment.context));
        }
        let key = (release.clone(), difference.to_text(&whole));
        let new = || Changed { release, clusters: Vec::new(), difference };
        groups.entry(key).or_insert_with(new).clusters.extend(shipment.clusters);
    }
    let mut changes: Vec<Changed> = groups.into_values().collect();
    changes.iter_mut().for_each(|change| change.clusters.sort());
    changes
}

/// A release, and the digests of what a cluster has and gets.
type Move<'s> = (&'s str, Option<&'s str>, Option<&'s str>);

impl State {
    /// Renders a fleet.
    ///
    /// # Errors
    ///
    /// Fails with all renders that fail, a line each.
    pub fn of_fleet(
        name: &str,
        file: &FleetFile,
        targets: Vec<Target>,
        disk: &Disk<'_>,
        scope: &Scope,
        threads: usize,
    ) -> Result<State, String> {
        let plan = bowsprit_fleet::plan(name, file, targets, disk, scope);
        State::of_plan(&plan.map_err(|e| format!("{e:#}"))?, disk, threads)
    }

    /// Renders a plan.
    ///
    /// # Errors
    ///
    /// Fails with all renders that fail, a line each.
    pub fn of_plan(plan: &Plan, disk: &Disk<'_>, threads: usize) -> Result<State, String> {
        let mut state = State::default();
        let mut failures = Vec::new();
        bowsprit_fleet::render(plan, disk, threads, |outcome| {
            match outcome.result {
                Ok(output) => {
                    let spec = &outcome.release.spec;
                    let release = format!("{}/{}", spec.namespace, spec.name);
                    for target in
                        outcome.group.targets.iter().filter_map(|at| plan.targets.get(*at))
                    {
                        let place = (release.clone(), target.name.clone());
                        state.places.insert(place, output.digest.clone());
                    }
                    state
                        .texts
                        .entry(output.digest)
                        .or_insert_with(|| Arc::new(output.rendered.text));
                }
                Err(error) => failures.push(format!("{error:#}")),
            }
            Ok::<(), String>(())
        })?;
        if failures.is_empty() { Ok(state) } else { Err(failures.join("\n")) }
    }

    /// Reads what [`super::Folders`] wrote below a folder.
    ///
    /// # Errors
    ///
    /// Fails where there is no index, or a file that it names is missing.
    pub fn of_folder(root: &Path) -> Result<State, String> {
        let path = root.join("index.json");
        let failed = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
        let text = std::fs::read(&path).map_err(|e| failed(&e))?;
        let index: serde_json::Value = serde_json::from_slice(&text).map_err(|e| failed(&e))?;
        let clusters = index.get("clusters").and_then(|c| c.as_object());
        let clusters = clusters.ok_or_else(|| failed(&"no index of a fleet"))?;
        let mut state = State::default();
        for (cluster, entry) in clusters {
            let releases = entry.get("releases").and_then(|r| r.as_object());
            for (release, file) in releases.into_iter().flatten() {
                let file = root.join(file.as_str().unwrap_or_default());
                let text = std::fs::read(&file).map_err(|e| format!("{}: {e}", file.display()))?;
                let digest = bowsprit_fleet::digest(&text);
                state.places.insert((release.clone(), cluster.clone()), digest.clone());
                state.texts.entry(digest).or_insert_with(|| Arc::new(text));
            }
        }
        Ok(state)
    }

    /// What is different in another state, clusters that change alike taken together.
    ///
    /// # Errors
    ///
    /// Fails where a text holds no objects.
    pub fn changes(&self, after: &State) -> Result<Vec<Changed>, String> {
        let places: BTreeSet<_> = self.places.keys().chain(after.places.keys()).collect();
        let mut groups: BTreeMap<Move<'_>, Vec<String>> = BTreeMap::new();
        for place in places {
            let before = self.places.get(place).map(String::as_str);
            let now = after.places.get(place).map(String::as_str);
            if before != now {
                groups.entry((&place.0, before, now)).or_default().push(place.1.clone());
            }
        }
        let mut changes = Vec::new();
        for ((release, before, now), clusters) in groups {
            let difference = diff(&self.objects(before)?, &after.objects(now)?);
            if !difference.is_empty() {
                changes.push(Changed { release: release.to_owned(), clusters, difference });
            }
        }
        Ok(changes)
    }

    fn objects(&self, digest: Option<&str>) -> Result<ObjectSet, String> {
        let text = digest.and_then(|digest| self.texts.get(digest));
        match text {
            Some(text) => ObjectSet::parse(text).map_err(|e| e.to_string()),
            None => Ok(ObjectSet::new()),
        }
    }
}
