//! The fleet file, `bowsprit.yaml`.
//!
//! Its JSON schema is [`SCHEMA`]; a test holds both to the same fields.

mod fields;
mod read;

pub(crate) use fields::{Fields, Source, similar};

use crate::error::Error;
use bowsprit_manifest::LabelSelector;
use bowsprit_value::Map;

/// The JSON schema of the fleet file.
pub const SCHEMA: &str = include_str!("schema.json");

/// The API version of the fleet file.
pub const API_VERSION: &str = "bowsprit.dev/v1alpha1";

/// A fleet as its file describes it: releases, the clusters they are for, and how they get there.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct FleetFile {
    /// The fleet's name.
    pub name: String,
    /// Where the clusters are listed; their lists are joined.
    pub targets: Vec<TargetSource>,
    /// Rings, the first one to be served first.
    pub rings: Vec<Ring>,
    /// What clusters offer; the first entry that matches counts.
    pub capabilities: Vec<CapabilityRule>,
    /// What is to run.
    pub releases: Vec<ReleaseSpec>,
    /// How objects reach the clusters.
    pub delivery: Delivery,
}

/// Where clusters are listed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TargetSource {
    /// In the fleet file itself.
    Inline(Vec<crate::Target>),
    /// In a file: a list as in the fleet file, or ManagedCluster or Cluster objects.
    File(String),
    /// As ManagedCluster objects in KubeStellar's inventory space, which this kubeconfig context names.
    KubeStellar(String),
    /// As Cluster objects of Karmada, whose control plane this kubeconfig context names.
    Karmada(String),
}

/// A ring: clusters that get a version at the same time.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ring {
    /// Its name.
    pub name: String,
    /// Its clusters. A cluster belongs to the first ring that matches.
    pub selector: LabelSelector,
    /// What must hold before a release leaves this ring for the next.
    pub gate: Gate,
}

/// What must hold before a release leaves a ring.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Gate {
    /// How long the version must have been in the ring, in seconds.
    pub soak_seconds: u64,
    /// A CEL expression that must be true.
    pub expression: Option<String>,
}

/// What the clusters that match offer to charts.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CapabilityRule {
    /// The clusters.
    pub selector: LabelSelector,
    /// The version of Kubernetes.
    pub kube_version: Option<String>,
    /// API versions beside those that Helm assumes.
    pub api_versions: Vec<String>,
    /// The path of a recorded snapshot; may hold placeholders.
    pub snapshot: Option<String>,
    /// The line in the fleet file.
    pub line: usize,
}

/// A release and the clusters it is for.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ReleaseSpec {
    /// The release's name.
    pub name: String,
    /// The namespace.
    pub namespace: String,
    /// What it is called on the clusters, where that is not its name; may hold placeholders.
    pub release_name: Option<String>,
    /// A path, a URL, `repo/name` or `oci://…`; a name alone where `repository` is given.
    pub chart: String,
    /// The URL of a repository that has the chart.
    pub repository: Option<String>,
    /// The version or range; none is the newest.
    pub version: Option<String>,
    /// Versions of single rings, which go over `version`.
    pub versions: Vec<(String, String)>,
    /// The clusters.
    pub selector: LabelSelector,
    /// The rings that have the release; all clusters where none is named.
    pub rings: Vec<String>,
    /// Layers of values, later ones over earlier ones.
    pub values: Vec<Layer>,
    /// Labels for all objects, beside those that deliveries other than files put on them.
    pub labels: Vec<(String, String)>,
    /// Makes charts with random values give the same in each run.
    pub seed: Option<u64>,
    /// Whether custom resource definitions below `crds/` are part of it.
    pub include_crds: bool,
    /// The line of the release in its file.
    pub line: usize,
}

/// A layer of values and the clusters that it is for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Layer {
    /// The clusters.
    pub selector: LabelSelector,
    /// The values.
    pub content: LayerContent,
    /// The line in the fleet file.
    pub line: usize,
}

/// The values of a layer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum LayerContent {
    /// A file; its path may hold placeholders.
    File {
        /// The path, from the fleet file's folder.
        path: String,
        /// Left out where there is no such file, or no such label for the path.
        optional: bool,
    },
    /// A file that `sops` decrypts; its path may hold placeholders.
    Sops {
        /// The path, from the fleet file's folder.
        path: String,
        /// Left out where there is no such file, or no such label for the path.
        optional: bool,
    },
    /// Values in the fleet file.
    Values(Map),
    /// Arguments as those of `--set`; they may hold placeholders.
    Set(Vec<String>),
}

/// How objects reach the clusters.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Delivery {
    /// As files only.
    #[default]
    Files,
    /// Through KubeStellar.
    KubeStellar {
        /// The contexts of the workload description spaces that may be used.
        spaces: Vec<String>,
        /// The context of the inventory and transport space.
        inventory: Option<String>,
    },
    /// Through Karmada.
    Karmada {
        /// The context of Karmada's API server.
        context: String,
    },
    /// To each cluster itself.
    Direct {
        /// The clusters' contexts; `${name}` stands for the cluster's name.
        context: String,
    },
}

impl FleetFile {
    /// Reads a fleet file. `name` is what errors call it.
    ///
    /// ```
    /// use bowsprit_fleet::FleetFile;
    ///
    /// let text = b"apiVersion: bowsprit.dev/v1alpha1\nkind: Fleet\nname: shop\n\
    ///     releases:\n- {name: web, namespace: web, chart: ./web, vlaues: []}\n";
    /// let error = FleetFile::parse("bowsprit.yaml", text).unwrap_err();
    /// assert_eq!(
    ///     format!("{error:#}"),
    ///     "bowsprit.yaml:5: releases[0].vlaues: unknown field\n  did you mean \"values\"?"
    /// );
    /// ```
    ///
    /// # Errors
    ///
    /// Fails at the first field that is unknown, of the wrong type or contradicts another, with its line.
    pub fn parse(name: &str, text: &[u8]) -> Result<FleetFile, Error> {
        read::read(name, text)
    }

    /// The release of a name.
    ///
    /// # Errors
    ///
    /// Fails where there is none, and names those that are there.
    pub fn release(&self, name: &str) -> Result<&ReleaseSpec, Error> {
        self.releases.iter().find(|release| release.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.releases.iter().map(|r| r.name.as_str()).collect();
            let error = Error::new(&self.name, format!("no release is called {name:?}"));
            match similar(name, &names) {
                Some(near) => error.hint(format!("did you mean {near:?}?")),
                None => error.hint(format!("releases: {}", names.join(", "))),
            }
        })
    }

    /// The ring of a name.
    ///
    /// # Errors
    ///
    /// Fails where there is none, and names those that are there.
    pub fn ring(&self, name: &str) -> Result<&Ring, Error> {
        self.rings.iter().find(|ring| ring.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.rings.iter().map(|r| r.name.as_str()).collect();
            let error = Error::new(&self.name, format!("no ring is called {name:?}"));
            match names.is_empty() {
                true => error.hint("the fleet file lists no rings"),
                false => error.hint(format!("rings, in order: {}", names.join(", "))),
            }
        })
    }
}
