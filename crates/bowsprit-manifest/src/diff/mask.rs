//! What Secrets hold is not for logs and comments.

use crate::identity::Identity;
use bowsprit_value::{Map, Str, Value};

const FIELDS: [&[u8]; 2] = [b"data", b"stringData"];
/// An older apply keeps the whole object here.
const LAST_APPLIED: &[u8] = b"kubectl.kubernetes.io/last-applied-configuration";

/// Both sides of a change, without what a Secret holds. That an entry differs stays visible.
pub(super) fn masked(
    before: Option<Value>,
    after: Option<Value>,
    identity: &Identity,
) -> (Option<Value>, Option<Value>) {
    if identity.kind != "Secret" || !identity.group().is_empty() {
        return (before, after);
    }
    let masked_before = before.as_ref().map(|value| side(value, after.as_ref(), false));
    let masked_after = after.as_ref().map(|value| side(value, before.as_ref(), true));
    (masked_before, masked_after)
}

/// Made anew, so that nothing of the object itself is left in it.
fn side(value: &Value, other: Option<&Value>, is_after: bool) -> Value {
    let Value::Map(object) = value else { return value.clone() };
    let other = other.and_then(Value::as_map);
    let masked = object.peek();
    Value::Map(Map::from_entries(masked.iter().map(|(key, value)| {
        let value = match value {
            Value::Map(table) if FIELDS.contains(&key.as_bytes()) => {
                let other = other.and_then(|other| other.get(key.as_bytes()));
                entries(table, other.as_ref().and_then(Value::as_map), is_after).into()
            }
            value if *key == "metadata" => without_last_applied(value, false),
            value => value.clone(),
        };
        (key.clone(), value)
    })))
}

/// Metadata, or its annotations, without the copy of the whole object.
fn without_last_applied(value: &Value, in_annotations: bool) -> Value {
    let Value::Map(map) = value else { return value.clone() };
    let entries = map.peek();
    Value::Map(Map::from_entries(entries.iter().map(|(key, value)| {
        let value = match value {
            _ if in_annotations && key.as_bytes() == LAST_APPLIED => "***".into(),
            value if !in_annotations && *key == "annotations" => without_last_applied(value, true),
            value => value.clone(),
        };
        (key.clone(), value)
    })))
}

fn entries(table: &Map, other: Option<&Map>, is_after: bool) -> Map {
    Map::from_entries(table.peek().iter().map(|(key, value)| {
        let size = value.as_str().map_or(0, Str::len);
        let same = match (value, other.and_then(|other| other.get(key.as_bytes()))) {
            (Value::Str(a), Some(Value::Str(b))) => *a == b,
            (_, Some(_)) => true,
            (_, None) => true,
        };
        let text = match (same, is_after) {
            (true, _) => format!("*** ({size} bytes)"),
            (false, false) => format!("*** ({size} bytes, before)"),
            (false, true) => format!("*** ({size} bytes, after)"),
        };
        (key.clone(), Value::from(text))
    }))
}

#[cfg(test)]
mod tests {
    use crate::diff::{ObjectSet, TextOptions, diff};

    fn objects(data: &str) -> ObjectSet {
        let text = format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n  annotations:\n    \
             kubectl.kubernetes.io/last-applied-configuration: '{{\"data\": \"c2VjcmV0\"}}'\n{data}"
        );
        ObjectSet::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn nothing_of_a_secret_is_shown() {
        let before = objects("data: {same: c2VjcmV0, changed: c2VjcmV0MQ==, gone: c2VjcmV0Mg==}\n");
        let after =
            objects("data: {same: c2VjcmV0, changed: c2VjcmV0Mw==}\nstringData: {new: secret}");
        let difference = diff(&before, &after);
        let paths: Vec<&str> =
            difference.changes[0].fields.iter().map(|field| field.path.as_str()).collect();
        assert_eq!(paths, ["data.changed", "data.gone", "stringData"]);
        let text = difference.to_text(&TextOptions::default());
        let markdown = difference.to_markdown(&Default::default());
        let debug = format!("{difference:?}");
        for shown in [text, markdown, debug] {
            assert!(!shown.contains("c2VjcmV0") && !shown.contains(": secret"), "{shown}");
            assert!(shown.contains("*** (12 bytes, before)"), "{shown}");
        }
    }
}
