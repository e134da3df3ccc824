//! OpenAPI documents of Kubernetes down to what validation needs.

use bowsprit_value::{Map, Str, Value};
use std::collections::BTreeMap;

/// Keywords that are kept as they are.
const KEPT: &[&str] = &[
    "$ref",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "multipleOf",
    "nullable",
    "pattern",
    "required",
    "type",
    "uniqueItems",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-group-version-kind",
    "x-kubernetes-int-or-string",
    "x-kubernetes-preserve-unknown-fields",
];

/// How deeply schemas are nested at most.
const MAX_DEPTH: usize = 64;

/// The schemas of an OpenAPI v3 document, by name, without descriptions and the like.
pub fn reduce(document: &Value) -> BTreeMap<String, Map> {
    let schemas = document
        .as_map()
        .and_then(|map| map.get(b"components")?.as_map()?.get(b"schemas"))
        .and_then(|schemas| schemas.as_map().cloned());
    let mut found = BTreeMap::new();
    if let Some(schemas) = schemas {
        for (name, schema) in schemas.peek().iter() {
            if let Value::Map(schema) = schema {
                found.insert(name.to_string_lossy().into_owned(), reduced(schema, 0));
            }
        }
    }
    found
}

/// A schema without what validation has no use for.
pub(crate) fn reduced(schema: &Map, depth: usize) -> Map {
    let mut out: Vec<(Str, Value)> = Vec::new();
    if depth > MAX_DEPTH {
        return Map::new();
    }
    let below = |value: &Value| match value {
        Value::Map(map) => Value::Map(reduced(map, depth + 1)),
        other => other.clone(),
    };
    let entries = schema.peek();
    for (key, value) in entries.iter() {
        let name = key.to_string_lossy();
        let value = match (&*name, value) {
            ("properties" | "patternProperties", Value::Map(map)) => {
                let entries = map.peek();
                let entries = entries.iter().map(|(key, value)| (key.clone(), below(value)));
                Value::Map(Map::from_entries(entries.collect::<Vec<_>>()))
            }
            ("items" | "additionalProperties" | "not", value) => below(value),
            ("allOf" | "anyOf" | "oneOf", Value::List(list)) => {
                Value::list(list.iter().map(below).collect())
            }
            (name, value) if KEPT.contains(&name) => value.clone(),
            _ => continue,
        };
        out.push((key.clone(), value));
    }
    // A reference with a default is wrapped only so that the default can stand beside it.
    if let [(key, Value::List(list))] = out.as_slice()
        && key.as_bytes() == b"allOf"
        && let [Value::Map(only)] = list.iter().cloned().collect::<Vec<_>>().as_slice()
    {
        return only.clone();
    }
    Map::from_entries(out)
}
