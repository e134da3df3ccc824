//! Objects as an API server keeps them, as far as that changes where overriders find things.

use bowsprit_manifest::Identity;
use bowsprit_value::{Map, Str, Value};

/// Below this nesting values are left as they are.
const MAX_DEPTH: usize = 256;

/// An object without what API servers drop or put elsewhere: members that are null, empty `labels` and
/// `annotations`, and `stringData` of Secrets, which becomes `data`.
///
/// Two objects of one normal form are the same to a cluster.
pub fn normal(object: &Value) -> Value {
    let object = without_null(object, 0);
    let Value::Map(map) = &object else { return object };
    let metadata = map.get(b"metadata").map(|metadata| match &metadata {
        Value::Map(metadata) => Value::Map(without_empty_labels(metadata)),
        _ => metadata,
    });
    let mut entries: Vec<(Str, Value)> =
        map.peek().iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    if let (Some(metadata), Some(entry)) =
        (metadata, entries.iter_mut().find(|(key, _)| *key == "metadata"))
    {
        entry.1 = metadata;
    }
    let identity = Identity::of(&object);
    if identity.kind == "Secret" && identity.api_version == "v1" {
        move_string_data(&mut entries);
    }
    Value::Map(Map::from_entries(entries))
}

fn without_null(value: &Value, depth: usize) -> Value {
    if depth > MAX_DEPTH {
        return value.clone();
    }
    match value {
        Value::Map(map) => {
            let entries = map.peek();
            let kept = entries.iter().filter(|(_, value)| !value.is_nil());
            Value::Map(Map::from_entries(
                kept.map(|(key, value)| (key.clone(), without_null(value, depth + 1))),
            ))
        }
        Value::List(list) => {
            Value::list(list.iter().map(|item| without_null(item, depth + 1)).collect())
        }
        other => other.clone(),
    }
}

fn without_empty_labels(metadata: &Map) -> Map {
    let is_empty = |key: &Str, value: &Value| {
        (*key == "labels" || *key == "annotations") && value.as_map().is_some_and(Map::is_empty)
    };
    let entries = metadata.peek();
    let kept = entries.iter().filter(|(key, value)| !is_empty(key, value));
    Map::from_entries(kept.map(|(key, value)| (key.clone(), value.clone())))
}

fn move_string_data(entries: &mut Vec<(Str, Value)>) {
    let Some(at) = entries.iter().position(|(key, _)| *key == "stringData") else { return };
    let Value::Map(plain) = entries.swap_remove(at).1 else { return };
    let data = entries.iter().position(|(key, _)| *key == "data");
    let mut all: Vec<(Str, Value)> = match data.map(|at| entries.swap_remove(at).1) {
        Some(Value::Map(data)) => {
            data.peek().iter().map(|(key, value)| (key.clone(), value.clone())).collect()
        }
        _ => Vec::new(),
    };
    all.retain(|(key, _)| !plain.contains(key.as_bytes()));
    let entries_of_plain = plain.peek();
    all.extend(entries_of_plain.iter().map(|(key, value)| {
        let text = value.as_str().map(Str::as_bytes).unwrap_or_default();
        (key.clone(), Value::from(base64(text)))
    }));
    if !all.is_empty() {
        entries.push(("data".into(), Value::Map(Map::from_entries(all))));
    }
}

/// The standard alphabet with padding, as Go writes bytes into JSON.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let index = (bits >> (18 - 6 * at) & 63) as usize;
            let sign = if at <= chunk.len() { ALPHABET.get(index).copied() } else { Some(b'=') };
            out.push(char::from(sign.unwrap_or(b'=')));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::to_yaml;

    fn check(text: &str, want: &str) {
        let object = bowsprit_yaml::decode(text.as_bytes()).unwrap();
        assert_eq!(to_yaml(&normal(&object)), want, "{text}");
    }

    #[test]
    fn what_api_servers_drop_is_dropped() {
        check(
            "kind: A\nmetadata: {labels: {}, annotations: null, name: a}\nspec: {a: null, b: [{c: null}], d: {}}\n",
            "kind: A\nmetadata:\n  name: a\nspec:\n  b:\n  - {}\n  d: {}\n",
        );
    }

    #[test]
    fn string_data_of_secrets_is_encoded() {
        let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n";
        let head = "apiVersion: v1\ndata:\n";
        let tail = "kind: Secret\nmetadata:\n  name: a\n";
        check(
            &format!("{secret}data: {{a: eA==, b: eA==}}\nstringData: {{b: yy, c: zzz, d: ''}}\n"),
            &format!("{head}  a: eA==\n  b: eXk=\n  c: enp6\n  d: \"\"\n{tail}"),
        );
        check(
            &format!("{secret}stringData: {{}}\n"),
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\n",
        );
    }
}
