//! Policies read from their documents.

use super::overriders::{
    ArgsOverrider, Component, FieldOverrider, ImageOverrider, LabelsOverrider, Operator,
    Overriders, Plaintext,
};
use bowsprit_manifest::string_map;
use bowsprit_value::{Map, Value};

impl Overriders {
    /// Reads the field `overriders` of a policy. None where it is no mapping, or has an operator or a
    /// component that Karmada does not know.
    pub fn of_value(value: &Value) -> Option<Overriders> {
        let map = value.as_map()?;
        let all = |field: &str| maps(map, field);
        Some(Overriders {
            image: all("imageOverrider").iter().map(image).collect::<Option<_>>()?,
            command: all("commandOverrider").iter().map(args).collect::<Option<_>>()?,
            args: all("argsOverrider").iter().map(args).collect::<Option<_>>()?,
            labels: all("labelsOverrider").iter().map(labels).collect::<Option<_>>()?,
            annotations: all("annotationsOverrider").iter().map(labels).collect::<Option<_>>()?,
            field: all("fieldOverrider").iter().map(field).collect::<Option<_>>()?,
            plaintext: steps(map, "plaintext", "path")?,
        })
    }
}

/// The mappings in a list.
pub(super) fn maps(map: &Map, field: &str) -> Vec<Map> {
    let list = map.get(field.as_bytes());
    let items = list.as_ref().and_then(Value::as_list).into_iter().flatten();
    items.filter_map(|item| item.as_map().cloned()).collect()
}

/// The mapping at a field; an empty one where there is none.
pub(super) fn map_at(map: &Map, field: &str) -> Map {
    map.get(field.as_bytes()).and_then(|value| value.as_map().cloned()).unwrap_or_default()
}

/// The text at a field; empty where there is none.
pub(super) fn text(map: &Map, field: &str) -> String {
    let value = map.get(field.as_bytes());
    let text = value.as_ref().and_then(Value::as_str);
    text.map(|text| text.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The strings in a list.
pub(super) fn texts(map: &Map, field: &str) -> Vec<String> {
    let list = map.get(field.as_bytes());
    let items = list.as_ref().and_then(Value::as_list).into_iter().flatten();
    items.filter_map(|item| Some(item.as_str()?.to_string_lossy().into_owned())).collect()
}

fn operator(map: &Map) -> Option<Operator> {
    Operator::parse(&text(map, "operator"))
}

fn image(map: &Map) -> Option<ImageOverrider> {
    let path = text(&map_at(map, "predicate"), "path");
    Some(ImageOverrider {
        component: Component::parse(&text(map, "component"))?,
        operator: operator(map)?,
        value: text(map, "value"),
        path: Some(path).filter(|path| !path.is_empty()),
    })
}

fn args(map: &Map) -> Option<ArgsOverrider> {
    Some(ArgsOverrider {
        container: text(map, "containerName"),
        operator: operator(map)?,
        value: texts(map, "value"),
    })
}

fn labels(map: &Map) -> Option<LabelsOverrider> {
    let value = string_map(map.get(b"value").as_ref());
    Some(LabelsOverrider { operator: operator(map)?, value })
}

fn field(map: &Map) -> Option<FieldOverrider> {
    Some(FieldOverrider {
        path: text(map, "fieldPath"),
        json: steps(map, "json", "subPath")?,
        yaml: steps(map, "yaml", "subPath")?,
    })
}

fn steps(map: &Map, list: &str, path: &str) -> Option<Vec<Plaintext>> {
    let step = |step: &Map| {
        let operator = operator(step)?;
        Some(Plaintext { path: text(step, path), operator, value: step.get(b"value") })
    };
    maps(map, list).iter().map(step).collect()
}
