//! The HelmRelease: what it says, and what follows from it alone.

use crate::access::{flag, list, map, map_at, maps, some_text, strings, text};
use crate::inventory::ObjectRef;
use bowsprit_value::{Map, Meter, Value};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Longest name of a release that Helm takes.
const MAX_NAME: usize = 53;
/// Characters of the hash that a shortened name ends with.
const HASH: usize = 12;

/// A HelmRelease, in the form of `helm.toolkit.fluxcd.io/v2`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HelmRelease {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// Where the chart comes from.
    pub chart: ChartSource,
    /// `spec.releaseName`.
    pub release_name: Option<String>,
    /// `spec.targetNamespace`.
    pub target_namespace: Option<String>,
    /// `spec.storageNamespace`.
    pub storage_namespace: Option<String>,
    /// `spec.values`.
    pub values: Map,
    /// `spec.valuesFrom`.
    pub values_from: Vec<ValuesReference>,
    /// `spec.commonMetadata`.
    pub common_metadata: Option<CommonMetadata>,
    /// `spec.postRenderers`.
    pub post_renderers: Vec<Kustomize>,
    /// `spec.postRenderStrategy`.
    pub post_render_strategy: PostRenderStrategy,
    /// `spec.install`.
    pub install: Action,
    /// `spec.upgrade`.
    pub upgrade: Action,
    /// `spec.dependsOn`.
    pub depends_on: Vec<ObjectRef>,
    /// Those of them whose readiness an expression decides, by `readyExpr`.
    pub ready_expressions: Vec<(ObjectRef, String)>,
    /// `spec.suspend`: Flux leaves it alone.
    pub suspend: bool,
    /// The object that it was read from.
    pub object: Map,
}

/// Where a HelmRelease's chart comes from.
#[derive(Clone, Debug)]
pub enum ChartSource {
    /// `spec.chart`: a HelmChart is made of it.
    Template(ChartTemplate),
    /// `spec.chartRef`.
    Reference(ObjectRef),
    /// Neither, or both; Flux refuses it.
    Invalid,
}

/// `spec.chart.spec`, and the `spec` of a HelmChart.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ChartTemplate {
    /// The chart's name, or its path in a GitRepository or Bucket.
    pub chart: String,
    /// A version, or a range of versions.
    pub version: String,
    /// The repository.
    pub source: ObjectRef,
    /// Files of the chart that take the place of its `values.yaml`, one over the other.
    pub values_files: Vec<String>,
    /// Files that are not there are no error.
    pub ignore_missing_values_files: bool,
    /// `Revision`: the version also says which revision of the source it is.
    pub by_revision: bool,
    /// `metadata.generation` of the HelmChart.
    pub generation: u64,
}

/// One entry of `spec.valuesFrom`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ValuesReference {
    /// `ConfigMap` or `Secret`.
    pub kind: String,
    /// The object's name.
    pub name: String,
    /// The key in it.
    pub key: String,
    /// Where the value goes; without it the value is a whole table.
    pub target_path: String,
    /// Whether it may be missing.
    pub optional: bool,
    /// Whether the value is a string as it is.
    pub literal: bool,
}

/// `spec.commonMetadata`.
#[derive(Clone, Debug, Default)]
pub struct CommonMetadata {
    /// Labels of all objects.
    pub labels: Option<BTreeMap<String, String>>,
    /// Annotations of all objects.
    pub annotations: Option<BTreeMap<String, String>>,
}

/// A post-renderer.
#[derive(Clone, Debug, Default)]
pub struct Kustomize {
    /// Patches.
    pub patches: Vec<Patch>,
    /// New names, tags and digests of images.
    pub images: Vec<Image>,
}

/// A patch of a post-renderer, or of a Kustomization.
#[derive(Clone, Debug, Default)]
pub struct Patch {
    /// A strategic merge patch or a JSON patch, as YAML.
    pub patch: String,
    /// The objects to patch.
    pub target: Option<Target>,
}

/// The objects that a patch is for; all that is not empty must fit.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// A regular expression for the group.
    pub group: String,
    /// A regular expression for the version.
    pub version: String,
    /// A regular expression for the kind.
    pub kind: String,
    /// A regular expression for the name.
    pub name: String,
    /// A regular expression for the namespace.
    pub namespace: String,
    /// A selector of labels.
    pub label_selector: String,
    /// A selector of annotations.
    pub annotation_selector: String,
}

/// What an image becomes.
#[derive(Clone, Debug, Default)]
pub struct Image {
    /// The image's name, without tag.
    pub name: String,
    /// Its new name.
    pub new_name: String,
    /// Its new tag.
    pub new_tag: String,
    /// Its digest, instead of a tag.
    pub digest: String,
}

/// How hooks are post-rendered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PostRenderStrategy {
    /// Together with all else.
    #[default]
    Combined,
    /// On their own.
    Separate,
    /// Not at all.
    NoHooks,
}

/// What is done with the chart's custom resource definitions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CrdsPolicy {
    /// Nothing.
    Skip,
    /// Those that are missing are created.
    #[default]
    Create,
    /// They are created or replaced.
    CreateReplace,
}

/// `spec.install` or `spec.upgrade`, as far as it changes what is installed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Action {
    /// `crds`; an error where there is no such policy.
    pub crds: Result<CrdsPolicy, String>,
    /// `createNamespace`.
    pub create_namespace: bool,
    /// `disableHooks`.
    pub disable_hooks: bool,
    /// `disableSchemaValidation`.
    pub disable_schema_validation: bool,
    /// `preserveValues`, of upgrades.
    pub preserve_values: bool,
}

impl HelmRelease {
    /// Reads an object whose namespace is filled in.
    pub(crate) fn of(object: &Map) -> HelmRelease {
        let metadata = map_at(object, &["metadata"]);
        let spec = map_at(object, &["spec"]);
        let namespace = text(&metadata, "namespace");
        HelmRelease {
            name: text(&metadata, "name"),
            chart: chart_source(&spec, &namespace),
            release_name: some_text(&spec, "releaseName"),
            target_namespace: some_text(&spec, "targetNamespace"),
            storage_namespace: some_text(&spec, "storageNamespace"),
            values: map(&spec, "values").unwrap_or_default(),
            values_from: maps(&spec, "valuesFrom").iter().map(values_reference).collect(),
            common_metadata: map(&spec, "commonMetadata").map(|common| CommonMetadata {
                labels: strings(&common, "labels"),
                annotations: strings(&common, "annotations"),
            }),
            post_renderers: maps(&spec, "postRenderers")
                .iter()
                .filter_map(|renderer| Some(kustomize(&map(renderer, "kustomize")?)))
                .collect(),
            post_render_strategy: match text(&spec, "postRenderStrategy").as_str() {
                "nohooks" => PostRenderStrategy::NoHooks,
                "separate" => PostRenderStrategy::Separate,
                _ => PostRenderStrategy::Combined,
            },
            install: action(&map_at(&spec, &["install"])),
            upgrade: action(&map_at(&spec, &["upgrade"])),
            depends_on: maps(&spec, "dependsOn")
                .iter()
                .map(|reference| ObjectRef::of(reference, "HelmRelease", &namespace))
                .collect(),
            ready_expressions: maps(&spec, "dependsOn")
                .iter()
                .filter_map(|reference| {
                    let expression = some_text(reference, "readyExpr")?;
                    Some((ObjectRef::of(reference, "HelmRelease", &namespace), expression))
                })
                .collect(),
            suspend: flag(&spec, "suspend"),
            namespace,
            object: object.clone(),
        }
    }

    /// The release's name before it is shortened, as conditions name it.
    pub fn full_release_name(&self) -> String {
        match (&self.release_name, &self.target_namespace) {
            (Some(name), _) => name.clone(),
            (None, Some(namespace)) => format!("{namespace}-{}", self.name),
            (None, None) => self.name.clone(),
        }
    }

    /// The release's name. Where it would be too long for Helm it ends with a hash.
    pub fn helm_release_name(&self) -> String {
        shorten(&self.full_release_name())
    }

    /// The namespace of the release: `.Release.Namespace`.
    pub fn release_namespace(&self) -> &str {
        self.target_namespace.as_deref().unwrap_or(&self.namespace)
    }

    /// The namespace that Helm's record of the release is kept in.
    pub fn helm_storage_namespace(&self) -> &str {
        self.storage_namespace.as_deref().unwrap_or(&self.namespace)
    }
}

/// Names above 53 bytes: the first 40, `-`, and 12 digits of the whole name's SHA-256.
fn shorten(name: &str) -> String {
    if name.len() <= MAX_NAME {
        return name.to_owned();
    }
    let mut short = name.get(..MAX_NAME - HASH - 1).unwrap_or_default().to_owned();
    short.push('-');
    for byte in Sha256::digest(name.as_bytes()).iter().take(HASH / 2) {
        let _ = write!(short, "{byte:02x}");
    }
    short
}

fn chart_source(spec: &Map, namespace: &str) -> ChartSource {
    match (map(spec, "chart"), map(spec, "chartRef")) {
        (Some(chart), None) => {
            let spec = map_at(&chart, &["spec"]);
            ChartSource::Template(chart_template(&spec, namespace))
        }
        (None, Some(reference)) => {
            ChartSource::Reference(ObjectRef::of(&reference, "HelmChart", namespace))
        }
        _ => ChartSource::Invalid,
    }
}

/// Reads `spec.chart.spec`, or the `spec` of a HelmChart.
pub(crate) fn chart_template(spec: &Map, namespace: &str) -> ChartTemplate {
    let source = map_at(spec, &["sourceRef"]);
    ChartTemplate {
        chart: text(spec, "chart"),
        version: some_text(spec, "version").unwrap_or_else(|| "*".to_owned()),
        source: ObjectRef::of(&source, "HelmRepository", namespace),
        values_files: crate::access::texts(spec, "valuesFiles"),
        ignore_missing_values_files: flag(spec, "ignoreMissingValuesFiles"),
        by_revision: text(spec, "reconcileStrategy") == "Revision",
        generation: 1,
    }
}

fn values_reference(map: &Map) -> ValuesReference {
    ValuesReference {
        kind: text(map, "kind"),
        name: text(map, "name"),
        key: some_text(map, "valuesKey").unwrap_or_else(|| "values.yaml".to_owned()),
        target_path: text(map, "targetPath"),
        optional: flag(map, "optional"),
        literal: flag(map, "literal"),
    }
}

/// Reads `patches` and `images`; also those of a Kustomization.
pub(crate) fn kustomize(map: &Map) -> Kustomize {
    let mut patches: Vec<Patch> = maps(map, "patches").iter().map(patch).collect();
    // The betas had two more lists.
    patches.extend(
        list(map, "patchesStrategicMerge")
            .iter()
            .map(|patch| Patch { patch: as_text(patch), target: None }),
    );
    patches.extend(maps(map, "patchesJson6902").iter().map(|entry| Patch {
        patch: entry.get(b"patch").as_ref().map(as_text).unwrap_or_default(),
        target: self::map(entry, "target").as_ref().map(target),
    }));
    Kustomize { patches, images: maps(map, "images").iter().map(image).collect() }
}

fn patch(map: &Map) -> Patch {
    Patch { patch: text(map, "patch"), target: self::map(map, "target").as_ref().map(target) }
}

fn target(map: &Map) -> Target {
    Target {
        group: text(map, "group"),
        version: text(map, "version"),
        kind: text(map, "kind"),
        name: text(map, "name"),
        namespace: text(map, "namespace"),
        label_selector: text(map, "labelSelector"),
        annotation_selector: text(map, "annotationSelector"),
    }
}

fn image(map: &Map) -> Image {
    Image {
        name: text(map, "name"),
        new_name: text(map, "newName"),
        new_tag: text(map, "newTag"),
        digest: text(map, "digest"),
    }
}

/// A patch that is written as YAML instead of as a text.
fn as_text(value: &Value) -> String {
    if let Value::Str(text) = value {
        return text.to_string();
    }
    let mut out = Vec::new();
    match bowsprit_yaml::encode(value, &mut out, &Meter::default()) {
        Ok(()) => crate::access::lossy(&out).into_owned(),
        Err(_) => String::new(),
    }
}

fn action(map: &Map) -> Action {
    Action {
        crds: match text(map, "crds").as_str() {
            "" | "Create" => Ok(CrdsPolicy::Create),
            "Skip" => Ok(CrdsPolicy::Skip),
            "CreateReplace" => Ok(CrdsPolicy::CreateReplace),
            other => Err(other.to_owned()),
        },
        create_namespace: flag(map, "createNamespace"),
        disable_hooks: flag(map, "disableHooks"),
        disable_schema_validation: flag(map, "disableSchemaValidation"),
        preserve_values: flag(map, "preserveValues"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_end_with_a_hash() {
        let long = "baskets-of-all-customers-a-rather-long-name-for-a-cache";
        assert_eq!(shorten(long), "baskets-of-all-customers-a-rather-long-n-5263236608c2");
        let fits = "x".repeat(53);
        assert_eq!(shorten(&fits), fits);
    }
}
