//! Objects as they are sent.

use crate::discovery::{Discovery, Resource};
use crate::error::{Error, ErrorKind, Result};
use bowsprit_manifest::split;
use serde_json::{Map, Value as Json};

/// One object of a release.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Object {
    pub(crate) json: Json,
    pub(crate) resource: Resource,
    /// Where the server keeps it; empty for objects that are in no namespace.
    pub(crate) namespace: String,
}

/// What tells objects apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) group: String,
    pub(crate) kind: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind, self.name)?;
        if !self.namespace.is_empty() {
            write!(f, " in namespace {}", self.namespace)?;
        }
        Ok(())
    }
}

impl Object {
    pub(crate) fn name(&self) -> &str {
        self.json["metadata"]["name"].as_str().unwrap_or_default()
    }

    pub(crate) fn kind(&self) -> &str {
        &self.resource.kind
    }

    /// Whether the server makes the name up.
    pub(crate) fn is_generated(&self) -> bool {
        self.name().is_empty() && self.json["metadata"]["generateName"].is_string()
    }

    pub(crate) fn path(&self) -> String {
        self.resource.path(&self.namespace, self.name())
    }

    pub(crate) fn key(&self) -> Key {
        Key {
            group: self.resource.group.clone(),
            kind: self.kind().to_owned(),
            namespace: self.namespace.clone(),
            name: self.name().to_owned(),
        }
    }

    /// As Helm names objects in its errors.
    pub(crate) fn helm_string(&self) -> String {
        format!("{} {:?} in namespace {:?}", self.kind(), self.name(), self.namespace)
    }

    /// Sets labels or annotations.
    pub(crate) fn merge_metadata<'a>(
        &mut self,
        field: &str,
        entries: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) {
        let Some(root) = self.json.as_object_mut() else { return };
        let metadata = table(root, "metadata");
        let target = table(metadata, field);
        for (key, value) in entries {
            target.insert(key.to_owned(), Json::from(value));
        }
    }
}

/// The table below a key, made if need be.
fn table<'j>(map: &'j mut Map<String, Json>, key: &str) -> &'j mut Map<String, Json> {
    let entry = map.entry(key).or_insert_with(|| Json::Object(Map::new()));
    if !entry.is_object() {
        *entry = Json::Object(Map::new());
    }
    match entry {
        Json::Object(map) => map,
        _ => unreachable!("the entry was just made a table"),
    }
}

/// The JSON of all objects of a manifest, lists taken apart.
pub(crate) fn parse(text: &str) -> Result<Vec<Json>> {
    let mut found = Vec::new();
    for document in split(text.as_bytes()) {
        let wrong = |text: String| Error::new(ErrorKind::Build, text);
        let json = bowsprit_yaml::yaml_to_json(document)
            .map_err(|e| wrong(format!("error parsing : {e}")))?;
        let json: Json =
            serde_json::from_slice(&json).map_err(|e| wrong(format!("error parsing : {e}")))?;
        flatten(json, &mut found);
    }
    Ok(found)
}

fn flatten(json: Json, found: &mut Vec<Json>) {
    if json.is_null() {
        return;
    }
    let is_list = json["items"].is_array()
        && json["kind"].as_str().is_some_and(|kind| kind.ends_with("List"));
    if !is_list {
        found.push(json);
        return;
    }
    if let Some(Json::Array(items)) = json.get("items").cloned() {
        items.into_iter().for_each(|item| flatten(item, found));
    }
}

/// What became of a manifest's objects.
#[derive(Debug, Default)]
pub(crate) struct Built {
    pub(crate) objects: Vec<Object>,
    /// What is wrong with the others, in Helm's words.
    pub(crate) errors: Vec<String>,
}

/// Finds the kinds of objects on the server.
pub(crate) fn build(documents: Vec<Json>, discovery: &Discovery, default_namespace: &str) -> Built {
    let mut built = Built::default();
    for json in documents {
        match resolve(json, discovery, default_namespace) {
            Ok(object) => built.objects.push(object),
            Err(error) => built.errors.push(error),
        }
    }
    built
}

fn resolve(
    json: Json,
    discovery: &Discovery,
    default_namespace: &str,
) -> std::result::Result<Object, String> {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let (api_version, kind) = (text(&json["apiVersion"]), text(&json["kind"]));
    if kind.is_empty() {
        return Err(format!("unable to decode \"\": Object 'Kind' is missing in '{json}'"));
    }
    let (name, namespace) = (text(&json["metadata"]["name"]), text(&json["metadata"]["namespace"]));
    let Some(resource) = discovery.find(&api_version, &kind) else {
        return Err(format!(
            "resource mapping not found for name: {name:?} namespace: {namespace:?} from \"\": no \
             matches for kind {kind:?} in version {api_version:?}\nensure CRDs are installed first"
        ));
    };
    let mut object = Object { json, resource: resource.clone(), namespace: String::new() };
    if object.resource.namespaced {
        object.namespace =
            if namespace.is_empty() { default_namespace.to_owned() } else { namespace };
        let namespace = Json::from(object.namespace.as_str());
        if let Some(root) = object.json.as_object_mut() {
            table(root, "metadata").insert("namespace".to_owned(), namespace);
        }
    }
    Ok(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_taken_apart() {
        let text = "# only a comment\n---\nkind: List\napiVersion: v1\nitems:\n- kind: A\n- kind: BList\n  items: [{kind: B}]\n---\nkind: C\n";
        let kinds: Vec<String> =
            parse(text).unwrap().iter().map(|j| j["kind"].as_str().unwrap().to_owned()).collect();
        assert_eq!(kinds, ["A", "B", "C"]);
    }

    #[test]
    fn unknown_kinds_are_named() {
        let documents = parse("apiVersion: x/v1\nkind: W\nmetadata: {name: n}\n").unwrap();
        let built = build(documents, &Discovery::default(), "ns");
        assert!(built.objects.is_empty());
        assert!(built.errors[0].contains("no matches for kind \"W\" in version \"x/v1\""));
    }
}
