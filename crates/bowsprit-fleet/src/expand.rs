//! KubeStellar's template expansion: one object in the space, other strings on each cluster.
//!
//! A workload description space holds one version of an object. Where a release's groups differ in
//! strings alone, KubeStellar can fill these in for each cluster: the object carries `{{.property}}` and
//! the annotation that asks for it, and the values lie in a ConfigMap named after the cluster in the
//! namespace `customization-properties` of the inventory space.
//!
//! Only strings that the API server takes unexpanded can be properties, so the places are few: data of
//! ConfigMaps, annotations, and images, arguments, commands and environment of containers.

use crate::error::Error;
use bowsprit_manifest::{Identity, Object, documents, objects};
use bowsprit_value::{Value, deep_equal};
use bowsprit_yaml::{Edits, Step};
use std::collections::BTreeMap;

/// The annotation that asks for the expansion.
pub const ANNOTATION: &str = "control.kubestellar.io/expand-templates";

/// The namespace of the ConfigMaps with the properties.
pub const NAMESPACE: &str = "customization-properties";

/// Texts of a release for clusters, as one text and what to fill in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Expansion {
    /// The objects, those that differ with `{{.property}}` in them.
    pub text: Vec<u8>,
    /// What each cluster fills in, by the cluster's name.
    pub properties: BTreeMap<String, BTreeMap<String, String>>,
    /// The objects that differ.
    pub objects: Vec<Identity>,
}

/// The clusters and the text of one group.
#[derive(Clone, Copy, Debug)]
pub struct Variant<'a> {
    /// The names of the clusters.
    pub clusters: &'a [&'a str],
    /// The objects.
    pub text: &'a [u8],
}

/// A place, its value in the base, and those in the other groups.
type Place = (Vec<Step>, Value, Vec<Value>);

/// A place that differs: in which object, where, and what it holds in each group.
struct Difference {
    object: usize,
    path: Vec<Step>,
    values: Vec<String>,
}

/// Makes one text of several that differ in strings alone.
///
/// # Errors
///
/// Gives every reason why the texts can't be joined, each a sentence; or the error of a text that can't be
/// read.
pub fn expand(
    release: &str,
    variants: &[Variant<'_>],
) -> Result<Result<Expansion, Vec<String>>, Error> {
    let failed = |e: bowsprit_manifest::ObjectsError| Error::new(release, e.to_string());
    let parsed: Vec<Vec<Object>> =
        variants.iter().map(|v| objects(v.text)).collect::<Result<_, _>>().map_err(failed)?;
    let Some((base, others)) = parsed.split_first() else { return Ok(Ok(Expansion::default())) };
    let mut reasons = Vec::new();
    let others: Vec<Vec<&Object>> =
        others.iter().filter_map(|other| matched(base, other, &mut reasons)).collect();
    let mut differences = Vec::new();
    if reasons.is_empty() {
        for (at, object) in base.iter().enumerate() {
            let same: Vec<&Value> =
                others.iter().filter_map(|other| other.get(at)).map(|o| &o.value).collect();
            compare(at, object, &same, &mut differences, &mut reasons);
        }
    }
    refuse_templates(base, &parsed, &differences, &mut reasons);
    if !reasons.is_empty() {
        return Ok(Err(reasons));
    }
    written(release, variants, base, differences).map(Ok)
}

/// The objects of another group in the base's order.
fn matched<'o>(
    base: &[Object],
    other: &'o [Object],
    reasons: &mut Vec<String>,
) -> Option<Vec<&'o Object>> {
    let find = |identity: &Identity| other.iter().find(|object| object.identity == *identity);
    let before = reasons.len();
    for object in other {
        if !base.iter().any(|known| known.identity == object.identity) {
            reasons.push(format!("only some clusters have {}", object.identity));
        }
    }
    let found: Vec<&Object> = base
        .iter()
        .filter_map(|object| {
            let found = find(&object.identity);
            if found.is_none() {
                reasons.push(format!("only some clusters have {}", object.identity));
            }
            found
        })
        .collect();
    (reasons.len() == before).then_some(found)
}

fn compare(
    at: usize,
    object: &Object,
    others: &[&Value],
    differences: &mut Vec<Difference>,
    reasons: &mut Vec<String>,
) {
    let mut pending = vec![(
        Vec::new(),
        object.value.clone(),
        others.iter().map(|v| (*v).clone()).collect::<Vec<Value>>(),
    )];
    while let Some((path, value, others)) = pending.pop() {
        if others.iter().all(|other| deep_equal(&value, other)) {
            continue;
        }
        if let Some(below) = below(&path, &value, &others) {
            pending.extend(below);
            continue;
        }
        let texts: Option<Vec<String>> = std::iter::once(&value)
            .chain(&others)
            .map(|value| value.as_str().and_then(|s| s.to_str().map(str::to_owned)))
            .collect();
        let place = shown(&path);
        match texts {
            Some(values) if may_hold_templates(&object.identity, &path) => {
                differences.push(Difference { object: at, path, values });
            }
            Some(_) => reasons.push(format!(
                "{}: the API server checks {place}, so it can't hold a template",
                object.identity
            )),
            None => reasons.push(format!("{}: {place} differs and is no string", object.identity)),
        }
    }
}

/// The parts of containers of the same shape in all groups.
fn below(path: &[Step], value: &Value, others: &[Value]) -> Option<Vec<Place>> {
    let step = |step: Step| {
        let mut path = path.to_vec();
        path.push(step);
        path
    };
    match value {
        Value::Map(map) => {
            let maps: Option<Vec<_>> = others.iter().map(Value::as_map).collect();
            let maps = maps?;
            let entries = map.peek();
            if maps.iter().any(|other| other.len() != entries.len()) {
                return None;
            }
            let parts = entries.iter().map(|(key, value)| {
                let others: Option<Vec<Value>> =
                    maps.iter().map(|m| m.get(key.as_bytes())).collect();
                Some((step(Step::Key(key.clone())), value.clone(), others?))
            });
            parts.collect()
        }
        Value::List(list) => {
            let lists: Option<Vec<_>> = others.iter().map(Value::as_list).collect();
            let lists = lists?;
            if lists.iter().any(|other| other.len() != list.len()) {
                return None;
            }
            let parts = list.iter().enumerate().map(|(at, value)| {
                let others: Option<Vec<Value>> = lists.iter().map(|l| l.get(at).cloned()).collect();
                Some((step(Step::Index(at)), value.clone(), others?))
            });
            parts.collect()
        }
        _ => None,
    }
}

fn shown(path: &[Step]) -> String {
    let mut out = String::new();
    for step in path {
        match step {
            Step::Key(key) if out.is_empty() => out.push_str(&key.to_string_lossy()),
            Step::Key(key) => out.push_str(&format!(".{key}")),
            Step::Index(at) => out.push_str(&format!("[{at}]")),
        }
    }
    out
}

/// Whether the API server takes any text at a place.
fn may_hold_templates(identity: &Identity, path: &[Step]) -> bool {
    let keys: Vec<&[u8]> = path
        .iter()
        .filter_map(|step| match step {
            Step::Key(key) => Some(key.as_bytes()),
            Step::Index(_) => None,
        })
        .collect();
    match keys.as_slice() {
        [b"data", _] => identity.api_version == "v1" && identity.kind == "ConfigMap",
        [.., b"metadata", b"annotations", _] => true,
        [.., b"containers" | b"initContainers", b"image" | b"args" | b"command"]
        | [.., b"containers" | b"initContainers", b"env", b"value"] => true,
        _ => false,
    }
}

/// An object that asks for expansion must hold no other templates.
fn refuse_templates(
    base: &[Object],
    groups: &[Vec<Object>],
    differences: &[Difference],
    reasons: &mut Vec<String>,
) {
    for (at, object) in base.iter().enumerate() {
        if !differences.iter().any(|difference| difference.object == at) {
            continue;
        }
        let all = groups.iter().flatten().filter(|other| other.identity == object.identity);
        if all.into_iter().any(|object| holds_braces(&object.value)) {
            reasons.push(format!(
                "{} holds `{{{{` itself, which KubeStellar would take for a template",
                object.identity
            ));
        }
    }
}

fn holds_braces(value: &Value) -> bool {
    let mut pending = vec![value.clone()];
    while let Some(value) = pending.pop() {
        match value {
            Value::Str(text) if text.as_bytes().windows(2).any(|w| w == b"{{") => return true,
            Value::Map(map) => pending.extend(map.peek().iter().map(|(_, value)| value.clone())),
            Value::List(list) => pending.extend(list.iter().cloned()),
            _ => {}
        }
    }
    false
}

fn written(
    release: &str,
    variants: &[Variant<'_>],
    base: &[Object],
    differences: Vec<Difference>,
) -> Result<Expansion, Error> {
    let mut expansion = Expansion::default();
    let mut names: BTreeMap<Vec<String>, String> = BTreeMap::new();
    let mut edits: BTreeMap<usize, Edits> = BTreeMap::new();
    for difference in differences {
        let Some(object) = base.get(difference.object) else { continue };
        let next = names.len() + 1;
        let name =
            names.entry(difference.values.clone()).or_insert_with(|| property(release, next));
        let edits = edits.entry(object.document.start).or_default();
        let at = |path: &[Step]| object.steps.iter().chain(path).cloned().collect::<Vec<Step>>();
        edits.set(at(&difference.path), format!("{{{{.{name}}}}}"));
        let annotation: [Step; 3] = ["metadata".into(), "annotations".into(), ANNOTATION.into()];
        edits.set(at(&annotation), "true");
        for (variant, value) in variants.iter().zip(&difference.values) {
            for cluster in variant.clusters {
                let properties = expansion.properties.entry((*cluster).to_owned()).or_default();
                properties.insert(name.clone(), value.clone());
            }
        }
        if !expansion.objects.contains(&object.identity) {
            expansion.objects.push(object.identity.clone());
        }
    }
    let text = variants.first().map_or(&[][..], |variant| variant.text);
    let mut copied = 0;
    for (range, document) in documents(text) {
        let Some(edits) = edits.get(&range.start) else { continue };
        let edited = edits.apply(document).map_err(|e| Error::new(release, e.to_string()))?;
        expansion.text.extend_from_slice(text.get(copied..range.start).unwrap_or_default());
        expansion.text.extend_from_slice(&edited);
        copied = range.end;
    }
    expansion.text.extend_from_slice(text.get(copied..).unwrap_or_default());
    Ok(expansion)
}

/// A name that Go takes for an identifier.
fn property(release: &str, number: usize) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    format!("p_{}_{number}", release.chars().map(safe).collect::<String>())
}

/// The ConfigMaps that hold the clusters' properties, as YAML documents.
pub fn property_maps(properties: &BTreeMap<String, BTreeMap<String, String>>) -> String {
    let mut out = String::new();
    for (cluster, properties) in properties {
        out.push_str(&format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {cluster}\n  namespace: {NAMESPACE}\ndata:\n"
        ));
        for (name, value) in properties {
            let value = serde_json::Value::from(value.as_str());
            out.push_str(&format!("  {name}: {value}\n"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "\
---
# Source: web
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2 # two
  template:
    spec:
      containers:
      - name: web
        image: eu.example/web:1
        env:
        - {name: REGION, value: eu}
---
apiVersion: v1
kind: Service
metadata: {name: web}
";

    fn both(other: &str) -> Result<Expansion, Vec<String>> {
        let variants = [
            Variant { clusters: &["a", "b"], text: BASE.as_bytes() },
            Variant { clusters: &["c"], text: other.as_bytes() },
        ];
        expand("web", &variants).unwrap()
    }

    #[test]
    fn strings_become_properties() {
        let other = BASE.replace("eu.example", "us.example").replace("value: eu", "value: us");
        let expansion = both(&other).unwrap();
        let text = String::from_utf8(expansion.text).unwrap();
        assert!(
            text.contains("image: \"{{.p_web_") || text.contains("image: '{{.p_web_"),
            "{text}"
        );
        assert!(text.contains("replicas: 2 # two") && text.contains(ANNOTATION), "{text}");
        assert_eq!(expansion.properties.len(), 3);
        let values =
            |cluster: &str| expansion.properties[cluster].values().cloned().collect::<Vec<_>>();
        assert_eq!(values("a"), values("b"));
        assert!(values("c").contains(&"us.example/web:1".to_owned()));
        assert!(property_maps(&expansion.properties).contains("name: c\n"));
    }

    #[test]
    fn what_cannot_be_expanded_is_said() {
        let reasons = both(&BASE.replace("replicas: 2", "replicas: 3")).unwrap_err();
        assert_eq!(reasons, ["Deployment web: spec.replicas differs and is no string"]);
        let reasons = both(&BASE.replace("- name: web", "- name: app")).unwrap_err();
        assert!(reasons[0].contains("containers[0].name, so it can't hold"), "{reasons:?}");
        let reasons = both(&BASE.replace("kind: Service", "kind: ConfigMap")).unwrap_err();
        assert_eq!(reasons.len(), 2);
        let reasons = both(&BASE.replace("value: eu", "value: '{{ x }}'")).unwrap_err();
        assert!(reasons[0].contains("holds `{{` itself"), "{reasons:?}");
    }
}
