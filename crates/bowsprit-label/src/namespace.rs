//! The namespace of a release, as an object.

use crate::options::Options;
use bowsprit_value::{Map, Meter, Value};

/// A Namespace with the labels and annotations of a release, as YAML.
///
/// ```
/// let options = bowsprit_label::Options::release("demo", "web");
/// let text = bowsprit_label::namespace("prod", &options);
/// assert!(text.contains("app.kubernetes.io/instance: demo"));
/// ```
pub fn namespace(name: &str, options: &Options) -> String {
    let mut metadata = vec![("name".into(), Value::from(name))];
    for (field, entries) in [("annotations", &options.annotations), ("labels", &options.labels)] {
        if !entries.is_empty() {
            let entries = entries.iter().map(|(k, v)| (k.as_str().into(), Value::from(v.as_str())));
            metadata.push((field.into(), Value::Map(Map::from_entries(entries))));
        }
    }
    let object = Map::from_entries([
        ("apiVersion".into(), Value::from("v1")),
        ("kind".into(), Value::from("Namespace")),
        ("metadata".into(), Value::Map(Map::from_entries(metadata))),
    ]);
    let mut text = Vec::new();
    // Strings in maps always have a YAML form, but for a DEL, which no name may have.
    let _ = bowsprit_yaml::encode(&Value::Map(object), &mut text, &Meter::default());
    String::from_utf8_lossy(&text).into_owned()
}
