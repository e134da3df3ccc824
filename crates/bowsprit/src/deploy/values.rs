//! What an upgrade does with the values of the revision before it.

use bowsprit_apply::Record;
use bowsprit_chart::{Chart, Metadata};
use bowsprit_render::plan::plan;
use bowsprit_render::values::ValuesError;
use bowsprit_value::{Map, Str, Value};
use std::sync::Arc;

/// Which values an upgrade starts from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReuseValues {
    /// The new ones; the old ones where no new ones are given.
    #[default]
    IfNoneGiven,
    /// The new ones alone (`--reset-values`).
    Reset,
    /// The old ones below the new ones, over the old chart's defaults (`--reuse-values`).
    Reuse,
    /// The old ones below the new ones, over the new chart's defaults (`--reset-then-reuse-values`).
    ResetThenReuse,
}

/// The user's values of an upgrade, and the default values that the chart shall have instead of its own,
/// if it shall.
///
/// # Errors
///
/// Fails where the old values can't be laid over the old chart's.
pub fn reuse_values(
    how: ReuseValues,
    current: Option<&Record>,
    new: &Map,
) -> Result<(Map, Option<Map>), ValuesError> {
    let Some(current) = current else { return Ok((new.clone(), None)) };
    let old = current.config.as_map().cloned().unwrap_or_default();
    match how {
        ReuseValues::Reset => Ok((new.clone(), None)),
        ReuseValues::IfNoneGiven if new.is_empty() => Ok((old, None)),
        ReuseValues::IfNoneGiven => Ok((new.clone(), None)),
        ReuseValues::ResetThenReuse => Ok((over(new, &old), None)),
        ReuseValues::Reuse => {
            let defaults = computed_values(current)?;
            Ok((over(new, &old), Some(defaults)))
        }
    }
}

/// A record's user values over its chart's defaults, as `helm get values --all` shows them.
///
/// # Errors
///
/// Fails where the values don't fit together.
pub fn computed_values(record: &Record) -> Result<Map, ValuesError> {
    let defaults = record.chart.as_map().and_then(|chart| chart.get(b"values"));
    let metadata = Metadata {
        name: record.chart_text("name"),
        version: record.chart_text("version"),
        api_version: "v2".to_owned(),
        ..Metadata::default()
    };
    let chart = Chart {
        metadata,
        lock: None,
        templates: Vec::new(),
        files: Vec::new(),
        values: defaults.and_then(|defaults| defaults.as_map().cloned()).unwrap_or_default(),
        values_source: None,
        schema: None,
        dependencies: Vec::new(),
    };
    let user = record.config.as_map().cloned().unwrap_or_default();
    Ok(plan(&Arc::new(chart), &user, &mut Vec::new())?.values)
}

/// Go's `CoalesceTables`: the new values with the old ones where they say nothing. Nulls take away.
fn over(new: &Map, old: &Map) -> Map {
    let merged = Map::new();
    for (key, value) in new.entries().iter() {
        match (value, old.get(key.as_bytes())) {
            (Value::Nil, Some(_)) => {}
            (Value::Map(new), Some(Value::Map(old))) => {
                merged.insert(key.clone(), Value::Map(over(new, &old)));
            }
            (value, _) => {
                merged.insert(key.clone(), value.clone());
            }
        }
    }
    for (key, value) in old.entries().iter() {
        if !new.contains(key.as_bytes()) {
            merged.insert(Str::clone(key), value.clone());
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use bowsprit_value::json;

    fn map(text: &str) -> Map {
        json::decode_map(text.as_bytes()).unwrap()
    }

    fn text(map: &Map) -> String {
        let mut out = Vec::new();
        let meter = bowsprit_value::Meter::default();
        json::encode(&Value::Map(map.clone()), &json::Options::default(), &mut out, &meter)
            .unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn old_values_are_taken_over_as_in_helm() {
        let mut current = Record::new("a", "b", 1);
        current.chart =
            json::decode(br#"{"metadata":{"name":"c"},"values":{"d":1,"x":{"y":1}}}"#).unwrap();
        current.config = json::decode(br#"{"a":1,"x":{"z":2}}"#).unwrap();
        let new = map(r#"{"x":{"w":3},"n":4}"#);
        for (how, new, want, defaults) in [
            (ReuseValues::IfNoneGiven, &Map::new(), r#"{"a":1,"x":{"z":2}}"#, None),
            (ReuseValues::IfNoneGiven, &new, r#"{"n":4,"x":{"w":3}}"#, None),
            (ReuseValues::Reset, &Map::new(), "{}", None),
            (ReuseValues::ResetThenReuse, &new, r#"{"a":1,"n":4,"x":{"w":3,"z":2}}"#, None),
            (
                ReuseValues::Reuse,
                &new,
                r#"{"a":1,"n":4,"x":{"w":3,"z":2}}"#,
                Some(r#"{"a":1,"d":1,"x":{"y":1,"z":2}}"#),
            ),
        ] {
            let (values, over) = reuse_values(how, Some(&current), new).unwrap();
            assert_eq!(text(&values), want, "{how:?}");
            assert_eq!(over.map(|over| text(&over)).as_deref(), defaults, "{how:?}");
        }
    }
}
