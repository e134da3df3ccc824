//! The objects of a rendered text, decoded.

use crate::identity::Identity;
use crate::selector::Labels;
use crate::split::split;
use bowsprit_value::Value;
use bowsprit_yaml::{Document, Error as YamlError, Node, NodeType, Step};
use std::fmt;
use std::ops::Range;

/// An object of a rendered text.
#[derive(Clone, Debug)]
pub struct Object {
    /// Who it is.
    pub identity: Identity,
    /// The object as Kubernetes decodes it: whole numbers are `int64`, others `float64`.
    pub value: Value,
    /// The bytes of the text that its document takes.
    pub document: Range<usize>,
    /// The bytes of the text that it takes itself: within its document, if it is the item of a list.
    pub span: Range<usize>,
    /// The way from the document's root to it, for edits: empty unless it is the item of a list.
    pub steps: Vec<Step>,
}

impl Object {
    /// `metadata.labels`.
    pub fn labels(&self) -> Labels {
        string_map(self.get(&["metadata", "labels"]).as_ref())
    }

    /// `metadata.annotations`.
    pub fn annotations(&self) -> Labels {
        string_map(self.get(&["metadata", "annotations"]).as_ref())
    }

    /// The value at the end of a path of mapping keys.
    pub fn get(&self, path: &[&str]) -> Option<Value> {
        path.iter().try_fold(self.value.clone(), |value, key| value.as_map()?.get(key.as_bytes()))
    }
}

/// A document that holds no objects. `Display` names its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectsError {
    /// The bytes of the text that the document takes.
    pub document: Range<usize>,
    /// The 1-based line on which it begins.
    pub line: usize,
    /// What is wrong.
    pub reason: ObjectsErrorReason,
}

/// Why a document holds no objects.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ObjectsErrorReason {
    /// It is no YAML.
    Yaml(YamlError),
    /// It, or an item of a list, is no mapping.
    NotAnObject,
}

impl fmt::Display for ObjectsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "document at line {}: ", self.line)?;
        match &self.reason {
            ObjectsErrorReason::Yaml(error) => error.fmt(f),
            ObjectsErrorReason::NotAnObject => f.write_str("not a Kubernetes object"),
        }
    }
}

impl std::error::Error for ObjectsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.reason {
            ObjectsErrorReason::Yaml(error) => Some(error),
            ObjectsErrorReason::NotAnObject => None,
        }
    }
}

/// The documents of a text, split as Helm does, with their places in it.
pub fn documents(text: &[u8]) -> impl Iterator<Item = (Range<usize>, &[u8])> {
    split(text).map(|document| {
        let start = document.as_ptr().addr() - text.as_ptr().addr();
        (start..start + document.len(), document)
    })
}

/// The objects of a text of any number of documents. Lists are expanded as kubectl and Helm do it:
/// whatever has `items` stands for these, and an item without `apiVersion` and `kind` has those of its
/// list, less the ending `List`. Empty documents are left out.
///
/// ```
/// let text = b"kind: List\nitems:\n- {kind: A, metadata: {name: x}}\n---\nkind: B\n";
/// let objects = bowsprit_manifest::objects(text)?;
/// let names: Vec<String> = objects.iter().map(|o| o.identity.to_string()).collect();
/// assert_eq!(names, ["A x", "B"]);
/// assert_eq!(&text[objects[0].span.clone()], b"{kind: A, metadata: {name: x}}");
/// # Ok::<(), bowsprit_manifest::ObjectsError>(())
/// ```
///
/// # Errors
///
/// Fails at the first document that is no YAML, or that is no mapping.
pub fn objects(text: &[u8]) -> Result<Vec<Object>, ObjectsError> {
    let mut all = Vec::new();
    for (range, document) in documents(text) {
        add_objects(&mut all, &range, document).map_err(|reason| {
            let before = text.get(..range.start).unwrap_or_default();
            let line = before.iter().filter(|b| **b == b'\n').count() + 1;
            ObjectsError { document: range, line, reason }
        })?;
    }
    Ok(all)
}

fn add_objects(
    all: &mut Vec<Object>,
    range: &Range<usize>,
    text: &[u8],
) -> Result<(), ObjectsErrorReason> {
    let document = Document::parse(text).map_err(ObjectsErrorReason::Yaml)?;
    let root = document.root();
    if root.is_null() {
        return Ok(());
    }
    let mut pending = vec![(root, Vec::new(), Identity::default())];
    while let Some((node, steps, list)) = pending.pop() {
        if node.node_type() != NodeType::Mapping {
            return Err(ObjectsErrorReason::NotAnObject);
        }
        let items = node.get(b"items").filter(|items| items.node_type() == NodeType::Sequence);
        if let Some(items) = items {
            let list = head(node);
            let items: Vec<Node<'_>> = items.items().collect();
            pending.extend(items.into_iter().enumerate().rev().map(|(index, item)| {
                let mut steps = steps.clone();
                steps.extend(["items".into(), Step::Index(index)]);
                (item, steps, list.clone())
            }));
            continue;
        }
        all.push(object(range, text, node, steps, &list));
    }
    Ok(())
}

fn object(
    range: &Range<usize>,
    text: &[u8],
    node: Node<'_>,
    steps: Vec<Step>,
    list: &Identity,
) -> Object {
    let value = node.to_exact_value();
    let mut identity = Identity::of(&value);
    let kind = list.kind.strip_suffix("List").unwrap_or(&list.kind);
    if identity.kind.is_empty() && identity.api_version.is_empty() && !kind.is_empty() {
        identity.kind = kind.to_owned();
        identity.api_version.clone_from(&list.api_version);
        if let Value::Map(map) = &value {
            map.insert("kind".into(), Value::from(kind));
            map.insert("apiVersion".into(), Value::from(list.api_version.as_str()));
        }
    }
    // A document may begin with comments, and end with them.
    let span = if steps.is_empty() { 0..text.len() } else { node.span() };
    let span = range.start + span.start..range.start + span.end;
    Object { identity, value, document: range.clone(), span, steps }
}

fn head(list: Node<'_>) -> Identity {
    let text = |key: &[u8]| {
        let text = list.get(key).and_then(|node| node.as_str());
        text.map(|text| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default()
    };
    Identity { api_version: text(b"apiVersion"), kind: text(b"kind"), ..Identity::default() }
}

/// A mapping of strings, as Kubernetes reads labels: null is the empty string, whatever else is no string
/// is left out.
pub fn string_map(value: Option<&Value>) -> Labels {
    let Some(map) = value.and_then(Value::as_map) else { return Labels::new() };
    let text = |value: &Value| match value {
        Value::Str(text) => Some(text.to_string()),
        Value::Nil => Some(String::new()),
        _ => None,
    };
    map.peek().iter().filter_map(|(k, v)| Some((k.to_string(), text(v)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identities(text: &str) -> Vec<String> {
        let objects = objects(text.as_bytes()).unwrap();
        objects.iter().map(|o| format!("{} {}", o.identity.api_version, o.identity)).collect()
    }

    #[test]
    fn lists_are_expanded_at_all_depths() {
        let text = "apiVersion: v1\nkind: List\nitems:\n- kind: A\n- kind: List\n  items:\n  - {apiVersion: x/v1, kind: B, \
                    metadata: {name: b, namespace: ns}}\n---\n# nothing\n---\napiVersion: v1\nkind: ConfigMapList\nitems:\n- metadata: {name: c}\n";
        assert_eq!(identities(text), [" A", "x/v1 B ns/b", "v1 ConfigMap c"]);
        let all = objects(text.as_bytes()).unwrap();
        assert_eq!(all[1].steps, ["items".into(), Step::from(1), "items".into(), Step::from(0)]);
        assert!(text[all[1].span.clone()].starts_with("{apiVersion: x/v1"));
        assert!(text[all[2].document.clone()].starts_with("apiVersion: v1\nkind: ConfigMapList"));
        assert_eq!(all[2].get(&["kind"]).unwrap().as_str().unwrap(), "ConfigMap");
    }

    #[test]
    fn numbers_stay_whole() {
        let text = b"a: 9007199254740993\nb: 1.0\nc: 0.5\nd: 1e3\n";
        let object = &objects(text).unwrap()[0];
        let texts: Vec<String> = ["a", "b", "c", "d"]
            .iter()
            .map(|k| format!("{:?}", object.get(&[k]).unwrap()))
            .collect();
        assert_eq!(
            texts,
            ["Int(Int64, 9007199254740993)", "Int(Int64, 1)", "Float(0.5)", "Int(Int64, 1000)"]
        );
    }

    #[test]
    fn what_is_no_object_is_refused_with_its_line() {
        let error = objects(b"a: 1\n---\n\nb\n").unwrap_err();
        assert_eq!(error.to_string(), "document at line 4: not a Kubernetes object");
        assert!(objects(b"items: [1]\n").is_err());
        assert_eq!(identities("items: []\n").len(), 0);
        assert!(objects(b"a: [\n").is_err());
    }
}
