//! Custom resource definitions and what they say of custom resources.

use crate::document::documents;
use crate::reduce::reduced;
use bowsprit_value::{Map, Value};
use bowsprit_yaml::Document;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// A text that is no custom resource definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotACrd(pub String);

impl fmt::Display for NotACrd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotACrd {}

/// What is known of a kind at a version.
#[derive(Clone, Debug)]
pub(crate) struct CustomKind {
    /// None where the definition has no schema: anything goes.
    pub(crate) schema: Option<Arc<Map>>,
    pub(crate) served: bool,
    /// The author's warning, or an empty text; none where the version is not deprecated.
    pub(crate) deprecated: Option<String>,
}

/// Custom resource definitions by what they define.
#[derive(Clone, Debug, Default)]
pub struct Crds {
    kinds: BTreeMap<(String, String), BTreeMap<String, CustomKind>>,
}

impl Crds {
    /// No definitions.
    pub fn new() -> Crds {
        Crds::default()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// Adds all definitions of a YAML text, which may hold other objects too. Gives their number.
    ///
    /// # Errors
    ///
    /// For text that is no YAML.
    pub fn add(&mut self, text: &[u8]) -> Result<usize, NotACrd> {
        let mut count = 0;
        for (_, text) in documents(text) {
            // What can't hold a definition is not worth being parsed.
            if !contains(text, b"CustomResourceDefinition") {
                continue;
            }
            let document = Document::parse(text).map_err(|error| NotACrd(error.to_string()))?;
            let value = document.root().to_value();
            let items = match value.as_map().and_then(|map| map.get(b"items")) {
                Some(Value::List(items)) => items.iter().cloned().collect(),
                _ => vec![value],
            };
            for item in items {
                let map =
                    item.as_map().filter(|m| text_of(m, b"kind") == "CustomResourceDefinition");
                count += map.and_then(|map| self.add_definition(map)).map_or(0, |()| 1);
            }
        }
        Ok(count)
    }

    fn add_definition(&mut self, definition: &Map) -> Option<()> {
        let spec = definition.get(b"spec")?.as_map()?.clone();
        let group = text_of(&spec, b"group");
        let kind = text_of(spec.get(b"names")?.as_map()?, b"kind");
        let versions = self.kinds.entry((group, kind)).or_default();
        // v1beta1 had one schema for all versions.
        let shared = spec.get(b"validation").and_then(|v| schema_of(v.as_map()?));
        let Some(Value::List(list)) = spec.get(b"versions") else {
            let found = CustomKind { schema: shared, served: true, deprecated: None };
            versions.insert(text_of(&spec, b"version"), found);
            return Some(());
        };
        for version in list.iter().filter_map(Value::as_map) {
            let schema = version.get(b"schema").and_then(|s| schema_of(s.as_map()?));
            let deprecated = matches!(version.get(b"deprecated"), Some(Value::Bool(true)));
            let found = CustomKind {
                schema: schema.or_else(|| shared.clone()),
                served: !matches!(version.get(b"served"), Some(Value::Bool(false))),
                deprecated: deprecated.then(|| text_of(version, b"deprecationWarning")),
            };
            versions.insert(text_of(version, b"name"), found);
        }
        Some(())
    }

    pub(crate) fn get(&self, group: &str, version: &str, kind: &str) -> Option<&CustomKind> {
        self.versions(group, kind)?.get(version)
    }

    /// What is known of a kind, by its versions.
    pub(crate) fn versions(
        &self,
        group: &str,
        kind: &str,
    ) -> Option<&BTreeMap<String, CustomKind>> {
        self.kinds.get(&(group.to_owned(), kind.to_owned()))
    }
}

fn schema_of(holder: &Map) -> Option<Arc<Map>> {
    let schema = holder.get(b"openAPIV3Schema")?;
    Some(Arc::new(reduced(schema.as_map()?, 0)))
}

fn text_of(map: &Map, key: &[u8]) -> String {
    match map.get(key) {
        Some(Value::Str(text)) => text.to_string_lossy().into_owned(),
        _ => String::new(),
    }
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}
