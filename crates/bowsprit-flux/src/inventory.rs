//! The objects that are there: what a cluster would hold.

use crate::access::{map, map_at, maps, text};
use crate::release::HelmRelease;
use bowsprit_manifest::split;
use bowsprit_value::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;

/// Which object, by kind, namespace and name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// The kind.
    pub kind: String,
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
}

impl ObjectRef {
    /// A reference of its parts.
    pub fn new(
        kind: impl Into<String>,
        namespace: impl Into<String>,
        name: impl Into<String>,
    ) -> ObjectRef {
        ObjectRef { kind: kind.into(), namespace: namespace.into(), name: name.into() }
    }

    /// Reads a reference as Flux's objects have them; `kind` and `namespace` are what is left out.
    pub(crate) fn of(reference: &Map, kind: &str, namespace: &str) -> ObjectRef {
        let or = |key: &str, default: &str| match text(reference, key) {
            text if text.is_empty() => default.to_owned(),
            text => text,
        };
        ObjectRef {
            kind: or("kind", kind),
            namespace: or("namespace", namespace),
            name: text(reference, "name"),
        }
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
    }
}

/// A text that can't be read. `Display` names the text and says why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// What the caller calls the text.
    pub origin: String,
    /// Which of its documents, from 1.
    pub document: usize,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: document {}: {}", self.origin, self.document, self.message)
    }
}

impl std::error::Error for ReadError {}

/// Groups and kinds that Flux reads, with the version that is served today and the older ones.
const KINDS: &[(&str, &str, &[&str], &[&str])] = &[
    ("helm.toolkit.fluxcd.io", "v2", &["v2beta1", "v2beta2"], &["HelmRelease"]),
    (
        "source.toolkit.fluxcd.io",
        "v1",
        &["v1beta1", "v1beta2"],
        &[
            "Bucket",
            "ExternalArtifact",
            "GitRepository",
            "HelmChart",
            "HelmRepository",
            "OCIRepository",
        ],
    ),
    ("kustomize.toolkit.fluxcd.io", "v1", &["v1beta1", "v1beta2"], &["Kustomization"]),
];

/// Objects by kind, namespace and name. Of two with the same name the later one counts, as if both had
/// been applied.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    objects: BTreeMap<ObjectRef, Map>,
    /// The API versions of those that were converted.
    written_as: BTreeMap<ObjectRef, String>,
    default_namespace: String,
    warnings: Vec<String>,
}

impl Inventory {
    /// No objects yet. Those that name no namespace will be put into this one.
    pub fn new(default_namespace: impl Into<String>) -> Inventory {
        Inventory { default_namespace: default_namespace.into(), ..Inventory::default() }
    }

    /// Adds all objects of a text of several YAML documents, as kubectl reads it. Objects of kinds that
    /// mean nothing to Flux are kept too, and make no difference.
    ///
    /// # Errors
    ///
    /// For a document that is no YAML, or no object.
    pub fn read(&mut self, origin: &str, text: &[u8]) -> Result<(), ReadError> {
        for (index, document) in split(text).enumerate() {
            let fail = |message: String| ReadError {
                origin: origin.to_owned(),
                document: index + 1,
                message,
            };
            let value = bowsprit_yaml::decode(document).map_err(|e| fail(e.to_string()))?;
            let mut pending = vec![value];
            while let Some(value) = pending.pop() {
                match value {
                    Value::Nil => {}
                    Value::Map(object) if self::text(&object, "kind").ends_with("List") => {
                        pending.extend(maps(&object, "items").into_iter().rev().map(Value::Map));
                    }
                    Value::Map(object) => self.add(object),
                    other => return Err(fail(format!("not an object but {}", other.type_name()))),
                }
            }
        }
        Ok(())
    }

    /// Adds an object.
    pub fn add(&mut self, object: Map) {
        let kind = own_kind(&object);
        let metadata = map_at(&object, &["metadata"]);
        let mut namespace = text(&metadata, "namespace");
        if namespace.is_empty() {
            namespace.clone_from(&self.default_namespace);
            metadata.insert("namespace".into(), Value::from(namespace.as_str()));
            object.insert("metadata".into(), metadata.clone().into());
        }
        let key = ObjectRef::new(kind, namespace, text(&metadata, "name"));
        let api_version = text(&object, "apiVersion");
        if let Some(warning) = modernize(&object, &key) {
            self.warnings.push(warning);
            self.written_as.insert(key.clone(), api_version);
        }
        self.objects.insert(key, object);
    }

    /// No objects yet, but what is known of those of another inventory.
    pub(crate) fn like(other: &Inventory) -> Inventory {
        Inventory {
            default_namespace: other.default_namespace.clone(),
            written_as: other.written_as.clone(),
            ..Inventory::default()
        }
    }

    /// Whether an object was written with this API version.
    pub(crate) fn was_written_as(&self, key: &ObjectRef, object: &Map, api_version: &str) -> bool {
        match self.written_as.get(key) {
            Some(written) => written == api_version,
            None => text(object, "apiVersion") == api_version,
        }
    }

    /// What is to be said of the objects: which were converted from older versions.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// An object.
    pub fn get(&self, key: &ObjectRef) -> Option<&Map> {
        self.objects.get(key)
    }

    /// All objects of a kind, by namespace and name.
    pub fn of_kind<'i>(&'i self, kind: &'i str) -> impl Iterator<Item = (&'i ObjectRef, &'i Map)> {
        self.objects.iter().filter(move |(key, _)| key.kind == kind)
    }

    /// All objects.
    pub fn iter(&self) -> impl Iterator<Item = (&ObjectRef, &Map)> {
        self.objects.iter()
    }

    /// The HelmReleases, each behind those that it depends on; otherwise by namespace and name. Those
    /// that depend on each other in a circle come last.
    pub fn helm_releases(&self) -> Vec<HelmRelease> {
        let mut waiting: Vec<HelmRelease> =
            self.of_kind("HelmRelease").map(|(_, object)| HelmRelease::of(object)).collect();
        let mut ordered: Vec<HelmRelease> = Vec::new();
        loop {
            let ready = waiting.iter().position(|release| {
                release
                    .depends_on
                    .iter()
                    .all(|dependency| !waiting.iter().any(|other| is(other, dependency)))
            });
            let Some(ready) = ready else { break };
            ordered.push(waiting.remove(ready));
        }
        ordered.append(&mut waiting);
        ordered
    }

    /// An entry of a ConfigMap or Secret: an error with Kubernetes' words where there is no such
    /// object, none where it has no such key.
    pub(crate) fn entry(&self, key: &ObjectRef, entry: &str) -> Result<Option<Vec<u8>>, String> {
        let object = self.get(key).ok_or_else(|| not_found(key))?;
        let Some(Value::Str(text)) = map_at(object, &["data"]).get(entry.as_bytes()) else {
            return Ok(plain_entry(object, key, entry));
        };
        if key.kind != "Secret" {
            return Ok(Some(text.as_bytes().to_vec()));
        }
        if let Some(plain) = plain_entry(object, key, entry) {
            return Ok(Some(plain));
        }
        Ok(Some(decode_base64(text.as_bytes())))
    }

    /// All entries of a ConfigMap or Secret, as text.
    pub(crate) fn entries(&self, key: &ObjectRef) -> Result<Vec<(String, String)>, String> {
        let object = self.get(key).ok_or_else(|| not_found(key))?;
        let mut entries = Vec::new();
        for field in ["data", "stringData"] {
            for (name, _) in map_at(object, &[field]).peek().iter() {
                let name = name.to_string();
                if let Some(value) = self.entry(key, &name)? {
                    entries.push((name, crate::access::lossy(&value).into_owned()));
                }
            }
        }
        Ok(entries)
    }
}

/// The kind, with the group where others than Flux have a kind of that name.
fn own_kind(object: &Map) -> String {
    let (kind, api_version) = (text(object, "kind"), text(object, "apiVersion"));
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    let foreign = KINDS.iter().any(|(g, _, _, kinds)| kinds.contains(&&*kind) && *g != group);
    if foreign { format!("{kind}.{group}") } else { kind }
}

fn is(release: &HelmRelease, key: &ObjectRef) -> bool {
    release.namespace == key.namespace && release.name == key.name
}

fn plain_entry(object: &Map, key: &ObjectRef, entry: &str) -> Option<Vec<u8>> {
    if key.kind != "Secret" {
        return None;
    }
    match map_at(object, &["stringData"]).get(entry.as_bytes()) {
        Some(Value::Str(text)) => Some(text.as_bytes().to_vec()),
        _ => None,
    }
}

/// What Kubernetes says of an object that is not there.
pub(crate) fn not_found(key: &ObjectRef) -> String {
    let resource = match key.kind.as_str() {
        "ConfigMap" => "configmaps".to_owned(),
        "Secret" => "secrets".to_owned(),
        "HelmRelease" => "helmreleases.helm.toolkit.fluxcd.io".to_owned(),
        "Kustomization" => "kustomizations.kustomize.toolkit.fluxcd.io".to_owned(),
        kind => {
            let kind = kind.to_lowercase();
            let plural = match kind.strip_suffix('y') {
                Some(stem) => format!("{stem}ies"),
                None => format!("{kind}s"),
            };
            format!("{plural}.source.toolkit.fluxcd.io")
        }
    };
    format!("{resource} \"{}\" not found", key.name)
}

/// Turns an object of an older version into one of today's, and says so.
fn modernize(object: &Map, key: &ObjectRef) -> Option<String> {
    let api_version = text(object, "apiVersion");
    let (group, version) = api_version.split_once('/')?;
    let (_, current, old, _) =
        KINDS.iter().find(|(g, _, _, kinds)| *g == group && kinds.contains(&key.kind.as_str()))?;
    if !old.contains(&version) {
        return None;
    }
    let today = format!("{group}/{current}");
    object.insert("apiVersion".into(), Value::from(today.as_str()));
    if key.kind == "HelmRelease" {
        modernize_release(object);
    }
    Some(format!("{key}: {api_version} is no longer served; read as {today}"))
}

/// The betas had `valuesFile` and, before there were policies, `skipCRDs`.
fn modernize_release(object: &Map) {
    let spec = map_at(object, &["spec"]);
    if let Some(chart) = map(&spec, "chart").and_then(|chart| map(&chart, "spec")) {
        let file = text(&chart, "valuesFile");
        if !file.is_empty() {
            let mut files = vec![Value::from(file)];
            files.extend(crate::access::list(&chart, "valuesFiles"));
            chart.insert("valuesFiles".into(), Value::list(files));
            chart.remove(b"valuesFile");
        }
    }
    for (action, flag) in [("install", "skipCRDs"), ("upgrade", "skipCRDs")] {
        let Some(action) = map(&spec, action) else { continue };
        if crate::access::flag(&action, flag) && text(&action, "crds").is_empty() {
            action.insert("crds".into(), Value::from("Skip"));
        }
        action.remove(flag.as_bytes());
    }
}

/// Standard base64; what is none is skipped, as the API server would not have let it in.
pub(crate) fn decode_base64(text: &[u8]) -> Vec<u8> {
    let digit = |b: u8| match b {
        b'A'..=b'Z' => Some(b - b'A'),
        b'a'..=b'z' => Some(b - b'a' + 26),
        b'0'..=b'9' => Some(b - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let (mut out, mut bits, mut count) = (Vec::new(), 0u32, 0u32);
    for digit in text.iter().filter_map(|b| digit(*b)) {
        bits = bits << 6 | u32::from(digit);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inventory(text: &str) -> Inventory {
        let mut inventory = Inventory::new("default");
        inventory.read("test", text.as_bytes()).unwrap();
        inventory
    }

    #[test]
    fn releases_follow_what_they_depend_on() {
        let release = |name: &str, on: &str| {
            format!(
                "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: {name}}}\nspec: {{dependsOn: [{on}]}}\n---\n"
            )
        };
        let text = release("a", "{name: c}")
            + &release("b", "")
            + &release("c", "{name: b}")
            + &release("d", "{name: e}")
            + &release("e", "{name: d}");
        let names: Vec<String> =
            inventory(&text).helm_releases().into_iter().map(|release| release.name).collect();
        assert_eq!(names, ["b", "c", "a", "d", "e"]);
    }

    #[test]
    fn secrets_are_decoded() {
        let inventory = inventory(
            "kind: Secret\nmetadata: {name: s}\ndata: {a: cyNjcjN0, b: YQ==}\nstringData: {b: plain}\n",
        );
        let key = ObjectRef::new("Secret", "default", "s");
        let entry = |name: &str| inventory.entry(&key, name).unwrap();
        assert_eq!(entry("a").unwrap(), b"s#cr3t");
        assert_eq!(entry("b").unwrap(), b"plain");
        assert_eq!(entry("c"), None);
        let missing = ObjectRef::new("ConfigMap", "default", "s");
        assert_eq!(inventory.entry(&missing, "a").unwrap_err(), "configmaps \"s\" not found");
    }

    #[test]
    fn older_versions_are_converted_with_a_warning() {
        let inventory = inventory(
            "apiVersion: helm.toolkit.fluxcd.io/v2beta1\nkind: HelmRelease\nmetadata: {name: a}\nspec: {install: {skipCRDs: true}, chart: {spec: {valuesFile: b.yaml, valuesFiles: [c.yaml]}}}",
        );
        assert_eq!(
            inventory.warnings(),
            [
                "HelmRelease default/a: helm.toolkit.fluxcd.io/v2beta1 is no longer served; read as helm.toolkit.fluxcd.io/v2"
            ]
        );
        let release = &inventory.helm_releases()[0];
        assert_eq!(release.install.crds, Ok(crate::release::CrdsPolicy::Skip));
        let crate::release::ChartSource::Template(chart) = &release.chart else { panic!() };
        assert_eq!(chart.values_files, ["b.yaml", "c.yaml"]);
    }
}
