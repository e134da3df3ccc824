//! Release records: what Helm knows of a release, as it stores it.
//!
//! A record is JSON, compressed, in base64. What a chart consists of is kept as it was read, so that a
//! record that Helm wrote loses nothing here.

use crate::definitions::Seen;
use crate::error::{Error, ErrorKind, Result};
use crate::time::Time;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bowsprit_manifest::Hook;
use bowsprit_value::json::{self, Options};
use bowsprit_value::{Map, Meter, Str, Value};
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read as _, Write as _};
use std::sync::Arc;

/// More than any Secret could hold, unless it is a bomb.
const MAX_INFLATED: u64 = 512 << 20;

/// The state of a revision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Status {
    #[default]
    Unknown,
    Deployed,
    Uninstalled,
    Superseded,
    Failed,
    Uninstalling,
    PendingInstall,
    PendingUpgrade,
    PendingRollback,
}

impl Status {
    const ALL: [Status; 9] = [
        Status::Unknown,
        Status::Deployed,
        Status::Uninstalled,
        Status::Superseded,
        Status::Failed,
        Status::Uninstalling,
        Status::PendingInstall,
        Status::PendingUpgrade,
        Status::PendingRollback,
    ];

    /// Helm's name of the state.
    pub const fn name(self) -> &'static str {
        match self {
            Status::Unknown => "unknown",
            Status::Deployed => "deployed",
            Status::Uninstalled => "uninstalled",
            Status::Superseded => "superseded",
            Status::Failed => "failed",
            Status::Uninstalling => "uninstalling",
            Status::PendingInstall => "pending-install",
            Status::PendingUpgrade => "pending-upgrade",
            Status::PendingRollback => "pending-rollback",
        }
    }

    pub(crate) fn parse(name: &str) -> Status {
        Status::ALL.into_iter().find(|status| status.name() == name).unwrap_or_default()
    }

    /// Whether an operation has begun and not ended.
    pub fn is_pending(self) -> bool {
        matches!(self, Status::PendingInstall | Status::PendingUpgrade | Status::PendingRollback)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One revision of a release.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Record {
    /// The release's name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// The revision, from 1.
    pub revision: i64,
    /// What happened to it.
    pub info: Info,
    /// The chart, under the names of Helm's fields: `metadata`, `templates`, `values` and others.
    pub chart: Value,
    /// The user's values; nil without any.
    pub config: Value,
    /// The text of all objects.
    pub manifest: String,
    /// The hooks.
    pub hooks: Vec<RecordHook>,
    /// The user's labels of the record.
    pub labels: BTreeMap<String, String>,
    /// `ssa` or `csa`; empty in records of older Helms, which means the latter.
    pub apply_method: String,
    /// What is remembered of definitions; no part of Helm's record.
    pub(crate) seen: Seen,
    /// The part that an operation does not change, ready to be stored.
    packed: Option<Arc<[u8]>>,
}

/// What happened to a revision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Info {
    /// When the release was first deployed.
    pub first_deployed: Option<Time>,
    /// When this revision was.
    pub last_deployed: Option<Time>,
    /// When it was uninstalled.
    pub deleted: Option<Time>,
    /// A line for people.
    pub description: String,
    /// The state.
    pub status: Status,
    /// The chart's notes.
    pub notes: String,
}

/// A hook as records hold it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordHook {
    /// `metadata.name`.
    pub name: String,
    /// `kind`.
    pub kind: String,
    /// The template that it comes from.
    pub path: String,
    /// The document's text.
    pub manifest: String,
    /// When it runs, by Helm's names.
    pub events: Vec<String>,
    /// When it last ran.
    pub last_run: LastRun,
    /// Lower weights run first.
    pub weight: i64,
    /// When it is deleted.
    pub delete_policies: Vec<String>,
    /// When its logs are printed.
    pub output_log_policies: Vec<String>,
}

/// When a hook last ran, and how it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LastRun {
    /// When it began.
    pub started_at: Option<Time>,
    /// When it ended.
    pub completed_at: Option<Time>,
    /// `Running`, `Succeeded`, `Failed`, `Unknown`, or nothing.
    pub phase: String,
}

impl From<&Hook> for RecordHook {
    fn from(hook: &Hook) -> RecordHook {
        RecordHook {
            name: hook.name.clone(),
            kind: hook.kind.clone(),
            path: hook.path.to_string(),
            manifest: hook.manifest.clone(),
            events: hook.events.iter().map(|event| event.name().to_owned()).collect(),
            last_run: LastRun::default(),
            weight: hook.weight,
            delete_policies: hook.delete_policies.clone(),
            output_log_policies: hook.output_log_policies.clone(),
        }
    }
}

impl Record {
    /// A record to be filled.
    pub fn new(name: impl Into<String>, namespace: impl Into<String>, revision: i64) -> Record {
        Record { name: name.into(), namespace: namespace.into(), revision, ..Record::default() }
    }

    /// Sets state and description.
    pub fn set(&mut self, status: Status, description: impl Into<String>) {
        self.info.status = status;
        self.info.description = description.into();
    }

    /// A text of the chart's metadata, such as `version`; empty where it says nothing.
    pub fn chart_text(&self, field: &str) -> String {
        text(self.chart_metadata(field).as_ref())
    }

    /// A field of the chart's metadata.
    pub fn chart_metadata(&self, field: &str) -> Option<Value> {
        let metadata = self.chart.as_map()?.get(b"metadata")?;
        metadata.as_map()?.get(field.as_bytes())
    }

    /// Chart and version, as lists of releases show them.
    pub fn chart_label(&self) -> String {
        match (self.chart_text("name"), self.chart_text("version")) {
            // What Helm says of records without a chart.
            (name, version) if name.is_empty() && version.is_empty() => "MISSING".to_owned(),
            (name, version) => format!("{name}-{version}"),
        }
    }

    /// The record as `helm ... -o json` shows it, with the chart if that is wanted.
    pub fn to_value(&self, with_chart: bool) -> Value {
        let mut fields = vec![
            ("name", Value::from(self.name.as_str())),
            ("info", self.info.to_value()),
            ("config", self.config.clone()),
            ("manifest", Value::from(self.manifest.as_str())),
            ("hooks", Value::list(self.hooks.iter().map(RecordHook::to_value).collect())),
            ("version", Value::int(self.revision)),
            ("namespace", Value::from(self.namespace.as_str())),
            ("apply_method", Value::from(self.apply_method.as_str())),
        ];
        if with_chart {
            fields.push(("chart", self.chart.clone()));
        }
        fields.retain(|(_, value)| !is_empty(value));
        table(fields)
    }

    /// The text that a Secret's `release` holds, before the Secret's own base64.
    ///
    /// # Errors
    ///
    /// Fails where values can't be written as JSON.
    pub fn encode(&self) -> Result<String> {
        self.encode_behind(&self.pack_constants()?)
    }

    /// As [`Record::encode`], with what [`Record::pack`] has made ready.
    pub(crate) fn encode_packed(&self) -> Result<String> {
        match &self.packed {
            Some(packed) => self.encode_behind(packed),
            None => self.encode(),
        }
    }

    /// Makes the large part ready to be stored, which no operation changes: chart, values and manifest.
    pub(crate) fn pack(&mut self) -> Result<()> {
        self.packed = Some(self.pack_constants()?.into());
        Ok(())
    }

    /// What [`Record::pack`] has made ready, taken over.
    pub(crate) fn pack_as(&mut self, other: &Record) {
        self.packed.clone_from(&other.packed);
    }

    fn pack_constants(&self) -> Result<Vec<u8>> {
        let mut json = encode_json(&self.constants())?;
        if json.pop() == Some(b'}') && json.len() > 1 {
            json.push(b',');
        }
        // The smallest form takes long; it is wanted only where the size matters.
        let quick = compress(&json, Compression::new(6))?;
        if quick.len() < crate::store::MAX_RECORD / 2 {
            return Ok(quick);
        }
        compress(&json, Compression::best())
    }

    /// The rest behind the part that is ready: compressed texts one after the other are one.
    fn encode_behind(&self, packed: &[u8]) -> Result<String> {
        let json = encode_json(&self.variables())?;
        let rest = compress(json.get(1..).unwrap_or_default(), Compression::new(6))?;
        Ok(BASE64.encode([packed, rest.as_slice()].concat()))
    }

    fn constants(&self) -> Value {
        present(vec![
            ("chart", self.chart.clone()),
            ("config", self.config.clone()),
            ("manifest", Value::from(self.manifest.as_str())),
        ])
    }

    fn variables(&self) -> Value {
        present(vec![
            ("name", Value::from(self.name.as_str())),
            ("info", self.info.to_value()),
            ("hooks", Value::list(self.hooks.iter().map(RecordHook::to_value).collect())),
            ("version", Value::int(self.revision)),
            ("namespace", Value::from(self.namespace.as_str())),
            ("apply_method", Value::from(self.apply_method.as_str())),
        ])
    }

    /// Reads what [`Record::encode`] or Helm wrote.
    ///
    /// # Errors
    ///
    /// Fails where that is no record.
    pub fn decode(text: &[u8]) -> Result<Record> {
        let wrong = |e: &dyn fmt::Display| Error::new(ErrorKind::Record, e.to_string());
        let text = text.trim_ascii();
        let mut json = BASE64.decode(text).map_err(|e| wrong(&e))?;
        if json.starts_with(&[0x1f, 0x8b, 0x08]) {
            let mut inflated = Vec::new();
            let mut reader = MultiGzDecoder::new(json.as_slice()).take(MAX_INFLATED + 1);
            reader.read_to_end(&mut inflated).map_err(|e| wrong(&e))?;
            if inflated.len() as u64 > MAX_INFLATED {
                return Err(wrong(&"the record is too large"));
            }
            json = inflated;
        }
        let root = json::decode_map(&json).map_err(|e| wrong(&e))?;
        Ok(Record::from_map(&root))
    }

    fn from_map(root: &Map) -> Record {
        let hooks = root.get(b"hooks");
        let hooks = hooks.iter().filter_map(Value::as_list).flat_map(|list| list.iter());
        Record {
            name: text(root.get(b"name").as_ref()),
            namespace: text(root.get(b"namespace").as_ref()),
            revision: integer(root.get(b"version").as_ref()),
            info: Info::from_value(root.get(b"info").as_ref()),
            chart: root.get(b"chart").unwrap_or_default(),
            config: root.get(b"config").unwrap_or_default(),
            manifest: text(root.get(b"manifest").as_ref()),
            hooks: hooks.filter_map(Value::as_map).map(RecordHook::from_map).collect(),
            labels: BTreeMap::new(),
            apply_method: text(root.get(b"apply_method").as_ref()),
            seen: Seen::new(),
            packed: None,
        }
    }
}

impl Info {
    fn to_value(&self) -> Value {
        let time = |time: &Option<Time>| time.map_or(Value::Nil, |t| Value::from(t.rfc3339()));
        let mut fields = vec![
            ("first_deployed", time(&self.first_deployed)),
            ("last_deployed", time(&self.last_deployed)),
            ("deleted", time(&self.deleted)),
            ("description", Value::from(self.description.as_str())),
            ("status", Value::from(self.status.name())),
            ("notes", Value::from(self.notes.as_str())),
        ];
        fields.retain(|(_, value)| !is_empty(value));
        table(fields)
    }

    fn from_value(value: Option<&Value>) -> Info {
        let Some(map) = value.and_then(Value::as_map) else { return Info::default() };
        let time = |name: &[u8]| Time::parse(&text(map.get(name).as_ref()));
        Info {
            first_deployed: time(b"first_deployed"),
            last_deployed: time(b"last_deployed"),
            deleted: time(b"deleted"),
            description: text(map.get(b"description").as_ref()),
            status: Status::parse(&text(map.get(b"status").as_ref())),
            notes: text(map.get(b"notes").as_ref()),
        }
    }
}

impl RecordHook {
    fn to_value(&self) -> Value {
        let time = |time: &Option<Time>| time.map_or(Value::Nil, |t| Value::from(t.rfc3339()));
        let texts = |list: &[String]| Value::list(list.iter().cloned().map(Value::from).collect());
        let mut run = vec![
            ("started_at", time(&self.last_run.started_at)),
            ("completed_at", time(&self.last_run.completed_at)),
        ];
        run.retain(|(_, value)| !is_empty(value));
        run.push(("phase", Value::from(self.last_run.phase.as_str())));
        let mut fields = vec![
            ("name", Value::from(self.name.as_str())),
            ("kind", Value::from(self.kind.as_str())),
            ("path", Value::from(self.path.as_str())),
            ("manifest", Value::from(self.manifest.as_str())),
            ("events", texts(&self.events)),
            ("weight", if self.weight == 0 { Value::Nil } else { Value::int(self.weight) }),
            ("delete_policies", texts(&self.delete_policies)),
            ("output_log_policies", texts(&self.output_log_policies)),
        ];
        fields.retain(|(_, value)| !is_empty(value));
        fields.push(("last_run", table(run)));
        table(fields)
    }

    fn from_map(map: &Map) -> RecordHook {
        let texts = |name: &[u8]| {
            let list = map.get(name);
            let items = list.iter().filter_map(Value::as_list).flat_map(|list| list.iter());
            items.map(|item| text(Some(item))).collect()
        };
        let run = map.get(b"last_run");
        let run = run.as_ref().and_then(Value::as_map);
        let of_run = |name: &[u8]| text(run.and_then(|run| run.get(name)).as_ref());
        RecordHook {
            name: text(map.get(b"name").as_ref()),
            kind: text(map.get(b"kind").as_ref()),
            path: text(map.get(b"path").as_ref()),
            manifest: text(map.get(b"manifest").as_ref()),
            events: texts(b"events"),
            last_run: LastRun {
                started_at: Time::parse(&of_run(b"started_at")),
                completed_at: Time::parse(&of_run(b"completed_at")),
                phase: of_run(b"phase"),
            },
            weight: integer(map.get(b"weight").as_ref()),
            delete_policies: texts(b"delete_policies"),
            output_log_policies: texts(b"output_log_policies"),
        }
    }
}

fn compress(json: &[u8], level: Compression) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(json.len() / 4), level);
    encoder
        .write_all(json)
        .and_then(|()| encoder.finish())
        .map_err(|e| Error::new(ErrorKind::Record, format!("encode release: {e}")))
}

fn encode_json(value: &Value) -> Result<Vec<u8>> {
    let mut json = Vec::new();
    json::encode(value, &Options::default(), &mut json, &Meter::default())
        .map_err(|e| Error::new(ErrorKind::Record, format!("encode release: {e}")))?;
    Ok(json)
}

/// The fields that are not empty.
fn present(mut fields: Vec<(&'static str, Value)>) -> Value {
    fields.retain(|(_, value)| !is_empty(value));
    table(fields)
}

/// Go's `omitempty`.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Nil => true,
        Value::Str(text) => text.is_empty(),
        Value::List(list) => list.is_empty(),
        Value::Map(map) => map.is_empty(),
        _ => false,
    }
}

fn table(fields: Vec<(&'static str, Value)>) -> Value {
    Value::Map(Map::from_entries(fields.into_iter().map(|(k, v)| (Str::from_static(k), v))))
}

fn text(value: Option<&Value>) -> String {
    let text = value.and_then(Value::as_str);
    text.map(|text| text.to_string_lossy().into_owned()).unwrap_or_default()
}

fn integer(value: Option<&Value>) -> i64 {
    match value {
        Some(Value::Float(number)) => *number as i64,
        Some(Value::Int(_, number)) => *number,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let mut record = Record::new("web", "prod", 3);
        record.set(Status::PendingUpgrade, "Preparing upgrade");
        record.info.first_deployed = Time::parse("2026-11-21T01:46:01.646495488Z");
        record.chart = json::decode(br#"{"metadata":{"name":"c","version":"1.2.3"}}"#).unwrap();
        record.config = json::decode(br#"{"a":1,"b":"<x>"}"#).unwrap();
        record.manifest = "---\n# Source: c/templates/a.yaml\nkind: A\n".to_owned();
        record.hooks.push(RecordHook {
            name: "h".to_owned(),
            kind: "Job".to_owned(),
            events: vec!["pre-install".to_owned()],
            weight: -5,
            ..RecordHook::default()
        });
        record.apply_method = "ssa".to_owned();
        record
    }

    fn json_of(text: &str) -> String {
        let packed = BASE64.decode(text).unwrap();
        let mut json = String::new();
        MultiGzDecoder::new(packed.as_slice()).read_to_string(&mut json).unwrap();
        json
    }

    #[test]
    fn records_come_back_as_they_were() {
        let record = record();
        let text = record.encode().unwrap();
        let back = Record::decode(text.as_bytes()).unwrap();
        assert_eq!(back.encode().unwrap(), text);
        assert_eq!((back.revision, back.info.status), (3, Status::PendingUpgrade));
        assert_eq!(back.chart_label(), "c-1.2.3");
        assert_eq!(back.hooks, record.hooks);
    }

    #[test]
    fn packed_records_tell_what_has_changed_since() {
        let mut record = record();
        record.pack().unwrap();
        record.set(Status::Deployed, "done");
        assert_eq!(record.encode_packed().unwrap(), record.encode().unwrap());
        let back = Record::decode(record.encode_packed().unwrap().as_bytes()).unwrap();
        assert_eq!((back.info.status, back.manifest), (Status::Deployed, record.manifest));
    }

    #[test]
    fn records_of_nothing_are_json_too() {
        let text = Record::new("a", "b", 1).encode().unwrap();
        let json: serde_json::Value = serde_json::from_str(&json_of(&text)).unwrap();
        assert_eq!((&json["name"], &json["version"]), (&"a".into(), &1.into()));
    }

    #[test]
    fn the_json_is_helms() {
        let json = json_of(&record().encode().unwrap());
        assert!(json.contains(r#""config":{"a":1,"b":"\u003cx\u003e"}"#), "{json}");
        assert!(json.contains(r#""last_run":{"phase":""}"#), "{json}");
        assert!(json.contains(r#""version":3"#) && json.contains(r#""weight":-5"#), "{json}");
        assert!(!json.contains("deleted") && !json.contains("notes"), "{json}");
    }

    #[test]
    fn uncompressed_records_are_read() {
        let record = Record::decode(BASE64.encode(r#"{"name":"a","version":2}"#).as_bytes());
        assert_eq!(record.unwrap().revision, 2);
        for bad in ["%", "H4sIAAAA", "bm90IGpzb24="] {
            assert_eq!(Record::decode(bad.as_bytes()).unwrap_err().kind(), ErrorKind::Record);
        }
    }
}
