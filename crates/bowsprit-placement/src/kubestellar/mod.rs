//! KubeStellar: BindingPolicies.
//!
//! What is said here of KubeStellar was read in the sources of its release 0.30.
//!
//! ```
//! use bowsprit_manifest::objects;
//! use bowsprit_placement::kubestellar::{Request, Workload, binding_policy};
//!
//! let text = b"apiVersion: v1\nkind: Secret\nmetadata: {name: a, labels: {team: x}}\n";
//! let all = objects(text)?;
//! let workloads: Vec<Workload> =
//!     all.iter().map(|object| Workload { object, hook: false }).collect();
//! let clusters = vec!["environment=staging".parse()?];
//! let select = [("team".to_owned(), "x".to_owned())].into();
//! let placed = binding_policy(&Request::new("web", "prod", &workloads, clusters, select))?;
//! assert!(placed.policy.selects(&all[0], &Default::default()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod policy;
mod templates;
#[cfg(test)]
mod tests;
mod warnings;

pub use policy::{BindingPolicy, Clause};
pub use templates::{EXPAND_TEMPLATES, expandable, template_texts};
pub use warnings::{MAX_OBJECT, Warning, WarningKind, is_delivered};

use crate::kinds::Kinds;
use bowsprit_manifest::{Identity, LabelSelector, Labels, Object};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// An object to place.
#[derive(Clone, Copy, Debug)]
pub struct Workload<'o> {
    /// The object.
    pub object: &'o Object,
    /// Whether it is a hook, which is created once and never updated.
    pub hook: bool,
}

/// What is to be placed, and where.
#[derive(Clone, Debug)]
pub struct Request<'r> {
    /// The policy's name.
    pub name: &'r str,
    /// The release's namespace.
    pub namespace: &'r str,
    /// All objects of the release, its Namespace included.
    pub objects: &'r [Workload<'r>],
    /// A cluster gets the release if one of these matches its labels.
    pub clusters: Vec<LabelSelector>,
    /// The labels that tell the release's objects apart.
    pub select: Labels,
    /// What is known of kinds.
    pub kinds: Kinds,
    /// Lists the resources in the clause instead of leaving the list out, which means all.
    pub list_resources: bool,
    /// The StatusCollectors that report on the objects.
    pub status_collectors: Vec<String>,
}

impl<'r> Request<'r> {
    /// A request with everything else as it is by default.
    pub fn new(
        name: &'r str,
        namespace: &'r str,
        objects: &'r [Workload<'r>],
        clusters: Vec<LabelSelector>,
        select: Labels,
    ) -> Self {
        let kinds = Kinds::default().with_definitions(objects.iter().map(|w| w.object));
        Request {
            name,
            namespace,
            objects,
            clusters,
            select,
            kinds,
            list_resources: false,
            status_collectors: Vec::new(),
        }
    }
}

/// Why nothing is placed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// There are no objects.
    NoObjects,
    /// No cluster is selected.
    NoClusters,
    /// There are no labels to select by.
    NoLabels,
    /// The policy would not select these objects, which lack its labels.
    Unselected {
        /// The objects.
        objects: Vec<Identity>,
        /// The labels, as kubectl writes them.
        select: String,
    },
    /// The resources can't be listed, for the plural of this kind is not known.
    UnknownPlural(Identity),
    /// The object asks for the expansion of templates, but has text in double braces that is no reference
    /// to a property of the cluster. Holds the path to the text.
    TemplateText(Identity, String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NoObjects => f.write_str("there are no objects to place"),
            Error::NoClusters => f.write_str("no cluster is selected"),
            Error::NoLabels => f.write_str("there are no labels to select the objects by"),
            Error::Unselected { objects, select } => {
                write!(f, "objects would not be delivered, for they are not matched by {select}:")?;
                objects.iter().try_for_each(|object| write!(f, "\n  {object}"))
            }
            Error::UnknownPlural(object) => write!(
                f,
                "{object}: the plural by which the API server knows this kind is not known, so that \
                 resources can't be listed"
            ),
            Error::TemplateText(object, path) => write!(
                f,
                "{object}: is annotated with {EXPAND_TEMPLATES}, but {path} contains {{{{ of its own, which \
                 KubeStellar would take for a template"
            ),
        }
    }
}

impl std::error::Error for Error {}

/// A policy with what is to be said of it.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The policy.
    pub policy: BindingPolicy,
    /// What KubeStellar does to objects.
    pub warnings: Vec<Warning>,
}

/// Writes the BindingPolicy that brings a release to clusters.
///
/// Its first clause selects all objects by their labels; Jobs and hooks come under further ones that create
/// without ever updating, because a Job can't be changed. That all objects are selected is checked.
///
/// # Errors
///
/// Fails where an object would not be selected, and where there is nothing to select or no cluster.
pub fn binding_policy(request: &Request<'_>) -> Result<Placed, Error> {
    if request.objects.is_empty() {
        return Err(Error::NoObjects);
    }
    if request.clusters.is_empty() || request.clusters.iter().any(LabelSelector::is_empty) {
        return Err(Error::NoClusters);
    }
    if request.select.is_empty() {
        return Err(Error::NoLabels);
    }
    for workload in request.objects {
        expandable(workload.object)?;
    }
    let mut warnings = Vec::new();
    let policy = BindingPolicy {
        name: request.name.to_owned(),
        clusters: request.clusters.clone(),
        clauses: clauses(request, &mut warnings)?,
    };
    let missing =
        request.objects.iter().map(|w| w.object).filter(|o| !policy.selects(o, &request.kinds));
    let missing: Vec<Identity> = missing.map(|object| object.identity.clone()).collect();
    if !missing.is_empty() {
        let select = LabelSelector::of_labels(request.select.clone()).to_string();
        return Err(Error::Unselected { objects: missing, select });
    }
    for workload in request.objects {
        warnings.extend(warnings::of(workload.object));
    }
    Ok(Placed { policy, warnings })
}

fn clauses(request: &Request<'_>, warnings: &mut Vec<Warning>) -> Result<Vec<Clause>, Error> {
    let base = Clause {
        select: request.select.clone(),
        status_collectors: request.status_collectors.clone(),
        ..Clause::default()
    };
    let mut all = base.clone();
    if request.list_resources {
        let mut resources = BTreeSet::new();
        for workload in request.objects {
            let identity = &workload.object.identity;
            let plural = request.kinds.plural(identity);
            let plural = plural.ok_or_else(|| Error::UnknownPlural(identity.clone()))?;
            resources.insert(plural.to_owned());
        }
        all.resources = resources.into_iter().collect();
    }
    let mut clauses = vec![all];
    let is_job = |o: &Object| o.identity.group() == "batch" && o.identity.kind == "Job";
    if request.objects.iter().any(|w| is_job(w.object)) {
        clauses.push(Clause {
            api_group: Some("batch".to_owned()),
            resources: vec!["jobs".to_owned()],
            create_only: true,
            ..base.clone()
        });
    }
    let mut hooks: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for workload in request.objects.iter().filter(|w| w.hook && !is_job(w.object)) {
        let identity = &workload.object.identity;
        match request.kinds.plural(identity) {
            Some(plural) => {
                let key = (identity.group().to_owned(), plural.to_owned());
                hooks.entry(key).or_default().insert(identity.name.clone());
            }
            None => {
                warnings.push(Warning { object: identity.clone(), kind: WarningKind::UpdatedHook })
            }
        }
    }
    clauses.extend(hooks.into_iter().map(|((group, plural), names)| Clause {
        api_group: Some(group),
        resources: vec![plural],
        object_names: names.into_iter().collect(),
        create_only: true,
        ..base.clone()
    }));
    Ok(clauses)
}
