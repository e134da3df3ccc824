//! Through KubeStellar: spaces, and policies that say which clusters get what is in them.

use super::{
    Consignment, RELEASE_LABEL, Version, cover, is_hook, release_id, ring_place, slug, told,
    with_objects,
};
use crate::error::Error;
use crate::expand::{self, expand};
use crate::file::{FleetFile, Layer, LayerContent};
use crate::health::COLLECTOR;
use crate::plan::{Plan, ReleasePlan, ring_of};
use bowsprit_manifest::LabelSelector;
use bowsprit_placement::kubestellar::{Clause, Request, Workload, binding_policy};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Clusters that are served through one space.
struct Lane<'p> {
    /// The ring whose space it is; all rings share it where there is none.
    ring: Option<String>,
    space: String,
    versions: Vec<Version<'p>>,
}

/// A policy that is to be written: the last part of its name, and whom it serves.
type Reach = (String, Vec<usize>);

/// The texts of a layer that may hold placeholders.
fn texts(layer: &Layer) -> Vec<&str> {
    match &layer.content {
        LayerContent::File { path, .. } | LayerContent::Sops { path, .. } => vec![path.as_str()],
        LayerContent::Set(args) => args.iter().map(String::as_str).collect(),
        LayerContent::Values(_) => Vec::new(),
    }
}

struct Work<'w, 'p> {
    file: &'w FleetFile,
    plan: &'p Plan,
    release: &'p ReleasePlan,
}

/// Where each ring has a space, clusters are served through that of their ring; else all through the
/// first. Versions that do not fit into one space together go through those that are left, in the order
/// of their layers.
pub(super) fn consign<'p>(
    file: &FleetFile,
    plan: &'p Plan,
    release: &'p ReleasePlan,
    versions: &[Version<'p>],
    spaces: &[String],
) -> Result<Vec<Consignment<'p>>, Error> {
    let Some(first) = spaces.first() else {
        let error = Error::new(&file.name, "delivery.kubestellar names no spaces");
        return Err(error.hint("spaces: [CONTEXT, …], one for each ring or one for all"));
    };
    let work = Work { file, plan, release };
    let rings = file.rings.len();
    let a_space_each = rings > 1 && spaces.len() >= rings;
    let spare = spaces.get(if a_space_each { rings } else { 1 }..).unwrap_or_default();
    let mut lanes: Vec<Lane<'p>> = Vec::new();
    if a_space_each {
        let mut by_ring: BTreeMap<usize, Vec<Version<'p>>> = BTreeMap::new();
        for version in versions {
            for (ring, targets) in work.by_ring(&version.targets) {
                let version = Version { targets, ..version.clone() };
                by_ring.entry(ring.min(rings - 1)).or_default().push(version);
            }
        }
        for (ring, versions) in by_ring {
            let space = spaces.get(ring).unwrap_or(first).clone();
            let ring = file.rings.get(ring).map(|ring| ring.name.clone()).unwrap_or_default();
            lanes.push(Lane { ring: Some(ring), space, versions });
        }
    } else {
        let versions = versions.to_vec();
        lanes.push(Lane { ring: None, space: first.clone(), versions });
    }
    let mut all = Vec::new();
    let mut used = 0;
    for lane in lanes {
        work.lane(lane, spare, &mut used, &mut all)?;
    }
    Ok(all)
}

impl<'p> Work<'_, 'p> {
    fn by_ring(&self, targets: &[usize]) -> BTreeMap<usize, Vec<usize>> {
        let mut rings: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for at in targets {
            let ring = self.plan.targets.get(*at).and_then(|target| ring_of(self.file, target));
            let place = self.file.rings.iter().position(|known| Some(known.name.as_str()) == ring);
            rings.entry(place.unwrap_or(usize::MAX)).or_default().push(*at);
        }
        rings
    }

    fn failed(&self, message: impl Into<String>) -> Error {
        Error::new(&format!("release {}", self.release.spec.name), message)
    }

    fn lane(
        &self,
        mut lane: Lane<'p>,
        spare: &[String],
        used: &mut usize,
        all: &mut Vec<Consignment<'p>>,
    ) -> Result<(), Error> {
        let key = |version: &Version<'p>| {
            let layers: Vec<String> =
                version.group.layers.iter().map(|layer| layer.origin.clone()).collect();
            (version.group.name.clone(), layers, version.group.number)
        };
        lane.versions.sort_by_cached_key(key);
        let count = lane.versions.len();
        if let [only] = lane.versions.as_slice() {
            all.push(self.plain(&lane, None, &lane.space, only, String::new())?);
            return Ok(());
        }
        if self.have_own_names(&lane.versions) {
            let why = format!("{count} versions, whose objects have names of their own");
            for version in &lane.versions {
                all.push(self.plain(&lane, None, &lane.space, version, why.clone())?);
            }
            return Ok(());
        }
        let reasons = match self.expanded(&lane)? {
            Ok(consignment) => {
                all.push(consignment);
                return Ok(());
            }
            Err(reasons) => reasons,
        };
        let left = spare.get(*used..).unwrap_or_default();
        if left.len() + 1 < count {
            return Err(self.too_few(&lane, left.len() + 1, &reasons));
        }
        let why = format!("{count} versions, a space each: {}", reasons.first().map_or("", |r| r));
        let spaces = std::iter::once(&lane.space).chain(left);
        for ((at, version), space) in lane.versions.iter().enumerate().zip(spaces) {
            all.push(self.plain(&lane, Some(at + 1), space, version, why.clone())?);
        }
        *used += count - 1;
        Ok(())
    }

    fn too_few(&self, lane: &Lane<'_>, spaces: usize, reasons: &[String]) -> Error {
        const SHOWN: usize = 5;
        let count = lane.versions.len();
        let which = lane.ring.as_ref().map(|ring| format!(" for ring {ring}")).unwrap_or_default();
        let mut text = format!(
            "{count} versions{which} need {count} spaces and {spaces} are left: give more below \
             delivery.kubestellar.spaces (one for each ring, and then those that are left), or another \
             releaseName so that objects have names of their own\n  templates can't be expanded per \
             cluster:"
        );
        for reason in reasons.iter().take(SHOWN) {
            text.push_str(&format!("\n  - {reason}"));
        }
        if reasons.len() > SHOWN {
            text.push_str(&format!("\n  - and {} more", reasons.len() - SHOWN));
        }
        self.failed(text)
    }

    /// Whether no two versions have an object in common.
    fn have_own_names(&self, versions: &[Version<'_>]) -> bool {
        let names: BTreeSet<&str> = versions.iter().map(|v| v.group.name.as_str()).collect();
        if names.len() < versions.len() {
            return false;
        }
        let mut seen = BTreeSet::new();
        versions.iter().all(|version| {
            let Ok(objects) = version.objects() else { return false };
            objects.into_iter().all(|object| seen.insert(object.identity))
        })
    }

    /// The labels that the fleet itself speaks of.
    fn preferred(&self) -> Vec<String> {
        let mut keys: Vec<String> = Vec::new();
        let rings = self.file.rings.iter().map(|ring| &ring.selector);
        let layers = self.release.spec.values.iter().map(|layer| &layer.selector);
        for selector in rings.chain([&self.release.spec.selector]).chain(layers) {
            for requirement in &selector.requirements {
                if !keys.contains(&requirement.key) {
                    keys.push(requirement.key.clone());
                }
            }
        }
        for text in self.release.spec.values.iter().flat_map(texts) {
            let parts = text.split("${").skip(1).filter_map(|part| part.split_once('}'));
            for (key, _) in parts.filter(|(key, _)| *key != "name") {
                if !keys.iter().any(|known| known == key) {
                    keys.push(key.to_owned());
                }
            }
        }
        keys
    }

    fn selectors(&self, targets: &[usize]) -> Result<Vec<LabelSelector>, Error> {
        let wanted: BTreeSet<usize> = targets.iter().copied().collect();
        cover(&self.plan.targets, &wanted, &self.preferred()).ok_or_else(|| {
            let names = super::names(self.plan, targets);
            let error = self.failed(format!(
                "no labels tell these clusters from the others, and a BindingPolicy selects by labels: {}",
                names.iter().take(5).cloned().collect::<Vec<_>>().join(", ")
            ));
            error.hint("give the clusters a label, for example with their name, in KubeStellar's inventory")
        })
    }

    /// The policies for some clusters of a lane. Where a release comes to one ring after the other, each ring has
    /// a policy of its own, so that a promotion adds one and changes none: of what a changed selector does not
    /// match any more, KubeStellar leaves objects behind in clusters (kubestellar#3569).
    fn reaches(&self, lane: &Lane<'_>, part: Option<usize>, targets: &[usize]) -> Vec<Reach> {
        let part = part.map(|part| format!("-{part}")).unwrap_or_default();
        let name = |ring: &str| format!("{}{part}", slug(ring));
        match &lane.ring {
            Some(ring) => vec![(name(ring), targets.to_vec())],
            None if self.release.spec.rings.is_empty() => vec![(name("all"), targets.to_vec())],
            None => {
                let rings = self.by_ring(targets).into_iter();
                let ring = |at: usize| self.file.rings.get(at).map_or("all", |ring| &ring.name);
                rings.map(|(at, targets)| (name(ring(at)), targets)).collect()
            }
        }
    }

    fn plain(
        &self,
        lane: &Lane<'p>,
        part: Option<usize>,
        space: &str,
        version: &Version<'p>,
        why: String,
    ) -> Result<Consignment<'p>, Error> {
        let manifest = version.rendered.release.manifest(false);
        let reaches = self.reaches(lane, part, &version.targets);
        self.placed(&reaches, space, version, version.targets.clone(), manifest, why)
    }

    fn placed(
        &self,
        reaches: &[Reach],
        space: &str,
        version: &Version<'p>,
        targets: Vec<usize>,
        manifest: String,
        why: String,
    ) -> Result<Consignment<'p>, Error> {
        let release = &version.rendered.release;
        let (name, namespace) = (&release.options.name, &release.options.namespace);
        let objects = version.objects()?;
        let workloads: Vec<Workload<'_>> =
            objects.iter().map(|object| Workload { object, hook: is_hook(object) }).collect();
        let (mut policies, mut warnings) = (Vec::new(), Vec::new());
        for (reach, targets) in reaches {
            let policy = format!("{}-{namespace}-{name}-{reach}", slug(&self.file.name));
            let select = [(RELEASE_LABEL.to_owned(), release_id(namespace, name))].into();
            let clusters = self.selectors(targets)?;
            let mut request = Request::new(&policy, namespace, &workloads, clusters, select);
            request.status_collectors = vec![COLLECTOR.to_owned()];
            let mut placed = binding_policy(&request).map_err(|e| self.failed(e.to_string()))?;
            // The namespace is shared, so it is selected by its name.
            placed.policy.clauses.push(Clause {
                api_group: Some(String::new()),
                resources: vec!["namespaces".to_owned()],
                object_names: vec![namespace.clone()],
                ..Clause::default()
            });
            policies.push(placed.policy.to_value());
            // Of all policies they are the same, for they are about the objects.
            warnings = placed.warnings.iter().map(ToString::to_string).collect();
        }
        Ok(Consignment {
            release: self.release.spec.name.clone(),
            context: space.to_owned(),
            ring: ring_place(self.file, self.plan, &targets),
            targets,
            group: version.group,
            rendered: Arc::clone(&version.rendered),
            manifest: with_objects(manifest, "bowsprit/kubestellar.yaml", &policies).into(),
            properties: BTreeMap::new(),
            policies: told(&policies),
            why,
            warnings,
        })
    }

    /// All versions of a lane as one, with what clusters fill in; or why that can't be.
    fn expanded(&self, lane: &Lane<'p>) -> Result<Result<Consignment<'p>, Vec<String>>, Error> {
        let Some(first) = lane.versions.first() else { return Ok(Err(Vec::new())) };
        let hooks = |version: &Version<'_>| -> Vec<String> {
            version.rendered.release.hooks.iter().map(|hook| hook.manifest.clone()).collect()
        };
        let definitions = |version: &Version<'_>| -> Vec<Vec<u8>> {
            let crds = version.rendered.release.crds().into_iter();
            crds.map(|crd| crd.file.data.as_bytes().to_vec()).collect()
        };
        let mut reasons = Vec::new();
        if lane.versions.iter().any(|v| v.group.name != first.group.name) {
            reasons.push("the release has several names, and some objects the same".to_owned());
        }
        if lane.versions.iter().any(|version| hooks(version) != hooks(first)) {
            reasons.push("hooks differ".to_owned());
        }
        if lane.versions.iter().any(|version| definitions(version) != definitions(first)) {
            reasons.push("definitions in crds/ differ".to_owned());
        }
        if !reasons.is_empty() {
            return Ok(Err(reasons));
        }
        let texts: Vec<String> =
            lane.versions.iter().map(|v| v.rendered.release.manifest(false)).collect();
        let names: Vec<Vec<String>> = lane.versions.iter().map(|v| v.names(self.plan)).collect();
        let clusters: Vec<Vec<&str>> =
            names.iter().map(|names| names.iter().map(String::as_str).collect()).collect();
        let variants: Vec<expand::Variant<'_>> = texts
            .iter()
            .zip(&clusters)
            .map(|(text, clusters)| expand::Variant { clusters, text: text.as_bytes() })
            .collect();
        let expansion = match expand(&self.release.spec.name, &variants)? {
            Ok(expansion) => expansion,
            Err(reasons) => return Ok(Err(reasons)),
        };
        let count = lane.versions.len();
        let objects: Vec<String> = expansion.objects.iter().map(ToString::to_string).collect();
        let why = format!(
            "{count} versions that differ in strings alone: template expansion on {}",
            objects.join(", ")
        );
        let mut targets: Vec<usize> =
            lane.versions.iter().flat_map(|v| v.targets.clone()).collect();
        targets.sort_unstable();
        let manifest = String::from_utf8_lossy(&expansion.text).into_owned();
        let reaches = self.reaches(lane, None, &targets);
        let mut placed = self.placed(&reaches, &lane.space, first, targets, manifest, why)?;
        placed.properties = expansion.properties;
        Ok(Ok(placed))
    }
}
