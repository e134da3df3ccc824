//! Documents made of values.

use bowsprit_manifest::{LabelSelector, Labels, Operator};
use bowsprit_value::{Map, Meter, Str, Value};

/// A mapping.
pub(crate) fn map<'k>(entries: impl IntoIterator<Item = (&'k str, Value)>) -> Value {
    Value::Map(Map::from_entries(entries.into_iter().map(|(k, v)| (Str::from(k), v))))
}

/// A list of strings.
pub(crate) fn strings<S: AsRef<str>>(items: impl IntoIterator<Item = S>) -> Value {
    Value::list(items.into_iter().map(|item| Value::from(item.as_ref())).collect())
}

/// A mapping of strings.
pub(crate) fn labels(labels: &Labels) -> Value {
    map(labels.iter().map(|(k, v)| (k.as_str(), Value::from(v.as_str()))))
}

/// A label selector as an object: conditions on one value under `matchLabels`, others as expressions.
pub(crate) fn selector(selector: &LabelSelector) -> Value {
    let mut equal = Labels::new();
    let mut expressions = Vec::new();
    for requirement in &selector.requirements {
        let key = &requirement.key;
        match (requirement.operator, requirement.values.as_slice()) {
            (Operator::In, [value]) if !equal.contains_key(key) => {
                equal.insert(key.clone(), value.clone());
            }
            (operator, values) => {
                let mut fields = vec![
                    ("key", Value::from(key.as_str())),
                    ("operator", Value::from(operator.name())),
                ];
                if !values.is_empty() {
                    fields.push(("values", strings(values)));
                }
                expressions.push(map(fields));
            }
        }
    }
    let mut fields = Vec::new();
    if !equal.is_empty() {
        fields.push(("matchLabels", labels(&equal)));
    }
    if !expressions.is_empty() {
        fields.push(("matchExpressions", Value::list(expressions)));
    }
    map(fields)
}

/// An object's document as YAML, with keys in alphabetical order.
///
/// ```
/// let object = bowsprit_yaml::decode(b"{kind: A, apiVersion: v1}")?;
/// assert_eq!(bowsprit_placement::to_yaml(&object), "apiVersion: v1\nkind: A\n");
/// # Ok::<(), bowsprit_yaml::Error>(())
/// ```
pub fn to_yaml(object: &Value) -> String {
    let mut text = Vec::new();
    // Only a DEL in a string has no YAML form; JSON, which YAML contains, has one.
    if bowsprit_yaml::encode(object, &mut text, &Meter::default()).is_err() {
        text.clear();
        text.extend_from_slice(json(object).replace('\u{7f}', "\\u007f").as_bytes());
        text.push(b'\n');
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// A value as JSON in one line.
pub(crate) fn json(value: &Value) -> String {
    let mut text = Vec::new();
    let options = bowsprit_value::json::Options {
        escape_html: false,
        ..bowsprit_value::json::Options::default()
    };
    // Decoded objects hold nothing that JSON lacks.
    let _ = bowsprit_value::json::encode(value, &options, &mut text, &Meter::default());
    String::from_utf8_lossy(&text).into_owned()
}
