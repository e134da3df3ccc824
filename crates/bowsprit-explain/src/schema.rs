//! A JSON schema for a chart's values, from its defaults, their comments, and what templates read.
//!
//! Types are those of the defaults; a null says nothing. Values that templates read by name and that
//! `values.yaml` does not have are named too. Where all keys of a table are read by name, no other can
//! matter: `strict` forbids them, so that a misspelt key is an error.

use crate::keys::{Key, keys, last};
use bowsprit_chart::Chart;
use bowsprit_render::reads::{Place, Reads};
use bowsprit_value::Value;
use serde_json::{Map, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How a schema is inferred.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Forbids keys that no template reads.
    pub strict: bool,
}

/// Infers the schema of a chart's values: the text of a `values.schema.json`.
///
/// ```
/// use bowsprit_chart::{Chart, File, Limits};
/// use std::sync::Arc;
///
/// let files = vec![
///     File::new("Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.1.0\n"),
///     File::new("values.yaml", "# -- how many pods\nreplicas: 1\n"),
///     File::new("templates/a.yaml", "a: {{ .Values.replicas }}{{ .Values.other }}\n"),
/// ];
/// let chart = Arc::new(Chart::from_files(files, &Limits::default())?.output);
/// let options = bowsprit_explain::schema::Options { strict: true };
/// let schema = bowsprit_explain::schema::infer(&chart, options);
/// assert_eq!(schema["properties"]["replicas"]["type"], "integer");
/// assert_eq!(schema["properties"]["replicas"]["description"], "how many pods");
/// assert!(schema["properties"]["other"].is_object());
/// assert_eq!(schema["additionalProperties"], false);
/// # Ok::<(), bowsprit_chart::Error>(())
/// ```
pub fn infer(chart: &Arc<Chart>, options: Options) -> serde_json::Value {
    let text = chart.values_source.as_ref().map(|text| text.as_bytes()).unwrap_or_default();
    let reads = Reads::of(chart, &[text]);
    let subcharts: BTreeSet<String> = chart
        .metadata
        .dependencies()
        .map(|dependency| dependency.key().to_owned())
        .chain(chart.dependencies.iter().map(|sub| sub.metadata.name.clone()))
        .collect();
    let writer = Writer { reads: reads.as_ref(), subcharts, options };
    let places: Vec<Place> = reads.iter().map(Reads::root).collect();
    let mut schema = writer.table(&keys(text), &places, Above { root: true, whole: false });
    let mut document = Map::new();
    document.insert("$schema".into(), "http://json-schema.org/draft-07/schema#".into());
    document.insert("title".into(), format!("Values of {}", chart.metadata.name).into());
    document.append(&mut schema);
    serde_json::Value::Object(document)
}

/// What a table stands below.
#[derive(Clone, Copy)]
struct Above {
    /// Nothing: it is the chart's values.
    root: bool,
    /// A table that is used as a whole, so that any key here can matter.
    whole: bool,
}

struct Writer<'r> {
    reads: Option<&'r Reads>,
    subcharts: BTreeSet<String>,
    options: Options,
}

impl Writer<'_> {
    fn table(
        &self,
        keys: &[Key],
        places: &[Place],
        above: Above,
    ) -> Map<String, serde_json::Value> {
        let root = above.root;
        let whole = above.whole || places.iter().any(|place| self.is_whole(*place));
        let mut properties = Map::new();
        for key in keys {
            let name = last(&key.path).to_string_lossy().into_owned();
            let below = self.below(places, &name);
            let foreign = root && (self.subcharts.contains(&name) || name == "global");
            let schema = if foreign { self.foreign(key) } else { self.key(key, &below, whole) };
            properties.insert(name, serde_json::Value::Object(schema));
        }
        for name in places.iter().flat_map(|place| self.names(*place)) {
            // Numbers are items of lists.
            if !properties.contains_key(&name) && !name.bytes().all(|b| b.is_ascii_digit()) {
                let foreign = root && (self.subcharts.contains(&name) || name == "global");
                let schema = if foreign { json!({"type": "object"}) } else { json!({}) };
                properties.insert(name, schema);
            }
        }
        let mut schema = Map::new();
        schema.insert("type".into(), "object".into());
        let closed = self.options.strict
            && !whole
            && !places.is_empty()
            && places.iter().all(|p| self.closed(*p));
        if !properties.is_empty() {
            if root && closed {
                // Helm puts these into the values of every chart.
                properties.entry("global").or_insert_with(|| json!({"type": "object"}));
            }
            schema.insert("properties".into(), properties.into());
            if closed {
                schema.insert("additionalProperties".into(), false.into());
            }
        }
        schema
    }

    /// The values of a subchart have their own schema.
    fn foreign(&self, key: &Key) -> Map<String, serde_json::Value> {
        let mut schema = Map::new();
        if matches!(key.value, Value::Map(_)) {
            schema.insert("type".into(), "object".into());
        }
        described(&mut schema, key);
        schema
    }

    fn key(&self, key: &Key, places: &[Place], whole: bool) -> Map<String, serde_json::Value> {
        let mut schema = match &key.value {
            Value::Map(_) => self.table(&key.below, places, Above { root: false, whole }),
            Value::List(_) => self.list(key),
            value => scalar(value),
        };
        described(&mut schema, key);
        schema
    }

    fn list(&self, key: &Key) -> Map<String, serde_json::Value> {
        let mut schema = Map::new();
        schema.insert("type".into(), "array".into());
        let types: BTreeSet<&str> = key.below.iter().filter_map(|item| kind(&item.value)).collect();
        if let [only] = types.iter().copied().collect::<Vec<_>>().as_slice()
            && key.below.iter().all(|item| kind(&item.value).is_some())
        {
            schema.insert("items".into(), json!({"type": only}));
        }
        schema
    }

    fn below(&self, places: &[Place], name: &str) -> Vec<Place> {
        let Some(reads) = self.reads else { return Vec::new() };
        places.iter().flat_map(|place| reads.children(*place, name)).collect()
    }

    fn names(&self, place: Place) -> Vec<String> {
        let Some(reads) = self.reads else { return Vec::new() };
        let is_read = |name: &&str| reads.children(place, name).any(|child| reads.is_read(child));
        reads.keys(place).filter(is_read).map(str::to_owned).collect()
    }

    fn is_whole(&self, place: Place) -> bool {
        self.reads.is_some_and(|reads| reads.is_whole(place))
    }

    /// Whether no key is read but by its name.
    fn closed(&self, place: Place) -> bool {
        const NOBODY: &str = "\u{0}";
        self.reads.is_some_and(|reads| reads.children(place, NOBODY).next().is_none())
    }
}

fn kind(value: &Value) -> Option<&'static str> {
    Some(match value {
        Value::Bool(_) => "boolean",
        Value::Str(_) => "string",
        Value::Int(..) => "integer",
        Value::Float(number) if number.fract() == 0.0 => "integer",
        Value::Float(_) => "number",
        Value::List(_) => "array",
        Value::Map(_) => "object",
        _ => return None,
    })
}

fn scalar(value: &Value) -> Map<String, serde_json::Value> {
    let mut schema = Map::new();
    if let Some(kind) = kind(value) {
        schema.insert("type".into(), kind.into());
    }
    let default = match value {
        Value::Bool(truth) => (*truth).into(),
        Value::Str(text) => text.to_string_lossy().into_owned().into(),
        Value::Int(_, number) => (*number).into(),
        Value::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
            (*number as i64).into()
        }
        Value::Float(number) => (*number).into(),
        _ => return schema,
    };
    schema.insert("default".into(), default);
    schema
}

fn described(schema: &mut Map<String, serde_json::Value>, key: &Key) {
    if !key.comment.text.is_empty() {
        schema.insert("description".into(), key.comment.text.as_str().into());
    }
}
