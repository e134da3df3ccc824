//! Indexes in memory, and how they are written.

use super::index::{
    IndexError, IndexHead, IndexLimits, NoVersion, Visitor, choose, read_index_file, sort_versions,
};
use bowsprit_chart::{ChartVersion, Warned};
use bowsprit_value::{Map, Meter, Str, Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// An index in memory, for making and merging them.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Index {
    /// What stands beside the charts; the names in it are not used.
    pub head: IndexHead,
    /// The versions of each chart.
    pub charts: BTreeMap<String, Vec<ChartVersion>>,
}

impl Visitor for Index {
    fn wants(&mut self, chart: &str) -> bool {
        self.charts.entry(chart.to_owned()).or_default();
        true
    }

    fn version(&mut self, chart: &str, version: ChartVersion) {
        self.charts.entry(chart.to_owned()).or_default().push(version);
    }

    fn restart(&mut self) {
        self.charts.clear();
    }
}

impl Index {
    /// An empty index, made at a time in RFC 3339.
    pub fn new(generated: impl Into<String>) -> Index {
        let head = IndexHead {
            api_version: "v1".to_owned(),
            generated: generated.into(),
            ..IndexHead::default()
        };
        Index { head, charts: BTreeMap::new() }
    }

    /// Reads all of an index.
    ///
    /// # Errors
    ///
    /// For what is no index.
    pub fn load(path: &Path, limits: &IndexLimits) -> Result<Warned<Index>, IndexError> {
        let mut index = Index::default();
        let read = read_index_file(path, limits, &mut index)?;
        index.head = read.output;
        index.sort();
        Ok(Warned { output: index, warnings: read.warnings })
    }

    /// Chooses a version of a chart, as [`choose`] does.
    ///
    /// # Errors
    ///
    /// Where there is no such chart or version.
    pub fn get(&self, name: &str, wanted: &str) -> Result<Warned<&ChartVersion>, NoVersion> {
        choose(self.charts.get(name).ok_or(NoVersion::Name)?, name, wanted)
    }

    /// Adds what another index has and this one has not.
    pub fn merge(&mut self, other: Index) {
        for version in other.charts.into_values().flatten() {
            let metadata = &version.metadata;
            if self.get(&metadata.name, &metadata.version).is_err() {
                self.charts.entry(metadata.name.clone()).or_default().push(version);
            }
        }
    }

    /// Sorts the versions of each chart, the newest first.
    pub fn sort(&mut self) {
        self.charts.values_mut().for_each(|versions| sort_versions(versions));
    }

    /// The text of an `index.yaml`, as Helm writes it.
    pub fn to_yaml(&self) -> Vec<u8> {
        let mut fields = self.head_fields();
        let charts = self.charts.iter().map(|(name, versions)| {
            let versions: Vec<Value> = versions
                .iter()
                .map(|version| Map::from_entries(fields_of(version)).into())
                .collect();
            (Str::from(name.as_str()), Value::list(versions))
        });
        fields.push(("entries".into(), Map::from_entries(charts).into()));
        let mut out = Vec::new();
        // What came out of YAML or of a chart can be written as YAML.
        let _ =
            bowsprit_yaml::encode(&Map::from_entries(fields).into(), &mut out, &Meter::default());
        out
    }

    /// The same in JSON, indented by two blanks, fields in Helm's order.
    pub fn to_json(&self) -> Vec<u8> {
        let mut compact = b"{".to_vec();
        let head = Map::from_entries(self.head_fields());
        let field = |out: &mut Vec<u8>, name: &str, value: &Value| {
            if out.last() != Some(&b'{') {
                out.push(b',');
            }
            json::append_string(out, name.as_bytes(), true);
            out.push(b':');
            let _ = json::encode(value, &json::Options::default(), out, &Meter::default());
        };
        for name in ["apiVersion", "generated"] {
            field(&mut compact, name, &head.get(name.as_bytes()).unwrap_or_default());
        }
        compact.extend_from_slice(b",\"entries\":{");
        for (index, (name, versions)) in self.charts.iter().enumerate() {
            if index > 0 {
                compact.push(b',');
            }
            json::append_string(&mut compact, name.as_bytes(), true);
            compact.extend_from_slice(b":[");
            for (index, version) in versions.iter().enumerate() {
                if index > 0 {
                    compact.push(b',');
                }
                compact.extend_from_slice(&version_json(version));
            }
            compact.push(b']');
        }
        compact.push(b'}');
        for name in ["publicKeys", "annotations"] {
            if let Some(value) = head.get(name.as_bytes()) {
                field(&mut compact, name, &value);
            }
        }
        compact.push(b'}');
        indented(&compact)
    }

    fn head_fields(&self) -> Vec<(Str, Value)> {
        let head = &self.head;
        let mut fields = vec![
            ("apiVersion".into(), Value::from(head.api_version.as_str())),
            ("generated".into(), Value::from(time(&head.generated))),
        ];
        if !head.public_keys.is_empty() {
            let keys = head.public_keys.iter().map(|key| Str::from(key.as_str()));
            fields.push(("publicKeys".into(), Value::strings(keys)));
        }
        if !head.annotations.is_empty() {
            let pairs = head.annotations.iter();
            let pairs = pairs.map(|(k, v)| (Str::from(k.as_str()), Value::from(v.as_str())));
            fields.push(("annotations".into(), Map::from_entries(pairs).into()));
        }
        fields
    }
}

fn time(text: &str) -> &str {
    if text.is_empty() { "0001-01-01T00:00:00Z" } else { text }
}

/// The fields of a version behind those of the metadata, in Go's order.
fn own_fields(version: &ChartVersion) -> Vec<(Str, Value)> {
    let urls = match &version.urls {
        None => Value::Nil,
        Some(urls) => Value::strings(urls.iter().map(|url| Str::from(url.as_str()))),
    };
    let mut fields =
        vec![("urls".into(), urls), ("created".into(), Value::from(time(&version.created)))];
    if version.removed {
        fields.push(("removed".into(), Value::Bool(true)));
    }
    for (name, text) in [
        ("digest", &version.digest),
        ("checksum", &version.checksum),
        ("engine", &version.engine),
        ("tillerVersion", &version.tiller_version),
        ("url", &version.url),
    ] {
        if !text.is_empty() {
            fields.push((name.into(), Value::from(text.as_str())));
        }
    }
    fields
}

fn fields_of(version: &ChartVersion) -> Vec<(Str, Value)> {
    let mut fields = own_fields(version);
    if let Value::Map(metadata) = version.metadata.to_value() {
        fields.extend(metadata.entries().iter().map(|(k, v)| (k.clone(), v.clone())));
    }
    fields
}

fn version_json(version: &ChartVersion) -> Vec<u8> {
    let mut out = version.metadata.to_json().unwrap_or_else(|_| b"{}".to_vec());
    out.pop();
    for (name, value) in own_fields(version) {
        if out.last() != Some(&b'{') {
            out.push(b',');
        }
        json::append_string(&mut out, name.as_bytes(), true);
        out.push(b':');
        let _ = json::encode(&value, &json::Options::default(), &mut out, &Meter::default());
    }
    out.push(b'}');
    out
}

/// `json.Indent` with two blanks.
fn indented(compact: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(compact.len() * 2);
    let mut depth = 0;
    let mut in_string = false;
    let mut escaped = false;
    let line = |out: &mut Vec<u8>, depth: usize| {
        out.push(b'\n');
        out.extend(std::iter::repeat_n(b' ', 2 * depth));
    };
    for (at, &byte) in compact.iter().enumerate() {
        if in_string {
            out.push(byte);
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        let empty = matches!(compact.get(at + 1), Some(b'}' | b']'));
        match byte {
            b'{' | b'[' => {
                out.push(byte);
                depth += 1;
                if !empty {
                    line(&mut out, depth);
                }
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if !matches!(out.last(), Some(b'{' | b'[')) {
                    line(&mut out, depth);
                }
                out.push(byte);
            }
            b',' => {
                out.push(byte);
                line(&mut out, depth);
            }
            b':' => out.extend_from_slice(b": "),
            _ => {
                in_string = byte == b'"';
                out.push(byte);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::index::tests::{YAML, read};
    use super::*;

    #[test]
    fn indexes_are_written() {
        let (index, _) = read(YAML).unwrap();
        let (again, _) = read(&String::from_utf8(index.to_yaml()).unwrap()).unwrap();
        assert_eq!(again.to_yaml(), index.to_yaml());
        let (json, _) = read(&String::from_utf8(index.to_json()).unwrap()).unwrap();
        assert_eq!(json.to_yaml(), index.to_yaml());
        let empty = Index::new("2020-01-02T03:04:05Z");
        let want = "apiVersion: v1\nentries: {}\ngenerated: \"2020-01-02T03:04:05Z\"\n";
        assert_eq!(String::from_utf8(empty.to_yaml()).unwrap(), want);
        let want = "{\n  \"apiVersion\": \"v1\",\n  \"generated\": \"2020-01-02T03:04:05Z\",\n  \"entries\": {}\n}";
        assert_eq!(String::from_utf8(empty.to_json()).unwrap(), want);
    }
}
