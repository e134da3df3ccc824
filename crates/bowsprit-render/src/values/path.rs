//! Values at dotted paths.

use bowsprit_value::{Map, Str, Value};

/// Helm's `Values.Table`: the table at a dotted path, or the name that is none.
pub(crate) fn table(values: &Map, path: &str) -> Result<Map, String> {
    let mut at = values.clone();
    for name in path.split('.') {
        match at.get(name.as_bytes()) {
            Some(Value::Map(map)) => at = map,
            _ => return Err(name.to_owned()),
        }
    }
    Ok(at)
}

/// Helm's `Values.PathValue`: what is at a dotted path and no table.
pub(crate) fn path_value(values: &Map, path: &str) -> Option<Value> {
    let (tables, key) = match path.rsplit_once('.') {
        Some((tables, key)) => (table(values, tables).ok()?, key),
        None => (values.clone(), path),
    };
    tables.get(key.as_bytes()).filter(|value| value.as_map().is_none())
}

/// A table at a dotted path, with those around it.
pub(crate) fn path_to_map(path: &str, table: Map) -> Map {
    // Helm's `AsMap` gives another map where there is nothing in it.
    let table = if table.is_empty() { Map::new() } else { table };
    if path == "." {
        return table;
    }
    path.rsplit('.')
        .fold(table, |inner, name| Map::from_entries([(Str::from(name), Value::Map(inner))]))
}
