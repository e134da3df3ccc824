//! `values.yaml`.

use super::Linter;
use crate::source::Entry;
use bowsprit_chart::{Bytes, Chart};
use bowsprit_render::values::coalesce_values_tables;
use bowsprit_render::values::schema::CompiledSchema;
use bowsprit_value::{Map, Value};
use std::sync::Arc;

const FILE: &str = "values.yaml";

impl Linter<'_> {
    pub(super) fn values(&mut self) {
        let text = match &self.source.values {
            Entry::Missing => return self.info("HL020", FILE, "file does not exist"),
            Entry::Directory => {
                let dir = &self.source.dir;
                let text = format!("unable to parse YAML: read {dir}/{FILE}: is a directory");
                return self.error("HL021", FILE, text);
            }
            Entry::Unreadable(error) => {
                return self.error("HL021", FILE, format!("unable to parse YAML: {error}"));
            }
            Entry::File(bytes) => bytes.as_bytes(),
        };
        let values = match self.loaded_values(text).map_or_else(|| read(text), Ok) {
            Ok(values) => values,
            Err(error) => {
                return self.error("HL021", FILE, format!("unable to parse YAML: {error}"));
            }
        };
        let user = self.options.values.entries();
        let all = Map::from_entries(
            user.iter().filter(|(_, v)| !v.is_nil()).map(|(k, v)| (k.clone(), v.clone())),
        );
        coalesce_values_tables(&all, &values, &mut self.log);
        let schema = match &self.source.schema {
            Entry::File(schema) if !schema.as_bytes().is_empty() => schema.as_bytes(),
            _ => return,
        };
        if self.options.skip_schema_validation {
            return;
        }
        let compiled = match self.compiled_chart() {
            Some((chart, compiled)) if is_schema_of(chart, schema) => {
                compiled.schema(chart, schema)
            }
            _ => CompiledSchema::compile(schema, None).map(Arc::new),
        };
        let outcome = compiled.and_then(|schema| schema.validate(&all));
        if let Err(error) = outcome {
            self.error("HL022", FILE, error.to_string());
        }
    }

    /// What loading the chart has made of the same text. Only there do several documents count.
    fn loaded_values(&self, text: &[u8]) -> Option<Map> {
        let chart = &self.source.chart.as_ref().ok()?.output;
        let same = is_it(chart.values_source.as_ref()?, text);
        (same && bowsprit_yaml::is_one_document(text)).then(|| chart.values.fork())
    }
}

/// Whether loading the chart has found the same schema.
fn is_schema_of(chart: &Chart, schema: &[u8]) -> bool {
    chart.schema.as_ref().is_some_and(|own| is_it(own, schema))
}

/// Whether a file of the chart is what was read. A chart from a cache was found to be what lies there; it is not
/// loaded again to compare them.
fn is_it(own: &Bytes, read: &[u8]) -> bool {
    if own.is_left_out() { own.len() == read.len() } else { own.as_bytes() == read }
}

/// One document into Helm's `Values`.
fn read(text: &[u8]) -> Result<Map, String> {
    let name = match bowsprit_yaml::decode(text).map_err(|error| error.to_string())? {
        Value::Map(map) => return Ok(map),
        Value::Nil => return Ok(Map::new()),
        Value::Bool(_) => "bool",
        Value::Float(_) => "number",
        Value::List(_) => "array",
        _ => "string",
    };
    Err(format!(
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {name} into Go value \
         of type common.Values"
    ))
}
