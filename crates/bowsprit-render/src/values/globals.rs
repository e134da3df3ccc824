//! The `global` table: what a chart hands down to its subcharts.

use super::coalesce::merge_tables_at;
use super::log::{Log, Path};
use bowsprit_value::{Map, Str, Value, strconv};

const GLOBAL: &[u8] = b"global";

/// Helm's `coalesceGlobals`: lays the parent's globals over those of the subchart.
///
/// Tables are copied one level deep only, as in Go: what lies deeper is one reference in parent and
/// subchart, and a merge into it shows in both.
pub(crate) fn coalesce_globals(dest: &Map, src: &Map, prefix: Path, log: &mut Log) {
    let Some(into) = table_of(dest, "destination", log) else { return };
    let Some(from) = table_of(src, "source", log) else { return };
    for (key, value) in from.entries().iter() {
        match (value, into.get(key.as_bytes())) {
            (Value::Map(table), found) => hand_down(&into, key, table, found, prefix, log),
            (_, Some(Value::Map(_))) => log.info(format!("key {key} is table. Skipping")),
            _ => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
    dest.insert(Str::from_static("global"), Value::Map(into));
}

fn hand_down(
    into: &Map,
    key: &Str,
    table: &Map,
    found: Option<Value>,
    prefix: Path,
    log: &mut Log,
) {
    let copy = Map::from_entries(table.entries().iter().map(|(k, v)| (k.clone(), v.clone())));
    match found {
        None => {}
        Some(Value::Map(own)) => {
            let path = log.path(prefix, key);
            merge_tables_at(&copy, &own, path, log);
        }
        Some(_) => {
            let key = strconv::quote(key.as_bytes());
            let key = String::from_utf8_lossy(&key);
            log.info(format!("Conflict: cannot merge map onto non-map for {key}. Skipping."));
            return;
        }
    }
    into.insert(key.clone(), Value::Map(copy));
}

fn table_of(values: &Map, side: &str, log: &mut Log) -> Option<Map> {
    match values.get(GLOBAL) {
        None => Some(Map::new()),
        Some(Value::Map(map)) => Some(map),
        Some(_) => {
            log.info(format!("warning: skipping globals because {side} global is not a table."));
            None
        }
    }
}
