//! A cluster as a file remembers it: versions for `.Capabilities`, objects for `lookup`.
//!
//! `docs/target.md` describes the format. A snapshot lets a chart be rendered as for a certain cluster
//! without reaching it.

use crate::compat::Compat;
use crate::scope::{Capabilities, KubeVersion};
use bowsprit_value::{Host, HostError, IntKind, Map, Str, Timestamp, Value};
use std::collections::HashSet;
use std::fmt;

/// The `apiVersion` of the format.
pub const API_VERSION: &str = "bowsprit.dev/v1alpha1";

/// The `kind` of the format.
pub const KIND: &str = "TargetSnapshot";

/// A snapshot that can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetError {
    message: String,
}

impl TargetError {
    fn new(message: impl Into<String>) -> TargetError {
        TargetError { message: message.into() }
    }
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for TargetError {}

/// What is remembered of a cluster.
///
/// ```
/// use bowsprit_render::{Compat, Target};
///
/// let target = Target::parse(b"\
/// apiVersion: bowsprit.dev/v1alpha1
/// kind: TargetSnapshot
/// kubeVersion: v1.31.4+k3s1
/// apiVersions: [v1, apps/v1]
/// objects:
/// - {apiVersion: v1, kind: Namespace, metadata: {name: prod}}
/// ")?;
/// assert_eq!(target.capabilities(Compat::default())?.kube_version().minor(), "31");
/// # Ok::<(), bowsprit_render::TargetError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Target {
    kube_version: String,
    api_versions: Vec<Str>,
    objects: Vec<Object>,
}

#[derive(Clone, Debug)]
struct Object {
    api_version: Str,
    kind: Str,
    namespace: Str,
    name: Str,
    content: Map,
}

/// The keys that a snapshot can have.
const KEYS: [&str; 6] = ["apiVersion", "kind", "metadata", "kubeVersion", "apiVersions", "objects"];

impl Target {
    /// Reads a snapshot, in YAML or JSON.
    ///
    /// # Errors
    ///
    /// Fails where the text is no YAML, no snapshot, or one with fields of wrong types.
    pub fn parse(text: &[u8]) -> Result<Target, TargetError> {
        let value = bowsprit_yaml::decode(text).map_err(|e| TargetError::new(e.to_string()))?;
        let Value::Map(root) = value else {
            return Err(TargetError::new(format!("not a {KIND}: no mapping")));
        };
        let (api_version, kind) = (string(&root, "apiVersion")?, string(&root, "kind")?);
        if (api_version.as_bytes(), kind.as_bytes()) != (API_VERSION.as_bytes(), KIND.as_bytes()) {
            let text = format!("want {API_VERSION} {KIND}, found {api_version} {kind}");
            return Err(TargetError::new(text));
        }
        if let Some((unknown, _)) = root
            .entries()
            .iter()
            .find(|(key, _)| !KEYS.iter().any(|k| k.as_bytes() == key.as_bytes()))
        {
            return Err(TargetError::new(format!("unknown field {unknown}")));
        }
        let mut objects = Vec::new();
        for (index, item) in list(&root, "objects")?.iter().enumerate() {
            let at = |e: TargetError| TargetError::new(format!("objects[{index}]: {e}"));
            objects.push(Object::read(item).map_err(at)?);
        }
        objects.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
        let versions = list(&root, "apiVersions")?;
        let api_versions = versions.iter().map(|version| match version {
            Value::Str(version) => Ok(version.clone()),
            _ => Err(TargetError::new("apiVersions: not a list of strings")),
        });
        Ok(Target {
            kube_version: string(&root, "kubeVersion")?.to_string(),
            api_versions: api_versions.collect::<Result<_, _>>()?,
            objects,
        })
    }

    /// What the cluster can do. Where the snapshot says nothing, it is what Helm assumes.
    ///
    /// # Errors
    ///
    /// Fails where the version of Kubernetes is none.
    pub fn capabilities(&self, compat: Compat) -> Result<Capabilities, TargetError> {
        let assumed = Capabilities::of(compat);
        let kube = match self.kube_version.as_str() {
            "" => assumed.kube_version().clone(),
            given => KubeVersion::parse_as(given, compat)
                .map_err(|e| TargetError::new(format!("kubeVersion: {e}")))?,
        };
        if self.api_versions.is_empty() {
            return Ok(assumed.with_kube_version(kube));
        }
        Ok(Capabilities::new(kube, self.api_versions.iter().cloned()).as_in(compat))
    }

    /// A host whose `lookup` finds the snapshot's objects; all else it asks `inner`.
    pub fn host<H: Host>(self, inner: H) -> TargetHost<H> {
        let served = self.api_versions.iter().cloned().collect();
        TargetHost { inner, target: self, served }
    }

    /// The objects of a kind, as the cluster would list them.
    fn of_kind<'t>(
        &'t self,
        api_version: &'t str,
        kind: &'t str,
        namespace: &'t str,
    ) -> impl Iterator<Item = &'t Object> {
        self.objects.iter().filter(move |object| {
            let namespaced = !object.namespace.is_empty() && !namespace.is_empty();
            object.api_version.as_bytes() == api_version.as_bytes()
                && object.kind.as_bytes() == kind.as_bytes()
                && (!namespaced || object.namespace.as_bytes() == namespace.as_bytes())
        })
    }
}

impl Object {
    fn read(item: &Value) -> Result<Object, TargetError> {
        let Value::Map(content) = item else { return Err(TargetError::new("no mapping")) };
        let metadata = match content.get(b"metadata") {
            Some(Value::Map(metadata)) => metadata,
            _ => return Err(TargetError::new("no metadata")),
        };
        let object = Object {
            api_version: string(content, "apiVersion")?,
            kind: string(content, "kind")?,
            namespace: string(&metadata, "namespace")?,
            name: string(&metadata, "name")?,
            content: whole_numbers(content),
        };
        for (field, text) in [
            ("apiVersion", &object.api_version),
            ("kind", &object.kind),
            ("metadata.name", &object.name),
        ] {
            if text.is_empty() {
                return Err(TargetError::new(format!("no {field}")));
            }
        }
        Ok(object)
    }
}

fn string(map: &Map, name: &str) -> Result<Str, TargetError> {
    match map.get(name.as_bytes()) {
        Some(Value::Str(text)) => Ok(text),
        None | Some(Value::Nil) => Ok(Str::default()),
        Some(_) => Err(TargetError::new(format!("{name}: not a string"))),
    }
}

fn list(map: &Map, name: &str) -> Result<Vec<Value>, TargetError> {
    match map.get(name.as_bytes()) {
        Some(Value::List(list)) => Ok(list.iter().cloned().collect()),
        None | Some(Value::Nil) => Ok(Vec::new()),
        Some(_) => Err(TargetError::new(format!("{name}: not a list"))),
    }
}

/// A copy with `int64` for whole numbers, as objects of a cluster have them.
fn whole_numbers(root: &Map) -> Map {
    let copy = Map::new();
    let mut pending = vec![(copy.clone(), root.clone())];
    while let Some((into, from)) = pending.pop() {
        for (key, value) in from.entries().iter() {
            let value = match value {
                Value::Map(inner) => {
                    let below = Map::new();
                    pending.push((below.clone(), inner.clone()));
                    Value::Map(below)
                }
                other => whole(other, &mut pending),
            };
            into.insert(key.clone(), value);
        }
    }
    copy
}

fn whole(value: &Value, pending: &mut Vec<(Map, Map)>) -> Value {
    /// Floats hold whole numbers exactly up to here.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Float(number) if number.fract() == 0.0 && number.abs() <= EXACT => {
            Value::Int(IntKind::Int64, *number as i64)
        }
        Value::Map(inner) => {
            let below = Map::new();
            pending.push((below.clone(), inner.clone()));
            Value::Map(below)
        }
        // Lists directly in lists are rare and kept short by the YAML reader's limit on nesting.
        Value::List(list) => Value::list(list.iter().map(|item| whole(item, pending)).collect()),
        other => other.clone(),
    }
}

/// A host that answers `lookup` from a snapshot.
#[derive(Debug)]
pub struct TargetHost<H> {
    inner: H,
    target: Target,
    served: HashSet<Str>,
}

impl<H: Host> Host for TargetHost<H> {
    fn now(&self) -> Timestamp {
        self.inner.now()
    }

    fn fill_random(&self, buf: &mut [u8]) {
        self.inner.fill_random(buf);
    }

    fn time_zone(&self) -> String {
        self.inner.time_zone()
    }

    fn resolve_dns(&self, name: &str) -> String {
        self.inner.resolve_dns(name)
    }

    /// As Helm on a cluster: an object, or an empty map where there is none of this name; a list where
    /// no name is given; an error for a version of an API that the cluster does not serve.
    fn lookup(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Value, HostError> {
        if !self.served.is_empty() && !self.served.contains(&Str::from(api_version)) {
            let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
            let gvk = match group {
                "" => format!("/{version}, Kind={kind}"),
                _ => format!("{group}/{version}, Kind={kind}"),
            };
            return Err(HostError(format!(
                "unable to get apiresource from unstructured: {gvk}: the server could not find the \
                 requested resource"
            )));
        }
        let mut found = self.target.of_kind(api_version, kind, namespace);
        if !name.is_empty() {
            let named = found.find(|object| {
                let reached = object.namespace.is_empty() || !namespace.is_empty();
                reached && object.name.as_bytes() == name.as_bytes()
            });
            return Ok(Value::Map(named.map_or_else(Map::new, |object| object.content.fork())));
        }
        let items = found.map(|object| Value::Map(object.content.fork())).collect();
        let metadata = Map::from_entries([(Str::from_static("resourceVersion"), Value::from(""))]);
        Ok(Value::Map(Map::from_entries([
            (Str::from_static("apiVersion"), Value::from(api_version)),
            (Str::from_static("items"), Value::list(items)),
            (Str::from_static("kind"), Value::from(format!("{kind}List"))),
            (Str::from_static("metadata"), Value::Map(metadata)),
        ])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bowsprit_value::{Hermetic, Meter, json};

    const SNAPSHOT: &str = "\
apiVersion: bowsprit.dev/v1alpha1
kind: TargetSnapshot
kubeVersion: v1.31.4+k3s1
apiVersions: [v1, apps/v1]
objects:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: x}, data: {n: '1'}, size: 3}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: x}, size: [1, 2.5, {big: 7}]}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: z2}}
- {apiVersion: v1, kind: Namespace, metadata: {name: x}}
";

    fn lookup(args: [&str; 4]) -> String {
        let host = Target::parse(SNAPSHOT.as_bytes()).unwrap().host(Hermetic::default());
        let [api_version, kind, namespace, name] = args;
        match host.lookup(api_version, kind, namespace, name) {
            Ok(value) => {
                let mut out = Vec::new();
                json::encode(&value, &json::Options::default(), &mut out, &Meter::default())
                    .unwrap();
                String::from_utf8(out).unwrap()
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn objects_are_found_as_on_a_cluster() {
        assert_eq!(lookup(["v1", "ConfigMap", "z", "a"]), "{}");
        assert_eq!(lookup(["v1", "ConfigMap", "", "a"]), "{}");
        assert_eq!(lookup(["v1", "Secret", "x", "a"]), "{}");
        assert!(lookup(["v1", "ConfigMap", "x", "a"]).contains(r#""size":[1,2.5,{"big":7}]"#));
        assert!(lookup(["v1", "Namespace", "any", "x"]).contains("Namespace"));
        let list = lookup(["v1", "ConfigMap", "", ""]);
        assert_eq!(list.matches("\"name\":\"a\"").count(), 2, "{list}");
        assert!(list.starts_with(r#"{"apiVersion":"v1","items":["#), "{list}");
        assert!(list.contains(r#""kind":"ConfigMapList""#), "{list}");
        assert_eq!(
            lookup(["batch/v2", "Job", "x", "a"]),
            "unable to get apiresource from unstructured: batch/v2, Kind=Job: the server could not \
             find the requested resource"
        );
    }

    #[test]
    fn what_is_no_snapshot_is_refused() {
        let start = "apiVersion: bowsprit.dev/v1alpha1\nkind: TargetSnapshot\n";
        for (text, want) in [
            ("a: b".to_owned(), "want bowsprit.dev/v1alpha1 TargetSnapshot, found  "),
            ("[]".to_owned(), "not a TargetSnapshot: no mapping"),
            (format!("{start}object: []"), "unknown field object"),
            (format!("{start}objects: [1]"), "objects[0]: no mapping"),
            (format!("{start}objects: [{{kind: A, metadata: {{}}}}]"), "objects[0]: no apiVersion"),
            (format!("{start}apiVersions: [1]"), "apiVersions: not a list of strings"),
        ] {
            assert_eq!(Target::parse(text.as_bytes()).unwrap_err().to_string(), want);
        }
    }
}
