//! Karmada: PropagationPolicies and OverridePolicies.
//!
//! What is said here of Karmada was read in the sources of its release 1.19.
//!
//! ```
//! use bowsprit_manifest::objects;
//! use bowsprit_placement::karmada::{Clusters, Request, policies};
//!
//! let all = objects(b"apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n")?;
//! let clusters = Clusters::Names(vec!["member1".to_owned()]);
//! let policies = policies(&Request::new("web", "prod", &all, clusters))?;
//! assert_eq!(policies.documents.len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod apply;
mod delivered;
mod difference;
mod image;
mod normal;
mod overriders;
mod patch;
mod placed;
mod policies;
mod read;
mod special;
#[cfg(test)]
mod tests;

pub use apply::ApplyError;
pub use delivered::{DeliveryError, Member, delivered};
pub use difference::difference;
pub use normal::normal;
pub use overriders::{
    ArgsOverrider, Component, FieldOverrider, ImageOverrider, LabelsOverrider, Operator,
    Overriders, Plaintext,
};
pub use patch::PatchError;
pub use policies::policies;

use crate::kinds::Kinds;
use bowsprit_manifest::{Identity, LabelSelector, Labels, Object};
use bowsprit_value::Value;
use std::fmt;

/// Which clusters are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clusters {
    /// Those of these names.
    Names(Vec<String>),
    /// Those with such labels; all if there is no condition.
    Labels(LabelSelector),
}

/// What happens to the replicas of a workload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Replicas {
    /// Every cluster gets all of them.
    #[default]
    Duplicated,
    /// They are divided by what the clusters have room for.
    Divided,
}

/// What happens to objects that a member cluster has already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConflictResolution {
    /// They stay, and the propagation fails.
    #[default]
    Abort,
    /// They are taken over.
    Overwrite,
}

/// A render for some of the clusters.
#[derive(Clone, Debug)]
pub struct Variant<'r> {
    /// The clusters, by name.
    pub clusters: Vec<String>,
    /// What they get instead of the base.
    pub objects: &'r [Object],
}

/// What is to be placed, and where.
#[derive(Clone, Debug)]
pub struct Request<'r> {
    /// The name of the policies, which further ones begin with.
    pub name: &'r str,
    /// The release's namespace.
    pub namespace: &'r str,
    /// The objects that clusters get unless they are in a variant.
    pub objects: &'r [Object],
    /// The clusters.
    pub clusters: Clusters,
    /// The renders of clusters that differ; no cluster is in two of them.
    pub variants: &'r [Variant<'r>],
    /// What is known of kinds.
    pub kinds: Kinds,
    /// What happens to replicas.
    pub replicas: Replicas,
    /// What happens to objects that are there.
    pub conflict_resolution: ConflictResolution,
    /// Whether ConfigMaps, Secrets and the like that pods refer to come along.
    pub propagate_deps: bool,
    /// Selects objects by kind and these labels instead of by their names.
    pub select: Option<Labels>,
}

impl<'r> Request<'r> {
    /// A request with everything else as it is by default.
    pub fn new(
        name: &'r str,
        namespace: &'r str,
        objects: &'r [Object],
        clusters: Clusters,
    ) -> Self {
        Request {
            name,
            namespace,
            objects,
            clusters,
            variants: &[],
            kinds: Kinds::default().with_definitions(objects),
            replicas: Replicas::default(),
            conflict_resolution: ConflictResolution::default(),
            propagate_deps: true,
            select: None,
        }
    }

    /// The same with variants, and with the kinds that they define.
    #[must_use]
    pub fn with_variants(mut self, variants: &'r [Variant<'r>]) -> Self {
        let objects = variants.iter().flat_map(|variant| variant.objects);
        self.kinds = self.kinds.with_definitions(objects);
        self.variants = variants;
        self
    }
}

/// The policies of a release.
#[derive(Clone, Debug, Default)]
pub struct Policies {
    /// ClusterOverridePolicies, OverridePolicies, ClusterPropagationPolicies and PropagationPolicies, in
    /// the order in which they are applied.
    pub documents: Vec<Value>,
    /// Objects that only some clusters get; they must be applied together with those of the base.
    pub extra: Vec<Object>,
    /// What the reader should know.
    pub warnings: Vec<Warning>,
}

/// What the reader should know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// Nothing says whether this kind has namespaces, so it is taken for one that has. Holds the kind and
    /// its group.
    UnknownKind(String),
    /// The object's `caBundle` is filled in within member clusters and reset by Karmada.
    CaBundle(Identity),
    /// Karmada brings the namespace to all clusters, whatever policies say.
    NamespaceEverywhere(Identity),
    /// Karmada never brings the namespace to clusters; they must have it.
    NamespaceNowhere(String),
    /// The object has no name of its own, and can't be selected.
    GeneratedName(Identity),
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::UnknownKind(kind) => write!(
                f,
                "{kind}: nothing here defines this kind, so it is taken for one that has namespaces"
            ),
            Warning::CaBundle(object) => write!(
                f,
                "{object}: Karmada resets a caBundle that is filled in within a member cluster, unless a \
                 ResourceInterpreterCustomization retains it"
            ),
            Warning::NamespaceEverywhere(object) => write!(
                f,
                "{object}: Karmada brings namespaces to all clusters, those that get nothing else included"
            ),
            Warning::NamespaceNowhere(name) => {
                write!(
                    f,
                    "Namespace {name}: Karmada keeps this one for itself, and delivers nothing in it"
                )
            }
            Warning::GeneratedName(object) => {
                write!(f, "{object}: has no name, only generateName, and can't be placed")
            }
        }
    }
}

/// Why nothing is placed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// There are no objects.
    NoObjects,
    /// No cluster is named.
    NoClusters,
    /// A variant is for a cluster that gets nothing.
    UnknownCluster(String),
    /// Two variants are for one cluster.
    TwoVariants(String),
    /// The labels that objects are selected by are missing on these.
    Unselected(Vec<Identity>),
    /// Objects can't be selected by labels where clusters get different ones.
    SelectByNames(Identity),
    /// The overriders for an object do not give what was rendered for a cluster: an error in this library.
    Unproven(Identity),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NoObjects => f.write_str("there are no objects to place"),
            Error::NoClusters => f.write_str("no cluster is named"),
            Error::UnknownCluster(name) => {
                write!(f, "there is an override for {name}, which is not among the clusters")
            }
            Error::TwoVariants(name) => write!(f, "there are two overrides for {name}"),
            Error::Unselected(objects) => {
                f.write_str("objects lack the labels that they are selected by:")?;
                objects.iter().try_for_each(|object| write!(f, "\n  {object}"))
            }
            Error::SelectByNames(object) => {
                write!(f, "objects can't be selected by labels, for not all clusters get {object}")
            }
            Error::Unproven(object) => {
                write!(
                    f,
                    "{object}: the computed overrides do not give what was rendered; this is a bug"
                )
            }
        }
    }
}

impl std::error::Error for Error {}
