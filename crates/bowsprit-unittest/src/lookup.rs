//! `lookup` in tests: the objects of `kubernetesProvider`, found as Kubernetes' fake client finds them.

use crate::suite::{Provider, Resource};
use bowsprit_chart::path;
use bowsprit_value::{Host, HostError, IntKind, Map, Str, Timestamp, Value};

/// A host that finds a test's objects.
pub(crate) struct ProviderHost<'h> {
    inner: &'h dyn Host,
    provider: &'h Provider,
}

impl<'h> ProviderHost<'h> {
    pub(crate) fn new(inner: &'h dyn Host, provider: &'h Provider) -> ProviderHost<'h> {
        ProviderHost { inner, provider }
    }
}

fn text(map: &Map, key: &str) -> String {
    map.get(key.as_bytes()).and_then(|v| v.as_str().map(Str::to_string)).unwrap_or_default()
}

fn metadata(object: &Map, key: &str) -> String {
    match object.get(b"metadata") {
        Some(Value::Map(metadata)) => text(&metadata, key),
        _ => String::new(),
    }
}

/// Group, version and what the kind's plural is guessed to be.
fn resource_of(object: &Map) -> (String, String, String) {
    let api_version = text(object, "apiVersion");
    let (group, version) = api_version.rsplit_once('/').unwrap_or(("", &api_version));
    let kind = text(object, "kind").to_lowercase();
    let plural = match kind.chars().last() {
        None => String::new(),
        _ if kind.ends_with("endpoints") => kind,
        Some('s') => format!("{kind}es"),
        Some('y') => format!("{}ies", kind.trim_end_matches('y')),
        Some(_) => format!("{kind}s"),
    };
    (group.to_owned(), version.to_owned(), plural)
}

impl Resource {
    fn is(&self, (group, version, plural): &(String, String, String)) -> bool {
        self.group == *group && self.version == *version && self.resource == *plural
    }
}

/// What the fake client can't copy: numbers as YAML has them, unlike those of JSON.
fn uncopied(value: &Value) -> Option<String> {
    match value {
        Value::Int(IntKind::Int64, _) | Value::Nil | Value::Bool(_) => None,
        Value::Float(_) | Value::Str(_) => None,
        Value::List(list) => list.iter().find_map(uncopied),
        Value::Map(map) => map.entries().iter().find_map(|(_, value)| uncopied(value)),
        other => Some(other.type_name().to_string()),
    }
}

impl ProviderHost<'_> {
    fn check(&self) -> Result<(), HostError> {
        let mut seen = std::collections::BTreeSet::new();
        for object in &self.provider.objects {
            if let Some(name) = uncopied(&Value::Map(object.clone())) {
                return Err(HostError(format!("cannot deep copy {name}")));
            }
            if text(object, "kind").is_empty() {
                let text = "unstructured object has no kind".to_owned();
                return Err(HostError(text));
            }
            let name = metadata(object, "name");
            let resource = resource_of(object);
            let plural = resource.2.clone();
            if !seen.insert((resource, metadata(object, "namespace"), name.clone())) {
                return Err(HostError(format!("{plural} \"{name}\" already exists")));
            }
        }
        Ok(())
    }
}

impl Host for ProviderHost<'_> {
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

    fn lookup(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Value, HostError> {
        let key = path::clean(format!("{api_version}/{kind}").as_bytes());
        let scheme = self.provider.scheme.iter();
        let found = scheme.into_iter().find(|(kind, _)| kind.as_bytes() == key);
        let resource = found.map(|(_, resource)| resource.clone()).unwrap_or_default();
        self.check()?;
        let namespace = if resource.namespaced { namespace } else { "" };
        let objects = || {
            let objects = self.provider.objects.iter();
            objects.filter(|object| resource.is(&resource_of(object)))
        };
        if !name.is_empty() {
            let found = objects().find(|object| {
                metadata(object, "name") == name && metadata(object, "namespace") == namespace
            });
            return Ok(Value::Map(found.map_or_else(Map::new, Map::fork)));
        }
        let Some(first) = objects().next() else {
            return Err(HostError(format!(
                "coding error: you must register resource to list kind for every resource you're \
                 going to LIST when using a dynamic client. {} is not among the objects",
                resource.resource
            )));
        };
        let mut items: Vec<&Map> = objects()
            .filter(|object| namespace.is_empty() || metadata(object, "namespace") == namespace)
            .collect();
        items.sort_by_key(|object| (metadata(object, "namespace"), metadata(object, "name")));
        let items = items.into_iter().map(|object| Value::Map(object.fork())).collect();
        // The fake counts the objects of a resource that were added, from 1.
        let version = (objects().count() + 1).to_string();
        let versions = [("continue", String::new()), ("resourceVersion", version)];
        let versions = versions.map(|(key, value)| (Str::from(key), Value::from(value)));
        Ok(Value::Map(Map::from_entries([
            (Str::from_static("apiVersion"), Value::from(text(first, "apiVersion"))),
            (Str::from_static("items"), Value::list(items)),
            (Str::from_static("kind"), Value::from(format!("{}List", text(first, "kind")))),
            (Str::from_static("metadata"), Value::Map(Map::from_entries(versions))),
        ])))
    }
}
