//! How what was rendered reaches the clusters: which API server gets which objects, and the placement
//! objects that bring them on.
//!
//! [`Delivery::Direct`] needs no placement: each cluster gets its render. Karmada's control plane gets one
//! version of each object, and OverridePolicies for clusters whose render differs. A KubeStellar space
//! holds one version of each object, too, so clusters whose objects differ are served through different
//! spaces, through objects of different names in one space, or by template expansion.
//!
//! What a cluster gets through is chosen by its ring and by the order in the fleet file, never by what was
//! rendered, so that a promotion changes objects and no policy.

mod karmada;
mod kubestellar;
mod select;
mod versions;

pub use select::cover;
pub use versions::{Consigned, Versions, share};

use crate::error::Error;
use crate::file::{Delivery, FleetFile};
use crate::plan::{Group, Plan, ReleasePlan, ring_of};
use crate::world::Rendered;
use bowsprit_manifest::{Object, objects};
use bowsprit_render::Release;
use bowsprit_value::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The label by which the objects of a release are told from all others.
pub const RELEASE_LABEL: &str = "bowsprit.dev/release";

/// The value of [`RELEASE_LABEL`]: namespace and name, shortened where a label's value can't be so long.
pub fn release_id(namespace: &str, name: &str) -> String {
    const LONGEST: usize = 63;
    let id = format!("{namespace}.{name}");
    if id.len() <= LONGEST {
        return id;
    }
    let digest = crate::digest(id.as_bytes());
    let kept: String = id.chars().take(LONGEST - 9).collect();
    format!("{}-{}", kept.trim_end_matches(['.', '-']), digest.get(..8).unwrap_or_default())
}

/// A render and the clusters that it is for.
#[derive(Clone, Debug)]
pub struct Version<'p> {
    /// One of the groups with this render.
    pub group: &'p Group,
    /// The render.
    pub rendered: Arc<Rendered>,
    /// The clusters: places in [`Plan::targets`].
    pub targets: Vec<usize>,
}

impl Version<'_> {
    fn names(&self, plan: &Plan) -> Vec<String> {
        names(plan, &self.targets)
    }

    /// All objects that come to clusters: definitions, manifests and the hooks of installs and upgrades.
    fn objects(&self) -> Result<Vec<Object>, Error> {
        let mut text = self.rendered.release.manifest(true);
        for hook in &self.rendered.release.hooks {
            if hook.events.iter().any(|event| is_delivered(event.name())) {
                text.push_str("---\n");
                text.push_str(&hook.manifest);
                text.push('\n');
            }
        }
        read(&self.rendered.release, &text)
    }
}

fn read(release: &Release, text: &str) -> Result<Vec<Object>, Error> {
    let failed = |e: bowsprit_manifest::ObjectsError| {
        Error::new(&format!("release {}", release.options.name), e.to_string())
    };
    objects(text.as_bytes()).map_err(failed)
}

/// Whether hooks of an event are delivered where nothing runs.
fn is_delivered(event: &str) -> bool {
    matches!(event, "pre-install" | "post-install" | "pre-upgrade" | "post-upgrade")
}

fn is_hook(object: &Object) -> bool {
    object.annotations().contains_key("helm.sh/hook")
}

fn names(plan: &Plan, targets: &[usize]) -> Vec<String> {
    let targets = targets.iter().filter_map(|at| plan.targets.get(*at));
    targets.map(|target| target.name.clone()).collect()
}

/// One release in one API server.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Consignment<'p> {
    /// The release's name in the fleet file.
    pub release: String,
    /// The kubeconfig's context.
    pub context: String,
    /// The place of the first ring that it serves; behind all rings where it serves none.
    pub ring: usize,
    /// The clusters that it serves: places in [`Plan::targets`].
    pub targets: Vec<usize>,
    /// One of the groups whose values are behind it.
    pub group: &'p Group,
    /// The render: chart, hooks, notes, definitions.
    pub rendered: Arc<Rendered>,
    /// The text of all other objects, placement objects included.
    pub manifest: Arc<str>,
    /// What KubeStellar fills in for each cluster.
    pub properties: BTreeMap<String, BTreeMap<String, String>>,
    /// The placement objects, as `KIND NAME`.
    pub policies: Vec<String>,
    /// Why the release is delivered so; empty where there is nothing to say.
    pub why: String,
    /// What the reader should know.
    pub warnings: Vec<String>,
}

impl Consignment<'_> {
    /// The release's name there.
    pub fn name(&self) -> &str {
        &self.rendered.release.options.name
    }

    /// The release's namespace.
    pub fn namespace(&self) -> &str {
        &self.rendered.release.options.namespace
    }

    /// The names of the clusters that it serves.
    pub fn clusters(&self, plan: &Plan) -> Vec<String> {
        names(plan, &self.targets)
    }
}

/// What a release's versions need to get to their clusters.
///
/// # Errors
///
/// Gives the reasons where the fleet file's delivery can't do it.
pub fn consign<'p>(
    file: &FleetFile,
    plan: &'p Plan,
    release: &'p ReleasePlan,
    versions: &[Version<'p>],
) -> Result<Vec<Consignment<'p>>, Error> {
    match &file.delivery {
        Delivery::Files => {
            let error = Error::new(&file.name, "the fleet's delivery is files");
            Err(error.hint("`delivery` of the fleet file says how objects reach clusters: kubestellar, karmada or clusters"))
        }
        Delivery::Direct { context } => direct(file, plan, release, versions, context),
        Delivery::Karmada { context } => {
            karmada::consign(file, plan, release, versions, context).map(|one| vec![one])
        }
        Delivery::KubeStellar { spaces, .. } => {
            kubestellar::consign(file, plan, release, versions, spaces)
        }
    }
}

fn direct<'p>(
    file: &FleetFile,
    plan: &'p Plan,
    release: &ReleasePlan,
    versions: &[Version<'p>],
    context: &str,
) -> Result<Vec<Consignment<'p>>, Error> {
    let mut all = Vec::new();
    for version in versions {
        let manifest: Arc<str> = version.rendered.release.manifest(false).into();
        for at in &version.targets {
            let Some(target) = plan.targets.get(*at) else { continue };
            let context = target.expand(context).map_err(|key| {
                let message = format!("cluster {:?} has no label {key:?}", target.name);
                Error::new(&file.name, format!("delivery.clusters.context: {message}"))
            })?;
            all.push(Consignment {
                release: release.spec.name.clone(),
                context,
                ring: ring_place(file, plan, &[*at]),
                targets: vec![*at],
                group: version.group,
                rendered: Arc::clone(&version.rendered),
                manifest: Arc::clone(&manifest),
                properties: BTreeMap::new(),
                policies: Vec::new(),
                why: String::new(),
                warnings: Vec::new(),
            });
        }
    }
    Ok(all)
}

/// The place of the first ring of some clusters.
fn ring_place(file: &FleetFile, plan: &Plan, targets: &[usize]) -> usize {
    let place = |at: &usize| {
        let ring = ring_of(file, plan.targets.get(*at)?)?;
        file.rings.iter().position(|known| known.name == ring)
    };
    targets.iter().filter_map(place).min().unwrap_or(file.rings.len())
}

/// A text with further objects behind it.
fn with_objects(mut text: String, source: &str, more: &[Value]) -> String {
    for object in more {
        text.push_str("---\n# Source: ");
        text.push_str(source);
        text.push('\n');
        text.push_str(&bowsprit_placement::to_yaml(object));
    }
    text
}

/// The kinds and names of placement objects.
fn told(policies: &[Value]) -> Vec<String> {
    policies.iter().map(|policy| bowsprit_manifest::Identity::of(policy).to_string()).collect()
}

/// A part of an object's name.
fn slug(text: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    text.chars().map(safe).collect::<String>().trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_values_of_labels() {
        assert_eq!(release_id("shop", "web"), "shop.web");
        let long = release_id(&"n".repeat(40), &"r".repeat(40));
        assert_eq!(long.len(), 63);
        assert_ne!(long, release_id(&"n".repeat(40), &"r".repeat(41)));
    }
}
