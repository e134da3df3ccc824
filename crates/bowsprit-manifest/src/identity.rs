//! Who an object is.

use bowsprit_value::Value;
use std::fmt;

/// What tells objects apart in a cluster: API version, kind, namespace and name.
///
/// The order is that of the fields. `Display` prints `Deployment prod/web`, or `ClusterRole web` where
/// there is no namespace.
///
/// ```
/// use bowsprit_manifest::Identity;
///
/// let identity = Identity::new("apps/v1", "Deployment", Some("prod"), "web");
/// assert_eq!((identity.group(), identity.version()), ("apps", "v1"));
/// assert_eq!(identity.to_string(), "Deployment prod/web");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// `apiVersion`: a group and a version, or a version alone for the core group.
    pub api_version: String,
    /// `kind`.
    pub kind: String,
    /// `metadata.namespace`; none where it is missing or empty, which says nothing about whether the
    /// kind has namespaces.
    pub namespace: Option<String>,
    /// `metadata.name`; empty where it is missing.
    pub name: String,
}

impl Identity {
    /// An identity of its parts.
    pub fn new(api_version: &str, kind: &str, namespace: Option<&str>, name: &str) -> Identity {
        Identity {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            namespace: namespace.filter(|n| !n.is_empty()).map(str::to_owned),
            name: name.to_owned(),
        }
    }

    /// Reads the identity of a decoded object; what is missing or no string is empty.
    pub fn of(object: &Value) -> Identity {
        let text = |value: Option<Value>| match value {
            Some(Value::Str(text)) => text.to_string_lossy().into_owned(),
            _ => String::new(),
        };
        let Some(object) = object.as_map() else { return Identity::default() };
        let metadata = object.get(b"metadata");
        let metadata = metadata.as_ref().and_then(Value::as_map);
        let field = |name: &[u8]| text(metadata.and_then(|m| m.get(name)));
        Identity {
            api_version: text(object.get(b"apiVersion")),
            kind: text(object.get(b"kind")),
            namespace: Some(field(b"namespace")).filter(|n| !n.is_empty()),
            name: field(b"name"),
        }
    }

    /// The API group; empty for the core group.
    pub fn group(&self) -> &str {
        self.api_version.rsplit_once('/').map_or("", |(group, _)| group)
    }

    /// The version within the group.
    pub fn version(&self) -> &str {
        self.api_version.rsplit_once('/').map_or(&self.api_version, |(_, version)| version)
    }

    /// The kind with its group, as kubectl writes it: `Deployment.apps`, `Service`.
    pub fn group_kind(&self) -> String {
        match self.group() {
            "" => self.kind.clone(),
            group => format!("{}.{group}", self.kind),
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.kind.is_empty() { "object without kind" } else { &self.kind };
        match &self.namespace {
            Some(namespace) => write!(f, "{kind} {namespace}/{}", self.name),
            None if self.name.is_empty() => f.write_str(kind),
            None => write!(f, "{kind} {}", self.name),
        }
    }
}
