//! Keys of values that `values.schema.json` does not describe.

use super::keys::{Key, keys, nearest};
use crate::helm::Linter;
use bowsprit_chart::Chart;
use bowsprit_value::{List, Map, Value, json};
use std::collections::BTreeSet;

/// How many references are followed one after the other.
const MAX_REFS: usize = 32;

pub(super) fn check(linter: &mut Linter<'_>, chart: &Chart) {
    let (source, options) = (linter.source, linter.options);
    let Some(Ok(Value::Map(schema))) = source.schema.bytes().map(json::decode) else { return };
    let mut free: BTreeSet<&str> = ["global", "tags"].into();
    free.extend(chart.metadata.dependencies().map(|dependency| dependency.key()));
    free.extend(chart.dependencies.iter().map(|sub| sub.metadata.name.as_str()));
    let mut texts = Vec::new();
    if let Some(text) = source.values.bytes() {
        texts.push(("values.yaml", false, text));
    }
    texts.extend(options.values_texts.iter().map(|f| (f.name.as_str(), true, f.text.as_slice())));
    for (label, outside, text) in texts {
        let mut pending: Vec<(Key, Vec<Map>, String)> = Vec::new();
        let root = resolved(&schema, std::slice::from_ref(&schema));
        let top = keys(text).into_iter().filter(|key| !free.contains(key.name.as_str()));
        pending.extend(top.map(|key| (key, root.clone(), String::new())));
        let mut found = Vec::new();
        while let Some((key, schemas, path)) = pending.pop() {
            let full =
                if path.is_empty() { key.name.clone() } else { format!("{path}.{}", key.name) };
            match below(&schemas, &key.name) {
                Described::Freely => {}
                Described::No(known) => {
                    let near = nearest(&key.name, known.iter().map(String::as_str));
                    found.push((key.line, key.column, full, near.map(str::to_owned)));
                }
                Described::By(schemas) => {
                    let mut schemas = resolved(&schema, &schemas);
                    if key.is_list {
                        schemas = resolved(&schema, &items(&schemas));
                    }
                    let inner = key.below.into_iter();
                    pending.extend(inner.map(|key| (key, schemas.clone(), full.clone())));
                }
            }
        }
        found.sort();
        for (line, column, path, near) in found {
            let text = format!("values.schema.json does not describe {path}");
            let message = linter.own("BS010", label, text);
            message.line = Some(line);
            message.column = Some(column);
            message.help = near.map(|near| format!("did you mean {near}?"));
            message.outside = outside;
        }
    }
}

enum Described {
    /// Any key is welcome here.
    Freely,
    By(Vec<Map>),
    /// With the keys that are described.
    No(Vec<String>),
}

/// What a set of schemas, of which any may hold, says of a key.
fn below(schemas: &[Map], key: &str) -> Described {
    let mut found = Vec::new();
    let mut known = Vec::new();
    let mut speaks = false;
    for schema in schemas {
        if let Some(Value::Map(properties)) = schema.get(b"properties") {
            speaks = true;
            match properties.get(key.as_bytes()) {
                Some(Value::Map(schema)) => found.push(schema),
                Some(_) => return Described::Freely,
                None => {}
            }
            let names = properties.peek();
            known.extend(names.iter().map(|(name, _)| name.to_string_lossy().into_owned()));
        }
        // Patterns and schemas of all other keys describe what they describe.
        let patterns = schema.get(b"patternProperties").is_some();
        let others = matches!(schema.get(b"additionalProperties"), Some(Value::Map(_)));
        if patterns || others {
            return Described::Freely;
        }
    }
    if !found.is_empty() {
        Described::By(found)
    } else if speaks {
        Described::No(known)
    } else {
        Described::Freely
    }
}

/// The schemas of lists' items; none where any item is welcome.
fn items(schemas: &[Map]) -> Vec<Map> {
    let mut found = Vec::new();
    for schema in schemas {
        match schema.get(b"items") {
            Some(Value::Map(items)) => found.push(items),
            Some(Value::List(items)) => found.extend(maps(&items)),
            _ => {}
        }
    }
    found
}

fn maps(list: &List) -> Vec<Map> {
    list.iter().filter_map(|item| item.as_map().cloned()).collect()
}

/// The schemas with those that they refer to and are composed of.
fn resolved(root: &Map, schemas: &[Map]) -> Vec<Map> {
    let mut all: Vec<Map> = Vec::new();
    let mut pending: Vec<(Map, usize)> = schemas.iter().map(|s| (s.clone(), 0)).collect();
    while let Some((schema, depth)) = pending.pop() {
        if depth > MAX_REFS {
            continue;
        }
        for (keyword, value) in schema.peek().iter() {
            match (keyword.as_bytes(), value) {
                (b"$ref", Value::Str(to)) => {
                    let to = to.to_string_lossy().into_owned();
                    pending.extend(pointed(root, &to).map(|schema| (schema, depth + 1)));
                }
                (b"allOf" | b"anyOf" | b"oneOf", Value::List(list)) => {
                    pending.extend(maps(list).into_iter().map(|schema| (schema, depth + 1)));
                }
                (b"if" | b"then" | b"else", Value::Map(schema)) => {
                    pending.push((schema.clone(), depth + 1));
                }
                _ => {}
            }
        }
        all.push(schema);
    }
    all
}

/// What a JSON pointer within the document leads to.
fn pointed(root: &Map, reference: &str) -> Option<Map> {
    let path = reference.strip_prefix('#')?;
    let mut at = Value::Map(root.clone());
    for part in path.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        at = match &at {
            Value::Map(map) => map.get(part.as_bytes())?,
            Value::List(list) => list.get(part.parse().ok()?)?.clone(),
            _ => return None,
        };
    }
    at.as_map().cloned()
}
