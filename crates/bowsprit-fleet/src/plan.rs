//! Which clusters get a release with the same inputs.

use crate::error::Error;
use crate::file::{CapabilityRule, FleetFile, ReleaseSpec};
use crate::layers::{Layers, ResolvedLayer, key};
use crate::target::Target;
use crate::world::World;
use bowsprit_manifest::LabelSelector;
use bowsprit_render::{Capabilities, KubeVersion};
use bowsprit_value::Str;
use std::collections::HashMap;

/// Which part of a fleet is looked at.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Scope {
    /// Releases; all if empty.
    pub releases: Vec<String>,
    /// Clusters; all without conditions.
    pub clusters: LabelSelector,
    /// Names of clusters; all if empty.
    pub names: Vec<String>,
    /// The part of the groups that is this process's.
    pub shard: Shard,
}

/// One of several processes that share the work: group number `n` belongs to the shard `n % count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 0.
    pub index: usize,
    /// How many there are, at least 1.
    pub count: usize,
}

impl Default for Shard {
    fn default() -> Shard {
        Shard { index: 0, count: 1 }
    }
}

impl std::str::FromStr for Shard {
    type Err = String;

    /// Reads `i/n`, `i` from 0, as an indexed Job counts.
    fn from_str(text: &str) -> Result<Shard, String> {
        let parts =
            text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        match parts {
            Some((index, count)) if index < count => Ok(Shard { index, count }),
            _ => Err(format!("{text:?} is no shard: expected i/n with i from 0 to n-1, as 0/4")),
        }
    }
}

/// All releases with their groups of clusters.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Plan {
    /// The clusters, as [`Group::targets`] counts them.
    pub targets: Vec<Target>,
    /// The releases that have clusters, in the file's order.
    pub releases: Vec<ReleasePlan>,
}

/// A release with its groups.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReleasePlan {
    /// The release.
    pub spec: ReleaseSpec,
    /// Clusters for which it is rendered with the same inputs.
    pub groups: Vec<Group>,
    /// How many clusters it is for.
    pub clusters: usize,
}

/// Clusters for which a release is rendered with the same inputs, so only once.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Group {
    /// The group's number among all of the plan, from 0.
    pub number: usize,
    /// What the release is called on these clusters.
    pub name: String,
    /// The clusters: places in [`Plan::targets`], rising.
    pub targets: Vec<usize>,
    /// The version or range of the chart.
    pub version: Option<String>,
    /// The layers of values, lowest first.
    pub layers: Vec<ResolvedLayer>,
    /// What the clusters offer.
    pub offer: Offer,
}

/// What clusters offer to charts: the inputs of `.Capabilities`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Offer {
    /// The version of Kubernetes.
    pub kube_version: Option<String>,
    /// API versions beside those that Helm assumes.
    pub api_versions: Vec<String>,
    /// A recorded snapshot.
    pub snapshot: Option<String>,
}

impl Offer {
    /// What charts are to see.
    ///
    /// # Errors
    ///
    /// Fails for a version that is none, or a snapshot that can't be read.
    pub fn capabilities(&self, world: &dyn World) -> Result<Capabilities, String> {
        if let Some(path) = &self.snapshot {
            return world.snapshot(path);
        }
        let mut capabilities = Capabilities::default();
        if let Some(version) = &self.kube_version {
            let version = KubeVersion::parse(version).map_err(|e| e.to_string())?;
            capabilities = capabilities.with_kube_version(version);
        }
        if self.api_versions.is_empty() {
            return Ok(capabilities);
        }
        Ok(capabilities.with_api_versions(self.api_versions.iter().map(|v| Str::from(v.as_str()))))
    }
}

/// The ring that a cluster belongs to: the first one that matches.
pub fn ring_of<'f>(file: &'f FleetFile, target: &Target) -> Option<&'f str> {
    let ring = file.rings.iter().find(|ring| ring.selector.matches(&target.labels));
    ring.map(|ring| ring.name.as_str())
}

/// The version of a release for a cluster: its ring's, or else the release's.
pub fn version_for<'r>(
    file: &FleetFile,
    release: &'r ReleaseSpec,
    target: &Target,
) -> Option<&'r str> {
    let ring = ring_of(file, target);
    let own = release.versions.iter().find(|(name, _)| Some(name.as_str()) == ring);
    own.map(|(_, version)| version.as_str()).or(release.version.as_deref())
}

/// Whether a cluster gets a release: its labels match, and its ring has the release.
pub fn is_served(file: &FleetFile, release: &ReleaseSpec, target: &Target) -> bool {
    let has_it = |ring: &str| release.rings.iter().any(|known| known == ring);
    release.selector.matches(&target.labels)
        && (release.rings.is_empty() || ring_of(file, target).is_some_and(has_it))
}

/// Computes which clusters get what.
///
/// Each group is rendered once; the cost of a plan grows with clusters times releases, that of the renders
/// with the number of groups.
///
/// # Errors
///
/// Fails where a values file is missing or a label that a path needs, with the place in the fleet file.
pub fn plan(
    file_name: &str,
    file: &FleetFile,
    targets: Vec<Target>,
    world: &dyn World,
    scope: &Scope,
) -> Result<Plan, Error> {
    for name in &scope.releases {
        file.release(name)?;
    }
    for name in &scope.names {
        if !targets.iter().any(|target| target.name == *name) {
            return Err(Error::new(file_name, format!("no cluster is called {name:?}")));
        }
    }
    let mut layers = Layers::new(world, file_name);
    let mut plan = Plan { targets, releases: Vec::new() };
    let mut number = 0;
    for spec in &file.releases {
        if !scope.releases.is_empty() && !scope.releases.contains(&spec.name) {
            continue;
        }
        let mut groups = groups(file, spec, &plan.targets, &mut layers, scope)?;
        let clusters = groups.iter().map(|group| group.targets.len()).sum();
        for group in &mut groups {
            group.number = number;
            number += 1;
        }
        groups.retain(|group| group.number % scope.shard.count == scope.shard.index);
        if !groups.is_empty() {
            plan.releases.push(ReleasePlan { spec: spec.clone(), groups, clusters });
        }
    }
    Ok(plan)
}

fn groups(
    file: &FleetFile,
    spec: &ReleaseSpec,
    targets: &[Target],
    layers: &mut Layers<'_>,
    scope: &Scope,
) -> Result<Vec<Group>, Error> {
    let mut groups: Vec<Group> = Vec::new();
    let mut known = HashMap::new();
    for (place, target) in targets.iter().enumerate() {
        let wanted = is_served(file, spec, target)
            && scope.clusters.matches(&target.labels)
            && (scope.names.is_empty() || scope.names.contains(&target.name));
        if !wanted {
            continue;
        }
        let resolved = layers.resolve(spec, target)?;
        let version = version_for(file, spec, target);
        let name = match &spec.release_name {
            Some(name) => layers.expand_at(spec.line, target, name)?,
            None => spec.name.clone(),
        };
        let offer = offer(file, target, layers)?;
        let inputs = (key(&resolved), version, offer.clone(), name.clone());
        let at = *known.entry(inputs).or_insert(groups.len());
        match groups.get_mut(at) {
            Some(group) => group.targets.push(place),
            None => groups.push(Group {
                number: 0,
                name,
                targets: vec![place],
                version: version.map(str::to_owned),
                layers: resolved,
                offer,
            }),
        }
    }
    Ok(groups)
}

fn offer(file: &FleetFile, target: &Target, layers: &Layers<'_>) -> Result<Offer, Error> {
    let matches = |rule: &&CapabilityRule| rule.selector.matches(&target.labels);
    let kube_version = target.kube_version.clone();
    let Some(rule) = file.capabilities.iter().find(matches) else {
        return Ok(Offer { kube_version, ..Offer::default() });
    };
    if let Some(path) = &rule.snapshot {
        let path = layers.expand_at(rule.line, target, path)?;
        return Ok(Offer { snapshot: Some(path), ..Offer::default() });
    }
    Ok(Offer {
        kube_version: rule.kube_version.clone().or(kube_version),
        api_versions: rule.api_versions.clone(),
        snapshot: None,
    })
}
