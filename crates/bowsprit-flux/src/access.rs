//! Fields of decoded objects.

use bowsprit_value::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;

pub(crate) fn lossy(text: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(text)
}

/// A string field; empty where it is missing. Numbers and bools are given as text.
pub(crate) fn text(map: &Map, key: &str) -> String {
    match map.get(key.as_bytes()) {
        Some(Value::Str(text)) => text.to_string(),
        Some(Value::Bool(b)) => b.to_string(),
        Some(Value::Float(f)) => f.to_string(),
        Some(Value::Int(_, n)) => n.to_string(),
        _ => String::new(),
    }
}

pub(crate) fn some_text(map: &Map, key: &str) -> Option<String> {
    Some(text(map, key)).filter(|text| !text.is_empty())
}

pub(crate) fn map(map: &Map, key: &str) -> Option<Map> {
    map.get(key.as_bytes())?.as_map().cloned()
}

/// The map at the end of a path; an empty one where there is none.
pub(crate) fn map_at(root: &Map, path: &[&str]) -> Map {
    path.iter().try_fold(root.clone(), |at, key| map(&at, key)).unwrap_or_default()
}

pub(crate) fn list(map: &Map, key: &str) -> Vec<Value> {
    match map.get(key.as_bytes()) {
        Some(Value::List(list)) => list.as_slice().to_vec(),
        _ => Vec::new(),
    }
}

/// The maps of a list.
pub(crate) fn maps(map: &Map, key: &str) -> Vec<Map> {
    list(map, key).iter().filter_map(|item| item.as_map().cloned()).collect()
}

/// The strings of a list.
pub(crate) fn texts(map: &Map, key: &str) -> Vec<String> {
    let items = list(map, key);
    items.iter().filter_map(|item| Some(item.as_str()?.to_string())).collect()
}

pub(crate) fn flag(map: &Map, key: &str) -> bool {
    matches!(map.get(key.as_bytes()), Some(Value::Bool(true)))
}

/// A map of strings; none where there is no map.
pub(crate) fn strings(map: &Map, key: &str) -> Option<BTreeMap<String, String>> {
    let table = self::map(map, key)?;
    let entries = table.peek();
    Some(entries.iter().map(|(k, _)| (k.to_string(), text(&table, &k.to_string_lossy()))).collect())
}
