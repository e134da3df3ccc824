//! The values that a test renders with.

use crate::run::World;
use crate::suite::{Suite, Test};
use bowsprit_chart::path;
use bowsprit_render::values::merge_values_tables;
use bowsprit_value::{Map, Meter, Str, Value};
use bowsprit_yaml::{AnyMap, decode, decode_any, encode};

/// The values of files and of `set`, those of the test over those of its suite, as they come out of a values
/// file that was written of them: all numbers are floats.
pub(crate) fn user_values(suite: &Suite, test: &Test, world: &dyn World) -> Result<Map, String> {
    let mut base = Map::new();
    let mut log = Vec::new();
    let dir = match suite.file.rsplit_once('/') {
        Some((dir, _)) => format!("{dir}/"),
        None => String::new(),
    };
    for name in &test.values {
        let file = if name.starts_with('/') {
            name.clone()
        } else {
            let joined = path::clean(format!("{dir}{name}").as_bytes());
            String::from_utf8_lossy(&joined).into_owned()
        };
        let text = world.read(&file)?;
        let failed = |text: String| format!("failed to parse {name}: {text}");
        let value = decode_any(&text).map_err(|error| failed(error.to_string()))?;
        let table = match &value {
            Value::Nil => Map::new(),
            Value::Map(map) => map.clone(),
            other => match other.downcast::<AnyMap>() {
                Some(map) => map.to_map(),
                None => {
                    let text = "yaml: unmarshal errors:\n  line 1: cannot unmarshal it into \
                                map[string]interface {}";
                    return Err(failed(text.to_owned()));
                }
            },
        };
        base = over(&base, &scoped(&suite.route, table), &mut log);
    }
    for set in [&suite.set, &test.set] {
        for (path, value) in set.entries().iter() {
            // What is merged is written to, and the suite serves for other tests too.
            let table = crate::set::table(&path.to_string_lossy(), copied(value))?;
            base = over(&base, &scoped(&suite.route, table), &mut log);
        }
    }
    let mut text = Vec::new();
    encode(&Value::Map(base), &mut text, &Meter::default()).map_err(|error| error.to_string())?;
    match decode(&text).map_err(|error| error.to_string())? {
        Value::Map(map) => Ok(map),
        _ => Ok(Map::new()),
    }
}

fn over(base: &Map, table: &Map, log: &mut Vec<bowsprit_chart::LogLine>) -> Map {
    merge_values_tables(table, base, log);
    table.clone()
}

fn copied(value: &Value) -> Value {
    match value {
        Value::Map(map) => Value::Map(map.fork()),
        other => other.clone(),
    }
}

/// The table where the chart's own values have their place among those of the root; globals are those of all.
fn scoped(route: &str, values: Map) -> Map {
    let names: Vec<&str> = route.split('/').step_by(2).collect();
    let mut scoped = values;
    for name in names.iter().skip(1).rev() {
        let mut entries = Vec::new();
        entries.extend(scoped.get(b"global").map(|global| (Str::from_static("global"), global)));
        entries.push((Str::from(*name), Value::Map(scoped)));
        scoped = Map::from_entries(entries);
    }
    scoped
}
